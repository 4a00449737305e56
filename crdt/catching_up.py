"""Which rows of the log a room knows to exist without holding them, and whether it is reading on.

One reading at a time. A row that is hinted at while the log is read may have come too late to be among what is read: it is asked for again.
"""

from crdt.effects import Fetch
from crdt.ids import Seq


class CatchingUp:
    """What has been hinted at, and how much of that was known when the log was last read."""

    def __init__(self) -> None:
        self._reading = False
        self._hinted = self._asked_up_to = Seq(0)

    def hear(self, seq: Seq) -> None:
        """There is such a row."""
        self._hinted = max(self._hinted, seq)

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
