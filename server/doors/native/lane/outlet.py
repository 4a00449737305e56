"""Outlet of a connection: hands frames to the kernel at once, and the rest to the transport.

uvloop's transports keep what they are given until the end of the loop's turn. With a frame for each
of a hundred members, a hundred objects must be found in memory twice. A broadcast then waits for
memory, not for the kernel. It takes 20 µs a member, and 8 of these are the kernel's (tests/bench,
one typist). A socket's own `send` needs the socket and nothing else.

Two things make that safe:

- **Order.** Sometimes bytes wait in the transport, or somebody else is about to write to it. Then
  `give` takes nothing, and everything goes through the transport.
- **The socket is borrowed.** It has the transport's file descriptor, whose number belongs to a
  stranger as soon as it is closed. Transports tell their protocol that a connection is lost before
  they close it, and `close` gives the number back then.
"""

import asyncio
import socket as socket_module
from collections.abc import Awaitable, Callable, Iterable
from socket import AF_INET, IPPROTO_TCP, SOCK_STREAM, socket

WHOLE_TEXT, WHOLE_BINARY = 0x81, 0x82  # FIN and the opcode, no reserved bit


def _nothing(_frames: bytes) -> int:
    return 0


class Outlet:
    """The way out of one connection.

    `is_over` says whether nothing may be sent any more, though the transport is open.
    """

    __slots__ = ("_is_over", "_socket", "_transport", "give", "written")

    def __init__(self, transport: asyncio.Transport, is_over: Callable[[], bool]) -> None:
        self._transport = transport
        self._is_over = is_over
        self._socket = _borrowed(transport)
        self.give: Callable[[bytes], int] = _nothing
        """Hand bytes to the kernel; return how many it took.

        Raises OSError if the kernel takes none, or the connection is gone.
        """
        self.written = 0
        """Bytes that were ever left to the transport."""

    def write(self, frames: bytes) -> int:
        """Send behind all that was sent before; never waits.

        Return the bytes that the kernel has not taken. On a connection that is ending nothing is
        sent, and the answer is 0.
        """
        try:
            taken = self.give(frames)
        except OSError:
            taken = 0
        return 0 if taken == len(frames) else self.go_on(frames, taken)

    def go_on(self, frames: bytes, taken: int) -> int:
        """Go on with a `write`, after the kernel has taken so many bytes of the frames."""
        transport = self._transport
        if transport.is_closing() or self._is_over():
            return 0
        if self.give is _nothing and self._socket is not None and not transport.get_write_buffer_size():
            self.give = self._socket.send
            return self.write(frames)
        self.give = _nothing
        self.written += len(frames) - taken
        transport.write(frames[taken:])
        return transport.get_write_buffer_size()

    def expect_life(self, seconds: float) -> None:
        """Have the kernel end the connection if the peer's does not confirm bytes for so long.

        For peers that send nothing by themselves. Only Linux can do that, and only here.
        """
        if self._socket is not None and hasattr(socket_module, "TCP_USER_TIMEOUT"):
            self._socket.setsockopt(IPPROTO_TCP, socket_module.TCP_USER_TIMEOUT, int(seconds * 1000))

    def make_way(self) -> None:
        """Hand nothing to the kernel until the transport is empty.

        Somebody else writes to the transport.
        """
        self.give = _nothing

    def close(self) -> None:
        """Give back the socket, because the connection is lost."""
        self.give = _nothing
        if self._socket is not None:
            self._socket.detach()
            self._socket = None


def _borrowed(transport: asyncio.Transport) -> socket | None:
    """Return the transport's socket, if bytes can go to it as they are."""
    own = transport.get_extra_info("socket")
    if own is None or transport.get_extra_info("sslcontext") is not None:
        return None
    # Family and type do not matter for `send`; naming them saves two system calls.
    return socket(AF_INET, SOCK_STREAM, 0, own.fileno())


def write_to_all(outlets: Iterable[Outlet], frames: bytes, limit: int, but: Outlet | None) -> list[Outlet]:
    """`write` to many, except perhaps to one; return those with more waiting than the limit.

    The loop is written out, because a server of one busy room spends most of its time here.
    """
    size, rest = len(frames), []
    for outlet in outlets:
        if outlet is but:
            continue
        try:
            taken = outlet.give(frames)
        except OSError:
            taken = 0
        if taken != size:
            rest.append((outlet, taken))
    return [outlet for outlet, taken in rest if outlet.go_on(frames, taken) > limit]


async def write_in_parts(
    write: Callable[[bytes], object],
    head: bytes,
    parts: Iterable[bytes],
    is_taken: Callable[[], Awaitable[bool]],
) -> None:
    """Send one binary message in fragments.

    `is_taken` returns when the peer has taken most of what was before; False if the connection has
    ended.
    """
    write(encode_fragment(head, first=True))
    for part in parts:
        if not await is_taken():
            return
        write(encode_fragment(part))
    write(encode_fragment(b"", last=True))


def encode_frame(message: str | bytes) -> bytes:
    """Make a server's whole frame of a message."""
    return _frame(WHOLE_TEXT, message.encode()) if isinstance(message, str) else _frame(WHOLE_BINARY, message)


def encode_fragment(content: bytes, *, first: bool = False, last: bool = False) -> bytes:
    """Make one frame of a binary message that is sent in several."""
    return _frame((0x80 if last else 0) | (0x02 if first else 0), content)


def _frame(first_byte: int, content: bytes) -> bytes:
    length = len(content)
    if length < 126:
        return bytes((first_byte, length)) + content
    if length < 2**16:
        return bytes((first_byte, 126)) + length.to_bytes(2, "big") + content
    return bytes((first_byte, 127)) + length.to_bytes(8, "big") + content
