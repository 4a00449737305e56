"""The ways to Redis: passwords, users with few rights, a socket, TLS, Sentinel, Cluster. Nodes hear each other by all."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from crdt.errors import Code
from crdt.ids import DocumentId, NodeId
from crdt.protocol.hints import ClosedHint, Hint
from server.bus.redis import RedisBus
from tests.harness.bell import PATIENCE
from tests.harness.certificates import Authority
from tests.harness.log_lines import log_lines
from tests.harness.redis_server import RedisServer, redis_server
from tests.harness.redis_sets import SERVICE, Watched, redis_cluster, watched, watched_over_tls

pytestmark = pytest.mark.slow

DOCUMENT = DocumentId("a-document")
README = Path(__file__).parents[2] / "deploy" / "README.md"
PAUSE = 0.05
"""Seconds between two words to somebody who may not be listening again yet."""


class Node:
    """A bus that holds one document, and the last words it has heard of it."""

    def __init__(self, bus: RedisBus) -> None:
        self.bus = bus
        self.heard: Hint | None = None

    async def listens(self) -> None:
        await self.bus.subscribe(DOCUMENT, self._hear)

    def _hear(self, _document_id: DocumentId, _node: NodeId, message: Hint) -> None:
        self.heard = message


@asynccontextmanager
async def pair(one_url: str, other_url: str) -> AsyncIterator[tuple[Node, Node]]:
    """Two nodes that hold the same document."""
    async with RedisBus(one_url, NodeId("one")) as one, RedisBus(other_url, NodeId("other")) as other:
        nodes = Node(one), Node(other)
        for node in nodes:
            await node.listens()
        yield nodes


async def hear_each_other(nodes: tuple[Node, Node], words: str) -> None:
    """What has not come while Redis was away is lost, which is what the bus promises; so it is said again."""
    message = ClosedHint(Code.DELETED, words)
    one, other = nodes
    async with asyncio.timeout(PATIENCE):
        while not (one.heard == other.heard == message):
            one.bus.publish(DOCUMENT, message)
            other.bus.publish(DOCUMENT, message)
            await asyncio.sleep(PAUSE)


def rights_in_the_readme() -> str:
    """The rules for a user of Redis that deploy/README.md recommends."""
    found = re.search(r"^ +ACL SETUSER manyhands (.+)$", README.read_text(), re.MULTILINE)
    assert found is not None
    return found[1].replace(">PASSWORD", ">opensesame")


# Passwords and users.


async def test_a_password_is_enough() -> None:
    async with redis_server("--requirepass", "open sesame") as redis:
        url = f"redis://:open%20sesame@127.0.0.1:{redis.port}"
        async with pair(url, url) as nodes:
            await hear_each_other(nodes, "open")


async def test_a_socket_in_the_file_system(tmp_path: Path) -> None:
    async with redis_server("--unixsocket", str(tmp_path / "redis.sock")):
        url = f"unix://{tmp_path}/redis.sock"
        async with pair(url, url) as nodes:
            await hear_each_other(nodes, "on this machine")


@pytest.mark.parametrize("left_out", ["", "+ssubscribe", "&manyhands:*"])
async def test_the_rights_that_the_readme_names_are_enough_and_needed(left_out: str) -> None:
    rights = rights_in_the_readme()
    assert left_out in rights
    kept = [rule for rule in rights.split() if rule != left_out]
    async with redis_server() as redis:
        await redis.ask("ACL", "SETUSER", "manyhands", *kept)
        url = f"redis://manyhands:opensesame@127.0.0.1:{redis.port}/0"
        with log_lines() as lines:
            async with pair(url, url) as nodes:
                if not left_out:
                    await hear_each_other(nodes, "with few rights")
                    assert not lines
                    return
                await lost(nodes)
        assert "permissions" in reasons(lines)[0]


async def test_a_wrong_password_is_told_once_and_not_repeated() -> None:
    async with redis_server("--requirepass", "open sesame") as redis:
        with log_lines() as lines:
            async with RedisBus(f"redis://:hunter2@127.0.0.1:{redis.port}", NodeId("one")) as bus:
                assert not bus.connected
        assert reasons(lines) == ["invalid username-password pair or user is disabled."]


async def lost(nodes: Sequence[Node]) -> None:
    async with asyncio.timeout(PATIENCE):
        while all(node.bus.connected for node in nodes):  # noqa: ASYNC110 - nothing tells of it but the flag
            await asyncio.sleep(PAUSE)


def reasons(lines: list[dict[str, str]]) -> list[str]:
    return [line["reason"] for line in lines if line["event"] == "bus_away"]


# TLS.


@asynccontextmanager
async def redis_with_tls(authority: Authority, names: str = "IP:127.0.0.1") -> AsyncIterator[RedisServer]:
    """Redis that speaks TLS as well, at `tls_port`; a client needs no certificate."""
    certificate, key = authority.sign(names)
    async with redis_server("--tls-cert-file", str(certificate), "--tls-key-file", str(key), tls=True) as redis:
        yield redis


async def test_tls_with_an_authority_of_the_operators(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with redis_with_tls(authority) as redis:
        url = f"rediss://127.0.0.1:{redis.tls_port}/0?ssl_ca_certs={authority.certificate}"
        async with pair(url, url) as nodes:
            await hear_each_other(nodes, "in secret")


@pytest.mark.parametrize(
    ("trusted", "names", "reason"),
    [
        ("another", "IP:127.0.0.1", "CERTIFICATE_VERIFY_FAILED"),
        ("authority", "DNS:redis.example.com", "IP address mismatch"),
    ],
    ids=["unknown authority", "another name"],
)
async def test_tls_with_a_server_that_is_not_the_one_is_refused(
    tmp_path: Path, trusted: str, names: str, reason: str
) -> None:
    authorities = {name: Authority(tmp_path, name) for name in ("authority", "another")}
    async with redis_with_tls(authorities["authority"], names) as redis:
        url = f"rediss://127.0.0.1:{redis.tls_port}/0?ssl_ca_certs={authorities[trusted].certificate}"
        with log_lines() as lines:
            async with RedisBus(url, NodeId("one")) as bus:
                assert not bus.connected
        (told,) = reasons(lines)
        assert reason in told


# Sentinel.


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Watched]:
    async with watched(tmp_path, "--user", "manyhands", *rights_in_the_readme().split()) as servers:
        yield servers


def sentinel_url(servers: Watched) -> str:
    """One sentinel is always away; the password is that of the servers."""
    return f"redis+sentinel://manyhands:opensesame@127.0.0.1:1,{servers.sentinel_hosts}/{SERVICE}"


async def test_sentinel_names_another_master_when_it_dies(guarded: Watched) -> None:
    async with pair(sentinel_url(guarded), sentinel_url(guarded)) as nodes:
        await hear_each_other(nodes, "before")
        master = await guarded.master()
        await master.kill()
        await hear_each_other(nodes, "after")
        assert await guarded.master() is not master


async def test_an_operator_asks_sentinel_for_another_master(guarded: Watched) -> None:
    """The former one lives on, with our connections, until the sentinels make it a replica some ten seconds later and cut them."""
    async with pair(sentinel_url(guarded), sentinel_url(guarded)) as nodes:
        await hear_each_other(nodes, "before")
        master = await guarded.master()
        await guarded.promote_the_other()
        await guarded.follows(master)
        await hear_each_other(nodes, "after")


async def test_sentinels_and_servers_that_speak_tls_and_ask_for_passwords(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = map(str, authority.sign())
    files = ("--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", str(authority.certificate))
    async with watched_over_tls(tmp_path, "opensesame", *files) as sentinel:
        query = f"ssl_ca_certs={authority.certificate}&sentinel_password=opensesame-of-sentinels"
        url = f"rediss+sentinel://:opensesame@127.0.0.1:{sentinel.tls_port}/{SERVICE}?{query}"
        async with pair(url, url) as nodes:
            await hear_each_other(nodes, "in secret")


# Cluster.


def cluster_url(*servers: RedisServer) -> str:
    return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)


async def test_servers_of_a_cluster_pass_on_and_replace_each_other(tmp_path: Path) -> None:
    async with (
        redis_cluster(tmp_path) as (first, second, third),
        pair(cluster_url(first, third), cluster_url(second, third)) as nodes,
    ):
        await hear_each_other(nodes, "through two servers")
        await first.kill()
        await hear_each_other(nodes, "through two others")
        await first.start()
        await second.kill()
        await hear_each_other(nodes, "through one")
