"""Fast lane: frames written straight to the TCP transport, and hot messages read as they arrive.

Under an ASGI server each frame costs a task's turn and a queue's, both ways. An edit in a full room
is hundreds of frames. `FastLane` is uvicorn's own WebSocket protocol with two short cuts:

- **Out**: `outlet` takes frames that were encoded once for everybody, and hands them to the kernel
  (outlet.py). What the kernel does not take waits in the transport, which shares the bytes among
  all connections.
- **In**: a hot message is offered to the `hearer` at once and whole, unless something before it
  still waits to be read through ASGI. Hot is a short text, or a short text that announces one
  attachment, together with it, or a short binary message behind no such text. What the hearer does
  not take goes through ASGI, as it is.

Everything else is uvicorn's affair: control frames, fragments, long messages, broken frames.
uvicorn is given the very bytes in their order, in whole frames. Handshakes are uvicorn's affair as
well, except the plain one that browsers make. uvicorn's HTTP protocol has taken its head apart, so
websockets need not read the head once more (handshake.py).

This module alone knows the insides of uvicorn and websockets. It is tried with the releases in
`TRIED`. Beside any other release, `websocket_protocol` falls back to the ordinary protocol, and
logs that.
"""

import asyncio
from collections.abc import MutableMapping
from importlib.metadata import version
from typing import Any, Protocol
from urllib.parse import unquote

import websockets.protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.frames import apply_mask  # type: ignore[attr-defined]  # compiled, where that is to be had
from websockets.http11 import Response
from websockets.protocol import State

from server.doors.native.lane import handshake
from server.doors.native.lane.outlet import WHOLE_BINARY, WHOLE_TEXT, Outlet
from server.observe import log

TRIED = {"uvicorn": "0.54.0", "websockets": "17.4"}
"""The releases that the fast lane is tried with: those in the lock file."""

HOT_BYTES = 16 * 2**10
"""Messages above this size take the ordinary way.

A partial message below it is buffered, so this is also the most memory that one silent peer holds.
"""

_MASKED = 0x80
_HOT_KINDS = (WHOLE_TEXT, WHOLE_BINARY)
_ANNOUNCES_ONE = b"451-"  # Engine.IO message, Socket.IO binary event, one attachment


class Hearer(Protocol):
    """The receiver of hot messages."""

    def hear(self, text: bytes, attachment: bytes | None) -> bool:
        """Act on a message now; never raises. A binary message by itself has an empty text.

        Return False if nothing has happened, and the message is to go the ordinary way.
        """


_Frame = tuple[int, int, int]  # two for each edit: a NamedTuple takes five times as long to make
"""A frame's first byte, where its content begins, and its end.

The content begins right behind the mask; 0 if the frame has no mask. The end may not have come yet.
"""


