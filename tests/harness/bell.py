"""Bells for waiting without sleeping: each change rings, and each waiting test looks again.

All time limits of tests are here. No test may depend on the machine's speed. `PATIENCE` is for
things that must happen, however long they take. A story that a slow machine would spoil runs again
with more time (`given_time`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection

PATIENCE = 100.0
"""Seconds after which something that should happen counts as not happening.

A test may hang for four times as long.
"""


class Bell:
    """One bell for all parts of a story. Each ring checks every condition that is waited for."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def ring(self) -> None:
        """Say that something has happened."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def until(self, condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Wait until the condition holds; fails when it does not in time."""
        await until_with_any([self], condition, seconds)

    def wake(self, future: asyncio.Future[None]) -> None:
        """Let the next ring end this future."""
        self._waiting.append(future)


async def until_with_any(bells: Collection[Bell], condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until a condition holds that depends on several bells. Look again when any rings."""
    async with asyncio.timeout(seconds):
        while not condition():
            rung = asyncio.get_running_loop().create_future()
            for bell in bells:
                bell.wake(rung)
            await rung


async def given_time(story: Callable[[float], Awaitable[bool]], seconds: float) -> None:
    """Run a story that must finish something in a number of seconds.

    Run it again with ten times as many seconds, as long as it says that it did not finish.
    """
    for factor in (1, 10, 100):
        if await story(factor * seconds):
            return
    raise AssertionError(f"even {100 * seconds:g} s were too short")
