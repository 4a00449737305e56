"""A bus within one process, for a single node and for simulations.

Nodes that share a `MemoryBusNetwork` receive each other's messages in the event loop's next turn. A
single node has no network and sends to nobody. No message is lost or reordered while both sides are
open and subscribed. The port promises less, so do not rely on this.
"""

import asyncio
from collections.abc import Callable
from typing import Self

from crdt.ids import DocumentId, NodeId
from crdt.protocol.hints import Hint
from server.bus.base import Receiver


class MemoryBusNetwork:
    """The open nodes that receive each other's messages."""

    def __init__(self) -> None:
        self.nodes: dict[MemoryBus, None] = {}
        """A set that remembers the order, so that a simulation is the same each time."""
        self.born = 0


class MemoryBus:
    """One node's bus. Without a network, the node is alone."""

    def __init__(self, network: MemoryBusNetwork | None = None) -> None:
        self._network = network or MemoryBusNetwork()
        self._network.born += 1
        self._node = NodeId(f"node-{self._network.born}")
        self._receivers: dict[DocumentId, Receiver] = {}

    @property
    def connected(self) -> bool:
        return self in self._network.nodes

    async def __aenter__(self) -> Self:
        self._network.nodes[self] = None
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Leave the network. Messages on their way to this node are not delivered."""
        self._network.nodes.pop(self, None)
        self._receivers.clear()

    async def subscribe(self, document_id: DocumentId, receiver: Receiver) -> None:
        """Call `receiver` with the document's messages. A second receiver replaces the first."""
        self._receivers[document_id] = receiver

    async def unsubscribe(self, document_id: DocumentId) -> None:
        """Receive no more messages of this document, not even those on their way."""
        self._receivers.pop(document_id, None)

    def publish(self, document_id: DocumentId, message: Hint) -> None:
        """Send a message to the nodes that are subscribed now."""
        nodes = self._network.nodes
        if len(nodes) < 2 or self not in nodes:
            return  # most nodes with this bus are alone, and each row comes here
        loop = asyncio.get_running_loop()
        for node in nodes:
            if node is not self and document_id in node._receivers:
                loop.call_soon(node._deliver, document_id, self._node, message)

    def on_recovered(self, recovered: Callable[[], None]) -> None:
        """Never call `recovered`, because this bus loses no messages."""

    def _deliver(self, document_id: DocumentId, node: NodeId, message: Hint) -> None:
        receiver = self._receivers.get(document_id)
        if receiver is not None:
            receiver(document_id, node, message)
