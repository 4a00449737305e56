"""The store's port for what is set aside: updates of rows that the document engine does not take, and what stands in for them.

A row stays as it is. Beside it stands which of its updates is not applied, why, and what is applied
in its place. That holds on every node and for ever, for others have built on the stand-in: the
state says only whether somebody still has to look at it. The update itself is kept here as well,
because rows are folded, and folded rows are not kept for ever.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from crdt.ids import DocumentId, Epoch, Seq
from crdt.protocol.row import WHOLE_ROW, Found, Row, SetAside


class State(StrEnum):
    """What the operator has made of it."""

    KEPT = "kept"
    """Nothing yet."""
    PUT_BACK = "put back"
    """What it said was written once more, as a row of its own."""
    DROPPED = "dropped"
    """It is given up."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One update that is set aside."""

    document_id: DocumentId
    found: Found
    state: State
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Marks:
    """What is set aside in one document. `version`: changes whenever this does; `open`: how many nobody has looked at."""

    by_seq: Mapping[Seq, tuple[SetAside, ...]] = field(default_factory=dict)
    version: int = 0
    open: int = 0

    def of(self, rows: Sequence[Row]) -> list[Row]:
        """The rows with their marks."""
        if not self.by_seq:
            return list(rows)
        return [Row(row.seq, row.batch, row.author_keys, self.by_seq.get(row.seq, ()), row.damaged) for row in rows]


@dataclass(frozen=True, slots=True)
class UpdatePlace:
    """An update's row, and its position in the row."""

    seq: Seq
    position: int

    def __str__(self) -> str:
        return str(self.seq) if self.position == WHOLE_ROW else f"{self.seq}.{self.position}"


class SetAsides(Protocol):
    """What is set aside in all documents."""

    async def keep(self, document_id: DocumentId, epoch: Epoch, found: Sequence[Found]) -> tuple[int, int] | None:
        """Add marks, except where there are some already; the document's version before and after. None: no such document or epoch."""

    async def list(self, document_id: DocumentId | None = None) -> Sequence[Kept]:
        """What is set aside in a document, or in all of them, by document and place."""

    async def settle(self, document_id: DocumentId, seq: Seq, position: int, state: State) -> bool:
        """Say what the operator has made of one, and write the deed; False: there is no such."""
