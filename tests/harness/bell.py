"""Waiting without sleeping: whoever changes something rings, whoever waits looks again.

How long is said here for all tests. No test may hang on how fast the machine is: `PATIENCE` is for
what must come however long it takes, and a story that something slow would spoil is told again with
more time (`given_time`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection

PATIENCE = 100.0
"""Seconds after which something that should happen counts as not happening; the longest that a test may hang is four times as much."""


class Bell:
    """One for all parts of a story; a ring costs one look at each condition that is waited for."""

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
    """Wait until a condition holds that hangs on several stories: whichever bell rings, look again."""
    async with asyncio.timeout(seconds):
        while not condition():
            rung = asyncio.get_running_loop().create_future()
            for bell in bells:
                bell.wake(rung)
            await rung


async def given_time(story: Callable[[float], Awaitable[bool]], seconds: float) -> None:
    """Tell a story that needs to be done with something in so many seconds: again with ten times as many while it says that it was not."""
    for factor in (1, 10, 100):
        if await story(factor * seconds):
            return
    raise AssertionError(f"even {100 * seconds:g} s were too short")
