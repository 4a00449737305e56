"""The wire to Redis, against a transport that is played: turns on the event loop, replies that are errors, and the end."""

import asyncio
from types import SimpleNamespace
from typing import Any

import hiredis
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, ResponseError

from server.bus.redis_wire import TURN, Wire


class PlayedTransport:
    """Remembers what was written, and whether it is read from."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.reading = True
        self.closing = False

    def set_protocol(self, protocol: asyncio.Protocol) -> None:
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int) -> None:
        assert high > 0

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def abort(self) -> None:
        self.closing = True


def wire_over(transport: PlayedTransport, heard: list[Any]) -> Wire:
    return Wire.over(SimpleNamespace(_writer=SimpleNamespace(transport=transport)), heard.append)


async def test_many_replies_at_once_leave_turns_to_others() -> None:
    transport, heard = PlayedTransport(), list[Any]()
    wire = wire_over(transport, heard)
    wire.data_received(b"+PONG\r\n" * (2 * TURN + 1))
    assert len(heard) == TURN
    assert not transport.reading
    await asyncio.sleep(0)
    assert len(heard) == 2 * TURN
    await asyncio.sleep(0)
    assert len(heard) == 2 * TURN + 1
    assert transport.reading


async def test_a_reply_in_pieces_is_heard_when_it_is_whole() -> None:
    transport, heard = PlayedTransport(), list[Any]()
    wire = wire_over(transport, heard)
    assert wire.say("PING")
    assert transport.written == [hiredis.pack_command(("PING",))]
    wire.data_received(b"+PO")
    assert (wire.awaited, heard) == (1, [])
    wire.data_received(b"NG\r\n")
    assert (wire.awaited, heard) == (0, [b"PONG"])
    await wire.all_answered()


@pytest.mark.parametrize("reply", [b"-NOPERM no permissions\r\n", b"nonsense\r\n"])
async def test_an_error_ends_the_wire_and_says_why(reply: bytes) -> None:
    transport, heard = PlayedTransport(), list[Any]()
    wire = wire_over(transport, heard)
    wire.say("PING")
    wire.data_received(b"+PONG\r\n" + reply + b"+PONG\r\n")
    assert heard == [b"PONG"]
    assert transport.closing
    with pytest.raises((ResponseError, InvalidResponse)):
        await wire.end()


async def test_an_error_of_the_hearer_ends_the_wire_and_no_more_is_heard() -> None:
    def stumble(_reply: Any) -> None:
        raise LookupError

    transport = PlayedTransport()
    wire = Wire.over(SimpleNamespace(_writer=SimpleNamespace(transport=transport)), stumble)
    wire.data_received(b"+PONG\r\n")
    with pytest.raises(LookupError):
        await wire.end()


async def test_nothing_is_said_over_a_wire_that_has_ended_and_nobody_waits_for_answers() -> None:
    transport, heard = PlayedTransport(), list[Any]()
    wire = wire_over(transport, heard)
    wire.say("PING")
    waiting = asyncio.create_task(wire.all_answered())
    await asyncio.sleep(0)
    wire.connection_lost(None)
    await waiting
    assert not wire.say("PING")
    assert len(transport.written) == 1
    with pytest.raises(RedisConnectionError, match="closed"):
        await wire.end()


async def test_a_connection_that_closed_before_it_was_taken_over() -> None:
    transport = PlayedTransport()
    transport.closing = True
    with pytest.raises(RedisConnectionError):
        await wire_over(transport, []).end()
