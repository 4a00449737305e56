"""Window in which a room gathers edits: one row, and one frame for each member, per window.

The first edit after a quiet spell leaves at once, in a room of any size. Later windows grow with
the room, because a flush costs a frame for each member. They also grow with the lateness of the
event loop. A node that has more to do than time then gathers more into each frame, instead of
falling behind.
"""

SHORTEST = 0.02
"""Seconds that nobody feels. Somebody who types alone never fills so short a window."""

PER_MEMBER = 0.0005
"""Seconds per member. At some 10 µs a frame, a busy room takes a fiftieth of a core for frames."""

LONGEST = 0.06
"""Seconds, by members alone. With longer windows, other people's words would come in jerks."""

LATENESS_FACTOR = 1.0
"""Seconds that a window grows by, for each second that the loop is late."""

LONGEST_LATE = 0.12
"""Seconds of the longest window, however late the loop is."""


class FlushWindow:
    """The windows of one room, one after the other. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.ends = 0.0
        """When the next row may leave."""
        self._awaited = False
        self._late = 0.0

    def is_over(self, now: float) -> bool:
        """Whether what waits may leave now; ask whenever something waits."""
        if now < self.ends:
            self._awaited = True
            return False
        return True

    def begin(self, now: float, members: int) -> None:
        """Begin the next window, because a row leaves."""
        # How late the loop is shows only if a timer was set for the window's end. If nothing came
        # in the window, nobody waited, and the time since its end is no lateness.
        late = now - self.ends if self._awaited else 0.0
        # A loop that was late once is likely to be late again, so the memory fades by half per
        # window.
        self._late = max(late, self._late / 2)
        by_size = min(LONGEST, max(SHORTEST, PER_MEMBER * members))
        self.ends = now + min(LONGEST_LATE, by_size + LATENESS_FACTOR * self._late)
        self._awaited = False
