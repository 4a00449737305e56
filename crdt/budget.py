"""Budgets of what people may make a node hold and do: memory, and requests in a given time.

Memory has one budget for everybody, and a share for each person. Requests have a token bucket.

A message can make the server keep bytes: an incomplete upload, a missing update that is not fetched
yet, a request's body. Such bytes are held under a lease, and counted:

1. **Each person has a share.** Beyond it, only the person's own leases are refused (`too_many`). A
   single thing may be larger than the share, because a large document must stay readable.
2. **All people together have the total.** When it is reached, the person who holds the most gives
   way. Their oldest lease that can be given up is given up, if they hold more than the newcomer
   would. Otherwise the newcomer is refused (`unavailable`).
3. **Each lease has a time.** The holder renews it by going on. `sweep` gives up leases that were
   not renewed in time.
4. **A thing that several people hold is counted once.** It is freed with its last lease.

A person is a user. Guests who cannot be recognised count as one person per address group. Giving a
lease up calls `lost`, which must forget the bytes.
"""

import math
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from msgspec import Struct, field

from crdt.errors import Code, ProtocolError, Unavailable

Lost = Callable[[str], None]
"""A function that forgets the bytes of a lease. Later requests for them get the given reason."""

_TOO_SLOW = "Data kept for you was dropped, because you did not ask for the rest in time. Begin again."
_OUTBID = "Data kept for you was dropped, because others need the memory. Begin again in a moment."


class Lease:
    """Bytes that one person makes the node hold.

    `thing` is the object itself, if several people may hold the same object.
    """

    __slots__ = ("_budget", "bytes", "ends", "lost", "person", "thing", "until")

    def __init__(self, budget: "Budget", person: str, thing: object, lost: Lost | None) -> None:
        self._budget = budget
        self.person = person
        self.thing = self if thing is None else thing
        self.lost = lost
        """None if the bytes are in use, and cannot be given up."""
        self.bytes = 0
        self.until = self.ends = math.inf
        """Monotonic seconds: when the lease is given up, and up to when it can be renewed."""

    def grow(self, amount: int) -> None:
        """Hold `amount` bytes more.

        Raises ProtocolError(too_many) or Unavailable, and then nothing has changed.
        """
        self._budget._grow(self, amount)

    def last(self, seconds: float, *, at_most: float | None = None) -> None:
        """Renew the lease for this many seconds from now.

        `at_most` limits this call and all later ones to that many seconds from now.
        """
        now = self._budget.now()
        if at_most is not None:
            self.ends = now + at_most
        self.until = min(now + seconds, self.ends)

    def keep(self) -> None:
        """Keep the bytes until `release`, because they are in use."""
        self.lost, self.until = None, math.inf

    def release(self) -> None:
        """End the lease. Ending it again does nothing."""
        self._budget._release(self)


