"""Hocuspocus' protocol, for clients of its `HocuspocusProvider`, versions 2 to 4, at `/hocuspocus`.

One connection holds many documents, each with a token of its own, all of one person. Two rules:

1. **Each update is answered once**: when it is durable, or when its author may not write it. So a
   provider's `unsyncedChanges` says what is not saved.
2. **What ends a document ends the connection only if coming back helps.** Providers come back with
   everything they hold. Otherwise the other documents go on.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, assert_never, cast

from msgspec import Struct

from crdt.errors import Code, ManyhandsError, ProtocolError
from crdt.ids import ClientId, DocumentId, Seq
from crdt.protocol import hocuspocus as h
from crdt.protocol import requests
from crdt.protocol import yprotocols as y
from crdt.protocol.messages import ClosedMessage, JoinAnswer, JoinRequest, Refused, Request, ServerMessage
from server.auth.base import Identity, somebody_else, unauthenticated
from server.doors.close_codes import helps_to_come_back
from server.doors.websocket import WebsocketConnection, WebsocketDoor
from server.doors.wire import Messages, Wire
from server.doors.yjs_door import Cursors, News, Updates, Word
from server.doors.yjs_end import EXPIRED, READ_ONLY, Asked, End

PATH = "/hocuspocus"

NOWHERE = DocumentId("")
"""The document of a request that is counted before its document is known."""

REFRESH_SECONDS = 30.0
"""Seconds before a token's end at which the client is asked for a fresh one."""

IDLE_SECONDS = 60.0
"""Seconds after which a connection without a document is ended, as by Hocuspocus' own server."""

IDLE = 4408

MOST_REFUSED = 1000
"""Keys of refused documents that are remembered, because clients go on speaking of them."""


MOST_DELETED = 32 * 2**10
"""Bytes of a reader's deletions that are compared with the document's, in some 50 ms at most."""

MOST_OWED = 1000
"""Answers that are kept for a reader who may write later. Past it, something stays unsynced."""


def most_ahead(left: float) -> float:
    """Return how long before its end a token with so much time left is to be replaced."""
    return min(REFRESH_SECONDS, left / 2)


def is_here(path: str) -> bool:
    """Whether this door serves a path. `/` is where providers of a bare host connect."""
    return path in {"/", PATH} or path.startswith(f"{PATH}/")


class HocuspocusDoor(WebsocketDoor):
    """All connections of Hocuspocus' providers on this node."""

    def write(self, key: str, news: News) -> Messages:
        head = h.head(key)
        match news:
            case Updates(updates):
                return Messages([head + y.encode_update(update) for update in updates])
            case Cursors(content):
                return Messages([head + y.encode_awareness(content)])
            case Word(payload):
                return Messages([head + h.stateless(payload)])
            case _:
                assert_never(news)


class Spurned(Struct):
    """A document that was refused, of which the client goes on speaking.

    Attributes:
        is_due: whether the state vector that comes behind each token is still to come.
        asks: whether the client asks to join, and its fresh token comes later.
    """

    is_due: bool = False
    asks: bool = False


