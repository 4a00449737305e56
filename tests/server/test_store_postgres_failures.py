"""PostgreSQL killed, restarted, frozen, locked: a sentence in time, nothing acknowledged lost, and on it goes with the same node."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

import asyncpg
import pytest

from crdt.errors import Unavailable
from crdt.ids import Seq
from server.store.base import Appended
from server.store.postgres.place import Place
from server.store.postgres.server import connect
from server.store.sql import SqlStore
from tests.contracts.storages import DOCUMENT, NOON, OTHER, append, fill, head, join
from tests.harness.bell import PATIENCE
from tests.harness.postgres import PASSWORD, PostgresServer

pytestmark = pytest.mark.slow

T = TypeVar("T")

SOON = 0.3
"""Seconds: a deadline for stores whose server will not answer."""

CALLS: list[Callable[[SqlStore], Awaitable[object]]] = [
    lambda store: store.log.append([append("late")]),
    lambda store: store.log.load(DOCUMENT),
    lambda store: store.log.heads([DOCUMENT]),
    lambda store: store.log.compact(DOCUMENT, join),
    lambda store: store.catalogue.rename(DOCUMENT, "New", NOON),
    lambda store: store.check(),
]


@pytest.fixture
async def url(postgres: PostgresServer) -> str:
    return await postgres.new_schema()


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    """A store that soon gives up, with sessions of each kind."""
    async with SqlStore(url) as patient:
        await fill(patient, "a")
    async with SqlStore(url, deadline=SOON) as hasty:
        await insist(hasty, "a")
        await retried(lambda: hasty.log.load(DOCUMENT))
        yield hasty


@contextlib.contextmanager
def frozen(postgres: PostgresServer) -> Iterator[None]:
    postgres.pause()
    try:
        yield
    finally:
        postgres.resume()


async def retried(call: Callable[[], Awaitable[T]]) -> T:
    """Ask again until there is an answer."""
    while True:
        with contextlib.suppress(Unavailable):
            return await call()


async def insist(store: SqlStore, update_id: str) -> int:
    """Append as a room does: the same batch again until it is durable."""
    (outcome,) = await retried(lambda: store.log.append([append(update_id)]))
    assert isinstance(outcome, Appended)
    return outcome.seq


@pytest.mark.slow
async def test_a_frozen_server_is_unavailable_in_time_and_goes_on_when_it_thaws(
    postgres: PostgresServer, store: SqlStore
) -> None:
    with frozen(postgres):
        for call in CALLS:
            with pytest.raises(Unavailable, match="does not answer in time") as refused:
                await call(store)
            assert PASSWORD not in str(refused.value)
    assert await insist(store, "late") == 2
    assert await insist(store, "b") == 3
    await retried(store.check)
    loaded = await retried(lambda: store.log.load(DOCUMENT))
    assert loaded is not None
    assert [row.batch for row in loaded.rows] == [b"a", b"late", b"b"]


async def test_many_who_wait_for_a_frozen_server_are_all_told(postgres: PostgresServer, store: SqlStore) -> None:
    with frozen(postgres):
        answers = await asyncio.gather(*(call(store) for call in CALLS * 5), return_exceptions=True)
    assert {type(answer) for answer in answers} == {Unavailable}
    assert await insist(store, "late") == 2
    heads = await asyncio.gather(*(retried(lambda: store.log.heads([DOCUMENT])) for _ in range(20)))
    assert heads == [{DOCUMENT: head(2)}] * 20


@pytest.mark.slow
async def test_whoever_stops_waiting_for_a_frozen_server_is_let_go(postgres: PostgresServer, url: str) -> None:
    async with SqlStore(url) as store:
        await fill(store)
        with frozen(postgres):
            for call in CALLS:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(SOON):
                        await call(store)
        assert await insist(store, "late") == 1


async def test_a_store_that_closes_while_its_server_is_frozen_closes(postgres: PostgresServer, url: str) -> None:
    async with SqlStore(url, deadline=SOON) as store:
        await retried(lambda: fill(store))
        waiting = [asyncio.ensure_future(call(store)) for call in CALLS]
        await asyncio.sleep(0)
        postgres.pause()
    postgres.resume()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert not [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, Unavailable)]


async def test_a_store_whose_sessions_rest_closes_while_its_server_is_frozen(
    postgres: PostgresServer, store: SqlStore
) -> None:
    with frozen(postgres):
        async with asyncio.timeout(PATIENCE):
            await store.__aexit__()


async def test_a_document_that_another_program_locks_is_unavailable_and_its_append_is_not_half_done(
    store: SqlStore, url: str
) -> None:
    await retried(lambda: fill(store, document_id=OTHER))
    other = await asyncpg.connect(url)
    async with other.transaction():
        await other.execute("SELECT FROM documents WHERE document_id = $1 FOR UPDATE", DOCUMENT)
        with pytest.raises(Unavailable):
            await store.log.append([append("late"), append("x", document_id=OTHER)])
    await other.close()
    assert await insist(store, "late") == 2
    x = append("x", document_id=OTHER)
    assert await retried(lambda: store.log.append([x])) == [Appended(Seq(1))]


async def test_a_node_that_stops_in_the_middle_of_a_transaction_does_not_keep_its_locks(url: str) -> None:
    async with SqlStore(url) as store:
        await fill(store, "a")
        stopped = await connect(Place.of(url), statement_seconds=10, silence_seconds=SOON)
        # In one message: between two it might be silent too long already.
        await stopped.execute(f"BEGIN; SELECT FROM documents WHERE document_id = '{DOCUMENT}' FOR UPDATE")
        assert await store.log.append([append("b")]) == [Appended(Seq(2))]
        with pytest.raises(
            (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
        ):  # it was ended
            await stopped.execute("COMMIT")
        stopped.terminate()


async def test_a_restarted_server_is_found_again_by_every_session(postgres: PostgresServer, url: str) -> None:
    async with SqlStore(url) as store:
        await fill(store, "a")
        await asyncio.gather(*(store.log.load(DOCUMENT) for _ in range(8)))
        postgres.shut_down()
        for call in CALLS:
            with pytest.raises(Unavailable, match="does not answer"):
                await call(store)
        postgres.start()
        assert await insist(store, "b") == 2
        loads = await asyncio.gather(*(store.log.load(DOCUMENT) for _ in range(8)))
        assert all(loaded is not None and loaded.head == 2 for loaded in loads)


async def test_sessions_that_the_operator_ends_are_replaced(postgres: PostgresServer, url: str) -> None:
    async with SqlStore(url) as store:
        await fill(store, "a")
        for number in range(2, 5):
            await postgres.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'manyhands'"
            )
            assert await insist(store, f"{number}") == number


async def _append_until_told(store: SqlStore, name: str, told: asyncio.Event, acknowledged: dict[str, int]) -> None:
    for number in itertools.count():
        update_id = f"{name}.{number}"
        acknowledged[update_id] = await insist(store, update_id)
        if told.is_set():
            return


@pytest.mark.slow
async def test_every_acknowledged_row_survives_kill_9_of_the_server(postgres: PostgresServer, url: str) -> None:
    chance = random.Random(9)
    acknowledged: dict[str, int] = {}
    async with SqlStore(url) as one, SqlStore(url) as two:
        await fill(one)
        for round_ in range(6):
            told = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                for name, store in (("a", one), ("b", two), ("c", two)):
                    tasks.create_task(_append_until_told(store, f"{round_}{name}", told, acknowledged))
                enough = len(acknowledged) + chance.randrange(1, 200)
                while len(acknowledged) < enough:  # noqa: ASYNC110 - a number has no event to wait for
                    await asyncio.sleep(0)
                postgres.kill()
                postgres.start()
                told.set()
        loaded = await one.log.load(DOCUMENT)
    assert loaded is not None
    assert {row.batch.decode(): row.seq for row in loaded.rows} == acknowledged
    assert [row.seq for row in loaded.rows] == list(range(1, loaded.head + 1))
