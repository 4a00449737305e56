"""Ends of Yjs clients: one client of another protocol in one document.

A door's own end writes what is said in its protocol. Three rules hold at all of these doors:

1. **What cannot be taken ends the end**, with a code and a sentence. Clients keep what they wrote,
   and send it again when they are back. Only what somebody may not write is dropped while they
   stay, because they may read.
2. **A client tells of itself alone.** It repeats others' states as well, which are left out.
3. **A client id comes late.** Clients name theirs by their first state, after joining.
"""

import asyncio
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, cast

from crdt.budget import Account
from crdt.errors import Code, ManyhandsError, ProtocolError
from crdt.ids import ClientId, DocumentId, Seq
from crdt.protocol import requests
from crdt.protocol import yprotocols as y
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import (
    ClosedMessage,
    Format,
    JoinAnswer,
    JoinRequest,
    Json,
    Refused,
    Request,
    ResyncMessage,
    RoleMessage,
    ServerMessage,
)
from server.auth.base import Identity
from server.auth.cookies import rename
from server.doors.awareness import with_clock
from server.doors.entrance import next_arrival
from server.doors.rates import ConnectionRates
from server.doors.reception import Reception
from server.doors.yjs_door import Frames, Updates, YjsDoor
from server.rooms import Seat

READ_ONLY = "You may read this document, but not change it."
BEHIND = "This connection has missed changes. Connect again."
EXPIRED = "Your sign-in has run out. Connect with a fresh token."
_FORMAT = re.compile(r"([A-Za-z0-9@/_.-]{1,64}):([1-9][0-9]{0,5})\Z")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client shows beside its name for the document."""

    token: str | None = field(repr=False)
    link: str | None = field(repr=False)
    format: Format | None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Asked":
        """Read what is given by name, as strangers give it."""
        said = {name: value for name, value in given.items() if isinstance(value, str)}
        declared = _FORMAT.match(said.get("format", ""))
        return cls(
            said.get("token") or None,
            said.get("link"),
            None if declared is None else Format(declared[1], int(declared[2])),
        )


Said = TypeVar("Said", contravariant=True)


class Socket(Protocol[Said]):
    """Port to what carries a connection. `told`: what the log has said of it."""

    address: str
    told: set[str]

    @property
    def backlog(self) -> int:
        """Bytes that wait to be taken by the peer."""

    def push(self, frames: Said, /) -> int:
        """Send, and return the backlog."""

    async def until_taken(self) -> None:
        """Return when the peer has taken most of what was sent, or is gone."""

    def end(self, *, cut: bool = False) -> None:
        """End, at once if `cut`."""


class Line(Generic[Frames]):
    """The connection that an end speaks through."""

    account: Account
    socket: Socket[Frames]

    def __init__(self, socket: Socket[Frames], reception: Reception) -> None:
        self.socket = socket
        self.reception = reception
        self.rates = ConnectionRates(reception.limits, asyncio.get_running_loop().time)

    @property
    def address(self) -> str:
        """The peer's IP address."""
        return self.socket.address

    @property
    def backlog(self) -> int:
        """Bytes that wait to be taken by the peer."""
        return self.socket.backlog

    def push(self, frames: Frames) -> int:
        """Send, and return the backlog."""
        return self.socket.push(frames)

    async def until_taken(self) -> None:
        """Return when the peer has taken most of what was sent, or is gone."""
        await self.socket.until_taken()

    def complain(self, refusal: ManyhandsError) -> None:
        """Say why in the log, once for each kind."""
        self.reception.complaints.note(refusal.code.value, self.address, self.socket.told, refusal.outward)

    def abort(self) -> None:
        """Cut the connection."""
        self.socket.end(cut=True)


