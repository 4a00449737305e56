"""Seats: one person in one document each, and the ports between which a seat stands.

A door lets people in: the native protocol's gateway, or the server itself. Nothing that a room asks
of a door blocks or raises. Somebody who is gone is skipped.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from crdt.errors import ManyhandsError
from crdt.ids import ClientId, DocumentId, Seq
from crdt.protocol.messages import Json, PresenceChange, Refused, Request, ServerMessage
from crdt.room.effects import Effect
from crdt.room.room import Room
from crdt.room.session import Session
from server.auth.base import Identity

KEYSTROKE_BYTES = 64
"""A batch up to this many bytes takes microseconds, whatever is in it."""


class Card(Struct, frozen=True):
    """What somebody showed on joining.

    Attributes:
        link: the token that came with the address, if any.
        person: who pays for what is held for them.
    """

    identity: Identity
    link: str | None
    person: str

    @property
    def credit(self) -> tuple[object, ...]:
        """Everything that the role follows from."""
        identity = self.identity
        return identity.user.user_id, identity.email, frozenset(identity.document_roles.items()), self.link


class Circle:
    """People of one door who are told the same, as long as nobody comes or goes.

    Attributes:
        found: what the door has found out about these people, and would find again the next time.
    """

    __slots__ = ("found", "seats")

    def __init__(self, seats: "tuple[Seat, ...]") -> None:
        self.seats = seats
        self.found: object | None = None


class Door(Protocol):
    """Port to a door, which reaches many people at once."""

    def say(
        self, circle: Circle, document_id: DocumentId, message: ServerMessage, but: "Seat | None"
    ) -> "Sequence[Seat]":
        """Say the same to many, except perhaps to one of them, encoded once.

        Return the seats whose backlog has passed its limit.
        """


class Ears(Protocol):
    """Port to one person's end at a door."""

    @property
    def door(self) -> Door:
        """The door that this person came in by."""

    @property
    def agent_for(self) -> str | None:
        """For a program, the user id that it writes for, or empty for nobody; None for a person."""

    @property
    def arrival(self) -> int:
        """A number that grows with each connection, whichever door of this node it comes by."""

    @property
    def gone(self) -> bool:
        """Whether the person has left through the door and joins nothing any more."""

    def seat(self, document_id: DocumentId) -> "Seat | None":
        """Return the seat that this person has in a document already."""

    def acknowledge(self, requests: Sequence[Request], seq: Seq) -> None:
        """Say that what these requests wrote is durable by row `seq`."""

    def refuse(self, request: Request, refused: Refused) -> None:
        """Refuse one request."""

    def dismissed(self, seat: "Seat") -> None:
        """Take note that a seat is free. The room has shown the person out, and has said why."""

    @property
    def backlog(self) -> int:
        """Bytes that wait to be taken by this person."""

    def abort(self) -> None:
        """Cut the connection, whatever waits for it."""


class Host(Protocol):
    """Port to the room that a seat is in: a Driver."""

    document_id: DocumentId
    room: Room
    over: bool

    def check_open(self) -> None:
        """Raise ManyhandsError unless the document is open here and the node takes anything."""

    def do(self, verb: Callable[[], list[Effect]]) -> None:
        """Call a verb of the room, and carry out its effects."""

    async def learned(self) -> None:
        """Return when the gate knows the document."""

    def wake(self) -> None:
        """See to what is due."""

    def judge(self) -> None:
        """Give everybody here the role that they have by now, soon."""

    def receive(self, seat: "Seat", batch: bytes, request: Request | None) -> bool:
        """Take a small batch. Return False, without any change, if the batch has to wait."""

    def left(self, seat: "Seat") -> None:
        """Take note that a seat is free."""


class Checks(Protocol):
    """Port to the place where batches wait that cannot be taken at once: an Intake."""

    def may_go_at_once(self, size: int, person: str) -> bool:
        """Whether a batch of so many bytes may be taken in this turn of the event loop.

        If so, its bytes are counted.
        """

    def receive(self, seat: "Seat", batch: bytes, request: Request | None) -> Awaitable[None] | None:
        """Take a batch that could not be taken at once.

        An awaitable must be awaited before the seat's next batch.
        """


