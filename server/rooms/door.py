"""The port through which rooms reach people. A door lets them in: the native protocol's gateway, or the server itself.

Nothing here blocks or raises; somebody who is gone is skipped.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from crdt.ids import DocumentId, Seq
from crdt.protocol.messages import Refused, Request, ServerMessage

if TYPE_CHECKING:
    from server.rooms.seat import Seat


class Circle:
    """People of one door who are told the same, as long as nobody comes or goes.

    Attributes:
        found: what the door has found out about them and would find again the next time.
    """

    __slots__ = ("found", "seats")

    def __init__(self, seats: "tuple[Seat, ...]") -> None:
        self.seats = seats
        self.found: object | None = None


class Door(Protocol):
    """Reaches many people at once."""

    def say(
        self, circle: Circle, document_id: DocumentId, message: ServerMessage, but: "Seat | None"
    ) -> "Sequence[Seat]":
        """Say the same to many, except perhaps one, encoded once; return those whose backlog has passed its limit."""

    def hold(self, document_id: DocumentId, *, holding: bool) -> None:
        """Allow the door to postpone reading this document's sockets; `holding=False` reads what has arrived.

        Only a hint, which a door may ignore.
        """


class Ears(Protocol):
    """One person's end at a door."""

    @property
    def door(self) -> Door:
        """The door that this person came in by."""

    @property
    def agent_for(self) -> str | None:
        """None: a person sits here. Otherwise a program that writes for this user id, or for nobody (empty)."""

    @property
    def gone(self) -> bool:
        """Whether the person has left through the door, and joins nothing any more."""

    def seat(self, document_id: DocumentId) -> "Seat | None":
        """The seat that this person has in a document already."""

    def acknowledge(self, requests: Sequence[Request], seq: Seq) -> None:
        """Say that what these requests wrote is durable by this row."""

    def refuse(self, request: Request, refused: Refused) -> None:
        """Refuse one request."""

    def dismissed(self, seat: "Seat") -> None:
        """A seat of theirs is free: the room has shown them out, and has said why."""

    @property
    def backlog(self) -> int:
        """Bytes that wait to be taken by this person."""

    def abort(self) -> None:
        """Cut the connection, whatever waits for it."""
