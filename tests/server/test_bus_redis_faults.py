"""Faults of Redis one upon the other while everybody talks: whatever the moment, all nodes hear each other again by themselves."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import pytest

from crdt.errors import Code
from crdt.ids import DocumentId, NodeId
from crdt.protocol.hints import ClosedHint, Hint
from server.bus.redis import RedisBus
from tests.harness.bell import Bell
from tests.harness.ports import quiet_port
from tests.harness.redis_server import RedisServer, redis_server
from tests.harness.relay import Relay

DOCUMENT = DocumentId("a-document")
STORIES = 12
MOMENTS = (0.0, 0.0, 0.003, 0.05, 0.3)
"""Seconds between two faults: often the second comes while the first is being dealt with."""


class Node:
    """A bus with a way of its own to Redis, and the last word that it heard of each other node."""

    def __init__(self, name: str, relay: Relay, bell: Bell) -> None:
        self.name = NodeId(name)
        self.relay = relay
        self.bus = RedisBus(f"redis://127.0.0.1:{relay.port}/0", self.name)
        self.heard: dict[NodeId, str] = {}
        self._bell = bell

    def hear(self, _document_id: DocumentId, node: NodeId, message: Hint) -> None:
        assert isinstance(message, ClosedHint)
        self.heard[node] = message.message
        self._bell.ring()

    def say(self, words: str) -> None:
        self.bus.publish(DOCUMENT, ClosedHint(Code.DELETED, words))


@asynccontextmanager
async def three_nodes(redis: RedisServer, bell: Bell) -> AsyncIterator[list[Node]]:
    async with AsyncExitStack() as stack:
        nodes = []
        for name in ("one", "two", "three"):
            relay = await stack.enter_async_context(Relay(quiet_port(), redis.port))
            node = Node(name, relay, bell)
            await stack.enter_async_context(node.bus)
            await node.bus.subscribe(DOCUMENT, node.hear)
            nodes.append(node)
        yield nodes


async def something_happens(chance: Random, redis: RedisServer, nodes: Sequence[Node]) -> None:
    match chance.randrange(6):
        case 0:
            await redis.kill()
            await asyncio.sleep(chance.choice(MOMENTS))
            await redis.start()
        case 1:
            node = chance.choice(nodes)
            await node.relay.cut()
            await asyncio.sleep(chance.choice(MOMENTS))
            await node.relay.mend()
        case 2:
            await redis.ask("CLIENT", "KILL", "TYPE", "normal")
        case _:
            await redis.ask("CLIENT", "KILL", "TYPE", "pubsub")


@asynccontextmanager
async def everybody_talking(nodes: Sequence[Node]) -> AsyncIterator[None]:
    async def talk() -> None:
        while True:
            for node in nodes:
                node.say("anything " * 50)
            await asyncio.sleep(0)

    talking = asyncio.create_task(talk())
    try:
        yield
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


async def all_hear_each_other(nodes: Sequence[Node], bell: Bell, words: str) -> None:
    async def repeat() -> None:
        while True:
            for node in nodes:
                node.say(words)
            await asyncio.sleep(0.05)

    repeating = asyncio.create_task(repeat())
    try:
        await bell.until(
            lambda: all(node.heard.get(other.name) == words for node in nodes for other in nodes if other is not node)
        )
    finally:
        repeating.cancel()
        await asyncio.gather(repeating, return_exceptions=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
async def test_all_nodes_hear_each_other_after_whatever_has_happened(seed: int) -> None:
    """A task that outlived its link once kept a node deaf for ever: its cancellation had been swallowed."""
    chance, bell = Random(seed), Bell()
    async with redis_server() as redis, three_nodes(redis, bell) as nodes:
        for story in range(STORIES):
            async with everybody_talking(nodes):
                for _ in range(chance.randint(1, 4)):
                    await something_happens(chance, redis, nodes)
                    await asyncio.sleep(chance.choice(MOMENTS))
            await all_hear_each_other(nodes, bell, f"after story {story}")
