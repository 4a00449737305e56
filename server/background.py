"""Background work: tasks that belong to an owner, and the pauses between tries."""

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any, Self

from server.observe import log


class Background:
    """Tasks of one owner. No task outlives the owner, and failures are logged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None], name: str = "task") -> "asyncio.Task[None]":
        """Run something beside everything else until it ends or the owner stops."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_log_failure)
        self.own(task)
        return task

    def own(self, task: "asyncio.Task[None]") -> None:
        """Take over a task whose failure somebody else is told of."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel everything, and return when all has ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()


def _log_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("task_failed", task=task.get_name(), exc_info=error)


def pauses(first: float, last: float) -> Iterator[float]:
    """Yield the seconds between tries, doubled from the first to the last."""
    pause = first
    while True:
        yield pause
        pause = min(pause * 2, last)
