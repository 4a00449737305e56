"""Catalogue of the documents in SQL: their entries, people's lists, and the record of deeds.

A job that changes a document calls `write_deed` as its last statement. The table of deeds is called
`audit`, because nodes of an earlier version write into that table while a cluster is upgraded node
by node.
"""

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from msgspec.structs import replace
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    union,
    update,
)
from sqlalchemy.sql import ClauseElement

from crdt.content.excerpt import Excerpt
from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId, Epoch, Seq
from crdt.permissions import Role
from crdt.protocol.messages import Format
from server.store.base import ANY_ACCESS, LISTED_OWNERLESS, UNTITLED, Choice, Editor, Entry, Order, Page, Whose
from server.store.database import (
    SqlPort,
    change,
    fetch,
    from_microseconds,
    insert,
    reads,
    to_microseconds,
    unless_there,
    writes,
)
from server.store.deeds_base import (
    ABOUT_DISCUSSION,
    ASKS_KEPT,
    DEEDS_KEPT,
    DISCUSSION_KEPT,
    NEWEST,
    OPERATOR,
    RENAMES_KEPT,
    Deed,
    Done,
    Kind,
)
from server.store.schema import contributors, deeds, document_names, documents, grants, inbox, labels, shelves, visits

_FIRST = documents.c.first_line
_SHOWN = case((and_(documents.c.title == UNTITLED, _FIRST != ""), _FIRST), else_=documents.c.title)
SHOWN_TITLE = _SHOWN.label("title")
# The lines begin with the first one, which is the shown title.
_SHOWN_FOLDED = case(
    (and_(documents.c.title == UNTITLED, _FIRST != ""), documents.c.lines_folded), else_=documents.c.title_folded
)
_PREVIEW = case((_SHOWN == _FIRST, documents.c.second_line), else_=_FIRST).label("preview")

ENTRY = select(
    documents.c.document_id,
    SHOWN_TITLE,
    documents.c.created_at,
    documents.c.updated_at,
    documents.c.trashed_at,
    documents.c.size,
    documents.c.format_name,
    documents.c.format_version,
    documents.c.any_format,
    _PREVIEW,
    documents.c.excerpt_seq,
    contributors.c.user_id.label("editor_id"),
    contributors.c.name.label("editor_name"),
).select_from(documents.outerjoin(contributors, contributors.c.key == documents.c.edited_by))
"""The columns that `entry_of` takes, in this order."""

_PRESENT = ENTRY.add_columns(documents.c.access_version, documents.c.discussion_version).where(
    documents.c.document_id == bindparam("of_id")
)

TURN = 7305813470184731
"""Number of the lock that a transaction holds while it writes a deed to PostgreSQL. Any will do."""

# PostgreSQL gives a deed its number before the transaction commits. Under this lock a transaction
# takes a number only after the transaction before has committed, so no reader misses a number that
# comes late. A transaction that waits for this lock, or holds it, changes no document any more. So
# the holder never waits for a document that a waiting transaction has locked.
_TAKE_TURN = select(func.pg_advisory_xact_lock(literal_column(str(TURN))))
_ADD = (
    deeds.insert()
    .values({name: bindparam(name) for name in ("at", "actor_id", "action", "document_id", "details")})
    .returning(deeds.c.id)
)
_WRITERS_KINDS = (Kind.RENAME, Kind.LABELS, Kind.FORMAT)
"""Deeds of everybody who may write."""

_WRITERS = deeds.c.action.in_([literal_column(f"'{kind}'") for kind in _WRITERS_KINDS])
_ASKS = deeds.c.action == literal_column(f"'{Kind.ASK}'")
_TALK = deeds.c.action.in_([literal_column(f"'{kind}'") for kind in sorted(ABOUT_DISCUSSION)])
_OF_DOCUMENT = deeds.c.document_id == bindparam("of_id")


