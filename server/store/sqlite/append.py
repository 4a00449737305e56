"""Append to SQLite: the hot path.

SQLAlchemy builds the statements, which are compiled once. They and their transaction run on the
driver's own connection, because SQLAlchemy takes two to three times the processor time for them
(tests/bench/store.py).
"""

from collections.abc import Sequence
from sqlite3 import Connection, Cursor
from zlib import crc32

from sqlalchemy import ColumnElement, bindparam, case, func, literal_column, or_, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql import ClauseElement

from crdt.ids import Epoch, Seq
from server.store.base import Append, Appended, AppendOutcome, Behind, Fenced, Gone, Stale, Taken
from server.store.contributors import MOST_KNOWN, Known, as_row, key_of, keys_of
from server.store.database import compiled
from server.store.schema import author_keys, contributors, documents, log_rows, update_ids

_ONE: ColumnElement[int] = literal_column("1")  # a number would become a parameter

ANY_SEQ = 2**62
"""A row that no log has."""


def _compiled(statement: ClauseElement) -> str:
    return str(compiled(statement))


# The transaction holds the write lock, so the order of seqs is the order of commits.
_ADVANCE = _compiled(
    update(documents)
    .where(
        documents.c.document_id == bindparam("id"),
        documents.c.epoch == bindparam("of_epoch"),
        documents.c.access_version <= bindparam("judged_by"),
        documents.c.trashed_at.is_(None),
        documents.c.moved_seq <= bindparam("knows"),
        documents.c.head <= bindparam("follows"),
    )
    .values(
        head=documents.c.head + _ONE,
        size=documents.c.size + bindparam("bytes"),
        updated_at=bindparam("now"),
        edited_by=func.coalesce(bindparam("editor"), documents.c.edited_by),
        moved_seq=case((bindparam("moves") == _ONE, documents.c.head + _ONE), else_=documents.c.moved_seq),
    )
    .returning(documents.c.key, documents.c.head)
)
_REMEMBER = _compiled(insert(update_ids).on_conflict_do_nothing())
_ADD_ROW = _compiled(insert(log_rows))
_INTRODUCE = _compiled(insert(contributors).on_conflict_do_nothing())
_BIND = _compiled(insert(author_keys).on_conflict_do_nothing())
# Statements for rare cases:
_STEP_BACK = _compiled(
    update(documents)
    .where(documents.c.key == bindparam("of_key"))
    .values(head=documents.c.head - _ONE, size=documents.c.size - bindparam("bytes"))
)
_FIRST_SEQ = _compiled(
    select(update_ids.c.seq).where(
        update_ids.c.document_key == bindparam("document_key"), update_ids.c.update_id == bindparam("update_id")
    )
)
_BOUND_TO_ANOTHER = _compiled(
    select(author_keys.c.document_key)
    .join(documents)
    .where(
        documents.c.document_id == bindparam("id"),
        documents.c.epoch == bindparam("of_epoch"),
        author_keys.c.client_id == bindparam("client_id"),
        author_keys.c.key_hash != bindparam("key_hash"),
    )
)
_LIFE = _compiled(
    select(
        documents.c.key,
        documents.c.epoch,
        documents.c.head,
        or_(documents.c.access_version > bindparam("judged_by"), documents.c.trashed_at.is_not(None)),
    ).where(documents.c.document_id == bindparam("id"))
)


def append_all(connection: Connection, appends: Sequence[Append], now: int, known: Known) -> list[AppendOutcome]:
    """Commit all batches in one transaction, or none of them.

    `now` is in microseconds since 1970. `known` are the contributors of this database.
    """
    cursor = connection.cursor()
    try:
        cursor.execute("BEGIN IMMEDIATE")
        outcomes = [_append(cursor, append, now, known) for append in appends]
        cursor.execute("COMMIT")
    except BaseException:
        known.clear()  # because this transaction may have stored some of them
        if connection.in_transaction:  # some failures have ended it
            cursor.execute("ROLLBACK")
        raise
    finally:
        cursor.close()
    return outcomes


def _append(cursor: Cursor, append: Append, now: int, known: Known) -> AppendOutcome:
    if append.author_keys and (taken := _taken(cursor, append)) is not None:
        return taken
    size = len(append.batch)
    place = {
        "id": append.document_id,
        "of_epoch": append.epoch,
        "judged_by": append.access_version,
        "bytes": size,
        "now": now,
        "editor": key_of(append.contributors[-1]) if append.contributors else None,
        "knows": ANY_SEQ if append.known is None else append.known,
        "follows": append.known if append.moves and append.known is not None else ANY_SEQ,
        "moves": append.moves,
    }
    advanced = cursor.execute(_ADVANCE, place).fetchall()
    if not advanced:
        return _not_advanced(cursor, append)
    ((key, head),) = advanced
    cursor.execute(_REMEMBER, {"document_key": key, "update_id": append.update_id, "seq": head})
    if not cursor.rowcount:
        cursor.execute(_STEP_BACK, {"of_key": key, "bytes": size})
        return _as_the_first_time(cursor, key, append) or Stale()
    try:
        contributors_ = b"".join(map(known.__getitem__, append.contributors))
    except KeyError:
        contributors_ = _introduce(cursor, append, known)
    row = {
        "document_key": key,
        "seq": head,
        "batch": append.batch,
        "checksum": crc32(append.batch) ^ (head & 0xFFFFFFFF),  # segments.checksum
        "at": now,
        "contributors": contributors_,
        "heirs": append.heirs or None,
    }
    cursor.execute(_ADD_ROW, row)
    for client_id, key_hash in append.author_keys:
        if key_hash:
            cursor.execute(_BIND, {"document_key": key, "client_id": client_id, "key_hash": key_hash, "seq": head})
    return Appended(Seq(head))


def _introduce(cursor: Cursor, append: Append, known: Known) -> bytes:
    """Store the row's contributors, and return their keys."""
    if len(known) > MOST_KNOWN:
        known.clear()
    for each in append.contributors:
        cursor.execute(_INTRODUCE, dict(zip(contributors.c.keys(), as_row(each), strict=True)))
        known[each] = key_of(each)
    return keys_of(append.contributors)


def _taken(cursor: Cursor, append: Append) -> AppendOutcome | None:
    """Return the answer if a client id is bound to another key, or None if none is."""
    for client_id, key_hash in append.author_keys:
        claim = {"client_id": client_id, "key_hash": key_hash}
        found = cursor.execute(
            _BOUND_TO_ANOTHER, {"id": append.document_id, "of_epoch": append.epoch, **claim}
        ).fetchone()
        if found is not None:  # a repeated append may come after another one has bound its id
            return _as_the_first_time(cursor, found[0], append) or Taken()
    return None


def _not_advanced(cursor: Cursor, append: Append) -> AppendOutcome:
    found = cursor.execute(_LIFE, {"id": append.document_id, "judged_by": append.access_version}).fetchone()
    if found is None:
        return Gone()
    key, epoch, head, stale = found
    if epoch != append.epoch:
        return Fenced(Epoch(epoch))
    return _as_the_first_time(cursor, key, append) or (Stale() if stale else Behind(Seq(head)))


def _as_the_first_time(cursor: Cursor, key: int, append: Append) -> Appended | None:
    """Return the first answer to a repeated append, or None if the append is not repeated."""
    first = cursor.execute(_FIRST_SEQ, {"document_key": key, "update_id": append.update_id}).fetchone()
    return Appended(Seq(first[0])) if first else None
