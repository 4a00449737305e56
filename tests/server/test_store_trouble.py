"""The database of a live server is locked, or its disk full: nobody is told that anything is saved, and everything is saved afterwards."""

import asyncio
import contextlib
import resource
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.harness.bell import PATIENCE, Bell
from tests.harness.stored import stored_screen
from tests.harness.typist import Typist, all_agree, typists
from tests.server.server_process import ServerProcess, new_document, server_process

Trouble = Callable[[ServerProcess, Path], contextlib.AbstractContextManager[None]]
KILOBYTE = 2**10


@contextlib.contextmanager
def locked(server: ServerProcess, database: Path) -> Iterator[None]:
    """Another program, a backup say, holds the database."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextlib.contextmanager
def full(server: ServerProcess, database: Path) -> Iterator[None]:
    """Files of the server's process cannot grow any more; what is there already may be written to."""
    unlimited = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (KILOBYTE, unlimited[1]))
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, unlimited)


async def is_ready(server: ServerProcess) -> bool:
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as http:
        return (await http.get("/ready")).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("trouble", [locked, full])
async def test_edits_wait_for_the_store_and_drain_in_order(tmp_path: Path, trouble: Trouble) -> None:
    bell = Bell()
    async with server_process(tmp_path) as server:
        document_id = await new_document(server)
        async with typists(server.url, document_id, ["Alice", "Bob"], bell=bell) as people:
            await asyncio.gather(*(person.keeps_typing(10, 2) for person in people))
            await all_agree(people)
            saved, seen = [set(person.saved) for person in people], [person.seen for person in people]
            with trouble(server, tmp_path / "manyhands.db"):
                for person in people:
                    await person.keeps_typing(20, 100)
                await bell.until(lambda: all(person.durability == "waiting" for person in people))
                assert [person.saved for person in people] == saved
                assert [person.seen for person in people] == seen
                assert not await is_ready(server)
                async with typists(server.url, document_id, ["Carol"], bell=bell) as (carol,):
                    assert carol.durability == "waiting"
                    assert carol.seen == saved[0] | saved[1]
            await bell.until(lambda: all(person.durability == "ok" for person in people))
            agreed = await all_agree(people)
            assert len(agreed[1]) == 60
            async with asyncio.timeout(PATIENCE):
                while not await is_ready(server):  # which remembers for a moment what the store said last
                    pass
        server.signal(signal.SIGTERM)
        assert await server.end() == 0
    assert await stored_screen(tmp_path, document_id) == agreed


@pytest.mark.slow
async def test_kill_9_while_the_store_is_in_trouble_loses_nothing_that_was_told(tmp_path: Path) -> None:
    bell = Bell()
    async with server_process(tmp_path) as server:
        document_id = await new_document(server)
        alice = Typist(server.url, document_id, "Alice", bell)
        await alice.open()
        await alice.keeps_typing(10, 2)
        await alice.all_saved()
        with locked(server, tmp_path / "manyhands.db"):
            await alice.keeps_typing(10, 100)
            await bell.until(lambda: alice.durability == "waiting")
            server.signal(signal.SIGKILL)
            await server.end()
        await bell.until(lambda: not alice.joined)
        await alice.close()
    assert (await stored_screen(tmp_path, document_id))[1] == alice.saved
    assert len(alice.unsaved) == 10
