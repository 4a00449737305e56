"""The way out of a connection: everything arrives in order, whoever writes and however slowly it is read, and with nobody else."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import uvloop

from server.doors.native.lane.outlet import Outlet, write_to_all
from tests.harness.live_server import until

LOOPS = {"asyncio": asyncio.run, "uvloop": uvloop.run}
NO_LIMIT = 2**40


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    """Servers run in uvloop, and whoever embeds one perhaps in asyncio's own loop."""
    runner: Callable[[Coroutine[Any, Any, None]], None] = LOOPS[request.param]
    return runner


class Connection(asyncio.Protocol):
    """A server's end of a connection, with its outlet."""

    outlet: Outlet
    transport: asyncio.Transport

    def __init__(self, made: "list[Connection]") -> None:
        self._made = made
        self.lost = asyncio.Event()
        self.said_goodbye = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.outlet = Outlet(self.transport, lambda: self.said_goodbye)
        self._made.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.outlet.close()
        self.lost.set()


@asynccontextmanager
async def connected(count: int) -> AsyncIterator[list[tuple[Connection, socket.socket]]]:
    """Connections and their peers' ends, between which the kernel keeps little."""
    loop, made = asyncio.get_running_loop(), list[Connection]()

    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    server = await loop.create_server(lambda: Connection(made), sock=listener)
    peers = []
    for number in range(count):
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.setblocking(False)
        await loop.sock_connect(peer, server.sockets[0].getsockname())
        await until(lambda: len(made) > number)  # noqa: B023 - asked here and now
        peers.append(peer)
    try:
        yield list(zip(made, peers, strict=True))
    finally:
        for each in made:
            each.transport.abort()
        for peer in peers:
            peer.close()
        server.close()


async def read(peer: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        content += await asyncio.get_running_loop().sock_recv(peer, size - len(content))
    return content


async def settled(connection: Connection) -> None:
    """Let the transport have written what it was given."""
    await until(lambda: not connection.transport.get_write_buffer_size())


@pytest.mark.parametrize("seed", range(12))
def test_everything_arrives_in_order_whoever_writes(run: Callable[..., None], seed: int) -> None:
    chance = random.Random(seed)

    async def story() -> None:
        async with connected(3) as pairs:
            sent = [b"" for _ in pairs]
            read_so_far = [b"" for _ in pairs]
            for number in range(300):
                frame = f"{number}:".encode() + b"." * chance.choice([1, 60, 3000])
                who = chance.randrange(3)
                connection, peer = pairs[who]
                match chance.randrange(6):
                    case 0 | 1:
                        write_to_all([each.outlet for each, _ in pairs], frame, NO_LIMIT, None)
                        sent = [before + frame for before in sent]
                    case 2:
                        write_to_all([each.outlet for each, _ in pairs], frame, NO_LIMIT, connection.outlet)
                        sent = [before if place == who else before + frame for place, before in enumerate(sent)]
                    case 3:
                        connection.outlet.write(frame)
                        sent[who] += frame
                    case 4:  # a pong of websockets
                        connection.outlet.make_way()
                        connection.transport.write(frame)
                        sent[who] += frame
                    case _:
                        await asyncio.sleep(0)
                        size = min(len(sent[who]) - len(read_so_far[who]), chance.randrange(9000))
                        read_so_far[who] += await read(peer, size)
            for who, (_, peer) in enumerate(pairs):
                read_so_far[who] += await read(peer, len(sent[who]) - len(read_so_far[who]))
            assert read_so_far == sent

    run(story())


def test_what_the_kernel_takes_is_there_at_once(run: Callable[..., None]) -> None:
    async def story() -> None:
        async with connected(1) as [(connection, peer)]:
            assert connection.outlet.write(b"hello") == 0
            assert peer.recv(100) == b"hello"  # without a turn of the loop
            assert connection.outlet.written == 0

    run(story())


def test_who_does_not_read_is_told_of_and_keeps_its_order(run: Callable[..., None]) -> None:
    async def story() -> None:
        async with connected(2) as [(asleep, peer), (awake, reader)]:
            outlets, sent = [asleep.outlet, awake.outlet], b""
            slow: list[Outlet] = []
            while not slow:
                slow = write_to_all(outlets, b"." * 1000 + b"|", 100_000, None)
                sent += b"." * 1000 + b"|"
                await read(reader, 1001)
            assert slow == [asleep.outlet]
            assert 100_000 < asleep.transport.get_write_buffer_size() <= 102_000
            asleep.outlet.write(b"the last words")
            assert await read(peer, len(sent) + 14) == sent + b"the last words"
            await settled(asleep)
            asleep.outlet.write(b"awake")
            assert await read(peer, 5) == b"awake"

    run(story())


def test_nothing_follows_a_goodbye(run: Callable[..., None]) -> None:
    async def story() -> None:
        async with connected(1) as [(connection, peer)]:
            connection.outlet.write(b"hello")
            connection.outlet.make_way()
            connection.transport.write(b"goodbye")
            connection.said_goodbye = True
            assert connection.outlet.write(b"nothing") == 0
            connection.transport.close()
            assert await read(peer, 12) == b"hellogoodbye"
            assert await asyncio.get_running_loop().sock_recv(peer, 100) == b""

    run(story())


@pytest.mark.parametrize("how", ["close", "abort", "reset"])
def test_nobody_gets_what_was_meant_for_who_had_the_number_before(run: Callable[..., None], how: str) -> None:
    """A file descriptor's number is given away again as soon as it is closed."""

    async def story() -> None:
        async with connected(1) as [(gone, peer)]:
            gone.outlet.write(b"hello")
            number = gone.transport.get_extra_info("socket").fileno()
            match how:
                case "reset":
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    peer.close()
                case "close":
                    gone.transport.close()
                case "abort":
                    gone.transport.abort()
            await gone.lost.wait()
            await asyncio.sleep(0.01)
            pairs = [socket.socketpair() for _ in range(20)]
            ends = [*pairs, *((other, one) for one, other in pairs)]
            (stranger,) = [other for one, other in ends if one.fileno() == number]
            stranger.setblocking(False)
            assert write_to_all([gone.outlet], b"secret", 0, None) == []
            assert gone.outlet.write(b"secret") == 0
            with pytest.raises(BlockingIOError):
                stranger.recv(100)
            for end, _ in ends:
                end.close()

    run(story())
