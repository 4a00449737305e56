"""Groups of IP addresses that count as one, and the share of each group under a rate.

IPv6 addresses count by their /64, because providers give one customer a whole /64. The table of
shares is bounded. A group that has asked for nothing for long has its whole share again, and needs
no entry in the table. Beyond the bound, the group that was quiet longest loses its entry.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from crdt.token_bucket import Rate, TokenBucket
from server.auth.base import Identity

PLACES = 20_000
"""Groups that are remembered at once, in some 250 bytes each.

An attacker who has more addresses cannot be kept out by counting addresses.
"""


@lru_cache(maxsize=1024)  # after a restart an office comes through one address
def address_group(address: str) -> str:
    """Return the group's name. A text that is no IP address (a socket's path) is its own group."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return parsed.exploded[:19]  # the first 64 bits: four groups of four digits
    return str(parsed)


def payer(identity: Identity, address: str) -> str:
    """Name the person on whose account the server holds memory.

    A guest without a cookie is counted by the address group.
    """
    return f"person:{identity.user.user_id}" if identity.lasting else f"address:{address_group(address)}"


class Shares:
    """The share of each group under one rate. `clock` returns monotonic seconds."""

    def __init__(self, rate: Rate, clock: Callable[[], float], places: int = PLACES) -> None:
        self._rate = rate
        self._clock = clock
        self._places = places
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, address: str) -> float:
        """Take one token of the address's group.

        Return 0, or the seconds after which there will be a token.
        """
        name, now = address_group(address), self._clock()
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = TokenBucket(self._rate, now)
            if len(self._buckets) > self._places:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(name)
        return bucket.take(1, now)
