"""A replica: a document in step with the server's log, and the changes that the server lacks.

No network and no clock: the verbs are called with what the server has said. These rules hold:
1. A change stays in the outbox, as it was made, until a row of the log holds it.
2. Changes leave in their order. All changes of a batch have the same `after`.
3. Rows apply in log order. A row that is not the next one shows that something was missed: the verb
   says so, and joining again brings it.
4. After each join, changes that the server has are dropped. The others are sent again. So nothing
   is lost, whatever became of an acknowledgement. Yjs applies nothing twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from pycrdt import Doc, get_update

from manyhands.outbox import Change, Outbox
from manyhands.wire import WireError, decode_batch, encode_batch

MOST_UPDATES = 10_000
"""Updates that the server takes in one batch."""

_LENGTH_BYTES = 8
"""Bytes that an update's length takes in a batch, at most."""

_NOTHING = 0
"""First byte of an update that inserts nothing: the number of client ids in it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes that travel together."""

    number: int
    after: int | None
    data: bytes
    changes: tuple[Change, ...]


class Replica:
    """One document's replica. The state after an error of a verb is mended by joining again."""

    def __init__(self, doc: Doc[Any], outbox: Outbox, report: Callable[[Exception], None]) -> None:
        """Make a replica. `report` is told when somebody who observes the document has failed."""
        self.doc = doc
        self.joined = False
        self.resend_as_state = False
        """Whether the next join sends one state instead of changes, because one cannot be taken."""
        self._outbox = outbox
        self._report = report
        self._left = outbox.changes()
        """Changes of an earlier program, until the document has what they build on."""
        self._waiting: list[Change] = []
        self._in_flight: dict[int, Batch] = {}
        self._batches = 0
        self._seq = 0
        self._ahead: set[int] = set()
        self._rows: int | None = None
        self._acknowledged = 0
        """Like `_rows`, with the rows that only acknowledgements tell of."""
        self._held: list[tuple[int, bytes]] | None = None
        self._applying = False

    @property
    def unsaved(self) -> int:
        """The number of changes that are not acknowledged."""
        in_flight = sum(len(change.numbers) for batch in self._in_flight.values() for change in batch.changes)
        return len(self._left) + sum(len(change.numbers) for change in self._waiting) + in_flight

    @property
    def unsaved_changes(self) -> tuple[bytes, ...]:
        """The changes that are not acknowledged, in their order, each as a Yjs update."""
        in_flight = [change for batch in self._in_flight.values() for change in batch.changes]
        return tuple(change.update for change in (*self._left, *in_flight, *self._waiting))

    @property
    def in_flight(self) -> int:
        """The number of batches that are sent, but not answered."""
        return len(self._in_flight)

    @property
    def applied(self) -> int | None:
        """The last row that the document has applied; None when that is not known."""
        return None if self._rows is None else max(self._rows, self._acknowledged)

    # Local changes.

    def changed(self, update: bytes) -> bool:
        """Take what a transaction did. False if it only applied what the server said."""
        if self._applying:
            return False
        self._waiting.append(self._outbox.keep(self.applied, update))
        return True

    def next_batch(self, part_bytes: int) -> Batch | None:
        """Take what waits: at most `part_bytes`, or one update if that is larger."""
        if not self.joined or not self._waiting:
            return None
        room, after = part_bytes, self._waiting[0].after
        taken = [self._waiting[0]]
        room -= len(taken[0].update) + _LENGTH_BYTES
        for change in takewhile(lambda each: each.after == after, self._waiting[1:MOST_UPDATES]):
            room -= len(change.update) + _LENGTH_BYTES
            if room < 0:
                break
            taken.append(change)
        del self._waiting[: len(taken)]
        self._batches += 1
        batch = Batch(self._batches, after, encode_batch(change.update for change in taken), tuple(taken))
        self._in_flight[batch.number] = batch
        return batch

    def acknowledged(self, number: int, seq: int) -> bool:
        """Take an acknowledgement. True if it shows that a row was missed."""
        batch = self._in_flight.pop(number, None)
        if batch is None:
            return False  # from before the last join, which has asked what the server has
        self._outbox.forget(number for change in batch.changes for number in change.numbers)
        missed = self._saw(seq)
        self._acknowledged = self._seq
        return missed

    def refused(self, number: int) -> bool:
        """Take back a refused batch. False if the batch is from before the last join."""
        if number not in self._in_flight:
            return False
        self._take_back()
        return True

    # Joining.

    def begin_join(self) -> Mapping[str, Any]:
        """Hold what comes from now on. Returns the arguments that say what the document has."""
        self.part()
        self._held = []
        return {
            "state_vector": self.doc.get_state(),
            "client_id": self.doc.client_id,
            "key": self._outbox.key,
            **({"epoch": self._outbox.epoch} if self._belongs_to_a_life() and self._outbox.epoch is not None else {}),
            **({"after": self._rows} if self._rows else {}),
        }

    def settle(self, seq: int, epoch: int, missing: bytes, server_vector: bytes) -> None:
        """Take the answer to a join: apply what is missing, and sort out what the server lacks."""
        self._apply([missing])
        self._outbox.note_epoch(epoch)
        self._seq, self._ahead, self._rows = seq, set(), seq
        held, self._held = self._held or [], None
        self.joined = True
        for row, batch in held:
            if row > seq and self.row(row, batch):
                raise WireError(f"After row {self._seq} came row {row}.")
        self._take_what_was_left()
        self._drop_known(server_vector)
        if self.resend_as_state and self._waiting:
            self._replace_by_state(server_vector)

    def part(self) -> None:
        """End the session. What was not answered waits again."""
        self.joined = False
        self._held = None
        self._take_back()

    def doubt(self) -> None:
        """Forget what acknowledgements told: others' part of the rows has not come."""
        self._acknowledged = 0

    # Rows.

    def row(self, seq: int, batch: bytes) -> bool:
        """Apply a row. True if it shows that a row was missed. Raises WireError for a bad batch."""
        if self._held is not None:
            self._held.append((seq, batch))
            return False
        if not self.joined:
            return False
        if self._saw(seq):
            return True
        self._apply(decode_batch(batch))
        self._rows = max(self._rows or 0, self._seq)
        return False

    def _saw(self, seq: int) -> bool:
        if seq > self._seq:
            self._ahead.add(seq)
        while self._seq + 1 in self._ahead:
            self._seq += 1
            self._ahead.discard(self._seq)
        return seq in self._ahead

    def _apply(self, updates: Sequence[bytes]) -> None:
        """Apply updates that are not this program's. Raises ValueError for what is no update.

        They are one transaction: words that the server has moved go and come at once.
        """
        self._applying = True
        try:
            with self.doc.transaction():
                for update in updates:
                    self.doc.apply_update(update)
        except ExceptionGroup as error:
            self._report(error)  # pycrdt tells of observers when everything has been applied
        finally:
            self._applying = False

    def _belongs_to_a_life(self) -> bool:
        return bool(self._left) or self.unsaved > 0 or self.doc.get_state() != b"\0"

    def _take_back(self) -> None:
        batches, self._in_flight = self._in_flight, {}
        self._waiting[:0] = [change for batch in batches.values() for change in batch.changes]

    def _take_what_was_left(self) -> None:
        """Show what an earlier program has written, now that what it builds on is here."""
        left, self._left = self._left, []
        self._apply([change.update for change in left])
        self._waiting[:0] = left

    def _drop_known(self, server_vector: bytes) -> None:
        """Drop changes whose insertions the server has. It takes a whole change, or nothing."""
        known: list[int] = []
        lacking: list[Change] = []
        for change in self._waiting:
            inserts = change.update[0] != _NOTHING
            if inserts and get_update(change.update, server_vector)[0] == _NOTHING:
                known += change.numbers
            else:
                lacking.append(change)
        if known:
            self._outbox.forget(known)
            self._waiting = lacking

    def _replace_by_state(self, server_vector: bytes) -> None:
        numbers = tuple(number for change in self._waiting for number in change.numbers)
        self._waiting = [Change(numbers, None, self.doc.get_update(server_vector))]
        self.resend_as_state = False
