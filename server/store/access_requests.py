"""Access requests in SQL."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, bindparam, delete, literal_column, select, update

from crdt.ids import DocumentId
from crdt.protocol.messages import User
from server.store.access_requests_base import MAX_REQUESTS, AccessRequest
from server.store.catalogue import nothing_done, write_deed
from server.store.database import SqlPort, change, fetch, from_microseconds, reads, unless_there, writes
from server.store.deeds_base import Deed, Done, Kind
from server.store.schema import access_requests, documents, users
from server.store.users import shown

# Locked, because another node may be deleting the document.
_LOCK = select(documents.c.key).where(documents.c.document_id == bindparam("of_id")).with_for_update(key_share=True)
_OF_DOCUMENT = access_requests.c.document_key == bindparam("of_document")
_OVER = (
    select(access_requests.c.asked_at)
    .where(_OF_DOCUMENT)
    .order_by(access_requests.c.asked_at.desc())
    .offset(bindparam("most", type_=BigInteger))
    .limit(literal_column("1"))
)
_FORGET = delete(access_requests).where(_OF_DOCUMENT, access_requests.c.asked_at <= bindparam("too_old"))
_WAITS = access_requests.c.refused == literal_column("0")
_REFUSE = (
    update(access_requests)
    .where(_OF_DOCUMENT, access_requests.c.user_id == bindparam("whose"), _WAITS)
    .values(refused=1)
)


class SqlAccessRequests(SqlPort):
    """The port of access requests over a database."""

    @writes
    def ask(self, connection: Connection, document_id: DocumentId, user_id: str) -> Done | None:
        for (key,) in fetch(connection, _LOCK, of_id=document_id):
            row = {"document_key": key, "user_id": user_id, "asked_at": self.now(), "refused": 0}
            if not change(connection, unless_there(connection.dialect.name, access_requests), **row):
                break
            for (too_old,) in fetch(connection, _OVER, of_document=key, most=MAX_REQUESTS):
                change(connection, _FORGET, of_document=key, too_old=too_old)
            return write_deed(connection, Deed(Kind.ASK, document_id, user_id, self.clock()))
        return nothing_done(connection, document_id)

    @reads
    def waiting(self, connection: Connection, document_id: DocumentId) -> Sequence[AccessRequest]:
        query = (
            select(access_requests.c.user_id, access_requests.c.asked_at, users.c.name, users.c.color, users.c.email)
            .select_from(access_requests.join(documents).outerjoin(users, users.c.user_id == access_requests.c.user_id))
            .where(documents.c.document_id == document_id, _WAITS)
            .order_by(access_requests.c.asked_at, access_requests.c.user_id)
        )
        return [
            AccessRequest(
                shown(user_id) if name is None else User(user_id, name, color), email, from_microseconds(asked_at)
            )
            for user_id, asked_at, name, color, email in connection.execute(query)
        ]

    @writes
    def refuse(self, connection: Connection, document_id: DocumentId, user_id: str, *, by: str) -> Done | None:
        for (key,) in fetch(connection, _LOCK, of_id=document_id):
            if change(connection, _REFUSE, of_document=key, whose=user_id):
                deed = Deed(Kind.REFUSE, document_id, by, self.clock(), {"user_id": user_id})
                return write_deed(connection, deed)
        return nothing_done(connection, document_id)
