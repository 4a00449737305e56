"""A store in memory: every promise of the port except surviving the process.

For trying things out and for tests. What it holds lives as long as the object, also across `async
with`, so that rooms may die and be built anew over it. No method waits for anything but the `fold`
it is given, so each is atomic on its event loop.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self

from crdt.ids import ClientId, DocumentId, Epoch, Seq, UpdateId
from crdt.log.stand_ins import batch_of
from crdt.permissions import Role
from crdt.protocol.row import Contributor
from server.store.base import (
    LISTED_OWNERLESS,
    REMEMBERED_UPDATE_IDS,
    Append,
    Appended,
    AppendOutcome,
    Attachment,
    CompactionReport,
    Entry,
    Fenced,
    Fold,
    Gone,
    Head,
    Loaded,
    Page,
    Row,
    Stale,
    Taken,
    Whose,
)
from server.store.contributors import key_of, keys_of
from server.store.file_room import check_room
from server.store.memory_set_aside import MemorySetAsides, SetAsideList
from server.store.memory_sharing import AccessList, MemoryAudit, MemorySecrets, MemorySharing, MemoryUsers
from server.store.sharing_base import Link
from server.store.titles import decode_cursor, encode_cursor, fold_title, to_microseconds, utc_now

_EMPTY = Seq(0)


@dataclass(slots=True)
class _Document:
    document_id: DocumentId
    title: str
    epoch: Epoch
    created_at: datetime
    updated_at: datetime
    access: AccessList
    trashed_at: datetime | None = None
    snapshot: bytes | None = None
    snapshot_seq: Seq = _EMPTY
    rows: list[Row] = field(default_factory=list)
    history: list[Row] = field(default_factory=list)
    update_ids: dict[UpdateId, Seq] = field(default_factory=dict)
    author_keys: dict[ClientId, bytes] = field(default_factory=dict)
    attachments: dict[str, Attachment] = field(default_factory=dict)
    set_aside: SetAsideList = field(default_factory=SetAsideList)
    size: int = 0

    @property
    def head(self) -> Seq:
        return Seq(self.snapshot_seq + len(self.rows))

    @property
    def present(self) -> Head:
        return Head(self.epoch, self.head, self.title, self.trashed_at, self.access.version, self.set_aside.version)

    @property
    def entry(self) -> Entry:
        return Entry(self.document_id, self.title, self.created_at, self.updated_at, self.trashed_at, self.size)


_Documents = dict[DocumentId, _Document]


class MemoryLog:
    """The documents' contents as lists."""

    def __init__(self, documents: _Documents, clock: Callable[[], datetime]) -> None:
        self._documents = documents
        self._clock = clock
        self._contributors: dict[bytes, Contributor] = {}

    async def append(self, appends: Sequence[Append]) -> Sequence[AppendOutcome]:
        """Add the batches, all at once."""
        return [self._append(append) for append in appends]

    def _append(self, append: Append) -> AppendOutcome:
        document = self._documents.get(append.document_id)
        if document is None:
            return Gone()
        if document.epoch != append.epoch:
            return Fenced(document.epoch)
        if (seq := document.update_ids.get(append.update_id)) is not None:
            return Appended(seq)
        if document.access.version > append.access_version or document.trashed_at is not None:
            return Stale()
        bound = document.author_keys
        if any(bound.get(client_id, key) != key for client_id, key in append.author_keys):
            return Taken()
        fresh = {client_id: key for client_id, key in append.author_keys if key and client_id not in bound}
        bound |= fresh
        seq = Seq(document.head + 1)
        now = self._clock()
        at, contributors = to_microseconds(now), keys_of(append)
        document.rows.append(Row(seq, append.batch, tuple(sorted(fresh.items())), at=at, contributors=contributors))
        self._contributors |= {key_of(each): each for each in append.contributors}
        document.update_ids[append.update_id] = seq
        document.size += len(append.batch)
        document.updated_at = now
        return Appended(seq)

    async def load(self, document_id: DocumentId) -> Loaded | None:
        """Copy a document out."""
        document = self._documents.get(document_id)
        if document is None:
            return None
        return Loaded(
            document_id,
            document.epoch,
            document.head,
            document.snapshot,
            document.snapshot_seq,
            tuple(document.set_aside.marks.of(document.rows)),
            dict(document.author_keys),
            document.set_aside.marks,
        )

    async def read(self, document_id: DocumentId, after: Seq) -> Sequence[Row] | None:
        """Copy the end of a log out."""
        document = self._documents.get(document_id)
        if document is None:
            return None
        kept = [*document.history, *document.rows]
        if after < document.head - len(kept):
            return None
        return document.set_aside.marks.of([row for row in kept if row.seq > after])

    async def heads(self, document_ids: Sequence[DocumentId]) -> Mapping[DocumentId, Head]:
        """Say where the logs end."""
        found = (self._documents.get(document_id) for document_id in document_ids)
        return {document.document_id: document.present for document in found if document}

    async def history(self, document_id: DocumentId) -> Sequence[Row]:
        """Copy out the raw rows that the last compaction folded."""
        document = self._documents.get(document_id)
        return list(document.history) if document else []

    async def contributors(self, keys: Collection[bytes]) -> Mapping[bytes, Contributor]:
        """Who these are."""
        return {key: self._contributors[key] for key in keys if key in self._contributors}

    async def compact(self, document_id: DocumentId, fold: Fold) -> CompactionReport | None:
        """Replace the rows so far by what `fold` makes of them."""
        document = self._documents.get(document_id)
        if document is None or not document.rows:
            return None
        began_at, before, rows = document.snapshot_seq, document.snapshot, tuple(document.rows)
        folded = await fold(before, [batch_of(row) for row in document.set_aside.marks.of(rows)])
        if self._documents.get(document_id) is not document or document.snapshot_seq != began_at:
            return None  # deleted, or compacted by somebody else, while we folded
        log_bytes = sum(len(row.batch) for row in rows)
        document.snapshot, document.snapshot_seq = folded.snapshot, rows[-1].seq
        document.history = document.rows[: len(rows)]
        del document.rows[: len(rows)]
        document.size += len(folded.snapshot) - len(before or b"") - log_bytes
        oldest = rows[-1].seq - REMEMBERED_UPDATE_IDS
        document.update_ids = {update_id: seq for update_id, seq in document.update_ids.items() if seq > oldest}
        return CompactionReport(len(rows), log_bytes, len(folded.snapshot))


