"""Memory that people make a node hold: one budget for all of them, and a share of it for each.

What a message can make the server keep (an upload that is not complete, a missing update that is
not fetched, a request's body) is held under a lease, and counted:

1. **One person holds a share.** Past it their own things are refused (`too_many`), nobody else's. A
   single thing may be larger than the share: a large document must be there for whoever may read
   it.
2. **All together hold the total.** When it is reached, whoever holds the most gives way: the oldest
   of what they can begin again is given up, as long as they keep more than the newcomer gets.
   Otherwise the newcomer is refused (`unavailable`).
3. **A lease has a time.** Who goes on renews it; what nobody has asked for until then is given up
   by `sweep`.
4. **What several hold is counted once,** and freed with the last of them.

A person is whoever can be told apart: a user, or the address group for guests who are not
known again. Giving up calls `lost`, which must forget the bytes.
"""

import math
from collections import Counter
from collections.abc import Callable

from crdt.errors import Code, ProtocolError, Unavailable

Lost = Callable[[str], None]
"""Forget what was held; whoever asks for it later is told this reason."""

_TOO_SLOW = "What was kept for you was given up, because you asked for no more of it in time. Begin again."
_OUTBID = "What was kept for you was given up, because others need the memory. Begin again in a moment."


class Lease:
    """Bytes that one person makes the node hold. `thing`: the object itself, where others may hold the same one."""

    __slots__ = ("_budget", "bytes", "ends", "lost", "person", "thing", "until")

    def __init__(self, budget: "Budget", person: str, thing: object, lost: Lost | None) -> None:
        self._budget = budget
        self.person = person
        self.thing = self if thing is None else thing
        self.lost = lost
        """None: it is being worked with, and cannot be given up."""
        self.bytes = 0
        self.until = self.ends = math.inf
        """Monotonic seconds when it is given up, and after which it cannot be renewed."""

    def grow(self, amount: int) -> None:
        """Hold so much more; raises ProtocolError(too_many) or Unavailable, and then nothing has changed."""
        self._budget._grow(self, amount)

    def last(self, seconds: float, *, at_most: float | None = None) -> None:
        """Last for so many seconds from now, and with all further calls not longer than `at_most` from now."""
        now = self._budget.now()
        if at_most is not None:
            self.ends = now + at_most
        self.until = min(now + seconds, self.ends)

    def keep(self) -> None:
        """Begin to work with it: it is not given up any more, only released."""
        self.lost, self.until = None, math.inf

    def release(self) -> None:
        """Hold it no longer; more than once is once."""
        self._budget._release(self)


class Budget:
    """Counts. `total` and `share` in bytes, `now` in monotonic seconds."""

    def __init__(self, total: int, share: int, now: Callable[[], float]) -> None:
        self._total = total
        self._share = share
        self.now = now
        self.held = 0
        """Bytes that are held by everybody together."""
        self._leases: dict[str, dict[Lease, None]] = {}
        """Of each person, the oldest first."""
        self._sums: Counter[str] = Counter()
        self._holders: dict[int, dict[Lease, None]] = {}
        """By the identity of the thing: who holds it."""

    def of(self, person: str) -> "Account":
        """One person's share."""
        return Account(self, person)

    def held_by(self, person: str) -> int:
        """Bytes that one person holds, what others hold as well included."""
        return self._sums[person]

    def sweep(self) -> None:
        """Give up what has had its time; call it every few seconds."""
        now = self.now()
        over = [lease for leases in self._leases.values() for lease in leases if lease.until <= now]
        for lease in over:
            self._give_up(lease, _TOO_SLOW)

    def check_share(self, person: str, amount: int) -> None:
        """Raise ProtocolError(too_many) if so much more is above the person's share, unless it is all that they hold."""
        held = self._sums[person]
        if held and amount and held + amount > self._share:
            most = self._share // 2**20
            raise ProtocolError(
                Code.TOO_MANY, f"You load and send more than {most} MB at once. Wait until some of it is done."
            )

    def _grow(self, lease: Lease, amount: int) -> None:
        holders = self._holders.setdefault(id(lease.thing), {})
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
        while self.held + amount > self._total:
            richer = [other for other, held in self._sums.most_common() if held > would_hold and other != person]
            given = next((lease for other in richer for lease in self._leases[other] if self._frees(lease)), None)
            if given is None:
                raise Unavailable("The memory for what people load and send is used up.")
            self._give_up(given, _OUTBID)

    def _frees(self, lease: Lease) -> bool:
        """Whether giving it up would free anything."""
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


class Account:
    """One person's share of a budget."""

    __slots__ = ("_budget", "person")

    def __init__(self, budget: Budget, person: str) -> None:
        self._budget = budget
        self.person = person

    def check(self, amount: int) -> None:
        """Raise ProtocolError(too_many) if so much more would be refused in any case: then the work for it can be spared."""
        self._budget.check_share(self.person, amount)

    def lease(self, lost: Lost | None, thing: object = None) -> Lease:
        """Begin to hold something, of no bytes yet."""
        return Lease(self._budget, self.person, thing, lost)


def unbounded() -> Budget:
    """For whoever needs no bounds: everything may be held, for ever."""
    return Budget(2**62, 2**62, lambda: 0.0)
