"""Bytes that have changed on the disk: noticed, named, and made up for where there is enough left to do it."""

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest

from crdt.errors import Code, InvariantError
from crdt.ids import Seq
from crdt.protocol.row import WHOLE_ROW, Found, SetAside
from server.store.base import Appended, Attachment, Folded, Past, Row
from server.store.sql import SqlStore
from server.store.sqlite import sqlite_url
from tests.contracts.storages import DOCUMENT, EPOCH, OTHER, append, fill, join


def change(directory: Path, *statements: str) -> None:
    """Do to the closed database what a disk may do to it."""
    with closing(sqlite3.connect(directory / "manyhands.db", isolation_level=None)) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0


async def make(directory: Path, *groups: Sequence[str], history_bytes: int = 0) -> None:
    """A document, compacted after each group of rows but the last."""
    async with SqlStore(sqlite_url(directory), history_bytes=history_bytes) as store:
        for number, group in enumerate(groups):
            if number:
                await store.log.compact(DOCUMENT, join)
            await fill(store, *group)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE log_rows SET batch = x'62ff' WHERE seq = 2",
        "UPDATE log_rows SET checksum = checksum + 1 WHERE seq = 2",
        "DELETE FROM log_rows WHERE seq = 2",
        "UPDATE log_rows SET seq = 9 WHERE seq = 2",
    ],
)
async def test_a_damaged_row_is_marked_and_all_others_are_read(tmp_path: Path, damage: str) -> None:
    await make(tmp_path, ["a", "b", "c"])
    change(tmp_path, damage)
    async with SqlStore(sqlite_url(tmp_path)) as store:
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert [(row.batch, row.damaged) for row in loaded.rows if row.seq != 2] == [(b"a", False), (b"c", False)]
        (damaged,) = [row for row in loaded.rows if row.seq == 2]
        assert damaged.damaged
        assert await store.log.read(DOCUMENT, Seq(1)) == list(loaded.rows[1:])
        with pytest.raises(InvariantError, match=f"{DOCUMENT}: log row 2 is damaged") as refused:
            await store.log.compact(DOCUMENT, join)
        assert refused.value.code is Code.QUARANTINED
        await store.set_aside.keep(DOCUMENT, EPOCH, [Found(Seq(2), SetAside(WHOLE_ROW, b"\1x", ""), damaged.batch)])
        assert await store.log.compact(DOCUMENT, join) is not None
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert loaded.snapshot == b"a+\1x+c"


async def test_a_missing_last_row_is_noticed(tmp_path: Path) -> None:
    await make(tmp_path, ["a", "b"])
    change(tmp_path, "DELETE FROM log_rows WHERE seq = 2")
    async with SqlStore(sqlite_url(tmp_path)) as store:
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert [row.damaged for row in loaded.rows] == [False, True]


async def test_two_rows_that_changed_places_are_noticed(tmp_path: Path) -> None:
    await make(tmp_path, ["a", "b"])
    change(tmp_path, *(f"UPDATE log_rows SET seq = {to} WHERE seq = {of}" for of, to in ((1, 9), (2, 1), (9, 2))))
    async with SqlStore(sqlite_url(tmp_path)) as store:
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert [row.damaged for row in loaded.rows] == [True, True]


@pytest.mark.parametrize("groups", [(["a", "b"], ["c"]), (["a"], ["b", "c"], ["d"])], ids=["first", "later"])
@pytest.mark.parametrize(
    "damage", ["UPDATE snapshots SET data = x'00' WHERE seq = {0}", "DELETE FROM snapshots WHERE seq = {0}"]
)
async def test_a_damaged_snapshot_is_made_up_for(tmp_path: Path, groups: tuple[list[str], ...], damage: str) -> None:
    await make(tmp_path, *groups)
    written = [update_id for group in groups for update_id in group]
    change(tmp_path, damage.format(len(written) - 1))
    async with SqlStore(sqlite_url(tmp_path)) as store:
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert loaded.head == len(written)
        parts = ([loaded.snapshot.decode()] if loaded.snapshot else []) + [row.batch.decode() for row in loaded.rows]
        assert "+".join(parts) == "+".join(written)
        await store.log.compact(DOCUMENT, join)
    async with SqlStore(sqlite_url(tmp_path)) as store:
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert (loaded.snapshot, loaded.rows) == ("+".join(written).encode(), ())


