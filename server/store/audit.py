"""The record of changes of access, in SQL."""

import json
from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection, delete, select

from crdt.ids import DocumentId
from server.store.database import Database
from server.store.schema import audit
from server.store.sharing_base import DEEDS_KEPT, Deed
from server.store.statements import insert
from server.store.titles import from_microseconds, to_microseconds


class SqlAudit:
    """The audit port over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, deed: Deed) -> None:
        """Write something down."""
        await self._database.write(partial(_record, deed=deed))

    async def list(self, document_id: DocumentId, limit: int = 200) -> Sequence[Deed]:
        """What was done to a document, the last first."""
        return await self._database.read(partial(_list, document_id=document_id, limit=limit))


def _record(connection: Connection, deed: Deed) -> None:
    values = {
        "at": to_microseconds(deed.at),
        "actor_id": deed.actor_id,
        "action": deed.action,
        "document_id": deed.document_id,
        "details": json.dumps(dict(deed.details)),
    }
    connection.execute(insert(connection.dialect.name, audit).values(values))
    mine = audit.c.document_id == deed.document_id
    oldest_kept = select(audit.c.id).where(mine).order_by(audit.c.id.desc()).limit(1).offset(DEEDS_KEPT - 1)
    connection.execute(delete(audit).where(mine, audit.c.id < oldest_kept.scalar_subquery()))


def _list(connection: Connection, document_id: DocumentId, limit: int) -> list[Deed]:
    query = select(audit.c.at, audit.c.actor_id, audit.c.action, audit.c.document_id, audit.c.details)
    query = query.where(audit.c.document_id == document_id).order_by(audit.c.id.desc()).limit(limit)
    return [
        Deed(from_microseconds(at), actor_id, action, DocumentId(of), json.loads(details))
        for at, actor_id, action, of, details in connection.execute(query)
    ]
