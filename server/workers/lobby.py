"""Connections whose first line has not come yet. A slow one costs its own seat, and nobody else a moment.

A seat is kept for a while and then cleared; when all are taken, whoever has waited longest goes: an honest line follows its
connection within one round trip, so those are slow for a reason.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass

from server.http.request_heads import HEAD_SECONDS
from server.workers.places import MAX_LINE_BYTES, Place, place_named

MAX_SEATS = 2048
"""Each is an open file, and at most a line in memory."""

Route = Callable[[Place, bytes, socket.socket], None]
"""Takes a connection, and what was read from it."""


@dataclass(slots=True)
class _Seat:
    timer: asyncio.TimerHandle
    head: bytes = b""


class Lobby:
    """Waits for first lines; `route` gets each connection with the place that its line names."""

    def __init__(self, route: Route, *, seconds: float = HEAD_SECONDS, seats: int = MAX_SEATS) -> None:
        self._route = route
        self._seconds = seconds
        self._most = seats
        self._seats: dict[socket.socket, _Seat] = {}
        self._loop = asyncio.get_running_loop()

    @property
    def waiting(self) -> int:
        """How many sit here."""
        return len(self._seats)

    def enter(self, connection: socket.socket) -> None:
        """Take a connection that was just accepted."""
        if len(self._seats) >= self._most:
            self._turn_away(next(iter(self._seats)))
        self._seats[connection] = _Seat(self._loop.call_later(self._seconds, self._turn_away, connection))
        self._loop.add_reader(connection, self._read, connection)
        self._read(connection)  # mostly the line is there already

    def close(self) -> None:
        """Turn everybody away."""
        for connection in list(self._seats):
            self._turn_away(connection)

    def _read(self, connection: socket.socket) -> None:
        seat = self._seats[connection]
        try:
            data = connection.recv(MAX_LINE_BYTES - len(seat.head))
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._turn_away(connection)
            return
        seat.head += data
        place = place_named(seat.head)
        if place is not None:
            self._clear_seat(connection)
            self._route(place, seat.head, connection)

    def _turn_away(self, connection: socket.socket) -> None:
        self._clear_seat(connection)
        connection.close()

    def _clear_seat(self, connection: socket.socket) -> None:
        self._loop.remove_reader(connection)
        self._seats.pop(connection).timer.cancel()
