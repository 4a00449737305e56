"""The reference set-up on loopback, with a relay between each node and each dependency, and verbs to break every part of it."""

import asyncio
import csv
import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import aiohttp
from redis.asyncio import Redis

from crdt.ids import DocumentId
from deploy.loopback.cluster import Cluster, Ports
from deploy.loopback.program import Program
from server.store.sql import SqlStore
from tests.harness.bell import PATIENCE
from tests.harness.ports import quiet_port
from tests.harness.relay import Relay
from tests.harness.stored import replayed, screen_of

NODES = range(3)
T = TypeVar("T")


class RelayLinks:
    """Each node's own way to each dependency."""

    def __init__(self, ports: Ports, own: Iterator[int]) -> None:
        self.to_redis = [Relay(next(own), ports.redis) for _ in NODES]
        self.to_postgres = [Relay(next(own), ports.postgres) for _ in NODES]

    def redis(self, node: int) -> int:
        return self.to_redis[node].port

    def postgres(self, node: int) -> int:
        return self.to_postgres[node].port


class BreakableCluster:
    """A running cluster. `lines` is what its programs have written, for whoever looks into a failure."""

    def __init__(self, cluster: Cluster, links: RelayLinks, lines: list[str]) -> None:
        self._cluster = cluster
        self._links = links
        self.lines = lines
        self.affinity: list[str] = []
        """For each node, a document id that HAProxy sends there while all nodes are well."""

    @property
    def url(self) -> str:
        """The balancer's."""
        return self._cluster.url

    def node_url(self, node: int) -> str:
        """A node's own, past the balancer."""
        return f"http://127.0.0.1:{self._cluster.ports.nodes[node]}"

    def door(self, node: int) -> str:
        """The balancer's, in words that lead to this node as long as it is well."""
        return f"{self.url}?document={self.affinity[node]}"

    async def new_document(self) -> str:
        """Make a document; while the balancer finds a node unwell, as it does on a busy machine, ask it again."""
        while True:
            async with (
                aiohttp.ClientSession() as http,
                http.post(f"{self.url}/api/documents", json={"title": "Story"}) as made,
            ):
                if made.status in (502, 503):
                    await self.all_in_service()
                    continue
                assert made.status == 201, await made.text()
                return str((await made.json())["id"])

    async def stored_screen(self, document_id: str) -> tuple[str, frozenset[str]]:
        """What PostgreSQL's log replays to."""
        async with SqlStore(self._cluster.database_url) as store:
            loaded = await store.log.load(DocumentId(document_id))
        assert loaded is not None
        return screen_of(replayed(loaded))

    # What can befall nodes.

    async def kill(self, node: int) -> None:
        """SIGKILL, its sandbox included."""
        await self._cluster.nodes[node].kill()

    async def start(self, node: int) -> None:
        await self._cluster.start_node(node)

    async def stop(self, node: int) -> None:
        """SIGTERM, and wait until it has gone."""
        await self._cluster.nodes[node].stop()

    def pause(self, node: int) -> None:
        """Freeze it: its connections stand, and it notices nothing."""
        self._cluster.nodes[node].signal(signal.SIGSTOP)

    def resume(self, node: int) -> None:
        self._cluster.nodes[node].signal(signal.SIGCONT)

    async def rolling_restart(self) -> None:
        """Each node in turn, the next when the one before is ready again and the balancer has seen it."""
        for node in NODES:
            await self._cluster.restart_node(node)
            await self.all_in_service()

    # What can befall the rest.

    async def kill_redis(self) -> None:
        await self._cluster.redis.kill()

    async def start_redis(self) -> None:
        """Empty."""
        await self._cluster.start_redis()

    def pause_redis(self) -> None:
        self._cluster.redis.signal(signal.SIGSTOP)

    def resume_redis(self) -> None:
        self._cluster.redis.signal(signal.SIGCONT)

    async def ask_redis(self, *command: str) -> object:
        """Do what an operator may do to it."""
        async with Redis.from_url(f"redis://127.0.0.1:{self._cluster.ports.redis}/0", protocol=2) as client:
            return await client.execute_command(*command)  # type: ignore[no-untyped-call]

    async def stop_postgres(self) -> None:
        """At once, ending all sessions."""
        await self._cluster.postgres.stop()

    async def kill_postgres(self) -> None:
        await self._cluster.postgres.kill()

    async def start_postgres(self) -> None:
        await self._cluster.start_postgres()

    async def cut_redis(self, node: int) -> None:
        """Cut one node's way to Redis."""
        await self._links.to_redis[node].cut()

    async def cut_postgres(self, node: int) -> None:
        """Cut one node's way to PostgreSQL."""
        await self._links.to_postgres[node].cut()

    def way_to_redis(self, node: int) -> Relay:
        """For whoever wants to listen in."""
        return self._links.to_redis[node]

    def slow_postgres(self, node: int, seconds: float) -> None:
        """Let PostgreSQL's answers to one node take longer."""
        self._links.to_postgres[node].delay = seconds

    def reload_haproxy(self) -> None:
        self._cluster.reload_haproxy()

    async def heal(self) -> None:
        """Bring back whatever is away, and wait until the balancer uses every node."""
        self.resume_redis()
        for relay in (*self._links.to_redis, *self._links.to_postgres):
            relay.delay = 0.0
            await relay.mend()
        if not self._cluster.redis.running:
            await self._cluster.start_redis()
        if not self._cluster.postgres.running:
            await self._cluster.start_postgres()
        for node in NODES:
            self.resume(node)
        await asyncio.gather(*(self._bring_back(node) for node in NODES))
        await self.all_in_service()

    async def _bring_back(self, node: int) -> None:
        if not self._cluster.nodes[node].running:
            await self._cluster.start_node(node)

    # What the balancer says.

    async def all_in_service(self) -> None:
        """Wait until the balancer sends new people to every node."""
        await _until(lambda servers: all(server["status"].startswith("UP") for server in servers), self._servers)

    async def out_of_service(self, node: int) -> None:
        """Wait until the balancer has noticed."""
        await _until(lambda servers: not servers[node]["status"].startswith("UP"), self._servers)

    @asynccontextmanager
    async def no_newcomers_at(self, node: int) -> AsyncIterator[None]:
        """For a while the balancer sends new people elsewhere, as an operator may ask it to; who is there stays there."""
        await self._cluster.ask_haproxy(f"@1 set server nodes/node-{node + 1} state drain")
        try:
            await self.out_of_service(node)
            yield
        finally:
            await self._cluster.ask_haproxy(f"@1 set server nodes/node-{node + 1} state ready")
            await self.all_in_service()

    async def home_of_each(self, people: int) -> list[int]:
        """The nodes that this many people are at, once there are no other requests: one entry for each of them."""
        visitors = await _until(lambda visitors: sum(visitors) == people, self.visitors)
        return [node for node, count in enumerate(visitors) for _ in range(count)]

    async def visitors(self) -> list[int]:
        """Open connections per node, through the balancer, but for those of the last resort.

        Who got no WebSocket within seconds began by long-polling, and stays in that backend with the WebSocket that follows.
        """
        counts = Counter[str]()
        for fields in await self._statistics("nodes", "polling"):
            counts[fields["svname"]] += int(fields["scur"])
        return [counts[f"node-{node + 1}"] for node in NODES]

    async def _servers(self) -> list[dict[str, str]]:
        return sorted(await self._statistics("nodes"), key=lambda fields: fields["svname"])

    async def _statistics(self, *backends: str) -> list[dict[str, str]]:
        """HAProxy's figures of each node in each of these backends."""
        rows = csv.DictReader((await self._cluster.ask_haproxy("@1 show stat")).splitlines())
        return [fields for fields in rows if fields["# pxname"] in backends and fields["svname"].startswith("node-")]

    async def find_affinity(self) -> None:
        """Try document ids until one is known for each node."""
        found: dict[int, str] = {}
        chances = (f"affinity-{number:04}" for number in range(1000))
        while len(found) < len(NODES):
            document_id = next(chances)
            node = await self.home_of(document_id)
            found.setdefault(node, document_id)
        self.affinity = [found[node] for node in NODES]

    async def home_of(self, document_id: str) -> int:
        """Where the balancer sends a WebSocket for this document now. Nobody else may come or go meanwhile."""
        before = await self.visitors()
        address = f"{self.url}/socket.io/?EIO=4&transport=websocket&document={document_id}"
        async with aiohttp.ClientSession() as http, http.ws_connect(address) as socket:
            await socket.receive()
            after = await self.visitors()
        await _until(lambda visitors: visitors == before, self.visitors)
        (home,) = (node for node in NODES if after[node] > before[node])
        return home


