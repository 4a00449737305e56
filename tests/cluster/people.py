"""People who write while the cluster breaks: typists that also bear with a server that cannot take an edit now, and try again."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.cluster.breakable import NODES, BreakableCluster
from tests.harness.bell import Bell
from tests.harness.typist import Typist, all_agree

LATER = frozenset({"unavailable", "draining", "rate_limited"})
"""Refusals that mean: keep it, and try again after a pause."""
PAUSE = 0.3
"""Seconds of that pause."""
BETWEEN_KEYS = 0.03
"""Seconds: a fast writer, and six of them leave two cores some air."""


class PatientTypist(Typist):
    """A typist who joins again, after a pause, when the server says "later"."""

    def __init__(self, url: str, document_id: str, name: str, bell: Bell, seed: int = 0) -> None:
        super().__init__(url, document_id, name, bell, seed)
        self._retrying: set[asyncio.Task[None]] = set()

    async def writes_until(self, enough: asyncio.Event) -> None:
        """Type until the story has enough; more slowly while nothing is answered."""
        while not enough.is_set():
            await self.types()
            await asyncio.sleep(BETWEEN_KEYS if self.in_flight < 3 else 10 * BETWEEN_KEYS)

    async def is_heard(self) -> None:
        """Wait until the node has taken in whatever was sent; events of a connection are taken in order."""
        await self.socket.call("presence", (self._document_id, {"state": {}}))

    def __repr__(self) -> str:
        """What one wants to know when a story fails."""
        return (
            f"{self.name}(joined {self.times_joined} times, now {self.joined}, connected {self.socket.connected}, seq {self.seq}, "
            f"{len(self.unsaved)} unsaved, {self.in_flight} in flight, durability {self.durability}, {self.surprises})"
        )

    async def _join_answered(self, answer: dict[str, Any]) -> None:
        if answer.get("error", {}).get("code") in LATER:
            self._try_again()
        else:
            await super()._join_answered(answer)

    def _answered(self, request: int, answer: dict[str, Any]) -> None:
        if answer.get("error", {}).get("code") in LATER:
            self._in_flight.pop(request, None)
            self.joined = False
            self._try_again()
            self.bell.ring()
        else:
            super()._answered(request, answer)

    def _try_again(self) -> None:
        if not self._retrying:
            task = asyncio.create_task(self._join_after_a_pause())
            self._retrying.add(task)
            task.add_done_callback(self._retrying.discard)

    async def _join_after_a_pause(self) -> None:
        await asyncio.sleep(PAUSE)
        if self.socket.connected:
            await self._join()

    async def close(self) -> None:
        """Close the page."""
        for task in list(self._retrying):
            task.cancel()
        await super().close()


@asynccontextmanager
async def people_at(doors: Sequence[str], document_id: str, *, seed: int = 0) -> AsyncIterator[list[PatientTypist]]:
    """One person at each address, all in one document."""
    bell = Bell()
    people = [PatientTypist(door, document_id, f"Writer{number}", bell, seed) for number, door in enumerate(doors)]
    try:
        for person in people:
            await person.open()  # one after the other: the balancer would send some of a crowd elsewhere
        yield people
    except BaseException as error:
        error.add_note("\n".join(map(repr, people)))
        raise
    finally:
        for person in people:
            await person.close()


@asynccontextmanager
async def everybody_writing(people: Iterable[PatientTypist]) -> AsyncIterator[None]:
    """Everybody types for as long as the block lasts."""
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as writing:
        for person in people:
            writing.create_task(person.writes_until(enough))
        try:
            yield
        finally:
            enough.set()


async def more_is_saved(people: Sequence[PatientTypist], edits: int = 20) -> None:
    """Wait until that many more edits have been acknowledged."""
    goal = saved_by(people) + edits
    await people[0].bell.until(lambda: saved_by(people) >= goal)


def saved_by(people: Iterable[PatientTypist]) -> int:
    return sum(len(person.saved) for person in people)


def told(people: Iterable[PatientTypist]) -> set[str]:
    """Every edit that somebody saw acknowledged, or saw of somebody else."""
    return set[str]().union(*(person.saved | person.seen for person in people))


async def all_replicas_agree(cluster: BreakableCluster, document_id: str, people: Sequence[PatientTypist]) -> None:
    """Everything is saved; every screen, every node and the store hold the same; nothing that anybody was told of is missing."""
    promised = told(people)
    agreed = await all_agree(people)
    assert promised <= agreed[1]
    async with people_at([cluster.node_url(node) for node in NODES], document_id) as late:
        # A node that has just come back may still be reading the log when somebody joins it.
        await late[0].bell.until(lambda: all(person.screen == agreed for person in late))
    assert await cluster.stored_screen(document_id) == agreed
