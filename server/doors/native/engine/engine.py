"""Engine, and Socket.IO server on top: the sockets of one node, and whole events out of packets.

engineio judges every request: its origin, its transport, its session. `Engine` refuses requests
before that engineio would answer badly, and makes and serves the sockets (engine_socket.py).

`StrictServer` replaces whatever a stranger can reach of python-socketio: who is connected, the way
messages come in, the way connections end, and the time without CONNECT.
"""

import asyncio
import json
import logging
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs, unquote_to_bytes

import engineio

from crdt.errors import Code, InvariantError, ManyhandsError, ProtocolError
from crdt.ids import ConnectionId
from crdt.protocol.frames import read_update
from crdt.protocol.messages import encode_error
from server.auth.base import Identity
from server.auth.cookies import session_cookie
from server.doors.close_codes import helps_to_come_back
from server.doors.entrance import FOREIGN_PAGE, note_foreign_page
from server.doors.native.engine.engine_socket import BODY_SECONDS, EngineSocket, Environ, Inside, Message, Receive, Send
from server.doors.native.engine.library import socketio, socketio_packet
from server.doors.native.engine.packets import (
    NAMESPACE,
    YJS_NAMESPACE,
    BadFrame,
    PacketQueue,
    StrictPacket,
    connected_packets,
)
from server.doors.reception import Reception
from server.observe import log
from server.rooms.shares import Turnstile

_library_log = logging.getLogger("manyhands.socketio")
_library_log.setLevel(logging.ERROR)
"""The log of the two libraries. Below errors they write session ids and content."""

ONE_NAMESPACE = "One connection has one document. Leave forceNew as it is."

_TOO_MANY = "Too many connections. Close some pages, or try again later."

SESSION_HEADER = "Manyhands-Session"
"""The header, in the answer that begins a session of long-polling, with the session's id."""

_GUARDS = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))


