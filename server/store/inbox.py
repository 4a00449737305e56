"""Inboxes in SQL, and how other jobs put entries into them."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    select,
    update,
)

from crdt.ids import DocumentId
from crdt.protocol.row import Contributor
from server.store.catalogue import SHOWN_TITLE
from server.store.contributors import as_row, key_of, read_contributors
from server.store.database import SqlPort, among, change, fetch, from_microseconds, reads, unless_there, writes
from server.store.inbox_base import ENTRIES_KEPT, Count, InboxEntry, Place, Reason
from server.store.schema import comments, contributors, documents, inbox, users
from server.store.sharing_base import INVITED

_COLUMNS = ("user_id", "document_key", "reason", "thread_id", "comment_id", "suggestion_id", "person", "at")
_PUT = inbox.insert().values({name: bindparam(name) for name in _COLUMNS})
_OF_USER = inbox.c.user_id == bindparam("of_user")
_OLDEST_KEPT = (
    select(inbox.c.id)
    .where(_OF_USER)
    .order_by(inbox.c.id.desc())
    .offset(bindparam("over", type_=BigInteger))
    .limit(literal_column("1"))
)
_FORGET_OLD = delete(inbox).where(_OF_USER, inbox.c.id < _OLDEST_KEPT.scalar_subquery())
_OF_THREAD = and_(inbox.c.document_key == bindparam("of_document"), inbox.c.thread_id == bindparam("of_thread"))
_TAKE_THREAD = delete(inbox).where(_OF_THREAD).returning(inbox.c.user_id)
_TAKE_COMMENT = (
    delete(inbox).where(_OF_THREAD, inbox.c.comment_id == bindparam("of_comment")).returning(inbox.c.user_id)
)
_TAKE_OUTCOME = delete(inbox).where(
    inbox.c.document_key == bindparam("of_document"),
    inbox.c.suggestion_id == bindparam("of_suggestion"),
    _OF_USER,
)
_OUTCOME = select(inbox.c.reason).where(
    inbox.c.document_key == bindparam("of_document"),
    inbox.c.suggestion_id == bindparam("of_suggestion"),
    _OF_USER,
)
_HAND_OVER = update(inbox).where(_OF_USER).values(user_id=bindparam("new_user"))

_UNREAD = inbox.c.read_at.is_(None)
_ENTRY = (
    select(
        inbox.c.id,
        inbox.c.reason,
        inbox.c.person,
        inbox.c.at,
        inbox.c.read_at,
        documents.c.document_id,
        SHOWN_TITLE,
        inbox.c.thread_id,
        inbox.c.comment_id,
        inbox.c.suggestion_id,
        comments.c.body,
        documents.c.discussion_open,
    )
    .select_from(
        inbox.join(documents).outerjoin(
            comments,
            and_(
                comments.c.document_key == inbox.c.document_key,
                comments.c.thread_id == inbox.c.thread_id,
                comments.c.comment_id == inbox.c.comment_id,
            ),
        )
    )
    .where(_OF_USER, inbox.c.id < bindparam("below", type_=BigInteger))
    .order_by(inbox.c.id.desc())
    .limit(bindparam("most", type_=BigInteger))
)
_UNREAD_PAGE, _READ_PAGE = _ENTRY.where(_UNREAD), _ENTRY.where(~_UNREAD)
_ABOUT_SAID = inbox.c.thread_id != literal_column("''")
_COUNTS = (
    select(
        documents.c.document_id,
        documents.c.discussion_open,
        func.count(),
        func.sum(cast(_ABOUT_SAID, Integer)),
    )
    .select_from(inbox.join(documents))
    .where(_OF_USER, _UNREAD)
    .group_by(documents.c.document_id, documents.c.discussion_open)
)
_READ = update(inbox).where(_OF_USER, _UNREAD).values(read_at=bindparam("now", type_=BigInteger))
_READ_ONE = _READ.where(inbox.c.id == bindparam("of_id", type_=BigInteger))
_READ_UNTIL = _READ.where(inbox.c.id <= bindparam("of_id", type_=BigInteger))
_KEY = select(documents.c.key).where(documents.c.document_id == bindparam("of_id"))
_READ_THREAD = _READ.where(_OF_THREAD)


def put_entries(
    connection: Connection,
    document_key: int,
    by: Contributor,
    at: int,
    concerned: Mapping[str, Reason],
    *,
    about: tuple[str, str, str] = ("", "", ""),
) -> frozenset[str]:
    """Put an entry into the inboxes of those whom something concerns.

    `about`: the ids of a thread, a comment and a suggestion. Leave out the one who did it, and
    people who will not be known again. Return who has an entry.
    """
    others = {user_id for user_id in concerned if user_id not in (by.user_id, by.on_behalf_of)}
    told = frozenset(_lasting(connection, others))
    if told:
        note_contributor(connection, by)
    thread_id, comment_id, suggestion_id = about
    ids = {"thread_id": thread_id, "comment_id": comment_id, "suggestion_id": suggestion_id}
    for user_id in sorted(told):  # in one order, so that two transactions do not wait for each other
        row = {"user_id": user_id, "document_key": document_key, "reason": concerned[user_id].value, "at": at}
        change(connection, _PUT, **row, **ids, person=key_of(by))
        change(connection, _FORGET_OLD, of_user=user_id, over=ENTRIES_KEPT - 1)
    return told


def take_entries(connection: Connection, document_key: int, thread_id: str, comment_id: str | None) -> frozenset[str]:
    """Delete the entries about a comment, or about a thread. Return whose they were."""
    of = {"of_document": document_key, "of_thread": thread_id}
    if comment_id is None:
        return frozenset(user_id for (user_id,) in fetch(connection, _TAKE_THREAD, **of))
    return frozenset(user_id for (user_id,) in fetch(connection, _TAKE_COMMENT, **of, of_comment=comment_id))


def put_outcome(  # noqa: PLR0913 - all that an entry holds
    connection: Connection,
    document_key: int,
    by: Contributor,
    at: int,
    *,
    author: str,
    suggestion_id: str,
    reason: Reason,
) -> frozenset[str]:
    """Tell a suggestion's author what became of it, in the place of what they were told before.

    Return nobody if they were told this already.
    """
    of = {"of_document": document_key, "of_suggestion": suggestion_id, "of_user": author}
    if any(told == reason for (told,) in fetch(connection, _OUTCOME, **of)):
        return frozenset()
    change(connection, _TAKE_OUTCOME, **of)
    return put_entries(connection, document_key, by, at, {author: reason}, about=("", "", suggestion_id))


def hand_over(connection: Connection, invited: str, user_id: str) -> None:
    """Give what an invited person was told to the user id by which they have signed in."""
    change(connection, _HAND_OVER, of_user=invited, new_user=user_id)


def note_contributor(connection: Connection, who: Contributor) -> bytes:
    """Store a contributor, unless they are stored, and return their key."""
    row = dict(zip(contributors.columns.keys(), as_row(who), strict=True))
    change(connection, unless_there(connection.dialect.name, contributors), **row)
    return key_of(who)


def _lasting(connection: Connection, user_ids: Collection[str]) -> set[str]:
    """Return those who are known, or are invited, and so will be known."""
    invited = {user_id for user_id in user_ids if user_id.startswith(INVITED)}
    if not user_ids:
        return invited
    known = fetch(connection, _known(connection.dialect.name), user_ids=sorted(user_ids))
    return invited | {user_id for (user_id,) in known}


@cache
def _known(dialect: str) -> Select[tuple[str]]:
    return select(users.c.user_id).where(among(dialect, users.c.user_id, "user_ids"))


class SqlInboxes(SqlPort):
    """The port of inboxes over a database."""

    @reads
    def page(self, connection: Connection, user_id: str, limit: int, behind: Place) -> Sequence[InboxEntry]:
        of = {"of_user": user_id}
        found: list[Sequence[Any]] = []
        if not behind.read:
            found += fetch(connection, _UNREAD_PAGE, **of, below=behind.entry_id, most=limit)
        if len(found) < limit:
            below = behind.entry_id if behind.read else Place().entry_id
            found += fetch(connection, _READ_PAGE, **of, below=below, most=limit - len(found))
        people = read_contributors(connection, [bytes(row[2]) for row in found])
        return [_entry(people, *row) for row in found]

    @reads
    def unread(self, connection: Connection, user_id: str) -> Mapping[DocumentId, Count]:
        return {
            DocumentId(document_id): Count(said, every - said, bool(is_open))
            for document_id, is_open, every, said in fetch(connection, _COUNTS, of_user=user_id)
        }

    @writes
    def mark_read(self, connection: Connection, user_id: str, entry_ids: Sequence[int]) -> bool:
        now = self.now()
        marked = [change(connection, _READ_ONE, of_user=user_id, of_id=each, now=now) for each in sorted(entry_ids)]
        return any(marked)

    @writes
    def mark_until(self, connection: Connection, user_id: str, entry_id: int) -> bool:
        return change(connection, _READ_UNTIL, of_user=user_id, of_id=entry_id, now=self.now()) > 0

    @writes
    def mark_thread(self, connection: Connection, user_id: str, document_id: DocumentId, thread_id: str) -> bool:
        for (key,) in fetch(connection, _KEY, of_id=document_id):
            of = {"of_user": user_id, "of_document": key, "of_thread": thread_id}
            return change(connection, _READ_THREAD, **of, now=self.now()) > 0
        return False


def _entry(people: Mapping[bytes, Contributor], *row: Any) -> InboxEntry:
    entry_id, reason, person, at, read_at, document_id, title, thread_id, comment_id, suggestion_id, body, is_open = row
    return InboxEntry(
        entry_id,
        Reason(reason),
        people[bytes(person)],
        from_microseconds(at),
        read_at is not None,
        DocumentId(document_id),
        title,
        thread_id,
        comment_id,
        suggestion_id,
        body or "",
        bool(is_open),
    )
