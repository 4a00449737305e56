"""Engine.IO's server: makes and serves the sockets of one node (engine_socket.py).

engineio judges every request: its origin, its transport, its session. Requests that engineio would
answer badly are refused here before.
"""

import asyncio
import json
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote_to_bytes

import engineio

from crdt.errors import Code, ProtocolError
from crdt.protocol.answers import encode_error
from server.auth.cookies import session_cookie
from server.doors.native.engine.engine_socket import BODY_SECONDS, EngineSocket, Environ, Message, Receive, Send
from server.doors.native.engine.frames import BadFrame
from server.doors.native.engine.outgoing import PacketQueue
from server.rooms.shares import Turnstile

_TOO_MANY = "Too many connections. Close some pages, or try again later."

SESSION_HEADER = "Manyhands-Session"
"""The header, in the answer that begins a session of long-polling, with the session's id."""

_GUARDS = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))


class Listener(Protocol):
    """Is told of the sockets."""

    def opened(self, socket: EngineSocket) -> bool:
        """Take note that a handshake is being answered. Return False to refuse it."""

    async def received(self, socket: EngineSocket, data: str | bytes) -> None:
        """Act on a message. Raises BadFrame, nothing else.

        While this waits, nothing more is read from the socket.
        """

    def bad_frame(self, socket: EngineSocket, bad: BadFrame) -> None:
        """Take note that the peer broke the rules. The socket has been cut."""

    def ended(self, socket: EngineSocket) -> None:
        """Take note that the socket is gone. Called once."""


class Engine(engineio.AsyncServer):  # type: ignore[misc]
    """The sockets of one server. Its maker sets `listener` and `backlog_bytes`."""

    listener: Listener
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
        if message is not None and message.startswith("Invalid session"):
            message = "There is no such session here. Connect again."
        elif message is not None and message.endswith("is not an accepted origin."):
            message = "Pages from elsewhere may not connect. If they should: MANYHANDS_ALLOWED_ORIGINS."
        return _refusal("400 BAD REQUEST", Code.MALFORMED, message or "This is not a request of Engine.IO 4.")

    async def _make_response(self, response_dict: dict[str, Any], environ: Environ) -> Any:
        """Answer with headers that forbid to keep the answer or to guess its type."""
        return await super()._make_response(
            {**response_dict, "headers": [*response_dict["headers"], *_GUARDS]}, environ
        )

    def _log_error_once(self, message: str, message_key: str) -> None:
        """Write nothing. engineio's messages hold session ids and whatever else the peer sent."""


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
