"""Inboxes in SQL, and how other jobs put entries into them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
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
from crdt.protocol.messages import User
from crdt.protocol.row import Contributor
from server.store.catalogue import SHOWN_TITLE
from server.store.contributors import as_row, key_of, read_contributors
from server.store.database import (
    SqlPort,
    among,
    change,
    fetch,
    from_microseconds,
    reads,
    to_microseconds,
    unless_there,
    upsert,
    writes,
)
from server.store.inbox_base import ENTRIES_KEPT, ENTRIES_OF_ONE, Count, Due, InboxEntry, Place, Reason
from server.store.schema import comments, contributors, documents, inbox, mail_languages, mail_refusals, users
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
_BY_ONE = inbox.c.person == bindparam("of_person")
_FORGET_OLD_BY_ONE = delete(inbox).where(
    _OF_USER,
    _BY_ONE,
    inbox.c.id
    < select(inbox.c.id)
    .where(_OF_USER, _BY_ONE)
    .order_by(inbox.c.id.desc())
    .offset(bindparam("over", type_=BigInteger))
    .limit(literal_column("1"))
    .scalar_subquery(),
)
_OF_THREAD = and_(inbox.c.document_key == bindparam("of_document"), inbox.c.thread_id == bindparam("of_thread"))
_TAKE_THREAD = delete(inbox).where(_OF_THREAD).returning(inbox.c.user_id)
_TAKE_COMMENT = (
    delete(inbox).where(_OF_THREAD, inbox.c.comment_id == bindparam("of_comment")).returning(inbox.c.user_id)
)
_TOLD = and_(_OF_THREAD, inbox.c.comment_id == bindparam("of_comment"), _OF_USER)
_TOLD_OF = select(inbox.c.reason).where(_TOLD)
_TAKE_TOLD = delete(inbox).where(_TOLD, inbox.c.reason == bindparam("of_reason"))
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


_UNMAILED = and_(_UNREAD, inbox.c.mailed_at.is_(None), inbox.c.at > bindparam("oldest", type_=BigInteger))
_DUE = (
    select(
        inbox.c.user_id,
        users.c.name,
        users.c.color,
        users.c.email,
        func.coalesce(func.max(mail_languages.c.language), ""),
    )
    .select_from(
        inbox.join(users, users.c.user_id == inbox.c.user_id).outerjoin(
            mail_languages, mail_languages.c.user_id == inbox.c.user_id
        )
    )
    .where(_UNMAILED, users.c.email.is_not(None), inbox.c.user_id.not_in(select(mail_refusals.c.user_id)))
    .group_by(inbox.c.user_id, users.c.name, users.c.color, users.c.email)
    .having(func.min(inbox.c.at) <= bindparam("before", type_=BigInteger))
    .order_by(inbox.c.user_id)
    .limit(bindparam("most", type_=BigInteger))
)
_CLAIM = (
    update(inbox).where(_OF_USER, _UNMAILED).values(mailed_at=bindparam("now", type_=BigInteger)).returning(inbox.c.id)
)
_RELEASE = update(inbox).where(inbox.c.id == bindparam("of_id", type_=BigInteger)).values(mailed_at=None)
_WANT = delete(mail_refusals).where(mail_refusals.c.user_id == bindparam("of_user"))
_WANTS = (
    select(users.c.email, mail_refusals.c.user_id)
    .select_from(users.outerjoin(mail_refusals, mail_refusals.c.user_id == users.c.user_id))
    .where(users.c.user_id == bindparam("of_user"))
)
_LANGUAGE = (
    select(users.c.email, mail_languages.c.language)
    .select_from(users.outerjoin(mail_languages, mail_languages.c.user_id == users.c.user_id))
    .where(users.c.user_id == bindparam("of_user"))
)


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
    people who will not be known again. Return who has a new entry.

    A comment makes one entry for a person, however often it is edited. Of what happens to a thread
    the last entry of each reason stays.
    """
    others = {user_id for user_id in concerned if user_id not in (by.user_id, by.on_behalf_of)}
    told = frozenset(_lasting(connection, others))
    if told:
        note_contributor(connection, by)
    thread_id, comment_id, suggestion_id = about
    ids = {"thread_id": thread_id, "comment_id": comment_id, "suggestion_id": suggestion_id}
    for user_id in sorted(told):  # in one order, so that two transactions do not wait for each other
        if thread_id and not _makes_way(connection, document_key, about, user_id, concerned[user_id]):
            told -= {user_id}
            continue
        row = {"user_id": user_id, "document_key": document_key, "reason": concerned[user_id].value, "at": at}
        change(connection, _PUT, **row, **ids, person=key_of(by))
        change(connection, _FORGET_OLD_BY_ONE, of_user=user_id, of_person=key_of(by), over=ENTRIES_OF_ONE - 1)
        change(connection, _FORGET_OLD, of_user=user_id, over=ENTRIES_KEPT - 1)
    return told


