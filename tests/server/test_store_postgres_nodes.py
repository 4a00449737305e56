"""Several nodes over one PostgreSQL: one order, nothing lost, nothing twice, whoever comes first."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import asyncpg
import pytest
from msgspec.structs import replace

from crdt.ids import ClientId, DocumentId, Epoch, Seq, UpdateId
from server.store.base import Append, Appended, AppendOutcome, Attachment, Fenced, Folded, Gone, Past, Row, Taken
from server.store.catalogue import TURN
from server.store.sql import SqlStore
from tests.contracts.storages import DOCUMENT, EPOCH, NOON, OTHER, append, fill, folding_into, head, join
from tests.harness.postgres import PostgresServer

pytestmark = pytest.mark.slow

NAME = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"  # sha256(b"test")
LOCK = "SELECT FROM documents WHERE document_id = $1 FOR UPDATE"
BIND = "INSERT INTO author_keys (document_key, client_id, key_hash) SELECT key, 7, $2 FROM documents WHERE document_id = $1"


@pytest.fixture
async def url(postgres: PostgresServer) -> str:
    return await postgres.new_schema()


@pytest.fixture
async def nodes(url: str) -> AsyncIterator[tuple[SqlStore, SqlStore]]:
    async with SqlStore(url) as one, SqlStore(url) as two:
        await fill(one)
        await fill(one, document_id=OTHER)
        yield one, two


@contextlib.asynccontextmanager
async def session(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A session of somebody else's."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def waiting(url: str, number: int) -> None:
    """Return when that many sessions wait for locks."""
    async with session(url) as watching:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while await watching.fetchval(query) < number:
            pass


async def rows(store: SqlStore, document_id: DocumentId = DOCUMENT) -> Sequence[Row]:
    """The whole log."""
    found = await store.log.read(document_id, Seq(0))
    assert found is not None
    return found


async def test_four_nodes_that_start_at_once_migrate_once(url: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        stores = [SqlStore(url) for _ in range(4)]
        await asyncio.gather(*(stack.enter_async_context(store) for store in stores))
        for number, store in enumerate(stores, 1):
            await fill(store, f"{number}")
        assert await stores[0].log.heads([DOCUMENT]) == {DOCUMENT: head(4)}


async def test_two_nodes_append_to_the_same_documents_without_gaps_or_losses(nodes: tuple[SqlStore, SqlStore]) -> None:
    acknowledged: dict[tuple[DocumentId, str], int] = {}

    async def write(store: SqlStore, name: str, order: Sequence[DocumentId]) -> None:
        for number in range(60):
            update_id = f"{name}{number}"
            outcomes = await store.log.append([append(update_id, document_id=document_id) for document_id in order])
            for document_id, outcome in zip(order, outcomes, strict=True):
                assert isinstance(outcome, Appended)
                acknowledged[document_id, update_id] = outcome.seq

    async with asyncio.TaskGroup() as tasks:  # in opposite orders: they would lock each other out for ever
        tasks.create_task(write(nodes[0], "a", [DOCUMENT, OTHER]))
        tasks.create_task(write(nodes[1], "b", [OTHER, DOCUMENT]))
    for document_id in (DOCUMENT, OTHER):
        log = await rows(nodes[0], document_id)
        assert [row.seq for row in log] == list(range(1, 121))
        assert {(document_id, row.batch.decode()): row.seq for row in log}.items() <= acknowledged.items()


async def test_a_reader_of_two_nodes_log_never_sees_a_row_before_the_one_in_front_of_it(
    nodes: tuple[SqlStore, SqlStore],
) -> None:
    writing = True

    async def write(store: SqlStore, name: str) -> None:
        for number in range(60):
            await store.log.append([append(f"{name}{number}"), append(f"{name}{number}'")])

    async def watch(store: SqlStore) -> None:
        seen: list[Row] = []
        while writing:
            seen += await store.log.read(DOCUMENT, Seq(len(seen))) or []
            assert [row.seq for row in seen] == list(range(1, len(seen) + 1))
            assert len(seen) % 2 == 0, "half an append was visible"

    async with asyncio.TaskGroup() as tasks:
        for store in nodes:
            tasks.create_task(watch(store))
        async with asyncio.TaskGroup() as writers:
            for store, name in zip(nodes, "ab", strict=True):
                writers.create_task(write(store, name))
        writing = False
    assert len(await rows(nodes[0])) == 240


async def test_an_update_id_that_two_sessions_append_at_the_same_moment_is_committed_once(
    url: str, nodes: tuple[SqlStore, SqlStore]
) -> None:
    """A node gave an append up and repeats it while the first try is still waiting in the server."""
    async with session(url) as other, asyncio.TaskGroup() as tasks:
        async with other.transaction():
            await other.execute(LOCK, DOCUMENT)
            tries = [
                tasks.create_task(store.log.append([append("x"), append(name)]))
                for store, name in zip(nodes, "ab", strict=True)
            ]
            await waiting(url, 2)
        outcomes = [await each for each in tries]
    assert [outcome[0] for outcome in outcomes] == [Appended(Seq(1))] * 2
    assert sorted(outcome[1].seq for outcome in outcomes if isinstance(outcome[1], Appended)) == [2, 3]
    assert {row.batch for row in await rows(nodes[0])} == {b"x", b"a", b"b"}


async def test_a_row_that_moves_words_and_is_repeated_while_its_first_try_waits_is_told_its_place(
    url: str, nodes: tuple[SqlStore, SqlStore]
) -> None:
    """The second try finds the first one's row, and must not take that for somebody else's."""
    move = replace(append("x"), known=Seq(0), moves=True)
    async with session(url) as other, asyncio.TaskGroup() as tasks:
        async with other.transaction():
            await other.execute(LOCK, DOCUMENT)
            tries = [tasks.create_task(store.log.append([move])) for store in nodes]
            await waiting(url, 2)
        assert [await each for each in tries] == [[Appended(Seq(1))]] * 2


@pytest.mark.parametrize(
    ("statement", "outcome"),
    [
        ("UPDATE documents SET epoch = 2 WHERE document_id = $1", Fenced(Epoch(2))),
        ("DELETE FROM documents WHERE document_id = $1", Gone()),
    ],
    ids=["restored", "deleted"],
)
async def test_what_happens_to_a_document_while_an_append_waits_for_it_fences_the_append(
    url: str, nodes: tuple[SqlStore, SqlStore], statement: str, outcome: AppendOutcome
) -> None:
    async with session(url) as other, asyncio.TaskGroup() as tasks:
        async with other.transaction():
            await other.execute(statement, DOCUMENT)
            appending = tasks.create_task(nodes[0].log.append([append("late"), append("y", document_id=OTHER)]))
            await waiting(url, 1)
        assert await appending == [outcome, Appended(Seq(1))]
        assert await other.fetchval("SELECT count(*) FROM log_rows") == 1


async def test_a_node_with_a_stale_epoch_is_fenced(url: str, nodes: tuple[SqlStore, SqlStore]) -> None:
    await fill(nodes[0], "a")
    async with session(url) as other:
        await other.execute("UPDATE documents SET epoch = 2 WHERE document_id = $1", DOCUMENT)
    assert await nodes[1].log.append([append("b"), append("c", epoch=2)]) == [Fenced(Epoch(2)), Appended(Seq(2))]
    assert await nodes[0].log.append([append("d")]) == [Fenced(Epoch(2))]


async def test_an_append_that_would_lock_itself_out_with_another_program_is_run_again(
    url: str, nodes: tuple[SqlStore, SqlStore]
) -> None:
    async def collide(update_id: str) -> bool:
        """Let both wait for each other; whether PostgreSQL gave up the append."""
        pair = [append(update_id), append(update_id, document_id=OTHER)]
        async with session(url) as other:
            try:
                async with other.transaction():
                    await other.execute(LOCK, OTHER)
                    appending = asyncio.ensure_future(nodes[0].log.append(pair))
                    await waiting(url, 1)
                    await other.execute(LOCK, DOCUMENT)  # granted when the append is given up
            except asyncpg.DeadlockDetectedError:
                return (
                    False  # it is the first to look for a deadlock who is given up, and the append had looked too early
                )
            finally:
                seqs.append(await appending)
        return True

    seqs: list[Sequence[AppendOutcome]] = []
    attempts = iter("abcdefghij")
    while not await collide(next(attempts)):
        pass
    assert seqs == [[Appended(Seq(number)), Appended(Seq(number))] for number in range(1, len(seqs) + 1)]


async def test_of_two_nodes_compactions_at_once_one_counts(nodes: tuple[SqlStore, SqlStore]) -> None:
    await fill(nodes[0], "a", "b")
    both_have_read = asyncio.Barrier(2)

    async def fold(_before: bytes | None, _batches: Sequence[bytes], _past: Past) -> Folded:
        await both_have_read.wait()
        return Folded(b"a+b", b"vector")

    reports = await asyncio.gather(*(store.log.compact(DOCUMENT, fold) for store in nodes))
    assert sum(report is not None for report in reports) == 1
    loaded = await nodes[0].log.load(DOCUMENT)
    assert loaded is not None
    assert (loaded.snapshot, loaded.rows) == (b"a+b", ())


async def test_a_storm_of_appends_and_compactions_on_two_nodes_loses_nothing(nodes: tuple[SqlStore, SqlStore]) -> None:
    writing = True

    async def write(store: SqlStore, name: str) -> None:
        for number in range(60):
            await store.log.append([append(f"{name}{number:02}")])

    async def compact(store: SqlStore) -> None:
        while writing:
            await store.log.compact(DOCUMENT, join)

    async with asyncio.TaskGroup() as tasks:
        for store in nodes:
            tasks.create_task(compact(store))
        async with asyncio.TaskGroup() as writers:
            for store, name in zip(nodes, "ab", strict=True):
                writers.create_task(write(store, name))
        writing = False
    loaded, entry = await nodes[0].log.load(DOCUMENT), await nodes[1].catalogue.get(DOCUMENT)
    assert loaded is not None
    assert entry is not None
    written = (loaded.snapshot or b"").decode().split("+") + [row.batch.decode() for row in loaded.rows]
    assert sorted(filter(None, written)) == sorted(f"{name}{number:02}" for name in "ab" for number in range(60))
    assert entry.size == len(loaded.snapshot or b"") + sum(len(row.batch) for row in loaded.rows)


async def test_a_size_includes_what_was_appended_while_a_compaction_waited(
    url: str, nodes: tuple[SqlStore, SqlStore]
) -> None:
    await fill(nodes[0], "aaaa")
    async with session(url) as other, asyncio.TaskGroup() as tasks:
        async with other.transaction():
            await other.execute(LOCK, DOCUMENT)
            appending = tasks.create_task(nodes[0].log.append([append("bb")]))
            await waiting(url, 1)
            compacting = tasks.create_task(nodes[1].log.compact(DOCUMENT, folding_into(b"snapshot")))
            await waiting(url, 2)
        await appending
        assert await compacting is not None
    entry = await nodes[0].catalogue.get(DOCUMENT)
    assert entry is not None
    assert entry.size == len(b"snapshot") + len(b"bb")


@pytest.mark.parametrize(
    ("attempt", "answer"),
    [
        (lambda store: store.attachments.put(DOCUMENT, Attachment(NAME, "image/png", b"test")), False),
        (lambda store: store.open_marks.mark(DOCUMENT, "node-1"), None),
        (lambda store: store.catalogue.rename(DOCUMENT, "New", NOON), None),
        (lambda store: store.log.compact(DOCUMENT, join), None),
        (lambda store: store.catalogue.delete(DOCUMENT), None),
    ],
    ids=["attach", "mark", "rename", "compact", "delete"],
)
async def test_what_waits_for_a_document_that_is_being_deleted_finds_it_gone(
    url: str, nodes: tuple[SqlStore, SqlStore], attempt: Callable[[SqlStore], Awaitable[object]], answer: object
) -> None:
    await fill(nodes[0], "a")
    async with session(url) as other, asyncio.TaskGroup() as tasks:
        async with other.transaction():
            await other.execute("DELETE FROM documents WHERE document_id = $1", DOCUMENT)
            trying = tasks.create_task(_of(attempt(nodes[0])))
            await waiting(url, 1)
        assert await trying == answer


async def _of(answer: Awaitable[object]) -> object:
    return await answer


async def test_a_deed_waits_for_one_that_has_a_number_and_is_not_committed(
    url: str, nodes: tuple[SqlStore, SqlStore]
) -> None:
    *_, made = await nodes[0].deeds.after(0)
    async with session(url) as other, asyncio.TaskGroup() as tasks:
        async with other.transaction():
            await other.execute("SELECT pg_advisory_xact_lock($1)", TURN)
            await other.execute(
                "INSERT INTO audit (at, actor_id, action, document_id, details) VALUES (0, 'anna', 'trash', $1, '{}')",
                DOCUMENT,
            )
            renaming = tasks.create_task(nodes[1].catalogue.rename(DOCUMENT, "New", NOON))
            await waiting(url, 1)
            assert await nodes[0].deeds.after(made.seq) == []
        await renaming
    assert [deed.kind for deed in await nodes[0].deeds.after(made.seq)] == ["trash", "rename"]


async def test_a_document_that_many_nodes_make_at_once_is_one(nodes: tuple[SqlStore, SqlStore]) -> None:
    made = await asyncio.gather(
        *(
            nodes[number % 2].catalogue.create(DocumentId("made-at-once"), f"{number}", Epoch(number), NOON)
            for number in range(8)
        )
    )
    assert len(set(made)) == 1


async def test_client_ids_stay_bound_to_the_key_of_the_node_that_was_first(nodes: tuple[SqlStore, SqlStore]) -> None:
    def binding(key: bytes) -> list[Append]:
        return [Append(DOCUMENT, EPOCH, UpdateId(f"{key!r}"), key, ((ClientId(7), key * 16),))]

    one, two = await asyncio.gather(nodes[0].log.append(binding(b"A")), nodes[1].log.append(binding(b"B")))
    loaded = await nodes[0].log.load(DOCUMENT)
    assert loaded is not None
    assert loaded.author_keys == {ClientId(7): (b"A" if one == [Appended(Seq(1))] else b"B") * 16}
    assert sorted(map(str, (*one, *two))) == sorted(map(str, (Appended(Seq(1)), Taken())))


@pytest.mark.parametrize("key", [b"B" * 16, b""], ids=["another key", "no key"])
async def test_who_waited_for_the_lock_sees_what_was_bound_meanwhile(
    url: str, nodes: tuple[SqlStore, SqlStore], key: bytes
) -> None:
    async with session(url) as other, asyncio.TaskGroup() as tasks:
        async with other.transaction():
            await other.execute(LOCK, DOCUMENT)
            trying = tasks.create_task(
                nodes[0].log.append([Append(DOCUMENT, EPOCH, UpdateId("b"), b"b", ((ClientId(7), key),))])
            )
            await waiting(url, 1)
            await other.execute(BIND, DOCUMENT, b"A" * 16)
        assert await trying == [Taken()]


async def test_a_clock_that_is_behind_does_not_take_the_last_edit_back(url: str) -> None:
    async with SqlStore(url, clock=lambda: NOON.replace(hour=20)) as ahead, SqlStore(url, clock=lambda: NOON) as behind:
        await fill(ahead, "a")
        await fill(behind, "b")
        entry = await behind.catalogue.get(DOCUMENT)
    assert entry is not None
    assert entry.updated_at == NOON.replace(hour=20)
