"""Pace of one node: how long its rooms gather, by the share of a core that its loop uses.

A row costs a frame for each member, whatever is in it. The longer a room gathers, the fewer rows
there are, and the longer people wait. `Windows` chooses how much a room gathers, in four steps:

1. **What waiting is worth.** Rows of `n` edits cost `c / n` seconds of processor time for each
   edit. Where `rate` edits come in a second, each waits for `n / (2 · rate)` seconds on average.
   If a second of an edit's waiting is worth `PRICE` seconds of processor time, the sum is least at

       n = √(2 · c · rate / PRICE)

   This is the order quantity of stock-keeping (Harris, 1913). With four times as many edits, rows
   have twice as many in them, and leave twice as often. Edits come at random, so it is better to
   count them than to wait for a time: the last one of each row does not wait at all.
2. **Nobody waits for long for the rest of a row.** A row leaves at the latest when its first edit
   has waited for `PATIENCE` of the time in which `n` edits come on average, or for half of the
   bound that a room's size sets.
3. **An idle node gathers nothing,** because nobody else needs the time. The wait grows from nothing
   to step 2 while `Pace.share` grows from `IDLE` to `BUSY`.
4. **A full node gathers as long as it may.** Between `FILLING` and `FULL` the wait grows from
   step 2 to the bound, and rows to any number of edits. What a full node can serve depends on the
   bounds alone (crdt/room/outbox.py for rows, crdt/room/members.py for presence).

The share is the processor time of the loop's own thread, in seconds per second, over the last
`MEMORY` seconds or so. Three things follow:

- **Other processes count for nothing.** Whoever takes the core away delays the loop, and adds
  nothing to its processor time.
- **There is one point of rest.** Longer waits mean fewer rows, so the share falls as waits grow.
  Waits grow with the share. Two such lines cross once.
- **Nothing swings.** `MEMORY` is several times as long as the longest wait. The share moves little
  within one.

All rooms of a node share one pace, and so do rows and presence, because what one room uses the
others lack. The rate is each room's own, and so is the bound.
"""

from collections.abc import Callable
from math import ceil, exp, inf, sqrt

PRICE = 0.045
"""Seconds of processor time that one edit's waiting for a second is worth.

At 100 people and 100 edits a second, a row is whole with three edits.
"""

PATIENCE = 0.7
"""Part of the average time of a whole row after which it leaves as it is."""

IDLE, BUSY = 0.02, 0.06
"""Shares of a core up to which nobody waits, and from which on waiting has its full worth.

One typist among 100 people takes less than `IDLE`.
"""

FILLING, FULL = 0.5, 0.9
"""Shares from which on time runs out, and at which it has."""

MEMORY = 0.5
"""Seconds within which most of a share is forgotten, or of a rate."""

GLANCE = 0.01
"""Least seconds that a share is measured over. Single rows are too coarse for less."""

RAREST = 1e-3
"""Least rate a second. Presence may leave without a move, because another node asks."""

ROW, FRAME = 0.0005, 0.00001
"""Seconds of a row, and of each frame of it. Half of a frame is the kernel's."""


class Pace:
    """The share of a core that one node's loop has used lately.

    `spent`: processor seconds that the loop's thread has used, asked for in that thread.
    """

    def __init__(self, spent: Callable[[], float]) -> None:
        self._spent = spent
        self._seen: tuple[float, float] | None = None
        """When the share was measured last, and what was spent by then."""
        self.share = 0.0

    def look(self, now: float) -> float:
        """Measure the share. Return the processor seconds spent so far."""
        spent = self._spent()
        if self._seen is None:
            self._seen = now, spent
        at, before = self._seen
        passed = now - at
        if passed >= GLANCE:
            used = min(1.0, (spent - before) / passed)
            self.share = used + (self.share - used) * exp(-passed / MEMORY)
            self._seen = now, spent
        return spent


class Windows:
    """The windows of one room, one after the other: those of its rows, or those of its presence.

    `worth`: what one second of waiting is worth, as a part of what an edit's is.
    """

    def __init__(self, pace: Pace, worth: float = 1.0) -> None:
        self.whole = 1.0
        """How many edits leave without waiting for more."""
        self._pace = pace
        self._worth = worth
        self._rate = 0.0
        self._began = 0.0

    def next(self, now: float, came: int, people: int, most: float) -> float:
        """Return how many seconds to wait for a whole row, behind what has left now.

        `came`: how many have left since the last window was chosen. `people`: to how many. `most`:
        the bound in seconds. Measure the pace's share before.
        """
        passed = max(now - self._began, GLANCE)
        self._began, kept = now, exp(-passed / MEMORY)
        self._rate = self._rate * kept + came / passed * (1 - kept)
        share = self._pace.share
        if share <= IDLE:
            self.whole = 1.0
            return 0.0
        rate = max(self._rate, RAREST)
        best = sqrt(2 * (ROW + FRAME * people) * rate / (PRICE * self._worth))
        wanted = min(most / 2, PATIENCE * best / rate) * min(1.0, (share - IDLE) / (BUSY - IDLE))
        spare = min(1.0, max(0.0, (FULL - share) / (FULL - FILLING)))
        self.whole = ceil(best) / spare if spare else inf
        return wanted * spare + most * (1.0 - spare)
