"""Deeds in SQL. A job that changes a document calls `write_deed` as its last statement.

The table is called `audit`, because nodes of an earlier version write into that table while a
cluster is upgraded node by node.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, delete, func, insert, literal_column, select
from sqlalchemy.sql import ClauseElement

from crdt.ids import DocumentId
from server.store.base import Entry
from server.store.database import Database
from server.store.deeds_base import DEEDS_KEPT, RENAMES_KEPT, Deed, Done, Kind
from server.store.schema import deeds, documents
from server.store.statements import change, fetch, from_microseconds, to_microseconds

ENTRY = select(
    documents.c.document_id,
    documents.c.title,
    documents.c.created_at,
    documents.c.updated_at,
    documents.c.trashed_at,
    documents.c.size,
)
"""The columns that `entry_of` takes, in this order."""

_PRESENT = ENTRY.add_columns(documents.c.access_version).where(documents.c.document_id == bindparam("of_id"))

TURN = 7305813470184731
"""Number of the lock that a transaction holds while it writes a deed to PostgreSQL. Any will do."""

# PostgreSQL gives a deed its number before the transaction commits. Under this lock a transaction
# takes a number only after the transaction before has committed, so no reader misses a number that
# comes late. A transaction that waits for this lock, or holds it, changes no document any more. So
# the holder never waits for a document that a waiting transaction has locked.
_TAKE_TURN = select(func.pg_advisory_xact_lock(literal_column(str(TURN))))
_ADD = (
    insert(deeds)
    .values({name: bindparam(name) for name in ("at", "actor_id", "action", "document_id", "details")})
    .returning(deeds.c.id)
)
_RENAMED = deeds.c.action == literal_column(f"'{Kind.RENAME}'")
_OF_DOCUMENT = deeds.c.document_id == bindparam("of_id")


def _forgetting(group: ColumnElement[bool]) -> ClauseElement:
    """Delete a document's deeds of one group, except for the newest `over` + 1."""
    newest = select(deeds.c.id).where(_OF_DOCUMENT, group).order_by(deeds.c.id.desc())
    oldest_kept = newest.offset(bindparam("over", type_=BigInteger)).limit(literal_column("1"))
    return delete(deeds).where(_OF_DOCUMENT, group, deeds.c.id < oldest_kept.scalar_subquery())


_FORGET_RENAMES, _FORGET_OTHERS = _forgetting(_RENAMED), _forgetting(~_RENAMED)
_DEED = select(deeds.c.action, deeds.c.document_id, deeds.c.actor_id, deeds.c.at, deeds.c.details, deeds.c.id)
_LIST = _DEED.where(_OF_DOCUMENT).order_by(deeds.c.id.desc()).limit(bindparam("most", type_=BigInteger))
_AFTER = _DEED.where(deeds.c.id > bindparam("seq")).order_by(deeds.c.id).limit(bindparam("most", type_=BigInteger))


class SqlDeeds:
    """The deeds port over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, document_id: DocumentId, limit: int = 200) -> Sequence[Deed]:
        return await self._database.read(partial(_read, statement=_LIST, of_id=document_id, most=limit))

    async def after(self, seq: int, limit: int = 200) -> Sequence[Deed]:
        return await self._database.read(partial(_read, statement=_AFTER, seq=seq, most=limit))


def write_deed(connection: Connection, deed: Deed) -> Done:
    """Write down what this transaction has done, and read the document's entry afterwards."""
    if connection.dialect.name == "postgresql":
        fetch(connection, _TAKE_TURN)
    values = {"actor_id": deed.by, "action": str(deed.kind), "document_id": deed.document_id}
    details, at = json.dumps(dict(deed.details)), to_microseconds(deed.at)
    ((seq,),) = fetch(connection, _ADD, **values, at=at, details=details)
    if deed.kind == Kind.RENAME:
        change(connection, _FORGET_RENAMES, of_id=deed.document_id, over=RENAMES_KEPT - 1)
    else:
        change(connection, _FORGET_OTHERS, of_id=deed.document_id, over=DEEDS_KEPT - 1)
    present = read_present(connection, deed.document_id)
    return Done(replace(deed, seq=seq), *(present or (None,)))


def nothing_done(connection: Connection, document_id: DocumentId) -> Done | None:
    """Report that a change found nothing to change. Return None if there is no such document."""
    present = read_present(connection, document_id)
    return None if present is None else Done(None, *present)


def read_present(connection: Connection, document_id: DocumentId) -> tuple[Entry, int] | None:
    """Read a document's entry, and the version of its access."""
    for *entry, version in fetch(connection, _PRESENT, of_id=document_id):
        return entry_of(*entry), version
    return None


def entry_of(
    document_id: str, title: str, created_at: int, updated_at: int, trashed_at: int | None, size: int
) -> Entry:
    """Make an entry of a row of ENTRY."""
    trashed = None if trashed_at is None else from_microseconds(trashed_at)
    created, updated = from_microseconds(created_at), from_microseconds(updated_at)
    return Entry(DocumentId(document_id), title, created, updated, trashed, size)


def _read(connection: Connection, statement: ClauseElement, **given: int | str) -> list[Deed]:
    return [
        Deed(kind, DocumentId(of), by, from_microseconds(at), json.loads(details), seq)
        for kind, of, by, at, details, seq in fetch(connection, statement, **given)
    ]
