"""Replay: the only way in which a stored log becomes a document in memory, whatever the log holds.

Every update is applied by itself, in the log's order, by the same library that serves the document
afterwards. An update that does not apply is set aside: a stand-in is applied for it
(crdt/log/stand_ins.py), and everything behind it goes on. The same log leads every node to the same
document. What one node set aside is stored with the log, and until then all nodes set the same
aside.

1. An unreadable update, or one whose past is not in the log, is never given to pycrdt, because
   pycrdt diverges on gaps (y-crdt#632).
2. An update that pycrdt refuses may have left something behind. So the document is built again
   without the update, unless pycrdt could not even read the bytes.
3. Building again begins from the document that the last building again left, so that many bad
   updates cost about as much as one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from crdt.errors import Code, ManyhandsError, ProtocolError
from crdt.gate.gate import Knowledge
from crdt.ids import Seq
from crdt.log.document import Damaged, Document, Engine, apply_update
from crdt.log.stand_ins import NOTHING, batch_of, collected, filler, missing_past, original, tombstones, updates_of
from crdt.protocol.batch import encode_batch
from crdt.protocol.row import WHOLE_ROW, Found, Row, SetAside
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect

MOST_FOUND = 1000
"""Updates that one replay sets aside. With one more, the document is quarantined at that row."""

MOST_REASON = 300
"""Characters of a reason. pycrdt's own message may quote a whole value."""

NO_PAST = "The update builds on changes that the log does not have."
_NO_BATCH = "The row is not a batch of updates."
_DAMAGED_ROW = "The row is damaged in the database."


class InspectedRow(Struct, frozen=True):
    """One row of the log as it is applied and sent: mended, with stand-ins for what is set aside.

    Attributes:
        batch: the updates as one batch.
        updates: the same updates, inspected.
        set_aside: the updates of the stored batch that are set aside.
        rescues: those of the updates that the server has added on this node just now, so that the
            gate does not know them yet.
        heirs: which characters live on where since this row.
    """

    seq: Seq
    batch: bytes
    updates: tuple[Inspected, ...]
    set_aside: tuple[SetAside, ...] = ()
    rescues: tuple[Inspected, ...] = ()
    heirs: bytes = b""


def inspect_row(row: Row, limits: GateLimits) -> InspectedRow:
    """Inspect a stored row.

    Raises ProtocolError for updates that no gate would have let in, whatever its limits were.
    """
    written = [update for _, each in _taken_apart(row) for update in each]
    updates = tuple([inspect(update, limits, durable=True) for update in written])
    mended = any(update.raw is not raw for update, raw in zip(updates, written, strict=True))
    batch = encode_batch([update.raw for update in updates]) if mended else batch_of(row)
    return InspectedRow(row.seq, batch, updates, row.set_aside, heirs=row.heirs)


def _taken_apart(row: Row) -> Iterator[tuple[int, list[bytes]]]:
    if row.damaged and not any(each.position == WHOLE_ROW for each in row.set_aside):
        raise ProtocolError(Code.BAD_UPDATE, _DAMAGED_ROW)
    return updates_of(row)


