"""One goes through in each turn of the loop, and what else is ready runs in between."""

import asyncio

from server.rooms.shares import Turnstile

A, B = "document a", "document b"


class Storm:
    """People who go through a turnstile, and a bystander who notes how many have whenever the loop turns."""

    def __init__(self) -> None:
        self.through: list[str] = []
        self.seen: list[int] = []
        self._turnstile = Turnstile()

    async def comes(self, what_for: str) -> None:
        await self._turnstile.go_through(what_for)
        self.through.append(what_for)

    async def stands_by(self, people: int) -> None:
        while len(self.through) < people:
            self.seen.append(len(self.through))
            await asyncio.sleep(0)


async def test_a_storm_passes_one_by_one() -> None:
    storm = Storm()
    await asyncio.gather(*(storm.comes(A) for _ in range(50)), storm.stands_by(50))
    assert all(after - before <= 1 for before, after in zip(storm.seen, storm.seen[1:], strict=False))


async def test_whoever_comes_alone_does_not_wait() -> None:
    storm = Storm()
    coming = storm.comes(A)
    with_no_turn_of_the_loop: list[None] = []
    try:
        coming.send(None)
    except StopIteration:
        with_no_turn_of_the_loop.append(None)
    assert with_no_turn_of_the_loop


async def test_another_document_does_not_wait_for_a_storm_to_pass() -> None:
    storm = Storm()
    await asyncio.gather(*(storm.comes(A) for _ in range(50)), storm.comes(B))
    assert storm.through.index(B) <= 2


async def test_who_goes_away_in_the_queue_does_not_stop_it() -> None:
    storm = Storm()
    tasks = [asyncio.create_task(storm.comes(A)) for _ in range(5)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(storm.through) == 4
