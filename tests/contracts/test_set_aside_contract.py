"""What every store promises of updates that are set aside."""

import pytest
from msgspec.structs import replace

from crdt.ids import Epoch, Seq
from crdt.protocol.batch import encode_batch
from crdt.protocol.row import WHOLE_ROW, Contributor, Found, SetAside
from server.store.base import Row
from server.store.set_aside_base import State
from server.store.sql import SqlStore
from tests.contracts.storages import DOCUMENT, EPOCH, NOWHERE, OTHER, Storage, append, fill, join


def found(seq: int, position: int = 0, stand_in: bytes = b"") -> Found:
    return Found(Seq(seq), SetAside(position, stand_in, "It was bad."), b"raw")


def mark(position: int = 0, stand_in: bytes = b"") -> tuple[SetAside, ...]:
    return (SetAside(position, stand_in, "It was bad."),)


async def two_rows(store: SqlStore) -> None:
    await fill(store)
    await store.log.append([append(name, encode_batch([name.encode(), b"bad"])) for name in "ab"])


async def test_a_document_without_marks_has_none(storage: Storage) -> None:
    async with storage.store() as store:
        await two_rows(store)
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert (loaded.set_aside_version, loaded.set_aside_open, dict(loaded.set_aside)) == (0, 0, {})
        assert await store.set_aside.list() == []


async def test_rows_come_with_their_marks_wherever_they_are_read(storage: Storage) -> None:
    async with storage.store() as store:
        await two_rows(store)
        assert await store.set_aside.keep(DOCUMENT, EPOCH, [found(2, 1, b"\1x")]) == (0, 1)
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert [row.set_aside for row in loaded.rows] == [(), mark(1, b"\1x")]
        assert (loaded.set_aside, loaded.set_aside_version, loaded.set_aside_open) == (
            {2: mark(1, b"\1x")},
            1,
            1,
        )
        assert await store.log.read(DOCUMENT, Seq(1)) == [loaded.rows[1]]
        assert (await store.log.heads([DOCUMENT]))[DOCUMENT].set_aside_version == 1


async def test_a_mark_leaves_a_row_as_it_is_otherwise(store: SqlStore) -> None:
    await fill(store)
    carol = Contributor("carol", "Carol")
    moving = replace(append("a"), known=Seq(0), moves=True, heirs=b"heirs", contributors=(carol,))
    await store.log.append([moving, append("b")])
    before = await store.log.read(DOCUMENT, Seq(0))
    await store.set_aside.keep(DOCUMENT, EPOCH, [found(2)])
    loaded = await store.log.load(DOCUMENT)
    assert before is not None
    assert loaded is not None
    for row, marked in zip(before, loaded.rows, strict=True):
        assert (marked.heirs, marked.at, marked.contributors) == (row.heirs, row.at, row.contributors)
    assert loaded.rows[0].heirs == b"heirs"


async def test_the_same_found_by_two_nodes_is_kept_once(storage: Storage) -> None:
    async with storage.store() as store:
        await two_rows(store)
        assert await store.set_aside.keep(DOCUMENT, EPOCH, [found(1, stand_in=b"\1x")]) == (0, 1)
        assert await store.set_aside.keep(DOCUMENT, EPOCH, [found(1, stand_in=b"\1y")]) == (1, 1)
        assert await store.set_aside.keep(DOCUMENT, EPOCH, [found(1), found(2)]) == (1, 2)
        assert [(kept.found.seq, kept.found.set_aside.stand_in) for kept in await store.set_aside.list(DOCUMENT)] == [
            (1, b"\1x"),
            (2, b""),
        ]


async def test_what_is_folded_is_the_stand_in_and_history_keeps_the_row(storage: Storage) -> None:
    async with storage.store() as store:
        await two_rows(store)
        await store.set_aside.keep(DOCUMENT, EPOCH, [found(1, 1, b"\1x"), found(2, WHOLE_ROW)])
        await store.log.compact(DOCUMENT, join)
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert loaded.snapshot == encode_batch([b"a", b"x"]) + b"+" + encode_batch([b"\0\0"])
        assert loaded.set_aside_open == 2
        first = Row(Seq(1), encode_batch([b"a", b"bad"]), set_aside=mark(1, b"\1x"))
        rows = await store.log.read(DOCUMENT, Seq(0))
        assert rows is not None
        assert rows[0] == first
        assert [kept.found.raw for kept in await store.set_aside.list()] == [b"raw", b"raw"]


@pytest.mark.parametrize("state", [State.PUT_BACK, State.DROPPED])
async def test_what_is_settled_still_is_not_applied_but_counts_no_more(storage: Storage, state: State) -> None:
    async with storage.store() as store:
        await two_rows(store)
        await store.set_aside.keep(DOCUMENT, EPOCH, [found(1)])
        assert await store.set_aside.settle(DOCUMENT, Seq(1), 0, state)
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert (loaded.rows[0].set_aside, loaded.set_aside_open, loaded.set_aside_version) == (mark(), 0, 2)
        assert [kept.state for kept in await store.set_aside.list(DOCUMENT)] == [state]


async def test_nothing_is_kept_of_what_is_not_there(storage: Storage) -> None:
    async with storage.store() as store:
        await two_rows(store)
        assert await store.set_aside.keep(NOWHERE, EPOCH, [found(1)]) is None
        assert await store.set_aside.keep(DOCUMENT, Epoch(EPOCH + 1), [found(1)]) is None
        assert not await store.set_aside.settle(DOCUMENT, Seq(1), 0, State.DROPPED)
        assert not await store.set_aside.settle(NOWHERE, Seq(1), 0, State.DROPPED)


async def test_it_goes_with_its_document(storage: Storage) -> None:
    async with storage.store() as store:
        await two_rows(store)
        await fill(store, document_id=OTHER)
        for document_id in (DOCUMENT, OTHER):
            await store.set_aside.keep(document_id, EPOCH, [found(1)])
        await store.catalogue.delete(DOCUMENT)
        assert [kept.document_id for kept in await store.set_aside.list()] == [OTHER]
