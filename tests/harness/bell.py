"""Waiting without sleeping: whoever changes something rings, whoever waits looks again."""

import asyncio
from collections.abc import Callable, Collection

PATIENCE = 60.0
"""Seconds after which something that should happen counts as not happening."""


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
