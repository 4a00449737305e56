"""A connection to Redis that is spoken and heard as bytes come and go: no task, no future and no time limit for each message.

redis-py opens the connection, for it knows TLS, passwords and the ways to a server; then the
connection's transport is this module's. Through redis-py's own streams a hint costs two nodes twice
the processor time. This module alone knows a private name of redis-py, and so pyproject.toml names
the series that it is tried with.

1. What is said leaves in its order at the end of the event loop's turn, together with all else that
   was said in it.
2. After so many replies others on the event loop have their turn, and nothing is read meanwhile.
3. An error among the replies, or of whoever hears them, ends the wire. Silence does not: whoever
   holds it looks at `heard_at`.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import hiredis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, ResponseError

TURN = 64
"""Replies taken in before others on the event loop have their turn."""

FULL_BYTES = 2**20
"""So many bytes may wait for the kernel to take them."""

_NOTHING = object()


class Wire(asyncio.Protocol):
    """One connection. `heard_at`: when something came, by the event loop's clock."""

    def __init__(self, hear: Callable[[Any], None]) -> None:
        """`hear` is called with each reply but errors, on the event loop."""
        self.awaited = 0
        """Commands whose reply has not come; it means nothing where more than replies comes."""
        self.full = False
        """Whether what is said now would wait behind more than `FULL_BYTES`."""
        self.relieved: Callable[[], None] = _nothing
        """Called when it is no longer full."""
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
        """Take over an open redis.asyncio.Connection that awaits no reply; it is still redis-py that closes it."""
        wire = cls(hear)
        wire._transport = connection._writer.transport
        wire._transport.set_protocol(wire)
        wire._transport.set_write_buffer_limits(high=FULL_BYTES)
        if wire._transport.is_closing():
            wire.connection_lost(None)
        return wire

    async def end(self) -> None:
        """Wait until the wire is over, and raise why."""
        await self._over.wait()
        raise self._failure or RedisConnectionError("The connection to Redis is closed.")

    async def all_answered(self) -> None:
        """Wait until every command has its reply, or none will come; where nothing but replies comes."""
        while self.awaited and not self._over.is_set():
            self._quiet.clear()
            await self._quiet.wait()

    def say(self, *command: str | bytes) -> bool:
        """Send a command; False: the wire is over. Never waits: the caller minds `full`."""
        if self._over.is_set() or self._transport.is_closing():
            return False
        self.awaited += 1
        self._transport.write(hiredis.pack_command(command))  # type: ignore[arg-type]  # it takes tuples of any length
        return True

    # What the event loop calls.

    def data_received(self, data: bytes) -> None:
        """Take in what came."""
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
        except Exception as error:  # noqa: BLE001 - a callback's border: whoever awaits the end is told
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
        """Nothing more will come or go."""
        self._failure = self._failure or error
        self._over.set()
        self._quiet.set()

    def pause_writing(self) -> None:
        """The kernel takes no more for now."""
        self.full = True

    def resume_writing(self) -> None:
        """It does again."""
        self.full = False
        self.relieved()


def _nothing() -> None:
    """Nobody waits."""
