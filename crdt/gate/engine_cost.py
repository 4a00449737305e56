"""Upper bound of the time that the document engine needs for updates, known before it gets them.

Three things make yrs, and Yjs in browsers, work longer than an update has bytes:

1. **Cuts.** A deletion or a neighbour inside of a string cuts the string, and copies the rest.
   Each cut also moves the structs behind it in the list of the client id's structs. 28 kB of
   deletions take 2 s in a text of 4 MB, and as long in front of 400,000 structs.
2. **Search for a place.** A struct goes behind the structs that others wrote in the same place. The
   engine looks at these one by one. A struct that claims to come from the empty document makes the
   engine look at everything: 12 kB cost 4 s. Between two characters that were typed one behind the
   other there is nothing, until somebody names one of them in another way (`_Joints`).
3. **Values of one key.** Values that do not know one another are walked through in the same way.

The bound assumes the worst: one string holds all that a client id wrote, and everything in a type
is in the way. Only a fresh place, in the middle of something typed, is known to have nothing in the
way. So search and replace is not taken for an attack. Honest edits are far cheaper. Updates that
are dear by the bound are therefore measured before they are refused (server/rooms/trials.py).

All figures are nanoseconds of one core of 2024.
"""

from array import array
from bisect import bisect_left

from crdt.gate.deletions import Deletions
from crdt.gate.places import NOWHERE
from crdt.yjs.contents import ANY, DELETED, GC, JSON, STRING
from crdt.yjs.reader import Struct

LOOK_AT, WALK = 250, 10
"""Nanoseconds for one struct in the way, and for one value of the same key."""

MOVE, COPIED_IN_A_NANOSECOND = 3, 14
"""Nanoseconds for one struct behind a cut in its client id's list; text units copied in one."""

_JOINED = frozenset((GC, DELETED, JSON, STRING, ANY))
"""Kinds of structs that the engine joins with the struct before."""

PLENTY = 50_000_000
"""Nanoseconds that the engine may take in one turn of the event loop, beside other work."""

ROUNDS = 40
"""The unmeasured work of a document may add up to this many times `PLENTY`.

From half of it on the document is measured beside everything else, so that nobody has to wait.
"""


class _Joints:
    """Joints of typed text: where a character and its author's next one still touch for sure.

    Each character that continues the one before has it as its origin. Such a pair stays together in
    the document, whatever comes elsewhere. Only three kinds of structs can come between the two, or
    make one of them stand elsewhere:

    1. a struct whose origin is the first character,
    2. a struct whose right origin is the second one,
    3. the second one itself, if it does not continue the first.

    Each of them breaks the joint, also where it would do no harm.
    """

    def __init__(self) -> None:
        self._begun: dict[int, array[int]] = {}
        """Clocks at which a struct begins that does not continue the one before, by client id."""
        self._broken: dict[int, dict[int, None]] = {}
        """The first clock of each pair that somebody named, by client id.

        Dictionaries keep their order, so that nothing shows of what was rolled back.
        """
        self._steps: list[tuple[int, int]] = []
        """Notes since the last `settle`: client id and clock, clock -1 for a beginning."""

    def hold_at(self, client: int, clock: int) -> bool:
        """Whether the character at `clock` and the client id's next one touch."""
        if clock in self._broken.get(client, ()):
            return False
        begun = self._begun.get(client, ())
        at = bisect_left(begun, clock + 1)
        return at == len(begun) or begun[at] != clock + 1

    def begin(self, client: int, clock: int) -> None:
        """Note that a struct does not continue the one before."""
        begun = self._begun.get(client)
        if begun is None:
            begun = self._begun[client] = array("I")
        # A struct that is known in part goes on behind that part
        if not begun or begun[-1] < clock:
            begun.append(clock)
            self._steps.append((client, -1))

    def break_(self, client: int, clock: int) -> None:
        """Note that something may stand between a character and its author's next one."""
        if clock < 0:
            return
        broken = self._broken.get(client)
        if broken is None:
            broken = self._broken[client] = {}
        if clock not in broken:
            broken[clock] = None
            self._steps.append((client, clock))

    def settle(self) -> None:
        self._steps.clear()

    def roll_back(self) -> None:
        """Undo what was noted since the last `settle`."""
        while self._steps:
            client, clock = self._steps.pop()
            if clock < 0:
                self._begun[client].pop()
            else:
                del self._broken[client][clock]
            for noted in (self._begun, self._broken):
                if client in noted and not noted[client]:
                    del noted[client]


