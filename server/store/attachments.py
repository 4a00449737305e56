"""Attachments in SQL: files beside the documents."""

import hashlib

from sqlalchemy import Connection, func, literal, select

from crdt.errors import Code, InvariantError, ProtocolError, size_in_words
from crdt.ids import DocumentId
from server.store.base import Attachment
from server.store.database import SqlPort, insert, reads, writes
from server.store.schema import attachments, documents


class SqlAttachments(SqlPort):
    """The attachments port over a database."""

    @writes
    def put(
        self, connection: Connection, document_id: DocumentId, attachment: Attachment, *, most_bytes: int | None = None
    ) -> bool:
        key = _key_of(connection, document_id)
        if key is None:
            return False
        values = {
            "document_key": key,
            "sha256": attachment.sha256,
            "media_type": attachment.media_type,
            "data": attachment.data,
        }
        done = connection.execute(insert(connection.dialect.name, attachments).values(values).on_conflict_do_nothing())
        if done.rowcount:
            _check_room(connection, key, most_bytes)
        return True

    @writes
    def copy(
        self,
        connection: Connection,
        document_id: DocumentId,
        source_id: DocumentId,
        sha256: str,
        *,
        most_bytes: int | None = None,
    ) -> bool:
        key = _key_of(connection, document_id)
        if key is None:
            return False
        columns = [attachments.c.sha256, attachments.c.media_type, attachments.c.data]
        theirs = (
            select(literal(key), *columns)
            .join(documents)
            .where(documents.c.document_id == source_id, attachments.c.sha256 == sha256)
        )
        copied = insert(connection.dialect.name, attachments).from_select(
            [attachments.c.document_key, *columns], theirs
        )
        if connection.execute(copied.on_conflict_do_nothing()).rowcount:
            _check_room(connection, key, most_bytes)
            return True
        mine = select(attachments.c.sha256).where(attachments.c.document_key == key, attachments.c.sha256 == sha256)
        return connection.execute(mine).first() is not None

    @reads
    def fetch(self, connection: Connection, document_id: DocumentId, sha256: str) -> Attachment | None:
        query = (
            select(attachments.c.media_type, attachments.c.data)
            .join(documents)
            .where(documents.c.document_id == document_id, attachments.c.sha256 == sha256)
        )
        found = connection.execute(query).first()
        if found is None:
            return None
        if hashlib.sha256(found.data).hexdigest() != sha256:
            raise InvariantError(f"Document {document_id}: attachment {sha256} is damaged in the database.")
        return Attachment(sha256, found.media_type, found.data)


def _key_of(connection: Connection, document_id: DocumentId) -> int | None:
    """Return a document's key, or None if it is absent. Another node cannot delete it any more."""
    document = select(documents.c.key).where(documents.c.document_id == document_id)
    key: int | None = connection.execute(document.with_for_update(read=True, key_share=True)).scalar()
    return key


def _check_room(connection: Connection, key: int, most_bytes: int | None) -> None:
    """Raise ProtocolError(document_full) if a document's files together are too many bytes."""
    if most_bytes is None:
        return
    # Locked only now, so appends need not wait while the bytes travel. Under the lock, the sum sees
    # all files that are committed.
    connection.execute(select(documents.c.key).where(documents.c.key == key).with_for_update(key_share=True))
    mine = attachments.c.document_key == key
    size = connection.execute(select(func.sum(func.length(attachments.c.data))).where(mine)).scalar_one()
    if size > most_bytes:
        most = size_in_words(most_bytes)
        message = f"This document's pictures may have {most} together. Make another document for more."
        raise ProtocolError(Code.DOCUMENT_FULL, message)
