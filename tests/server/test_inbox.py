"""What waits to be judged while a room gathers: nobody can tell, but for a refusal that comes a moment later."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from crdt.errors import Code
from crdt.ids import ConnectionId
from crdt.protocol import Acknowledged, ClosedMessage, Refused, Request, UpdateMessage, encode_batch
from server.rooms.inbox import LONGEST_WAIT, MOST_BYTES
from tests.harness.house import DOCUMENT, House
from tests.simulation.virtual_loop import run_virtually

BAD = encode_batch([b"\x01\x01not an update"])


def gathering(story: Callable[[House], Awaitable[None]]) -> None:
    """Play in a room in which one edit waits already for the next row."""

    async def play() -> None:
        async with House() as house:
            for name in ("first", "second", "reader"):
                await house.join(name)
            house.write("first", "at once ", client_id=1)
            await asyncio.sleep(0.001)
            house.write("first", "gathers ", client_id=2)
            await story(house)

    run_virtually(play())


def send(house: House, name: str, batch: bytes, request: Request | None) -> None:
    assert house.rooms.receive(ConnectionId(name), DOCUMENT, batch, request) is None


def seqs(house: House, name: str) -> list[int]:
    return [message.seq for message in house.ears.said.get(name, []) if isinstance(message, UpdateMessage)]


def test_what_waits_leaves_in_one_row_and_is_acknowledged() -> None:
    async def story(house: House) -> None:
        for number in range(10, 20):
            house.write("second", f"{number} ", client_id=number)
        await asyncio.sleep(0.2)
        answers = [house.ears.answers[Request(f"{number} ")] for number in range(10, 20)]
        assert answers == [house.ears.answers[Request("gathers ")]] * 10
        assert isinstance(answers[0], Acknowledged)
        assert len(set(seqs(house, "reader"))) == 2
        assert sorted((await house.stored_text()).split()) == sorted(
            ["at", "once", "gathers", *map(str, range(10, 20))]
        )

    gathering(story)


def test_a_bad_one_is_refused_and_costs_the_others_nothing() -> None:
    async def story(house: House) -> None:
        house.write("second", "good ", client_id=10)
        send(house, "second", BAD, Request("bad"))
        house.write("second", "better ", client_id=11)
        assert Request("bad") not in house.ears.answers
        await asyncio.sleep(LONGEST_WAIT)
        refused = house.ears.answers[Request("bad")]
        assert isinstance(refused, Refused)
        assert refused.code is Code.BAD_UPDATE
        await asyncio.sleep(0.2)
        assert {"good", "better"} <= set((await house.stored_text()).split())

    gathering(story)


def test_a_bad_one_that_nobody_awaits_ends_the_session() -> None:
    async def story(house: House) -> None:
        send(house, "second", BAD, None)
        await asyncio.sleep(LONGEST_WAIT)
        (closed,) = [message for message in house.ears.said["second"] if isinstance(message, ClosedMessage)]
        assert closed.code is Code.BAD_UPDATE
        house.write("second", "too late", client_id=10)
        await asyncio.sleep(LONGEST_WAIT)
        refused = house.ears.answers[Request("too late")]
        assert isinstance(refused, Refused)
        assert refused.code is Code.NOT_JOINED

    gathering(story)


def test_a_bad_one_is_refused_also_while_the_store_hangs() -> None:
    async def play() -> None:
        async with House() as house:
            await house.join("first")
            house.weather.down = True
            house.write("first", "waits for the store", client_id=1)
            await asyncio.sleep(0.05)
            send(house, "first", BAD, Request("bad"))
            await asyncio.sleep(LONGEST_WAIT * 1.01)
            assert isinstance(house.ears.answers[Request("bad")], Refused)
            house.weather.down = False
            await asyncio.sleep(10)
            assert await house.stored_text() == "waits for the store"

    run_virtually(play())


@pytest.mark.parametrize("how", ["leaves", "is cut off"])
def test_what_waits_of_somebody_who_goes_is_kept(how: str) -> None:
    async def story(house: House) -> None:
        house.write("second", "farewell ", client_id=10)
        if how == "leaves":
            house.rooms.leave(ConnectionId("second"), DOCUMENT)
        else:
            house.rooms.disconnect(ConnectionId("second"))
        await asyncio.sleep(0.2)
        assert "farewell" in await house.stored_text()

    gathering(story)


def test_when_the_document_goes_what_waits_is_refused_openly() -> None:
    async def story(house: House) -> None:
        house.write("second", "for nothing ", client_id=10)
        await house.rooms.evict(DOCUMENT, Code.DELETED, "It was deleted.")
        refused = house.ears.answers[Request("for nothing ")]
        assert isinstance(refused, Refused)
        assert refused.code is Code.DELETED

    gathering(story)


def test_a_stop_waits_for_what_waits() -> None:
    async def story(house: House) -> None:
        house.write("second", "the last word ", client_id=10)
        await house.rooms.drain()
        assert "the last word" in await house.stored_text()

    gathering(story)


def test_not_much_waits() -> None:
    async def story(house: House) -> None:
        words = "x" * (MOST_BYTES // 4)
        for client_id in range(10, 14):
            house.write("second", words, client_id=client_id)
        send(house, "second", BAD, Request("bad"))
        assert Request("bad") not in house.ears.answers, "what waited was judged before this one came"
        house.write("second", words, client_id=15)
        for client_id in range(16, 19):
            house.write("second", words, client_id=client_id)
        assert Request("bad") in house.ears.answers

    gathering(story)
