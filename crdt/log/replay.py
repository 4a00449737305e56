"""Replaying a log: the one way in which a stored document becomes a replica, whatever its log holds.

Every update is applied by itself, in the log's order, by the library that serves it afterwards.
What does not apply is set aside: something stands in for it (crdt/log/stand_ins.py), and everything
behind it goes on. The same log leads every node to the same replica, because what one node found is
stored with the log, and what no node has stored yet is found alike by all.

1. An update that is not readable, or whose past the log does not have, is never given to pycrdt,
   which diverges on gaps (y-crdt#632).
2. An update that pycrdt refuses may have left something behind. So the document is built again
   without it, unless pycrdt says that it could not even read the bytes.
3. Building again begins from what was there when this was done last, so that many bad updates cost
   about as much as one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

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
"""Updates that one replay sets aside. A log with more of them is beyond help: the document is quarantined where it stands then."""

MOST_REASON = 300
"""Characters of a reason; pycrdt's own words may quote a whole value."""

NO_PAST = "It builds on changes that the log does not have."
_NO_BATCH = "The row is no batch of updates."
_DAMAGED_ROW = "The row is damaged in the database."


@dataclass(frozen=True, slots=True)
class InspectedRow:
    """One row of the log as it is applied and told: its batch as bytes and taken apart, mended, with stand-ins for what is set aside.

    Attributes:
        set_aside: which updates of the stored batch these are.
    """

    seq: Seq
    batch: bytes
    updates: tuple[Inspected, ...]
    set_aside: tuple[SetAside, ...] = ()


def inspect_row(row: Row, limits: GateLimits) -> InspectedRow:
    """Take a stored row apart; raises ProtocolError for what no gate would have let in, whatever its limits were then."""
    written = [update for _, each in _taken_apart(row) for update in each]
    updates = tuple([inspect(update, limits, durable=True) for update in written])
    mended = any(update.raw is not raw for update, raw in zip(updates, written, strict=True))
    batch = encode_batch([update.raw for update in updates]) if mended else batch_of(row)
    return InspectedRow(row.seq, batch, updates, row.set_aside)


def _taken_apart(row: Row) -> Iterator[tuple[int, list[bytes]]]:
    if row.damaged and not any(each.position == WHOLE_ROW for each in row.set_aside):
        raise ProtocolError(Code.BAD_UPDATE, _DAMAGED_ROW)
    return updates_of(row)


class Replay:
    """A document that grows by the rows of its log. `found`: what was set aside on the way, and is not stored as such yet."""

    def __init__(
        self,
        limits: GateLimits,
        absorb: Callable[[Inspected], object],
        gate: Callable[[], Knowledge],
        engine: Engine = apply_update,
    ) -> None:
        """Begin empty. `absorb` is told of every update that was applied; `gate`: what it knows by them, asked for only in need."""
        self._limits = limits
        self._absorb = absorb
        self._gate = gate
        self._engine = engine
        self.document = Document(engine)
        self.found: list[Found] = []
        self._base: bytes | None = None
        self._since: list[bytes] = []

    def begin(self, snapshot: bytes, document: Document) -> None:
        """Go on from a document that was made of a snapshot in the engine's form."""
        self._base, self.document = snapshot, document

    def take(self, row: Row) -> InspectedRow:
        """Apply the next row, all of it that can be; raises Damaged when there is no end to what cannot."""
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
        """What is to be applied, position by position; None for a row that cannot be taken apart."""
        try:
            return list(_taken_apart(row))
        except ProtocolError:
            return [(WHOLE_ROW, None)]

    def _apply(self, raws: Sequence[bytes]) -> list[Inspected]:
        """Apply some updates, all or none; raises ProtocolError or Damaged."""
        applied: list[Inspected] = []
        try:
            for raw in raws:
                update = inspect(raw, self._limits, durable=True)
                if missing_past(update, self.document.clocks):
                    raise ProtocolError(Code.MISSING_PAST, NO_PAST)
                self.document.apply(update)
                applied.append(update)
        except ManyhandsError as error:
            if applied or (isinstance(error, Damaged) and not error.untouched):
                self._build_again()
            raise
        self._since += raws
        for update in applied:
            self._absorb(update)
        return applied

    def _build_again(self) -> None:
        """Throw the document away, and make it of what was applied before; raises Damaged when that fails now."""
        size = self.document.size
        document = Document(self._engine)
        if self._base is not None:
            document.apply_snapshot(self._base)
        for raw in self._since:
            document.apply(inspect(raw, self._limits, durable=True))
        self._base, self._since = document.snapshot(), []
        document.size = size
        self.document = document

    def _stand_in(self, raw: bytes, reason: str) -> tuple[bytes, list[Inspected]]:
        """Find what can be applied in an update's place, and apply it."""
        if len(self.found) >= MOST_FOUND:
            raise Damaged(f"More than {MOST_FOUND} updates of the log cannot be applied, this one because: {reason}")
        for raws in self._choices(raw):
            try:
                return encode_batch(raws), self._apply(raws)
            except ManyhandsError:
                continue
        return b"", []

    def _choices(self, raw: bytes) -> Iterator[list[bytes]]:
        """What may stand in for an update, the best first."""
        try:
            update = inspect(raw, self._limits, durable=True)
        except ProtocolError:
            return
        missing = missing_past(update, self.document.clocks)
        fillers: list[list[bytes]] = [[]]
        if missing:
            clocks = self.document.clocks
            in_place, garbage = (filler(missing, clocks, in_place=each) for each in (True, False))
            # Behind what its author wrote last may be another place than where the lost words
            # stood.
            fits = self._gate().would_take([inspect(in_place, self._limits, durable=True), update])
            fillers = [[in_place], [garbage]] if fits else [[garbage]]
            yield from ([*each, raw] for each in fillers)
        for deletes in (True, False) if update.deletions else (False,):
            for each in fillers:
                yield [*each, tombstones(update, deletes=deletes)]
        yield [*fillers[-1], collected(update)]


def _reason(error: ManyhandsError) -> str:
    cause = error.__cause__
    return error.message if cause is None else f"{error.message} {cause}"[:MOST_REASON]
