"""Whose job comes next: in turns, urgent ones first, and nobody's hundred jobs in front of somebody's one."""

import asyncio

import pytest

from crdt.errors import Unavailable
from server.sandbox.queue import URGENT_IN_A_ROW, JobQueue


class Office:
    """A queue, and the order in which people got their slots. A job lasts until it is said to be over."""

    def __init__(self, slots: int = 1, waiting: int = 100) -> None:
        self.queue = JobQueue(slots, waiting)
        self.served: list[str] = []
        self.refused: list[str] = []
        self._over: list[asyncio.Event] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def comes(self, *names: str, urgent: bool = False) -> None:
        """People come one after the other; a name's first word is who it is."""
        for name in names:
            self._tasks.append(asyncio.create_task(self._job(name, urgent=urgent)))
            await turns()

    async def _job(self, name: str, *, urgent: bool) -> None:
        try:
            async with self.queue.slot(name.split()[0], urgent=urgent):
                self.served.append(name)
                over = asyncio.Event()
                self._over.append(over)
                await over.wait()
        except Unavailable:
            self.refused.append(name)

    async def serves(self, jobs: int) -> list[str]:
        """Let so many jobs end, the oldest first, and say who has had a slot by then."""
        for _ in range(jobs):
            self._over.pop(0).set()
            await turns()
        return self.served

    async def closes(self) -> None:
        while self._over:
            await self.serves(1)
        await asyncio.gather(*self._tasks)
        assert self.queue.idle.is_set()


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_people_take_turns_however_many_jobs_one_of_them_brings() -> None:
    office = Office()
    await office.comes("alice 1", "alice 2", "alice 3", "alice 4", "bob 1", "carol 1", "bob 2")
    assert await office.serves(6) == ["alice 1", "alice 2", "bob 1", "carol 1", "alice 3", "bob 2", "alice 4"]
    await office.closes()


async def test_an_edit_waits_for_no_picture() -> None:
    office = Office()
    await office.comes("alice 1", "alice 2", "bob 1")
    await office.comes("carol's edit", urgent=True)
    assert office.served == ["alice 1", "carol's edit"], "there is one more slot for it"
    await office.comes("dave's edit", urgent=True)
    assert (await office.serves(1))[2:] == [], "one slot more, not two"
    assert (await office.serves(1))[2:3] == ["dave's edit"]
    await office.closes()


async def test_pictures_go_on_among_many_edits() -> None:
    office = Office()
    await office.comes(*[f"editor{number} 1" for number in range(20)], urgent=True)
    await office.comes("alice 1", "alice 2")
    order = await office.serves(20)
    assert order.index("alice 1") <= URGENT_IN_A_ROW + 1
    assert order.index("alice 2") <= 2 * (URGENT_IN_A_ROW + 1)
    await office.closes()


async def test_whoever_fills_the_queue_gives_way_to_others_and_gets_no_more() -> None:
    office = Office(waiting=4)
    await office.comes("alice 0", "alice 1", "alice 2", "alice 3", "alice 4")
    await office.comes("alice 5")
    assert office.refused == ["alice 5"]
    await office.comes("bob 1")
    assert office.refused == ["alice 5", "alice 4"]
    await office.comes("bob 2")
    assert office.refused == ["alice 5", "alice 4", "alice 3"]
    assert (await office.serves(2))[1:3] == ["alice 1", "bob 1"]
    await office.closes()


async def test_who_goes_away_while_waiting_or_in_the_moment_of_being_called_takes_no_seat_with_them() -> None:
    office = Office()
    await office.comes("alice 1", "bob 1", "carol 1")
    _, waiting, called = office._tasks
    waiting.cancel()
    await turns()
    office._over.pop(0).set()
    await asyncio.sleep(0)
    called.cancel()
    await asyncio.gather(*office._tasks, return_exceptions=True)
    office._tasks.clear()
    await office.comes("dave 1")
    assert office.served[-1] == "dave 1"
    await office.closes()


async def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.sandbox.queue.WAITING_SECONDS", 0.01)
    office = Office()
    await office.comes("alice 1", "bob 1")
    await office._tasks[1]
    assert office.refused == ["bob 1"]
    await office.closes()
