"""An event loop on which waiting takes no time: its clock jumps to the next timer.

There are no threads and no sockets. The same program and the same seed give the same run. A loop
with nothing left to wait for raises `Deadlock` instead of hanging.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


TURN = 1e-6
"""Seconds that one turn of the loop takes.

Without them, a timer that is due within a rounding error would be set again for ever.
"""


class Deadlock(RuntimeError):
    """All tasks wait, and no timer is set."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time()` begins at 0."""

    # asyncio's own, which it has under these names since Python 3.4.
    _ready: deque[asyncio.Handle]
    _scheduled: list[Any]
    _stopping: bool
    _clock_resolution: float

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__()

    def time(self) -> float:
        return self._now

    def skip(self, seconds: float) -> bool:
        """Let this time and a turn pass at once, as for a timer.

        Return False if another timer or callback comes before.
        """
        then = self._now + max(TURN, self._now + seconds - self._now) + TURN
        if self._ready or not self._scheduled or self._scheduled[0]._when < then + self._clock_resolution:
            return False
        self._now = then
        return True

    def _run_once(self) -> None:
        """Take one turn as asyncio's loop does, but without looking for ready files.

        That look is nearly all the cost of a quiet turn.
        """
        ready, scheduled = self._ready, self._scheduled
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        wait = 0.0
        if not ready and not self._stopping:
            if not scheduled:
                raise Deadlock("The simulation has come to a standstill.")
            wait = scheduled[0]._when - self._now
        self._now += max(TURN, wait)
        due = self._now + self._clock_resolution
        while scheduled and scheduled[0]._when < due:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            ready.append(handle)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()


def at_once(story: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine that never waits, as those of a store in memory."""
    try:
        story.send(None)
    except StopIteration as done:
        outcome: T = done.value
        return outcome
    story.close()
    raise AssertionError("It waits for something.")


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of its own."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()
