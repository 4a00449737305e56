"""Shelf in SQL: stars, openings and labels."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import BigInteger, Connection, bindparam, delete, func, literal_column, select

from crdt.ids import DocumentId
from server.store.base import Whose
from server.store.catalogue import concerns, nothing_done, write_deed
from server.store.database import SqlPort, change, fetch, from_microseconds, insert, reads, writes
from server.store.deeds_base import OPERATOR, Deed, Done, Kind
from server.store.schema import access_requests, documents, labels, shelves
from server.store.shelf_base import MAX_READERS, Placed

# Locked, because another node may be deleting the document or changing its labels.
_LOCK = select(documents.c.key).where(documents.c.document_id == bindparam("of_id")).with_for_update(key_share=True)
_OPENED = (
    select(shelves.c.opened_at)
    .join_from(documents, shelves)
    .where(documents.c.document_id == bindparam("of_id"), shelves.c.user_id == bindparam("of_user"))
    .where(shelves.c.opened_at > literal_column("0"))
)
_OF_DOCUMENT = shelves.c.document_key == bindparam("of_document")
_READERS_OVER = (
    select(shelves.c.opened_at)
    .where(_OF_DOCUMENT)
    .order_by(shelves.c.opened_at.desc())
    .offset(bindparam("most", type_=BigInteger))
    .limit(literal_column("1"))
)
_FORGET_READERS = delete(shelves).where(_OF_DOCUMENT, shelves.c.opened_at <= bindparam("too_old"))
_LABELS = select(labels.c.label).where(labels.c.document_key == bindparam("of_document"))
_DROP_LABELS = delete(labels).where(labels.c.document_key == bindparam("of_document"))

MOST_LABELS = 1000
"""Different labels that one person is shown."""


class SqlShelf(SqlPort):
    """The shelf port over a database."""

    @writes
    def star(self, connection: Connection, document_id: DocumentId, user_id: str, *, starred: bool) -> None:
        self._place(connection, document_id, user_id, starred=int(starred))

    @writes
    def note_opened(self, connection: Connection, document_id: DocumentId, user_id: str) -> None:
        self._place(connection, document_id, user_id, opened_at=self.now())

    @reads
    def has_opened(self, connection: Connection, document_id: DocumentId, user_id: str) -> bool:
        return bool(fetch(connection, _OPENED, of_id=document_id, of_user=user_id))

    def _place(self, connection: Connection, document_id: DocumentId, user_id: str, **column: int) -> None:
        for (key,) in fetch(connection, _LOCK, of_id=document_id):
            row = insert(connection.dialect.name, shelves).values(document_key=key, user_id=user_id, **column)
            connection.execute(row.on_conflict_do_update(index_elements=["document_key", "user_id"], set_=column))
            for (too_old,) in fetch(connection, _READERS_OVER, of_document=key, most=MAX_READERS):
                change(connection, _FORGET_READERS, of_document=key, too_old=too_old)

    @reads
    def placed(
        self,
        connection: Connection,
        document_ids: Collection[DocumentId],
        user_id: str,
        shared: Collection[DocumentId] = (),
    ) -> Mapping[DocumentId, Placed]:
        found = {document_id: Placed() for document_id in document_ids}
        these, of_id = documents.c.document_id.in_(document_ids), documents.c.document_id
        columns = of_id, shelves.c.starred, shelves.c.opened_at
        own = select(*columns).join_from(documents, shelves).where(these, shelves.c.user_id == user_id)
        for document_id, starred, opened_at in connection.execute(own):
            opened = from_microseconds(opened_at) if opened_at else None
            found[document_id] = Placed(bool(starred), opened)
        given = select(of_id, labels.c.label).join_from(documents, labels).where(these).order_by(labels.c.label)
        for document_id, label in connection.execute(given):
            found[document_id] = replace(found[document_id], labels=(*found[document_id].labels, label))
        waiting = select(of_id, func.count()).join_from(documents, access_requests).group_by(of_id)
        waiting = waiting.where(of_id.in_(shared), access_requests.c.refused == literal_column("0"))
        for document_id, count in connection.execute(waiting) if shared else ():
            found[document_id] = replace(found[document_id], requests=count)
        return found

    @writes
    def set_labels(
        self, connection: Connection, document_id: DocumentId, wanted: Collection[str], *, by: str = OPERATOR
    ) -> Done | None:
        for (key,) in fetch(connection, _LOCK, of_id=document_id):
            if {label for (label,) in fetch(connection, _LABELS, of_document=key)} == set(wanted):
                return nothing_done(connection, document_id)
            change(connection, _DROP_LABELS, of_document=key)
            rows: list[dict[str, Any]] = [{"document_key": key, "label": label} for label in sorted(set(wanted))]
            if rows:
                connection.execute(labels.insert(), rows)
            return write_deed(connection, Deed(Kind.LABELS, document_id, by, self.clock()))
        return None

    @reads
    def labels(self, connection: Connection, whose: Whose | None) -> Sequence[str]:
        query = select(labels.c.label).distinct().join_from(labels, documents)
        query = query.where(documents.c.trashed_at.is_(None)).order_by(labels.c.label).limit(MOST_LABELS)
        return list(connection.execute(query if whose is None else query.where(concerns(whose))).scalars())
