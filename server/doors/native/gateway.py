"""Gateway of the native protocol: turns each event into a request, and answers it.

A closed table takes an event's name to its meaning (crdt/protocol/requests.py). An event that is
not in the table is refused. One connection's events are carried out in the order in which they
came. The ack of a batch comes when the batch is durable, and nothing waits for it meanwhile.
"""

import asyncio
import contextlib
from typing import Any, assert_never

from crdt.errors import Code, InvariantError, ManyhandsError, ProtocolError
from crdt.ids import ConnectionId, DocumentId
from crdt.protocol import requests
from crdt.protocol.messages import (
    ClosedMessage,
    Limits,
    Request,
    Value,
    encode_draining,
    encode_error,
    encode_inbox,
    encode_join_answer,
)
from server.auth.base import Credentials, Identity, somebody_else, unauthenticated
from server.auth.cookies import rename
from server.doors.native.connection import Connection, NativeDoor
from server.doors.native.engine.engine import StrictServer
from server.doors.native.engine.engine_socket import GRACE_SECONDS, EngineSocket
from server.doors.native.engine.library import socketio
from server.doors.native.engine.packets import TEXT_CHARACTERS, ack_packets, event_packets
from server.doors.rates import ConnectionRates
from server.doors.reception import Reception
from server.observe import log
from server.rooms import shutting_down

BACKLOG_FACTOR = 4
"""A connection is cut at this multiple of its backlog limit, whatever fills the backlog.

Rooms stop sending to it at the limit itself.
"""

EXPIRED = "Your sign-in has run out. Bring a fresh token, or sign in again."


