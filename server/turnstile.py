"""A turnstile for work that many bring at once, as when everybody reconnects: it lets one through in each turn of the event loop.

Between two of them everything else runs that is ready: others' edits, timers, sockets. Documents take their turns one after the other,
so that a storm on one does not hold up who comes to another.
"""

import asyncio
from collections import deque

from crdt.ids import DocumentId


class Turnstile:
    """Nobody waits at it unless somebody has just gone through."""

    def __init__(self) -> None:
        self._waiting: dict[DocumentId, deque[asyncio.Future[None]]] = {}
        self._turning = False

    async def go_through(self, document_id: DocumentId) -> None:
        """Wait for one's turn; what follows runs without another before the loop has turned."""
        loop = asyncio.get_running_loop()
        if not self._turning:
            self._turning = True
            loop.call_soon(self._turn)
            return
        turn = loop.create_future()
        self._waiting.setdefault(document_id, deque()).append(turn)
        await turn

    def _turn(self) -> None:
        """Let the next one through, if somebody waits."""
        while self._waiting:
            document_id = next(iter(self._waiting))
            queue = self._waiting.pop(document_id)
            turn = queue.popleft()
            if queue:
                self._waiting[document_id] = queue  # behind the others
            if not turn.done():  # else whoever waited has gone
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._turn)
                return
        self._turning = False
