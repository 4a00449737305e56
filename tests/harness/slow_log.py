"""A slow log, whose appends wait until a test lets them go on."""

import asyncio
from collections.abc import Sequence
from typing import Any

from server.store.base import Append, AppendOutcome, Log


class SlowLog:
    """Any log, with appends that can be held up. All other calls go through at once."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()
        self.waiting = 0
        """The appends that are held up now."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def stop(self) -> None:
        self._may_go_on.clear()

    def go_on(self) -> None:
        self._may_go_on.set()

    async def append(self, appends: Sequence[Append]) -> Sequence[AppendOutcome]:
        self.waiting += 1
        await self._may_go_on.wait()
        self.waiting -= 1
        return await self._log.append(appends)