@pytest.mark.parametrize(
    "damage", ["UPDATE history SET data = x'00'", "DELETE FROM history", "DELETE FROM snapshots WHERE seq = 1"]
)
async def test_a_snapshot_that_cannot_be_made_up_for_is_named(tmp_path: Path, damage: str) -> None:
    await make(tmp_path, ["a"], ["b"], ["c"])
    change(tmp_path, "UPDATE snapshots SET data = x'00' WHERE seq = 2", damage)
    async with SqlStore(sqlite_url(tmp_path)) as store:
        with pytest.raises(InvariantError, match=f"{DOCUMENT}: .* is damaged") as damaged:
            await store.log.load(DOCUMENT)
        assert damaged.value.code is Code.QUARANTINED


async def test_a_damaged_memory_costs_no_document(tmp_path: Path) -> None:
    """What a rescue remembers is worth less than the words that stand beside it."""

    async def fold(_before: bytes | None, batches: Sequence[bytes], past: Past) -> Folded:
        assert past.memory == b""
        return Folded(b"+".join(batches), b"vector", b"remembered")

    async with SqlStore(sqlite_url(tmp_path)) as store:
        await fill(store, "a")
        await store.log.compact(DOCUMENT, fold)
        await fill(store, "b")
    change(tmp_path, "UPDATE snapshots SET memory = x'00'")
    async with SqlStore(sqlite_url(tmp_path)) as store:
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert (loaded.snapshot, loaded.memory) == (b"a", b"")
        assert await store.log.compact(DOCUMENT, fold) is not None


@pytest.mark.parametrize("damage", ["UPDATE history SET data = x'00'", "DELETE FROM history"])
async def test_who_cannot_read_on_in_damaged_history_can_still_load(tmp_path: Path, damage: str) -> None:
    await make(tmp_path, ["a", "b"], ["c"])
    change(tmp_path, damage)
    async with SqlStore(sqlite_url(tmp_path)) as store:
        assert await store.log.read(DOCUMENT, Seq(1)) is None
        assert await store.log.read(DOCUMENT, Seq(2)) == [Row(Seq(3), b"c")]
        assert await store.log.load(DOCUMENT) is not None


async def test_large_history_is_read_as_well(tmp_path: Path) -> None:
    chance = random.Random(1)
    batches = [chance.randbytes(50_000) for _ in range(3)]
    await make(tmp_path, [])
    async with SqlStore(sqlite_url(tmp_path)) as store:
        await store.log.append([append(str(number), batch) for number, batch in enumerate(batches)])
        await store.log.compact(DOCUMENT, join)
        rows = await store.log.read(DOCUMENT, Seq(1))
    assert rows == [Row(Seq(2), batches[1]), Row(Seq(3), batches[2])]


async def test_history_is_kept_as_long_as_it_fits(tmp_path: Path) -> None:
    groups = [[f"{group}{number}" for number in range(5)] for group in "abcdef"]
    await make(tmp_path, *groups, [], history_bytes=10_000)
    async with SqlStore(sqlite_url(tmp_path)) as store:
        history = await store.log.history(DOCUMENT)
    assert history == [Row(Seq(seq), batch.encode()) for seq, batch in enumerate(chain.from_iterable(groups), 1)]


async def test_what_history_has_no_room_for_goes_oldest_first(tmp_path: Path) -> None:
    groups = [[f"{group}{number}" for number in range(5)] for group in "abcdef"]
    await make(tmp_path, *groups, [], history_bytes=250)  # a segment and its snapshot take about a hundred bytes
    async with SqlStore(sqlite_url(tmp_path)) as store:
        history = await store.log.history(DOCUMENT)
    kept = [row.batch.decode() for row in history]
    assert 5 < len(kept) < 30
    assert kept == list(chain.from_iterable(groups))[-len(kept) :]


async def test_a_damaged_attachment_is_not_served(tmp_path: Path) -> None:
    name = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"  # sha256(b"test")
    async with SqlStore(sqlite_url(tmp_path)) as store:
        await fill(store)
        await store.attachments.put(DOCUMENT, Attachment(name, "image/png", b"test"))
    change(tmp_path, "UPDATE attachments SET data = x'00'")
    async with SqlStore(sqlite_url(tmp_path)) as store:
        with pytest.raises(InvariantError, match=f"attachment {name} is damaged"):
            await store.attachments.fetch(DOCUMENT, name)


async def test_a_damaged_page_is_a_damaged_row(tmp_path: Path) -> None:
    async with SqlStore(sqlite_url(tmp_path)) as store:
        await fill(store)
        await store.log.append([append("large", b"\x01" * 200_000)])
    path = tmp_path / "manyhands.db"
    damaged = path.read_bytes().replace(b"\x01" * 4000, b"\xee" * 4000)
    path.write_bytes(damaged)
    async with SqlStore(sqlite_url(tmp_path)) as store:
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert loaded.rows[0].damaged
        await fill(store, "x", document_id=OTHER)
        assert await store.log.append([append("y", document_id=OTHER)]) == [Appended(Seq(2))]
