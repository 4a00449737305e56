"""What is set aside, in memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from crdt.ids import DocumentId, Epoch, Seq
from crdt.protocol.row import Found, SetAside
from server.store.set_aside_base import Kept, Marks, State


@dataclass(slots=True)
class SetAsideList:
    """What is set aside in one document, by row and position."""

    entries: dict[tuple[Seq, int], Kept] = field(default_factory=dict)
    version: int = 0

    @property
    def marks(self) -> Marks:
        """The same, as whoever reads the document needs it."""
        by_seq: dict[Seq, tuple[SetAside, ...]] = {}
        for (seq, _), kept in sorted(self.entries.items()):
            by_seq[seq] = (*by_seq.get(seq, ()), kept.found.set_aside)
        return Marks(by_seq, self.version, sum(kept.state is State.KEPT for kept in self.entries.values()))


class _Document(Protocol):
    epoch: Epoch
    set_aside: SetAsideList


class MemorySetAsides:
    """The port over the documents of a memory store."""

    def __init__(self, documents: Mapping[DocumentId, _Document], clock: Callable[[], datetime]) -> None:
        self._documents = documents
        self._clock = clock

    async def keep(self, document_id: DocumentId, epoch: Epoch, found: Sequence[Found]) -> tuple[int, int] | None:
        """Add marks."""
        document = self._documents.get(document_id)
        if document is None or document.epoch != epoch:
            return None
        entries, before = document.set_aside.entries, document.set_aside.version
        fresh = [each for each in found if (each.seq, each.set_aside.position) not in entries]
        for each in fresh:
            entries[each.seq, each.set_aside.position] = Kept(document_id, each, State.KEPT, self._clock())
        document.set_aside.version += bool(fresh)
        return before, document.set_aside.version

    async def list(self, document_id: DocumentId | None = None) -> Sequence[Kept]:
        """Copy marks out."""
        return [
            kept
            for name, document in sorted(self._documents.items())
            if document_id in (None, name)
            for _, kept in sorted(document.set_aside.entries.items())
        ]

    async def settle(self, document_id: DocumentId, seq: Seq, position: int, state: State) -> bool:
        """Change a state."""
        document = self._documents.get(document_id)
        if document is None or (seq, position) not in document.set_aside.entries:
            return False
        entries = document.set_aside.entries
        entries[seq, position] = replace(entries[seq, position], state=state)
        document.set_aside.version += 1
        return True
