"""The parent's desk: connections come in, and go to workers, of which the tests are the other ends."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from functools import partial

import pytest

from server.workers.channel import Channel, line
from server.workers.lobby import Lobby
from server.workers.places import Anywhere, Document, Place
from server.workers.reception import Reception
from tests.harness.bell import PATIENCE, Bell
from tests.harness.live_server import until

PAGE = b"GET / HTTP/1.1\r\n\r\n"


def about(document: str) -> bytes:
    return f"GET /socket.io/?document={document} HTTP/1.1\r\n\r\n".encode()


class Desk:
    """A reception with workers that write down what they are given."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.reception = Reception(self.listener)
        self.reception.open()
        self.bell = Bell()
        self.given: list[tuple[int, bytes]] = []
        self.lines: dict[int, Channel] = {}
        self._open: list[socket.socket] = []

    def hire(self, number: int, *, deaf: bool = False) -> None:
        """Let a worker begin, or one that is too busy to listen."""
        ours, theirs = line()
        self.lines[number] = Channel(theirs, partial(self._give, number), self.bell.ring)
        if not deaf:
            self.lines[number].listen()
        mine = Channel(ours, lambda *_: None, self.bell.ring)
        mine.listen()
        self.reception.ready(number, mine)

    async def visit(self, head: bytes) -> socket.socket:
        """Come with some bytes."""
        visitor = socket.socket()
        visitor.setblocking(False)
        self._open.append(visitor)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(visitor, self.listener.getsockname())
        await loop.sock_sendall(visitor, head)
        return visitor

    def pass_back(self, head: bytes) -> socket.socket:
        """Be somebody whom a worker gives back."""
        ours, visitor = socket.socketpair()
        for end in (ours, visitor):
            end.setblocking(False)
        self._open.append(visitor)
        self.reception.take_back(head, ours)
        return visitor

    async def has_given(self, count: int) -> None:
        await self.bell.until(lambda: len(self.given) >= count)

    async def hears_end(self, visitor: socket.socket) -> None:
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.get_running_loop().sock_recv(visitor, 1) == b""

    def _give(self, number: int, head: bytes, connection: socket.socket | None) -> None:
        assert connection is not None
        self._open.append(connection)
        self.given.append((number, head))
        self.bell.ring()

    def close(self) -> None:
        for number, end in self.lines.items():
            self.reception.gone(number)
            end.close()
        self.reception.close()
        for connection in [self.listener, *self._open]:
            connection.close()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    desk.close()


async def test_people_of_one_document_meet(desk: Desk) -> None:
    for number in (1, 2, 3):
        desk.hire(number)
    for name in ("one", "two", "six", "one", "two", "six"):
        await desk.visit(about(name))
    await desk.has_given(6)
    places = {(head, number) for number, head in desk.given}
    assert len(places) == 3


async def test_the_connection_that_is_passed_on_is_the_visitors_own(desk: Desk) -> None:
    desk.hire(1)
    visitor = await desk.visit(PAGE)
    await desk.has_given(1)
    served = desk._open[-1]
    assert served.getpeername() == visitor.getsockname()
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(visitor, b"more")
    assert await loop.sock_recv(served, 100) == b"more"
    assert not served.get_inheritable()


async def test_a_slow_first_line_hinders_nobody(desk: Desk) -> None:
    desk.hire(1)
    slow = await desk.visit(b"GET /soc")
    for _ in range(3):
        await desk.visit(PAGE)
    await desk.has_given(3)
    await asyncio.get_running_loop().sock_sendall(slow, b"ket.io/?document=notes HTTP/1.1\r\n")
    await desk.has_given(4)
    assert desk.given[-1] == (1, b"GET /socket.io/?document=notes HTTP/1.1\r\n")


async def test_what_is_no_http_is_passed_on_for_its_answer(desk: Desk) -> None:
    desk.hire(1)
    await desk.visit(b"\x16\x03\x01 hello\n")
    await desk.has_given(1)


