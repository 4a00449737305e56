"""Whether the process lives, and whether it can work."""

import asyncio

from crdt.errors import Unavailable
from server.store.sql import SqlStore
from tests.harness.memory_store import SqliteInMemory
from tests.server.http_site import Site


class AilingStore(SqlStore):
    """A store that can be made to fail or to hang when it is asked for a sign of life."""

    def __init__(self) -> None:
        super().__init__(SqliteInMemory())
        self.asked = 0
        self.ails: str | None = None
        self.answers_late = asyncio.Event()

    async def check(self) -> None:
        self.asked += 1
        if self.ails == "fails":
            raise Unavailable("The disk is full.")
        if self.ails == "hangs":
            await self.answers_late.wait()


async def test_the_process_lives_whatever_the_store_does() -> None:
    store = AilingStore()
    store.ails = "fails"
    async with Site(store).client() as client:
        answer = await client.get("/health")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": "1.2.3"})
        assert answer.headers["cache-control"] == "no-store"


async def test_ready_follows_the_store() -> None:
    store = AilingStore()
    site = Site(store)
    async with site.client() as client:
        assert (await client.get("/ready")).json() == {"status": "ready"}
        for ails, reason in (
            ("fails", "The store does not answer; the server's log says why."),
            ("hangs", "The store has not answered for 0.05 s."),
        ):
            store.ails = ails
            site.clock.seconds += 2
            answer = await client.get("/ready")
            assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "reason": reason})
        store.ails = None
        store.answers_late.set()
        site.clock.seconds += 2
        assert (await client.get("/ready")).status_code == 200


async def test_a_late_answer_of_the_store_is_waited_for() -> None:
    """It may be the first of a session that takes long to begin, and would never begin."""
    store = AilingStore()
    site = Site(store)
    store.ails = "hangs"
    async with site.client() as client:
        for _ in range(3):
            assert (await client.get("/ready")).status_code == 503
            site.clock.seconds += 2
        store.answers_late.set()
        assert (await client.get("/ready")).status_code == 200
        assert store.asked == 1


async def test_many_questions_are_one_to_the_store() -> None:
    store = AilingStore()
    async with Site(store).client() as client:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(20):
                tasks.create_task(client.get("/ready"))
        assert store.asked == 1


async def test_a_server_that_is_leaving_is_not_ready() -> None:
    site = Site()
    async with site.client() as client:
        site.health.draining = True
        answer = await client.get("/ready")
        assert (answer.status_code, answer.json()["reason"]) == (503, "The server is shutting down.")
