"""y-websocket's protocol, for clients of its `WebsocketProvider`, versions 1 to 4, at `/y/{name}`.

One connection is in one document. docs/doors.md says what is promised to these clients, and what
not. Three rules:

1. **An update comes back to its sender when it is durable**, and reaches others only then.
2. **What cannot be taken ends the connection**, with a close code and a sentence. From 4400 to 4499
   it is no use to come back. Clients keep what they wrote, and send it again when they are back.
   Only what somebody may not write is dropped while the connection stays, because they may read.
3. **Silence is broken.** After 30 seconds without a message, clients give a connection up, and
   forget each other's cursors. So all cursors are told again every `RENEWAL_SECONDS`.
"""

import asyncio
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast
from urllib.parse import parse_qs

from crdt.budget import Account
from crdt.errors import Code, InvariantError, ManyhandsError, ProtocolError
from crdt.ids import ClientId, DocumentId, Seq
from crdt.protocol import requests
from crdt.protocol import yprotocols as y
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.messages import (
    ClosedMessage,
    Format,
    JoinRequest,
    Json,
    PresenceMessage,
    Refused,
    Request,
    ResyncMessage,
    RoleMessage,
    ServerMessage,
    UpdateMessage,
)
from server.auth.base import Credentials, Identity, unauthenticated
from server.auth.cookies import rename, session_cookie
from server.doors.awareness import AwarenessClocks, with_clock
from server.doors.entrance import next_arrival, note_foreign_page
from server.doors.rates import ConnectionRates
from server.doors.reception import Reception
from server.doors.wire import Messages, Send, Wire
from server.observe import log
from server.rooms import Circle, Seat, shutting_down

PATH = "/y/"

MESSAGE_BYTES = 64
"""Bytes of a message beside the update in it."""

RENEWAL_SECONDS = 12.0
"""Seconds between two renewals of all cursors: clients forget a cursor after 30."""

CLOSE_CODES = {
    Code.MALFORMED: 4400,
    Code.UNKNOWN_EVENT: 4400,
    Code.NOT_JOINED: 4400,
    Code.BAD_UPDATE: 4400,
    Code.UNSUPPORTED_CONTENT: 4400,
    Code.UNAUTHENTICATED: 4401,
    Code.FORBIDDEN: 4403,
    Code.OTHER_FORMAT: 4403,
    Code.NOT_FOUND: 4404,
    Code.DELETED: 4404,
    Code.EPOCH_CHANGED: 4410,
    Code.TOO_LARGE: 4413,
    Code.TOO_COSTLY: 4413,
    Code.DOCUMENT_FULL: 4413,
    Code.QUARANTINED: 4423,
    Code.MISSING_PAST: 4500,
    Code.INTERNAL: 4500,
    Code.UNAVAILABLE: 4503,
    Code.CLIENT_ID_TAKEN: 4509,  # mostly by the page's own earlier connection, until that one is given up
    Code.DRAINING: 4503,
    Code.TOO_MANY: 4529,
    Code.RATE_LIMITED: 4529,
}
"""From 4400 to 4499 coming back does not help; from 4500 on it does."""

TEXT = b"\x7f"
"""What stands for a message in text, or without content: an unknown kind."""

BEHIND_STEP_1 = 2
"""Number of the message behind a client's state vector, which comes first."""

READ_ONLY = "You may read this document, but not change it."
BEHIND = "This connection has missed changes. Connect again."
_FORMAT = re.compile(r"([A-Za-z0-9@/_.-]{1,64}):([1-9][0-9]{0,5})\Z")


class Names(Protocol):
    """Port to what finds the document of a name."""

    async def find(self, name: str, identity: Identity, address: str) -> DocumentId:
        """Return the document's id, and make the document if that is allowed.

        Raises ManyhandsError.
        """