class Connection(WebsocketConnection):
    """One client's connection, with an end for each document."""

    def __init__(self, door: HocuspocusDoor, wire: Wire, scope: Mapping[str, Any]) -> None:
        super().__init__(door, wire, scope)
        self.ends: dict[str, HocuspocusEnd] = {}
        """By key."""
        self.tells_version = False
        """Whether the client is of version 4 or later, which knows all messages."""
        self._refused: dict[str, Spurned] = {}
        self._identity: Identity | None = None
        """The person, once the first token was taken."""

    async def greet(self) -> None:
        self._look_again(self.reception.limits.connect_seconds)

    def _look_again(self, seconds: float) -> None:
        self.timers[:] = [asyncio.get_running_loop().call_later(seconds, self._end_if_idle)]

    def _end_if_idle(self) -> None:
        if any(end.seat_here for end in self.ends.values()):
            self._look_again(IDLE_SECONDS)
        else:
            self.socket.close(IDLE, "This connection has no document.")
            self.leave()

    async def hear(self, frame: bytes) -> None:
        if self.socket.closed or frame == h.PONG:
            return
        if frame == h.PING:
            await self._turn()
            self.push(Messages([h.PONG]))
            return
        key, message = h.decode(frame)
        try:
            await self._act(key, message)
        except ManyhandsError as refusal:
            self.refuse(key, refusal)

    async def _turn(self) -> None:
        """Wait for what costs little, but may not be had as often as one likes."""
        await self.rates.admit(requests.Leave(NOWHERE), answered=False)

    async def _act(self, key: str, message: h.Message) -> None:
        end = self.ends.get(key)
        if isinstance(message, h.Token):
            await self._turn()
            self.tells_version |= message.tells_version
            await self._authenticate(key, end, message.token)
            return
        if end is None and isinstance(message, y.Step1):
            refused = self._refused.get(key)
            if refused is None:
                end = await self._open(key, "")  # version 2 says nothing if it has no token
            elif refused.is_due:
                refused.is_due = False
            else:
                refused.asks = True
        # What clients say of a document that they are not in is said again when they are.
        if end is not None:
            await end.act(message)

    async def _authenticate(self, key: str, end: "HocuspocusEnd | None", token: str) -> None:
        refused = self._refused.pop(key, None)
        if end is None:
            try:
                end = await self._open(key, token)
            except ManyhandsError as refusal:
                self.refuse(key, refusal)
                if key in self._refused:
                    self._refused[key].is_due = True
                return
            if end is not None and refused is not None and refused.asks:
                await end.act(y.Step1(b"\0"))
                end.ask_where()
        else:
            end.refresh(await self._identify(token))

    async def _open(self, key: str, token: str) -> "HocuspocusEnd | None":
        """Let a document be joined, if there are not too many; raises ManyhandsError."""
        most = self.reception.limits.documents_per_connection
        if len(self.ends) >= most:
            await self._turn()
            refusal = ProtocolError(Code.TOO_MANY, f"One connection may hold {most} documents. Leave one first.")
            self.complain(refusal)
            self.end(key, refusal.message)
            return None
        await self.rates.admit(requests.Join(NOWHERE, JoinRequest(b"\0", ClientId(0))), answered=True)
        identity = await self._identify(token)
        document_id = await self.door.names.find(h.name_of(key), identity, self.address)
        if self.socket.closed:
            return None
        end = self.ends[key] = HocuspocusEnd(self.door, self, document_id, identity, self.asked, key)
        return end

    async def _identify(self, token: str) -> Identity:
        """Return who brings a token: the person of this connection. Raises ManyhandsError."""
        known = self._identity
        if known is not None and known.kind == "guest":
            return known
        identity = await self.identify(token or self.asked.token)
        if known is None:
            self.enter(identity)
            self._identity = identity
        elif identity.user.user_id != known.user.user_id:
            raise somebody_else()
        return identity

    # Ends.

    def refuse(self, key: str, refusal: ManyhandsError) -> None:
        """End a document, or all if coming back helps, and say why."""
        end = self.ends.get(key)
        if end is not None:
            end.refuse_all(refusal)
        elif helps_to_come_back(refusal.code):
            self.refuse_all(refusal)
        else:
            self.complain(refusal)
            self.end(key, refusal.outward)

    def end(self, key: str, sentence: str) -> None:
        """End a document for good. Versions before 4 do not all know CLOSE, and fail by it."""
        messages = [h.denied(sentence), *([h.closed(sentence)] if self.tells_version else [])]
        self.push(Messages([h.head(key) + each for each in messages]))
        self.leave_one(key)
        self._refused[key] = Spurned()
        if len(self._refused) > MOST_REFUSED:
            del self._refused[next(iter(self._refused))]

    def leave_one(self, key: str) -> None:
        end = self.ends.pop(key, None)
        if end is not None:
            end.leave()

    def leave(self) -> None:
        for key in list(self.ends):
            self.leave_one(key)


