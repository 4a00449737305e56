"""The bus port: hints between nodes that hold the same document.

At most once, in no order, and nothing of value: whoever misses a message finds the gap by its sequence number and reads the log.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from crdt.errors import Code
from crdt.ids import DocumentId, Seq
from crdt.protocol import DocumentInfo, PresenceChange


@dataclass(frozen=True, slots=True)
class BatchHint:
    """A row was appended; `batch` is None when it is too large to travel: read it from the log."""

    seq: Seq
    batch: bytes | None


@dataclass(frozen=True, slots=True)
class PresenceHint:
    """Presence changed on another node."""

    changes: tuple[PresenceChange, ...]


@dataclass(frozen=True, slots=True)
class DocumentHint:
    """The catalogue's entry changed."""

    info: DocumentInfo


@dataclass(frozen=True, slots=True)
class ClosedHint:
    """The document was deleted, or began another epoch: close its room."""

    code: Code
    message: str


BusMessage = BatchHint | PresenceHint | DocumentHint | ClosedHint

Receiver = Callable[[DocumentId, BusMessage], None]
"""Called for each message from *other* nodes, on the event loop; must not block or raise."""


class Bus(Protocol):
    """Publish and subscribe by document. `async with bus:` is its lifetime."""

    async def __aenter__(self) -> "Bus":
        """Start; a bus whose server is away starts all the same and connects when it can."""

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop."""

    async def subscribe(self, document_id: DocumentId, receiver: Receiver) -> None:
        """Hear of a document from now on; returns when the subscription is in force or the bus is known to be away."""

    async def unsubscribe(self, document_id: DocumentId) -> None:
        """Hear of it no more."""

    def publish(self, document_id: DocumentId, message: BusMessage) -> None:
        """Tell the other nodes; never blocks, drops the message when it cannot leave."""
