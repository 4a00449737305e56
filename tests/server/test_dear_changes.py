"""What the document engine would work on for long: measured in the sandbox first, then read folded instead of applied, or refused."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace
from pycrdt import Doc

from crdt.errors import Code, Unavailable
from crdt.gate.engine_cost import PLENTY
from crdt.protocol.messages import Acknowledged, Refused, UpdateMessage
from crdt.protocol.row import Stored
from crdt.yjs.limits import GateLimits
from server.bus.memory import MemoryBusNetwork
from server.sandbox import Trial
from tests.harness.house import DOCUMENT, House
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.live_server import until
from tests.harness.memory_store import memory_store
from tests.harness.update_writer import text, update
from tests.simulation.virtual_loop import run_virtually

LONG = "x" * 200_000
BEGIN = update({9: (0, [text(LONG, parent="story")])})
CUTS = update({}, {9: [(at * 4, 1) for at in range(4000)]})


class Measuring(InProcessSandbox):
    """A worker that says how long it took, with `CUTS` and without.

    `trials`: how often somebody waited for its answer. `openings`: how often nobody did.
    """

    def __init__(self, apply_seconds: float = 0.0, load_seconds: float = 0.0, without: float = 0.0) -> None:
        super().__init__()
        self.apply_seconds, self.load_seconds, self.without = apply_seconds, load_seconds, without
        self.trials = self.openings = 0

    async def trial(self, stored: Stored, limits: GateLimits, person: str = "") -> Trial:
        self.trials += 1
        trial = await super().trial(stored, limits, person)
        cut = any(CUTS in row.batch for row in stored.rows)
        load_seconds = self.load_seconds if cut else self.without
        return replace(trial, apply_seconds=self.apply_seconds, load_seconds=load_seconds)

    async def opening(self, snapshot: bytes, updates: Sequence[bytes], limits: GateLimits, person: str = "") -> float:
        self.openings += 1
        await super().opening(snapshot, updates, limits, person)
        return self.without


class Watched:
    """The engine, and what it was given."""

    def __init__(self) -> None:
        self.given: list[bytes] = []

    def __call__(self, doc: Doc[Any], change: bytes) -> None:
        self.given.append(change)
        doc.apply_update(change)


def answer(house: House, request: object) -> Code | str:
    """The refusal's code, or what else became of it; the changes themselves are too long for an assertion's words."""
    match house.ears.answers.get(request):
        case Acknowledged():
            return "acknowledged"
        case Refused() as refused:
            return refused.code
        case _:
            return "unanswered"


def test_a_dear_change_that_is_quick_after_all_is_applied_like_any_other() -> None:
    async def story() -> None:
        sandbox, engine = Measuring(), Watched()
        async with House(sandbox=sandbox, engine=engine) as house:
            await house.join("anna")
            await house.send("anna", BEGIN)
            await house.send("anna", CUTS)
            await asyncio.sleep(1)
            assert answer(house, CUTS) == "acknowledged"
            assert sandbox.trials == 1
            assert engine.given.count(CUTS) == 1
            assert len(await house.join("late")) == len(LONG) - 4000

    run_virtually(story())


@pytest.mark.slow
async def test_a_dear_change_is_taken_and_the_node_reads_it_folded() -> None:
    engine = Watched()
    async with House(sandbox=Measuring(apply_seconds=2.0), engine=engine) as house:
        for name in ("anna", "bob"):
            await house.join(name)
        await house.send("anna", BEGIN)
        sending = house.send("anna", CUTS)
        house.write("bob", "meanwhile", client_id=5)
        await sending
        house.write("bob", "afterwards", client_id=6)
        everything = CUTS, "meanwhile", "afterwards"
        await until(lambda: {answer(house, each) for each in everything} == {"acknowledged"})
        assert engine.given.count(CUTS) == 0
        loaded = await house.store.log.load(DOCUMENT)
        assert loaded is not None
        assert loaded.snapshot_seq > 0
        shown = await house.join("late")
        assert len(shown) == len(LONG) - 4000 + len("meanwhileafterwards")
        assert await house.stored_text() == shown


@pytest.mark.slow
async def test_other_nodes_read_a_dear_change_folded_as_well() -> None:
    store, network, engine = memory_store(), MemoryBusNetwork(), Watched()
    sandbox = Measuring(apply_seconds=2.0)
    async with (
        House(store, sandbox, 60.0, network=network) as here,
        House(store, sandbox, 60.0, engine, network) as there,
    ):
        await here.join("anna")
        await here.send("anna", BEGIN)
        await until(lambda: answer(here, BEGIN) == "acknowledged")
        assert len(await there.join("bob")) == len(LONG)
        await here.send("anna", CUTS)
        here.write("anna", "afterwards", client_id=6)
        there_now = there.rooms.registry.get(DOCUMENT)
        assert there_now is not None
        await until(lambda: there_now.room.seq == 3)
        assert engine.given.count(CUTS) == 0
        assert len(await there.join("late")) == len(LONG) - 4000 + len("afterwards")


def test_what_would_make_the_document_dear_to_open_is_refused_and_nothing_else_is() -> None:
    async def story() -> None:
        sandbox = Measuring(load_seconds=5.0)
        async with House(sandbox=sandbox) as house:
            for name in ("mallory", "bob"):
                await house.join(name)
            await house.send("mallory", BEGIN)
            await house.send("mallory", CUTS)
            house.write("bob", "goes on", client_id=5)
            await asyncio.sleep(1)
            assert answer(house, CUTS) == Code.TOO_COSTLY
            assert answer(house, "goes on") == "acknowledged"
            assert not any(isinstance(m, UpdateMessage) and CUTS in m.batch for m in house.ears.said["bob"])

    run_virtually(story())


def test_a_document_that_is_dear_to_open_already_takes_what_makes_it_little_dearer() -> None:
    async def story() -> None:
        async with House(sandbox=Measuring(load_seconds=5.0, without=4.9)) as house:
            await house.join("anna")
            await house.send("anna", BEGIN)
            await house.send("anna", CUTS)
            await until(lambda: answer(house, CUTS) == "acknowledged")

    run_virtually(story())


async def makes_many_small_cuts(house: House) -> None:
    """Cut a text ten thousand times, by a hundred changes."""
    await house.join("anna")
    await house.send("anna", BEGIN)
    cuts = [update({}, {9: [(at * 4, 1) for at in range(start, start + 100)]}) for start in range(0, 10_000, 100)]
    for each in cuts:
        await house.send("anna", each)
        await asyncio.sleep(0.01)
    await asyncio.sleep(1)
    assert {answer(house, each) for each in cuts} == {"acknowledged"}


@pytest.fixture
def _measured_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a tenth of the work."""
    monkeypatch.setattr("crdt.gate.engine_cost.ROUNDS", 4)
    monkeypatch.setattr("server.rooms.trials.SOON", 2 * PLENTY)


