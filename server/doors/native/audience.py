"""The people that a room speaks to, found once for all that it says to them: lanes to be written to, and sockets without one."""

from collections.abc import Sequence
from typing import cast

from server.doors.native.connection import Connection
from server.doors.native.engine.outgoing import Packets
from server.doors.native.lane.outlet import Outlet, write_to_all
from server.rooms import Seat


class Audience:
    """Kept in a Circle: it holds as long as nobody comes or goes."""

    def __init__(self, seats: Sequence[Seat]) -> None:
        self._in_lanes: dict[Outlet, Seat] = {}
        self._others: list[Seat] = []
        for seat in seats:
            lane = _connection(seat).socket.lane
            if _connection(seat).gone:
                continue
            if lane is None:
                self._others.append(seat)
            else:
                self._in_lanes[lane.outlet] = seat

    def send(self, packets: Packets, limit: int, but: Seat | None) -> list[Seat]:
        """Send the same to all, except perhaps one; never waits. Return those whose backlog has passed the limit."""
        slow = [seat for seat in self._others if seat is not but and _connection(seat).socket.push(packets) > limit]
        authors_lane = None if but is None else _connection(but).socket.lane
        but_outlet = None if authors_lane is None else authors_lane.outlet
        for outlet in write_to_all(self._in_lanes, packets.frames, limit, but_outlet):
            seat = self._in_lanes[outlet]
            socket = _connection(seat).socket
            if socket.bounded(socket.backlog) > limit:
                slow.append(seat)
        return slow


def _connection(seat: Seat) -> Connection:
    """Every seat that the gateway is given is one of a connection's."""
    return cast(Connection, seat.ears)
