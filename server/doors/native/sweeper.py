"""Sweeper of connections: cuts those that take nothing, and gives up what nobody asks for.

Pings do not show either, because pongs need no reading. The sweeper comes by every second. It also
bounds what all connections of one person may leave in buffers: unsent data, and messages that have
come in part. Each connection is bounded by itself, but one person may have a hundred.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from crdt.budget import Budget
from crdt.ids import ConnectionId
from server.doors.native.connection import Connection
from server.doors.native.engine.engine_socket import EngineSocket
from server.observe import log

SWEEP_SECONDS = 1.0
"""Most seconds from one sweep to the next.

A quarter of the time after which a connection counts as stalled is taken, if that is less.
"""

BUFFERED_BYTES = 16 * 2**20
"""Bytes in the buffers of one person's connections together.

Past it the connections with most are cut. A page that comes back fetches what it has missed.
"""


@dataclass(slots=True)
class Sweeper:
    """Runs from the first connection to the gateway's end.

    `sockets` (all) and `connections` (those let in) are live views.
    """

    sockets: Mapping[str, EngineSocket]
    connections: Mapping[ConnectionId, Connection]
    budget: Budget
    stall_seconds: float
    timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        if self.timer is None:
            self._sweep()

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def _sweep(self) -> None:
        for socket in list(self.sockets.values()):
            if socket.is_stalled(self.stall_seconds):
                log.warning("connection_aborted", reason="reads nothing that it is sent", address=socket.address)
                socket.end(cut=True)
        self._relieve()
        self.budget.sweep()
        pause = min(SWEEP_SECONDS, self.stall_seconds / 4)
        self.timer = asyncio.get_running_loop().call_later(pause, self._sweep)

    def _relieve(self) -> None:
        """Cut connections of people who leave too much in buffers, the largest first."""
        buffered: defaultdict[str, list[tuple[int, EngineSocket]]] = defaultdict(list)
        for connection in self.connections.values():
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
