"""Two nodes, one store, a real Redis between them: people see each other's edits and cursors, whatever becomes of Redis."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest

from crdt.errors import Code
from crdt.ids import DocumentId, Epoch, NodeId
from crdt.protocol.hints import ClosedHint, DocumentHint
from crdt.protocol.messages import DocumentInfo
from crdt.room.live_nodes import SILENCE
from server.bus.redis import RedisBus
from server.store.sql import SqlStore
from tests.harness.live_server import until
from tests.harness.memory_store import memory_store
from tests.harness.node import Clock, Node, running_node
from tests.harness.redis_server import RedisServer, redis_server

pytestmark = pytest.mark.slow

DOCUMENT = DocumentId("a-document")


class Cluster:
    """The nodes of one test. A node whose bus is closed first leaves without a goodbye."""

    def __init__(self, stack: AsyncExitStack, redis: RedisServer, store: SqlStore) -> None:
        self._stack = stack
        self.redis = redis
        self.store = store
        self.clock = Clock()

    async def node(self, poll_seconds: float = 3600.0) -> Node:
        bus = RedisBus(self.redis.url, NodeId(secrets.token_hex(8)))
        running = running_node(self.store, bus, poll_seconds=poll_seconds, clock=self.clock)
        return await self._stack.enter_async_context(running)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with redis_server() as redis, memory_store() as store, AsyncExitStack() as stack:
        await store.catalogue.create(DOCUMENT, "Story", Epoch(1), datetime.now(UTC))
        yield Cluster(stack, redis, store)


async def test_edits_cross_from_node_to_node(cluster: Cluster) -> None:
    alice, bob = (await cluster.node()).person("alice"), (await cluster.node()).person("bob")
    await alice.joins(DOCUMENT)
    await bob.joins(DOCUMENT)
    for word in ("one ", "two ", "three "):
        await asyncio.gather(alice.types(word + "by alice "), bob.types(word + "by bob "))
    await alice.reads("three by bob")
    await bob.reads("three by alice")
    assert alice.text == bob.text


async def test_nodes_hear_from_each_others_rows_how_many_people_they_have(cluster: Cluster) -> None:
    """Nobody of them has shown a cursor: a row costs a frame for each of them all the same, and the window is theirs as well."""
    here, there = await cluster.node(), await cluster.node()
    alice, bob, carol = here.person("alice"), there.person("bob"), there.person("carol")
    for person in (alice, bob, carol):
        await person.joins(DOCUMENT)
    await bob.types("hello")
    await alice.reads("hello")
    (driver,) = here.rooms.registry
    assert driver.room.members.crowd(0.0) == 3


async def test_a_batch_too_large_for_the_bus_is_read_from_the_log(cluster: Cluster) -> None:
    alice, bob = (await cluster.node()).person("alice"), (await cluster.node()).person("bob")
    await alice.joins(DOCUMENT)
    await bob.joins(DOCUMENT)
    for _ in range(20):
        await alice.types("x" * 20_000)
    await alice.types("the end")
    await bob.reads("the end")
    assert bob.text == alice.text


async def test_without_redis_edits_cross_by_the_log(cluster: Cluster) -> None:
    alice, bob = (await cluster.node(0.05)).person("alice"), (await cluster.node(0.05)).person("bob")
    await alice.joins(DOCUMENT)
    await bob.joins(DOCUMENT)
    await cluster.redis.kill()
    await alice.types("written in the dark")
    await bob.reads("written in the dark")


async def test_when_redis_is_back_all_are_equal_without_another_edit(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody polls here: what was missed is found because the bus says that it has recovered."""
    here, there = await cluster.node(), await cluster.node()
    alice, bob = here.person("alice"), there.person("bob")
    await alice.joins(DOCUMENT)
    await bob.joins(DOCUMENT)
    await cluster.redis.kill()
    await until(lambda: not here.bus.connected and not there.bus.connected)
    await alice.types("from alice ")
    await bob.types("from bob ")
    alice.points(3)
    assert "bob" not in alice.text
    await cluster.redis.start()
    began = asyncio.get_running_loop().time()
    await alice.reads("from bob")
    await bob.reads("from alice")
    equal = asyncio.get_running_loop().time() - began
    await bob.meets("alice")
    assert alice.text == bob.text
    with capsys.disabled():
        print(f" [equal {equal * 1000:.0f} ms after Redis answered]", end="")  # noqa: T201


