"""Which documents there are, in SQL."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, tuple_, update

from crdt.ids import DocumentId, Epoch
from crdt.permissions import Role
from server.store.base import Entry, Page, Whose
from server.store.database import Database
from server.store.schema import documents, grants
from server.store.sharing import concerns, note_owner
from server.store.statements import insert
from server.store.titles import decode_cursor, encode_cursor, fold_title, from_microseconds, to_microseconds

_ENTRY = select(
    documents.c.document_id,
    documents.c.title,
    documents.c.created_at,
    documents.c.updated_at,
    documents.c.trashed_at,
    documents.c.size,
)


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
    # To "change" an id into itself, unlike doing nothing, locks the row: it cannot be deleted
    # before it is read.
    unless_there = insert(connection, documents).values(values)
    unless_there = unless_there.on_conflict_do_update(
        index_elements=["document_id"], set_={"document_id": values["document_id"]}
    )
    made = connection.execute(unless_there.returning(documents.c.key, documents.c.epoch)).one()
    if owner is not None and made.epoch == values["epoch"]:
        grant = {
            "document_key": made.key,
            "user_id": owner,
            "role": Role.OWNER.value,
            "created_at": values["created_at"],
        }
        connection.execute(insert(connection, grants).values(grant).on_conflict_do_nothing())
        note_owner(connection, made.key)
    return _entry(connection.execute(_ENTRY.where(documents.c.document_id == values["document_id"])).one())


def _get(connection: Connection, document_id: DocumentId) -> Entry | None:
    found = connection.execute(_ENTRY.where(documents.c.document_id == document_id)).first()
    return None if found is None else _entry(found)


def _all(connection: Connection, statement: Select[Any]) -> list[Entry]:
    return [_entry(found) for found in connection.execute(statement)]


def _change(connection: Connection, document_id: DocumentId, values: Mapping[str, Any]) -> Entry | None:
    connection.execute(update(documents).where(documents.c.document_id == document_id).values(values))
    return _get(connection, document_id)


def _delete(connection: Connection, document_id: DocumentId) -> bool:
    return connection.execute(delete(documents).where(documents.c.document_id == document_id)).rowcount > 0


def _entry(found: Row[*tuple[Any, ...]]) -> Entry:
    return Entry(
        DocumentId(found.document_id),
        found.title,
        from_microseconds(found.created_at),
        from_microseconds(found.updated_at),
        None if found.trashed_at is None else from_microseconds(found.trashed_at),
        found.size,
    )
