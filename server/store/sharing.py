"""Sharing in SQL: grants, visits and links.

A change begins by locking the document's row, by a lock of its own or by raising the version. So
changes of one document's access happen one after the other.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Literal

from msgspec.structs import replace
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    literal_column,
    null,
    select,
    union_all,
    update,
)
from sqlalchemy.sql import ClauseElement

from crdt.ids import DocumentId
from crdt.permissions import Role, strongest
from crdt.protocol.messages import User
from crdt.protocol.row import Contributor
from server.store.catalogue import HAS_FORCE, OWNER, OWNERS, note_owner, nothing_done, write_deed
from server.store.database import SqlPort, among, change, fetch, insert, reads, to_microseconds, upsert, writes
from server.store.deeds_base import OPERATOR, Deed, Done, Kind
from server.store.inbox import hand_over, put_entries
from server.store.inbox_base import Reason
from server.store.schema import access_requests, documents, grants, users, visits
from server.store.sharing_base import MAX_VISITS, Link, Person, Standing
from server.store.users import shown

# Locked, because another node may be deleting the document.
_WITH_LINK = (
    select(documents.c.key, documents.c.link_hash)
    .where(documents.c.document_id == bindparam("document_id"), documents.c.link_role.is_not(None))
    .with_for_update(read=True, key_share=True)
)
_OF_DOCUMENT = visits.c.document_key == bindparam("of_document")
_VISITS_OVER = (
    select(visits.c.visited_at)
    .where(_OF_DOCUMENT)
    .order_by(visits.c.visited_at.desc())
    .offset(bindparam("most", type_=BigInteger))
    .limit(literal_column("1"))
)
_FORGET_VISITS = delete(visits).where(_OF_DOCUMENT, visits.c.visited_at <= bindparam("too_old"))

_OF_ID = documents.c.document_id == bindparam("of_id")
_RAISED = update(documents).values(access_version=documents.c.access_version + 1)
_RAISE_VERSION = _RAISED.where(_OF_ID).returning(documents.c.key)
_RAISE_VERSION_OF_KEY = _RAISED.where(documents.c.key == bindparam("of_document"))
_GENERATION = select(documents.c.link_generation).where(_OF_ID).with_for_update(key_share=True)
_SET_LINK = _RAISED.where(_OF_ID).values(
    link_role=bindparam("role"), link_hash=bindparam("token_hash"), link_generation=bindparam("generation")
)
_OWNER_OF = select(grants.c.user_id).where(OWNERS)
_LOCK = select(documents.c.key).where(_OF_ID).with_for_update(key_share=True)
_GRANTED = select(grants.c.role).where(
    grants.c.document_key == bindparam("of_document"), grants.c.user_id == bindparam("whose")
)
_NAME = select(users.c.name).where(users.c.user_id == bindparam("of_user"))
_DEMOTE_OWNER = update(grants).where(OWNERS).values(role=Role.EDITOR.value)
_ANSWER = delete(access_requests).where(
    access_requests.c.document_key == bindparam("of_document"), access_requests.c.user_id == bindparam("whose")
)
_REVOKE = tuple(
    delete(table).where(table.c.document_key == bindparam("of_document"), table.c.user_id == bindparam("whose"))
    for table in (grants, visits)
)


class SqlSharing(SqlPort):
    """The sharing port over a database."""

    @reads
    def access(
        self, connection: Connection, document_ids: Collection[DocumentId], user_ids: Collection[str]
    ) -> Mapping[DocumentId, Standing]:
        one = len(document_ids) == 1
        of_users, with_owner = _access_statements(connection.dialect.name, one=one)
        ids = next(iter(document_ids)) if one else document_ids
        granted: dict[str, dict[str, Role]] = {}
        visited: dict[str, set[str]] = {}
        for document_id, user_id, role in fetch(connection, of_users, document_ids=ids, user_ids=user_ids):
            if role is None:
                visited.setdefault(document_id, set()).add(user_id)
            else:
                granted.setdefault(document_id, {})[user_id] = Role(role)
        return {
            DocumentId(document_id): Standing(
                version,
                _link(*link),
                None if user_id is None else _user(user_id, name, color),
                granted.get(document_id, {}),
                frozenset(visited.get(document_id, ())),
            )
            for document_id, version, *link, user_id, name, color in fetch(connection, with_owner, document_ids=ids)
        }

    @reads
    def people(self, connection: Connection, document_id: DocumentId) -> list[Person]:
        described = (users.c.name, users.c.color, users.c.email)
        given = (
            select(grants.c.user_id, grants.c.role, *described)
            .select_from(grants.join(documents).outerjoin(users, users.c.user_id == grants.c.user_id))
            .where(documents.c.document_id == document_id)
            .order_by(grants.c.role != Role.OWNER.value, grants.c.created_at, grants.c.user_id)
        )
        came = (
            select(visits.c.user_id, documents.c.link_role.label("role"), *described)
            .select_from(visits.join(documents).outerjoin(users, users.c.user_id == visits.c.user_id))
            .where(documents.c.document_id == document_id, HAS_FORCE)
            .order_by(visits.c.visited_at.desc(), visits.c.user_id)
        )
        people = [_person(found, "grant") for found in connection.execute(given)]
        known = {person.user.user_id for person in people}
        visitors = [found for found in connection.execute(came) if found.user_id not in known]
        return people + [_person(found, "link") for found in visitors]

    @writes
    def grant(
        self, connection: Connection, document_id: DocumentId, user_id: str, role: Role, *, by: str = OPERATOR
    ) -> Done | None:
        if role is not Role.OWNER and user_id in _owner_of(connection, document_id):
            return nothing_done(connection, document_id)
        return _grant(connection, user_id, role, Deed(Kind.GRANT, document_id, by, self.clock()))

    @writes
    def adopt(
        self, connection: Connection, document_id: DocumentId, user_id: str, *, by: str = OPERATOR
    ) -> Done | None:
        if _owner_of(connection, document_id):
            return nothing_done(connection, document_id)
        return _grant(connection, user_id, Role.OWNER, Deed(Kind.GRANT, document_id, by, self.clock()))

    @writes
    def revoke(
        self, connection: Connection, document_id: DocumentId, user_id: str, *, by: str = OPERATOR
    ) -> Done | None:
        if user_id in _owner_of(connection, document_id):
            return nothing_done(connection, document_id)
        for (key,) in fetch(connection, _RAISE_VERSION, of_id=document_id):
            for revoke in _REVOKE:
                change(connection, revoke, of_document=key, whose=user_id)
            note_owner(connection, key)
            deed = Deed(Kind.REVOKE, document_id, by, self.clock(), {"user_id": user_id})
            return replace(write_deed(connection, deed), inboxes=frozenset({user_id}))
        return None

    @writes
    def set_link(
        self, connection: Connection, document_id: DocumentId, link: Link, *, by: str = OPERATOR
    ) -> Done | None:
        for (generation,) in fetch(connection, _GENERATION, of_id=document_id):
            if generation > link.generation:
                return nothing_done(connection, document_id)
            role = None if link.role is None else link.role.value
            hashed = {"token_hash": link.token_hash, "generation": link.generation}
            change(connection, _SET_LINK, of_id=document_id, role=role, **hashed)
            details = {"role": role or "none"} | ({"renewed": "yes"} if link.generation > generation else {})
            return write_deed(connection, Deed(Kind.LINK, document_id, by, self.clock(), details))
        return None

    @writes
    def visit(self, connection: Connection, document_id: DocumentId, user_id: str) -> None:
        for key, link_hash in fetch(connection, _WITH_LINK, document_id=document_id):
            visit = {"document_key": key, "user_id": user_id, "link_hash": link_hash, "visited_at": self.now()}
            change(connection, upsert(connection.dialect.name, visits), **visit)
            for (too_old,) in fetch(connection, _VISITS_OVER, of_document=key, most=MAX_VISITS):
                change(connection, _FORGET_VISITS, of_document=key, too_old=too_old)

    @writes
    def redeem(self, connection: Connection, invited: str, user_id: str) -> list[Done]:
        query = select(documents.c.key, documents.c.document_id).join_from(grants, documents)
        changed: list[DocumentId] = []
        invitations = connection.execute(query.where(grants.c.user_id == invited).order_by(documents.c.key)).all()
        for key, document_id in invitations:
            raised = change(connection, _RAISE_VERSION_OF_KEY, of_document=key)
            role = _take_grants(connection, key, (invited, user_id))
            if raised and role is not None:
                _put_grant(connection, key, user_id, role, self.now())
                note_owner(connection, key)
                changed.append(DocumentId(document_id))
        if changed:
            hand_over(connection, invited, user_id)
        deeds = [Deed(Kind.ACCEPT_INVITATION, each, user_id, self.clock()) for each in changed]
        return [replace(write_deed(connection, deed), inboxes=frozenset({user_id})) for deed in deeds]


@cache
def _access_statements(dialect: str, *, one: bool) -> tuple[Any, Any]:
    """Make the two statements of `access`, only once, because that takes longer than running them.

    `one`: `document_ids` is a single id. Otherwise it is a collection.
    """
    of_id = documents.c.document_id
    wanted = of_id == bindparam("document_ids") if one else among(dialect, of_id, "document_ids")
    return _of_users(dialect, wanted), _with_owner().where(wanted)


def _with_owner() -> Select[Any]:
    """Select the links and owners of documents."""
    columns = documents.c
    owner = and_(grants.c.document_key == columns.key, grants.c.role == OWNER)
    query = select(columns.document_id, columns.access_version, columns.link_role, columns.link_hash)
    query = query.add_columns(columns.link_generation, grants.c.user_id, users.c.name, users.c.color)
    return query.select_from(
        documents.outerjoin(grants, owner).outerjoin(users, users.c.user_id == grants.c.user_id),
    )


def _of_users(dialect: str, wanted: ColumnElement[bool]) -> Any:
    """Select some users' grants, and their visits with force. The role of a visit is null."""
    given = select(documents.c.document_id, grants.c.user_id, grants.c.role).join_from(grants, documents)
    given = given.where(wanted, among(dialect, grants.c.user_id, "user_ids"))
    came = select(documents.c.document_id, visits.c.user_id, null().label("role")).join_from(visits, documents)
    came = came.where(wanted, among(dialect, visits.c.user_id, "user_ids"), HAS_FORCE)
    return union_all(given, came)