class Budget(Struct, eq=False):
    """The count of all leases. `total` and `share` are bytes; `now` returns monotonic seconds."""

    total: int
    share: int
    now: Callable[[], float]
    held: int = 0
    """Bytes that all people hold together."""
    _leases: dict[str, dict[Lease, None]] = field(default_factory=dict)
    """Leases by person, the oldest first."""
    _sums: Counter[str] = field(default_factory=Counter)
    """Bytes by person."""
    _holders: dict[int, dict[Lease, None]] = field(default_factory=dict)
    """Leases by the identity of the thing that they hold."""

    def of(self, person: str) -> "Account":
        return Account(self, person)

    def held_by(self, person: str) -> int:
        """Return the bytes that one person holds, including things that others hold as well."""
        return self._sums[person]

    def sweep(self) -> None:
        """Give up leases whose time is over. Call this every few seconds."""
        now = self.now()
        over = [lease for leases in self._leases.values() for lease in leases if lease.until <= now]
        for lease in over:
            self._give_up(lease, _TOO_SLOW)

    def check_share(self, person: str, amount: int) -> None:
        """Raise ProtocolError(too_many) if `amount` more bytes would exceed the person's share.

        A person who holds nothing may exceed it.
        """
        held = self._sums[person]
        if held and amount and held + amount > self.share:
            most = self.share // 2**20
            raise ProtocolError(
                Code.TOO_MANY, f"You load and send more than {most} MB at once. Wait until a part is done."
            )

    def _grow(self, lease: Lease, amount: int) -> None:
        holders = self._holders.setdefault(id(lease.thing), {})
        # A thing counts once for a person, and once in the total: nothing if another lease of the
        # same person, or of anybody, holds it already.
        mine = 0 if any(other.person == lease.person for other in holders if other is not lease) else amount
        news = 0 if len(holders) > (lease in holders) else amount
        held = self._sums[lease.person]
        try:
            self.check_share(lease.person, mine)
            if news:
                self._make_room(news, lease.person, held + mine)
        except BaseException:
            if not holders:
                del self._holders[id(lease.thing)]
            raise
        holders[lease] = self._leases.setdefault(lease.person, {})[lease] = None
        lease.bytes += amount
        self._sums[lease.person] += mine
        self.held += news

    def _make_room(self, amount: int, person: str, would_hold: int) -> None:
        while self.held + amount > self.total:
            richer = [other for other, held in self._sums.most_common() if held > would_hold and other != person]
            given = next((lease for other in richer for lease in self._leases[other] if self._frees(lease)), None)
            if given is None:
                raise Unavailable("The memory for data that people load and send is used up.")
            self._give_up(given, _OUTBID)

    def _frees(self, lease: Lease) -> bool:
        """Whether the lease can be given up, and would free its bytes."""
        return lease.lost is not None and len(self._holders[id(lease.thing)]) == 1

    def _give_up(self, lease: Lease, why: str) -> None:
        lost = lease.lost
        self._release(lease)
        if lost is not None:
            lost(why)

    def _release(self, lease: Lease) -> None:
        mine = self._leases.get(lease.person, {})
        if lease not in mine:
            return
        holders = self._holders[id(lease.thing)]
        del mine[lease], holders[lease]
        if not any(other.person == lease.person for other in holders):
            self._sums[lease.person] -= lease.bytes
        if not mine:
            del self._leases[lease.person], self._sums[lease.person]
        if not holders:
            del self._holders[id(lease.thing)]
            self.held -= lease.bytes


class Account(Struct, eq=False):
    """One person's share of a budget."""

    budget: Budget
    person: str

    def check(self, amount: int) -> None:
        """Raise ProtocolError(too_many) if a lease of this many bytes would be refused.

        Call this first to spare the work of making the bytes.
        """
        self.budget.check_share(self.person, amount)

    def lease(self, lost: Lost | None, thing: object = None) -> Lease:
        """Begin a lease of 0 bytes."""
        return Lease(self.budget, self.person, thing, lost)


def unbounded() -> Budget:
    """Return a budget without bounds, whose leases last for ever."""
    return Budget(2**62, 2**62, lambda: 0.0)


def payer(user_id: str | None, address: str) -> str:
    """Name the person on whose account the server holds memory.

    `user_id` is None for a guest who will not be known again.
    """
    return f"address:{address_group(address)}" if user_id is None else f"person:{user_id}"


@lru_cache(maxsize=1024)  # after a restart an office comes through one address
def address_group(address: str) -> str:
    """Return the name of the group of addresses that count as one.

    IPv6 addresses count by their /64, because providers give one customer a whole /64. A text that
    is no IP address (a socket's path) is its own group.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return parsed.exploded[:19]  # the first 64 bits: four groups of four digits
    return str(parsed)


class Rate(Struct, frozen=True):
    """An amount per second, and an amount at once after a quiet spell. Both are more than 0."""

    per_second: float
    burst: float


class TokenBucket:
    """One peer's bucket under a Rate. Times are monotonic seconds and never go back."""

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._left = rate.burst
        self._at = now

    def take(self, amount: float, now: float) -> float:
        """Take an amount and return 0, or take nothing and return the seconds until it is there.

        An amount above the burst is let through when the bucket is full. It leaves the bucket in
        debt, because the bucket can never hold that much.
        """
        rate = self._rate
        left = self._left + (now - self._at) * rate.per_second
        if left > rate.burst:
            left = rate.burst
        self._at = now
        if amount <= left or left == rate.burst:
            self._left = left - amount
            return 0.0
        self._left = left
        return (min(amount, rate.burst) - left) / rate.per_second
