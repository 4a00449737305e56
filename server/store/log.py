"""Log in SQL: loading a document, reading on, and the order of a compaction's steps.

The steps themselves are in folding.py. Appending is the hot path, and each database has its own:
sqlite/append.py, postgres/append.py.
"""

import logging
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Select, select

from crdt.ids import DocumentId, Epoch, Seq
from crdt.log.stand_ins import batch_of
from crdt.protocol.row import Contributor
from server.store import folding
from server.store.authors import Bindings, read_bindings
from server.store.base import Append, AppendOutcome, CompactionReport, Fold, Head, Loaded, Past, Row
from server.store.catalogue import SHOWN_TITLE, format_of
from server.store.contributors import read_contributors
from server.store.database import Database, SqlPort, among, fetch, from_microseconds, reads, to_microseconds
from server.store.schema import documents
from server.store.segments import unpack_snapshot
from server.store.set_aside import read_marks
from server.store.set_aside_base import Marks

_log = logging.getLogger(__name__)

_SMALL = 32_768  # bytes that are unpacked in less time than another thread takes to begin


class SqlLog(SqlPort):
    """The log port over a database. SqlStore explains `history_bytes` and `history_age`."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], history_bytes: int, history_age: timedelta | None
    ) -> None:
        super().__init__(database, clock)
        self._history_bytes = history_bytes
        self._history_age = history_age

    async def append(self, appends: Sequence[Append]) -> Sequence[AppendOutcome]:
        return await self.database.append(appends, to_microseconds(self.clock()))

    async def load(self, document_id: DocumentId) -> Loaded | None:
        """Read a whole document.

        A damaged snapshot is replaced by the one before it and the history since then.
        """
        loaded = await self.database.read(partial(_load_packed, document_id=document_id))
        if loaded is None:
            return None
        memory = await self._unpacked_memory(document_id, loaded.memory)
        return replace(loaded, snapshot=await self._unpacked(loaded.snapshot), memory=memory)

    async def read(self, document_id: DocumentId, after: Seq) -> Sequence[Row] | None:
        found = await self.database.read(partial(_read_packed, document_id=document_id, after=after))
        if found is None:
            return None
        tail, bindings, marks = found
        if sum(map(len, tail.segments)) < _SMALL:
            rows = folding.unpack_tail(tail)
        else:
            rows = await self.database.compute(partial(folding.unpack_tail, tail))
        return None if rows is None else marks.of(bindings.of(rows))

    @reads
    def heads(self, connection: Connection, document_ids: Sequence[DocumentId]) -> Mapping[DocumentId, Head]:
        heads: dict[DocumentId, Head] = {}
        found = fetch(connection, _heads_among(connection.dialect.name), document_ids=document_ids)
        for document_id, epoch, head, title, trashed_at, access, aside, discussion, *formats in found:
            moment = None if trashed_at is None else from_microseconds(trashed_at)
            present = Epoch(epoch), Seq(head), title, moment, access, aside
            heads[document_id] = Head(*present, *format_of(*formats), discussion)
        return heads

    @reads
    def history(self, connection: Connection, document_id: DocumentId) -> Sequence[Row]:
        return folding.read_history(connection, document_id)

    @reads
    def contributors(self, connection: Connection, keys: Collection[bytes]) -> Mapping[bytes, Contributor]:
        return read_contributors(connection, keys)

    async def compact(self, document_id: DocumentId, fold: Fold) -> CompactionReport | None:
        """Fold outside of any transaction. A second compaction of the same rows writes nothing."""
        span = await self.database.read(partial(folding.read_span, document_id=document_id))
        if span is None:
            return None
        memory = await self._unpacked_memory(document_id, span.memory)
        past = Past(span.base_seq, memory, [row.heirs for row in span.rows])
        folded = await fold(await self._unpacked(span.packed), [batch_of(row) for row in span.rows], past)
        packed = await self.database.compute(partial(folding.pack, span, folded))
        age = self._history_age
        keep = folding.Keep(self._history_bytes, 0 if age is None else to_microseconds(self.clock() - age))
        report = await self.database.write(partial(folding.write, packed=packed, keep=keep))
        if report is not None:
            await self.database.give_back()
        return report

    async def _unpacked_memory(self, document_id: DocumentId, packed: bytes) -> bytes:
        try:
            return await self._unpacked(packed or None) or b""
        except zlib.error as error:  # the words of the document do not depend on its memory
            _log.error("What a rescue must remember of document %s is damaged: %s", document_id, error)
            return b""

    async def _unpacked(self, packed: bytes | None) -> bytes | None:
        if packed is None:
            return None
        if len(packed) < _SMALL:
            return unpack_snapshot(packed)
        return await self.database.compute(partial(unpack_snapshot, packed))


def _load_packed(connection: Connection, document_id: DocumentId) -> Loaded | None:
    document = folding.find_document(connection, document_id)
    if document is None:
        return None
    base = folding.read_base(connection, document)
    rows = folding.read_rows(connection, document, document.snapshot_seq)
    bindings = read_bindings(connection, document.key)
    marks = read_marks(connection, document.key, document.set_aside_version)
    return Loaded(
        document.epoch,
        base.packed,
        base.seq,
        tuple(marks.of(bindings.of((*base.history, *rows)))),
        bindings.by_client,
        marks.by_seq,
        marks.version,
        marks.open,
        base.memory,
        document.discussion_version,
        document_id=document_id,
        head=document.head,
    )


def _read_packed(
    connection: Connection, document_id: DocumentId, after: Seq
) -> tuple[folding.Tail, Bindings, Marks] | None:
    document = folding.find_document(connection, document_id)
    if document is None:
        return None
    tail = folding.read_tail(connection, document, after)
    if tail is None:
        return None
    marks = read_marks(connection, document.key, document.set_aside_version)
    return tail, read_bindings(connection, document.key, after), marks


@cache
def _heads_among(dialect: str) -> Select[Any]:
    of = documents.c
    query = select(
        of.document_id, of.epoch, of.head, SHOWN_TITLE, of.trashed_at, of.access_version, of.set_aside_version
    )
    query = query.add_columns(of.discussion_version, of.format_name, of.format_version, of.any_format)
    return query.where(among(dialect, of.document_id, "document_ids"))
