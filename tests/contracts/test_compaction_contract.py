"""What compaction promises: nothing is deleted that was not read and folded, whatever else happens meanwhile. For every backend."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Never

import pytest

from crdt.errors import Unavailable
from crdt.ids import ClientId, Epoch, Seq, UpdateId
from server.store.base import (
    REMEMBERED_UPDATE_IDS,
    Append,
    Appended,
    CompactionReport,
    Folded,
    Loaded,
    Past,
    Row,
)
from server.store.sql import SqlStore
from tests.contracts.storages import DOCUMENT, EPOCH, NOON, NOWHERE, Storage, append, fill, folding_into, join


async def test_rows_become_a_snapshot(storage: Storage) -> None:
    async with storage.store() as store:
        await fill(store, "aa", "b")
        assert await store.log.compact(DOCUMENT, join) == CompactionReport(rows=2, log_bytes=3, snapshot_bytes=4)
        await fill(store, "c")
    async with storage.store() as store:
        rows = (Row(Seq(3), b"c"),)
        assert await store.log.load(DOCUMENT) == Loaded(
            EPOCH, b"aa+b", Seq(2), rows, {}, document_id=DOCUMENT, head=Seq(3)
        )


async def test_the_next_snapshot_builds_on_the_last(store: SqlStore) -> None:
    for update_id in "abc":
        await fill(store, update_id)
        await store.log.compact(DOCUMENT, join)
    assert await store.log.load(DOCUMENT) == Loaded(EPOCH, b"a+b+c", Seq(3), (), {}, document_id=DOCUMENT, head=Seq(3))


async def test_who_was_away_during_a_compaction_reads_on_as_if_nothing_had_been_folded(storage: Storage) -> None:
    bound = ((ClientId(7), b"k" * 16),)
    async with storage.store() as store:
        await fill(store, "a", "b")
        await store.log.append([Append(DOCUMENT, EPOCH, UpdateId("c"), b"c", bound)])
        await store.log.compact(DOCUMENT, join)
        await fill(store, "d")
    rows = [Row(Seq(1), b"a"), Row(Seq(2), b"b"), Row(Seq(3), b"c", bound), Row(Seq(4), b"d")]
    async with storage.store() as store:
        for after in range(5):
            assert await store.log.read(DOCUMENT, Seq(after)) == rows[after:]


async def test_who_was_away_for_two_compactions_is_told_that_rows_are_gone(store: SqlStore) -> None:
    await fill(store, "a", "b")
    await store.log.compact(DOCUMENT, join)
    await fill(store, "c", "d")
    await store.log.compact(DOCUMENT, join)
    assert await store.log.read(DOCUMENT, Seq(0)) is None
    assert await store.log.read(DOCUMENT, Seq(1)) is None
    assert await store.log.read(DOCUMENT, Seq(2)) == [Row(Seq(3), b"c"), Row(Seq(4), b"d")]


async def test_there_may_be_nothing_to_fold(store: SqlStore) -> None:
    await fill(store)
    assert await store.log.compact(DOCUMENT, join) is None
    assert await store.log.compact(NOWHERE, join) is None
    await fill(store, "a")
    assert await store.log.compact(DOCUMENT, join) is not None
    assert await store.log.compact(DOCUMENT, join) is None


async def test_appends_during_a_fold_stay_in_the_log(store: SqlStore) -> None:
    await fill(store, "a", "b")

    async def fold(before: bytes | None, batches: Sequence[bytes], past: Past) -> Folded:
        assert await store.log.append([append("c")]) == [Appended(Seq(3))]
        return await join(before, batches, past)

    await store.log.compact(DOCUMENT, fold)
    assert await store.log.load(DOCUMENT) == Loaded(
        EPOCH, b"a+b", Seq(2), (Row(Seq(3), b"c"),), {}, document_id=DOCUMENT, head=Seq(3)
    )


async def test_a_storm_of_appends_and_compactions_loses_nothing(store: SqlStore) -> None:
    await fill(store, "start")
    writing = True

    async def write(name: str) -> None:
        for number in range(40):
            await store.log.append([append(f"{name}{number}")])
            await asyncio.sleep(0)

    async def compact() -> None:
        while writing:
            await store.log.compact(DOCUMENT, join)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(2):
            tasks.create_task(compact())
        async with asyncio.TaskGroup() as writers:
            for name in "abcd":
                writers.create_task(write(name))
        writing = False
    await store.log.compact(DOCUMENT, join)
    loaded = await store.log.load(DOCUMENT)
    assert loaded is not None
    assert loaded.snapshot is not None
    written = loaded.snapshot.decode().split("+")
    assert len(written) == loaded.head == 161
    assert set(written) == {"start"} | {f"{name}{number}" for name in "abcd" for number in range(40)}


async def test_of_two_compactions_at_once_the_later_one_does_nothing(store: SqlStore) -> None:
    await fill(store, "a", "b")

    async def fold(_before: bytes | None, _batches: Sequence[bytes], _past: Past) -> Folded:
        assert await store.log.compact(DOCUMENT, folding_into(b"first")) is not None
        return Folded(b"second", b"vector")

    assert await store.log.compact(DOCUMENT, fold) is None
    loaded = await store.log.load(DOCUMENT)
    assert loaded is not None
    assert loaded.snapshot == b"first"


async def test_a_fold_that_fails_changes_nothing(store: SqlStore) -> None:
    await fill(store, "a", "b")
    before = await store.log.load(DOCUMENT)

    async def fold(_before: bytes | None, _batches: Sequence[bytes], _past: Past) -> Never:
        raise ArithmeticError("does not add up")

    with pytest.raises(ArithmeticError, match="does not add up"):
        await store.log.compact(DOCUMENT, fold)
    assert await store.log.load(DOCUMENT) == before
    assert await store.log.compact(DOCUMENT, join) is not None


async def test_a_document_deleted_during_a_fold_stays_deleted(store: SqlStore) -> None:
    await fill(store, "a")

    async def fold(_before: bytes | None, _batches: Sequence[bytes], _past: Past) -> Folded:
        await store.catalogue.delete(DOCUMENT)
        return Folded(b"ghost", b"vector")

    assert await store.log.compact(DOCUMENT, fold) is None
    assert await store.log.load(DOCUMENT) is None


async def test_a_document_made_anew_during_a_fold_is_not_touched(store: SqlStore) -> None:
    await fill(store, "a")

    async def fold(_before: bytes | None, _batches: Sequence[bytes], _past: Past) -> Folded:
        await store.catalogue.delete(DOCUMENT)
        await fill(store, "b")
        return Folded(b"ghost", b"vector")

    assert await store.log.compact(DOCUMENT, fold) is None
    assert await store.log.load(DOCUMENT) == Loaded(
        EPOCH, None, Seq(0), (Row(Seq(1), b"b"),), {}, document_id=DOCUMENT, head=Seq(1)
    )


async def test_update_ids_of_folded_rows_are_remembered(storage: Storage) -> None:
    async with storage.store() as store:
        await fill(store, "a", "b")
        await store.log.compact(DOCUMENT, join)
    async with storage.store() as store:
        assert await store.log.append([append("a"), append("c")]) == [Appended(Seq(1)), Appended(Seq(3))]


async def test_update_ids_are_forgotten_when_many_newer_ones_are_folded(store: SqlStore) -> None:
    await fill(store, "old", "recent", *(f"new{number}" for number in range(REMEMBERED_UPDATE_IDS - 1)))
    folded = False
    while not folded:
        with suppress(Unavailable):  # a busy machine may be silent in the transaction for too long; repeating is safe
            await store.log.compact(DOCUMENT, join)
            folded = True
    head = REMEMBERED_UPDATE_IDS + 1
    assert await store.log.append([append("recent")]) == [Appended(Seq(2))]
    assert await store.log.append([append("old")]) == [Appended(Seq(head + 1))]


async def test_raw_rows_are_kept_as_history_until_the_next_compaction(storage: Storage) -> None:
    async with storage.store() as store:
        await fill(store, "a", "b")
        assert await store.log.history(DOCUMENT) == []
        await store.log.compact(DOCUMENT, join)
        await fill(store, "c")
    async with storage.store() as store:
        assert await store.log.history(DOCUMENT) == [Row(Seq(1), b"a"), Row(Seq(2), b"b")]
        await store.log.compact(DOCUMENT, join)
        assert await store.log.history(DOCUMENT) == [Row(Seq(3), b"c")]


async def test_an_epoch_that_changed_during_a_fold_fences_the_compaction(store: SqlStore) -> None:
    await fill(store, "a")

    async def fold(_before: bytes | None, _batches: Sequence[bytes], _past: Past) -> Folded:
        await store.catalogue.delete(DOCUMENT)
        await store.catalogue.create(DOCUMENT, "Restored", Epoch(2), NOON)
        return Folded(b"of the first life", b"vector")

    assert await store.log.compact(DOCUMENT, fold) is None
    assert await store.log.load(DOCUMENT) == Loaded(Epoch(2), None, Seq(0), (), {}, document_id=DOCUMENT, head=Seq(0))
