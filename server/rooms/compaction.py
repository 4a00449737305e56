"""Compaction of one open document's log: how much of it there is, and one fold at a time."""

import asyncio
from math import inf

from crdt.errors import ManyhandsError
from crdt.ids import DocumentId
from crdt.log.compaction import ROW_BYTES, due_bytes, should_compact
from crdt.room.room import Room
from server.observe import log
from server.store import base as store

CLEARED_SECONDS = 60.0
"""Seconds between two folds of a nearly full document that only clear away what was deleted."""


FOLDS_AT_ONCE = 2
"""Documents that are folded at once. Each is in memory whole, beside its replica."""


class Compaction:
    """Counter of what was appended since the snapshot."""

    def __init__(
        self, document_id: DocumentId, loaded: store.Loaded, log_of_all: store.Log, fold: store.Fold, most_bytes: int
    ) -> None:
        """`most_bytes`: the size that the document may grow to."""
        self._document_id = document_id
        self._log = log_of_all
        self._fold = fold
        self._most_bytes = most_bytes
        self._snapshot_bytes = len(loaded.snapshot or b"")
        self._rows = len(loaded.rows)
        self._bytes = sum(len(row.batch) for row in loaded.rows)
        self._folding = False
        self._turn = asyncio.Lock()
        self._cleared, self._cleared_at = 0, -inf
        self._due = due_bytes(self._snapshot_bytes)

    def appended(self, size: int, document_size: int) -> bool:
        """Count one row more, of `size` bytes; say whether to ask `begin`."""
        self._rows += 1
        self._bytes += size
        return self._bytes + ROW_BYTES * self._rows >= self._due or document_size * 8 >= self._most_bytes * 7

    def begin(self, room: Room, now: float, *, unloading: bool) -> bool:
        """Begin to fold when the log has grown enough, or, before unloading, when it is worth it.

        A nearly full document is folded as soon as anything was deleted, however few bytes the
        deletion took, but only once in a minute. Return False if nothing is to be folded, or a fold
        is under way. After True, `compact` must be called.
        """
        if self._folding:
            return False
        self._folding = should_compact(self._rows, self._bytes, self._snapshot_bytes, unloading=unloading)
        deletions = room.replica.document.deletions
        if not self._folding and room.size * 8 >= self._most_bytes * 7 and deletions != self._cleared:
            self._folding = now - self._cleared_at >= CLEARED_SECONDS
            if self._folding:
                self._cleared, self._cleared_at = deletions, now
        return self._folding

    async def compact(self) -> int | None:
        """Fold the whole log.

        Return by how many bytes the stored document became smaller, None if nothing came of it.
        """
        try:
            async with self._turn:
                report = await self._log.compact(self._document_id, self._fold)
        except ManyhandsError as error:
            log.warning("compaction_failed", document=self._document_id, reason=str(error))
            return None
        finally:
            self._folding = False
        if report is None:
            return None
        saved = self._snapshot_bytes + report.log_bytes - report.snapshot_bytes
        self._rows = max(0, self._rows - report.rows)
        self._bytes = max(0, self._bytes - report.log_bytes)
        self._snapshot_bytes = report.snapshot_bytes
        self._due = due_bytes(self._snapshot_bytes)
        return saved