class MemoryCatalogue:
    """The documents' entries; `forget` is called with the id of a document that was deleted."""

    def __init__(self, documents: _Documents, forget: Callable[[DocumentId], None]) -> None:
        self._documents = documents
        self._forget = forget

    async def create(
        self,
        document_id: DocumentId,
        title: str,
        epoch: Epoch,
        now: datetime,
        *,
        owner: str | None = None,
        link_role: Role | None = Role.EDITOR,
    ) -> Entry:
        """Make an empty document unless it exists."""
        fold_title(title)
        now = now.astimezone(UTC)
        access = AccessList(Link(link_role), grants={} if owner is None else {owner: Role.OWNER})
        return self._documents.setdefault(document_id, _Document(document_id, title, epoch, now, now, access)).entry

    async def get(self, document_id: DocumentId) -> Entry | None:
        """One entry."""
        document = self._documents.get(document_id)
        return document.entry if document else None

    async def find(
        self, query: str, *, trashed: bool, limit: int, cursor: str | None, whose: Whose | None = None
    ) -> Page:
        """Sort all matches, then cut the page out."""
        wanted = fold_title(query)
        ownerless = [each.document_id for each in self._documents.values() if each.access.owner is None]
        newest = set(ownerless[-LISTED_OWNERLESS:])
        matches = sorted(
            (
                document.entry
                for document in self._documents.values()
                if (document.trashed_at is not None) is trashed
                and wanted in fold_title(document.title)
                and (
                    whose is None
                    or document.access.concerns(whose, in_trash=trashed, new=document.document_id in newest)
                )
            ),
            key=_place,
            reverse=True,
        )
        if cursor is not None:
            behind = decode_cursor(cursor)
            matches = [entry for entry in matches if _place(entry) < behind]
        page = tuple(matches[:limit])
        more = len(matches) > len(page)
        return Page(page, encode_cursor(*_place(page[-1])) if page and more else None)

    async def rename(self, document_id: DocumentId, title: str, now: datetime) -> Entry | None:
        """Give a document another title."""
        fold_title(title)
        document = self._documents.get(document_id)
        if document is None:
            return None
        document.title, document.updated_at = title, now.astimezone(UTC)
        return document.entry

    async def set_trashed(self, document_id: DocumentId, trashed_at: datetime | None) -> Entry | None:
        """Put a document into the trash or take it out."""
        document = self._documents.get(document_id)
        if document is None:
            return None
        document.trashed_at = trashed_at and trashed_at.astimezone(UTC)
        return document.entry

    async def delete(self, document_id: DocumentId) -> bool:
        """Drop a document with all that hangs on it."""
        if self._documents.pop(document_id, None) is None:
            return False
        self._forget(document_id)
        return True