def _quiet_ports() -> Iterator[int]:
    """Free ports, no two of them the same."""
    given: set[int] = set()
    while True:
        if (port := quiet_port()) not in given:
            given.add(port)
            yield port


async def _until(condition: Callable[[T], bool], look: Callable[[], Awaitable[T]]) -> T:
    """What was seen when the condition held. Ask again and again: HAProxy tells nobody by itself."""
    async with asyncio.timeout(PATIENCE):
        while not condition(seen := await look()):  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(0.05)
    return seen


@asynccontextmanager
async def breakable_cluster(settings: Mapping[str, str] | None = None) -> AsyncIterator[BreakableCluster]:
    """Start everything on free ports; at the end everything is stopped, whatever state it is in. `settings`: the nodes' own."""
    free = _quiet_ports()
    ports = Ports(next(free), (next(free), next(free), next(free)), next(free), next(free))
    links, lines = RelayLinks(ports, free), list[str]()
    directory = Path(tempfile.mkdtemp(prefix="manyhands-cluster-"))
    os.chmod(directory, 0o711)  # noqa: PTH101 - PostgreSQL may be another user
    try:
        async with AsyncExitStack() as exits:
            for relay in (*links.to_redis, *links.to_postgres):
                await exits.enter_async_context(relay)
            hear = lambda name, line: lines.append(f"{name}: {line}")  # noqa: E731
            cluster = Cluster(directory, ports, hear, lines.append, links, settings)
            await exits.enter_async_context(cluster)
            exits.callback(_thaw, cluster.programs)
            breakable = BreakableCluster(cluster, links, lines)
            await breakable.all_in_service()
            await breakable.find_affinity()
            yield breakable
    except BaseException:
        (Path(tempfile.gettempdir()) / f"manyhands-cluster-{os.getpid()}.log").write_text("\n".join(lines))
        raise
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _thaw(programs: list[Program]) -> None:
    for program in programs:
        program.signal(signal.SIGCONT)
