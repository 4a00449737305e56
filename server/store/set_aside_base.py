"""Port of the store for updates that are set aside, because the document engine does not take them.

The update's row stays as it is. A mark beside the row says which update is not applied, why, and
which stand-in is applied in its place. This holds on every node and for ever, because later updates
build on the stand-in. The mark's state says only whether the operator still has to look at it. The
mark holds the update as well, because rows are folded, and folded rows are not kept for ever.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from crdt.ids import DocumentId, Epoch, Seq
from crdt.protocol.row import WHOLE_ROW, Found, Row, SetAside


class State(StrEnum):
    """The operator's decision on an update that is set aside."""

    KEPT = "kept"
    """No decision yet."""
    PUT_BACK = "put back"
    """Its content was written once more, as a row of its own."""
    DROPPED = "dropped"
    """The update is given up."""


class Kept(Struct, frozen=True):
    """One update that is set aside."""

    document_id: DocumentId
    found: Found
    state: State
    found_at: datetime


class Marks(Struct, frozen=True):
    """The marks of one document.

    `version` rises whenever they change. `open` counts the marks without a decision.
    """

    by_seq: Mapping[Seq, tuple[SetAside, ...]] = field(default_factory=dict)
    version: int = 0
    open: int = 0

    def of(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows, each with its marks."""
        if not self.by_seq:
            return list(rows)
        return [replace(row, set_aside=self.by_seq.get(row.seq, ())) for row in rows]


class UpdatePlace(Struct, frozen=True):
    """An update's row, and its position in the row."""

    seq: Seq
    position: int

    def __str__(self) -> str:
        return str(self.seq) if self.position == WHOLE_ROW else f"{self.seq}.{self.position}"


class SetAsides(Protocol):
    """The updates that are set aside in all documents."""

    async def keep(self, document_id: DocumentId, epoch: Epoch, found: Sequence[Found]) -> tuple[int, int] | None:
        """Add marks for updates that have none yet.

        Return the marks' version before and after, or None if there is no such document or epoch.
        """

    async def list(self, document_id: DocumentId | None = None) -> Sequence[Kept]:
        """List the updates that are set aside in one document, or in all, by document and place."""

    async def settle(self, document_id: DocumentId, seq: Seq, position: int, state: State) -> bool:
        """Store the operator's decision, and write the deed. Return False if there is no mark."""
