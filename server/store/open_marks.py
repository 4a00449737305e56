"""Open marks in SQL: the documents that each node holds open."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache, partial

from sqlalchemy import BigInteger, Connection, Text, bindparam, delete, select
from sqlalchemy.sql import ClauseElement

from crdt.ids import DocumentId
from server.store.database import Database
from server.store.schema import documents, open_marks
from server.store.statements import change, fetch, insert, to_microseconds


class SqlOpenMarks:
    """The marks port over a database."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def mark(self, document_id: DocumentId, node_id: str) -> None:
        now = to_microseconds(self._clock())
        await self._database.write(partial(_mark, document_id=document_id, node_id=node_id, now=now))

    async def unmark(self, document_id: DocumentId, node_id: str) -> None:
        await self._database.write(partial(_unmark, document_id=document_id, node_id=node_id))

    async def marked(self, node_id: str) -> frozenset[DocumentId]:
        return await self._database.read(partial(_marked, node_id=node_id))

    async def forget_others(self, node_id: str, age: timedelta) -> None:
        oldest = to_microseconds(self._clock() - age)
        await self._database.write(partial(_forget_others, node_id=node_id, oldest=oldest))


def _mark(connection: Connection, document_id: DocumentId, node_id: str, now: int) -> None:
    change(connection, _marking(connection.dialect.name), of_document=document_id, node=node_id, now=now)


@cache
def _marking(dialect: str) -> ClauseElement:
    values = select(documents.c.key, bindparam("node", type_=Text), bindparam("now", type_=BigInteger))
    document = values.where(documents.c.document_id == bindparam("of_document"))
    document = document.with_for_update(read=True, key_share=True)  # another node may be deleting it
    mark = insert(dialect, open_marks).from_select(["document_key", "node_id", "marked_at"], document)
    marked_at = {"marked_at": bindparam("now", type_=BigInteger)}
    return mark.on_conflict_do_update(index_elements=["document_key", "node_id"], set_=marked_at)


_KEY = select(documents.c.key).where(documents.c.document_id == bindparam("of_document")).scalar_subquery()
_UNMARK = delete(open_marks).where(open_marks.c.document_key == _KEY, open_marks.c.node_id == bindparam("node"))
_MARKED = select(documents.c.document_id).join(open_marks).where(open_marks.c.node_id == bindparam("node"))
_FORGET_OTHERS = delete(open_marks).where(
    open_marks.c.node_id != bindparam("node"), open_marks.c.marked_at < bindparam("oldest")
)


def _unmark(connection: Connection, document_id: DocumentId, node_id: str) -> None:
    change(connection, _UNMARK, of_document=document_id, node=node_id)


def _marked(connection: Connection, node_id: str) -> frozenset[DocumentId]:
    return frozenset(DocumentId(document_id) for (document_id,) in fetch(connection, _MARKED, node=node_id))


def _forget_others(connection: Connection, node_id: str, oldest: int) -> None:
    change(connection, _FORGET_OTHERS, node=node_id, oldest=oldest)
