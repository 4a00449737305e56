"""The fast lane: WebSocket frames written straight to the TCP transport, and hot messages heard as their bytes arrive.

Under an ASGI server each frame costs a task's turn and a queue's, both ways; an edit in a full room is hundreds of them. `FastLane` is
uvicorn's own WebSocket protocol with two short cuts:

- **Out**: `write` takes frames that were encoded once for everybody. What the kernel does not take waits in the transport, which
  shares the bytes among all connections.
- **In**: a short text message, or a text that announces one attachment together with it, is offered to the `hearer` at once and whole,
  unless something before it still waits to be read through ASGI. What the hearer does not take goes through ASGI.

Everything else (handshake, control frames, fragments, long messages, broken frames) is uvicorn's affair, which is given the very
bytes in their order, in whole frames. This module alone knows uvicorn's and websockets' insides; it is tried with the releases in
`TRIED`, and `websocket_protocol` falls back to the ordinary protocol, and says so, beside any other.
"""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any, NamedTuple, Protocol

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import apply_mask  # type: ignore[attr-defined]  # compiled, where that is to be had
from websockets.protocol import State

from server.observe import log

TRIED = {"uvicorn": "0.54.0", "websockets": "17.4"}
"""What the fast lane is tried with: the releases in the lock file."""

HOT_BYTES = 16 * 2**10
"""Longer messages are not hot. What has come of a hot one is kept until it is whole, so this bounds what a silent peer occupies."""

_WHOLE_TEXT, _WHOLE_BINARY = 0x81, 0x82  # FIN and the opcode, no reserved bit
_MASKED = 0x80
_ANNOUNCES_ONE = b"451-"  # Engine.IO message, Socket.IO binary event, one attachment


class Hearer(Protocol):
    """Who hears hot messages."""

    def hear(self, text: bytes, attachment: bytes | None) -> bool:
        """Act on a message now; False: nothing has happened, it is to go the ordinary way. Never raises."""


class _Frame(NamedTuple):
    """Where a frame's mask, content and end are; the end may not have come yet."""

    first_byte: int
    mask: int
    content: int
    end: int


