"""What a bus does while nothing fails: every subscribed node hears what the others publish. Losing is always allowed beyond that."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from crdt.errors import Code
from crdt.ids import ClientId, DocumentId, Epoch, NodeId, PresenceId, Seq
from crdt.protocol.hints import BatchHint, Beat, ClosedHint, DocumentHint, Hint, PresenceHint, PresenceWhole
from crdt.protocol.messages import DocumentInfo, Format, PresenceChange, User
from server.bus.base import Bus
from server.bus.memory import MemoryBus, MemoryBusNetwork
from server.bus.redis import RedisBus
from tests.harness.bell import PATIENCE
from tests.harness.redis_server import redis_server

DOCUMENT = DocumentId("a-document")
OTHER = DocumentId("another-document")


def say(words: str) -> ClosedHint:
    return ClosedHint(Code.DELETED, words)


class Node:
    """A bus and what it has told us."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.heard: asyncio.Queue[tuple[DocumentId, Hint]] = asyncio.Queue()

    async def listens(self, document_id: DocumentId = DOCUMENT) -> None:
        await self.bus.subscribe(document_id, lambda document, _, message: self.heard.put_nowait((document, message)))

    async def hears(self) -> tuple[DocumentId, Hint]:
        async with asyncio.timeout(PATIENCE):
            return await self.heard.get()


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.slow)])
async def new_bus(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[], Bus]]:
    """A way to make buses that hear each other."""
    if request.param == "memory":
        network = MemoryBusNetwork()
        yield lambda: MemoryBus(network)
        return
    async with redis_server() as redis:
        yield lambda: RedisBus(redis.url, NodeId(secrets.token_hex(8)))


@pytest.fixture
async def nodes(new_bus: Callable[[], Bus]) -> AsyncIterator[list[Node]]:
    async with AsyncExitStack() as stack:
        yield [Node(await stack.enter_async_context(new_bus())) for _ in range(3)]


@pytest.mark.parametrize(
    "message",
    [
        BatchHint(Epoch(7), Seq(2**53 - 1), b"\x00\xff batch"),
        BatchHint(Epoch(7), Seq(1), None, people=50),
        PresenceHint(
            (PresenceChange(PresenceId(1), ClientId(2), User("u", "Zoë \U0001f375", "#00ff00"), {"a": [1, None]}),)
        ),
        PresenceHint((PresenceChange(PresenceId(1), ClientId(2), User("u", "Z", "#00ff00"), None),)),
        PresenceWhole((), asks=True),
        Beat(leaving=True),
        Beat(called="knöte:8000"),
        DocumentHint(DocumentInfo("Title", "2030-01-01T12:00:00Z")),
        DocumentHint(DocumentInfo("Title", None, Format("@somebody/editor", 3), any_format=True)),
        say("deleted"),
    ],
)
async def test_the_others_hear_and_the_publisher_does_not(nodes: list[Node], message: Hint) -> None:
    one, two, three = nodes
    for node in nodes:
        await node.listens()
    one.bus.publish(DOCUMENT, message)
    assert await two.hears() == await three.hears() == (DOCUMENT, message)
    two.bus.publish(DOCUMENT, say("the end"))
    assert await one.hears() == (DOCUMENT, say("the end"))


async def test_a_node_hears_only_of_the_documents_it_holds(nodes: list[Node]) -> None:
    one, two, _ = nodes
    await two.listens(DOCUMENT)
    await two.listens(OTHER)
    await two.bus.unsubscribe(DOCUMENT)
    await two.bus.unsubscribe(DocumentId("never-subscribed"))
    one.bus.publish(DOCUMENT, say("unheard"))
    one.bus.publish(OTHER, say("heard"))
    assert await two.hears() == (OTHER, say("heard"))


async def test_publishing_never_runs_a_receiver_at_once(nodes: list[Node]) -> None:
    one, two, _ = nodes
    await two.listens()
    one.bus.publish(DOCUMENT, say("later"))
    assert two.heard.empty()
    assert await two.hears() == (DOCUMENT, say("later"))


async def test_what_is_on_its_way_does_not_reach_a_receiver_that_is_gone(nodes: list[Node]) -> None:
    one, two, three = nodes
    await two.listens()
    await three.listens()
    one.bus.publish(DOCUMENT, say("late"))
    await two.bus.unsubscribe(DOCUMENT)
    await three.hears()
    assert two.heard.empty()


async def test_a_receiver_learns_which_node_speaks(nodes: list[Node]) -> None:
    one, two, three = nodes
    speakers: asyncio.Queue[NodeId] = asyncio.Queue()
    await three.bus.subscribe(DOCUMENT, lambda _document, node, _message: speakers.put_nowait(node))
    async with asyncio.timeout(PATIENCE):
        one.bus.publish(DOCUMENT, say("first"))
        first = await speakers.get()
        two.bus.publish(DOCUMENT, say("second"))
        assert await speakers.get() != first
        one.bus.publish(DOCUMENT, say("third"))
        assert await speakers.get() == first


async def test_what_is_published_last_still_leaves(new_bus: Callable[[], Bus]) -> None:
    async with new_bus() as two:
        listener = Node(two)
        await listener.listens()
        async with new_bus() as one:
            for number in range(100):
                one.publish(DOCUMENT, say(str(number)))
            await asyncio.sleep(0)
        assert [await listener.hears() for _ in range(100)] == [(DOCUMENT, say(str(n))) for n in range(100)]


async def test_a_bus_that_is_open_is_connected(new_bus: Callable[[], Bus]) -> None:
    bus = new_bus()
    connected = [bus.connected]
    async with bus:
        connected.append(bus.connected)
    connected.append(bus.connected)
    assert connected == [False, True, False]


async def test_a_bus_alone_or_closed_publishes_to_nobody(new_bus: Callable[[], Bus]) -> None:
    bus = new_bus()
    bus.publish(DOCUMENT, say("before"))
    async with bus:
        bus.publish(DOCUMENT, say("alone"))
    bus.publish(DOCUMENT, say("after"))
