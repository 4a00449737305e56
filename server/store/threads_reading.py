"""Reading of threads with their comments, for the port of threads (threads.py)."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import BigInteger, Connection, and_, bindparam, literal_column, select

from crdt.protocol.messages import User
from crdt.protocol.row import Contributor
from server.store.contributors import read_contributors
from server.store.database import (
    fetch,
    from_microseconds,
)
from server.store.schema import comments, reactions, threads, users
from server.store.threads_base import (
    Quote,
    StoredComment,
    StoredReaction,
    StoredThread,
)
from server.store.users import shown

GONE = "gone"
IS_GONE = threads.c.state == literal_column(f"'{GONE}'")
OF_DOCUMENT = threads.c.document_key == bindparam("of_document")
THIS = and_(OF_DOCUMENT, threads.c.thread_id == bindparam("of_thread"))

_SINCE = and_(
    threads.c.version > bindparam("since", type_=BigInteger), threads.c.version <= bindparam("until", type_=BigInteger)
)
CHANGED = (
    select(threads, users.c.name.label("assignee_name"), users.c.color.label("assignee_color"))
    .select_from(threads.outerjoin(users, users.c.user_id == threads.c.assignee_id))
    .where(OF_DOCUMENT, threads.c.version > bindparam("since", type_=BigInteger))
    .order_by(threads.c.version)
    .limit(bindparam("most", type_=BigInteger))
)
_ONE_CHANGED = (
    select(threads, users.c.name.label("assignee_name"), users.c.color.label("assignee_color"))
    .select_from(threads.outerjoin(users, users.c.user_id == threads.c.assignee_id))
    .where(THIS)
)
_COMMENTS = (
    select(
        comments.c.thread_id,
        comments.c.comment_id,
        comments.c.author,
        comments.c.created_at,
        comments.c.edited_at,
        comments.c.deleted_at,
        comments.c.body,
    )
    .select_from(
        threads.join(
            comments,
            and_(comments.c.document_key == threads.c.document_key, comments.c.thread_id == threads.c.thread_id),
        )
    )
    .where(OF_DOCUMENT, _SINCE)
    .order_by(comments.c.created_at, comments.c.comment_id)
)
_REACTIONS = (
    select(reactions.c.thread_id, reactions.c.comment_id, reactions.c.emoji, reactions.c.person)
    .select_from(
        threads.join(
            reactions,
            and_(reactions.c.document_key == threads.c.document_key, reactions.c.thread_id == threads.c.thread_id),
        )
    )
    .where(OF_DOCUMENT, _SINCE)
    .order_by(reactions.c.at, reactions.c.user_id)
)


class Row(Struct, frozen=True):
    """A row of `threads`, with the assignee's name and colour, in the order of `CHANGED`."""

    document_key: int
    thread_id: str
    kind: str
    suggestion_id: str
    quote: str
    quote_before: str
    quote_after: str
    state: Any
    author: bytes
    begun_by_id: str
    created_at: int
    changed_by: bytes | None
    changed_at: int | None
    assignee_id: str | None
    version: int
    bytes: int
    assignee_name: str | None
    assignee_color: str | None


def fitting(rows: Sequence[Row], most_bytes: int) -> Sequence[Row]:
    """Return the first rows that are not too large together, and at least one."""
    size = 0
    for count, row in enumerate(rows):
        size += row.bytes
        if size > most_bytes and count:
            return rows[:count]
    return rows


def living(connection: Connection, key: int, rows: Sequence[Row], span: tuple[int, int]) -> list[StoredThread]:
    """Read the comments of threads, which are all that changed in this span of versions."""
    if not rows:
        return []
    of = {"of_document": key, "since": span[0], "until": span[1]}
    said, beside = fetch(connection, _COMMENTS, **of), fetch(connection, _REACTIONS, **of)
    keys = [row.author for row in rows] + [row.changed_by for row in rows if row.changed_by is not None]
    keys += [each[2] for each in said] + [each[3] for each in beside]
    people = read_contributors(connection, map(bytes, keys))
    put: dict[tuple[str, str], list[StoredReaction]] = {}
    for thread_id, comment_id, emoji, person in beside:
        put.setdefault((thread_id, comment_id), []).append(StoredReaction(emoji, people[bytes(person)]))
    theirs: dict[str, list[StoredComment]] = {}
    for thread_id, comment_id, author, at, edited_at, deleted_at, body in said:
        theirs.setdefault(thread_id, []).append(
            StoredComment(
                comment_id,
                people[bytes(author)],
                from_microseconds(at),
                None if edited_at is None else from_microseconds(edited_at),
                deleted_at is not None,
                body,
                put.get((thread_id, comment_id), ()),
            )
        )
    return [_stored(row, people, theirs.get(row.thread_id, [])) for row in rows]


def _stored(row: Row, people: Mapping[bytes, Contributor], said: Sequence[StoredComment]) -> StoredThread:
    assignee = None
    if row.assignee_id is not None and row.assignee_name is not None and row.assignee_color is not None:
        assignee = User(row.assignee_id, row.assignee_name, row.assignee_color)
    elif row.assignee_id is not None:
        assignee = shown(row.assignee_id)
    return StoredThread(
        row.thread_id,
        row.suggestion_id,
        Quote(row.quote, row.quote_before, row.quote_after),
        row.state,
        people[bytes(row.author)],
        from_microseconds(row.created_at),
        None if row.changed_by is None else people[bytes(row.changed_by)],
        None if row.changed_at is None else from_microseconds(row.changed_at),
        assignee,
        said,
        row.version,
    )


def read_one(connection: Connection, key: int, thread_id: str) -> StoredThread | None:
    """Read one thread as it is now."""
    for found in fetch(connection, _ONE_CHANGED, of_document=key, of_thread=thread_id):
        row = Row(*found)
        return living(connection, key, [row], (row.version - 1, row.version))[0]
    return None
