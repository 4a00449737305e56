"""Threads in SQL: one job reads a discussion, and one job carries an act out.

An act locks the document's row first. So acts in one discussion happen one after the other, and the
version that an act gives to its thread is the one after the last.
"""

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, select

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId
from server.store.database import (
    SqlPort,
    fetch,
    reads,
    writes,
)
from server.store.schema import comments, documents
from server.store.threads_acting import Turn
from server.store.threads_base import (
    PAGE,
    Act,
    Acted,
    Actor,
    Discussion,
    Overtaken,
)
from server.store.threads_reading import CHANGED, GONE, Row, fitting, living

_PRESENT = select(
    documents.c.key, documents.c.discussion_version, documents.c.discussion_floor, documents.c.discussion_open
).where(documents.c.document_id == bindparam("of_id"))
_LOCK = (
    select(
        documents.c.key,
        documents.c.access_version,
        documents.c.trashed_at,
        documents.c.discussion_version,
        documents.c.discussion_open,
    )
    .where(documents.c.document_id == bindparam("of_id"))
    .with_for_update(key_share=True)
)
_PARTICIPANTS = (
    select(comments.c.author_id)
    .distinct()
    .select_from(comments.join(documents))
    .where(documents.c.document_id == bindparam("of_id"))
)


class SqlThreads(SqlPort):
    """The threads port over a database."""

    @reads
    def read(
        self,
        connection: Connection,
        document_id: DocumentId,
        since: int,
        most: int = PAGE,
        most_bytes: int = 2 * 2**20,
    ) -> Discussion | None:
        for key, version, floor, viewers in fetch(connection, _PRESENT, of_id=document_id):
            # A negative version stands for the rest of an answer that began anew.
            is_rest, whole = since < 0, since == 0 or 0 < since < floor or since > version
            after = 0 if whole else abs(since)
            found = fetch(connection, CHANGED, of_document=key, since=after, most=most + 1)
            rows = fitting([Row(*each) for each in found[:most]], most_bytes)
            more = len(found) > len(rows)
            until = rows[-1].version if more else version
            alive = living(connection, key, [row for row in rows if row.state != GONE], (after, until))
            gone = [] if whole else [row.thread_id for row in rows if row.state == GONE]
            following = -until if more and (whole or is_rest) else until
            return Discussion(following, alive, gone, whole, more, bool(viewers))
        return None

    @writes
    def act(self, connection: Connection, document_id: DocumentId, actor: Actor, act: Act) -> Acted | Overtaken | None:
        for key, access_version, trashed_at, version, is_open in fetch(connection, _LOCK, of_id=document_id):
            if access_version > actor.access_version:
                return Overtaken()
            if trashed_at is not None:
                raise ProtocolError(Code.FORBIDDEN, "The document is in the trash. Restore it to discuss it.")
            turn = Turn(connection, document_id, key, version, actor, self.now(), bool(is_open))
            thread_id = turn.carry_out(act)
            return Acted(turn.finish(), turn.thread(thread_id))
        return None

    @reads
    def open_to_viewers(self, connection: Connection, document_id: DocumentId) -> bool:
        return any(is_open for *_, is_open in fetch(connection, _PRESENT, of_id=document_id))

    @reads
    def authors(self, connection: Connection, document_id: DocumentId) -> Collection[str]:
        return [user_id for (user_id,) in fetch(connection, _PARTICIPANTS, of_id=document_id)]
