"""Groups of IP addresses that are counted as one, and how much each group may still ask for.

IPv6 addresses count by their /64, because providers give one customer a whole /64. The table of
shares is bounded. A group that has asked for nothing for long has its whole share again and needs
no place in the table. Past the bound the group that was quiet longest loses its place.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from crdt.token_bucket import Rate, TokenBucket
from server.auth.base import Identity

PLACES = 20_000
"""Groups remembered at once; some 250 bytes each. Counting addresses does not keep out an attacker who has more."""


@lru_cache(maxsize=1024)  # after a restart an office comes through one address
def address_group(address: str) -> str:
    """Name the group of an address. What is no IP address (a socket's path, nothing) is a group of its own."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return parsed.exploded[:19]
    return str(parsed)


def payer(identity: Identity, address: str) -> str:
    """Name the payer for what the server must hold: the person, or the address group of a guest without a cookie."""
    return f"person:{identity.user.user_id}" if identity.lasting else f"address:{address_group(address)}"


class Shares:
    """What each group may still ask for under one rate. `clock`: monotonic seconds."""

    def __init__(self, rate: Rate, clock: Callable[[], float], places: int = PLACES) -> None:
        self._rate = rate
        self._clock = clock
        self._places = places
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, address: str) -> float:
        """Take one; 0, or the seconds after which there is one."""
        name, now = address_group(address), self._clock()
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = TokenBucket(self._rate, now)
            if len(self._buckets) > self._places:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(name)
        return bucket.take(1, now)
