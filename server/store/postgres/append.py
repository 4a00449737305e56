"""Append to PostgreSQL: the hot path, with one statement, and so one round trip, for a whole group.

The statement commits by itself. A group in which a client id is used for the first time takes three
more round trips (see 3).

1. Documents are locked in the order of their keys, so groups of many nodes wait for each other
   without deadlock. The lock makes the order of seqs the order of commits, because the next group
   gets `head` as the group before has committed it.
2. The statement sees known update ids as they were when it began, before it waited for locks.
   Another statement may have committed the same id meanwhile, if its node gave that one up and
   repeats it. Then the primary key of `update_ids` refuses, nothing is written, and the group runs
   again (database.py). What is refused itself would not come so far, so its refusal is asked twice.
3. The binding of a client id must be read after the lock is taken. A wrong key may insert nothing,
   so no primary key would refuse it. Such a group therefore locks its documents in a statement
   before.
4. Inserted rows refer to documents that are locked already, so they never wait.

The statement runs on an asyncpg connection of its own, because SQLAlchemy's pool takes three times
the processor time.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from crdt.ids import DocumentId, Epoch, Seq, UpdateId
from server.store.base import Append, Appended, AppendOutcome, Behind, Fenced, Gone, Stale, Taken
from server.store.contributors import MOST_KNOWN, Known, as_row, keys_of

_APPEND = """
WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::text[], $2::bigint[], $3::text[], $4::bytea[], $5::bigint[], $10::bigint[], $11::bytea[], $12::bigint[],
        $13::boolean[], $14::bytea[]
    ) WITH ORDINALITY AS wanted (
        document_id, epoch, update_id, batch, crc, judged_by, contributors, known, moves, heirs, place
    )
), locked AS MATERIALIZED (
    SELECT key, document_id, epoch, access_version, trashed_at, head, moved_seq FROM documents
    WHERE document_id = ANY ($1::text[]) ORDER BY key FOR NO KEY UPDATE
), placed AS MATERIALIZED (
    SELECT locked.key, locked.epoch AS present_epoch, wanted.*, update_ids.seq AS first_seq,
        locked.access_version > judged_by OR locked.trashed_at IS NOT NULL AS stale, locked.head AS present_head,
        coalesce(known < CASE WHEN moves THEN locked.head ELSE locked.moved_seq END, FALSE) AS behind
    FROM wanted JOIN locked USING (document_id)
    LEFT JOIN update_ids ON update_ids.document_key = locked.key AND update_ids.update_id = wanted.update_id
), claimed AS MATERIALIZED (
    SELECT place, key, client_id, key_hash, first_value(key_hash) OVER (PARTITION BY key, client_id ORDER BY place) AS first_hash
    FROM unnest($7::bigint[], $8::bigint[], $9::bytea[]) AS author (place, client_id, key_hash) JOIN placed USING (place)
    WHERE epoch = present_epoch AND first_seq IS NULL AND NOT stale AND NOT behind
), taken AS MATERIALIZED (
    SELECT DISTINCT claimed.place
    FROM claimed LEFT JOIN author_keys AS bound ON bound.document_key = claimed.key AND bound.client_id = claimed.client_id
    WHERE claimed.key_hash <> coalesce(bound.key_hash, claimed.first_hash)
), fresh AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY key ORDER BY place) AS nth FROM placed
    WHERE epoch = present_epoch AND first_seq IS NULL AND NOT stale AND NOT behind
        AND place NOT IN (SELECT place FROM taken)
), growth AS MATERIALIZED (
    SELECT key, count(*) AS count, sum(length(batch)) AS bytes, max(nth) FILTER (WHERE moves) AS moved,
        (array_agg(contributors ORDER BY nth DESC) FILTER (WHERE contributors <> ''))[1] AS editors
    FROM fresh GROUP BY key
), advanced AS (
    UPDATE documents
    SET head = head + growth.count, size = size + growth.bytes, updated_at = greatest(updated_at, $6::bigint),
        moved_seq = coalesce(head + growth.moved, moved_seq),
        edited_by = coalesce(substring(growth.editors FROM length(growth.editors) - 7), edited_by)
    FROM growth WHERE documents.key = growth.key
    RETURNING documents.key, documents.head - growth.count AS base
), numbered AS MATERIALIZED (
    SELECT fresh.*, advanced.base + fresh.nth AS seq FROM fresh JOIN advanced USING (key)
), remembered AS (
    INSERT INTO update_ids (document_key, update_id, seq) SELECT key, update_id, seq FROM numbered
), added AS (
    INSERT INTO log_rows (document_key, seq, batch, checksum, at, contributors, heirs)
    SELECT key, seq, batch, crc # (seq & 4294967295), $6::bigint, contributors, nullif(heirs, '') FROM numbered
), bound AS (
    INSERT INTO author_keys (document_key, client_id, key_hash, seq)
    SELECT numbered.key, client_id, key_hash, seq FROM claimed JOIN numbered USING (place)
    WHERE key_hash <> '' ORDER BY place
    ON CONFLICT DO NOTHING
)
SELECT placed.document_id, placed.update_id, placed.epoch, placed.present_epoch, placed.stale, placed.behind,
    placed.present_head, coalesce(placed.first_seq, numbered.seq) AS seq
