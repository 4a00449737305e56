"""A connection to Redis as an asyncio protocol, without a task, future or time limit per message.

redis-py opens the connection, because it knows TLS, passwords and the ways to a server. Then this
module takes over the connection's transport. With redis-py's own streams, a hint takes two nodes
twice the processor time. Only this module uses a private name of redis-py. So pyproject.toml names
the series of redis-py that the module is tried with.

1. Commands leave in their order at the end of the event loop's turn, all of the turn together.
2. After a number of replies the event loop turns, and nothing is read meanwhile.
3. An error among the replies, or from the function that gets them, ends the wire. Silence does not
   end it: the caller must look at `heard_at`.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import hiredis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, ResponseError

TURN = 64
"""Replies that are taken in before the event loop turns."""

FULL_BYTES = 2**20
"""Bytes that may wait for the kernel to take them, before the wire counts as full."""

_NOTHING = object()


class Wire(asyncio.Protocol):
    """One connection. `heard_at` is the event loop's time at which bytes last came."""

    def __init__(self, hear: Callable[[Any], None]) -> None:
        """Prepare a wire. `hear` is called on the event loop with each reply except errors."""
        self.awaited = 0
        """Number of commands without a reply. Meaningless on a connection that listens."""
        self.full = False
        """Whether a command would now wait behind more than `FULL_BYTES`."""
        self.relieved: Callable[[], None] = _nothing
        """A function that is called when the wire is no longer full."""
        self._hear = hear
        self._loop = asyncio.get_running_loop()
        self.heard_at = self._loop.time()
        self._reader = hiredis.Reader(InvalidResponse, ResponseError, notEnoughData=_NOTHING)
        self._transport: Any = None
        self._failure: Exception | None = None
        self._over = asyncio.Event()
        self._quiet = asyncio.Event()

    @classmethod
    def over(cls, connection: Any, hear: Callable[[Any], None]) -> Self:
        """Take over an open redis.asyncio.Connection that awaits no reply.

        redis-py still closes the connection.
        """
        wire = cls(hear)
        wire._transport = connection._writer.transport
        wire._transport.set_protocol(wire)
        wire._transport.set_write_buffer_limits(high=FULL_BYTES)
        if wire._transport.is_closing():
            wire.connection_lost(None)
        return wire

    async def end(self) -> None:
        """Wait until the wire has ended, and raise the reason."""
        await self._over.wait()
        raise self._failure or RedisConnectionError("The connection to Redis is closed.")

    async def all_answered(self) -> None:
        """Wait until every command has its reply, or the wire has ended.

        Not for a connection that listens, where messages come as well as replies.
        """
        while self.awaited and not self._over.is_set():
            self._quiet.clear()
            await self._quiet.wait()

    def say(self, *command: str | bytes) -> bool:
        """Send a command without waiting; the caller must look at `full` first.

        Return False if the wire has ended.
        """
        if self._over.is_set() or self._transport.is_closing():
            return False
        self.awaited += 1
        self._transport.write(hiredis.pack_command(command))  # type: ignore[arg-type]  # it takes tuples of any length
        return True

    # Called by the event loop.

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._loop.time()
        self._reader.feed(data)
        self._take_in()

    def _take_in(self) -> None:
        try:
            for _ in range(TURN):
                reply = self._reader.gets()
                if reply is _NOTHING:
                    break
                if isinstance(reply, Exception):
                    raise reply
                self.awaited -= 1
                self._hear(reply)
            else:
                self._give_way()
        except Exception as error:  # noqa: BLE001 - a callback's border: `end` raises the error
            self._fail(error)
        if self.awaited <= 0:
            self._quiet.set()

    def _give_way(self) -> None:
        if not self._over.is_set():
            self._transport.pause_reading()
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self._over.is_set():
            self._transport.resume_reading()
            self._take_in()

    def _fail(self, error: Exception) -> None:
        self._failure = self._failure or error
        self._transport.abort()
        self.connection_lost(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._failure = self._failure or error
        self._over.set()
        self._quiet.set()

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self.relieved()


def _nothing() -> None:
    pass
