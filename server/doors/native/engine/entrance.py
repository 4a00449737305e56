"""Entrance: counts the connections that wait and those let in, in all, per address, per person.

A connection waits at the entrance from its handshake until its Socket.IO CONNECT is accepted. Both
counts are bounded, because handshakes cost an attacker nothing. The person is known only after the
CONNECT. The counts take as much memory as there are connections.
"""

from collections import Counter

from crdt.errors import Code, ProtocolError
from server.address_groups import address_group
from server.doors.native.limits import GatewayLimits


class Entrance:
    """Counts of connections. Each one that was let in must `leave` once."""

    def __init__(self, limits: GatewayLimits) -> None:
        self._limits = limits
        self._waiting: Counter[str] = Counter()
        self._inside: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """Connections without an accepted CONNECT."""
        return self._waiting.total()

    @property
    def inside(self) -> int:
        """Connections that may speak."""
        return self._inside.total()

    def knock(self, address: str) -> bool:
        """Begin to wait. Return False if too many wait already, from this address or in all."""
        home = address_group(address)
        if self._waiting[home] >= self._limits.handshakes_per_address or self.waiting >= self._limits.connections:
            return False
        self._waiting[home] += 1
        return True

    def enter(self, address: str) -> None:
        """Let a connection in; raises ProtocolError(too_many), and then it waits as before."""
        home = address_group(address)
        if self.inside >= self._limits.connections:
            raise ProtocolError(Code.TOO_MANY, "The server has as many connections as it takes. Try again later.")
        if self._inside[home] >= self._limits.connections_per_address:
            raise ProtocolError(Code.TOO_MANY, "Too many connections come from your address. Close some pages.")
        _subtract(self._waiting, home)
        self._inside[home] += 1

    def step_out(self, address: str) -> None:
        """Wait at the entrance again."""
        home = address_group(address)
        _subtract(self._inside, home)
        self._waiting[home] += 1

    def leave(self, address: str, *, was_inside: bool) -> None:
        _subtract(self._inside if was_inside else self._waiting, address_group(address))


class UserConnections:
    """Counts of each person's connections. Each one that came in must `leave` once."""

    def __init__(self, connections_per_user: int) -> None:
        self._most = connections_per_user
        self._inside: Counter[str] = Counter()

    def enter(self, user_id: str) -> None:
        """Come in with one more connection; raises ProtocolError(too_many)."""
        if self._inside[user_id] >= self._most:
            raise ProtocolError(Code.TOO_MANY, f"You have {self._most} connections open. Close some pages.")
        self._inside[user_id] += 1

    def leave(self, user_id: str) -> None:
        """Close one of the connections."""
        _subtract(self._inside, user_id)


def _subtract(counter: Counter[str], name: str) -> None:
    counter[name] -= 1
    if counter[name] <= 0:
        del counter[name]