class Gateway:
    """All Socket.IO connections of this node. `rooms` reach them through a NativeDoor.

    Serve `asgi_app` under `/socket.io/` without anything that wraps ASGI's `send` (see
    engine_socket.py). The server must take WebSocket messages of at most `message_bytes`. To stop:
    `drain`, then `close`, then the server.
    """

    def __init__(self, reception: Reception) -> None:
        self.reception = reception
        self._rooms = rooms = reception.rooms
        self._authenticator = reception.authenticator
        self._now = reception.now
        self._room_limits: Limits = rooms.limits
        self._limits = reception.limits
        self.message_bytes = max(2**20, rooms.limits.part_bytes * 4 // 3 + TEXT_CHARACTERS)
        self.server = StrictServer(
            self,
            reception,
            message_bytes=self.message_bytes,
            backlog_bytes=BACKLOG_FACTOR * rooms.limits.backlog_bytes,
        )
        self.asgi_app: Any = socketio.ASGIApp(self.server)
        self.accepted: dict[ConnectionId, Connection] = {}
        self.door = NativeDoor(rooms.limits.backlog_bytes, self.refuse, reception.complaints)
        self._empty = asyncio.Event()
        """Set while nobody is connected."""
        self._empty.set()
        self._draining = False
        rooms.on_inboxes(self.tell_inboxes)
        reception.sweeper.watch(self.server.eio.sockets, self.accepted)

    @property
    def handshakes(self) -> int:
        """Connections that have not been accepted yet."""
        return self.reception.entrance.waiting

    @property
    def connections(self) -> int:
        """Connections that have been accepted."""
        return len(self.accepted)

    @property
    def protocol_errors(self) -> dict[str, int]:
        """How often each kind of protocol error was seen."""
        return dict(self.reception.complaints.counts)

    def tell_inboxes(self, user_ids: frozenset[str]) -> None:
        """Tell these people, through each of their connections, that their inboxes have changed."""
        packets = event_packets(*encode_inbox())
        for connection in self.accepted.values():
            if connection.identity.user.user_id in user_ids and not connection.expired:
                connection.socket.push(packets)

    # Lifetime

    def drain(self, spread_ms: int) -> None:
        """Let nobody in any more, neither here nor into a document, and tell everybody to leave.

        Each is told to leave at a moment of their own within this time.
        """
        self._draining = self.server.eio.draining = True
        for turn, connection in enumerate(self.accepted.values()):
            after_ms = spread_ms * turn // len(self.accepted)
            connection.socket.push(event_packets(*encode_draining(after_ms)))

    async def until_left(self, seconds: float) -> None:
        """Wait until nobody is connected any more, but at most so many seconds.

        Everybody who is still here is served as before.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._empty.wait()

    async def close(self) -> None:
        """End all connections, in good order within the grace period, then by cutting them."""
        self._draining = True
        self.reception.sweeper.stop()
        for socket in list(self.server.eio.sockets.values()):
            socket.end()
        await self.server.eio.until_served(GRACE_SECONDS)

    # The application of the Socket.IO server

    async def recognise(self, socket: EngineSocket, payload: object) -> Identity:
        """Find out who somebody is; raises ManyhandsError.

        Nothing has changed if they go meanwhile.
        """
        if self._draining:
            raise shutting_down()
        greeting = requests.decode_connect(payload)
        socket.protocol = greeting.protocol
        return await self._authenticator.identify(Credentials(socket.take_cookie(), greeting.token, greeting.guest))

    def connected(self, connection_id: ConnectionId, socket: EngineSocket, identity: Identity) -> Connection:
        """Let somebody in; raises ProtocolError."""
        account = self.reception.account(identity, socket.address)
        uploads = requests.Uploads(self._room_limits.part_bytes, self._room_limits.update_bytes, account)
        rates = ConnectionRates(self._limits, asyncio.get_running_loop().time)
        self.reception.users.enter(identity.user.user_id)
        connection = Connection(connection_id, self.door, socket, identity, account, uploads, rates)
        self.accepted[connection_id] = connection
        self._empty.clear()
        self._await_expiry(connection)
        self.reception.sweeper.start()
        return connection

    def disconnected(self, connection_id: ConnectionId) -> None:
        """Take somebody out of everything."""
        connection = self.accepted.pop(connection_id)
        if connection.expiry is not None:
            connection.expiry.cancel()
        connection.gone = True
        self.reception.users.leave(connection.identity.user.user_id)
        connection.uploads.forget_all()
        for document_id in list(connection.seats):
            connection.leave(document_id)
        if not self.accepted:
            self._empty.set()

    async def received(self, connection_id: ConnectionId, ack_id: int | None, event: list[Any]) -> None:
        """Carry an event out and answer it; never raises."""
        connection = self.accepted[connection_id]
        name, *arguments = event
        try:
            request = requests.decode_request(name, arguments)
            await connection.admit(request, answered=ack_id is not None)
            if connection_id not in self.accepted:
                return  # the connection went while the event waited for its turn
            if connection.expired and not isinstance(request, requests.Authenticate | requests.Leave):
                raise unauthenticated(EXPIRED)
            value = await self._carry_out(connection, ack_id, request)
            if ack_id is not None and value is not None:
                connection.socket.push(ack_packets(ack_id, value))
        except Exception as error:  # noqa: BLE001 - a bug of ours costs one answer, not the connection
            self.refuse(connection, ack_id, event, error)

    async def _carry_out(self, connection: Connection, ack_id: int | None, request: requests.ClientRequest) -> Value:
        """Return the answer, or None if the answer comes through the connection later."""
        match request:
            case requests.Update():
                await self._receive(connection, ack_id, request)
                return None
            case requests.Upload(document_id):
                return await self._receive_part(connection, ack_id, request)
            case requests.Presence(document_id, state):
                connection.seat_in(document_id).moves(state)
            case requests.Broadcast(document_id, payload):
                connection.seat_in(document_id).broadcast(payload)
            case requests.Join():
                return await self._join(connection, request)
            case requests.Fetch(document_id, index):
                return {"chunk": connection.seat_in(document_id).part(index)}
            case requests.Leave(document_id):
                connection.leave(document_id)
            case requests.Authenticate():
                return await self._authenticate(connection, request)
            case _:
                assert_never(request)
        return {}

    async def _join(self, connection: Connection, join: requests.Join) -> Value:
        if self._draining:
            raise shutting_down()
        held = connection.seats
        if join.document_id not in held and len(held) >= self._limits.documents_per_connection:
            raise ProtocolError(Code.TOO_MANY, f"One connection may hold {len(held)} documents. Leave one first.")
        seat, answer, info = await self._rooms.join(
            join.document_id,
            join.request,
            connection.identity,
            connection,
            link=join.link,
            account=connection.account,
        )
        if connection.expired:
            seat.leave()
            raise unauthenticated(EXPIRED)
        connection.sits_down(seat)
        return encode_join_answer(answer, info, self._room_limits)

    async def _authenticate(self, connection: Connection, request: requests.Authenticate) -> Value:
        """Take a guest's other name, or a fresh token of the same person.

        A connection never becomes somebody else's.
        """
        identity = await self._renew(connection.identity, request)
        if connection.connection_id not in self.accepted:
            return None  # the connection went meanwhile
        connection.identity = identity
        for seat in connection.seats.values():
            seat.renew(identity)
        self._await_expiry(connection)
        return {"user": identity.user}

    async def _renew(self, before: Identity, request: requests.Authenticate) -> Identity:
        """Return a guest under another name, or the same person by a fresh token.

        A connection never becomes somebody else's. Raises ManyhandsError, and then the identity
        from before holds.
        """
        if request.guest is not None:
            if before.kind != "guest":
                raise ProtocolError(Code.FORBIDDEN, "Your name comes from where you signed in: change it there.")
            return rename(before, request.guest)
        if before.kind == "guest":
            raise ProtocolError(Code.FORBIDDEN, "This server takes no tokens: everybody is a guest.")
        identity = await self._authenticator.identify(Credentials(None, request.token, requests.Guest()))
        if identity.user.user_id != before.user.user_id:
            raise somebody_else()
        return identity

    def _await_expiry(self, connection: Connection) -> None:
        """Begin to wait for the end of a connection's identity, if it has one.

        An earlier wait is cancelled.
        """
        if connection.expiry is not None:
            connection.expiry.cancel()
        connection.expired, connection.expiry = False, None
        expires_at = connection.identity.expires_at
        if expires_at is not None:
            seconds = max(0.0, expires_at - self._now())
            connection.expiry = asyncio.get_running_loop().call_later(seconds, self._expire, connection)

    def _expire(self, connection: Connection) -> None:
        """Take a person out of everything, because their sign-in has run out.

        They stay out until they bring a fresh token.
        """
        connection.expired = True
        closed = ClosedMessage(Code.UNAUTHENTICATED, EXPIRED)
        for document_id in list(connection.seats):
            connection.say(document_id, closed)
            connection.leave(document_id)

    async def _receive(self, connection: Connection, ack_id: int | None, update: requests.Update) -> None:
        most = self._room_limits.part_bytes
        if len(update.batch) > most:
            raise ProtocolError(Code.TOO_LARGE, f"A message has at most {most} bytes of content. Upload it in parts.")
        await self._receive_whole(connection, ack_id, update)

    async def _receive_part(self, connection: Connection, ack_id: int | None, upload: requests.Upload) -> Value:
        seat = connection.seat_in(upload.document_id)
        if upload.offset == 0:
            seat.check_writing()
        progress = connection.uploads.receive(upload)
        if isinstance(progress, int):
            return {"received": progress}
        try:
            await self._receive_whole(
                connection, ack_id, requests.Update(upload.document_id, progress.batch, upload.after)
            )
        finally:
            progress.lease.release()
        return None

    async def _receive_whole(self, connection: Connection, ack_id: int | None, update: requests.Update) -> None:
        request = None if ack_id is None else Request(ack_id)
        checking = connection.seat_in(update.document_id).receive(update.batch, request, update.after)
        if checking is not None:
            await checking

    def refuse(self, connection: Connection, ack_id: int | None, event: list[Any], error: Exception) -> None:
        """Answer an event that failed.

        If it is an update without an ack, end its session instead.
        """
        refusal = _refusal_of(error)
        if ack_id is not None:
            connection.socket.push(ack_packets(ack_id, encode_error(refusal)))
        elif (document_id := _document_of_update(event)) in connection.seats:
            closed = ClosedMessage(refusal.code, refusal.outward)
            connection.say(document_id, closed)
            connection.leave(document_id)
        self.door.complain(connection.socket, refusal.code, refusal.outward)
        if refusal.code in (Code.MALFORMED, Code.UNKNOWN_EVENT):
            self._count_strike(connection)

    def _count_strike(self, connection: Connection) -> None:
        connection.strikes += 1
        socket = connection.socket
        if connection.strikes >= self._limits.strikes:
            log.warning("connection_aborted", reason="too many protocol errors", address=socket.address)
            socket.end(cut=True)


def _refusal_of(error: Exception) -> ManyhandsError:
    """Return the refusal to answer with. A bug of ours is logged."""
    if isinstance(error, ManyhandsError):
        return error
    log.error("event_failed", kind="event", exc_info=error)
    return InvariantError("The server made a mistake. It has been logged.")


def _document_of_update(event: list[Any]) -> DocumentId:
    """Return the document that an event was to change; the empty id for none.

    The event may be malformed.
    """
    name, *arguments = event
    is_update = name == "update" and len(arguments) > 0 and isinstance(arguments[0], str)
    return DocumentId(arguments[0] if is_update else "")