async def test_before_a_worker_is_there_people_wait(desk: Desk) -> None:
    await desk.visit(PAGE)
    await desk.visit(PAGE)
    desk.hire(1)
    await desk.has_given(2)


async def test_until_it_is_opened_nobody_gets_in(desk: Desk) -> None:
    desk.reception.close()
    desk.reception = Reception(desk.listener)
    desk.hire(1)
    await desk.visit(PAGE)
    desk.hire(2)
    await desk.visit(PAGE)
    desk.reception.open()
    await desk.has_given(2)
    assert {number for number, _ in desk.given} == {1, 2}


async def test_one_that_is_leaving_gets_nobody_while_there_are_others(desk: Desk) -> None:
    desk.hire(1)
    desk.hire(2)
    desk.reception.avoid(1)
    for _ in range(3):
        await desk.visit(PAGE)
    await desk.has_given(3)
    assert {number for number, _ in desk.given} == {2}
    desk.reception.avoid(2)
    await desk.visit(PAGE)
    await desk.has_given(4)  # to hear that the server is not ready


async def test_whom_a_dead_worker_was_not_yet_given_goes_to_another(desk: Desk) -> None:
    desk.hire(1, deaf=True)
    heads = [
        about("notes") + bytes([number]) * 200_000 for number in range(10)
    ]  # more than the kernel keeps for the deaf
    visitors = [desk.pass_back(head) for head in heads]
    desk.hire(2)
    desk.reception.gone(1)
    desk.lines[1].close()
    await desk.bell.until(lambda: (2, heads[-1]) in desk.given)
    await desk.hears_end(visitors[0])
    assert desk.given == [(2, head) for head in heads[-len(desk.given) :]]


async def test_a_worker_that_takes_nothing_gets_nobody(desk: Desk) -> None:
    desk.hire(1, deaf=True)
    too_much = b"GET / HTTP/1.1\r\n" + bytes(2**20)
    await desk.hears_end(desk.pass_back(too_much))
    desk.hire(2)
    for _ in range(2):
        desk.pass_back(PAGE)
    await desk.has_given(1)
    assert desk.given == [(2, PAGE)]


async def test_a_visitor_who_goes_before_the_line_is_whole_leaves_nothing() -> None:
    lobby = Lobby(lambda *_: None)
    ours, visitor = socket.socketpair()
    ours.setblocking(False)
    lobby.enter(ours)
    assert lobby.waiting == 1
    visitor.close()
    await until(lambda: not lobby.waiting)
    assert ours.fileno() < 0


async def test_when_all_seats_are_taken_the_longest_waiting_goes() -> None:
    came: list[tuple[Place, bytes]] = []

    def route(place: Place, head: bytes, connection: socket.socket) -> None:
        came.append((place, head))
        connection.close()

    lobby = Lobby(route, seats=2)
    pairs = [socket.socketpair() for _ in range(4)]
    for ours, _ in pairs:
        ours.setblocking(False)
    for ours, _ in pairs[:3]:
        lobby.enter(ours)
    assert [ours.fileno() < 0 for ours, _ in pairs] == [True, False, False, False]
    pairs[3][1].sendall(about("notes"))
    lobby.enter(pairs[3][0])
    assert came == [(Document("notes"), about("notes"))]
    pairs[2][1].sendall(PAGE)
    await until(lambda: len(came) == 2)
    assert came[-1] == (Anywhere(), PAGE)
    lobby.close()
    for ours, visitor in pairs:
        assert ours.fileno() < 0
        visitor.close()


async def test_a_seat_is_kept_for_a_while_only(desk: Desk) -> None:
    lobby = Lobby(lambda *_: None, seconds=0.01)
    ours, visitor = socket.socketpair()
    for end in (ours, visitor):
        end.setblocking(False)
    with visitor:
        lobby.enter(ours)
        await desk.hears_end(visitor)
    assert lobby.waiting == 0
