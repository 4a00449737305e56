"""The bus port: hints between nodes that hold the same document.

At most once, in no order, and nothing of value: whoever misses a message finds the gap by its
sequence number and reads the log. When a bus knows that something may have been missed, it says so
(`on_recovered`), so that nobody has to wait for the gap to show.
"""

from collections.abc import Callable
from typing import Protocol

from crdt.ids import DocumentId, NodeId
from crdt.protocol.hints import (
    AccessHint,
    BatchHint,
    Beat,
    ClosedHint,
    DocumentHint,
    Hint,
    PresenceHint,
    PresenceWhole,
)

__all__ = [
    "NODES",
    "AccessHint",
    "BatchHint",
    "Beat",
    "Bus",
    "BusMessage",
    "ClosedHint",
    "DocumentHint",
    "PresenceHint",
    "PresenceWhole",
    "Receiver",
]

NODES = DocumentId("nodes")
"""Where nodes speak of themselves; too short to be a document's id."""

BusMessage = Hint

Receiver = Callable[[DocumentId, NodeId, BusMessage], None]
"""Called for each message from *other* nodes, and which node says it, on the event loop; must not block or raise."""


class Bus(Protocol):
    """Publish and subscribe by document. `async with bus:` is its lifetime."""

    @property
    def connected(self) -> bool:
        """Whether what is published now leaves, and what others publish arrives, as far as the bus knows."""

    async def __aenter__(self) -> "Bus":
        """Start; a bus whose server is away starts all the same and connects when it can."""

    async def __aexit__(self, *exc_info: object) -> None:
        """Send what was published, stop, and forget who was subscribed."""

    async def subscribe(self, document_id: DocumentId, receiver: Receiver) -> None:
        """Hear of a document from now on; returns when the subscription is in force or the bus is known to be away."""

    async def unsubscribe(self, document_id: DocumentId) -> None:
        """Hear of it no more."""

    def publish(self, document_id: DocumentId, message: BusMessage) -> None:
        """Tell the other nodes; never blocks, drops the message when it cannot leave."""

    def on_recovered(self, recovered: Callable[[], None]) -> None:
        """Call this from now on whenever messages may have been lost and the bus is in force again; must not block or raise."""
