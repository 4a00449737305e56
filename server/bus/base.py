"""The bus port: hints between nodes that hold the same document.

A hint arrives at most once, in no order, and carries nothing of value. A node that misses a hint
finds the gap by the sequence number, and reads the log. When a bus knows that hints may have been
lost, it says so (`on_recovered`). So nodes need not wait for the gap to show.
"""

from collections.abc import Callable
from typing import Protocol

from crdt.ids import DocumentId, NodeId
from crdt.protocol.hints import Hint

NODES = DocumentId("nodes")
"""The channel for messages about nodes. It is too short to be a document's id."""

Receiver = Callable[[DocumentId, NodeId, Hint], None]
"""A function that is called on the event loop with each message from *other* nodes.

It gets the document's id, the sending node and the message. It must not block or raise.
"""


class Bus(Protocol):
    """Publish and subscribe by document. Use it as `async with bus:`."""

    @property
    def connected(self) -> bool:
        """Whether messages can leave and arrive now, as far as the bus knows."""

    async def __aenter__(self) -> "Bus":
        """Start. A bus whose server is away starts as well, and connects when it can."""

    async def __aexit__(self, *exc_info: object) -> None:
        """Send the messages that were published, stop, and forget all subscriptions."""

    async def subscribe(self, document_id: DocumentId, receiver: Receiver) -> None:
        """Call `receiver` with the document's messages from now on.

        Returns when the subscription is in force, or the bus is known to be away.
        """

    async def unsubscribe(self, document_id: DocumentId) -> None:
        """Receive no more messages of this document."""

    def publish(self, document_id: DocumentId, message: Hint) -> None:
        """Send a message to the other nodes. Never blocks; drops the message if it cannot leave."""

    def on_recovered(self, recovered: Callable[[], None]) -> None:
        """Call `recovered` whenever the bus works again after messages may have been lost.

        `recovered` must not block or raise.
        """
