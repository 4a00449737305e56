"""Group commit: at once after a quiet spell, together when there is much, in the order of submission."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from crdt.ids import DocumentId, Epoch, Seq, UpdateId
from server.background import Background
from server.rooms.committer import Committer, Outcome
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

    async def append(self, appends: Sequence[Append]) -> Sequence[AppendOutcome]:
        self.groups.append([append.update_id for append in appends])
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
