"""Turnstile for work that many people bring at once, for instance when everybody reconnects.

It lets one piece of work through in each turn of the event loop. Between two pieces everything else
runs that is ready: others' edits, timers, sockets. Work with different purposes (a document, an
address) takes turns. So a storm on one document does not hold up the people who come to another.
"""

import asyncio
from collections import deque


class Turnstile:
    """Lets waiters through one by one. Nobody waits unless somebody has just gone through."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._turning = False

    async def go_through(self, what_for: str) -> None:
        """Wait for a turn. What follows runs without another before the event loop has turned."""
        loop = asyncio.get_running_loop()
        if not self._turning:
            self._turning = True
            loop.call_soon(self._turn)
            return
        turn = loop.create_future()
        self._waiting.setdefault(what_for, deque()).append(turn)
        await turn

    def _turn(self) -> None:
        """Let the next one through, if somebody waits."""
        while self._waiting:
            what_for = next(iter(self._waiting))
            queue = self._waiting.pop(what_for)
            turn = queue.popleft()
            if queue:
                self._waiting[what_for] = queue  # behind the others
            if not turn.done():  # otherwise the waiter has gone
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._turn)
                return
        self._turning = False
