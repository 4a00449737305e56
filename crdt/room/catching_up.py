"""What a room knows of the log without holding it, and whether it is reading on, or reads all of it anew.

One reading at a time. A row that is hinted at while the log is read may have come too late to be
among what is read: it is asked for again.

Nodes that write at once often hear of their own rows from the store before they hear of each
other's, or the other way round. So behind a row of one's own, and while one is under way, the log
is read only when the gap stays; behind another node's it is read at once.
"""

from crdt.ids import Seq
from crdt.log.document import Damaged
from crdt.log.replica import Replica
from crdt.room.effects import ReadRows, Reload

GAP_PATIENCE = 0.02
"""Seconds that a hint which is late may take: it comes within a few milliseconds, and spares reading the log, which costs as many."""


class CatchingUp:
    """What has been hinted at, and how much of that was known when the log was last read."""

    def __init__(self) -> None:
        self.look_at: float | None = None
        """When to look whether a gap has stayed; None: there is none, or the log is being read."""
        self.reloading = False
        """Whether the document is being loaded anew: nothing is applied, and nothing else read, until then."""
        self._reading = False
        self.failed: set[str] = set()
        """What the document engine is used for, and failed with last."""
        self._hinted = self._asked_up_to = Seq(0)

    def hear(self, seq: Seq) -> None:
        """There is such a row."""
        self._hinted = max(self._hinted, seq)

    def gap_stays(self, gap: bool, now: float) -> bool:
        """Whether there has been a gap for so long that the log is to be read; ask after whatever happened, and at `look_at`."""
        if not gap or self._reading or self.reloading:
            self.look_at = None
        elif self.look_at is None:
            self.look_at = now + GAP_PATIENCE
        elif now >= self.look_at:
            self.look_at = None
            return True
        return False

    def ask(self, replica: Replica) -> list[ReadRows]:
        """Read what comes after its last row, unless that is being done, or is of no use because the replica takes no more."""
        if self._reading or self.reloading or replica.quarantined is not None:
            return []
        self._reading = True
        self._asked_up_to = self._hinted
        return [ReadRows(replica.seq)]

    def ask_for_the_rest(self, replica: Replica) -> list[ReadRows]:
        """Read on, if more has been hinted at than was asked for."""
        return self.ask(replica) if self._hinted > max(replica.seq, self._asked_up_to) else []

    def answered(self) -> None:
        """The log has been read."""
        self._reading = False

    def reload(self, reason: str, *, failed: bool = False, folded: bool = False) -> list[Reload]:
        """Read all of it anew, unless that is being done."""
        if self.reloading:
            return []
        self.reloading = True
        return [Reload(reason, failed, folded)]

    def reloaded(self, *, cured: bool) -> None:
        """All of it has been read anew. `cured`: something that the engine had failed with was set aside."""
        self.reloading = self._reading = False
        if cured:
            self.failed.clear()

    def fails(self, what: str, error: Damaged) -> list[Reload] | None:
        """The document engine has failed with one thing that it is used for. None: it did so before, and reading anew was no cure."""
        if not self.reloading and what in self.failed:
            return None
        self.failed.add(what)
        return self.reload(error.message, failed=True)

    def works(self, what: str) -> None:
        """The engine has done it now."""
        self.failed.discard(what)