class End(ABC, Generic[Frames]):
    """One client in one document. `key`: the client's own name for it, if messages carry one."""

    agent_for: str | None = None
    seat_here: Seat | None = None
    gone = False

    def __init__(
        self,
        door: YjsDoor[Frames],
        line: Line[Frames],
        document_id: DocumentId,
        identity: Identity,
        asked: Asked,
        key: str = "",
    ) -> None:
        self.door = door
        self.document_id = document_id
        self.identity = identity
        self.key = key
        self.arrival = next_arrival()
        self.line = line
        self._asked = asked
        self._client_id: ClientId | None = None
        """The client's own id, once its awareness has told."""
        self._heard = False
        """Whether anything has come behind the client's state vector."""

    # What the client says.

    async def join(self, state_vector: bytes) -> None:
        """Answer with what the client lacks, and ask for what it has. Clients may join again."""
        client_id = self._client_id or ClientId(secrets.randbits(32))
        if self.seat_here is not None:
            client_id = self.seat_here.client_id
        request = JoinRequest(state_vector, client_id, format=self._asked.format)
        await self.line.rates.admit(requests.Join(self.document_id, request), answered=True)
        # A peer that does not read has one answer waiting, not as many as it asked for.
        await self.line.until_taken()
        seat, answer, _ = await self.door.reception.rooms.join(
            self.document_id, request, self.identity, self, link=self._asked.link, account=self.line.account
        )
        self.seat_here = seat
        self.door.sits_down(self)
        await self.welcome(answer, (seat.part(index) for index in range(answer.chunk_count)))
        self.tell_everybody()

    async def receive(self, update: bytes, *, is_answer: bool) -> None:
        """Take changes: the answer to our state vector, or what was just written."""
        self._heard = True
        await self.line.rates.admit(requests.Update(self.document_id, update), answered=False)
        seat = self.seat_here
        if seat is None:
            raise ProtocolError(Code.NOT_JOINED, "Send the state vector first.")
        if update == y.EMPTY_UPDATE:
            self.has_nothing(is_answer=is_answer)
        elif not seat.may_send:
            await self.drop(update, is_answer=is_answer)
        else:
            checking = seat.receive(encode_batch([update]), self.request_of(update, is_answer=is_answer))
            if checking is not None:
                await checking

    def show(self, entries: Sequence[y.Entry]) -> None:
        """Take in where the client's own cursor is."""
        seat, first, self._heard = self.seat_here, not self._heard, True
        if seat is None or not self.line.rates.admit_presence_now():
            return
        if self._client_id is None:
            # Behind the state vector comes the own state, if there is one.
            others = set() if first else {change.client_id for change in seat.everybody()}
            self._client_id = next((each.client_id for each in entries if each.client_id not in others), None)
        for client_id, clock, text in entries:
            if client_id == self._client_id:
                try:
                    state = y.state_of(self.document_id, text, self.door.reception.rooms.limits.presence_bytes)
                    self._go_by_name(state)
                    seat.goes_by(client_id)
                    seat.moves(None if state is None else with_clock(state, clock))
                except ProtocolError as refusal:
                    # Their cursor stays where it was. Their words are taken all the same.
                    self.line.complain(refusal)

    async def ask_for_everybody(self) -> None:
        """Answer with everybody's cursors."""
        await self.line.rates.admit(requests.Leave(self.document_id), answered=False)
        await self.line.until_taken()
        self.tell_everybody()

    def tell_everybody(self) -> None:
        """Tell the client where everybody is."""
        if self.seat_here is not None:
            self.push(self.door.write(self.key, self.door.everybody(self.seat_here)))

    def _go_by_name(self, state: Mapping[str, Json] | None) -> None:
        """Let a guest have the name and colour that they show."""
        user = None if state is None else state.get("user")
        if self.identity.kind != "guest" or not isinstance(user, dict):
            return
        name, color = user.get("name"), user.get("color")
        shown = requests.Guest(name if isinstance(name, str) else None, color if isinstance(color, str) else None)
        identity = rename(self.identity, shown)
        if identity.user != self.identity.user:
            self.renew(identity)

    def renew(self, identity: Identity) -> None:
        """Let the end belong to this person, who may do what their token says now."""
        self.identity = identity
        if self.seat_here is not None:
            self.seat_here.renew(identity)

    # What each protocol says in its own way.

    @abstractmethod
    async def welcome(self, answer: JoinAnswer, parts: Iterable[bytes]) -> None:
        """Tell what the client lacks, before the event loop turns, and ask for what it has."""

    @abstractmethod
    def ask_again(self) -> None:
        """Ask for all that the client has, because it may write now."""

    @abstractmethod
    def deny(self, refusal: ProtocolError) -> None:
        """Say that what the client wrote is dropped."""

    @abstractmethod
    def close(self, code: Code, sentence: str) -> None:
        """Say that the document is over for this client, and leave."""

    def request_of(self, update: bytes, *, is_answer: bool) -> Request:  # noqa: ARG002 - for those who count answers
        """Return what the acknowledgement of an update needs to know."""
        return Request(update)

    def has_nothing(self, *, is_answer: bool) -> None:
        """Take note that the client has changed nothing."""

    async def drop(self, update: bytes, *, is_answer: bool) -> None:  # noqa: ARG002 - for those who look into it
        """Drop what a reader writes. Everybody answers our state vector, with news or without."""
        if not is_answer:
            self.deny(ProtocolError(Code.FORBIDDEN, READ_ONLY))

    # What a seat is told.

    def seat(self, document_id: DocumentId) -> Seat | None:
        return self.seat_here if document_id == self.document_id else None

    def hear(self, message: ServerMessage) -> None:
        """Act on what the room says to this person alone."""
        match message:
            case RoleMessage(role):
                self.role_changed(may_write=role.may_write)
            case ResyncMessage():
                self.close(Code.UNAVAILABLE, BEHIND)
            case ClosedMessage(code, sentence):
                self.close(code, sentence)
            case _:
                pass

    def role_changed(self, *, may_write: bool) -> None:
        """Ask for what was dropped before, if the person may write now."""
        if may_write:
            self.ask_again()

    def push(self, frames: Frames) -> int:
        """Send, and return the backlog."""
        return self.line.push(frames)

    def acknowledge(self, asked: Sequence[Request], seq: Seq) -> None:  # noqa: ARG002 - the protocols have no numbers
        """Give updates back to their sender, for whom they are durable by that."""
        self.push(self.door.write(self.key, Updates([cast(bytes, update) for update in asked])))

    def is_dropped(self, refused: Refused) -> bool:
        """Whether a refusal leaves the client here, because it may read.

        What somebody writes behind a refused change lacks its past.
        """
        suggests = self.seat_here is not None and self.seat_here.only_suggests
        dropped = (Code.FORBIDDEN, Code.NOT_A_SUGGESTION, *((Code.MISSING_PAST,) if suggests else ()))
        return refused.code in dropped

    def refuse(self, request: Request, refused: Refused) -> None:  # noqa: ARG002 - all that follows is refused as well
        if self.is_dropped(refused):
            self.deny(ProtocolError(refused.code, refused.message))
        else:
            self.refuse_all(ProtocolError(refused.code, refused.message))

    def refuse_all(self, refusal: ManyhandsError) -> None:
        """Leave, and say why: to the client, and in one line of the log."""
        if not self.gone:
            if refusal.code is not Code.DRAINING:
                self.line.complain(refusal)
            self.close(refusal.code, refusal.outward)

    def dismissed(self, seat: Seat) -> None:
        """Forget a seat that is free."""
        if self.seat_here is seat:
            self.seat_here = None
            self.door.gets_up(self)

    @property
    def backlog(self) -> int:
        return self.line.backlog

    def abort(self) -> None:
        self.line.abort()

    def leave(self) -> None:
        """Leave the document. What was taken goes on to the log."""
        self.gone = True
        seat, self.seat_here = self.seat_here, None
        self.door.gets_up(self)
        if seat is not None:
            seat.leave()
