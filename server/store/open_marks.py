"""Which documents a node holds open, in SQL."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import BigInteger, Connection, delete, literal, select

from crdt.ids import DocumentId
from server.store.database import Database
from server.store.schema import documents, open_marks
from server.store.statements import insert
from server.store.titles import to_microseconds


class SqlOpenMarks:
    """The marks port over a database."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def mark(self, document_id: DocumentId, node_id: str) -> None:
        """The node is about to decode this document."""
        now = to_microseconds(self._clock())
        await self._database.write(partial(_mark, document_id=document_id, node_id=node_id, now=now))

    async def unmark(self, document_id: DocumentId, node_id: str) -> None:
        """The node has closed it in good order."""
        await self._database.write(partial(_unmark, document_id=document_id, node_id=node_id))

    async def marked(self, node_id: str) -> frozenset[DocumentId]:
        """What the node had open when it died."""
        return await self._database.read(partial(_marked, node_id=node_id))

    async def forget_others(self, node_id: str, age: timedelta) -> None:
        """Delete the old marks of other nodes."""
        oldest = to_microseconds(self._clock() - age)
        await self._database.write(partial(_forget_others, node_id=node_id, oldest=oldest))


def _mark(connection: Connection, document_id: DocumentId, node_id: str, now: int) -> None:
    values = select(documents.c.key, literal(node_id), literal(now, BigInteger))
    document = values.where(documents.c.document_id == document_id)
    document = document.with_for_update(read=True, key_share=True)  # it may be being deleted
    mark = insert(connection, open_marks).from_select(["document_key", "node_id", "marked_at"], document)
    again = mark.on_conflict_do_update(index_elements=["document_key", "node_id"], set_={"marked_at": now})
    connection.execute(again)


def _unmark(connection: Connection, document_id: DocumentId, node_id: str) -> None:
    key = select(documents.c.key).where(documents.c.document_id == document_id).scalar_subquery()
    connection.execute(delete(open_marks).where(open_marks.c.document_key == key, open_marks.c.node_id == node_id))


def _marked(connection: Connection, node_id: str) -> frozenset[DocumentId]:
    query = select(documents.c.document_id).join(open_marks).where(open_marks.c.node_id == node_id)
    return frozenset(connection.execute(query).scalars())


def _forget_others(connection: Connection, node_id: str, oldest: int) -> None:
    others = delete(open_marks).where(open_marks.c.node_id != node_id, open_marks.c.marked_at < oldest)
    connection.execute(others)
