"""An event loop on which waiting takes no time: when nothing is ready, the clock jumps to the next timer.

No threads, no sockets; the same program and the same seed give the same run. A loop with nothing left to wait for raises `Deadlock`
instead of hanging.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


TURN = 1e-6
"""Seconds that one turn of the loop takes: without it, a timer that is due within a rounding error would be set again for ever."""


class Deadlock(RuntimeError):
    """Everybody waits for somebody, and no timer is set."""


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting, tells the loop that the time has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("The simulation has come to a standstill.")
        self.now += max(TURN, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` is the simulation's own, from 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of its own."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()
