"""What of a document is deleted, by client id, with the way back as long as an update is under judgement.

Deleted structs that follow on one another are entered as one range. So a batch of 100,000 of them
costs one entry in the table and one step of the way back, not as many.
"""

from collections.abc import Sequence

from crdt.gate.ranges import Ranges, Undo


class Deletions:
    """Deleted clocks. `settle` makes what was added final, `roll_back` takes it back. Can be pickled."""

    __slots__ = ("_deleted", "_run", "_steps", "ranges")

    def __init__(self) -> None:
        self._deleted: dict[int, Ranges] = {}
        self.ranges = 0
        """How many ranges there are."""
        self._steps: list[tuple[int, Undo]] = []
        """What the updates under judgement have added."""
        self._run: tuple[int, int, int] | None = None
        """Client id and clocks of the last deleted structs, which have yet to be entered."""

    @property
    def added(self) -> bool:
        """Whether the updates under judgement have deleted anything that was not."""
        self.enter_run()
        return bool(self._steps)

    def ranges_of(self, client: int) -> int:
        """How many ranges of a client id there are."""
        deleted = self._deleted.get(client)
        return 0 if deleted is None else len(deleted)

    def covers(self, client: int, clock: int, end: int | None = None) -> bool:
        """Whether a clock, or every one up to `end`, is deleted."""
        self.enter_run()
        deleted = self._deleted.get(client)
        return deleted is not None and deleted.covers(clock, clock + 1 if end is None else end)

    def add_struct(self, client: int, start: int, end: int) -> None:
        """A struct came that is deleted."""
        run = self._run
        if run is not None and run[0] == client and run[2] == start:
            self._run = (client, run[1], end)
        else:
            self.enter_run()
            self._run = (client, start, end)

    def add(self, client: int, ranges: Sequence[tuple[int, int]]) -> None:
        """Sorted ranges were deleted."""
        self.enter_run()
        self._enter(client, ranges)

    def enter_run(self) -> None:
        """Enter the last structs."""
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
        """What was added stays."""
        self.enter_run()
        self._steps.clear()

    def roll_back(self) -> None:
        """Take back what was added since `settle`."""
        self._run = None
        for client, undo in reversed(self._steps):
            deleted = self._deleted[client]
            before = len(deleted)
            deleted.undo(undo)
            self.ranges += len(deleted) - before
            if not deleted:
                del self._deleted[client]
        self._steps.clear()