class YWebsocketDoor:
    """All connections of y-websocket's clients on this node. `__call__` serves one by ASGI."""

    def __init__(self, reception: Reception, names: Names) -> None:
        self.reception = reception
        self.names = names
        self.connections: dict[int, Connection] = {}
        """Those that were let in, by arrival."""
        self._wires: dict[int, Wire] = {}
        """All, by arrival."""
        reception.sweeper.watch(self._wires, self.connections)
        self.awareness = AwarenessClocks(reception.now)
        self._draining = False
        self._renewal: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Send) -> None:
        await receive()
        reception, address = self.reception, (scope.get("client") or ("",))[0]
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        origin = headers.get(b"origin")
        if origin is not None and not reception.origins.allow(origin, {"HTTP_HOST": headers.get(b"host", "")}):
            note_foreign_page(origin)
            await send({"type": "websocket.close", "code": 1008})
        elif not reception.entrance.knock(address):
            reception.complaints.note("too many handshakes", address, set())
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._serve(scope, receive, Wire(send, address))

    async def _serve(self, scope: Mapping[str, Any], receive: Any, wire: Wire) -> None:
        connection, entrance = Connection(self, wire, scope), self.reception.entrance
        self._wires[connection.arrival] = wire
        self.reception.sweeper.start()
        try:
            await wire.accept(_subprotocol(scope))
            try:
                await self._let_in(connection)
                # One message may hold all that was written offline. A stranger's may not.
                wire.bound_messages(self.reception.rooms.limits.update_bytes + MESSAGE_BYTES)
            except ManyhandsError as refusal:
                connection.refuse_all(refusal)
            await connection.listen(receive)
        except OSError:
            pass  # the peer is gone
        finally:
            connection.leave()
            wire.let_go()
            del self._wires[connection.arrival]
            inside = self.connections.pop(connection.arrival, None) is not None
            if inside:
                self.reception.users.leave(connection.person)
            entrance.leave(wire.address, was_inside=inside)

    async def _let_in(self, connection: "Connection") -> None:
        if self._draining:
            raise shutting_down()
        await connection.identify()
        self.reception.users.enter(connection.person)
        try:
            self.reception.entrance.enter(connection.wire.address)
        except ProtocolError:
            self.reception.users.leave(connection.person)
            raise
        self.connections[connection.arrival] = connection
        if self._renewal is None:
            self._renewal = asyncio.get_running_loop().call_later(RENEWAL_SECONDS, self._renew)

    # What rooms ask of a door.

    def say(self, circle: Circle, document_id: DocumentId, message: ServerMessage, but: Seat | None) -> Sequence[Seat]:
        """Tell many. The one author of an update gets it back by the acknowledgement."""
        ends = [(seat, seat.ears) for seat in circle.seats if seat is not but]
        connections = [(seat, end) for seat, end in ends if isinstance(end, Connection)]
        match message:
            case UpdateMessage(_, batch):
                said = Messages([y.encode_update(update) for update in decode_batch(batch, max_updates=2**31)])
            case PresenceMessage(changes):
                said = Messages([self.awareness.written(document_id, changes)])
            case _:
                for _, connection in connections:
                    connection.hear(message)
                return []
        limit = self.reception.rooms.limits.backlog_bytes
        return [seat for seat, connection in connections if connection.wire.push(said) > limit]

    def _renew(self) -> None:
        """Tell everybody of all cursors again, and of nothing where there are none."""
        self._renewal = None
        if not self.connections:
            return
        told: dict[DocumentId, Messages] = {}
        for connection in self.connections.values():
            seat = connection.seat_here
            if seat is not None:
                if seat.document_id not in told:
                    told[seat.document_id] = Messages([self.awareness.written(seat.document_id, seat.everybody())])
                connection.wire.push(told[seat.document_id])
        self.awareness.keep(told)
        self._renewal = asyncio.get_running_loop().call_later(RENEWAL_SECONDS, self._renew)

    # Lifetime.

    def drain(self, spread_ms: int) -> None:
        """Let nobody in any more, and send everybody away, each at a moment within this time."""
        self._draining = True
        loop, refusal = asyncio.get_running_loop(), shutting_down()
        for turn, connection in enumerate(self.connections.values()):
            loop.call_later(spread_ms / 1000 * turn / len(self.connections), connection.refuse_all, refusal)

    def close(self) -> None:
        """Cut whoever is still here."""
        if self._renewal is not None:
            self._renewal.cancel()
        for connection in list(self.connections.values()):
            connection.wire.end(cut=True)


