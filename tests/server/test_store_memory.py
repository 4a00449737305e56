"""The store in memory, where it differs from a file: it is there at once, waits for nothing, and is nobody else's."""

import pytest
from sqlalchemy import Connection, insert

from crdt.errors import InvariantError
from crdt.ids import Seq
from server.store.base import Appended, Gone
from server.store.schema import documents
from tests.contracts.storages import DOCUMENT, append, fill, head
from tests.harness.memory_store import memory_store
from tests.simulation.virtual_loop import at_once


def test_nothing_waits() -> None:
    store = memory_store()
    at_once(fill(store, "a"))
    assert at_once(store.log.append([append("b")])) == [Appended(Seq(2))]
    at_once(store.check())


async def test_what_is_stored_outlives_closing_and_is_nobody_elses() -> None:
    store, another = memory_store(), memory_store()
    async with store:
        await fill(store, "a")
    async with store:
        assert await store.log.heads([DOCUMENT]) == {DOCUMENT: head(1)}
    assert await another.log.append([append("a")]) == [Gone()]


async def test_a_job_that_fails_changes_nothing_and_holds_nobody_up() -> None:
    store = memory_store()
    await fill(store, "a")

    def twice(connection: Connection) -> None:
        connection.execute(documents.update().values(title="Half"))
        connection.execute(insert(documents).values(document_id=DOCUMENT))

    with pytest.raises(InvariantError, match="used wrongly"):
        await store.database.write(twice)
    assert await store.log.heads([DOCUMENT]) == {DOCUMENT: head(1)}
    assert await store.log.append([append("b")]) == [Appended(Seq(2))]
