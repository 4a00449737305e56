"""Which documents there are, in SQL."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, select, tuple_, update
from sqlalchemy.sql import ClauseElement

from crdt.ids import DocumentId, Epoch
from crdt.permissions import Role
from server.store.base import Entry, Page, Whose
from server.store.database import Database
from server.store.schema import documents, grants
from server.store.sharing import concerns, note_owner
from server.store.statements import change, fetch, insert, unless_there
from server.store.titles import decode_cursor, encode_cursor, fold_title, from_microseconds, to_microseconds

_ENTRY = select(
    documents.c.document_id,
    documents.c.title,
    documents.c.created_at,
    documents.c.updated_at,
    documents.c.trashed_at,
    documents.c.size,
)
_OF_ID = _ENTRY.where(documents.c.document_id == bindparam("document_id"))


class SqlCatalogue:
    """The catalogue port over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        at = to_microseconds(now)
        values = {
            "document_id": document_id,
            "title": title,
            "title_folded": fold_title(title),
            "created_at": at,
            "updated_at": at,
            "epoch": epoch,
            "head": 0,
            "snapshot_seq": 0,
            "size": 0,
            "link_role": None if link_role is None else link_role.value,
        }
        return await self._database.write(partial(_create, values=values, owner=owner))

    async def get(self, document_id: DocumentId) -> Entry | None:
        """One entry."""
        return await self._database.read(partial(_get, document_id=document_id))

    async def find(
        self, query: str, *, trashed: bool, limit: int, cursor: str | None, whose: Whose | None = None
    ) -> Page:
        """Let the database scan and sort, and ask it for one entry more than the page holds."""
        statement = (
            _ENTRY.where(documents.c.trashed_at.is_not(None) if trashed else documents.c.trashed_at.is_(None))
            .order_by(documents.c.updated_at.desc(), documents.c.document_id.desc())
            .limit(limit + 1)
        )
        if whose is not None:
            statement = statement.where(concerns(whose))
        if wanted := fold_title(query):
            # LIKE has wildcards, and limits its pattern's length; every database can replace.
            folded = documents.c.title_folded
            statement = statement.where(func.replace(folded, wanted, "") != folded)
        if cursor is not None:
            updated_at, document_id = decode_cursor(cursor)
            behind = tuple_(documents.c.updated_at, documents.c.document_id)
            statement = statement.where(behind < tuple_(to_microseconds(updated_at), document_id))
        entries = await self._database.read(partial(_all, statement=statement))
        page = tuple(entries[:limit])
        more = len(entries) > len(page)
        return Page(page, encode_cursor(page[-1].updated_at, page[-1].document_id) if page and more else None)

    async def rename(self, document_id: DocumentId, title: str, now: datetime) -> Entry | None:
        """Give a document another title."""
        values = {"title": title, "title_folded": fold_title(title), "updated_at": to_microseconds(now)}
        return await self._database.write(partial(_change, document_id=document_id, values=values))

    async def set_trashed(self, document_id: DocumentId, trashed_at: datetime | None) -> Entry | None:
        """Put a document into the trash or take it out."""
        values = {"trashed_at": None if trashed_at is None else to_microseconds(trashed_at)}
        return await self._database.write(partial(_change, document_id=document_id, values=values))

    async def delete(self, document_id: DocumentId) -> bool:
        """Delete a document's row, with which everything goes that hangs on it."""
        existed = await self._database.write(partial(_delete, document_id=document_id))
        if existed:
            await self._database.give_back()
        return existed


def _create(connection: Connection, values: Mapping[str, Any], owner: str | None) -> Entry:
    (made,) = fetch(connection, _creation(connection.dialect.name), **values)
    key, epoch = made
    if owner is not None and epoch == values["epoch"]:
        grant = {
            "document_key": key,
            "user_id": owner,
            "role": Role.OWNER.value,
            "created_at": values["created_at"],
        }
        change(connection, unless_there(connection.dialect.name, grants), **grant)
        note_owner(connection, key)
    (entry,) = fetch(connection, _OF_ID, document_id=values["document_id"])
    return _entry(*entry)


@cache
def _creation(dialect: str) -> ClauseElement:
    names = "document_id title title_folded created_at updated_at epoch head snapshot_seq size link_role"
    made = insert(dialect, documents).values({name: bindparam(name) for name in names.split()})
    # To "change" an id into itself, unlike doing nothing, locks the row: it cannot be deleted
    # before it is read.
    same = {"document_id": made.excluded.document_id}
    made = made.on_conflict_do_update(index_elements=["document_id"], set_=same)
    return made.returning(documents.c.key, documents.c.epoch)


def _get(connection: Connection, document_id: DocumentId) -> Entry | None:
    found = fetch(connection, _OF_ID, document_id=document_id)
    return _entry(*found[0]) if found else None


def _all(connection: Connection, statement: Select[Any]) -> list[Entry]:
    return [_entry(*found) for found in connection.execute(statement)]


def _change(connection: Connection, document_id: DocumentId, values: Mapping[str, Any]) -> Entry | None:
    connection.execute(update(documents).where(documents.c.document_id == document_id).values(values))
    return _get(connection, document_id)


def _delete(connection: Connection, document_id: DocumentId) -> bool:
    return connection.execute(delete(documents).where(documents.c.document_id == document_id)).rowcount > 0


def _entry(document_id: str, title: str, created_at: int, updated_at: int, trashed_at: int | None, size: int) -> Entry:
    trashed = None if trashed_at is None else from_microseconds(trashed_at)
    created, updated = from_microseconds(created_at), from_microseconds(updated_at)
    return Entry(DocumentId(document_id), title, created, updated, trashed, size)
