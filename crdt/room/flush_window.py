"""How long a room gathers edits before the next row: one row, and one frame for each member, in each window.

The first edit after a quiet spell leaves at once, in a room of any size. Then the window is as long
as the room is large, for what a flush costs is a frame for each member, and as the event loop is
late: a node that has more to do than time gathers more into each frame, instead of falling behind.
"""

SHORTEST = 0.02
"""Seconds: nobody feels it, and somebody who types alone never fills it."""

PER_MEMBER = 0.0005
"""Seconds a member: at some 10 µs a frame, a busy room then takes a fiftieth of a core for its frames."""

LONGEST = 0.06
"""Seconds, by members alone: beyond it people see each other's words come in jerks."""

LATENESS_FACTOR = 1.0
"""How much longer it gets, in units of how late the loop is."""

LONGEST_LATE = 0.12
"""Seconds, however late the loop is."""


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
        """A row leaves: begin the next window."""
        late = now - self.ends if self._awaited else 0.0  # nobody waited for the end of a window in which nothing came
        self._late = max(late, self._late / 2)
        by_size = min(LONGEST, max(SHORTEST, PER_MEMBER * members))
        self.ends = now + min(LONGEST_LATE, by_size + LATENESS_FACTOR * self._late)
        self._awaited = False