def _forgetting(group: ColumnElement[bool]) -> ClauseElement:
    """Delete a document's deeds of one group, except for the newest `over` + 1."""
    newest = select(deeds.c.id).where(_OF_DOCUMENT, group).order_by(deeds.c.id.desc())
    oldest_kept = newest.offset(bindparam("over", type_=BigInteger)).limit(literal_column("1"))
    return delete(deeds).where(_OF_DOCUMENT, group, deeds.c.id < oldest_kept.scalar_subquery())


_FORGET_WRITERS, _FORGET_ASKS, _FORGET_TALK, _FORGET_OTHERS = map(
    _forgetting, (_WRITERS, _ASKS, _TALK, ~_WRITERS & ~_ASKS & ~_TALK)
)
_DEED = select(deeds.c.action, deeds.c.document_id, deeds.c.actor_id, deeds.c.at, deeds.c.details, deeds.c.id)
_LIST = (
    _DEED.where(_OF_DOCUMENT, deeds.c.id < bindparam("seq", type_=BigInteger))
    .order_by(deeds.c.id.desc())
    .limit(bindparam("most", type_=BigInteger))
)
_AFTER = _DEED.where(deeds.c.id > bindparam("seq")).order_by(deeds.c.id).limit(bindparam("most", type_=BigInteger))

# A literal, because SQLite prepares a statement anew if a parameter may decide whether the index of
# owners can be used.
OWNER: ColumnElement[str] = literal_column(f"'{Role.OWNER.value}'")
OWNERS = and_(grants.c.document_key == bindparam("of_document"), grants.c.role == OWNER)
HAS_FORCE = and_(documents.c.link_role.is_not(None), visits.c.link_hash.is_not_distinct_from(documents.c.link_hash))
_NOTE_OWNER = (
    update(documents)
    .where(documents.c.key == bindparam("of_document"))
    .values(ownerless=case((select(literal(1)).where(OWNERS).exists(), 0), else_=1))
)

_CURSOR = re.compile(r"([a-z])([A-Za-z0-9_-]{1,800})\.([A-Za-z0-9_-]{8,64})\Z")
_TITLE_COMPARED = 100
"""Characters of a title that decide its place in a list. Cursors hold them."""

_DIGITS = 17
"""Digits of a time in microseconds."""

_OF_ID = ENTRY.where(documents.c.document_id == bindparam("document_id"))
_OF_NAME = select(document_names.c.document_id).where(document_names.c.name == bindparam("of_name"))
_THIS = documents.c.document_id == bindparam("of_id")
_RENAME = (
    update(documents)
    .where(_THIS)
    .values(title=bindparam("new"), title_folded=bindparam("folded"), updated_at=bindparam("now"), edited_by=None)
)
_IN_TRASH = documents.c.trashed_at.is_not(None)
_TRASH = update(documents).where(_THIS, ~_IN_TRASH).values(trashed_at=bindparam("trashed"))
_RESTORE = update(documents).where(_THIS, _IN_TRASH).values(trashed_at=None)
_OLDER_FORMAT = or_(
    documents.c.format_name.is_(None),
    and_(
        documents.c.format_name == bindparam("name"),
        documents.c.format_version < bindparam("version", type_=BigInteger),
    ),
)
_JUDGED = documents.c.access_version <= bindparam("judged_by", type_=BigInteger)
_DECLARE = (
    update(documents)
    .where(_THIS, ~_IN_TRASH, _JUDGED, _OLDER_FORMAT)
    .values(
        format_name=bindparam("name"),
        format_version=bindparam("version", type_=BigInteger),
        access_version=documents.c.access_version + 1,
    )
)
_ALLOW = (
    update(documents)
    .where(_THIS, documents.c.any_format != bindparam("allowed", type_=BigInteger))
    .values(any_format=bindparam("allowed", type_=BigInteger), access_version=documents.c.access_version + 1)
)
_NOTE_EXCERPT = (
    update(documents)
    .where(
        _THIS,
        documents.c.epoch == bindparam("of_epoch", type_=BigInteger),
        documents.c.excerpt_seq < bindparam("at_seq", type_=BigInteger),
    )
    .values(
        first_line=bindparam("first"),
        second_line=bindparam("second"),
        lines_folded=bindparam("folded"),
        excerpt_seq=bindparam("at_seq", type_=BigInteger),
    )
)
_DELETE = delete(documents).where(_THIS)
_WITH_ENTRIES = select(inbox.c.user_id).distinct().select_from(inbox.join(documents)).where(_THIS)
_DELETE_TRASHED = _DELETE.where(_IN_TRASH)


