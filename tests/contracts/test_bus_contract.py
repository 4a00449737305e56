"""What a bus does while nothing fails: every subscribed node hears what the others publish. Losing is always allowed beyond that."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from crdt.errors import Code
from crdt.ids import ClientId, DocumentId, Epoch, PresenceId, Seq
from crdt.protocol import DocumentInfo, PresenceChange, User
from server.bus.base import BatchHint, Bus, BusMessage, ClosedHint, DocumentHint, PresenceHint
from server.bus.memory import MemoryBus, MemoryBusNetwork

DOCUMENT = DocumentId("a-document")
OTHER = DocumentId("another-document")


def say(words: str) -> ClosedHint:
    return ClosedHint(Code.DELETED, words)


class Node:
    """A bus and what it has told us."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.heard: asyncio.Queue[tuple[DocumentId, BusMessage]] = asyncio.Queue()

    async def listens(self, document_id: DocumentId = DOCUMENT) -> None:
        await self.bus.subscribe(document_id, lambda document, _, message: self.heard.put_nowait((document, message)))

    async def hears(self) -> tuple[DocumentId, BusMessage]:
        async with asyncio.timeout(5):
            return await self.heard.get()


@pytest.fixture
async def nodes() -> AsyncIterator[list[Node]]:
    network = MemoryBusNetwork()
    async with AsyncExitStack() as stack:
        yield [Node(await stack.enter_async_context(MemoryBus(network))) for _ in range(3)]


@pytest.mark.parametrize(
    "message",
    [
        BatchHint(Epoch(7), Seq(2**53 - 1), b"\x00\xff batch"),
        BatchHint(Epoch(7), Seq(1), None),
        PresenceHint(
            (PresenceChange(PresenceId(1), ClientId(2), User("u", "Zoë \U0001f375", "#00ff00"), {"a": [1, None]}),)
        ),
        PresenceHint((PresenceChange(PresenceId(1), ClientId(2), User("u", "Z", "#00ff00"), None),)),
        DocumentHint(DocumentInfo("Title", "2030-01-01T12:00:00Z")),
        say("deleted"),
    ],
)
async def test_the_others_hear_and_the_publisher_does_not(nodes: list[Node], message: BusMessage) -> None:
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


async def test_a_bus_alone_or_closed_publishes_to_nobody() -> None:
    bus = MemoryBus()
    bus.publish(DOCUMENT, say("before"))
    async with bus:
        bus.publish(DOCUMENT, say("alone"))
    bus.publish(DOCUMENT, say("after"))
