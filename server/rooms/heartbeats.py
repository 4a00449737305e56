"""Heartbeats of this node, and what nodes tell each other after hints were lost.

A node that falls silent, or says goodbye, takes its people's cursors with it on all other nodes.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable
from functools import partial
from typing import Self

from msgspec import Struct, field

from crdt.ids import DocumentId, NodeId
from crdt.protocol.hints import Beat, Hint, InboxHint
from crdt.room.live_nodes import LiveNodes
from server.background import Background
from server.bus.base import NODES, Bus
from server.observe import log
from server.rooms.driver import Driver

BEAT = 1.0
"""Seconds between heartbeats."""

NAMED = 10
"""One heartbeat in this many says the node's name."""

_TWICE = (
    "Another process runs under this name. Give each node a MANYHANDS_NODE_ID of its own. "
    "After a crash, a node finds the documents that it had open by its name, and opens them with care."
)


class Heartbeats(Struct):
    """Runs as `async with`, within the bus' lifetime.

    The rooms tell `live_nodes` of other nodes as well. `called` is this node's name in the
    settings, which no other node has. `inboxes_told` is called with the people whose inboxes
    another node has changed.
    """

    bus: Bus
    rooms: Iterable[Driver]
    live_nodes: LiveNodes
    clock: Callable[[], float]
    called: str
    inboxes_told: Callable[[frozenset[str]], None]
    background: Background = field(default_factory=Background)

    async def __aenter__(self) -> Self:
        await self.bus.subscribe(NODES, self._hear)
        self.background.spawn(self._run(), "nodes")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Say goodbye."""
        await self.background.stop()
        await self.bus.unsubscribe(NODES)
        self.bus.publish(NODES, Beat(leaving=True))

    def recovered(self) -> None:
        """Say where our logs end and who is here, and ask who is elsewhere.

        Hints were lost, ours as well as others'.
        """
        for driver in self.rooms:
            driver.announce()

    async def _run(self) -> None:
        for beat in itertools.count():
            self.bus.publish(NODES, Beat(called="" if beat % NAMED else self.called))
            self.look()
            await asyncio.sleep(BEAT)

    def look(self) -> None:
        """See which nodes have come and which have fallen silent."""
        for node in self.live_nodes.take_silent(self.clock()):
            self._lose(node)
        for node in self.live_nodes.take_new():
            for driver in self.rooms:
                driver.do(partial(driver.room.members.find_node, node))

    def _lose(self, node: NodeId) -> None:
        log.info("node_gone", node=node)
        for driver in self.rooms:
            driver.do(partial(driver.room.members.lose_node, node))

    def _hear(self, _document_id: DocumentId, node: NodeId, message: Hint) -> None:
        if isinstance(message, Beat) and message.leaving:
            self.live_nodes.forget(node)
            self._lose(node)
            return
        self.live_nodes.heard(node, self.clock())
        if isinstance(message, InboxHint):
            self.inboxes_told(frozenset(message.user_ids))
        if isinstance(message, Beat) and message.called == self.called:
            log.error("node_name_taken", node_id=self.called, reason=_TWICE)
