"""An upper bound of the time that the document engine will need for updates, known before it is given them.

Three things make yrs (and Yjs in browsers alike) work longer than an update has bytes:

1. **Cuts.** A deletion or a neighbour inside a string cuts it, which copies its rest; and each cut
   moves what the list of its client id's structs has behind it. 28 kB of deletions in a text of 4
   MB take 2 s, and so they do in front of 400,000 structs.
2. **Search for a place.** A struct is put behind those that others wrote in the same place, and
   these are looked at one by one. One that claims to have been written into the empty document
   looks at everything: 12 kB cost 4 s.
3. **Values of one key** that know nothing of one another are walked through likewise.

The bound takes the largest string of a client id to be all it wrote, and everything in a type to be
in the way. Honest people's edits are far cheaper than that, so what is dear by this bound is
measured before it is refused (server/rooms).

All figures are nanoseconds of one core of 2024.
"""

from crdt.gate.deletions import Deletions
from crdt.gate.places import NOWHERE
from crdt.yjs.contents import ANY, DELETED, GC, JSON, STRING
from crdt.yjs.reader import Struct

LOOK_AT, WALK = 250, 10
"""For one struct in the way; for one value of the same key."""

MOVE, COPIED_IN_A_NANOSECOND = 3, 14
"""For one struct behind a cut in its client id's list; units of text."""

_JOINED = frozenset((GC, DELETED, JSON, STRING, ANY))
"""Kinds of structs that the engine joins with the one before."""

PLENTY = 50_000_000
"""A turn of the event loop may take so long, beside what else is in it."""

ROUNDS = 40
"""How often as much may be done in a document, before all of it is measured."""


class EngineCost:
    """What one document's engine has to do. Can be pickled."""

    __slots__ = (
        "_before",
        "_deletions",
        "_grown",
        "_in_place",
        "_last",
        "_of_client",
        "now",
        "since_measured",
        "structs",
    )

    def __init__(self, deletions: Deletions) -> None:
        self._deletions = deletions
        self._of_client: dict[int, int] = {}
        """Structs by client id."""
        self._in_place: dict[int, int] = {}
        """Structs by place."""
        self._grown: dict[int, int] = {}
        """How many of these are under judgement, by place."""
        self._before: dict[int, int] = {}
        """Structs by client id, as they were before the judgement."""
        self._last: Struct | None = None
        self.now = 0
        """Work for what is under judgement."""
        self.since_measured = 0
        """Work for everything that was let in since the document was measured."""
        self.structs = 0
        """Structs of the document, as far as they cannot be joined."""

    def add(self, client: int, struct: Struct, place: int, clocks: dict[int, int]) -> None:
        """A new struct came under judgement."""
        last, self._last = self._last, struct
        clock, _, kind, origin, origin_clock, right, right_clock, _, _ = struct
        behind = origin == client and origin_clock == clock - 1
        joined = behind and kind in _JOINED
        if kind != GC and not joined:
            known = self._of_client.get(client, 0)
            self._before.setdefault(client, known)
            self._of_client[client] = known + 1
            self.structs += 1
        if place == NOWHERE:
            return
        grown = self._grown.get(place, 0)
        if not joined:
            self._grown[place] = grown + 1
        if behind and last is not None and last[1] == clock and last[5:7] == (right, right_clock):
            return  # it goes on behind the one before, beside which nobody has written yet
        self.now += (self._in_place.get(place, 0) + grown) * (WALK if place & 1 else LOOK_AT)
        if origin >= 0:
            self.now += self._cut(origin, clocks)
        elif right >= 0:
            self.now += self._cut(right, clocks)

    def add_deletions(self, client: int, ranges: int, clocks: dict[int, int]) -> None:
        """So many deleted ranges came under judgement; each cuts at both its ends."""
        self.now += 2 * ranges * self._cut(client, clocks)

    def _cut(self, client: int, clocks: dict[int, int]) -> int:
        return clocks.get(client, 0) // COPIED_IN_A_NANOSECOND + MOVE * (
            self._of_client.get(client, 0) + self._deletions.ranges_of(client)
        )

    @property
    def growing(self) -> bool:
        """Whether there are new structs under judgement, which cannot be joined."""
        return bool(self._before)

    def settle(self) -> None:
        """What was under judgement is part of the document."""
        for place, count in self._grown.items():
            self._in_place[place] = self._in_place.get(place, 0) + count
        self.since_measured += self.now
        self._forget()

    def roll_back(self) -> None:
        """What was under judgement is not."""
        for client, count in self._before.items():
            self.structs -= self._of_client[client] - count
            if count:
                self._of_client[client] = count
            else:
                del self._of_client[client]
        self._forget()

    def _forget(self) -> None:
        self._grown.clear()
        self._before.clear()
        self._last = None
        self.now = 0

    def measured(self) -> None:
        """The engine has shown that it works with the document as it is."""
        self.since_measured = 0
