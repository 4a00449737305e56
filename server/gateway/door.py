"""How many may stand at the door and be inside, in all and per address.

A connection stands at the door from its handshake until its Socket.IO CONNECT is accepted; both places are counted, since
handshakes cost an attacker nothing. IPv6 addresses count by their /64, which is what one household is given.
"""

from collections import Counter
from ipaddress import IPv6Address, ip_address

from crdt.errors import Code, ProtocolError
from server.gateway.limits import GatewayLimits


class Door:
    """Counts; whoever was let in must `leave` once."""

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
        """Begin to wait; False: too many wait already, from this address or in all."""
        household = _household(address)
        if self._waiting[household] >= self._limits.handshakes_per_address or self.waiting >= self._limits.connections:
            return False
        self._waiting[household] += 1
        return True

    def enter(self, address: str) -> None:
        """Go in; raises ProtocolError(too_many), and then the connection waits as before."""
        household = _household(address)
        if self.inside >= self._limits.connections:
            raise ProtocolError(Code.TOO_MANY, "The server has as many connections as it takes. Try again later.")
        if self._inside[household] >= self._limits.connections_per_address:
            raise ProtocolError(Code.TOO_MANY, "Too many connections come from your address. Close some pages.")
        _subtract(self._waiting, household)
        self._inside[household] += 1

    def step_out(self, address: str) -> None:
        """Wait at the door again."""
        household = _household(address)
        _subtract(self._inside, household)
        self._waiting[household] += 1

    def leave(self, address: str, *, was_inside: bool) -> None:
        """Be gone."""
        _subtract(self._inside if was_inside else self._waiting, _household(address))


def _subtract(counter: Counter[str], household: str) -> None:
    counter[household] -= 1
    if counter[household] <= 0:
        del counter[household]


def _household(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return parsed.exploded[:19]
    return str(parsed)