class EngineCost:
    """Upper bound of the work of one document's engine. Can be pickled."""

    def __init__(self, deletions: Deletions) -> None:
        self._deletions = deletions
        self._of_client: dict[int, int] = {}
        """Number of structs by client id, those under judgement included."""
        self._in_place: dict[int, int] = {}
        """Number of structs by place, without those under judgement."""
        self._grown: dict[int, int] = {}
        """Number of structs under judgement by place."""
        self._before: dict[int, int] = {}
        """Number of structs by client id before the judgement, for client ids that have grown."""
        self._last: Struct | None = None
        self._joints = _Joints()
        self.now = 0
        """Nanoseconds for the updates under judgement."""
        self.work = 0
        """Nanoseconds for all updates that were ever let in."""
        self.work_measured = 0
        """Those of them with which the document was measured."""
        self.structs = 0
        """Number of the document's structs that cannot be joined."""

    def add(self, client: int, struct: Struct, place: int, clocks: dict[int, int]) -> None:
        """Count a new struct at `place`. `clocks` are the document's clocks by client id."""
        last, self._last = self._last, struct
        clock, _, kind, origin, origin_clock, right, right_clock, _, _ = struct
        behind = origin == client and origin_clock == clock - 1
        joined = behind and kind in _JOINED
        if kind != GC and not joined:
            known = self._of_client.get(client, 0)
            self._before.setdefault(client, known)
            self._of_client[client] = known + 1
            self.structs += 1
        fresh = kind != GC and self._breaks(client, struct, behind=behind)
        if place == NOWHERE:
            return
        grown = self._grown.get(place, 0)
        if not joined:
            self._grown[place] = grown + 1
        if behind and last is not None and last[1] == clock and last[5:7] == (right, right_clock):
            # The struct continues the one before in this update. Nobody has written between the
            # two yet, so the engine finds nothing in the way.
            return
        if not fresh:
            self.now += (self._in_place.get(place, 0) + grown) * (WALK if place & 1 else LOOK_AT)
        if origin >= 0:
            self.now += self._cut(origin, clocks)
        elif right >= 0:
            self.now += self._cut(right, clocks)

    def _breaks(self, client: int, struct: Struct, *, behind: bool) -> bool:
        """Note which joints a struct breaks. Return whether it goes into one that held."""
        clock, _, _, origin, origin_clock, right, right_clock, _, _ = struct
        joints, fresh = self._joints, False
        if not behind:
            if right == origin and right_clock == origin_clock + 1:
                fresh = origin >= 0 and joints.hold_at(origin, origin_clock)
            joints.begin(client, clock)
            if origin >= 0:
                joints.break_(origin, origin_clock)
        if right >= 0:
            joints.break_(right, right_clock - 1)
        return fresh

    def add_deletions(self, client: int, ranges: int, clocks: dict[int, int]) -> None:
        """Count deleted ranges of one client id. Each range cuts at both of its ends."""
        self.now += 2 * ranges * self._cut(client, clocks)

    def _cut(self, client: int, clocks: dict[int, int]) -> int:
        return clocks.get(client, 0) // COPIED_IN_A_NANOSECOND + MOVE * (
            self._of_client.get(client, 0) + self._deletions.ranges_of(client)
        )

    @property
    def growing(self) -> bool:
        """Whether the updates under judgement bring structs that cannot be joined."""
        return bool(self._before)

    def settle(self) -> None:
        """Count the updates under judgement as part of the document."""
        for place, count in self._grown.items():
            self._in_place[place] = self._in_place.get(place, 0) + count
        self.work += self.now
        self._joints.settle()
        self._forget()

    def roll_back(self) -> None:
        """Forget the updates under judgement."""
        for client, count in self._before.items():
            self.structs -= self._of_client[client] - count
            if count:
                self._of_client[client] = count
            else:
                del self._of_client[client]
        self._joints.roll_back()
        self._forget()

    def _forget(self) -> None:
        self._grown.clear()
        self._before.clear()
        self._last = None
        self.now = 0

    @property
    def unmeasured(self) -> int:
        """The part of `work` with which the engine has not opened the document yet."""
        return self.work - self.work_measured

    @property
    def is_too_much(self) -> bool:
        """Whether the updates under judgement must be measured before they are let in."""
        return max(self.now, self.unmeasured // ROUNDS) > PLENTY

    def measured(self, work: int) -> None:
        """Note that the engine has opened the document with so much of its `work`."""
        self.work_measured = max(self.work_measured, work)
