"""One end of the line between the parent and a worker: whole messages in order, each a word or an open connection.

Sending never waits: what the kernel does not take is queued, up to a bound, and past it `send` says no. A connection that was sent is
the other's; one in a message that was on its way when the other died is closed by the kernel.
"""

import array
import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable

MAX_QUEUED = 1024
"""Messages that wait for the other side: a whole document's people who come back at once."""

_BUFFER_BYTES = 2**19
"""Room for the largest message: what an event loop reads from a connection at once is half of it."""

_MESSAGES_AT_ONCE = 64
_WORD, _CONNECTION = b"w", b"c"
_DESCRIPTOR = array.array("i", [0])
_CONTROL_BYTES = socket.CMSG_SPACE(_DESCRIPTOR.itemsize)

Message = tuple[bytes, socket.socket | None]
"""A word, or what has been read from a connection, with the connection."""


def line() -> tuple[socket.socket, socket.socket]:
    """Make both ends; not even a child inherits one that is not given to it."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
    return ends


def send_word(end: socket.socket, word: bytes) -> None:
    """Say something without an event loop, if anybody is there to hear it."""
    with contextlib.suppress(OSError):
        end.sendmsg([_WORD, word])


def receive_word(end: socket.socket) -> bytes:
    """Wait for the first word without an event loop; empty when the other side is gone."""
    return end.recv(_BUFFER_BYTES)[1:]


class Channel:
    """Speaks and listens on one end. `hear` is told each message, `ended` that there will be no more."""

    def __init__(
        self, end: socket.socket, hear: Callable[[bytes, socket.socket | None], None], ended: Callable[[], None]
    ) -> None:
        self._end = end
        self._hear = hear
        self._ended = ended
        self._queue: deque[Message] = deque()
        self._buffer = bytearray(_BUFFER_BYTES)
        self._loop = asyncio.get_running_loop()

    def listen(self) -> None:
        """Begin to hear."""
        self._end.setblocking(False)
        self._loop.add_reader(self._end, self._read)

    def hear_rest(self) -> None:
        """Hear what the other side said before it ended."""
        if self._end.fileno() >= 0:
            self._read()

    def send(self, message: bytes, connection: socket.socket | None = None) -> bool:
        """Say a word, or give a connection away; False: the other side takes nothing more, and the connection is still ours."""
        if self._end.fileno() < 0 or len(self._queue) >= MAX_QUEUED:
            return False
        if self._queue:
            self._queue.append((message, connection))
            return True
        try:
            self._write(message, connection)
        except BlockingIOError:
            self._queue.append((message, connection))
            self._loop.add_writer(self._end, self._write_queued)
        except OSError:
            return False  # too large, or the other side is gone, which reading tells
        return True

    def close(self) -> list[Message]:
        """Hang up; what was still queued is ours again."""
        if self._end.fileno() >= 0:
            self._loop.remove_reader(self._end)
            self._loop.remove_writer(self._end)
            self._end.close()
        unsent, self._queue = list(self._queue), deque()
        return unsent

    def _write(self, message: bytes, connection: socket.socket | None) -> None:
        if connection is None:
            self._end.sendmsg([_WORD, message])
        else:
            descriptor = array.array("i", [connection.fileno()])
            self._end.sendmsg([_CONNECTION, message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptor)])
            connection.close()  # this process' hold on it

    def _write_queued(self) -> None:
        while self._queue:
            try:
                self._write(*self._queue[0])
            except BlockingIOError:
                return
            except (BrokenPipeError, ConnectionResetError):
                break  # the other side is gone: whoever closes this takes the queue
            except OSError:  # too large, or too many descriptors are on their way
                _drop(self._queue[0])
            self._queue.popleft()
        self._loop.remove_writer(self._end)

    def _read(self) -> None:
        for _ in range(_MESSAGES_AT_ONCE):
            try:
                length, control, _, _ = self._end.recvmsg_into([self._buffer], _CONTROL_BYTES, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return
            except OSError:
                length, control = 0, []
            if not length:
                self._loop.remove_reader(self._end)
                self._ended()
                return
            message = bytes(memoryview(self._buffer)[1:length])
            connection = _connection(control)
            if self._buffer.startswith(_WORD):
                self._hear(message, None)
            elif connection is not None:  # else this process has too many open files, and the kernel dropped it
                self._hear(message, connection)
            if self._end.fileno() < 0:
                return


def _drop(message: Message) -> None:
    if message[1] is not None:
        message[1].close()


def _connection(control: list[tuple[int, int, bytes]]) -> socket.socket | None:
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS) and len(data) >= _DESCRIPTOR.itemsize:
            connection = socket.socket(fileno=array.array("i", data[: _DESCRIPTOR.itemsize])[0])
            connection.setblocking(False)
            return connection
    return None