class SqlCatalogue(SqlPort):
    """The catalogue port over a database."""

    @reads
    def named(self, connection: Connection, name: str) -> DocumentId | None:
        return next((DocumentId(document_id) for (document_id,) in fetch(connection, _OF_NAME, of_name=name)), None)

    @writes
    def create_named(
        self, connection: Connection, name: str, document_id: DocumentId, *given: Any, **named: Any
    ) -> DocumentId:
        row = {"name": name, "document_id": document_id}
        if change(connection, unless_there(connection.dialect.name, document_names), **row):
            self._create(connection, document_id, *given, **named)
            return document_id
        ((there,),) = fetch(connection, _OF_NAME, of_name=name)
        return DocumentId(there)

    @writes
    def create(self, connection: Connection, document_id: DocumentId, *given: Any, **named: Any) -> Entry:
        return self._create(connection, document_id, *given, **named)

    def _create(  # noqa: PLR0913 - all that a document begins with
        self,
        connection: Connection,
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
        new = not fetch(connection, _OF_ID, document_id=document_id)
        (made,) = fetch(connection, _creation(connection.dialect.name), **values)
        key, of_epoch = made
        if owner is not None and of_epoch == epoch:
            grant = {
                "document_key": key,
                "user_id": owner,
                "role": Role.OWNER.value,
                "created_at": at,
            }
            change(connection, unless_there(connection.dialect.name, grants), **grant)
            note_owner(connection, key)
        if new and of_epoch == epoch:
            write_deed(connection, Deed(Kind.CREATE, document_id, by, self.clock()))
        (entry,) = fetch(connection, _OF_ID, document_id=document_id)
        return entry_of(*entry)

    @reads
    def get(self, connection: Connection, document_id: DocumentId) -> Entry | None:
        found = fetch(connection, _OF_ID, document_id=document_id)
        return entry_of(*found[0]) if found else None

    async def find(self, choice: Choice, *, limit: int, cursor: str | None, whose: Whose | None = None) -> Page:
        position = _position(choice)
        # One entry more than the page holds is asked for. It tells whether there is another page.
        statement = ENTRY.add_columns(position.label("position")).where(*_chosen(choice)).limit(limit + 1)
        if whose is not None:
            statement = statement.where(concerns(whose))
        place = tuple_(position, documents.c.document_id)
        if choice.order is Order.TITLE:
            statement = statement.order_by(position, documents.c.document_id)
        else:
            statement = statement.order_by(position.desc(), documents.c.document_id.desc())
        if cursor is not None:
            behind = tuple_(*(literal(part) for part in decode_cursor(choice.order, cursor)))
            statement = statement.where(place > behind if choice.order is Order.TITLE else place < behind)
        found = await self.database.read(lambda connection: connection.execute(statement).all())
        page = found[:limit]
        more = len(found) > len(page)
        following = encode_cursor(choice.order, page[-1].position, page[-1].document_id) if page and more else None
        return Page(tuple(entry_of(*each[:-1]) for each in page), following)

    async def rename(self, document_id: DocumentId, title: str, now: datetime, *, by: str = OPERATOR) -> Done | None:
        values: dict[str, Any] = {"new": title, "folded": fold_title(title), "now": to_microseconds(now)}
        return await self._change(_RENAME, Kind.RENAME, document_id, by, **values)

    @writes
    def note_excerpt(
        self, connection: Connection, document_id: DocumentId, epoch: Epoch, seq: Seq, excerpt: Excerpt
    ) -> Entry | None:
        lines = {"first": excerpt.first, "second": excerpt.second}
        folded = fold_title(f"{excerpt.first}\n{excerpt.second}")
        if not change(connection, _NOTE_EXCERPT, of_id=document_id, of_epoch=epoch, at_seq=seq, folded=folded, **lines):
            return None
        present = read_present(connection, document_id)
        return present and present[0]

    async def set_trashed(
        self, document_id: DocumentId, trashed_at: datetime | None, *, by: str = OPERATOR
    ) -> Done | None:
        if trashed_at is None:
            return await self._change(_RESTORE, Kind.RESTORE, document_id, by)
        return await self._change(_TRASH, Kind.TRASH, document_id, by, trashed=to_microseconds(trashed_at))

    async def declare_format(
        self, document_id: DocumentId, declared: Format, access_version: int = ANY_ACCESS, *, by: str = OPERATOR
    ) -> Done | None:
        details = {"name": declared.name, "version": str(declared.version)}
        values: dict[str, Any] = {"name": declared.name, "version": declared.version, "judged_by": access_version}
        return await self._change(_DECLARE, Kind.FORMAT, document_id, by, details, **values)

    async def allow_any_format(self, document_id: DocumentId, *, allowed: bool, by: str = OPERATOR) -> Done | None:
        details = {"allowed": "yes" if allowed else "no"}
        return await self._change(_ALLOW, Kind.ANY_FORMAT, document_id, by, details, allowed=int(allowed))

    async def delete(self, document_id: DocumentId, *, by: str = OPERATOR, only_trashed: bool = False) -> Done | None:
        done = await self._delete(document_id, by, _DELETE_TRASHED if only_trashed else _DELETE)
        if done is not None and done.deed is not None:
            await self.database.give_back()
        return done

    @writes
    def _delete(
        self, connection: Connection, document_id: DocumentId, by: str, statement: ClauseElement
    ) -> Done | None:
        told = frozenset(user_id for (user_id,) in fetch(connection, _WITH_ENTRIES, of_id=document_id))
        # The document's row takes everything with it that refers to its key (schema.py).
        if change(connection, statement, of_id=document_id):
            deed = Deed(Kind.DELETE, document_id, by, self.clock())
            return replace(write_deed(connection, deed), inboxes=told)
        return nothing_done(connection, document_id)

    @writes
    def _change(
        self,
        connection: Connection,
        /,
        statement: ClauseElement,
        kind: Kind,
        document_id: DocumentId,
        by: str,
        details: Mapping[str, str] | None = None,
        **given: Any,
    ) -> Done | None:
        if change(connection, statement, of_id=document_id, **given):
            return write_deed(connection, Deed(kind, document_id, by, self.clock(), details or {}))
        return nothing_done(connection, document_id)


class SqlDeeds(SqlPort):
    """The deeds port over a database."""

    @reads
    def list(
        self, connection: Connection, document_id: DocumentId, limit: int = 200, before: int = NEWEST
    ) -> Sequence[Deed]:
        return _read_deeds(connection, _LIST, of_id=document_id, most=limit, seq=before)

    @reads
    def after(self, connection: Connection, seq: int, limit: int = 200) -> Sequence[Deed]:
        return _read_deeds(connection, _AFTER, seq=seq, most=limit)


@cache
def _creation(dialect: str) -> ClauseElement:
    names = "document_id title title_folded created_at updated_at epoch head snapshot_seq size link_role"
    made = insert(dialect, documents).values({name: bindparam(name) for name in names.split()})
    # Setting the id to itself locks the row, which doing nothing would not. So the row cannot be
    # deleted before it is read.
    same = {"document_id": made.excluded.document_id}
    made = made.on_conflict_do_update(index_elements=["document_id"], set_=same)
    return made.returning(documents.c.key, documents.c.epoch)


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


def encode_cursor(order: Order, position: int | str, document_id: DocumentId) -> str:
    """Name the place behind an entry in a list of this order."""
    words = str(position)
    if isinstance(position, str):
        words = base64.urlsafe_b64encode(position.encode()).decode().rstrip("=") or "_"
    return f"{order[0]}{words}.{document_id}"


def decode_cursor(order: Order, cursor: str) -> tuple[int | str, DocumentId]:
    """Undo `encode_cursor`. Raises ProtocolError(malformed) for anything else."""
    match = _CURSOR.match(cursor)
    if match is not None and match[1] == order[0]:
        try:
            return _decoded(order, match[2]), DocumentId(match[3])
        except (ValueError, binascii.Error):
            pass
    raise ProtocolError(Code.MALFORMED, "The cursor is not one that an earlier page of this list gave.")


def _decoded(order: Order, words: str) -> int | str:
    if order is Order.TITLE:
        return "" if words == "_" else fold_title(base64.urlsafe_b64decode(words + "=" * (-len(words) % 4)).decode())
    if not words.isdecimal() or len(words) > _DIGITS:
        raise ValueError(words)
    return int(words)


def write_deed(connection: Connection, deed: Deed, *before: Deed) -> Done:
    """Write down what this transaction has done, and read the document's entry afterwards.

    `before`: what it has done to the document before that.
    """
    if connection.dialect.name == "postgresql":
        fetch(connection, _TAKE_TURN)
    forgetting = {}
    for each in (*before, deed):
        values = {"actor_id": each.by, "action": str(each.kind), "document_id": each.document_id}
        details, at = json.dumps(dict(each.details)), to_microseconds(each.at)
        ((seq,),) = fetch(connection, _ADD, **values, at=at, details=details)
        forget, kept = _bound_of(each.kind)
        forgetting[forget] = kept
    for forget, kept in forgetting.items():
        change(connection, forget, of_id=deed.document_id, over=kept - 1)
    present = read_present(connection, deed.document_id)
    return Done(replace(deed, seq=seq), *(present or (None,)))


def _bound_of(kind: str) -> tuple[ClauseElement, int]:
    """Return what forgets deeds of a kind, and how many of its group are kept."""
    if kind in _WRITERS_KINDS:
        return _FORGET_WRITERS, RENAMES_KEPT
    if kind == Kind.ASK:
        return _FORGET_ASKS, ASKS_KEPT
    if kind in ABOUT_DISCUSSION:
        return _FORGET_TALK, DISCUSSION_KEPT
    return _FORGET_OTHERS, DEEDS_KEPT


def nothing_done(connection: Connection, document_id: DocumentId) -> Done | None:
    """Report that a change found nothing to change. Return None if there is no such document."""
    present = read_present(connection, document_id)
    return None if present is None else Done(None, *present)


def read_present(connection: Connection, document_id: DocumentId) -> tuple[Entry, int, int] | None:
    """Read a document's entry, and the versions of its access and of its discussion."""
    for *entry, access, discussion in fetch(connection, _PRESENT, of_id=document_id):
        return entry_of(*entry), access, discussion
    return None


def entry_of(  # noqa: PLR0913, PLR0917 - the columns of ENTRY
    document_id: str,
    title: str,
    created_at: int,
    updated_at: int,
    trashed_at: int | None,
    size: int,
    format_name: str | None,
    format_version: int,
    any_format: int,
    preview: str,
    excerpt_seq: int,
    editor_id: str | None,
    editor_name: str | None,
) -> Entry:
    """Make an entry of a row of ENTRY."""
    trashed = None if trashed_at is None else from_microseconds(trashed_at)
    created, updated = from_microseconds(created_at), from_microseconds(updated_at)
    formats = format_of(format_name, format_version, any_format)
    editor = None if editor_id is None else Editor(editor_id, editor_name or editor_id)
    return Entry(
        DocumentId(document_id), title, created, updated, trashed, size, *formats, preview, excerpt_seq, editor
    )


def format_of(name: str | None, version: int, any_format: int) -> tuple[Format | None, bool]:
    """Return a document's format, and whether sessions of other formats may write its rich text."""
    return None if name is None else Format(name, version), bool(any_format)


def _read_deeds(connection: Connection, statement: ClauseElement, **given: int | str) -> list[Deed]:
    return [
        Deed(kind, DocumentId(of), by, from_microseconds(at), json.loads(details), seq)
        for kind, of, by, at, details, seq in fetch(connection, statement, **given)
    ]


def _position(choice: Choice) -> ColumnElement[Any]:
    """Write what decides the place of a document in a list, before its id."""
    match choice.order:
        case Order.EDITED:
            return documents.c.updated_at
        case Order.CREATED:
            return documents.c.created_at
        case Order.TITLE:
            return func.substr(_SHOWN_FOLDED, 1, _TITLE_COMPARED)
        case Order.OPENED:
            of_reader = and_(shelves.c.document_key == documents.c.key, shelves.c.user_id == choice.reader)
            opened = select(shelves.c.opened_at).where(of_reader).correlate(documents).scalar_subquery()
            return func.coalesce(opened, 0)


def _chosen(choice: Choice) -> list[ColumnElement[bool]]:
    """Write the conditions of a choice."""
    conditions: list[ColumnElement[bool]] = [_IN_TRASH if choice.trashed else ~_IN_TRASH]
    if wanted := fold_title(choice.query):
        # LIKE has wildcards, and bounds its pattern's length. Every database has `replace`.
        folded = documents.c.title_folded + "\n" + documents.c.lines_folded
        conditions.append(func.replace(folded, wanted, "") != folded)
    if choice.starred:
        starred = select(shelves.c.document_key).where(shelves.c.user_id == choice.reader, shelves.c.starred == 1)
        conditions.append(documents.c.key.in_(starred))
    if choice.label:
        conditions.append(documents.c.key.in_(select(labels.c.document_key).where(labels.c.label == choice.label)))
    return conditions


def concerns(whose: Whose) -> ColumnElement[bool]:
    """Write the condition that a row of `documents` is in a person's list.

    Indexes find a few candidates first, and the exact condition is checked only for these.
    """
    return documents.c.key.in_(_candidates(whose)) & _is_in_list(whose)


def _candidates(whose: Whose) -> CompoundSelect[Any]:
    """Select the candidates' keys by indexes. Otherwise each list would scan all documents."""
    theirs = [select(table.c.document_key).where(table.c.user_id == whose.user_id) for table in (grants, visits)]
    if not whose.with_ownerless or whose.shared is not None:
        return union(*theirs)
    newest = (
        select(documents.c.key).where(text("ownerless = 1")).order_by(documents.c.key.desc()).limit(LISTED_OWNERLESS)
    )
    return union(*theirs, select(newest.subquery().c.key))


def _is_in_list(whose: Whose) -> ColumnElement[bool]:
    user_id = whose.user_id

    def granted(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        return select(literal(1)).where(grants.c.document_key == documents.c.key, *conditions).exists()

    owned = granted(grants.c.user_id == user_id, grants.c.role == Role.OWNER.value)
    if whose.shared is False:
        return owned
    visited = select(literal(1)).where(visits.c.document_key == documents.c.key, visits.c.user_id == user_id)
    came = granted(grants.c.user_id == user_id) | visited.where(HAS_FORCE).correlate(documents).exists()
    given = ~owned & documents.c.trashed_at.is_(None) & came
    if whose.shared:
        return given
    return owned | given | ~granted(grants.c.role == Role.OWNER.value) if whose.with_ownerless else owned | given


def note_owner(connection: Connection, key: int) -> None:
    """Write down whether a document has an owner, in the column that lists use."""
    change(connection, _NOTE_OWNER, of_document=key)