async def test_a_node_that_was_cut_off_alone_catches_up(cluster: Cluster) -> None:
    alice, bob = (await cluster.node()).person("alice"), (await cluster.node()).person("bob")
    await alice.joins(DOCUMENT)
    await bob.joins(DOCUMENT)
    for number in range(5):
        await cluster.redis.ask("CLIENT", "KILL", "TYPE", "pubsub")
        await alice.types(f"edit {number} ")
    await bob.reads("edit 0", "edit 4")
    assert alice.text == bob.text


async def test_cursors_are_seen_across_nodes(cluster: Cluster) -> None:
    alice = (await cluster.node()).person("alice")
    await alice.joins(DOCUMENT)
    alice.points(1)
    bob = (await cluster.node()).person("bob")
    await bob.joins(DOCUMENT)
    await bob.meets("alice")
    bob.points(2)
    await alice.meets("bob")
    bob.leaves()
    await alice.meets()


async def test_who_was_on_a_node_that_died_is_gone_soon(cluster: Cluster) -> None:
    alice = (await cluster.node()).person("alice")
    dying = await cluster.node()
    bob = dying.person("bob")
    await alice.joins(DOCUMENT)
    await bob.joins(DOCUMENT)
    bob.points(1)
    await alice.meets("bob")
    await dying.bus.__aexit__()
    cluster.clock.ahead += SILENCE
    await alice.meets()


async def test_who_was_on_a_node_that_stops_is_gone_at_once(cluster: Cluster) -> None:
    alice = (await cluster.node()).person("alice")
    await alice.joins(DOCUMENT)
    bus = RedisBus(cluster.redis.url, NodeId("stopping"))
    async with running_node(cluster.store, bus) as stopping:
        bob = stopping.person("bob")
        await bob.joins(DOCUMENT)
        bob.points(1)
        await alice.meets("bob")
    await alice.meets()


async def test_a_title_and_a_deletion_are_known_on_all_nodes(cluster: Cluster) -> None:
    here, there = await cluster.node(), await cluster.node()
    alice, bob = here.person("alice"), there.person("bob")
    await alice.joins(DOCUMENT)
    await bob.joins(DOCUMENT)
    here.rooms.notify(DOCUMENT, DocumentHint(DocumentInfo("Another title", None)))
    await until(lambda: bob.title == "Another title")
    here.rooms.notify(DOCUMENT, ClosedHint(Code.DELETED, "The document was deleted."))
    await here.rooms.until_closed(DOCUMENT)
    await until(lambda: bob.closed is not None and bob.closed.code is Code.DELETED)


async def test_a_deletion_that_was_not_heard_of_is_found_out(cluster: Cluster) -> None:
    bob = (await cluster.node(0.05)).person("bob")
    await bob.joins(DOCUMENT)
    await cluster.store.catalogue.delete(DOCUMENT)
    await until(lambda: bob.closed is not None and bob.closed.code is Code.DELETED)


async def test_another_life_of_the_document_is_found_out(cluster: Cluster) -> None:
    bob = (await cluster.node(0.05)).person("bob")
    await bob.joins(DOCUMENT)
    await bob.types("of the first life")
    await cluster.store.catalogue.delete(DOCUMENT)
    await cluster.store.catalogue.create(DOCUMENT, "Story", Epoch(2), datetime.now(UTC))
    await until(lambda: bob.closed is not None and bob.closed.code is Code.EPOCH_CHANGED)
