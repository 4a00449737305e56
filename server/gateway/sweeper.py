"""The sweeper, which comes by every few seconds: it cuts who takes nothing, and gives up what nobody has asked for any more.

A ping says nothing of either, since pongs need no reading.
"""

import asyncio
from collections.abc import Callable, Iterable

from crdt.budget import Budget
from server.gateway.engine_socket import EngineSocket
from server.observe import log

SWEEP_SECONDS = 5.0
"""From one sweep to the next, or a quarter of the time after which a connection counts as stalled."""


class Sweeper:
    """Runs from the first connection to the gateway's end. `sockets`: all of them; `stall_seconds`: GatewayLimits."""

    def __init__(self, sockets: Callable[[], Iterable[EngineSocket]], budget: Budget, stall_seconds: float) -> None:
        self._sockets = sockets
        self._budget = budget
        self._stall_seconds = stall_seconds
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin, unless it has begun."""
        if self._timer is None:
            self._sweep()

    def stop(self) -> None:
        """Come by no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _sweep(self) -> None:
        for socket in list(self._sockets()):
            if socket.is_stalled(self._stall_seconds):
                log.warning("connection_aborted", reason="takes nothing", address=socket.address)
                socket.end(cut=True)
        self._budget.sweep()
        pause = min(SWEEP_SECONDS, self._stall_seconds / 4)
        self._timer = asyncio.get_running_loop().call_later(pause, self._sweep)
