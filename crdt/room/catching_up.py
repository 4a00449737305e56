"""Catch-up with the log: which rows a room has heard of, and whether the log is being read.

There is one reading at a time. A row that is hinted at during a reading may be too new to be among
what is read. The row is therefore asked for again.

Nodes that write at once often hear of their own rows before each other's rows, or the other way
round. Behind a row of ours, and while one is under way, a gap often closes by itself. There the log
is read only if the gap stays. Behind another node's row the log is read at once.
"""

from crdt.ids import Seq
from crdt.log.document import Damaged
from crdt.log.replica import Replica
from crdt.room.effects import ReadRows, Reload

GAP_PATIENCE = 0.02
"""Seconds that a late hint may take. Most hints come within a few milliseconds.

Waiting for the hint spares reading the log, which costs as many milliseconds.
"""


class CatchingUp:
    """The last row that was hinted at, and the last one known when the log was last read."""

    def __init__(self) -> None:
        self.look_at: float | None = None
        """When to look whether a gap has stayed; None without a gap, or while the log is read."""
        self.reloading = False
        """Whether the document is being loaded again. Until then nothing else is applied or read.
        """
        self._reading = False
        self.failed: set[str] = set()
        """The uses of the document engine that failed when they were last tried."""
        self._hinted = self._asked_up_to = Seq(0)

    def hear(self, seq: Seq) -> None:
        """Note that the log has this row."""
        self._hinted = max(self._hinted, seq)

    def gap_stays(self, gap: bool, now: float) -> bool:
        """Whether a gap has stayed so long that the log must be read.

        Ask after everything that happens, and at `look_at`.
        """
        if not gap or self._reading or self.reloading:
            self.look_at = None
        elif self.look_at is None:
            self.look_at = now + GAP_PATIENCE
        elif now >= self.look_at:
            self.look_at = None
            return True
        return False

    def ask(self, replica: Replica) -> list[ReadRows]:
        """Ask for the rows after the replica's last one.

        Return nothing if they are being read, or if the replica is quarantined and takes no more.
        """
        if self._reading or self.reloading or replica.quarantined is not None:
            return []
        self._reading = True
        self._asked_up_to = self._hinted
        return [ReadRows(replica.seq)]

    def ask_for_the_rest(self, replica: Replica) -> list[ReadRows]:
        """Ask for the rows that were hinted at after the last reading began, if there are any."""
        return self.ask(replica) if self._hinted > max(replica.seq, self._asked_up_to) else []

    def answered(self) -> None:
        """Note that the log has been read."""
        self._reading = False

    def reload(self, reason: str, *, failed: bool = False, folded: bool = False) -> list[Reload]:
        """Ask for the whole document again, unless it is being loaded."""
        if self.reloading:
            return []
        self.reloading = True
        return [Reload(reason, failed, folded)]

    def reloaded(self, *, cured: bool) -> None:
        """Note that the document has been loaded again.

        `cured`: an update that the engine had failed with was set aside.
        """
        self.reloading = self._reading = False
        if cured:
            self.failed.clear()

    def fails(self, what: str, error: Damaged) -> list[Reload] | None:
        """Note that the document engine has failed in one of its uses, and ask for a reload.

        Return None if the engine failed in this use before, and reloading was no cure.
        """
        if not self.reloading and what in self.failed:
            return None
        self.failed.add(what)
        return self.reload(error.message, failed=True)

    def works(self, what: str) -> None:
        """Note that the engine has not failed in this use."""
        self.failed.discard(what)