def _grant(connection: Connection, user_id: str, role: Role, deed: Deed) -> Done | None:
    """Give somebody a role. The deed is of another kind if the owner changes."""
    for (key,) in fetch(connection, _RAISE_VERSION, of_id=deed.document_id):
        kind, details = Kind.GRANT, {"user_id": user_id, "role": role.value}
        if role is Role.OWNER and change(connection, _DEMOTE_OWNER, of_document=key):
            kind = Kind.TRANSFER
        elif role is Role.OWNER:
            kind, details = Kind.ADOPT, {"user_id": user_id}
        at, is_new = to_microseconds(deed.at), not fetch(connection, _GRANTED, of_document=key, whose=user_id)
        _put_grant(connection, key, user_id, role, at)
        note_owner(connection, key)
        told = {user_id: Reason.SHARED} if is_new else {}
        inboxes = put_entries(connection, key, _named(connection, deed.by), at, told)
        return replace(write_deed(connection, replace(deed, kind=kind, details=details)), inboxes=inboxes)
    return None


def _named(connection: Connection, user_id: str) -> Contributor:
    """Return a person by the name that is stored, or else by their id."""
    for (name,) in fetch(connection, _NAME, of_user=user_id):
        return Contributor(user_id, name)
    return Contributor(user_id, shown(user_id).name)