FROM placed LEFT JOIN numbered USING (place)
"""  # `crc # seq` is segments.checksum; greatest: clocks of nodes differ; 7: a contributor's key has eight bytes

# This statement runs before the append, and commits by itself. So two nodes that store the same
# people at once hold no lock for which the other waits.
_INTRODUCE = """
INSERT INTO contributors (key, user_id, name, kind, on_behalf_of)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[]) ON CONFLICT DO NOTHING
"""

_LOCK = "SELECT FROM documents WHERE document_id = ANY ($1::text[]) ORDER BY key FOR NO KEY UPDATE"

_Name = tuple[DocumentId, UpdateId, Epoch]


class Appender:
    """The one session of this node that appends. Groups take turns.

    Every error ends the session, and the next group begins another one.
    """

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self._connect = connect
        self._session: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()
        self._known: Known = {}

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[AppendOutcome]:
        """Append a group. `now` is in microseconds since 1970."""
        async with self._turn:
            if self._session is None or self._session.is_closed():
                self._session = await self._connect()
            try:
                await self._introduce(self._session, appends)
                return await _append_all(self._session, appends, now)
            except BaseException:
                self._session.terminate()  # because a frozen server would not answer a proper close
                raise

    async def _introduce(self, session: asyncpg.Connection, appends: Sequence[Append]) -> None:
        known = self._known
        new = {as_row(each): each for append in appends for each in append.contributors if each not in known}
        if new:
            rows = sorted(new)
            await session.execute(_INTRODUCE, *map(list, zip(*rows, strict=True)))
            if len(known) > MOST_KNOWN:
                known.clear()
            known.update((new[row], row[0]) for row in rows)

    def close(self) -> None:
        """End the session."""
        if self._session is not None:
            self._session.terminate()


async def _append_all(session: asyncpg.Connection, appends: Sequence[Append], now: int) -> list[AppendOutcome]:
    if any(append.moves for append in appends) and len({append.document_id for append in appends}) < len(appends):
        # The statement compares each append with the head before the group.
        return [outcome for append in appends for outcome in await _append_together(session, [append], now)]
    return await _append_together(session, appends, now)


async def _append_together(session: asyncpg.Connection, appends: Sequence[Append], now: int) -> list[AppendOutcome]:
    if not appends:
        return []
    by_name: dict[_Name, Append] = {}
    for append in appends:
        by_name.setdefault(_name(append), append)
    unique = list(by_name.values())
    authors = [(place, *author) for place, append in enumerate(unique, 1) for author in append.author_keys]
    places, client_ids, key_hashes = map(list, zip(*authors, strict=True)) if authors else ([], [], [])
    document_ids = [append.document_id for append in unique]
    arguments = (
        document_ids,
        [append.epoch for append in unique],
        [append.update_id for append in unique],
        [append.batch for append in unique],
        [zlib.crc32(append.batch) for append in unique],
        now,
        places,
        client_ids,
        key_hashes,
        [append.access_version for append in unique],
        [keys_of(append.contributors) for append in unique],
        [append.known for append in unique],
        [append.moves for append in unique],
        [append.heirs for append in unique],
    )
    if authors:
        async with session.transaction():
            await session.execute(_LOCK, document_ids)
            found = await session.fetch(_APPEND, *arguments)
    else:
        found = await session.fetch(_APPEND, *arguments)
        if any(row["seq"] is None and (row["stale"] or row["behind"]) for row in found):
            found = await session.fetch(_APPEND, *arguments)  # see 2
    outcomes: dict[_Name, AppendOutcome] = {}
    for document_id, update_id, epoch, present_epoch, stale, behind, head, seq in found:
        name = (document_id, update_id, epoch)
        if epoch != present_epoch:
            outcomes[name] = Fenced(Epoch(present_epoch))
        elif seq is not None:
            outcomes[name] = Appended(Seq(seq))
        elif stale:
            outcomes[name] = Stale()
        else:
            outcomes[name] = Behind(Seq(head)) if behind else Taken()
    return [outcomes.get(_name(append), Gone()) for append in appends]


def _name(append: Append) -> _Name:
    return append.document_id, append.update_id, append.epoch
