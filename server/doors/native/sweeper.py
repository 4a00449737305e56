"""The sweeper, which comes by every few seconds: it cuts who takes nothing, and gives up what nobody has asked for any more.

A ping says nothing of either, since pongs need no reading. It also holds each person to what all of
their connections together may leave in buffers: unsent data, and messages that have come in part.
Each connection is bounded by itself, but one person may have a hundred.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping

from crdt.budget import Budget
from crdt.ids import ConnectionId
from server.doors.native.connection import Connection
from server.doors.native.engine.engine_socket import EngineSocket
from server.observe import log

SWEEP_SECONDS = 1.0
"""From one sweep to the next, or a quarter of the time after which a connection counts as stalled."""

BUFFERED_BYTES = 16 * 2**20
"""Of one person's connections together; past it those with most are cut. A page that comes back fetches what it has missed."""


class Sweeper:
    """Runs from the first connection to the gateway's end. `sockets` and `connections` are live: all of them, and those let in."""

    def __init__(
        self,
        sockets: Mapping[str, EngineSocket],
        connections: Mapping[ConnectionId, Connection],
        budget: Budget,
        stall_seconds: float,
    ) -> None:
        self._sockets = sockets
        self._connections = connections
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
        for socket in list(self._sockets.values()):
            if socket.is_stalled(self._stall_seconds):
                log.warning("connection_aborted", reason="takes nothing", address=socket.address)
                socket.end(cut=True)
        self._relieve()
        self._budget.sweep()
        pause = min(SWEEP_SECONDS, self._stall_seconds / 4)
        self._timer = asyncio.get_running_loop().call_later(pause, self._sweep)

    def _relieve(self) -> None:
        """Cut connections of people who leave too much in buffers, the largest first."""
        buffered: defaultdict[str, list[tuple[int, EngineSocket]]] = defaultdict(list)
        for connection in self._connections.values():
            socket = connection.socket
            if size := socket.backlog + socket.unread:
                buffered[connection.account.person].append((size, socket))
        for theirs in buffered.values():
            total = sum(size for size, _ in theirs)
            theirs.sort(key=lambda each: each[0])
            while total > BUFFERED_BYTES:
                size, socket = theirs.pop()
                total -= size
                log.warning("connection_aborted", reason="too much in buffers of one person", address=socket.address)
                socket.end(cut=True)
