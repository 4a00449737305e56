"""The log's memory beside the words, for every backend: when each row was appended, whose updates it holds, and for how long."""

import zlib
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from crdt.ids import Seq
from crdt.protocol.row import Contributor
from server.store.base import Editor, Row
from server.store.contributors import split
from server.store.database import to_microseconds
from server.store.schema import snapshots
from server.store.segments import pack_rows, unpack_rows, unpack_snapshot
from server.store.sql import SqlStore
from tests.contracts.storages import DOCUMENT, NOON, Storage, append, fill, join

ANNA, BOB = Contributor("u1", "Anna"), Contributor("u2", "Bob \U0001f375")
RENAMED = Contributor("u1", "Anna Müller")
AGENT = Contributor("a1", "Summariser", "agent", "u1")


async def told(store: SqlStore) -> list[tuple[Seq, list[Contributor]]]:
    """Of each row that is kept: its place, and who wrote it."""
    loaded = await store.log.load(DOCUMENT)
    assert loaded is not None
    rows = [*await store.log.history(DOCUMENT), *loaded.rows]
    known = await store.log.contributors({key for row in rows for key in split(row.contributors)})
    return [(row.seq, [known[key] for key in split(row.contributors)]) for row in rows]


async def writes(store: SqlStore, update_id: str, *contributors: Contributor) -> None:
    await store.log.append([replace(append(update_id), contributors=contributors)])


async def test_the_catalogue_knows_whose_edit_was_the_last_one(store: SqlStore) -> None:
    async def last() -> Editor | None:
        entry = await store.catalogue.get(DOCUMENT)
        assert entry is not None
        return entry.edited_by

    await fill(store)
    assert await last() is None
    anna, bert = Contributor("anna", "Anna"), Contributor("bert", "Bert")
    group = [replace(append(name), contributors=who) for name, who in (("a", (anna,)), ("b", (anna, bert)))]
    await store.log.append(group)
    assert await last() == Editor("bert", "Bert")
    await writes(store, "c", anna)
    await writes(store, "d")
    assert await last() == Editor("anna", "Anna")
    await store.catalogue.rename(DOCUMENT, "Another", NOON)
    assert await last() is None


async def test_a_row_says_who_wrote_it_and_goes_on_saying_so_when_it_is_folded(storage: Storage) -> None:
    expected = [(Seq(1), [ANNA]), (Seq(2), [BOB, ANNA]), (Seq(3), []), (Seq(4), [RENAMED, AGENT])]
    async with storage.store() as store:
        await fill(store)
        await writes(store, "a", ANNA)
        await writes(store, "b", BOB, ANNA)
    async with storage.store() as store:
        await writes(store, "c")
        await writes(store, "d", RENAMED, AGENT)
        await writes(store, "d", BOB)  # repeated: it was somebody else's words then
        assert await told(store) == expected
        await store.log.compact(DOCUMENT, join)
    async with storage.store() as store:
        assert await told(store) == expected


async def test_a_row_says_when_it_was_appended(store: SqlStore) -> None:
    await fill(store, "a", "b")
    await store.log.compact(DOCUMENT, join)
    await fill(store, "c")
    loaded = await store.log.load(DOCUMENT)
    assert loaded is not None
    moments = [row.at for row in (*await store.log.history(DOCUMENT), *loaded.rows)]
    assert all(at is not None and at >= to_microseconds(NOON) for at in moments)
    assert moments == sorted(moments, key=lambda at: at or 0)


async def test_nobody_is_made_up(store: SqlStore) -> None:
    assert await store.log.contributors([b"12345678"]) == {}
    assert await store.log.contributors([]) == {}


async def bases(store: SqlStore) -> dict[int, bytes]:
    """The snapshots that are kept, by their place."""
    found = await store.database.read(lambda connection: connection.execute(select(snapshots)).all())
    return {row.seq: unpack_snapshot(row.data) for row in found}


@pytest.mark.parametrize("room", [0, 60, 120, 400, 10_000])
async def test_every_row_that_is_kept_can_be_replayed(storage: Storage, room: int) -> None:
    written: list[bytes] = []
    async with storage.store(history_bytes=room) as store:
        for number in range(8):
            await fill(store, f"{number}", f"{number} more")
            written += [b"%d" % number, b"%d more" % number]
            await store.log.compact(DOCUMENT, join)
        kept = await store.log.history(DOCUMENT)
        first = kept[0].seq
        assert [row.seq for row in kept] == list(range(first, 17))
        base = [(await bases(store))[first - 1]] if first > 1 else []
        assert b"+".join([*base, *(row.batch for row in kept)]) == b"+".join(written)
        assert first == 15 or room > 0
        assert first == 1 or room < 10_000


async def test_history_that_is_too_old_is_given_up(storage: Storage) -> None:
    async with storage.store(history_bytes=10_000, history_age=timedelta(hours=1)) as store:
        for number in range(3):
            await fill(store, f"{number}")
            await store.log.compact(DOCUMENT, join)
        assert [row.seq for row in await store.log.history(DOCUMENT)] == [1, 2, 3]
        storage.clock.now += timedelta(hours=2)
        await fill(store, "late")
        await store.log.compact(DOCUMENT, join)
        assert [row.seq for row in await store.log.history(DOCUMENT)] == [4]
        assert set(await bases(store)) == {3, 4}


async def test_a_segment_of_an_earlier_version_is_read_as_it_was_written() -> None:
    earlier = zlib.compress(b"\x01\x02ab\x02\x01c", 5)
    rows = unpack_rows(earlier)
    assert [(row.seq, row.batch, row.at, row.contributors) for row in rows] == [
        (1, b"ab", None, b""),
        (2, b"c", None, b""),
    ]
    again = [Row(Seq(1), b"ab", at=0, contributors=b"12345678"), Row(Seq(2), b"c")]
    assert [(row.at, row.contributors) for row in unpack_rows(pack_rows(again))] == [(0, b"12345678"), (None, b"")]


def test_a_row_is_the_same_whenever_it_was_written() -> None:
    assert Row(Seq(1), b"a", at=5, contributors=b"12345678") == Row(Seq(1), b"a")
