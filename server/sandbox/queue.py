"""The queue of sandbox jobs: people take turns, and urgent jobs go first.

1. **In turns.** Each person has their own queue, and the queues are served in turn. A person who
   sends a hundred pictures waits for them, and nobody else does.
2. **Urgent first.** A job that checks an edit is urgent, and goes before pictures and folds. Every
   fifth job may be one of these, so that they go on as well. While they hold all slots, there is
   one more slot for urgent jobs alone, because a picture may take five seconds.
3. **Bounded.** A limited number of jobs may wait. When the queue is full, the person with the most
   jobs loses their last one to a newcomer who has fewer. Otherwise the newcomer is refused. No job
   waits longer than `WAITING_SECONDS`.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crdt.errors import Unavailable

WAITING_SECONDS = 60.0
"""As long as two of the longest jobs. No client waits longer for an answer."""

URGENT_IN_A_ROW = 4


class _Line:
    """The jobs of one kind that wait: a queue for each person."""

    def __init__(self) -> None:
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def waiting(self, person: str) -> int:
        return len(self._queues.get(person, ()))

    def longest(self) -> tuple[int, str]:
        return max(((len(queue), person) for person, queue in self._queues.items()), default=(0, ""))

    def join(self, person: str, turn: "asyncio.Future[None]") -> None:
        self._queues.setdefault(person, deque()).append(turn)
        self._count += 1

    def leave(self, person: str, turn: "asyncio.Future[None]") -> None:
        queue = self._queues.get(person)
        if queue is not None and turn in queue:
            queue.remove(turn)
            self._count -= 1
            if not queue:
                del self._queues[person]

    def next(self) -> "asyncio.Future[None]":
        """Take out the next job. Its person goes behind the others."""
        person, queue = self._queues.popitem(last=False)
        turn = queue.popleft()
        self._count -= 1
        if queue:
            self._queues[person] = queue
        return turn

    def last_of(self, person: str) -> "asyncio.Future[None]":
        turn = self._queues[person][-1]
        self.leave(person, turn)
        return turn


class JobQueue:
    """Slots at workers, and the jobs that wait for a slot: at most `waiting`."""

    def __init__(self, slots: int, waiting: int) -> None:
        self._slots = slots
        self._most_waiting = waiting
        self._busy = {True: 0, False: 0}
        self._lines = {True: _Line(), False: _Line()}
        self._urgent_in_a_row = 0
        self.idle = asyncio.Event()
        """Set while no job has a slot or waits for one."""
        self.idle.set()

    @asynccontextmanager
    async def slot(self, person: str, *, urgent: bool) -> AsyncIterator[None]:
        """Wait for a slot, and hold it inside of the `async with`. Raises Unavailable."""
        self.idle.clear()
        try:
            await self._wait(person, urgent=urgent)
            try:
                yield
            finally:
                self._busy[urgent] -= 1
                self._call()
        finally:
            if not sum(self._busy.values()) + self._waiting:
                self.idle.set()

    async def _wait(self, person: str, *, urgent: bool) -> None:
        line, turn = self._lines[urgent], asyncio.get_running_loop().create_future()
        if self._waiting >= self._most_waiting and not self._has_slot(urgent=urgent):
            self._make_room(person)
        line.join(person, turn)
        self._call()
        try:
            async with asyncio.timeout(WAITING_SECONDS):
                await turn
        except BaseException as error:
            line.leave(person, turn)
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._busy[urgent] -= 1  # the slot was given in the moment in which the task ended
                self._call()
            if isinstance(error, TimeoutError):
                raise _too_busy() from None
            raise

    @property
    def _waiting(self) -> int:
        return sum(map(len, self._lines.values()))

    def _has_slot(self, *, urgent: bool) -> bool:
        busy = self._busy[True] + self._busy[False]
        return busy < self._slots or (urgent and busy == self._busy[False] == self._slots)

    def _call(self) -> None:
        """Give free slots to the next jobs."""
        urgent, other = self._lines[True], self._lines[False]
        while True:
            patience_is_over = len(other) and self._urgent_in_a_row >= URGENT_IN_A_ROW and self._has_slot(urgent=False)
            if len(urgent) and self._has_slot(urgent=True) and not patience_is_over:
                turn, is_urgent = urgent.next(), True
            elif len(other) and self._has_slot(urgent=False):
                turn, is_urgent = other.next(), False
            else:
                return
            if not turn.done():
                self._urgent_in_a_row = self._urgent_in_a_row + 1 if is_urgent else 0
                self._busy[is_urgent] += 1
                turn.set_result(None)

    def _make_room(self, person: str) -> None:
        """End the last waiting job of the person with the most, for a person with fewer.

        Raises Unavailable if nobody has at least two more than this person.
        """
        mine = sum(line.waiting(person) for line in self._lines.values())
        most, richest, line = max(((*line.longest(), line) for line in self._lines.values()), key=lambda each: each[0])
        if most <= mine + 1:
            raise _too_busy()
        # The task that waits may have been cancelled in this turn of the event loop.
        if not (turn := line.last_of(richest)).done():
            turn.set_exception(_too_busy())


def _too_busy() -> Unavailable:
    return Unavailable("Too many large changes are being checked at once.")
