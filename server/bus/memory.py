"""A bus within one process: nodes that share a `MemoryBusNetwork` hear each other, in the event loop's next turn.

The ordinary choice for a single node, where it has nobody to talk to. Nothing is lost or reordered while both sides are open and
subscribed, which is more than the port promises: do not rely on it.
"""

import asyncio
from typing import Self

from crdt.ids import DocumentId
from server.bus.base import BusMessage, Receiver


class MemoryBusNetwork:
    """The air between nodes: which of them are open."""

    def __init__(self) -> None:
        self.nodes: set[MemoryBus] = set()


class MemoryBus:
    """One node's bus; without a network it is alone."""

    def __init__(self, network: MemoryBusNetwork | None = None) -> None:
        self._network = network or MemoryBusNetwork()
        self._receivers: dict[DocumentId, Receiver] = {}

    async def __aenter__(self) -> Self:
        """Come within hearing of the others."""
        self._network.nodes.add(self)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Leave; what is still on its way is not delivered."""
        self._network.nodes.discard(self)
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
                loop.call_soon(node._deliver, document_id, message)

    def _deliver(self, document_id: DocumentId, message: BusMessage) -> None:
        receiver = self._receivers.get(document_id)
        if receiver is not None:
            receiver(document_id, message)
