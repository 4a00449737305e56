"""A client id is bound to one key, for ever, and rows carry what they bound. For every backend."""

import asyncio

import pytest

from crdt.ids import ClientId, Epoch, Seq, UpdateId
from crdt.protocol.row import AuthorKeys
from server.store.base import Append, Appended, Fenced, Row, Taken
from server.store.sql import SqlStore
from tests.contracts.storages import DOCUMENT, EPOCH, OTHER, Storage, append, fill, join

ANNA, BERT = ClientId(1), ClientId(2**53 - 1)
ANNAS, BERTS, MALLORYS, NONE = b"A" * 16, b"B" * 16, b"M" * 16, b""


def writes(update_id: str, *author_keys: tuple[ClientId, bytes], epoch: Epoch = EPOCH) -> Append:
    return Append(DOCUMENT, epoch, UpdateId(update_id), update_id.encode(), author_keys)


async def bound(store: SqlStore) -> dict[ClientId, bytes]:
    loaded = await store.log.load(DOCUMENT)
    assert loaded is not None
    return dict(loaded.author_keys)


async def test_rows_come_back_with_what_they_bound(storage: Storage) -> None:
    keys: AuthorKeys = ((ANNA, ANNAS), (BERT, BERTS))
    async with storage.store() as store:
        await fill(store)
        await store.log.append([writes("a", *reversed(keys)), writes("b"), writes("c", (ClientId(7), MALLORYS))])
    rows = [Row(Seq(1), b"a", keys), Row(Seq(2), b"b"), Row(Seq(3), b"c", ((ClientId(7), MALLORYS),))]
    async with storage.store() as store:
        assert await store.log.read(DOCUMENT, Seq(0)) == rows
        assert await store.log.read(DOCUMENT, Seq(1)) == rows[1:]
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert list(loaded.rows) == rows
        assert loaded.author_keys == {ANNA: ANNAS, BERT: BERTS, ClientId(7): MALLORYS}


async def test_the_same_key_may_come_again_and_binds_nothing_more(store: SqlStore) -> None:
    await fill(store)
    assert await store.log.append([writes("a", (ANNA, ANNAS))]) == [Appended(Seq(1))]
    assert await store.log.append([writes("b", (ANNA, ANNAS), (BERT, BERTS))]) == [Appended(Seq(2))]
    assert await store.log.read(DOCUMENT, Seq(1)) == [Row(Seq(2), b"b", ((BERT, BERTS),))]


@pytest.mark.parametrize("key", [MALLORYS, NONE], ids=["another key", "no key"])
async def test_an_append_under_somebody_elses_id_changes_nothing(store: SqlStore, key: bytes) -> None:
    await fill(store)
    await store.log.append([writes("a", (ANNA, ANNAS))])
    before, entry = await store.log.load(DOCUMENT), await store.catalogue.get(DOCUMENT)
    assert await store.log.append([writes("b", (BERT, BERTS), (ANNA, key))]) == [Taken()]
    assert await store.log.load(DOCUMENT) == before
    assert await store.catalogue.get(DOCUMENT) == entry
    assert await store.log.append([writes("b", (BERT, MALLORYS))]) == [Appended(Seq(2))]


async def test_an_id_that_began_without_a_key_is_free(store: SqlStore) -> None:
    await fill(store)
    assert await store.log.append([writes("a", (ANNA, NONE))]) == [Appended(Seq(1))]
    assert await store.log.append([writes("b", (ANNA, ANNAS))]) == [Appended(Seq(2))]
    assert await bound(store) == {ANNA: ANNAS}


async def test_within_one_append_the_first_one_counts_and_neighbours_go_on(store: SqlStore) -> None:
    await fill(store)
    await fill(store, document_id=OTHER)
    other = Append(OTHER, EPOCH, UpdateId("a"), b"a", ((ANNA, MALLORYS),))
    appends = [
        writes("a", (ANNA, ANNAS)),
        writes("b", (ANNA, MALLORYS)),
        other,
        append("c"),
        writes("d", (ANNA, ANNAS)),
    ]
    assert await store.log.append(appends) == [
        Appended(Seq(1)),
        Taken(),
        Appended(Seq(1)),
        Appended(Seq(2)),
        Appended(Seq(3)),
    ]
    assert await bound(store) == {ANNA: ANNAS}


async def test_repeating_an_append_answers_as_the_first_time_whatever_was_bound_since(store: SqlStore) -> None:
    await fill(store)
    await store.log.append([writes("a", (ANNA, NONE))])
    await store.log.append([writes("b", (ANNA, ANNAS))])
    assert await store.log.append([writes("a", (ANNA, NONE))]) == [Appended(Seq(1))]
    assert await store.log.append([writes("c", (ANNA, MALLORYS))]) == [Taken()]


async def test_the_epoch_is_looked_at_first(store: SqlStore) -> None:
    await fill(store)
    await store.log.append([writes("a", (ANNA, ANNAS))])
    assert await store.log.append([writes("b", (ANNA, MALLORYS), epoch=Epoch(2))]) == [Fenced(EPOCH)]


async def test_bindings_outlive_their_rows(storage: Storage) -> None:
    async with storage.store() as store:
        await fill(store)
        for number in range(3):
            await store.log.append([writes(str(number), (ClientId(number), ANNAS))])
            await store.log.compact(DOCUMENT, join)
    async with storage.store() as store:
        assert await bound(store) == {ClientId(number): ANNAS for number in range(3)}
        assert await store.log.append([writes("late", (ClientId(0), MALLORYS))]) == [Taken()]


@pytest.mark.parametrize("key", [MALLORYS, NONE], ids=["two keys", "a key and none"])
async def test_of_many_at_once_one_key_wins(store: SqlStore, key: bytes) -> None:
    await fill(store)
    outcomes = await asyncio.gather(
        *(store.log.append([writes(f"{number}", (ANNA, ANNAS if number % 2 else key))]) for number in range(8))
    )
    winners = {number % 2 for number, (outcome,) in enumerate(outcomes) if isinstance(outcome, Appended)}
    winner = (await bound(store))[ANNA]
    assert winner == ANNAS if key is NONE else winners == {1 if winner == ANNAS else 0}
