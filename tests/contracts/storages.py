"""What the store's contract suites run on: every backend, as storage that stores can be opened on again and again."""

from datetime import UTC, datetime, timedelta

from crdt.ids import DocumentId, Epoch, Seq, UpdateId
from server.store.base import Append, Fold, Folded, Head
from server.store.sql import SqlStore

DOCUMENT = DocumentId("a-document")
OTHER = DocumentId("another-document")
NOWHERE = DocumentId("no-such-document")
EPOCH = Epoch(1)
TITLE = "A document"
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


class Clock:
    """A second later each time it is asked, beginning at noon."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class Storage:
    """A database outlives what uses it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.clock = Clock()

    def store(self, history_bytes: int = 0, history_age: timedelta | None = None) -> SqlStore:
        return SqlStore(self._url, history_bytes=history_bytes, history_age=history_age, clock=self.clock)


def head(seq: int, title: str = TITLE, trashed_at: datetime | None = None) -> Head:
    """Where the log of a document that `fill` made ends."""
    return Head(EPOCH, Seq(seq), title, trashed_at)


def append(
    update_id: str, batch: bytes | None = None, document_id: DocumentId = DOCUMENT, epoch: int = EPOCH
) -> Append:
    """Something to append; its batch says its id unless told otherwise."""
    return Append(document_id, Epoch(epoch), UpdateId(update_id), update_id.encode() if batch is None else batch)


async def fill(store: SqlStore, *update_ids: str, document_id: DocumentId = DOCUMENT) -> None:
    """Make a document, unless it is there, and append to it."""
    await store.catalogue.create(document_id, TITLE, EPOCH, NOON)
    await store.log.append([append(update_id, document_id=document_id) for update_id in update_ids])


def folding_into(snapshot: bytes) -> Fold:
    """A fold whose outcome is known beforehand."""

    async def fold(_before: bytes | None, _batches: object, _past: object) -> Folded:
        return Folded(snapshot, b"vector")

    return fold


async def join(before: bytes | None, batches: object, _past: object) -> Folded:
    """A fold that shows what it was made of: the batches with `+` in between."""
    assert isinstance(batches, list)
    return Folded(b"+".join(([before] if before is not None else []) + batches), b"vector")
