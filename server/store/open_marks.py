"""Open marks in SQL: the documents that each node holds open."""

from datetime import timedelta
from functools import cache

from sqlalchemy import BigInteger, Connection, Text, bindparam, delete, select
from sqlalchemy.sql import ClauseElement

from crdt.ids import DocumentId
from server.store.database import SqlPort, change, fetch, insert, reads, to_microseconds, writes
from server.store.schema import documents, open_marks

_KEY = select(documents.c.key).where(documents.c.document_id == bindparam("of_document")).scalar_subquery()
_UNMARK = delete(open_marks).where(open_marks.c.document_key == _KEY, open_marks.c.node_id == bindparam("node"))
_MARKED = select(documents.c.document_id).join(open_marks).where(open_marks.c.node_id == bindparam("node"))
_FORGET_OTHERS = delete(open_marks).where(
    open_marks.c.node_id != bindparam("node"), open_marks.c.marked_at < bindparam("oldest")
)


class SqlOpenMarks(SqlPort):
    """The marks port over a database."""

    @writes
    def mark(self, connection: Connection, document_id: DocumentId, node_id: str) -> None:
        change(connection, _marking(connection.dialect.name), of_document=document_id, node=node_id, now=self.now())

    @writes
    def unmark(self, connection: Connection, document_id: DocumentId, node_id: str) -> None:
        change(connection, _UNMARK, of_document=document_id, node=node_id)

    @reads
    def marked(self, connection: Connection, node_id: str) -> frozenset[DocumentId]:
        return frozenset(DocumentId(document_id) for (document_id,) in fetch(connection, _MARKED, node=node_id))

    @writes
    def forget_others(self, connection: Connection, node_id: str, age: timedelta) -> None:
        change(connection, _FORGET_OTHERS, node=node_id, oldest=to_microseconds(self.clock() - age))


@cache
def _marking(dialect: str) -> ClauseElement:
    values = select(documents.c.key, bindparam("node", type_=Text), bindparam("now", type_=BigInteger))
    document = values.where(documents.c.document_id == bindparam("of_document"))
    document = document.with_for_update(read=True, key_share=True)  # another node may be deleting it
    mark = insert(dialect, open_marks).from_select(["document_key", "node_id", "marked_at"], document)
    marked_at = {"marked_at": bindparam("now", type_=BigInteger)}
    return mark.on_conflict_do_update(index_elements=["document_key", "node_id"], set_=marked_at)