def _owner_of(connection: Connection, document_id: DocumentId) -> list[str]:
    """Return a document's owner, or nobody. The owner stays owner until this transaction ends."""
    return [user_id for key in fetch(connection, _LOCK, of_id=document_id) for user_id in _owners(connection, *key)]


def _owners(connection: Connection, key: int) -> list[str]:
    return [user_id for (user_id,) in fetch(connection, _OWNER_OF, of_document=key)]


def _put_grant(connection: Connection, key: int, user_id: str, role: Role, at: int) -> None:
    giving = _giving(connection.dialect.name)
    change(connection, giving, document_key=key, user_id=user_id, role=role.value, created_at=at)
    change(connection, _ANSWER, of_document=key, whose=user_id)


@cache
def _giving(dialect: str) -> ClauseElement:
    given = insert(dialect, grants)
    keys = ["document_key", "user_id"]
    return given.on_conflict_do_update(index_elements=keys, set_={"role": given.excluded.role})


def _take_grants(connection: Connection, key: int, user_ids: Sequence[str]) -> Role | None:
    """Delete some users' grants, and return the strongest role of them."""
    these = and_(grants.c.document_key == key, grants.c.user_id.in_(user_ids))
    roles = [Role(role) for role in connection.execute(select(grants.c.role).where(these)).scalars()]
    connection.execute(delete(grants).where(these))
    return strongest(*roles)


def _link(role: str | None, link_hash: bytes | None, generation: int) -> Link:
    return Link(None if role is None else Role(role), link_hash, generation)


def _person(found: Row[*tuple[Any, ...]], via: Literal["grant", "link"]) -> Person:
    return Person(_user(found.user_id, found.name, found.color), found.email, Role(found.role), via)


def _user(user_id: str, name: str | None, color: str) -> User:
    return shown(user_id) if name is None else User(user_id, name, color)