@pytest.mark.slow
@pytest.mark.usefixtures("_measured_often")
def test_many_small_changes_are_measured_now_and_then_and_nobody_waits() -> None:
    async def story() -> None:
        sandbox = Measuring()
        async with House(sandbox=sandbox) as house:
            await makes_many_small_cuts(house)
        assert 2 <= sandbox.openings <= 10
        assert sandbox.trials == 0

    run_virtually(story())


@pytest.mark.slow
@pytest.mark.usefixtures("_measured_often")
def test_many_small_changes_of_a_document_that_has_become_slow_to_open_are_tried_by_themselves() -> None:
    async def story() -> None:
        sandbox = Measuring(without=5.0)
        async with House(sandbox=sandbox) as house:
            await makes_many_small_cuts(house)
        assert sandbox.trials == 2, "the document with the change and without, and nobody waits once more"
        assert sandbox.openings > 1

    run_virtually(story())


@pytest.mark.slow
@pytest.mark.usefixtures("_measured_often")
def test_many_small_changes_are_tried_by_themselves_where_the_document_cannot_be_measured() -> None:
    class Busy(Measuring):
        async def opening(
            self, snapshot: bytes, updates: Sequence[bytes], limits: GateLimits, person: str = ""
        ) -> float:
            asked.append(person)
            raise Unavailable("The sandbox is busy.")

    asked: list[str] = []

    async def story() -> None:
        sandbox = Busy()
        async with House(sandbox=sandbox) as house:
            await makes_many_small_cuts(house)
        assert 1 <= sandbox.trials <= 5
        assert not asked[0], "nobody waits, so this job is not urgent"
        assert asked[1], "somebody waits"

    run_virtually(story())