@dataclass(slots=True)
class Replay:
    """A document that grows by the rows of its log.

    Attributes:
        absorb: called with every update that was applied.
        gate: returns the gate's index of these updates. Called only if a replay needs the index.
        found: updates that this replay has set aside, and that are not stored as such yet.
        base: the snapshot that the document was made from, in the engine's form.
        since: the updates that were applied after it.
    """

    limits: GateLimits
    absorb: Callable[[Inspected], object]
    gate: Callable[[], Knowledge]
    engine: Engine = apply_update
    document: Document = field(init=False)
    found: list[Found] = field(default_factory=list)
    base: bytes | None = None
    since: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.document = Document(self.engine)

    def begin(self, snapshot: bytes, document: Document) -> None:
        """Go on from a document that was made from a snapshot in the engine's form."""
        self.base, self.document = snapshot, document

    def take(self, row: Row) -> InspectedRow:
        """Apply the next row. Updates that do not apply are set aside.

        Raises Damaged once more than `MOST_FOUND` updates do not apply.
        """
        updates: list[Inspected] = []
        kept: list[SetAside] = []
        stored = {each.position: each for each in row.set_aside}
        for position, raws in self._positions(row):
            try:
                if raws is None:
                    raise ProtocolError(Code.BAD_UPDATE, _DAMAGED_ROW if row.damaged else _NO_BATCH)
                updates += self._apply(raws)
            except ManyhandsError as error:
                raw = original(row, position)
                stand_in, applied = self._stand_in(raw, _reason(error))
                kept.append(SetAside(position, stand_in, _reason(error)))
                self.found.append(Found(row.seq, kept[-1], raw))
                updates += applied
            else:
                kept += [stored[position]] if position in stored else []
        batch = encode_batch([update.raw for update in updates] or [NOTHING]) if kept else row.batch
        return InspectedRow(row.seq, batch, tuple(updates), tuple(kept))

    def _positions(self, row: Row) -> Sequence[tuple[int, list[bytes] | None]]:
        """Return the updates to apply, by position; None for a row that cannot be decoded."""
        try:
            return list(_taken_apart(row))
        except ProtocolError:
            return [(WHOLE_ROW, None)]

    def _apply(self, raws: Sequence[bytes]) -> list[Inspected]:
        """Apply all or none of some updates. Raises ProtocolError or Damaged."""
        applied: list[Inspected] = []
        try:
            for raw in raws:
                update = inspect(raw, self.limits, durable=True)
                if missing_past(update, self.document.clocks):
                    raise ProtocolError(Code.MISSING_PAST, NO_PAST)
                self.document.apply(update)
                applied.append(update)
        except ManyhandsError as error:
            if applied or (isinstance(error, Damaged) and not error.untouched):
                self._build_again()
            raise
        self.since += raws
        for update in applied:
            self.absorb(update)
        return applied

    def _build_again(self) -> None:
        """Make the document anew from what was applied before. Raises Damaged if that fails now."""
        size = self.document.size
        document = Document(self.engine)
        if self.base is not None:
            document.apply_snapshot(self.base)
        for raw in self.since:
            document.apply(inspect(raw, self.limits, durable=True))
        self.base, self.since = document.snapshot(), []
        document.size = size  # bytes as they are stored, not as this snapshot encodes them
        self.document = document

    def _stand_in(self, raw: bytes, reason: str) -> tuple[bytes, list[Inspected]]:
        """Apply the first stand-in that the document takes; return it, and its updates."""
        if len(self.found) >= MOST_FOUND:
            raise Damaged(f"More than {MOST_FOUND} updates of the log cannot be applied, this one because: {reason}")
        for raws in self._choices(raw):
            try:
                return encode_batch(raws), self._apply(raws)
            except ManyhandsError:
                continue
        return b"", []

    def _choices(self, raw: bytes) -> Iterator[list[bytes]]:
        """Yield the possible stand-ins for an update, the best first."""
        try:
            update = inspect(raw, self.limits, durable=True)
        except ProtocolError:
            return
        missing = missing_past(update, self.document.clocks)
        fillers: list[list[bytes]] = [[]]
        if missing:
            clocks = self.document.clocks
            in_place, garbage = (filler(missing, clocks, in_place=each) for each in (True, False))
            # The filler goes behind the author's last struct. That may be another place than the
            # lost structs had, so the update need not fit behind it.
            fits = self.gate().would_take([inspect(in_place, self.limits, durable=True), update])
            fillers = [[in_place], [garbage]] if fits else [[garbage]]
            yield from ([*each, raw] for each in fillers)
        for deletes in (True, False) if update.deletions else (False,):
            for each in fillers:
                yield [*each, tombstones(update, deletes=deletes)]
        yield [*fillers[-1], collected(update)]


def _reason(error: ManyhandsError) -> str:
    cause = error.__cause__
    reason = error.message if cause is None else f"{error.message} {cause}"[:MOST_REASON]
    return reason.encode("utf-8", "replace").decode()
