"""What befalls a bus over a real Redis: killed, emptied, frozen, cut off, overrun. It always comes back by itself, and says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from crdt.errors import Code
from crdt.ids import DocumentId, Epoch, NodeId, Seq
from crdt.protocol.hints import VERSION, BatchHint, ClosedHint, Hint, encode_hint, sender_prefix
from server.bus.redis import CHANNEL, MAX_BYTES, MAX_MESSAGES, Outgoing, RedisBus
from server.bus.redis_links import RedisConnector
from tests.harness.bell import PATIENCE
from tests.harness.redis_server import RedisServer, redis_server

pytestmark = pytest.mark.slow

DOCUMENT = DocumentId("a-document")
OTHER = DocumentId("another-document")


def say(words: str) -> ClosedHint:
    return ClosedHint(Code.DELETED, words)


class Node:
    """A bus, what it has told us, and how often it has recovered."""

    def __init__(self, bus: RedisBus) -> None:
        self.bus = bus
        self.heard: asyncio.Queue[Hint] = asyncio.Queue()
        self.recovered: asyncio.Queue[None] = asyncio.Queue()
        bus.on_recovered(lambda: self.recovered.put_nowait(None))

    async def listens(self, document_id: DocumentId = DOCUMENT) -> None:
        await self.bus.subscribe(document_id, lambda _document, _node, message: self.heard.put_nowait(message))

    async def hears(self) -> Hint:
        async with asyncio.timeout(PATIENCE):
            return await self.heard.get()

    async def recovers(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.recovered.get()


@asynccontextmanager
async def node(url: str, name: str) -> AsyncIterator[Node]:
    async with RedisBus(url, NodeId(name)) as bus:
        yield Node(bus)


@pytest.fixture
async def redis() -> AsyncIterator[RedisServer]:
    async with redis_server() as server:
        yield server


@pytest.fixture
async def pair(redis: RedisServer) -> AsyncIterator[tuple[Node, Node]]:
    """Two nodes that hold the same document."""
    async with node(redis.url, "one") as one, node(redis.url, "two") as two:
        await one.listens()
        await two.listens()
        yield one, two


async def both_hear_each_other(one: Node, two: Node) -> None:
    one.bus.publish(DOCUMENT, say("from one"))
    assert await two.hears() == say("from one")
    two.bus.publish(DOCUMENT, say("from two"))
    assert await one.hears() == say("from two")


async def test_redis_killed_and_started_empty(redis: RedisServer, pair: tuple[Node, Node]) -> None:
    one, two = pair
    await redis.kill()
    one.bus.publish(DOCUMENT, say("into the void"))
    await redis.start()
    await one.recovers()
    await two.recovers()
    assert one.bus.connected
    await both_hear_each_other(one, two)


async def test_a_redis_that_is_away_delays_nobody(redis: RedisServer, pair: tuple[Node, Node]) -> None:
    """Opening and closing documents goes on; what was opened meanwhile is heard of when Redis is back."""
    one, two = pair
    await redis.kill()
    async with asyncio.timeout(PATIENCE):
        await one.listens(OTHER)
        await one.bus.unsubscribe(DOCUMENT)
    await redis.start()
    await one.recovers()
    await two.recovers()
    two.bus.publish(DOCUMENT, say("of a document that is closed"))
    two.bus.publish(OTHER, say("of one that was opened"))
    assert await one.hears() == say("of one that was opened")


async def test_a_bus_starts_without_redis_and_connects_when_it_comes() -> None:
    server = RedisServer()
    async with node(server.url, "one") as one:
        await one.listens()
        assert not one.bus.connected
        one.bus.publish(DOCUMENT, say("nobody there"))
        assert one.bus.dropped == 1
        await server.start()
        try:
            await one.recovers()
            async with node(server.url, "two") as two:
                await two.listens()
                await both_hear_each_other(one, two)
        finally:
            await server.kill()


@pytest.mark.slow
async def test_a_frozen_redis_counts_as_away_until_it_thaws(redis: RedisServer, pair: tuple[Node, Node]) -> None:
    one, two = pair
    redis.freeze()
    try:
        async with asyncio.timeout(PATIENCE):
            while one.bus.connected or two.bus.connected:  # noqa: ASYNC110 - nothing tells of it but the flag
                await asyncio.sleep(0.05)
            await one.listens(OTHER)
    finally:
        redis.thaw()
    await one.recovers()
    await two.recovers()
    await both_hear_each_other(one, two)


@pytest.mark.parametrize("kind", ["normal", "pubsub"])
async def test_connections_killed_by_an_operator(redis: RedisServer, pair: tuple[Node, Node], kind: str) -> None:
    one, two = pair
    await redis.ask("CLIENT", "KILL", "TYPE", kind)
    await one.recovers()
    await two.recovers()
    await both_hear_each_other(one, two)


async def test_what_a_redis_that_stops_for_a_moment_does_not_take_waits_and_leaves_in_order(
    redis: RedisServer, pair: tuple[Node, Node]
) -> None:
    """More than the operating system takes for it, and less than the bus keeps."""
    one, two = pair
    hints = [BatchHint(Epoch(1), Seq(number), bytes(2**18)) for number in range(1, 50)]
    redis.freeze()
    for hint in hints:
        one.bus.publish(DOCUMENT, hint)
    redis.thaw()
    assert [await two.hears() for _ in hints] == hints
    assert one.bus.dropped == 0


async def test_flushing_redis_changes_nothing(redis: RedisServer, pair: tuple[Node, Node]) -> None:
    await redis.ask("FLUSHALL")
    await both_hear_each_other(*pair)
    assert pair[0].recovered.empty()


async def test_a_subscriber_that_redis_cut_off_for_being_slow_comes_back() -> None:
    limits = ("--client-output-buffer-limit", "pubsub 1mb 1mb 1")
    async with redis_server(*limits) as redis, node(redis.url, "one") as one, node(redis.url, "two") as two:
        await one.listens()
        await two.listens()
        channel = CHANNEL + DOCUMENT
        await redis.ask("SPUBLISH", channel, b"x" * (8 * 2**20))
        await one.recovers()
        await two.recovers()
        await both_hear_each_other(one, two)


async def test_a_flush_is_published_once_and_heard_by_the_other_holders_alone(redis: RedisServer) -> None:
    async with (
        node(redis.url, "one") as one,
        node(redis.url, "two") as two,
        node(redis.url, "three") as three,
        node(redis.url, "elsewhere") as elsewhere,
    ):
        for holder in (one, two, three):
            await holder.listens()
        await elsewhere.listens(OTHER)
        await redis.ask("CONFIG", "RESETSTAT")
        for number in range(1, 101):
            one.bus.publish(DOCUMENT, BatchHint(Epoch(1), Seq(number), b"batch"))
        for other in (two, three):
            assert [await other.hears() for _ in range(100)] == [
                BatchHint(Epoch(1), Seq(number), b"batch") for number in range(1, 101)
            ]
        assert await redis.calls("spublish") + await redis.calls("publish") == 100
        assert elsewhere.heard.empty()
        assert one.heard.empty()
        two.bus.publish(OTHER, say("only now"))
        assert await elsewhere.hears() == say("only now")


async def test_what_is_not_ours_is_ignored(redis: RedisServer, pair: tuple[Node, Node]) -> None:
    one, two = pair
    of_another_version = bytes((VERSION + 1,)) + encode_hint(sender_prefix(NodeId("three")), say("later"))[1:]
    for payload in (b"", b"hello", of_another_version):
        await redis.ask("SPUBLISH", CHANNEL + DOCUMENT, payload)
    await both_hear_each_other(one, two)
    assert one.bus.ignored == two.bus.ignored == 3


async def test_a_password_that_redis_asks_for() -> None:
    async with redis_server("--requirepass", "open sesame") as redis:
        address = f"127.0.0.1:{redis.port}"
        async with node(f"redis://:open%20sesame@{address}/0", "one") as one, node(redis.url, "locked-out") as other:
            assert one.bus.connected
            assert not other.bus.connected


async def test_a_cluster_is_reached_by_whichever_server_answers(redis: RedisServer) -> None:
    url = f"redis+cluster://127.0.0.1:1,127.0.0.1:{redis.port}"
    async with node(url, "one") as one, node(redis.url, "two") as two:
        await one.listens()
        await two.listens()
        await both_hear_each_other(one, two)


@pytest.mark.parametrize(
    "url",
    ["", "http://secret@host", "redis+sentinel://secret@host", "redis+magic://secret@host/x", "redis://:secret@h:x"],
)
def test_a_url_that_is_none_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(ValueError, match="not the URL of a Redis") as refusal:
        RedisConnector(url)
    assert "secret" not in str(refusal.value)


def test_what_cannot_leave_gives_way_oldest_first() -> None:
    outgoing = Outgoing()
    for number in range(MAX_MESSAGES + 5):
        outgoing.put("channel", b"%d" % number)
    assert outgoing.dropped == 5
    assert outgoing.take_group()[0] == ("channel", b"5")
    outgoing.clear()
    for _ in range(MAX_BYTES // 2**18 + 2):
        outgoing.put("channel", bytes(2**18))
    assert len(outgoing) == MAX_BYTES // 2**18


def test_a_group_is_what_fits_into_one_round_trip() -> None:
    outgoing = Outgoing()
    for _ in range(10):
        outgoing.put("channel", bytes(2**18))
    assert [len(outgoing.take_group()) for _ in range(4)] == [4, 4, 2, 0]
