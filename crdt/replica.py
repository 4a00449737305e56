"""One document on one node: the replica, what the gate knows of it, and its place in the log.

Rows may arrive in any order and more than once; they are applied in the log's order, each once. Rows ahead of their turn are held. A
document that cannot be replayed is quarantined: it holds what could be replayed, and takes no more.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from crdt.document import Damaged, Document
from crdt.errors import ProtocolError
from crdt.gate import Admission, Knowledge
from crdt.gate_limits import GateLimits
from crdt.ids import ClientId, Epoch, Seq
from crdt.log_row import Row
from crdt.protocol import decode_batch
from crdt.update_reader import Inspected, inspect


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as the store has it: snapshot (None: none yet) at `snapshot_seq`, then every row after it."""

    epoch: Epoch
    snapshot: bytes | None
    snapshot_seq: Seq
    rows: Sequence[Row]
    author_keys: Mapping[ClientId, bytes]


@dataclass(frozen=True, slots=True)
class InspectedRow:
    """One row of the log, with its batch both as bytes and taken apart."""

    seq: Seq
    batch: bytes
    updates: tuple[Inspected, ...]


def inspect_row(row: Row, limits: GateLimits) -> InspectedRow:
    """Take a stored row apart; raises ProtocolError for what no gate would have let in, whatever its limits were then."""
    limits = limits.without_sizes()
    return InspectedRow(row.seq, row.batch, tuple(inspect(update, limits) for update in decode_batch(row.batch)))


class Replica:
    """The document in memory. `seq` is the last row applied; the gate's knowledge may be ahead of it by what is in flight."""

    def __init__(self, stored: Stored, limits: GateLimits) -> None:
        """Replay what is stored; a document that cannot be replayed whole comes out quarantined."""
        self._limits = limits
        self._ahead: dict[Seq, tuple[InspectedRow, bool]] = {}
        self.epoch = stored.epoch
        self.seq = stored.snapshot_seq
        self.document = Document()
        self.knowledge = Knowledge(limits)
        self.quarantined: str | None = None
        """Why the document is open read-only; None: it is not."""
        try:
            self._replay(stored)
        except (Damaged, ProtocolError) as error:
            self.quarantined = f"Row {self.seq + 1} of the log cannot be replayed. {error.message}"

    def _replay(self, stored: Stored) -> None:
        if stored.snapshot is not None:
            self.knowledge = Knowledge.from_snapshot(stored.snapshot, self._limits)
            self.document.apply_snapshot(stored.snapshot, self.knowledge.state_vector)
        for row in (inspect_row(each, self._limits) for each in stored.rows):
            self._apply(row)
            for update in row.updates:
                self.knowledge.absorb(update)

    def _apply(self, row: InspectedRow) -> None:
        self.document.apply(row.updates)
        self.seq = row.seq

    @property
    def gap(self) -> bool:
        """Whether rows are held that others are missing before."""
        return bool(self._ahead)

    def admit(self, updates: Sequence[Inspected], may_write: Callable[[int], bool]) -> Admission:
        """Let updates of a session in, all or none; raises ProtocolError."""
        return self.knowledge.admit(updates, may_write)

    def arrive(self, row: InspectedRow, *, known: bool) -> None:
        """Take a row of the log. `known`: the gate knows its updates already, because it let them in here."""
        if row.seq <= self.seq or row.seq in self._ahead:
            return
        self._ahead[row.seq] = (row, known)

    def advance(self) -> Iterator[InspectedRow]:
        """Apply the rows whose turn it is, and yield each when it is applied; raises Damaged.

        Only now the gate learns what is new in them: of a row whose past is still missing it would learn wrong places.
        """
        while (held := self._ahead.pop(Seq(self.seq + 1), None)) is not None:
            row, known = held
            self._apply(row)
            if not known:
                for update in row.updates:
                    self.knowledge.absorb(update)
            yield row
