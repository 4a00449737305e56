"""What nginx does with deploy/nginx.conf: the same as HAProxy for whoever is there, with what it finds out by itself.

It stands before the nodes of the cluster, with a relay to each: they tell who went where, and can
be cut.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

from tests.cluster.breakable import NODES, BreakableCluster
from tests.cluster.marks import CLUSTER
from tests.cluster.nginx import nginx
from tests.cluster.people import PatientTypist, all_replicas_agree, everybody_writing, more_is_saved, people_at
from tests.harness.bell import PATIENCE, Bell
from tests.harness.live_server import until
from tests.harness.ports import quiet_port
from tests.harness.relay import Relay

pytestmark = CLUSTER


class Front:
    """The address that people come to, and the ways from there to the nodes."""

    def __init__(self, url: str, ways: Sequence[Relay]) -> None:
        self.url = url
        self.ways = ways

    @property
    def visitors(self) -> list[int]:
        """Open connections per node."""
        return [way.connections for way in self.ways]

    async def home_of(self, document_id: str) -> int:
        """Where people of this document are sent now. Nobody else may come or go meanwhile."""
        before = self.visitors
        address = f"{self.url}/socket.io/?EIO=4&transport=websocket&document={document_id}"
        async with aiohttp.ClientSession() as http, http.ws_connect(address) as socket:
            await socket.receive()
            (home,) = (node for node in NODES if self.visitors[node] > before[node])
        await until(lambda: self.visitors == before)
        return home

    async def is_home_again(self, node: int, document_id: str) -> None:
        """Come and go until a document's people are sent there again: nginx tries a node that failed every few seconds."""
        async with asyncio.timeout(PATIENCE):
            while await self.home_of(document_id) != node:  # noqa: ASYNC110 - another process has no event to wait for
                await asyncio.sleep(0.1)

    async def doors(self) -> list[str]:
        """For each node, an address that leads there while all are well; fails when a hundred documents leave one out."""
        found: dict[int, str] = {}
        for number in range(100):
            document_id = f"affinity-{number:04}"
            found.setdefault(await self.home_of(document_id), f"{self.url}?document={document_id}")
            if len(found) == len(NODES):
                break
        return [found[node] for node in NODES]


@asynccontextmanager
async def front(cluster: BreakableCluster) -> AsyncIterator[Front]:
    async with AsyncExitStack() as exits:
        ways = [
            await exits.enter_async_context(Relay(quiet_port(), int(cluster.node_url(node).rpartition(":")[2])))
            for node in NODES
        ]
        port = quiet_port()
        hear = lambda name, line: cluster.lines.append(f"{name}: {line}")  # noqa: E731
        await exits.enter_async_context(nginx([way.port for way in ways], port, hear))
        yield Front(f"http://127.0.0.1:{port}", ways)


async def test_a_document_s_people_meet_on_one_node(cluster: BreakableCluster) -> None:
    document_id = await cluster.new_document()
    async with front(cluster) as before_nodes:
        address = f"{before_nodes.url}?document={document_id}"
        async with people_at([address] * 3, document_id) as people:
            assert sorted(before_nodes.visitors) == [0, 0, 3]
            async with everybody_writing(people):
                await more_is_saved(people)
            await all_replicas_agree(cluster, document_id, people)


async def test_documents_are_spread_and_stay_where_they_are(cluster: BreakableCluster) -> None:
    """Where a document goes hangs on the nodes' ports: a few documents may well leave one of three nodes out."""
    async with front(cluster) as before_nodes:
        await before_nodes.doors()
        homes = [await before_nodes.home_of(f"document-{number}") for number in range(12)]
        assert [await before_nodes.home_of(f"document-{number}") for number in range(12)] == homes


@pytest.mark.parametrize("named", [True, False], ids=["document named", "document not named"])
async def test_a_long_polling_session_stays_on_its_node(cluster: BreakableCluster, named: bool) -> None:
    document_id = await cluster.new_document()
    async with front(cluster) as before_nodes, AsyncExitStack() as exits:
        url = f"{before_nodes.url}?document={document_id}" if named else before_nodes.url
        bell = Bell()
        people = [PatientTypist(url, document_id, name, bell) for name in ("Alice", "Bob", "Carol")]
        for person in people:
            exits.push_async_callback(person.close)
            await person.open("polling")
        for _ in range(5):
            for person in people:
                await person.types()
                await person.all_saved()
        assert all(person.times_joined == 1 for person in people)
        await all_replicas_agree(cluster, document_id, people)


async def test_a_node_is_killed_and_used_again_when_it_is_back(cluster: BreakableCluster) -> None:
    """Nobody asks nodes how they are: the first visitors who are refused by one are sent to the next."""
    document_id = await cluster.new_document()
    async with front(cluster) as before_nodes:
        doors = await before_nodes.doors()
        async with people_at([*doors, *doors], document_id) as people:
            assert before_nodes.visitors == [2, 2, 2]
            async with everybody_writing(people):
                await more_is_saved(people)
                await cluster.kill(1)
                await before_nodes.ways[1].cut()
                await people[0].bell.until(lambda: people[1].times_joined == 2 and people[4].times_joined == 2)
                await more_is_saved(people)
            await cluster.start(1)
            await before_nodes.ways[1].mend()
            await all_replicas_agree(cluster, document_id, people)
        await until(lambda: not any(before_nodes.visitors))
        await before_nodes.is_home_again(1, doors[1].rpartition("=")[2])


async def test_requests_go_elsewhere_while_a_node_is_away(cluster: BreakableCluster) -> None:
    async with front(cluster) as before_nodes, aiohttp.ClientSession() as http:
        await before_nodes.ways[0].cut()
        addresses = [f"{before_nodes.url}/health?document={number}" for number in range(60)]
        assert set(await asyncio.gather(*(status(http, address) for address in addresses))) == {200}


async def test_all_nodes_are_restarted_one_after_the_other(cluster: BreakableCluster) -> None:
    document_id = await cluster.new_document()
    async with front(cluster) as before_nodes:
        doors = await before_nodes.doors()
        async with people_at([*doors, *doors], document_id) as people:
            async with everybody_writing(people):
                await more_is_saved(people)
                await cluster.rolling_restart()
                await more_is_saved(people)
            await all_replicas_agree(cluster, document_id, people)


async def test_nodes_hear_who_asks_and_not_who_claims_to(cluster: BreakableCluster) -> None:
    heard = bytearray()
    async with front(cluster) as before_nodes, aiohttp.ClientSession() as http:
        for way in before_nodes.ways:
            way.to_dependency = heard.extend
        claims = dict.fromkeys(("X-Forwarded-For", "X-Forwarded-Host", "Forwarded"), "203.0.113.9")
        async with http.get(f"{before_nodes.url}/health", headers=claims) as answer:
            assert answer.status == 200
    assert b"X-Forwarded-For: 127.0.0.1\r\n" in heard
    assert b"203.0.113.9" not in heard


async def status(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as answer:
        return answer.status
