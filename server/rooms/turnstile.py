"""A turnstile for work that many bring at once, as when everybody reconnects: it lets one through in each turn of the event loop.

Between two of them everything else runs that is ready: others' edits, timers, sockets. Those who
come for different things (a document, or from an address) take turns, so that a storm on one does
not hold up who comes to another.
"""

import asyncio
from collections import deque


class Turnstile:
    """Nobody waits at it unless somebody has just gone through."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._turning = False

    async def go_through(self, what_for: str) -> None:
        """Wait for one's turn; what follows runs without another before the loop has turned."""
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
            if not turn.done():  # else whoever waited has gone
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._turn)
                return
        self._turning = False
