"""A bus within one process: nodes that share a `MemoryBusNetwork` hear each other, in the event loop's next turn.

The ordinary choice for a single node, where it has nobody to talk to. Nothing is lost or reordered
while both sides are open and subscribed, which is more than the port promises: do not rely on it.
"""

import asyncio
from collections.abc import Callable
from typing import Self

from crdt.ids import DocumentId, NodeId
from server.bus.base import BusMessage, Receiver


class MemoryBusNetwork:
    """The air between nodes: which of them are open."""

    def __init__(self) -> None:
        self.nodes: dict[MemoryBus, None] = {}
        """A set that remembers the order, so that a simulation is the same each time."""
        self.born = 0


class MemoryBus:
    """One node's bus; without a network it is alone."""

    def __init__(self, network: MemoryBusNetwork | None = None) -> None:
        self._network = network or MemoryBusNetwork()
        self._network.born += 1
        self._node = NodeId(f"node-{self._network.born}")
        self._receivers: dict[DocumentId, Receiver] = {}

    @property
    def connected(self) -> bool:
        """Memory is always there while the bus is open."""
        return self in self._network.nodes

    async def __aenter__(self) -> Self:
        """Come within hearing of the others."""
        self._network.nodes[self] = None
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Leave; what is still on its way is not delivered."""
        self._network.nodes.pop(self, None)
        self._receivers.clear()

    async def subscribe(self, document_id: DocumentId, receiver: Receiver) -> None:
        """Hear of a document from now on; a second receiver replaces the first."""
        self._receivers[document_id] = receiver

    async def unsubscribe(self, document_id: DocumentId) -> None:
        """Hear of it no more, not even of what is on its way."""
        self._receivers.pop(document_id, None)

    def publish(self, document_id: DocumentId, message: BusMessage) -> None:
        """Tell the nodes that are subscribed now."""
        if self not in self._network.nodes:
            return
        loop = asyncio.get_running_loop()
        for node in self._network.nodes:
            if node is not self and document_id in node._receivers:
                loop.call_soon(node._deliver, document_id, self._node, message)

    def on_recovered(self, recovered: Callable[[], None]) -> None:
        """Nothing is ever lost here, so there is nothing to recover from."""

    def _deliver(self, document_id: DocumentId, node: NodeId, message: BusMessage) -> None:
        receiver = self._receivers.get(document_id)
        if receiver is not None:
            receiver(document_id, node, message)
