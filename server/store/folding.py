"""Folding in SQL: checked reading of snapshots, rows and history, and the steps of a compaction.

After a compaction at seq n, which folded everything since seq m, the store keeps:

1. The snapshot at n, and the log rows after n.
2. The snapshot at m from which it was made, and the raw rows m + 1 … n as one history segment. If
   the snapshot at n is damaged, `read_base` makes the document from these.
3. The newest of the segments up to m, each with the snapshot that it builds on, as far as `Keep`
   allows. So each kept row can be replayed from a kept snapshot, or from the beginning.

A node that was away while the rows were folded reads on in the segments (`read_tail`).

A compaction does nothing if another one overtook it, or if its document was deleted meanwhile. It
then finds no row of `documents` with the key, epoch and snapshot_seq that it began from.
"""

import logging
from collections.abc import Iterator, Sequence

from msgspec import Struct
from sqlalchemy import BigInteger, ColumnElement, Connection, Table, bindparam, delete, func, insert, select, update

from crdt.errors import Code, InvariantError
from crdt.ids import DocumentId, Epoch, Seq
from server.store.base import REMEMBERED_UPDATE_IDS, CompactionReport, Folded, Row
from server.store.database import change, fetch
from server.store.schema import documents, history, log_rows, snapshots, update_ids
from server.store.segments import checksum, damaged, pack_rows, pack_snapshot, unpack_rows
from server.store.set_aside import read_marks

_log = logging.getLogger(__name__)

_DOCUMENT = select(
    documents.c.key,
    documents.c.epoch,
    documents.c.head,
    documents.c.snapshot_seq,
    documents.c.set_aside_version,
    documents.c.discussion_version,
).where(documents.c.document_id == bindparam("document_id"))
_ROWS = (
    select(
        log_rows.c.seq, log_rows.c.batch, log_rows.c.checksum, log_rows.c.at, log_rows.c.contributors, log_rows.c.heirs
    )
    .where(
        log_rows.c.document_key == bindparam("key"),
        log_rows.c.seq > bindparam("after"),
        log_rows.c.seq <= bindparam("head"),
    )
    .order_by(log_rows.c.seq)
)
_SNAPSHOT = select(snapshots.c.data, snapshots.c.checksum, snapshots.c.memory).where(
    snapshots.c.document_key == bindparam("key"), snapshots.c.seq == bindparam("seq")
)
# The statements of a compaction, in the order in which they run:
_LOCK = select(documents.c.key).where(documents.c.key == bindparam("of_document")).with_for_update(key_share=True)
_REST = select(func.coalesce(func.sum(func.length(log_rows.c.batch)), 0)).where(
    log_rows.c.document_key == bindparam("of_document"), log_rows.c.seq > bindparam("last")
)
_ADVANCE = (
    update(documents)
    .where(
        documents.c.key == bindparam("of_document"),
        documents.c.epoch == bindparam("of_epoch"),
        documents.c.snapshot_seq == bindparam("before"),
    )
    .values(snapshot_seq=bindparam("last"), size=_REST.scalar_subquery() + bindparam("bytes", type_=BigInteger))
)
_ADD_SNAPSHOT, _ADD_SEGMENT = insert(snapshots), insert(history)
_SNAPSHOTS = select(snapshots.c.seq, func.length(snapshots.c.data)).where(
    snapshots.c.document_key == bindparam("of_document")
)
_SEGMENTS = (
    select(history.c.seq, func.length(history.c.data), history.c.at)
    .where(history.c.document_key == bindparam("of_document"), history.c.seq <= bindparam("last"))
    .order_by(history.c.seq.desc())
)
_DELETE_ROWS, _DELETE_IDS, _DELETE_SEGMENTS, _DELETE_SNAPSHOTS = (
    delete(table).where(table.c.document_key == bindparam("of_document"), table.c.seq <= bindparam("last"))
    for table in (log_rows, update_ids, history, snapshots)
)

MOST_ROWS = 2**22
"""Most rows since a snapshot. If there seem to be more, the document's own row is damaged."""


class Keep(Struct, frozen=True):
    """The amount of a document's history to keep, beyond the segment of the last compaction.

    `since` is in microseconds since 1970.
    """

    bytes: int
    since: int


class Document(Struct, frozen=True):
    """A document's row, with the ends of its log and of its snapshot."""

    document_id: DocumentId
    key: int
    epoch: Epoch
    head: Seq
    snapshot_seq: Seq
    set_aside_version: int
    discussion_version: int


class Base(Struct, frozen=True):
    """The base of the rows after `snapshot_seq`: a snapshot at `seq`.

    `history` is empty, unless the newest snapshot is damaged. Then it holds the rows since `seq`.
    `packed` is verified, but not unpacked, because that takes milliseconds and no connection.
    `memory` is packed as well.
    """

    packed: bytes | None
    seq: Seq
    history: Sequence[Row]
    memory: bytes = b""


