"""What comes while a room gathers is read a little later: in order, all of it, and nobody else waits for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pycrdt import Doc, Text

from crdt.errors import Code
from crdt.ids import DocumentId
from crdt.protocol.batch import encode_batch
from server.bus.base import ClosedHint
from server.doors.native.lane.hold import MOST_BYTES, Hold, Holds
from tests.harness.house import DOCUMENT, House
from tests.harness.live_server import LiveServer, serving, until
from tests.harness.raw_socket import RawSocket, raw_socket
from tests.simulation.virtual_loop import run_virtually

A_MOMENT = 0.1


class Recorder:
    """A reader that writes down what it reads, in one list with others."""

    def __init__(self, name: str, read: list[tuple[str, bytes]]) -> None:
        self.hold: Hold | None = None
        self.failed = False
        self._name = name
        self._read = read

    def read(self, data: bytes) -> None:
        if data == b"a mistake":
            raise RuntimeError(data)
        self._read.append((self._name, data))

    def fail(self) -> None:
        self.failed = True


def test_all_is_read_in_the_order_in_which_it_came() -> None:
    read: list[tuple[str, bytes]] = []
    one, two, hold = Recorder("one", read), Recorder("two", read), Hold()
    assert not hold.keep(one, b"before")
    hold.begin()
    assert all([hold.keep(one, b"1"), hold.keep(two, b"2"), hold.keep(one, b"3")])
    assert read == []
    hold.end()
    assert read == [("one", b"1"), ("two", b"2"), ("one", b"3")]
    assert not hold.keep(one, b"after")


def test_not_much_waits() -> None:
    read: list[tuple[str, bytes]] = []
    one, hold = Recorder("one", read), Hold()
    hold.begin()
    hold.keep(one, b"first")
    hold.keep(one, b"x" * MOST_BYTES)
    assert [data[:5] for _, data in read] == [b"first", b"xxxxx"]


def test_a_mistake_of_ours_costs_one_connection() -> None:
    read: list[tuple[str, bytes]] = []
    one, two, hold = Recorder("one", read), Recorder("two", read), Hold()
    hold.begin()
    hold.keep(one, b"a mistake")
    hold.keep(two, b"2")
    hold.end()
    assert (one.failed, two.failed, read) == (True, False, [("two", b"2")])


def test_only_who_is_in_one_document_waits_for_it() -> None:
    read: list[tuple[str, bytes]] = []
    holds, one = Holds(), Recorder("one", read)
    story, other = DocumentId("a-story"), DocumentId("another")
    holds.assign(one, {story})
    hold = one.hold
    assert hold is not None
    assert hold is holds.of(story)
    hold.begin()
    hold.keep(one, b"held")
    holds.assign(one, {story, other})
    assert one.hold is None
    assert read == [("one", b"held")], "what came before is read before"
    holds.assign(one, {other})
    assert one.hold is holds.of(other) is not None
    del hold
    assert holds.of(story) is None, "nothing is kept of a document that nobody is in"


def test_a_room_lets_bytes_wait_only_while_it_gathers() -> None:
    """A cursor that is due a little later is no reason to leave a typist's words unread."""

    async def story() -> None:
        async with House() as house:
            for number in range(40):
                await house.join(f"c{number}")
            held = 0
            for turn in range(100):
                house.visitor("c1").seats[DOCUMENT].moves({"turn": turn})
                if turn % 10 < 3:
                    house.write(f"c{turn % 3}", f"{turn} ", client_id=100 + turn)
                await asyncio.sleep(0.004)
                held += house.ears.holding.get(DOCUMENT, False)
                assert house.driver.room.gathers or not house.ears.holding.get(DOCUMENT, False)
            assert held > 5, "it did gather"

    run_virtually(story())


def test_a_room_that_is_over_lets_nothing_wait() -> None:
    async def story() -> None:
        async with House() as house:
            for name in ("c", "d", "e"):
                await house.join(name)
            for number in range(20):
                house.write("c", f"{number}", client_id=1 + number)
                await asyncio.sleep(0.002)
                if house.ears.holding.get(DOCUMENT):
                    break
            assert house.ears.holding[DOCUMENT]
            house.rooms.notify(DOCUMENT, ClosedHint(Code.DELETED, "It was deleted."))
            await house.rooms.until_closed(DOCUMENT)
            assert not house.ears.holding[DOCUMENT]

    run_virtually(story())


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    async with serving() as server:
        yield server


def batch(words: str, client_id: int) -> bytes:
    doc: Doc[Any] = Doc(client_id=client_id)
    doc.get("story", type=Text).insert(0, words)
    return encode_batch([doc.get_update()])


async def send_edit(socket: RawSocket, ack_id: int, document_id: DocumentId, words: str) -> None:
    text = f'451-{ack_id}["update","{document_id}",{{"_placeholder":true,"num":0}}]'
    await socket.send(text, batch(words, ack_id))


async def rows(server: LiveServer, document_id: DocumentId) -> int:
    return len(await server.store.log.read(document_id, 0) or ())  # type: ignore[arg-type]


async def test_what_a_rooms_people_send_waits_and_others_go_on(server: LiveServer) -> None:
    story, other = await server.new_document(), await server.new_document()
    async with raw_socket(server.port) as one, raw_socket(server.port) as two:
        for socket, document_id in ((one, story), (two, other)):
            await socket.connected()
            await socket.join(document_id)
        server.gateway.door.hold(story, holding=True)
        await send_edit(one, 10, story, "held")
        await send_edit(two, 11, other, "at once")
        assert "seq" in await two.answer_to(11)
        await asyncio.sleep(A_MOMENT)
        assert await rows(server, story) == 0
        server.gateway.door.hold(story, holding=False)
        assert "seq" in await one.answer_to(10)


async def test_what_somebody_sent_who_then_hung_up_is_kept(server: LiveServer) -> None:
    story = await server.new_document()
    async with raw_socket(server.port) as one:
        await one.connected()
        await one.join(story)
        server.gateway.door.hold(story, holding=True)
        await send_edit(one, 10, story, "farewell")
    await until(lambda: server.gateway.connections == 0)
    await server.rooms.drain()
    assert await rows(server, story) == 1


async def test_whoever_moves_on_to_another_document_is_read_in_order(server: LiveServer) -> None:
    story, other = await server.new_document(), await server.new_document()
    async with raw_socket(server.port) as one:
        await one.connected()
        await one.join(story)
        server.gateway.door.hold(story, holding=True)
        await send_edit(one, 10, story, "the last one here")
        await one.send(f'4211["leave","{story}"]')
        await one.send_join(12, other)
        await send_edit(one, 13, other, "the first one there")
        await asyncio.sleep(A_MOMENT)
        server.gateway.door.hold(story, holding=False)
        assert "seq" in await one.answer_to(10)
        assert "seq" in await one.answer_to(13)
        assert (await rows(server, story), await rows(server, other)) == (1, 1)


async def test_a_busy_rooms_edits_are_all_answered(server: LiveServer) -> None:
    """Real windows: several people, each faster than a window is long."""
    story = await server.new_document()
    async with raw_socket(server.port) as one, raw_socket(server.port) as two, raw_socket(server.port) as three:
        sockets = (one, two, three)
        for client_id, socket in enumerate(sockets, 1):
            await socket.connected()
            await socket.join(story, client_id)
        for ack_id in range(10, 70):
            await send_edit(sockets[ack_id % 3], ack_id, story, f"{ack_id} ")
            await asyncio.sleep(0.004)
        last = [(await sockets[ack_id % 3].answer_to(ack_id))["seq"] for ack_id in range(67, 70)]
        assert max(last) == await rows(server, story)