UNREADABLE = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class FastLane(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol with the short cuts.

    The owner of the connection sets `hearer`, and writes to `outlet`.
    """

    hearer: Hearer | None = None
    outlet: Outlet
    _framed = False
    """Whether arriving bytes are frames that begin where we think.

    The request's head is through then, and nobody has broken the rules.
    """

    _kept = b""
    _passing = 0
    """Bytes still to come of a frame that goes the ordinary way."""

    _accept: bytes | None = None
    """The value that accepts the handshake, while it is to be answered here."""

    # Coming and going

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, with a request to be read."""
        super().connection_made(transport)
        self._open_outlet()

    def _open_outlet(self) -> None:
        self.outlet = Outlet(self.transport, lambda: self.close_sent)

    def connection_lost(self, exc: Exception | None) -> None:
        """End. The socket is closed after this."""
        self.outlet.close()
        super().connection_lost(exc)

    # Handshake

    @classmethod
    def instead_of(cls, http: HttpToolsProtocol) -> "FastLane | None":
        """Go on with a connection whose first request is a plain handshake.

        Return None if websockets must read the request's head.
        """
        earlier: Any = http.cycle
        if earlier is not None:
            return None
        head = http.scope
        accept = handshake.acceptance(head["method"], http.url, head["http_version"], http.headers)
        if accept is None:
            return None
        lane = cls(http.config, http.server_state, http.app_state)
        lane.transport, lane.server, lane.client = http.transport, http.server, http.client
        lane.scheme = "wss" if http.scheme == "https" else "ws"
        lane.connections.add(lane)
        lane._open_outlet()
        lane._accept = accept
        # Of frames only, because there is no request to be read.
        lane.conn.parser = websockets.protocol.Protocol.parse(lane.conn)
        next(lane.conn.parser)
        lane._serve(http.url, http.headers)
        return lane

    def _serve(self, url: bytes, headers: handshake.Headers) -> None:
        """Begin to serve by ASGI, as `handle_connect` does."""
        path, _, query = url.partition(b"?")
        root = self.root_path
        self.scope = {
            "type": "websocket",
            "asgi": {"version": self.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": self.scheme,
            "server": self.server,
            "client": self.client,
            "root_path": root,
            "path": root + unquote(path.decode()),
            "raw_path": root.encode() + path,
            "query_string": query,
            "headers": headers,
            "subprotocols": [],
            "state": self.app_state.copy(),
            "extensions": {"websocket.http.response": {}},
        }
        self.handshake_initiated = self._framed = True
        self.queue.put_nowait({"type": "websocket.connect"})
        task = self.loop.create_task(self.run_asgi())
        task.add_done_callback(self.on_task_complete)
        self.tasks.add(task)

    async def send(self, message: MutableMapping[str, Any]) -> None:  # type: ignore[override]
        """Send by ASGI. An accept that adds headers or a subprotocol is left to websockets."""
        # As uvicorn is about to do. It will then write without letting anybody in between.
        await self.writable.wait()
        self.outlet.make_way()
        if self._accept is None or message["type"] != "websocket.accept" or self.handshake_complete:
            await super().send(message)  # type: ignore[arg-type]
            # A refusal in words completes the handshake too, which uvicorn forgets.
            self.handshake_complete |= self.close_sent
        elif message.get("headers") or message.get("subprotocol"):
            lines = {"Date": "", "Upgrade": "websocket", "Connection": "Upgrade"}
            lines["Sec-WebSocket-Accept"] = self._accept.decode()
            self.response = Response(101, "Switching Protocols", Headers(lines))
            await super().send(message)  # type: ignore[arg-type]
        elif self.disconnected:
            raise ClientDisconnected
        elif not self.transport.is_closing():
            self.handshake_complete = True
            self.conn.state = State.OPEN
            self.transport.write(handshake.answer(self._accept, self.default_headers))
            self.start_keepalive()

    def shutdown(self) -> None:
        """Close, because the server stops.

        Peers that were told goodbye get uvicorn's time to answer. A TCP connection that is closed
        while its peer is still sending is reset. The reset takes along what the peer has not read
        yet: the last answers.
        """
        if not self.close_sent:
            self.outlet.make_way()
            super().shutdown()

    # In

    def data_received(self, data: bytes) -> None:  # noqa: PLR0915 - the hottest loop: a call costs as much as what it does
        """Offer hot messages to the hearer, and pass on the rest."""
        if not self._framed:
            self._read_head(data)
            return
        # The beginning of a frame or message that came in part is read again together with its
        # rest.
        if self._kept:
            data, self._kept = self._kept + data, b""
        # Bytes before `begin` are dealt with. Bytes from `begin` to `at` go the ordinary way, all
        # in one piece and before anything that comes behind them.
        begin, at, end = 0, min(self._passing, len(data)), len(data)
        self._passing -= at
        while at < end and self._framed:
            frame = _frame_at(data, at)
            if frame is None:
                if begin < at:
                    self._pass(data[begin:at])
                self._kept = data[at:]
                return
            if not frame[1]:
                # Websockets will say that clients must mask. Nothing that follows counts.
                self._framed = False
                at = end
            elif (message := self._hot(data, frame)) is None:
                at = min(frame[2], end)
                self._passing = frame[2] - at
            else:
                text, attachment, message_end = message
                if begin < at:
                    # The hearer must not get ahead of what came before.
                    self._pass(data[begin:at])
                begin = at
                if message_end > end:
                    self._kept = data[at:]
                    return
                # A message that is not heard stays between `begin` and `at`, and goes the ordinary
                # way.
                if self._is_heard(text, attachment):
                    begin = message_end
                at = message_end
        if begin < end:
            self._pass(data[begin:])

    def _read_head(self, data: bytes) -> None:
        """Leave bytes to websockets, because the handshake is not through.

        Frames begin at the next chunk only if websockets' reader has kept nothing of this one. To a
        head that it cannot read, websockets has an answer. uvicorn would neither send the answer
        nor close, and would fail when the server stops.
        """
        self._pass(data)
        self._framed = self.handshake_initiated and not self.close_sent and not self.conn.reader.buffer
        if not self.handshake_initiated and self.conn.handshake_exc is not None:
            self.logger.warning("A WebSocket's request was refused: %s", self.conn.handshake_exc)
            self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()) or UNREADABLE)
            self.transport.close()

    def _pass(self, data: bytes) -> None:
        self.outlet.make_way()
        super().data_received(data)

    def _hot(self, data: bytes, frame: _Frame) -> tuple[bytes, bytes | None, int] | None:
        """Return a hot message that begins with this frame, and its end; None if it is not hot.

        The end may not have come yet. The message is then empty.
        """
        first_byte, begin, end = frame
        if first_byte not in _HOT_KINDS or end - begin > HOT_BYTES or self.hearer is None:
            return None
        come = len(data)
        if end > come:
            return b"", None, end
        text = apply_mask(data[begin:end], data[begin - 4 : begin])
        if first_byte == WHOLE_BINARY or not text.startswith(_ANNOUNCES_ONE):
            return (b"", text, end) if first_byte == WHOLE_BINARY else (text, None, end)
        if end == come:
            return b"", None, end + 1  # its attachment is still to come
        attachment = _frame_at(data, end)
        if attachment is None:
            return b"", None, come + 1
        first_byte, begin, end = attachment
        if first_byte != WHOLE_BINARY or not begin or end - begin > HOT_BYTES:
            return None
        if end > come:
            return b"", None, end
        return text, apply_mask(data[begin:end], data[begin - 4 : begin]), end

    def _is_heard(self, text: bytes, attachment: bytes | None) -> bool:
        """Offer a message, if none is half here and nobody has said goodbye.

        A message that is not taken at once is given to ASGI as it is.
        """
        if self.frames or self.conn._state is not State.OPEN or self.close_sent:
            return False
        hearer = self.hearer
        if hearer is not None and self.queue.empty() and hearer.hear(text, attachment):
            return True
        return self._deliver(text, attachment)

    def _deliver(self, text: bytes, attachment: bytes | None) -> bool:
        """Put a whole message where websockets would put it.

        Websockets would find in these bytes what has been found already.
        """
        try:
            if text or attachment is None:
                self.queue.put_nowait({"type": "websocket.receive", "text": text.decode()})
        except UnicodeDecodeError:
            return False
        if attachment is not None:
            self.queue.put_nowait({"type": "websocket.receive", "bytes": attachment})
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()
        return True


def _frame_at(data: bytes, at: int) -> _Frame | None:
    """Read a frame's head; return None if it is not whole."""
    come = len(data)
    if come - at < 2:
        return None
    first_byte, length = data[at], data[at + 1] - _MASKED
    if length < 0:
        return first_byte, 0, 0
    begin = at + 6
    if length >= 126:
        size = 2 if length == 126 else 8
        if come - at < 2 + size:
            return None
        length = int.from_bytes(data[at + 2 : at + 2 + size], "big")
        begin += size
    return (first_byte, begin, begin + length) if begin <= come else None


def lane_of(send: Any) -> FastLane | None:
    """Return the lane behind an ASGI `send`, if uvicorn runs with one and nothing wraps it."""
    protocol = getattr(send, "__self__", None)
    return protocol if isinstance(protocol, FastLane) else None


def websocket_protocol() -> Any:
    """Return the value for uvicorn's `ws`.

    That is the fast lane, or, beside releases that it is not tried with, the ordinary protocol.
    """
    other = {name: found for name, tried in TRIED.items() if (found := version(name)) != tried}
    if not other:
        return FastLane
    log.warning("fast_lane_off", reason=f"It is tried with {TRIED}, and this is {other}.")
    return "websockets-sansio"