class Tail(Struct, frozen=True):
    """The end of a log: segments of history up to `snapshot_seq`, then the rows after it.

    The segments are verified, but not unpacked.
    """

    segments: Sequence[bytes]
    after: Seq
    snapshot_seq: Seq
    rows: Sequence[Row]


class Span(Struct, frozen=True):
    """The input of a compaction: the `rows` after the snapshot at `base_seq`.

    `fresh` are the last ones of them, which were never folded before.
    """

    document: Document
    packed: bytes | None
    base_seq: Seq
    rows: Sequence[Row]
    fresh: Sequence[Row]
    memory: bytes = b""


class Packed(Struct, frozen=True):
    """The output of a compaction, ready to be written."""

    span: Span
    folded: Folded
    snapshot: bytes
    segment: bytes


def find_document(connection: Connection, document_id: DocumentId) -> Document | None:
    """Read a document's row."""
    for key, epoch, head, snapshot_seq, *versions in fetch(connection, _DOCUMENT, document_id=document_id):
        return Document(document_id, key, Epoch(epoch), Seq(head), Seq(snapshot_seq), *versions)
    return None


def read_rows(connection: Connection, document: Document, after: Seq) -> list[Row]:
    """Read the rows after `after`. Damaged rows are marked. A missing row is damaged and empty."""
    if document.head - after > MOST_ROWS:
        raise damaged(document.document_id, "log row", Seq(after + 1))
    within = fetch(connection, _ROWS, key=document.key, after=after, head=document.head)
    found = {seq: (bytes(batch), *rest) for seq, batch, *rest in within}
    rows: list[Row] = []
    for seq in map(Seq, range(after + 1, document.head + 1)):
        batch, stored, at, contributors, heirs = found.get(seq, (b"", None, None, None, None))
        damage = checksum(batch, seq) != stored
        people, moved = bytes(contributors or b""), bytes(heirs or b"")
        rows.append(Row(seq, batch, damaged=damage, at=at, contributors=people, heirs=moved))
        if rows[-1].damaged:
            _log.error("Log row %d of document %s is damaged.", seq, document.document_id)
    return rows


def read_base(connection: Connection, document: Document) -> Base:
    """Read the newest snapshot. If it is damaged, read the one before and the history since then.

    Raises InvariantError(quarantined) if these are damaged too.
    """
    if document.snapshot_seq == 0:
        return Base(None, Seq(0), ())
    newest, memory = _read_snapshot(connection, document, document.snapshot_seq)
    if newest is not None:
        return Base(newest, document.snapshot_seq, (), memory)
    _log.error("The snapshot of document %s at %d is damaged.", document.document_id, document.snapshot_seq)
    before = select(func.max(snapshots.c.seq)).where(_of(snapshots, document), snapshots.c.seq < document.snapshot_seq)
    seq = Seq(connection.execute(before).scalar() or 0)
    snapshot, memory = _read_snapshot(connection, document, seq)
    rows = [row for row in _read_segments(connection, document, seq) if row.seq > seq]
    if (seq and snapshot is None) or [row.seq for row in rows] != list(range(seq + 1, document.snapshot_seq + 1)):
        raise damaged(document.document_id, "the snapshot at", document.snapshot_seq)
    return Base(snapshot, seq, rows, memory)


def read_tail(connection: Connection, document: Document, after: Seq) -> Tail | None:
    """Read the rows after `after`, folded ones from history. Return None if history is damaged."""
    if after >= document.snapshot_seq:
        return Tail((), after, document.snapshot_seq, read_rows(connection, document, after))
    try:
        segments = tuple(_read_packed(connection, document, after))
    except InvariantError as error:
        _log.warning("%s", error.message)
        return None
    return Tail(segments, after, document.snapshot_seq, read_rows(connection, document, document.snapshot_seq))


def unpack_tail(tail: Tail) -> list[Row] | None:
    """Unpack a tail. Return None if history lacks some of its rows. Needs no connection."""
    folded = [row for segment in tail.segments for row in unpack_rows(segment) if row.seq > tail.after]
    if [row.seq for row in folded] != list(range(tail.after + 1, tail.snapshot_seq + 1)):
        return None
    return [*folded, *tail.rows]


def read_history(connection: Connection, document_id: DocumentId) -> list[Row]:
    """Read all history that is kept, oldest first."""
    document = find_document(connection, document_id)
    return _read_segments(connection, document, Seq(0)) if document else []