class Connection:
    """One client's connection, which is in one document once the client has said what it has."""

    agent_for: str | None = None
    seat_here: Seat | None = None
    identity: Identity
    person: str
    account: Account
    gone = False

    def __init__(self, door: YWebsocketDoor, wire: Wire, scope: Mapping[str, Any]) -> None:
        self.door = door
        self.wire = wire
        self.arrival = next_arrival()
        self._asked = _Asked(scope)
        self._rates = ConnectionRates(door.reception.limits, asyncio.get_running_loop().time)
        self._client_id: ClientId | None = None
        """The client's own id, once its awareness has told."""
        self._heard = 0
        """Messages that have come."""
        self._told: set[str] = set()
        self._timers: list[asyncio.TimerHandle] = []

    @property
    def socket(self) -> Wire:
        return self.wire

    async def identify(self) -> None:
        """Find out who this is, and which document they ask for; raises ManyhandsError."""
        reception, asked, address = self.door.reception, self._asked, self.wire.address
        credentials = Credentials(asked.cookie, asked.token, requests.Guest())
        self.identity = identity = await reception.authenticator.identify(credentials)
        self.person, self.account = identity.user.user_id, reception.account(identity, address)
        self._document_id = await self.door.names.find(asked.name, identity, address)
        loop = asyncio.get_running_loop()
        if identity.expires_at is not None:
            refusal = unauthenticated("Your sign-in has run out. Connect with a fresh token.")
            seconds = max(0.0, identity.expires_at - reception.now())
            self._timers.append(loop.call_later(seconds, self.refuse_all, refusal))

    async def listen(self, receive: Any) -> None:
        """Act on everything that comes, in order, until the connection's end."""
        silent = ProtocolError(Code.MALFORMED, "The client did not say in time what it has.")
        loop, seconds = asyncio.get_running_loop(), self.door.reception.limits.connect_seconds
        expiry = loop.call_later(seconds, lambda: None if self.seat_here else self.refuse_all(silent))
        self._timers.append(expiry)
        while (event := await receive())["type"] == "websocket.receive":
            try:
                await self._hear(event.get("bytes") or TEXT)
            except ManyhandsError as refusal:
                self.refuse_all(refusal)
            except Exception:  # noqa: BLE001 - a bug of ours costs one connection
                log.exception("event_failed", kind="y-websocket")
                self.refuse_all(InvariantError("The server made a mistake."))

    async def _hear(self, frame: bytes) -> None:
        for message in [] if self.wire.closed else y.decode_messages(frame):
            self._heard += 1
            await self._act(message)
            if self.wire.closed:
                return  # what was refused is what the rest builds on

    async def _act(self, message: y.Message) -> None:
        match message:
            case y.Step1(state_vector):
                await self._join(state_vector)
            case y.Update():
                await self._receive(message)
            case y.Awareness(entries):
                if self.seat_here is not None and self._rates.admit_presence_now():
                    self._show(self.seat_here, entries)
            case y.QueryAwareness():
                await self._rates.admit(requests.Leave(self._document_id), answered=False)
                if self.seat_here is not None:
                    self.wire.push(
                        Messages([self.door.awareness.written(self._document_id, self.seat_here.everybody())])
                    )

    async def _join(self, state_vector: bytes) -> None:
        """Answer with what the client lacks, and ask for what it has. Clients may join again."""
        client_id = self._client_id or ClientId(secrets.randbits(32))
        if self.seat_here is not None:
            client_id = self.seat_here.client_id
        request = JoinRequest(state_vector, client_id, format=self._asked.format)
        await self._rates.admit(requests.Join(self._document_id, request), answered=True)
        seat, answer, _ = await self.door.reception.rooms.join(
            self._document_id, request, self.identity, self, link=self._asked.link, account=self.account
        )
        self.seat_here = seat
        if answer.missing is not None:
            self.wire.push(Messages([y.step_2_head(len(answer.missing)) + answer.missing]))
        else:
            parts = (seat.part(index) for index in range(answer.chunk_count))
            await self.wire.push_long(y.step_2_head(answer.chunk_bytes), parts)
        self.wire.push(Messages([y.encode_step_1(answer.state_vector)]))
        self.wire.push(Messages([self.door.awareness.written(self._document_id, seat.everybody())]))

    async def _receive(self, message: y.Update) -> None:
        seat, update = self.seat_here, message.update
        if seat is None:
            raise ProtocolError(Code.NOT_JOINED, "Send the state vector first.")
        if update == y.EMPTY_UPDATE:
            return
        if not seat.may_write:
            # Everybody answers our state vector, also people who have changed nothing.
            if not message.is_answer:
                self._deny(READ_ONLY)
            return
        batch = encode_batch([update])
        await self._rates.admit(requests.Update(self._document_id, batch), answered=False)
        checking = seat.receive(batch, Request(update))
        if checking is not None:
            await checking

    def _show(self, seat: Seat, entries: Sequence[y.Entry]) -> None:
        """Take in where the client's own cursor is. It repeats others' as well."""
        if self._client_id is None:
            # Behind the state vector comes the own state, if there is one.
            others = set() if self._heard == BEHIND_STEP_1 else {change.client_id for change in seat.everybody()}
            self._client_id = next((each.client_id for each in entries if each.client_id not in others), None)
        for client_id, clock, text in entries:
            if client_id == self._client_id:
                try:
                    state = y.state_of(self._document_id, text, self.door.reception.rooms.limits.presence_bytes)
                    self._go_by_name(seat, state)
                    seat.goes_by(client_id)
                    seat.moves(None if state is None else with_clock(state, clock))
                except ProtocolError as refusal:
                    # Their cursor stays where it was. Their words are taken all the same.
                    self._complain(refusal)

    def _go_by_name(self, seat: Seat, state: Mapping[str, Json] | None) -> None:
        """Let a guest have the name and colour that they show."""
        user = None if state is None else state.get("user")
        if self.identity.kind != "guest" or not isinstance(user, dict):
            return
        name, color = user.get("name"), user.get("color")
        shown = requests.Guest(name if isinstance(name, str) else None, color if isinstance(color, str) else None)
        identity = rename(self.identity, shown)
        if identity.user != self.identity.user:
            self.identity = identity
            seat.renew(identity)

    # What a seat is told.

    def seat(self, document_id: DocumentId) -> Seat | None:
        return self.seat_here if document_id == self._document_id else None

    def hear(self, message: ServerMessage) -> None:
        """Act on what the room says to this person alone."""
        match message:
            case RoleMessage(role) if role.may_write and self.seat_here is not None:
                # What was dropped before is asked for.
                self.wire.push(Messages([y.encode_step_1(b"\0")]))
            case ResyncMessage():
                self._close(Code.UNAVAILABLE, BEHIND)
            case ClosedMessage(code, sentence):
                self._close(code, sentence)
            case _:
                pass

    def acknowledge(self, asked: Sequence[Request], seq: Seq) -> None:  # noqa: ARG002 - the protocol has no numbers
        """Give updates back to their sender, for whom they are durable by that."""
        self.wire.push(Messages([y.encode_update(cast(bytes, update)) for update in asked]))

    def refuse(self, request: Request, refused: Refused) -> None:  # noqa: ARG002 - all that follows is refused as well
        if refused.code is Code.FORBIDDEN:
            self._deny(refused.message)
        else:
            self.refuse_all(ProtocolError(refused.code, refused.message))

    def dismissed(self, seat: Seat) -> None:
        """Forget a seat that is free."""
        if self.seat_here is seat:
            self.seat_here = None

    @property
    def backlog(self) -> int:
        return self.wire.backlog

    def abort(self) -> None:
        self.wire.end(cut=True)

    # Ends.

    def _deny(self, reason: str) -> None:
        """Drop an update, and say so once."""
        if reason not in self._told:
            self.wire.push(Messages([y.encode_denied(reason)]))
            self._complain(ProtocolError(Code.FORBIDDEN, reason))

    def refuse_all(self, refusal: ManyhandsError) -> None:
        """End the connection, and say why: to the client, and in one line of the log."""
        if not self.wire.closed:
            if refusal.code is not Code.DRAINING:
                self._complain(refusal)
            self._close(refusal.code, refusal.outward)

    def _complain(self, refusal: ManyhandsError) -> None:
        self._told.add(refusal.message)
        self.door.reception.complaints.note(refusal.code.value, self.wire.address, self._told)

    def _close(self, code: Code, sentence: str) -> None:
        self.wire.close(CLOSE_CODES[code], sentence)
        self.leave()

    def leave(self) -> None:
        """Leave the document. What was taken goes on to the log."""
        self.gone = True
        for timer in self._timers:
            timer.cancel()
        seat, self.seat_here = self.seat_here, None
        if seat is not None:
            seat.leave()


