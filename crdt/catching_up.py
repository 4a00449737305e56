"""Which rows of the log a room knows to exist without holding them, and whether it is reading on.

One reading at a time. A row that is hinted at while the log is read may have come too late to be among what is read: it is asked for again.

Nodes that write at once often hear of their own rows from the store before they hear of each other's, or the other way round. So behind
a row of one's own, and while one is under way, the log is read only when the gap stays; behind another node's it is read at once.
"""

from crdt.effects import Fetch
from crdt.ids import Seq

GAP_PATIENCE = 0.02
"""Seconds that a hint which is late may take: it comes within a few milliseconds, and spares reading the log, which costs as many."""


class CatchingUp:
    """What has been hinted at, and how much of that was known when the log was last read."""

    def __init__(self) -> None:
        self.look_at: float | None = None
        """When to look whether a gap has stayed; None: there is none, or the log is being read."""
        self._reading = False
        self._hinted = self._asked_up_to = Seq(0)

    def hear(self, seq: Seq) -> None:
        """There is such a row."""
        self._hinted = max(self._hinted, seq)

    def gap_stays(self, gap: bool, now: float) -> bool:
        """Whether there has been a gap for so long that the log is to be read; ask after whatever happened, and at `look_at`."""
        if not gap or self._reading:
            self.look_at = None
        elif self.look_at is None:
            self.look_at = now + GAP_PATIENCE
        elif now >= self.look_at:
            self.look_at = None
            return True
        return False

    def ask(self, after: Seq) -> list[Fetch]:
        """Read what comes after this row, unless that is being done."""
        if self._reading:
            return []
        self._reading = True
        self._asked_up_to = self._hinted
        return [Fetch(after)]

    def ask_for_the_rest(self, after: Seq) -> list[Fetch]:
        """Read on, if more has been hinted at than was asked for."""
        return self.ask(after) if self._hinted > max(after, self._asked_up_to) else []

    def answered(self) -> None:
        """The log has been read."""
        self._reading = False
