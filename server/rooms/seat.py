"""Seats: one person in one document, as a door holds them."""

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crdt.errors import ManyhandsError
from crdt.ids import DocumentId
from crdt.protocol.messages import Json, Refused, Request
from crdt.room.session import Session
from server.auth.base import Identity
from server.rooms.door import Ears

if TYPE_CHECKING:
    from server.rooms.driver import Driver


KEYSTROKE_BYTES = 64
"""A batch up to this many bytes takes microseconds, whatever is in it."""


@dataclass(frozen=True, slots=True)
class Card:
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
        """What the role follows from."""
        identity = self.identity
        return identity.user.user_id, identity.email, frozenset(identity.document_roles.items()), self.link


class Seat(Session):
    """The session of one person in one document, the room that it is in, and the ears at the person's door.

    `Rooms.join` makes one. When the room shows somebody out, the seat is free: every verb then
    refuses, and `Ears.dismissed` has said so.
    """

    __slots__ = ("card", "driver", "ears")

    def __init__(self, driver: "Driver", ears: Ears, card: Card) -> None:
        super().__init__(ears.agent_for)
        self.driver = driver
        self.ears = ears
        self.card = card

    @property
    def document_id(self) -> DocumentId:
        """The document that the seat is in."""
        return self.driver.document_id

    def receive_now(self, batch: bytes, request: Request | None) -> bool:
        """Take a batch at once; the answer comes through the ears, now or when it is durable.

        False: nothing has happened. The batch has to wait, or is to be refused: `receive` it.
        """
        driver, size = self.driver, len(batch)
        if size > KEYSTROKE_BYTES and not driver.intake.may_go_at_once(size, self.card.person):
            return False
        return driver.receive(self, batch, request)

    def receive(self, batch: bytes, request: Request | None) -> Awaitable[None] | None:
        """Take a batch, whatever it needs; the answer comes through the ears.

        An awaitable must be awaited before the person's next batch: this one is checked elsewhere.
        """
        return None if self.receive_now(batch, request) else self.driver.intake.receive(self, batch, request)

    def check_writing(self) -> None:
        """Raise what anything from this seat would be refused with now."""
        self.driver.check_open()
        self.driver.room.may_write(self)

    def moves(self, state: dict[str, Json] | None) -> None:
        """Take in where the person's cursor is; None: nowhere. Raises ProtocolError."""
        self.driver.check_open()
        self.driver.room.people.receive_presence(self, state)
        self.driver.wake()

    def part(self, index: int) -> bytes:
        """One part of an announced missing update; raises ProtocolError."""
        self.driver.check_open()
        return self.driver.room.people.fetch(self, index)

    def renew(self, identity: Identity) -> None:
        """The seat belongs to this person from now on, who may do what their token says now."""
        before, self.card = self.card, replace(self.card, identity=identity)
        driver = self.driver
        driver.room.people.identify(self, identity.user)
        driver.wake()
        if before.credit != self.card.credit:
            driver.judge()

    def leave(self) -> None:
        """Go; what was taken from the person goes on to the log."""
        driver = self.driver
        if self in driver.room.people:
            driver.room.people.leave(self)
            driver.openers.leave(self)
            driver.wake()

    def refuse(self, request: Request | None, refusal: ManyhandsError) -> None:
        """Refuse a batch that did not even come to the room."""
        refused, driver = Refused(refusal.code, refusal.outward), self.driver
        if not driver.over:
            driver.do(lambda: driver.room.refuse(self, request, refused))
        elif request is not None:
            self.ears.refuse(request, refused)
