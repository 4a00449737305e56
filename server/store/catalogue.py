"""Catalogue of the documents in SQL."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, tuple_, update
from sqlalchemy.sql import ClauseElement

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId, Epoch
from crdt.permissions import Role
from server.store.base import Entry, Page, Whose
from server.store.database import Database
from server.store.deeds import ENTRY, entry_of, nothing_done, write_deed
from server.store.deeds_base import OPERATOR, Deed, Done, Kind
from server.store.schema import documents, grants
from server.store.sharing import concerns, note_owner
from server.store.statements import change, fetch, from_microseconds, insert, to_microseconds, unless_there

_CURSOR = re.compile(r"([0-9]{1,17})\.([A-Za-z0-9_-]{8,64})\Z")
_OF_ID = ENTRY.where(documents.c.document_id == bindparam("document_id"))
_THIS = documents.c.document_id == bindparam("of_id")
_RENAME = (
    update(documents)
    .where(_THIS)
    .values(title=bindparam("new"), title_folded=bindparam("folded"), updated_at=bindparam("now"))
)
_IN_TRASH = documents.c.trashed_at.is_not(None)
_TRASH = update(documents).where(_THIS, ~_IN_TRASH).values(trashed_at=bindparam("trashed"))
_RESTORE = update(documents).where(_THIS, _IN_TRASH).values(trashed_at=None)
_DELETE = delete(documents).where(_THIS)
_DELETE_TRASHED = _DELETE.where(_IN_TRASH)


class SqlCatalogue:
    """The catalogue port over a database."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def create(  # noqa: PLR0913 - all that a document begins with
        self,
        document_id: DocumentId,
        title: str,
        epoch: Epoch,
        now: datetime,
        *,
        by: str = OPERATOR,
        owner: str | None = None,
        link_role: Role | None = Role.EDITOR,
    ) -> Entry:
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
        return await self._database.write(
            partial(_create, values=values, owner=owner, deed=self._deed(Kind.CREATE, document_id, by))
        )

    async def get(self, document_id: DocumentId) -> Entry | None:
        return await self._database.read(partial(_get, document_id=document_id))

    async def find(
        self, query: str, *, trashed: bool, limit: int, cursor: str | None, whose: Whose | None = None
    ) -> Page:
        # One entry more than the page holds is asked for. It tells whether there is another page.
        statement = (
            ENTRY.where(documents.c.trashed_at.is_not(None) if trashed else documents.c.trashed_at.is_(None))
            .order_by(documents.c.updated_at.desc(), documents.c.document_id.desc())
            .limit(limit + 1)
        )
        if whose is not None:
            statement = statement.where(concerns(whose))
        if wanted := fold_title(query):
            # LIKE has wildcards, and bounds its pattern's length. Every database has `replace`.
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

    async def rename(self, document_id: DocumentId, title: str, now: datetime, *, by: str = OPERATOR) -> Done | None:
        values = {"new": title, "folded": fold_title(title), "now": to_microseconds(now)}
        return await self._change(_RENAME, self._deed(Kind.RENAME, document_id, by), values)

    async def set_trashed(
        self, document_id: DocumentId, trashed_at: datetime | None, *, by: str = OPERATOR
    ) -> Done | None:
        if trashed_at is None:
            return await self._change(_RESTORE, self._deed(Kind.RESTORE, document_id, by), {})
        deed = self._deed(Kind.TRASH, document_id, by)
        return await self._change(_TRASH, deed, {"trashed": to_microseconds(trashed_at)})

    async def delete(self, document_id: DocumentId, *, by: str = OPERATOR, only_trashed: bool = False) -> Done | None:
        # The document's row takes everything with it that refers to its key (schema.py).
        deed = self._deed(Kind.DELETE, document_id, by)
        done = await self._change(_DELETE_TRASHED if only_trashed else _DELETE, deed, {})
        if done is not None and done.deed is not None:
            await self._database.give_back()
        return done

    async def _change(self, statement: ClauseElement, deed: Deed, values: Mapping[str, Any]) -> Done | None:
        return await self._database.write(partial(_change, statement=statement, deed=deed, values=values))

    def _deed(self, kind: Kind, document_id: DocumentId, by: str) -> Deed:
        return Deed(kind, document_id, by, self._clock())


def _create(connection: Connection, values: Mapping[str, Any], owner: str | None, deed: Deed) -> Entry:
    document_id = values["document_id"]
    new = not fetch(connection, _OF_ID, document_id=document_id)
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
    if new and epoch == values["epoch"]:
        write_deed(connection, deed)
    (entry,) = fetch(connection, _OF_ID, document_id=document_id)
    return entry_of(*entry)


@cache
def _creation(dialect: str) -> ClauseElement:
    names = "document_id title title_folded created_at updated_at epoch head snapshot_seq size link_role"
    made = insert(dialect, documents).values({name: bindparam(name) for name in names.split()})
    # Setting the id to itself locks the row, which doing nothing would not. So the row cannot be
    # deleted before it is read.
    same = {"document_id": made.excluded.document_id}
    made = made.on_conflict_do_update(index_elements=["document_id"], set_=same)
    return made.returning(documents.c.key, documents.c.epoch)


def _get(connection: Connection, document_id: DocumentId) -> Entry | None:
    found = fetch(connection, _OF_ID, document_id=document_id)
    return entry_of(*found[0]) if found else None


def _all(connection: Connection, statement: Select[Any]) -> list[Entry]:
    return [entry_of(*found) for found in connection.execute(statement)]


def _change(connection: Connection, statement: ClauseElement, deed: Deed, values: Mapping[str, Any]) -> Done | None:
    if change(connection, statement, of_id=deed.document_id, **values):
        return write_deed(connection, deed)
    return nothing_done(connection, deed.document_id)


def fold_title(title: str) -> str:
    """Bring a title or a query into the form in which the two are compared.

    The form has no case, and is NFKC. Raises ProtocolError(malformed) for a text that some database
    cannot hold, because it has a NUL or half of a surrogate pair.
    """
    try:
        if b"\0" in title.encode():
            raise ValueError
    except ValueError:
        raise ProtocolError(Code.MALFORMED, "A title must be valid Unicode text.") from None
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", title).casefold())


def encode_cursor(updated_at: datetime, document_id: DocumentId) -> str:
    """Name the position after an entry, in the order (updated_at, document_id), both descending."""
    return f"{to_microseconds(updated_at)}.{document_id}"


def decode_cursor(cursor: str) -> tuple[datetime, DocumentId]:
    """Undo `encode_cursor`. Raises ProtocolError(malformed) for anything else."""
    match = _CURSOR.match(cursor)
    if match is None:
        raise ProtocolError(Code.MALFORMED, "The cursor is not one that an earlier page gave.")
    return from_microseconds(int(match[1])), DocumentId(match[2])
