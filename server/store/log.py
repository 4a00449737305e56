"""The documents' contents in SQL: appending, loading, reading on; compaction's steps are in folding.py.

Appending is the hot path. Its statements are built with SQLAlchemy, compiled once, and run on the driver's own cursor: executed
through SQLAlchemy they cost two to three times the processor time (tests/bench/store.py).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from sqlite3 import Cursor
from typing import cast

from sqlalchemy import ColumnElement, Connection, bindparam, literal_column, select, update
from sqlalchemy.dialects.sqlite import dialect, insert
from sqlalchemy.sql import ClauseElement

from crdt.ids import ClientId, DocumentId, Epoch, Seq
from server.store import folding
from server.store.base import (
    Append,
    Appended,
    AppendOutcome,
    CompactionReport,
    Fenced,
    Fold,
    Gone,
    Head,
    Loaded,
    Row,
)
from server.store.database import Database
from server.store.schema import author_keys, documents, log_rows, update_ids
from server.store.segments import checksum
from server.store.titles import to_microseconds

_ONE: ColumnElement[int] = literal_column("1")  # a number would become a parameter
_HEADS_AT_ONCE = 10_000  # SQLite takes at most 32,766 parameters in a statement


def _compiled(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=dialect(paramstyle="named")))


# The row lock that this takes (in SQLite: the write lock) makes the order of seqs the order of commits.
_ADVANCE = _compiled(
    update(documents)
    .where(documents.c.document_id == bindparam("id"), documents.c.epoch == bindparam("of_epoch"))
    .values(head=documents.c.head + _ONE, size=documents.c.size + bindparam("bytes"), updated_at=bindparam("now"))
    .returning(documents.c.key, documents.c.head)
)
_REMEMBER = _compiled(insert(update_ids).on_conflict_do_nothing())
_ADD_ROW = _compiled(insert(log_rows))
_BIND = _compiled(insert(author_keys).on_conflict_do_nothing())
# The two for what happens rarely:
_STEP_BACK = _compiled(
    update(documents)
    .where(documents.c.key == bindparam("of_key"))
    .values(head=documents.c.head - _ONE, size=documents.c.size - bindparam("bytes"))
)
_FIRST_SEQ = _compiled(
    select(update_ids.c.seq).where(
        update_ids.c.document_key == bindparam("document_key"), update_ids.c.update_id == bindparam("update_id")
    )
)
_EPOCH = _compiled(select(documents.c.epoch).where(documents.c.document_id == bindparam("id")))


class SqlLog:
    """The log port over a database. `history_bytes`: see SqlStore."""

    def __init__(self, database: Database, clock: Callable[[], datetime], history_bytes: int) -> None:
        self._database = database
        self._clock = clock
        self._history_bytes = history_bytes

    async def append(self, appends: Sequence[Append]) -> Sequence[AppendOutcome]:
        """Commit all batches in one transaction."""
        now = to_microseconds(self._clock())
        return await self._database.write(partial(_append_all, appends=appends, now=now))

    async def load(self, document_id: DocumentId) -> Loaded | None:
        """Read a document whole; a damaged snapshot is replaced by the one before it and the history since."""
        return await self._database.read(partial(_load, document_id=document_id))

    async def read(self, document_id: DocumentId, after: Seq) -> Sequence[Row] | None:
        """Read the end of a log."""
        return await self._database.read(partial(_read, document_id=document_id, after=after))

    async def heads(self, document_ids: Sequence[DocumentId]) -> Mapping[DocumentId, Head]:
        """Say where the logs end."""
        return await self._database.read(partial(_heads, document_ids=document_ids))

    async def history(self, document_id: DocumentId) -> Sequence[Row]:
        """Read the raw rows that have been folded and are still kept."""
        return await self._database.read(partial(folding.read_history, document_id=document_id))

    async def compact(self, document_id: DocumentId, fold: Fold) -> CompactionReport | None:
        """Fold outside of any transaction; whoever comes second with the same rows does nothing."""
        span = await self._database.read(partial(folding.read_span, document_id=document_id))
        if span is None:
            return None
        folded = await fold(span.snapshot, [row.batch for row in span.rows])
        packed = await self._database.compute(partial(folding.pack, span, folded))
        report = await self._database.write(partial(folding.write, packed=packed, history_bytes=self._history_bytes))
        if report is not None:
            await self._database.give_back()
        return report


def _append_all(connection: Connection, appends: Sequence[Append], now: int) -> list[AppendOutcome]:
    cursor = cast(Cursor, connection.connection.cursor())
    try:
        return [_append(cursor, append, now) for append in appends]
    finally:
        cursor.close()


def _append(cursor: Cursor, append: Append, now: int) -> AppendOutcome:
    size = len(append.batch)
    place = {"id": append.document_id, "of_epoch": append.epoch, "bytes": size, "now": now}
    advanced = cursor.execute(_ADVANCE, place).fetchall()
    if not advanced:
        found = cursor.execute(_EPOCH, {"id": append.document_id}).fetchone()
        return Fenced(Epoch(found[0])) if found else Gone()
    ((key, head),) = advanced
    cursor.execute(_REMEMBER, {"document_key": key, "update_id": append.update_id, "seq": head})
    if not cursor.rowcount:
        cursor.execute(_STEP_BACK, {"of_key": key, "bytes": size})
        found = cursor.execute(_FIRST_SEQ, {"document_key": key, "update_id": append.update_id}).fetchone()
        return Appended(Seq(found[0]))
    row = {"document_key": key, "seq": head, "batch": append.batch, "checksum": checksum(append.batch, head)}
    cursor.execute(_ADD_ROW, row)
    for client_id, key_hash in append.author_keys:
        cursor.execute(_BIND, {"document_key": key, "client_id": client_id, "key_hash": key_hash})
    return Appended(Seq(head))


def _load(connection: Connection, document_id: DocumentId) -> Loaded | None:
    document = folding.find_document(connection, document_id)
    if document is None:
        return None
    base = folding.read_base(connection, document)
    rows = folding.read_rows(connection, document, document.snapshot_seq)
    keys = connection.execute(
        select(author_keys.c.client_id, author_keys.c.key_hash).where(author_keys.c.document_key == document.key)
    )
    return Loaded(
        document_id,
        document.epoch,
        document.head,
        base.snapshot,
        base.seq,
        (*base.history, *rows),
        {ClientId(client_id): key_hash for client_id, key_hash in keys},
    )


def _read(connection: Connection, document_id: DocumentId, after: Seq) -> list[Row] | None:
    document = folding.find_document(connection, document_id)
    if document is None or after < document.snapshot_seq:
        return None
    return folding.read_rows(connection, document, after)


def _heads(connection: Connection, document_ids: Sequence[DocumentId]) -> dict[DocumentId, Head]:
    heads: dict[DocumentId, Head] = {}
    query = select(documents.c.document_id, documents.c.epoch, documents.c.head)
    for at in range(0, len(document_ids), _HEADS_AT_ONCE):
        wanted = documents.c.document_id.in_(document_ids[at : at + _HEADS_AT_ONCE])
        found = connection.execute(query.where(wanted))
        heads.update({DocumentId(document_id): Head(Epoch(epoch), Seq(head)) for document_id, epoch, head in found})
    return heads