def _makes_way(
    connection: Connection, document_key: int, about: tuple[str, str, str], user_id: str, reason: Reason
) -> bool:
    """Take the entries that a new one replaces. Return False if the old one says the same."""
    thread_id, comment_id, _ = about
    of = {"of_document": document_key, "of_thread": thread_id, "of_comment": comment_id, "of_user": user_id}
    known = {told for (told,) in fetch(connection, _TOLD_OF, **of)}
    if comment_id and reason in known:
        return False
    for told in known if comment_id else known & {reason}:
        change(connection, _TAKE_TOLD, **of, of_reason=told)
    return True


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
        return self._entries(connection, found)

    def _entries(self, connection: Connection, found: Sequence[Sequence[Any]]) -> list[InboxEntry]:
        people = read_contributors(connection, [bytes(row[2]) for row in found])
        return [_entry(people, *row) for row in found]

    @reads
    def unread(self, connection: Connection, user_id: str) -> Mapping[DocumentId, Count]:
        return {
            DocumentId(document_id): Count(said, every - said, bool(is_open))
            for document_id, is_open, every, said in fetch(connection, _COUNTS, of_user=user_id)
        }

    @writes
    def claim_mail(self, connection: Connection, waited: timedelta, at_most: timedelta, people: int) -> Sequence[Due]:
        now = self.clock()
        before, oldest = to_microseconds(now - waited), to_microseconds(now - at_most)
        due: list[Due] = []
        for user_id, name, color, email, language in fetch(connection, _DUE, before=before, oldest=oldest, most=people):
            of = {"of_user": user_id, "oldest": oldest}
            claimed = {entry_id for (entry_id,) in fetch(connection, _CLAIM, **of, now=to_microseconds(now))}
            found = self._entries(
                connection, fetch(connection, _UNREAD_PAGE, of_user=user_id, below=Place().entry_id, most=ENTRIES_KEPT)
            )
            if entries := [entry for entry in found if entry.entry_id in claimed]:
                due.append(Due(User(user_id, name, color), email, entries, language))
        return due

    @writes
    def release_mail(self, connection: Connection, entry_ids: Sequence[int]) -> None:
        for entry_id in sorted(entry_ids):
            change(connection, _RELEASE, of_id=entry_id)

    @writes
    def set_mail(self, connection: Connection, user_id: str, *, wanted: bool) -> None:
        if wanted:
            change(connection, _WANT, of_user=user_id)
        else:
            change(connection, unless_there(connection.dialect.name, mail_refusals), user_id=user_id)

    @writes
    def set_language(self, connection: Connection, user_id: str, language: str) -> None:
        change(connection, upsert(connection.dialect.name, mail_languages), user_id=user_id, language=language)

    @reads
    def language(self, connection: Connection, user_id: str) -> str | None:
        for email, language in fetch(connection, _LANGUAGE, of_user=user_id):
            return None if email is None else language or ""
        return None

    @reads
    def wants_mail(self, connection: Connection, user_id: str) -> bool | None:
        for email, refusal in fetch(connection, _WANTS, of_user=user_id):
            return None if email is None else refusal is None
        return None

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
