"""Whom an IP address stands for when something is counted, and how much each of them may still ask for.

IPv6 addresses count by their /64, which is what one household is given. The table of shares is
bounded: a household that has asked for nothing for long has its whole share again and needs no
place in it, and past the bound the one that was quiet longest loses its place.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from crdt.token_bucket import Rate, TokenBucket
from server.auth.base import Identity

PLACES = 20_000
"""Households remembered at once; some 250 bytes each. Whoever has more addresses than that is not kept out by counting addresses."""


@lru_cache(maxsize=1024)  # after a restart an office comes through one address
def household(address: str) -> str:
    """Name the household of an address; what is no IP address (a socket's path, nothing) stands for itself."""
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
    """Who pays for what the server must hold: the person, or the household of a guest whom nobody will know again."""
    return f"person:{identity.user.user_id}" if identity.lasting else f"address:{household(address)}"


class Shares:
    """What each household may still ask for under one rate. `clock`: monotonic seconds."""

    def __init__(self, rate: Rate, clock: Callable[[], float], places: int = PLACES) -> None:
        self._rate = rate
        self._clock = clock
        self._places = places
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, address: str) -> float:
        """Take one; 0, or the seconds after which there is one."""
        name, now = household(address), self._clock()
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = TokenBucket(self._rate, now)
            if len(self._buckets) > self._places:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(name)
        return bucket.take(1, now)