class _Asked:
    """What a client asks for by its address and headers."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        given = {name: values[-1] for name, values in query.items()}
        offered = [each.removeprefix(TOKEN) for each in scope.get("subprotocols", ()) if each.startswith(TOKEN)]
        self.name: str = scope["path"].removeprefix(PATH)
        self.cookie = session_cookie(scope)
        self.token = given.get("token") or next(iter(offered), None)
        self.link = given.get("link")
        declared = _FORMAT.match(given.get("format", ""))
        self.format = None if declared is None else Format(declared[1], int(declared[2]))


TOKEN = "token."
"""Beginning of the subprotocol that carries a token."""


def _subprotocol(scope: Mapping[str, Any]) -> str | None:
    """Return the subprotocol to agree on: the first that is no token. Answers repeat no token."""
    return next((each for each in scope.get("subprotocols", ()) if not each.startswith(TOKEN)), None)


WRONG_PLACE = (
    "This is Manyhands. Its WebSockets are at /socket.io/ (the native protocol) and, for y-websocket, at /y/<document>: "
    "new WebsocketProvider('wss://<this server>/y', '<document>', doc)."
)


async def no_door(scope: Mapping[str, Any], receive: Any, send: Send) -> None:
    """Refuse a WebSocket where there is no door, and say to both sides where the doors are."""
    await receive()
    log.info("no_door", reason=WRONG_PLACE, address=(scope.get("client") or ("",))[0])
    await send({"type": "websocket.http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "websocket.http.response.body", "body": WRONG_PLACE.encode() + b"\n"})