class HocuspocusEnd(End[Messages]):
    """One document of a client."""

    line: Connection

    def __init__(
        self,
        door: WebsocketDoor,
        line: Connection,
        document_id: DocumentId,
        identity: Identity,
        asked: Asked,
        key: str,
    ) -> None:
        super().__init__(door, line, document_id, identity, asked, key)
        self._head = h.head(key)
        self._owed = 0
        """Answers that the client expects for its next answer to our state vector.

        It counts that one and all that it wrote as a reader.
        """
        self._expiry: list[asyncio.TimerHandle] = []
        self._await_expiry()

    async def act(self, message: y.Message | h.Stateless | h.Close) -> None:
        match message:
            case y.Step1(state_vector):
                await self.join(state_vector)
            case y.Update(update, is_answer):
                if self.seat_here is not None:
                    await self.receive(update, is_answer=is_answer)
            case y.Awareness(entries):
                self.show(entries)
            case y.QueryAwareness():
                await self.ask_for_everybody()
            case h.Stateless(payload):
                await self._broadcast(payload)
            case h.Close():
                self.line.leave_one(self.key)
            case _:
                assert_never(message)

    async def _broadcast(self, payload: bytes) -> None:
        """Tell everybody else. What is refused is dropped, because the protocol has no answer."""
        await self.line.rates.admit(requests.Broadcast(self.document_id, payload), answered=False)
        seat = self.seat_here
        try:
            if seat is None:
                raise ProtocolError(Code.NOT_JOINED, "A stateless message came before the document was joined.")
            seat.broadcast(payload)
        except ProtocolError as refusal:
            self.line.complain(refusal)

    def _say(self, *messages: bytes) -> None:
        self.push(Messages([self._head + message for message in messages]))

    # Joining, and the person.

    async def welcome(self, answer: JoinAnswer, parts: Iterable[bytes]) -> None:
        self._owed = 1
        self._say(h.authenticated(may_write=answer.role.may_write))
        if answer.missing is not None:
            self._say(y.step_2_head(len(answer.missing)) + answer.missing)
        else:
            await self.line.socket.push_long(self._head + y.step_2_head(answer.chunk_bytes), parts)
        self._say(y.encode_step_1(answer.state_vector))

    def refresh(self, identity: Identity) -> None:
        """Take a fresh token of the same person."""
        before = self.identity.expires_at
        self.renew(identity)
        if identity.expires_at != before:  # a client without a fresh token is not asked again
            self._await_expiry()
        if self.seat_here is not None:
            self._say(h.authenticated(may_write=self.seat_here.may_write))

    def _await_expiry(self) -> None:
        """Ask for a fresh token before this one runs out, and end the document when it does."""
        self._stop_waiting()
        if self.identity.expires_at is not None:
            left = max(0.0, self.identity.expires_at - self.line.reception.now())
            later = asyncio.get_running_loop().call_later
            self._expiry = [
                later(left - most_ahead(left), self._say, h.ASK_FOR_TOKEN),
                later(left, self.refuse_all, unauthenticated(EXPIRED)),
            ]

    def _stop_waiting(self) -> None:
        for timer in self._expiry:
            timer.cancel()

    def role_changed(self, *, may_write: bool) -> None:
        self._say(h.authenticated(may_write=may_write))
        super().role_changed(may_write=may_write)

    def ask_again(self) -> None:
        self._say(y.encode_step_1(b"\0"))

    def ask_where(self) -> None:
        """Ask where the client's cursor is: it has told that too early."""
        self._say(bytes((y.Kind.QUERY_AWARENESS,)))

    # Answers.

    def request_of(self, update: bytes, *, is_answer: bool) -> Request:  # noqa: ARG002 - an answer is a number
        """Return how many answers an update gets."""
        if not is_answer:
            return Request(1)
        owed, self._owed = self._owed, 0
        return Request(owed)

    def acknowledge(self, asked: Sequence[Request], seq: Seq) -> None:  # noqa: ARG002 - the protocol has no numbers
        self._say(*[h.SAVED] * sum(cast(list[int], asked)))

    def has_nothing(self, *, is_answer: bool) -> None:
        self.acknowledge([self.request_of(b"", is_answer=is_answer)], Seq(0))

    async def drop(self, update: bytes, *, is_answer: bool) -> None:
        """Drop what a reader writes. A state without structs repeats the document's deletions."""
        if is_answer and update.startswith(b"\0") and await self._says_nothing_new(update):
            self.has_nothing(is_answer=True)
        else:
            self._owe(not is_answer)
            self.deny(ProtocolError(Code.FORBIDDEN, READ_ONLY))

    async def _says_nothing_new(self, update: bytes) -> bool:
        seat = self.seat_here
        return seat is None or len(update) > MOST_DELETED or await seat.has_deletions_of(update)

    def _owe(self, answers: int) -> None:
        self._owed = min(self._owed + answers, MOST_OWED)

    def refuse(self, request: Request, refused: Refused) -> None:
        if self.is_dropped(refused):
            self._owe(cast(int, request))
        super().refuse(request, refused)

    def deny(self, refusal: ProtocolError) -> None:
        self._say(h.NOT_SAVED)
        self.line.complain(refusal)

    # The end.

    def hear(self, message: ServerMessage) -> None:
        if isinstance(message, ClosedMessage) and message.code is Code.CLIENT_ID_TAKEN:
            # The client id has come by another connection. Two that live would put each other out
            # for ever.
            self.line.end(self.key, message.message)
        else:
            super().hear(message)

    def close(self, code: Code, sentence: str) -> None:
        if helps_to_come_back(code):
            self.line.close(code, sentence)
        else:
            self.line.end(self.key, sentence)

    def leave(self) -> None:
        self._stop_waiting()
        super().leave()


HocuspocusDoor.connection = Connection
