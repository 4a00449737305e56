"""A replica: a document in step with the server's log, and the changes that the server lacks.

No network and no clock: the verbs are called with what the server has said. These rules hold:
1. A change stays in the outbox, as it was made, until a row of the log holds it.
2. Changes leave in their order. All changes of a batch have the same `after`.
3. Rows apply in log order. A row that is not the next one shows that something was missed: the verb
   says so, and joining again brings it.
4. After each join, changes that the server has are dropped. The others are sent again. So nothing
   is lost, whatever became of an acknowledgement. Yjs applies nothing twice.
5. Clocks do not show whose words the server has. So a join asks for what the server has under the
   ids of unsaved words, and compares. If it has somebody else's words there, ours go on under
   another id.

A pycrdt document keeps its id for ever, so that id is another one outside of the document. Changes
in the outbox have the server's ids. Yjs orders by ids what several people insert at one place.
Therefore the ids of our words and of the others' words are direct neighbours of the old id, on the
sides where both orders are the same.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

from pycrdt import Doc, get_update

from manyhands.errors import ClientIdTaken
from manyhands.outbox import Change, Outbox
from manyhands.updates import Span, contradict, decode_vector, encode_vector, renamed, spans_of
from manyhands.wire import WireError, decode_batch, encode_batch

MOST_UPDATES = 10_000
"""Updates that the server takes in one batch."""

_LENGTH_BYTES = 8
"""Bytes that an update's length takes in a batch, at most."""

_THE_SERVERS = 0
"""The server's own client id."""

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
        self._outside: dict[int, int] = {}
        """The server's client ids for those of the document that differ."""
        self._inside: dict[int, int] = {}
        """The same the other way round."""

    @property
    def client_id(self) -> int:
        """The client id under which the server knows this program."""
        return self._outside.get(self.doc.client_id, self.doc.client_id)

    @property
    def unsaved(self) -> int:
        """The number of changes that are not acknowledged."""
        in_flight = sum(len(change.numbers) for batch in self._in_flight.values() for change in batch.changes)
        return len(self._left) + sum(len(change.numbers) for change in self._waiting) + in_flight

    @property
    def unsaved_changes(self) -> tuple[bytes, ...]:
        """The changes that are not acknowledged, in their order, each as a Yjs update."""
        return tuple(change.update for change in self._unsaved())

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
        self._waiting.append(self._outbox.keep(self.applied, renamed(update, self._outside)))
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
            "state_vector": self._undoubted_vector(),
            "client_id": self.client_id,
            "key": self._outbox.key,
            **({"epoch": self._outbox.epoch} if self._belongs_to_a_life() and self._outbox.epoch is not None else {}),
            **({"after": self._rows} if self._rows else {}),
        }

    def settle(self, seq: int, epoch: int, missing: bytes, server_vector: bytes) -> bool:
        """Take the answer to a join: apply what is missing, and sort out what the server lacks.

        False if nothing was taken: words of this program have got another client id, so join again.
        Raises ClientIdTaken if they need one and cannot have it.
        """
        if taken := self._taken(missing, server_vector):
            if not self._rename(taken, server_vector):
                raise ClientIdTaken("client_id_taken", "The server has somebody else's words under our client id.")
            return False
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
        return True

    def take_other_ids(self, *, in_batch: bool) -> bool:
        """Take other client ids instead of what the server has refused. False if none can be had.

        `in_batch`: it has refused changes, and does not say for which of their ids. Otherwise it
        has refused a join.
        """
        refused = set(self._unsaved_spans()) if in_batch else {self.client_id}
        return self._rename({client for client in refused if self._may_rename(client)}, b"\0")

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
                    self.doc.apply_update(renamed(update, self._inside))
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
        known = {self._inside.get(client, client): clock for client, clock in decode_vector(server_vector).items()}
        state = renamed(self.doc.get_update(encode_vector(known)), self._outside)
        self._waiting = [Change(numbers, None, state)]
        self.resend_as_state = False

    # Client ids.

    def _unsaved(self) -> Iterable[Change]:
        in_flight = (change for batch in self._in_flight.values() for change in batch.changes)
        return (*self._left, *in_flight, *self._waiting)

    def _unsaved_spans(self) -> dict[int, list[Span]]:
        """Return what unsaved changes insert, by the server's client ids."""
        found: dict[int, list[Span]] = {}
        for change in self._unsaved():
            for client, spans in spans_of(change.update).items():
                found.setdefault(client, []).extend(spans)
        return {client: sorted(spans, key=lambda span: span.clock) for client, spans in found.items() if spans}

    def _vector(self) -> dict[int, int]:
        clocks = decode_vector(self.doc.get_state())
        return {self._outside.get(client, client): clock for client, clock in clocks.items()}

    def _undoubted_vector(self) -> bytes:
        """Return the document's state vector without unsaved words."""
        clocks = self._vector()
        for client, spans in self._unsaved_spans().items():
            clocks[client] = min(clocks.get(client, 0), spans[0].clock)
        return encode_vector({client: clock for client, clock in clocks.items() if clock})

    def _taken(self, missing: bytes, server_vector: bytes) -> set[int]:
        """Return the ids of unsaved and of future words under which the server has others."""
        ours, own = self._unsaved_spans(), self.client_id
        if own not in ours and own not in self._vector() and own in decode_vector(server_vector):
            return {own}
        theirs = spans_of(missing) if ours else {}
        return {client for client in ours.keys() & theirs if contradict(client, ours[client], theirs[client])}

    def _may_rename(self, client: int) -> bool:
        """Whether the server can have no word of ours under this id, and the id is still the first.

        Whoever once had a word of ours taken has the id for ever, by the outbox's key.
        """
        spans = self._unsaved_spans().get(client)
        begun = spans[0].clock if spans else self._vector().get(client, 0)
        return begun == 0 and client not in self._inside

    def _rename(self, clients: set[int], server_vector: bytes) -> bool:
        """Let words under these ids of the server go on under others. False if that cannot be."""
        beside = {each for client in clients for each in (client - 1, client + 1)}
        used = {*self._vector(), *self._unsaved_spans(), *decode_vector(server_vector), _THE_SERVERS}
        if not clients or len(beside) < 2 * len(clients) or beside & used or not all(map(self._may_rename, clients)):
            return False
        names = {client: client + 1 for client in clients}
        for client, other in names.items():
            self._outside |= {client: other, client - 1: client}
            self._inside |= {other: client, client: client - 1}
        self._take_back()
        self._outbox.rewrite(lambda update: renamed(update, names))
        self._left = [replace(change, update=renamed(change.update, names)) for change in self._left]
        self._waiting = [replace(change, update=renamed(change.update, names)) for change in self._waiting]
        return True
