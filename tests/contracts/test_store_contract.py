"""The promises of the log: durable, in one order, once, fenced. For every backend."""

import asyncio
import random
from datetime import timedelta

import pytest
from msgspec.structs import replace

from crdt.ids import ClientId, DocumentId, Epoch, Seq, UpdateId
from crdt.permissions import Role
from server.store.base import Append, Appended, AppendOutcome, Fenced, Gone, Loaded, Row, Stale, Store
from server.store.sharing_base import Link
from server.store.sql import SqlStore
from tests.contracts.storages import DOCUMENT, EPOCH, NOON, NOWHERE, OTHER, Storage, append, fill, head


def test_every_backend_is_a_store(storage: Storage) -> None:
    store: Store = storage.store()
    assert store


async def test_rows_are_numbered_from_one_and_come_back_as_they_were(store: SqlStore) -> None:
    await fill(store)
    outcomes = await store.log.append([append("a", b"\x00\xff"), append("b", b"")])
    assert outcomes == [Appended(Seq(1)), Appended(Seq(2))]
    rows = (Row(Seq(1), b"\x00\xff"), Row(Seq(2), b""))
    assert await store.log.load(DOCUMENT) == Loaded(EPOCH, None, Seq(0), rows, {}, document_id=DOCUMENT, head=Seq(2))


async def test_an_empty_document_loads_empty(store: SqlStore) -> None:
    await fill(store)
    assert await store.log.load(DOCUMENT) == Loaded(EPOCH, None, Seq(0), (), {}, document_id=DOCUMENT, head=Seq(0))
    assert await store.log.read(DOCUMENT, Seq(0)) == []


async def test_what_was_appended_is_there_after_reopening(storage: Storage) -> None:
    async with storage.store() as store:
        await fill(store, "a", "b")
        before = await store.log.load(DOCUMENT)
    async with storage.store() as store:
        assert await store.log.load(DOCUMENT) == before
        assert await store.log.append([append("c")]) == [Appended(Seq(3))]


async def test_one_append_commits_many_documents(store: SqlStore) -> None:
    await fill(store)
    await fill(store, document_id=OTHER)
    appends = [append("a"), append("a", document_id=OTHER), append("b"), append("c")]
    assert await store.log.append(appends) == [Appended(Seq(seq)) for seq in (1, 1, 2, 3)]


async def test_nothing_to_append_is_nothing(store: SqlStore) -> None:
    assert await store.log.append([]) == []


async def test_an_update_id_is_committed_once(store: SqlStore) -> None:
    await fill(store, "a", "b")
    assert await store.log.append([append("a", b"other bytes"), append("c")]) == [Appended(Seq(1)), Appended(Seq(3))]
    assert await store.log.read(DOCUMENT, Seq(0)) == [Row(Seq(1), b"a"), Row(Seq(2), b"b"), Row(Seq(3), b"c")]


async def test_an_update_id_that_comes_twice_in_one_append_is_committed_once(store: SqlStore) -> None:
    await fill(store)
    assert await store.log.append([append("a"), append("a"), append("b")]) == [Appended(Seq(seq)) for seq in (1, 1, 2)]


async def test_update_ids_are_remembered_across_reopening(storage: Storage) -> None:
    async with storage.store() as store:
        await fill(store, "a", "b")
    async with storage.store() as store:
        assert await store.log.append([append("b")]) == [Appended(Seq(2))]


async def test_two_documents_may_use_the_same_update_id(store: SqlStore) -> None:
    await fill(store, "a")
    await fill(store, "a", document_id=OTHER)
    assert await store.log.heads([DOCUMENT, OTHER]) == {DOCUMENT: head(1), OTHER: head(1)}


async def test_an_append_under_another_epoch_is_fenced_and_changes_nothing(store: SqlStore) -> None:
    await fill(store, "a")
    before = await store.log.load(DOCUMENT)
    fenced = Append(DOCUMENT, Epoch(2), UpdateId("b"), b"b", ((ClientId(7), b"k" * 16),))
    assert await store.log.append([fenced]) == [Fenced(EPOCH)]
    assert await store.log.load(DOCUMENT) == before
    assert await store.log.append([append("b")]) == [Appended(Seq(2))]


def judged_by(version: int, update_id: str) -> Append:
    return replace(append(update_id), access_version=version)


async def test_an_append_by_an_older_access_is_stale_and_changes_nothing(store: SqlStore) -> None:
    await fill(store)
    assert await store.log.append([judged_by(0, "a")]) == [Appended(Seq(1))]
    done = await store.sharing.set_link(DOCUMENT, Link(None))
    assert done is not None
    version = done.access_version
    before, entry = await store.log.load(DOCUMENT), await store.catalogue.get(DOCUMENT)
    claims = replace(judged_by(version - 1, "b"), author_keys=((ClientId(7), b"k" * 16),))
    assert await store.log.append([claims, judged_by(version - 1, "c")]) == [Stale(), Stale()]
    assert (await store.log.load(DOCUMENT), await store.catalogue.get(DOCUMENT)) == (before, entry)
    assert await store.log.append([judged_by(version, "b"), judged_by(version + 1, "c")]) == [
        Appended(Seq(2)),
        Appended(Seq(3)),
    ]