class FastLane(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol with the short cuts. `hearer` is set by whom the connection belongs to."""

    hearer: Hearer | None = None
    written = 0
    """Bytes that `write` has ever sent."""

    _framed = False
    """Whether what arrives is frames that begin where we think: the request's head is through, and nobody broke the rules."""

    _kept = b""
    _passing = 0
    """Bytes that are still to come of a frame that goes the ordinary way."""

    # Out

    def write(self, frames: bytes) -> int:
        """Send encoded frames behind all that was sent before; never waits. Return the bytes that the kernel has not taken.

        Without effect on a connection that is ending, of which the answer is 0.
        """
        transport = self.transport
        if self.disconnected or self.close_sent or transport.is_closing():
            return 0
        self.written += len(frames)
        transport.write(frames)
        return transport.get_write_buffer_size()

    def shutdown(self) -> None:
        """Close, for the server goes. Who has been told goodbye is given uvicorn's patience to answer it.

        A TCP connection that is closed while its peer is still sending is reset, and takes along what that one has not read yet: the
        last answers.
        """
        if not self.close_sent:
            super().shutdown()

    # In

    def data_received(self, data: bytes) -> None:
        """Hear what is hot, pass on the rest."""
        if not self._framed:
            super().data_received(data)
            self._framed = self.handshake_initiated and not self.close_sent and not self.conn.reader.buffer
            return
        if self._kept:
            data, self._kept = self._kept + data, b""
        begin, at, end = (
            0,
            min(self._passing, len(data)),
            len(data),
        )  # before `begin`: dealt with; until `at`: to be passed on
        self._passing -= at
        while at < end and self._framed:
            frame = _frame_at(data, at)
            if frame is None:
                self._pass(data[begin:at])
                self._kept = data[at:]
                return
            if frame.mask == 0:
                self._framed = False  # websockets will say that clients mask; nothing that follows counts
                at = end
            elif (message := self._hot(data, frame)) is None:
                at = min(frame.end, end)
                self._passing = frame.end - at
            else:
                text, attachment, message_end = message
                self._pass(data[begin:at])
                begin = at
                if message_end > end:
                    self._kept = data[at:]
                    return
                if self._is_heard(text, attachment):
                    begin = message_end
                at = message_end
        self._pass(data[begin:])

    def _pass(self, data: bytes) -> None:
        if data:
            super().data_received(data)

    def _hot(self, data: bytes, frame: _Frame) -> tuple[bytes, bytes | None, int] | None:
        """A hot message that begins with this frame, and its end, which may not have come yet; None: it is not hot."""
        if frame.first_byte != _WHOLE_TEXT or frame.end - frame.content > HOT_BYTES or self.hearer is None:
            return None
        if frame.end > len(data):
            return b"", None, frame.end
        text = _content(data, frame)
        if not text.startswith(_ANNOUNCES_ONE):
            return text, None, frame.end
        if frame.end == len(data):
            return b"", None, frame.end + 1  # its attachment is still to come
        attachment = _frame_at(data, frame.end)
        if attachment is None:
            return b"", None, len(data) + 1
        if (
            attachment.first_byte != _WHOLE_BINARY
            or not attachment.mask
            or attachment.end - attachment.content > HOT_BYTES
        ):
            return None
        if attachment.end > len(data):
            return b"", None, attachment.end
        return text, _content(data, attachment), attachment.end

    def _is_heard(self, text: bytes, attachment: bytes | None) -> bool:
        """Offer a message, if all that came before it has been read, none is half here, and nobody has said goodbye."""
        hearer = self.hearer
        return (
            hearer is not None
            and self.queue.empty()
            and not self.frames
            and self.conn.state is State.OPEN
            and not self.close_sent
            and hearer.hear(text, attachment)
        )


def write_to_all(lanes: Iterable[FastLane], frames: bytes, limit: int, but: FastLane | None) -> list[FastLane]:
    """`write` to many, except perhaps one; return those with more waiting than the limit.

    In a loop of its own, for this is what a server of one busy room does most of its time.
    """
    behind, size = [], len(frames)
    for lane in lanes:
        transport = lane.transport
        if lane is but or lane.close_sent or transport.is_closing():
            continue
        lane.written += size
        transport.write(frames)
        if transport.get_write_buffer_size() > limit:
            behind.append(lane)
    return behind


def _frame_at(data: bytes, at: int) -> _Frame | None:
    """Read a frame's head; None: it is not whole. `mask` is 0 in a frame that has none, as no client's may be."""
    if len(data) - at < 2:
        return None
    first_byte, length = data[at], data[at + 1]
    if length < _MASKED:
        return _Frame(first_byte, 0, 0, 0)
    length -= _MASKED
    at += 2
    if length >= 126:
        size = 2 if length == 126 else 8
        if len(data) - at < size:
            return None
        length = int.from_bytes(data[at : at + size], "big")
        at += size
    if len(data) - at < 4:
        return None
    return _Frame(first_byte, at, at + 4, at + 4 + length)


def _content(data: bytes, frame: _Frame) -> bytes:
    return apply_mask(data[frame.content : frame.end], data[frame.mask : frame.content])


def encode_frame(message: str | bytes) -> bytes:
    """Make a server's whole frame of a message."""
    if isinstance(message, str):
        first_byte, content = _WHOLE_TEXT, message.encode()
    else:
        first_byte, content = _WHOLE_BINARY, message
    length = len(content)
    if length < 126:
        return bytes((first_byte, length)) + content
    if length < 2**16:
        return bytes((first_byte, 126)) + length.to_bytes(2, "big") + content
    return bytes((first_byte, 127)) + length.to_bytes(8, "big") + content


def lane_of(send: Any) -> FastLane | None:
    """The lane behind an ASGI `send`, if uvicorn runs with one and nothing wraps it."""
    protocol = getattr(send, "__self__", None)
    return protocol if isinstance(protocol, FastLane) else None


def websocket_protocol() -> Any:
    """What uvicorn's `ws` is to be: the fast lane, or the ordinary protocol beside releases that it is not tried with."""
    other = {name: found for name, tried in TRIED.items() if (found := version(name)) != tried}
    if not other:
        return FastLane
    log.warning("fast_lane_off", reason=f"It is tried with {TRIED}, and this is {other}.")
    return "websockets-sansio"
