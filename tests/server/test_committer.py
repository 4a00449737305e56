"""Group commit: at once after a quiet spell, together when there is much, in the order of submission."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from crdt.ids import DocumentId, Epoch, Seq, UpdateId
from server.background import Background
from server.rooms.committer import LATELY, LONGEST, PER_DOCUMENT, Committer, Outcome
from server.store.base import Append, Appended, AppendOutcome, Log
from tests.harness.bell import PATIENCE
from tests.harness.memory_store import memory_store
from tests.simulation.virtual_loop import run_virtually

DOCUMENT = DocumentId("aaaaaaaa")


class CountingLog:
    """A log that remembers which appends came together."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.groups: list[list[UpdateId]] = []
        self.began: list[float] = []

    async def append(self, appends: Sequence[Append]) -> Sequence[AppendOutcome]:
        self.groups.append([append.update_id for append in appends])
        self.began.append(asyncio.get_running_loop().time())
        return await self._log.append(appends)


def test_the_first_leaves_alone_and_what_comes_soon_after_leaves_together() -> None:
    run_virtually(story())


async def story() -> None:
    outcomes: list[Outcome] = []
    everything = asyncio.Event()

    def done(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if len(outcomes) == 6:
            everything.set()

    async with memory_store() as store:
        await store.catalogue.create(DOCUMENT, "Story", Epoch(1), datetime.now(UTC))
        log = CountingLog(store.log)
        committer = Committer(log, deadline=5)  # type: ignore[arg-type]
        async with Background() as background:
            background.spawn(committer.run())
            for number in range(6):
                committer.submit(Append(DOCUMENT, Epoch(1), UpdateId(str(number)), b"\x01x"), done)
                await asyncio.sleep(0)  # the first begins
                await asyncio.sleep(0)
            async with asyncio.timeout(PATIENCE):
                await everything.wait()
    assert outcomes == [Appended(Seq(number)) for number in range(1, 7)]
    assert log.groups == [["0"], ["1", "2", "3", "4", "5"]]


@pytest.mark.parametrize(("writing", "pause"), [(1, PER_DOCUMENT), (3, 3 * PER_DOCUMENT), (30, LONGEST)])
def test_a_group_gathers_longer_the_more_documents_are_written_in(writing: int, pause: float) -> None:
    run_virtually(many_documents(writing, pause))


async def many_documents(writing: int, pause: float) -> None:
    documents = [DocumentId(f"document-{number:04}") for number in range(writing)]
    loop = asyncio.get_running_loop()
    async with memory_store() as store:
        log = CountingLog(store.log)
        committer = Committer(log, deadline=5)  # type: ignore[arg-type]
        async with Background() as background:
            background.spawn(committer.run())

            async def write(number: int) -> float:
                """Have one row committed, and return how long the row has waited for its group."""
                submitted, groups, done = loop.time(), len(log.began), asyncio.Event()
                append = Append(documents[number % writing], Epoch(1), UpdateId(str(number)), b"\x01x")
                committer.submit(append, lambda _outcome: done.set())
                async with asyncio.timeout(PATIENCE):
                    await done.wait()
                return log.began[groups] - submitted

            for number in range(LATELY):
                await write(number)
            assert await write(LATELY) == pytest.approx(pause, abs=1e-3)
            await asyncio.sleep(2 * LONGEST)
            assert await write(LATELY + 1) == pytest.approx(0, abs=1e-3), "at once after a quiet spell"