async def test_nothing_is_appended_to_a_document_in_the_trash(store: SqlStore) -> None:
    await fill(store, "a")
    await store.catalogue.set_trashed(DOCUMENT, NOON)
    assert await store.log.append([append("b")]) == [Stale()]
    await store.catalogue.set_trashed(DOCUMENT, None)
    assert await store.log.append([append("b")]) == [Appended(Seq(2))]


async def test_what_was_appended_in_time_is_answered_as_the_first_time_whatever_access_is_now(store: SqlStore) -> None:
    await fill(store, "a")
    await store.sharing.grant(DOCUMENT, "somebody", Role.OWNER)
    await store.catalogue.set_trashed(DOCUMENT, NOON)
    assert await store.log.append([judged_by(0, "a"), judged_by(0, "b")]) == [Appended(Seq(1)), Stale()]
    assert await store.log.append([replace(judged_by(0, "a"), epoch=Epoch(2))]) == [Fenced(EPOCH)]


async def test_of_changes_of_access_and_appends_at_once_none_slips_through(store: SqlStore) -> None:
    """Who reads the log behind a change of access sees all that will ever have been judged by the one before."""
    await fill(store)
    outcomes: list[AppendOutcome] = []

    async def write(name: str) -> None:
        for number in range(10):
            outcomes.extend(await store.log.append([judged_by(0, f"{name}{number}")]))

    async with asyncio.TaskGroup() as tasks:
        for name in "abcd":
            tasks.create_task(write(name))
        await store.sharing.set_link(DOCUMENT, Link(None))
        there = await store.log.heads([DOCUMENT])
    assert await store.log.heads([DOCUMENT]) == there
    assert sum(isinstance(outcome, Appended) for outcome in outcomes) == there[DOCUMENT].seq


async def test_a_refused_append_does_not_hold_up_its_neighbours(store: SqlStore) -> None:
    await fill(store)
    appends = [append("a", document_id=NOWHERE), append("b"), append("c", epoch=2), append("d")]
    assert await store.log.append(appends) == [Gone(), Appended(Seq(1)), Fenced(EPOCH), Appended(Seq(2))]


async def test_reading_on_gives_the_rows_behind_a_seq(store: SqlStore) -> None:
    await fill(store, "a", "b", "c")
    assert await store.log.read(DOCUMENT, Seq(1)) == [Row(Seq(2), b"b"), Row(Seq(3), b"c")]
    assert await store.log.read(DOCUMENT, Seq(3)) == []
    assert await store.log.read(DOCUMENT, Seq(9)) == []


async def test_an_unknown_document_is_no_error(store: SqlStore) -> None:
    assert await store.log.append([append("a", document_id=NOWHERE)]) == [Gone()]
    assert await store.log.load(NOWHERE) is None
    assert await store.log.read(NOWHERE, Seq(0)) is None
    assert await store.log.heads([NOWHERE]) == {}
    assert await store.log.history(NOWHERE) == []


async def test_heads_of_many_documents_come_at_once(store: SqlStore) -> None:
    await fill(store, "a", "b")
    await fill(store, "a", document_id=OTHER)
    strangers = [DocumentId(f"stranger-{number:05}") for number in range(40_000)]
    expected = {DOCUMENT: head(2), OTHER: head(1)}
    assert await store.log.heads([DOCUMENT, *strangers, OTHER]) == expected


async def test_a_head_tells_of_the_title_and_the_trash(store: SqlStore) -> None:
    await fill(store, "a")
    await store.catalogue.rename(DOCUMENT, "Tea \U0001f375", NOON)
    moment = NOON + timedelta(microseconds=7)
    await store.catalogue.set_trashed(DOCUMENT, moment)
    assert await store.log.heads([DOCUMENT]) == {DOCUMENT: head(1, "Tea \U0001f375", moment)}
    await store.catalogue.set_trashed(DOCUMENT, None)
    assert await store.log.heads([DOCUMENT]) == {DOCUMENT: head(1, "Tea \U0001f375")}


