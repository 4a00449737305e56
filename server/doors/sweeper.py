"""Sweeper of connections: cuts those that take nothing, and gives up what nobody asks for.

Pings do not show either, because pongs need no reading. The sweeper comes by every second. It also
bounds what all connections of one person may leave in buffers: unsent data, and messages that have
come in part. Each connection is bounded by itself, but one person may have a hundred.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar

from msgspec import Struct, field

from crdt.budget import Account, Budget
from server.observe import log

T = TypeVar("T")

SWEEP_SECONDS = 1.0
"""Most seconds from one sweep to the next.

A quarter of the time after which a connection counts as stalled is taken, if that is less.
"""

BUFFERED_BYTES = 16 * 2**20
"""Bytes in the buffers of one person's connections together.

Past it the connections with most are cut. A page that comes back fetches what it has missed.
"""


class Socket(Protocol):
    """The lower half of a connection, at any door."""

    address: str

    @property
    def backlog(self) -> int:
        """Bytes that wait to be taken by the peer."""

    @property
    def unread(self) -> int:
        """Bytes of a message that has not come whole."""

    @property
    def taken(self) -> int:
        """A count that changes whenever the peer takes something of the backlog."""

    def end(self, *, cut: bool = False) -> None:
        """End in good order, or by cutting the TCP connection now."""


class Connection(Protocol):
    """A connection that was let in. Its account's person pays for what is held."""

    @property
    def socket(self) -> Socket: ...

    @property
    def account(self) -> Account: ...


class Sweeper(Struct):
    """Runs from the first connection of any door to the gateway's end.

    `watch` tells of a door's sockets (all) and connections (those let in), which are live views.
    """

    budget: Budget
    stall_seconds: float
    timer: asyncio.TimerHandle | None = None
    _waiting: dict[Socket, tuple[int, float]] = field(default_factory=dict)
    """Sockets with a backlog: what their peers had taken, and since when they took no more."""
    _sockets: list[Mapping[Any, Socket]] = field(default_factory=list)
    _connections: list[Mapping[Any, Connection]] = field(default_factory=list)

    def watch(self, sockets: Mapping[Any, Socket], connections: Mapping[Any, Connection]) -> None:
        self._sockets.append(sockets)
        self._connections.append(connections)

    def start(self) -> None:
        if self.timer is None:
            self._sweep()

    def stop(self) -> None:
        if self.timer is not None:
            self.timer.cancel()

    def _sweep(self) -> None:
        # Nearly all hold nothing, so nothing else is asked of them.
        holding = {socket: size for socket in _all(self._sockets) if (size := socket.backlog + socket.unread)}
        self._cut_stalled(holding)
        if holding:
            self._relieve(holding)
        self.budget.sweep()
        pause = min(SWEEP_SECONDS, self.stall_seconds / 4)
        self.timer = asyncio.get_running_loop().call_later(pause, self._sweep)

    def _cut_stalled(self, holding: dict[Socket, int]) -> None:
        """Cut those whose backlog has not moved for too long, and take them out."""
        now, before, self._waiting = asyncio.get_running_loop().time(), self._waiting, {}
        for socket in [socket for socket in holding if socket.backlog]:
            taken, since = before.get(socket, (-1, now))
            if taken != socket.taken:
                taken, since = socket.taken, now
            if now - since < self.stall_seconds:
                self._waiting[socket] = taken, since
            else:
                log.warning("connection_aborted", reason="reads nothing that it is sent", address=socket.address)
                socket.end(cut=True)
                del holding[socket]

    def _relieve(self, holding: Mapping[Socket, int]) -> None:
        """Cut connections of people who leave too much in buffers, the largest first."""
        buffered: defaultdict[str, list[tuple[int, Socket]]] = defaultdict(list)
        for connection in _all(self._connections):
            if size := holding.get(connection.socket):
                buffered[connection.account.person].append((size, connection.socket))
        for theirs in buffered.values():
            total = sum(size for size, _ in theirs)
            theirs.sort(key=lambda each: each[0])
            while total > BUFFERED_BYTES:
                size, socket = theirs.pop()
                total -= size
                log.warning("connection_aborted", reason="too much in buffers of one person", address=socket.address)
                socket.end(cut=True)


def _all(views: Iterable[Mapping[Any, T]]) -> Iterable[T]:
    return (each for view in views for each in view.values())