class Seat(Session):
    """The session of one person in one document, with its room and its end at a door.

    `Rooms.join` makes a seat. When the room shows somebody out, the seat is free. Every verb then
    refuses, and `Ears.dismissed` has said so.
    """

    __slots__ = ("card", "checks", "driver", "ears")

    def __init__(self, driver: Host, checks: Checks, ears: Ears, card: Card) -> None:
        super().__init__(ears.agent_for if card.identity.agent_for is None else card.identity.agent_for, ears.arrival)
        self.driver = driver
        self.checks = checks
        self.ears = ears
        self.card = card

    @property
    def document_id(self) -> DocumentId:
        return self.driver.document_id

    def receive_now(self, batch: bytes, request: Request | None, after: Seq | None = None) -> bool:
        """Take a batch at once. The answer comes through the ears, now or when it is durable.

        `after`: the last row that the author had applied on making the batch, if they say so.
        Return False if nothing has happened: the batch has to wait, or is to be refused. Call
        `receive` then.
        """
        self.after = after
        driver, size = self.driver, len(batch)
        if size > KEYSTROKE_BYTES and not self.checks.may_go_at_once(size, self.card.person):
            return False
        return driver.receive(self, batch, request)

    def receive(self, batch: bytes, request: Request | None, after: Seq | None = None) -> Awaitable[None] | None:
        """Take a batch, whatever it needs. The answer comes through the ears.

        An awaitable must be awaited before the person's next batch, because this one is checked
        elsewhere.
        """
        return None if self.receive_now(batch, request, after) else self.checks.receive(self, batch, request)

    async def has_deletions_of(self, update: bytes) -> bool:
        """Whether all that an update deletes is deleted here. Raises ManyhandsError."""
        await self.driver.learned()
        self.driver.check_open()
        return self.driver.room.replica.has_deletions_of(update)

    def check_writing(self) -> None:
        """Raise what anything from this seat would be refused with now."""
        self.driver.check_open()
        self.driver.room.may_write(self)

    def moves(self, state: dict[str, Json] | None) -> None:
        """Take in where the person's cursor is; None is nowhere. Raises ProtocolError."""
        self.driver.check_open()
        self.driver.room.members.receive_presence(self, state)
        self.driver.wake()

    def broadcast(self, payload: bytes) -> None:
        """Tell everybody else in the document something that nobody keeps. Raises ProtocolError."""
        self.driver.wake()
        self.driver.check_open()
        todo = self.driver.room.members.broadcast(self, payload)
        self.driver.do(lambda: todo)

    def goes_by(self, client_id: ClientId) -> None:
        """Write under another client id from now on, and show the cursor under it.

        For doors whose clients name their id only after joining. Raises ProtocolError, and then
        nothing has changed.
        """
        self.driver.check_open()
        todo = self.driver.room.members.renumber(self, client_id)
        self.driver.do(lambda: todo)

    def everybody(self) -> tuple[PresenceChange, ...]:
        """Return the presence of everybody in the document, on all nodes."""
        return self.driver.room.members.presence.everybody()

    def part(self, index: int) -> bytes:
        """Return one part of an announced missing update; raises ProtocolError."""
        self.driver.check_open()
        return self.driver.room.members.fetch(self, index)

    def renew(self, identity: Identity) -> None:
        """Let the seat belong to this person, who may do what their token says now."""
        before, self.card = self.card, replace(self.card, identity=identity)
        driver = self.driver
        driver.room.members.identify(self, identity.user)
        driver.wake()
        if before.credit != self.card.credit:
            driver.judge()

    def leave(self) -> None:
        """Free the seat. What was taken from the person goes on to the log."""
        driver = self.driver
        if self in driver.room.members:
            driver.room.members.leave(self)
            driver.left(self)
            driver.wake()

    def refuse(self, request: Request | None, refusal: ManyhandsError) -> None:
        """Refuse a batch that did not even come to the room."""
        refused, driver = Refused(refusal.code, refusal.outward), self.driver
        if not driver.over:
            driver.do(lambda: driver.room.refuse(self, request, refused))
        elif request is not None:
            self.ears.refuse(request, refused)