class Engine(engineio.AsyncServer):  # type: ignore[misc]
    """The sockets of one server. Its maker sets `listener` and `backlog_bytes`."""

    listener: "StrictServer"
    backlog_bytes: int
    sockets: dict[str, EngineSocket]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._serving: set[asyncio.Task[Any]] = set()
        self._turnstile = Turnstile()
        self.draining = False
        """Whether no session is begun any more."""
        terms = {
            "pingInterval": int(self.ping_interval * 1000),
            "pingTimeout": int(self.ping_timeout * 1000),
            "maxPayload": self.max_http_buffer_size,
        }
        self.terms = json.dumps(terms, separators=(",", ":"))[1:-1]
        """What each session is told on opening, as the inside of a JSON object."""

    def create_queue(self) -> PacketQueue:
        return PacketQueue()

    async def handle_request(self, scope: Environ, receive: Receive, send: Send) -> Any:
        """Answer one HTTP request or WebSocket handshake whose first message arrives in time."""
        try:
            first = await self._first(scope, receive)
        except TimeoutError:
            guards = [(name.lower().encode(), value.encode()) for name, value in _GUARDS]
            await send({"type": "http.response.start", "status": 408, "headers": guards})
            await send({"type": "http.response.body", "body": b""})
            return None
        if first["type"] not in {"http.request", "websocket.connect"}:
            return None  # The peer left. engineio would trip over a request without a method.
        task = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        if self.draining and scope["type"] == "http" and not self._is_of_a_session_here(scope):
            # Connections that a balancer keeps open to this node still lead here after the port is
            # closed. Another node would not know the session.
            gone = _refusal("503 SERVICE UNAVAILABLE", Code.DRAINING, "This server is shutting down; connect again.")
            return await self._make_response(
                {**gone, "headers": [*gone["headers"], ("Connection", "close")]}, _environ(scope, send)
            )
        if not _names_transport(scope.get("query_string", b"")):
            refused = self._bad_request("Name a transport: polling or websocket.")
            return await self._make_response(refused, _environ(scope, send))
        messages = iter([first])

        async def replay() -> Message:
            return next(messages, None) or await receive()

        answered = await super().handle_request(scope, replay, send)
        if isinstance(answered, EngineSocket):
            # Only here. Otherwise engineio would keep its WSGI environment of the request as long
            # as the connection lives: 5 kB.
            await answered.serve(receive, send)
        return None

    async def _first(self, scope: Environ, receive: Receive) -> Message:
        if scope["type"] == "websocket":
            return await receive()  # the server sends the connect message by itself, at once
        async with asyncio.timeout(BODY_SECONDS):
            return await receive()

    async def _new_socket(self, scope: Environ) -> EngineSocket | None:
        """Make a socket in its turn; return None if there are too many."""
        client = scope.get("client")
        address = client[0] if client else ""  # engineio's REMOTE_ADDR is a constant
        await self._turnstile.go_through(address)
        socket = EngineSocket(self, self.generate_id(), address, session_cookie(scope))
        if not self.listener.opened(socket):
            return None
        self.sockets[socket.sid] = socket
        return socket

    async def _handle_connect(self, environ: Environ, transport: str, jsonp_index: object = None) -> Any:  # noqa: ARG002
        if (transport == "websocket") != (environ["asgi.scope"]["type"] == "websocket"):
            return self._bad_request()
        socket = await self._new_socket(environ["asgi.scope"])
        if socket is None:
            return _refusal("429 TOO MANY REQUESTS", Code.TOO_MANY, _TOO_MANY)
        socket.open(self._upgrades(socket.sid, transport))
        if transport == "websocket":
            return socket  # engineio returns to `handle_request` what is no answer
        socket.connected = True
        # For a balancer. It cannot read the session's id in the body, but must send what names the
        # id to this node.
        return self._ok(await socket.poll(), [(SESSION_HEADER, socket.sid)])

    def _is_of_a_session_here(self, scope: Environ) -> bool:
        query = parse_qs(scope.get("query_string", b""))
        return any(sid.decode(errors="replace") in self.sockets for sid in query.get(b"sid", []))

    async def until_served(self, seconds: float) -> None:
        """Wait until nothing is being answered, but at most so many seconds, and cut the rest."""
        if self._serving:
            await asyncio.wait(self._serving, timeout=seconds)
        for socket in list(self.sockets.values()):
            socket.end(cut=True)

    def forget(self, socket: EngineSocket) -> None:
        """Drop a socket that has ended, and tell the listener."""
        self.sockets.pop(socket.sid, None)
        self.listener.ended(socket)

    def _bad_request(self, message: str | None = None) -> dict[str, Any]:
        """Refuse a request as the protocol writes it, and repeat nothing of what was sent."""
        if message is not None and message.endswith(_FOREIGN):
            return _refuse_origin(message.removesuffix(_FOREIGN))
        if message is not None and message.startswith("Invalid session"):
            message = "There is no such session here. Connect again."
        return _refusal("400 BAD REQUEST", Code.MALFORMED, message or "This is not a request of Engine.IO 4.")

    async def _make_response(self, response_dict: dict[str, Any], environ: Environ) -> Any:
        """Answer with headers that forbid to keep the answer or to guess its type."""
        return await super()._make_response(
            {**response_dict, "headers": [*response_dict["headers"], *_GUARDS]}, environ
        )

    def _log_error_once(self, message: str, message_key: str) -> None:
        """Write nothing. engineio's messages hold session ids and whatever else the peer sent."""


_FOREIGN = " is not an accepted origin."
"""The end of engineio's sentence about an origin."""


def _refuse_origin(origin: str) -> dict[str, Any]:
    """Refuse another origin's page. Any page may read the sentence, which is the same for all."""
    note_foreign_page(origin)
    refused = _refusal("403 FORBIDDEN", Code.WRONG_ORIGIN, FOREIGN_PAGE)
    return {**refused, "headers": [*refused["headers"], ("Access-Control-Allow-Origin", "*")]}


def _names_transport(query: bytes) -> bool:
    """Whether a query names a transport, perhaps with escapes.

    engineio would take a query without one for polling.
    """
    return any(field.partition(b"=")[0] == b"transport" for field in unquote_to_bytes(query).split(b"&"))


def _environ(scope: Environ, send: Send) -> Environ:
    """Return as much of engineio's WSGI environment as an answer needs."""
    return {"REQUEST_METHOD": scope.get("method", "GET"), "asgi.scope": scope, "asgi.send": send}


def _refusal(status: str, code: Code, message: str) -> dict[str, Any]:
    """Return a refusal in the form of engineio's answers."""
    body = json.dumps(encode_error(ProtocolError(code, message))).encode()
    return {"status": status, "headers": [("Content-Type", "application/json")], "response": body}


Known = TypeVar("Known")
"""What an application finds out about a stranger."""


