"""The people that a room speaks to, found once for all that it says to them: lanes to be written to, and sockets without one."""

from collections.abc import Mapping

from crdt.ids import ConnectionId
from server.doors.native.connection import Connection
from server.doors.native.engine.outgoing import Packets
from server.doors.native.lane.outlet import Outlet, write_to_all


class Audience:
    """Holds as long as a room names the same tuple of connections, and nobody among them has left."""

    def __init__(self, connections: tuple[ConnectionId, ...], everybody: Mapping[ConnectionId, Connection]) -> None:
        self.connections = connections
        self._everybody = everybody
        self._in_lanes: dict[Outlet, Connection] = {}
        self._others: list[Connection] = []
        for each in connections:
            connection = everybody.get(each)
            if connection is None:
                continue
            if connection.socket.lane is None:
                self._others.append(connection)
            else:
                self._in_lanes[connection.socket.lane.outlet] = connection

    def send(self, packets: Packets, limit: int, but: ConnectionId | None) -> list[ConnectionId]:
        """Send the same to all, except perhaps one; never waits. Return those whose backlog has passed the limit."""
        author = None if but is None else self._everybody.get(but)
        authors_lane = None if author is None else author.socket.lane
        but_outlet = None if authors_lane is None else authors_lane.outlet
        slow = [
            connection.connection_id
            for connection in self._others
            if connection is not author and connection.socket.push(packets) > limit
        ]
        behind = write_to_all(self._in_lanes, packets.frames, limit, but_outlet)
        for outlet in behind:
            connection = self._in_lanes[outlet]
            if connection.socket.bounded(connection.socket.backlog) > limit:
                slow.append(connection.connection_id)
        return slow
