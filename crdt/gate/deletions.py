"""Deleted clocks of a document, by client id. Additions can be undone while they are judged.

Deleted structs that follow on one another are entered as one range. So a batch of 100,000 such
structs costs one entry in the table and one undo step instead of 100,000.
"""

from collections.abc import Sequence

from crdt.gate.ranges import Ranges, Undo


class Deletions:
    """Deleted clocks. `settle` makes additions final, `roll_back` undoes them. Can be pickled."""

    __slots__ = ("_deleted", "_run", "_steps", "changes", "ranges")

    def __init__(self) -> None:
        self._deleted: dict[int, Ranges] = {}
        self.ranges = 0
        """Number of ranges."""
        self.changes = 0
        """Number of times that something new was deleted for good."""
        self._steps: list[tuple[int, Undo]] = []
        """Client ids and undo steps of the updates under judgement, oldest first."""
        self._run: tuple[int, int, int] | None = None
        """Client id, first clock and end of the last deleted structs, not entered yet."""

    @property
    def added(self) -> bool:
        """Whether the updates under judgement have deleted something that was not deleted."""
        self.enter_run()
        return bool(self._steps)

    def ranges_of(self, client: int) -> int:
        deleted = self._deleted.get(client)
        return 0 if deleted is None else len(deleted)

    def covers(self, client: int, clock: int, end: int | None = None) -> bool:
        """Whether a clock, or with `end` every clock up to `end`, is deleted."""
        self.enter_run()
        deleted = self._deleted.get(client)
        return deleted is not None and deleted.covers(clock, clock + 1 if end is None else end)

    def touches(self, client: int, start: int, end: int) -> bool:
        """Whether some clock from `start` up to `end` is deleted."""
        self.enter_run()
        deleted = self._deleted.get(client)
        return deleted is not None and deleted.touches(start, end)

    def add_struct(self, client: int, start: int, end: int) -> None:
        """Add the clocks of a struct that came as deleted."""
        run = self._run
        if run is not None and run[0] == client and run[2] == start:
            self._run = (client, run[1], end)
        else:
            self.enter_run()
            self._run = (client, start, end)

    def add(self, client: int, ranges: Sequence[tuple[int, int]]) -> None:
        """Add deleted ranges, which must be sorted."""
        self.enter_run()
        self._enter(client, ranges)

    def enter_run(self) -> None:
        """Enter the last deleted structs into the table."""
        run, self._run = self._run, None
        if run is not None:
            self._enter(run[0], (run[1:],))

    def _enter(self, client: int, ranges: Sequence[tuple[int, int]]) -> None:
        deleted = self._deleted.get(client)
        if deleted is None:
            deleted = self._deleted[client] = Ranges()
        before = len(deleted)
        for undo in deleted.add(ranges):
            self._steps.append((client, undo))
        self.ranges += len(deleted) - before

    def settle(self) -> None:
        self.enter_run()
        self.changes += bool(self._steps)
        self._steps.clear()

    def roll_back(self) -> None:
        """Undo everything that was added since the last `settle`."""
        self._run = None
        for client, undo in reversed(self._steps):
            deleted = self._deleted[client]
            before = len(deleted)
            deleted.undo(undo)
            self.ranges += len(deleted) - before
            if not deleted:
                del self._deleted[client]
        self._steps.clear()