class Application(Protocol[Known]):
    """The application that the connections of one protocol speak to."""

    message_bytes: int
    """Most bytes of one message."""

    async def recognise(self, socket: EngineSocket, payload: object) -> Known:
        """Find out who says CONNECT, and in which protocol. Whatever is raised refuses them.

        They may be gone when this returns.
        """

    def connected(self, connection_id: ConnectionId, socket: EngineSocket, known: Known) -> Inside:
        """Let them in. Whatever is raised refuses them."""

    async def received(self, connection_id: ConnectionId, ack_id: int | None, event: list[Any]) -> None:
        """Act on an event, name first, or on an ack, whose name is empty. Raises nothing.

        While this waits, the connection's next event waits as well.
        """

    def disconnected(self, connection_id: ConnectionId) -> None:
        """Take note that a connection that `connected` accepted is over. Called once."""


class StrictServer(socketio.AsyncServer):  # type: ignore[misc]
    """The engine's listener. Tells an Application of connections and events."""

    eio: Engine

    def __init__(
        self,
        application: Application[Identity],
        reception: Reception,
        *,
        message_bytes: int,
        backlog_bytes: int,
    ) -> None:
        super().__init__(
            async_mode="asgi",
            logger=_library_log,
            engineio_logger=_library_log,
            async_handlers=False,
            serializer=StrictPacket,
            cors_allowed_origins=reception.origins.allow,
            cors_credentials=False,
            http_compression=False,
            max_http_buffer_size=message_bytes,
            monitor_clients=False,
            ping_interval=reception.limits.ping_interval,
            ping_timeout=reception.limits.ping_timeout,
        )
        self.eio.listener = self
        self.eio.backlog_bytes = backlog_bytes
        self._application: Application[Any] = application
        self.yjs: Application[Any] | None = None
        """The application of y-socket.io's clients."""
        self._limits = reception.limits
        self.entrance = reception.entrance
        self.complaints = reception.complaints
        self._connect_timers: dict[str, asyncio.TimerHandle] = {}

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    # The engine's listener

    def opened(self, socket: EngineSocket) -> bool:
        """Let a handshake wait for its CONNECT, for a while. Return False to refuse it."""
        if not self.entrance.knock(socket.address):
            self.complaints.note("too many handshakes", socket.address, socket.told)
            return False
        self._expect_connect(socket)
        return True

    async def received(self, socket: EngineSocket, data: str | bytes) -> None:
        """Put packets and attachments together and act on what is whole.

        Raises BadFrame, nothing else. While this waits, nothing more is read from the socket.
        """
        packet, socket.half = socket.half, None
        if packet is None:
            if isinstance(data, bytes) and socket.protocol > 1:
                await self._act_on_frame(socket, data)
                return
            packet = StrictPacket(encoded_packet=data) if data else None
            if packet is None or isinstance(data, bytes):
                raise BadFrame("an attachment that no event announced")
            if packet.attachment_count:
                socket.half = packet
                return
        elif isinstance(data, bytes):
            packet.add_attachment(data)
        else:
            raise BadFrame("an event's attachment is missing")
        await self._act(socket, packet)

    def bad_frame(self, socket: EngineSocket, bad: BadFrame) -> None:
        """Take note that the peer broke the rules. The socket has been cut."""
        self.complaints.note(bad.message, socket.address, socket.told)

    def ended(self, socket: EngineSocket) -> None:
        """Forget everything about a socket. Called once."""
        was_inside = self._leave(socket)
        self._stop_timer(socket)
        socket.half = None
        self.entrance.leave(socket.address, was_inside=was_inside)

    # Connections

    async def _act(self, socket: EngineSocket, packet: StrictPacket) -> None:
        match packet.packet_type:
            case socketio_packet.CONNECT:
                if socket.greeting or (socket.inside is not None and packet.namespace == socket.namespace):
                    raise BadFrame("a second CONNECT")
                await self._greet(socket, packet)
            case socketio_packet.DISCONNECT:
                if packet.namespace == socket.namespace and self._leave(socket):
                    self.entrance.step_out(socket.address)
                    self._expect_connect(socket)
            case _:
                if socket.inside is None or packet.namespace != socket.namespace:
                    raise BadFrame("an event before CONNECT")
                is_ack = packet.packet_type == socketio_packet.BINARY_ACK
                event = ["", *packet.data] if is_ack else packet.data
                await self._application_of(socket).received(socket.inside.connection_id, packet.id, event)

    async def _act_on_frame(self, socket: EngineSocket, data: bytes) -> None:
        """Act on a message that is one frame by itself."""
        if socket.inside is None:
            raise BadFrame("an event before CONNECT")
        try:
            frame = read_update(data)
        except ProtocolError:
            raise BadFrame("a binary frame that is no message of its own") from None
        row = () if frame.after is None else (frame.after,)
        event = ["update", frame.document_id, *row, frame.batch]
        await self._application_of(socket).received(socket.inside.connection_id, frame.ack_id, event)

    async def _greet(self, socket: EngineSocket, packet: StrictPacket) -> None:
        """Answer a CONNECT as python-socketio does, without its way to a handler and its registers.

        They are two fifths of the whole work.
        """
        namespace = packet.namespace
        if socket.inside is not None:
            await self._turn_away(socket, ProtocolError(Code.TOO_MANY, ONE_NAMESPACE), namespace)
            return
        if namespace != NAMESPACE and (self.yjs is None or not namespace.startswith(YJS_NAMESPACE)):
            self.complaints.note("another namespace", socket.address, socket.told)
            await self._turn_away(socket, ProtocolError(Code.MALFORMED, "Connect to the namespace /."), namespace)
            return
        socket.namespace, socket.protocol = namespace, 1
        sid, socket.greeting = self.eio.generate_id(), True
        try:
            await self._accept(ConnectionId(sid), socket, packet.data or None)
        except ManyhandsError as refusal:
            await self._refuse(socket, refusal)
        else:
            socket.push(connected_packets(sid, namespace, socket.protocol))
        finally:
            socket.greeting = False

    async def _refuse(self, socket: EngineSocket, refusal: ManyhandsError) -> None:
        """Answer a CONNECT with its refusal.

        After such an answer, y-socket.io's clients come back no more. If coming back helps, they
        lose their connection instead.
        """
        if refusal.code is not Code.DRAINING:
            self.complaints.note(refusal.code.value, socket.address, socket.told, refusal.outward)
        if socket.namespace == NAMESPACE:
            await self._turn_away(socket, refusal, NAMESPACE)
            return
        if helps_to_come_back(refusal.code):
            socket.end()
        else:
            await self._turn_away(socket, refusal, socket.namespace)

    def _application_of(self, socket: EngineSocket) -> Application[Any]:
        return self._application if socket.namespace == NAMESPACE or self.yjs is None else self.yjs

    async def _turn_away(self, socket: EngineSocket, refusal: ManyhandsError, namespace: str) -> None:
        reason = {"message": refusal.outward, "data": encode_error(refusal)["error"]}
        await self._send_packet(
            socket.sid, self.packet_class(socketio_packet.CONNECT_ERROR, reason, namespace=namespace)
        )

    async def _accept(self, connection_id: ConnectionId, socket: EngineSocket, payload: object) -> None:
        """Let a connection in.

        Whatever goes wrong is a refusal. Otherwise a half-made connection would be kept for good.
        While the authenticator is asked, the connection waits at the entrance: it may end, or its
        time may run out.
        """
        try:
            application = self._application_of(socket)
            known = await application.recognise(socket, payload)
            if socket.closed:
                raise ProtocolError(Code.DRAINING, "The connection has ended.")
            self.entrance.enter(socket.address)
            try:
                socket.inside = application.connected(connection_id, socket, known)
            except BaseException:
                self.entrance.step_out(socket.address)
                raise
        except ManyhandsError:
            raise
        except Exception as error:
            log.exception("event_failed", kind="connect")
            raise InvariantError("The server made a mistake. It has been logged.") from error
        self._stop_timer(socket)
        socket.bound_messages(application.message_bytes)

    def _leave(self, socket: EngineSocket) -> bool:
        """Take a socket's connection out, if it has one that was let in."""
        inside, socket.inside = socket.inside, None
        if inside is None:
            return False
        self._application_of(socket).disconnected(inside.connection_id)
        return True

    def _expect_connect(self, socket: EngineSocket) -> None:
        socket.bound_messages(self._limits.greeting_bytes)
        expire = asyncio.get_running_loop().call_later
        self._connect_timers[socket.sid] = expire(self._limits.connect_seconds, self._give_up, socket)

    def _give_up(self, socket: EngineSocket) -> None:
        self.complaints.note("no CONNECT in time", socket.address, socket.told)
        socket.end(cut=True)

    def _stop_timer(self, socket: EngineSocket) -> None:
        timer = self._connect_timers.pop(socket.sid, None)
        if timer is not None:
            timer.cancel()
