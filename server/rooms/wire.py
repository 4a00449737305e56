"""The port through which rooms reach people."""

from collections.abc import Sequence
from typing import Protocol

from crdt.ids import ConnectionId, DocumentId, Seq
from crdt.protocol.messages import Refused, Request, ServerMessage
from crdt.room.effects import Asked


class Wire(Protocol):
    """How a room reaches connections. Nothing here blocks or raises; a connection that is gone is skipped."""

    def send(
        self,
        connections: tuple[ConnectionId, ...],
        document_id: DocumentId,
        message: ServerMessage,
        but: ConnectionId | None = None,
    ) -> Sequence[ConnectionId]:
        """Say the same to many, except perhaps one, encoded once; return those whose backlog has passed its limit.

        The same tuple as the last time means the same people, so that they need not be looked up
        again.
        """

    def acknowledge(self, requests: Sequence[Asked], seq: Seq) -> None:
        """Say to all who ask that what they wrote is durable by this row."""

    def refuse(self, connection: ConnectionId, request: Request, refused: Refused) -> None:
        """Refuse one request."""

    def backlog(self, connection: ConnectionId) -> int:
        """Bytes that wait to be taken by this connection."""

    def hold(self, document_id: DocumentId, *, holding: bool) -> None:
        """Allow the door to postpone reading this document's sockets until the flush window ends.

        `holding=False` reads what has arrived. Only a hint: a door may ignore it.
        """

    def abort(self, connection: ConnectionId) -> None:
        """Cut the connection, whatever waits for it."""