def _place(entry: Entry) -> tuple[datetime, DocumentId]:
    return entry.updated_at, entry.document_id


class MemoryAttachments:
    """Files in their documents' dictionaries."""

    def __init__(self, documents: _Documents) -> None:
        self._documents = documents

    async def put(self, document_id: DocumentId, attachment: Attachment, *, most_bytes: int | None = None) -> bool:
        """Keep a file."""
        document = self._documents.get(document_id)
        if document is None:
            return False
        kept = {**document.attachments, attachment.sha256: attachment}
        if len(kept) > len(document.attachments):
            check_room(sum(len(each.data) for each in kept.values()), most_bytes)
            document.attachments = kept
        return True

    async def fetch(self, document_id: DocumentId, sha256: str) -> Attachment | None:
        """Get a file back."""
        document = self._documents.get(document_id)
        return document.attachments.get(sha256) if document else None


class MemoryOpenMarks:
    """When each pair was marked."""

    def __init__(self, documents: _Documents, clock: Callable[[], datetime]) -> None:
        self._documents = documents
        self._clock = clock
        self._marks: dict[tuple[DocumentId, str], datetime] = {}

    async def mark(self, document_id: DocumentId, node_id: str) -> None:
        """The node is about to decode this document."""
        if document_id in self._documents:
            self._marks[document_id, node_id] = self._clock()

    async def unmark(self, document_id: DocumentId, node_id: str) -> None:
        """The node has closed it in good order."""
        self._marks.pop((document_id, node_id), None)

    async def marked(self, node_id: str) -> frozenset[DocumentId]:
        """What the node has open."""
        return frozenset(document_id for document_id, marked_by in self._marks if marked_by == node_id)

    def forget(self, document_id: DocumentId) -> None:
        """Drop every node's mark on a deleted document."""
        self._keep(lambda mark: mark[0] != document_id)

    async def forget_others(self, node_id: str, age: timedelta) -> None:
        """Drop the old marks of other nodes."""
        oldest = self._clock() - age
        self._keep(lambda mark: mark[1] == node_id or self._marks[mark] >= oldest)

    def _keep(self, wanted: Callable[[tuple[DocumentId, str]], bool]) -> None:
        self._marks = {mark: at for mark, at in self._marks.items() if wanted(mark)}


class MemoryStore:
    """All ports over one dictionary."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        documents: _Documents = {}
        self.log = MemoryLog(documents, clock)
        self.attachments = MemoryAttachments(documents)
        self.open_marks = MemoryOpenMarks(documents, clock)
        self.catalogue = MemoryCatalogue(documents, self.open_marks.forget)
        self.set_aside = MemorySetAsides(documents, clock)
        self.users = MemoryUsers(documents)
        self.sharing = MemorySharing(documents, self.users)
        self.secrets = MemorySecrets()
        self.audit = MemoryAudit()

    async def __aenter__(self) -> Self:
        """Nothing to open."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Nothing to close: what is stored stays."""

    async def check(self) -> None:
        """Memory is always there."""
