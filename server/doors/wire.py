"""Wire of a WebSocket whose messages are binary: bytes out, and the connection's end.

Over a fast lane, frames go straight to the TCP transport, in the order of `push`. Over another ASGI
server they wait in a queue for a task that sends them. Reading stays with the owner.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any

from server.doors.native.lane.fast_lane import lane_of
from server.doors.native.lane.outlet import encode_frame, write_in_parts

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

GRACE_SECONDS = 2.0
"""Seconds for the last messages to leave when a connection ends in good order."""

LIFE_SECONDS = 45.0
"""Seconds after which a peer whose machine confirms no bytes counts as gone."""

WAITING_BYTES = 256 * 2**10
"""Unsent bytes above which no further part of a long message is written."""

TAKEN_CHECK = 0.05
"""Seconds between looks at what waits for the peer of a long message."""

REASON_BYTES = 123
"""Bytes of a close frame's reason."""


class Messages:
    """Messages for many people, encoded once."""

    def __init__(self, messages: Sequence[bytes]) -> None:
        self.messages = messages
        self.frames = b"".join(map(encode_frame, messages))


class Wire:
    """The lower half of one connection. `send` is ASGI's; `address` is the peer's IP address."""

    def __init__(self, send: Send, address: str) -> None:
        self.address = address
        self.told: set[str] = set()
        """What the log has said of the connection."""
        self.closed = False
        self._send = send
        self._protocol = getattr(send, "__self__", None)
        self._transport: asyncio.Transport | None = getattr(self._protocol, "transport", None)
        lane = lane_of(send)
        self._outlet = None if lane is None else lane.outlet
        self._queue = asyncio.Queue[bytes | None]()
        self._queued = self._sent = 0
        self._held: list[bytes] | None = None
        """Frames behind a long message that is being written."""
        self._tasks: list[asyncio.Future[None]] = []

    async def accept(self, subprotocol: str | None) -> None:
        """Answer the handshake."""
        await self._send({"type": "websocket.accept", "subprotocol": subprotocol})
        if self._outlet is not None:
            self._outlet.expect_life(LIFE_SECONDS)
        else:
            self._tasks.append(asyncio.ensure_future(self._write()))

    def bound_messages(self, most_bytes: int) -> None:
        """Take messages of at most so many bytes from now on."""
        reader = getattr(self._protocol, "conn", None)
        if reader is not None and hasattr(reader, "max_message_size"):
            reader.max_message_size = most_bytes

    def push(self, messages: Messages) -> int:
        """Send messages behind all that was sent before; never waits. Return the backlog."""
        if self.closed:
            return 0
        if self._held is not None:
            self._held.append(messages.frames)
        elif self._outlet is not None:
            self._outlet.write(messages.frames)
        else:
            for message in messages.messages:
                self._queued += len(message)
                self._queue.put_nowait(message)
        return self.backlog

    async def push_long(self, head: bytes, parts: Iterable[bytes]) -> None:
        """Send one message in parts, each when the peer has taken most of what was sent before.

        What is pushed meanwhile comes behind the message.
        """
        if self._outlet is None:
            self.push(Messages([head + b"".join(parts)]))
            return
        write, self._held = self._outlet.write, []
        await write_in_parts(write, head, parts, self._is_taken)
        if not self.closed:
            held, self._held = self._held, None
            write(b"".join(held))

    async def until_taken(self) -> None:
        """Wait until the kernel has taken most of what was sent, or the connection has ended."""
        await self._is_taken()

    async def _is_taken(self) -> bool:
        """Do the same, and return False if the connection has ended."""
        while self._queued + self._unsent > WAITING_BYTES and not self.closed:  # noqa: ASYNC110 - transports tell only their own protocol
            await asyncio.sleep(TAKEN_CHECK)
        return not self.closed

    async def _write(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):  # the peer is gone: reading will tell
            while (message := await self._queue.get()) is not None:
                await self._send({"type": "websocket.send", "bytes": message})
                self._queued -= len(message)
                self._sent += len(message)

    @property
    def _unsent(self) -> int:
        transport = self._transport
        return 0 if transport is None or transport.is_closing() else transport.get_write_buffer_size()

    @property
    def backlog(self) -> int:
        """Bytes that wait to be taken by the peer; 0 when the connection has ended."""
        return 0 if self.closed else self._queued + sum(map(len, self._held or ())) + self._unsent

    @property
    def unread(self) -> int:
        """Bytes of a message that has not come whole."""
        reader = getattr(getattr(self._protocol, "conn", None), "reader", None)
        frames = getattr(self._protocol, "frames", ())
        return sum(map(len, frames)) + (0 if reader is None else len(reader.buffer))

    @property
    def taken(self) -> int:
        """A count that changes whenever the peer takes something of the backlog."""
        return self._sent + (0 if self._outlet is None else self._outlet.written) - self._unsent

    def close(self, code: int, reason: str) -> None:
        """End in good order, and say why."""
        if not self.closed:
            self.closed = True
            self._tasks.append(asyncio.ensure_future(self._finish(code, reason)))

    async def _finish(self, code: int, reason: str) -> None:
        said = reason.encode()[:REASON_BYTES].decode(errors="ignore")
        with contextlib.suppress(OSError, RuntimeError):  # (TimeoutError) the peer does not read, or is gone
            async with asyncio.timeout(GRACE_SECONDS):
                self._queue.put_nowait(None)
                if self._outlet is None:
                    await self._tasks[0]
                await self._send({"type": "websocket.close", "code": code, "reason": said})
                await asyncio.sleep(GRACE_SECONDS)
        self.end(cut=True)

    def end(self, *, cut: bool = False) -> None:
        """End in good order, or by cutting the TCP connection now."""
        if not cut:
            self.close(1001, "")
            return
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    def let_go(self) -> None:
        """Stop all that still works for the connection, which is lost."""
        self.closed = True
        for task in self._tasks:
            task.cancel()