async def test_appends_from_many_tasks_leave_neither_gaps_nor_doubles(store: SqlStore) -> None:
    await fill(store)
    await fill(store, document_id=OTHER)
    outcomes: dict[tuple[DocumentId, str], int] = {}

    async def write(name: str) -> None:
        for number in range(20):
            update_id = f"{name}{number}"
            pair = [append(update_id), append(update_id, document_id=OTHER)]
            for document_id, outcome in zip((DOCUMENT, OTHER), await store.log.append(pair), strict=True):
                assert isinstance(outcome, Appended)
                outcomes[document_id, update_id] = outcome.seq

    async with asyncio.TaskGroup() as tasks:
        for name in "abcdefgh":
            tasks.create_task(write(name))
    for document_id in (DOCUMENT, OTHER):
        rows = await store.log.read(document_id, Seq(0))
        assert rows is not None
        assert [row.seq for row in rows] == list(range(1, 161))
        assert {row.batch.decode(): row.seq for row in rows} == {
            update_id: seq for (of, update_id), seq in outcomes.items() if of == document_id
        }


async def test_a_reader_never_sees_a_row_before_the_one_in_front_of_it(store: SqlStore) -> None:
    await fill(store)
    writing = True

    async def write(name: str) -> None:
        for number in range(30):
            await store.log.append([append(f"{name}{number}"), append(f"{name}{number}'")])

    async def watch() -> None:
        while writing:
            rows = await store.log.read(DOCUMENT, Seq(0))
            assert rows is not None
            assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
            assert len(rows) % 2 == 0, "half an append was visible"

    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch())
        async with asyncio.TaskGroup() as writers:
            for name in "abc":
                writers.create_task(write(name))
        writing = False
        await watching


async def test_a_caller_who_stops_waiting_may_ask_again(store: SqlStore) -> None:
    await fill(store)
    abandoned = asyncio.ensure_future(store.log.append([append("a")]))
    await asyncio.sleep(0)
    abandoned.cancel()
    await asyncio.gather(abandoned, return_exceptions=True)
    assert await store.log.append([append("a")]) == [Appended(Seq(1))]
    assert await store.log.heads([DOCUMENT]) == {DOCUMENT: head(1)}


@pytest.mark.parametrize("seed", range(3))
async def test_any_bytes_come_back(store: SqlStore, seed: int) -> None:
    chance = random.Random(seed)
    batches = [chance.randbytes(chance.choice([0, 1, 40, 5_000, 300_000])) for _ in range(12)]
    await fill(store)
    await store.log.append([append(str(number), batch) for number, batch in enumerate(batches)])
    rows = await store.log.read(DOCUMENT, Seq(0))
    assert rows is not None
    assert [row.batch for row in rows] == batches


async def test_the_store_shows_a_sign_of_life(store: SqlStore) -> None:
    await store.check()
    await store.check()


async def test_marks_say_what_a_node_had_open_when_it_died(storage: Storage) -> None:
    async with storage.store() as store:
        await fill(store)
        await fill(store, document_id=OTHER)
        for document_id in (DOCUMENT, DOCUMENT, OTHER, NOWHERE):
            await store.open_marks.mark(document_id, "node-1")
        await store.open_marks.mark(OTHER, "node-2")
        await store.open_marks.unmark(OTHER, "node-1")
        await store.open_marks.unmark(NOWHERE, "node-1")
    async with storage.store() as store:
        assert await store.open_marks.marked("node-1") == {DOCUMENT}
        assert await store.open_marks.marked("node-2") == {OTHER}
        assert await store.open_marks.marked("node-3") == frozenset()


async def test_marks_of_others_are_forgotten_when_they_are_old(storage: Storage) -> None:
    """The test's clock moves on by a second whenever the store looks at it."""
    async with storage.store() as store:
        await fill(store)
        await fill(store, document_id=OTHER)
        for node_id in ("gone", "back", "here"):
            await store.open_marks.mark(DOCUMENT, node_id)
        await store.open_marks.forget_others("here", timedelta(days=30))
        assert await store.open_marks.marked("gone") == {DOCUMENT}
        for _ in range(60):
            await store.open_marks.mark(OTHER, "back")
        await store.open_marks.mark(DOCUMENT, "back")
    async with storage.store() as store:
        await store.open_marks.forget_others("here", timedelta(seconds=30))
        assert await store.open_marks.marked("gone") == frozenset()
        assert await store.open_marks.marked("back") == {DOCUMENT, OTHER}
        assert await store.open_marks.marked("here") == {DOCUMENT}


async def test_a_deleted_document_leaves_nothing_behind_under_its_id(store: SqlStore) -> None:
    await fill(store, "a", "b")
    await store.open_marks.mark(DOCUMENT, "node-1")
    assert await store.catalogue.delete(DOCUMENT)
    assert await store.log.append([append("c")]) == [Gone()]
    assert await store.log.load(DOCUMENT) is None
    await store.catalogue.create(DOCUMENT, "Again", Epoch(2), NOON)
    assert await store.open_marks.marked("node-1") == frozenset()
    assert await store.log.append([append("a")]) == [Fenced(Epoch(2))]
    assert await store.log.append([append("a", epoch=2)]) == [Appended(Seq(1))]