def read_span(connection: Connection, document_id: DocumentId) -> Span | None:
    """Read the input of a compaction. Return None if there is nothing to fold."""
    document = find_document(connection, document_id)
    if document is None or document.head == document.snapshot_seq:
        return None
    fresh = read_rows(connection, document, document.snapshot_seq)
    base = read_base(connection, document)
    rows = read_marks(connection, document.key, document.set_aside_version).of((*base.history, *fresh))
    for row in rows:
        if row.damaged and not row.set_aside:
            raise damaged(document_id, "log row", row.seq)
    return Span(document, base.packed, base.seq, rows, fresh, base.memory)


def pack(span: Span, folded: Folded) -> Packed:
    """Compress the snapshot, and the rows that go into history. Needs no connection."""
    return Packed(span, folded, pack_snapshot(folded.snapshot), pack_rows(span.fresh))


def write(connection: Connection, packed: Packed, keep: Keep) -> CompactionReport | None:
    """Put the snapshot in the place of its rows.

    Return None if another compaction came first, or if the document was deleted.
    """
    span, folded, document = packed.span, packed.folded, packed.span.document
    if folded.forgot:
        _log.error("What a rescue must remember of document %s is lost: %s", document.document_id, folded.forgot)
    last = span.fresh[-1].seq
    if not _advance(connection, packed, last):
        return None
    memory = pack_snapshot(folded.memory) if folded.memory else None
    snapshot = {"data": packed.snapshot, "checksum": checksum(packed.snapshot, last), "memory": memory}
    segment = {"data": packed.segment, "checksum": checksum(packed.segment, last), "at": span.fresh[-1].at}
    place = {"document_key": document.key, "seq": last}
    change(connection, _ADD_SNAPSHOT, **place, **snapshot, state_vector=folded.state_vector)
    change(connection, _ADD_SEGMENT, **place, **segment)
    folded_rows = change(connection, _DELETE_ROWS, of_document=document.key, last=last)
    if folded_rows != sum(bool(row.batch) for row in span.fresh):
        message = f"Document {document.document_id}: other rows were to be deleted than had been read."
        raise InvariantError(message, Code.INTERNAL)
    _thin(connection, span, last, keep)
    log_bytes = sum(len(row.batch) for row in span.fresh)
    return CompactionReport(len(span.fresh), log_bytes, len(folded.snapshot))


def _advance(connection: Connection, packed: Packed, last: Seq) -> bool:
    document = packed.span.document
    # The lock comes first, so the sum below includes the rows that others have just appended. On
    # SQLite it is a plain read, because the transaction holds the write lock already.
    fetch(connection, _LOCK, of_document=document.key)
    before = {"of_epoch": document.epoch, "before": document.snapshot_seq}
    bytes_ = len(packed.folded.snapshot)
    return change(connection, _ADVANCE, of_document=document.key, **before, last=last, bytes=bytes_) == 1


def _thin(connection: Connection, span: Span, last: Seq, keep: Keep) -> None:
    """Delete history that `keep` does not allow. A segment goes with the snapshot under it."""
    document = span.document
    change(connection, _DELETE_IDS, of_document=document.key, last=last - REMEMBERED_UPDATE_IDS)
    bases: dict[int, int] = dict(map(tuple, fetch(connection, _SNAPSHOTS, of_document=document.key)))
    older = fetch(connection, _SEGMENTS, of_document=document.key, last=span.base_seq)
    room, oldest = keep.bytes, span.base_seq
    for place, (seq, size, at) in enumerate(older, 1):
        base = Seq(older[place][0] if place < len(older) else 0)
        room -= size + bases.get(base, 0)
        if room < 0 or (at is not None and at < keep.since):
            change(connection, _DELETE_SEGMENTS, of_document=document.key, last=seq)
            break
        oldest = base
    change(connection, _DELETE_SNAPSHOTS, of_document=document.key, last=oldest - 1)


def _read_snapshot(connection: Connection, document: Document, seq: Seq) -> tuple[bytes | None, bytes]:
    """Read a snapshot, None if it is damaged or gone, and the memory beside it, both packed."""
    for data, stored, memory in fetch(connection, _SNAPSHOT, key=document.key, seq=seq):
        return (bytes(data) if checksum(data, seq) == stored else None), bytes(memory or b"")
    return None, b""


def _read_segments(connection: Connection, document: Document, after: Seq) -> list[Row]:
    return [row for segment in _read_packed(connection, document, after) for row in unpack_rows(segment)]


def _read_packed(connection: Connection, document: Document, after: Seq) -> Iterator[bytes]:
    query = select(history.c.seq, history.c.data, history.c.checksum).order_by(history.c.seq)
    for seq, data, stored in connection.execute(query.where(_of(history, document), history.c.seq > after)):
        if checksum(data, seq) != stored:
            raise damaged(document.document_id, "the history up to", seq)
        yield data


def _of(table: Table, document: Document) -> ColumnElement[bool]:
    return table.c.document_key == document.key
