"""Values in lists and objects: each takes far more memory than its bytes, so a document may hold so many of them, and no more."""

from collections.abc import Sequence
from typing import Any

import pytest
from pycrdt import Doc, Map

from crdt.errors import Code
from crdt.ids import Epoch, Seq
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import Acknowledged, Refused
from crdt.protocol.row import Found, Row, Stored
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from server.rooms import RoomSettings
from server.rooms.mending import mend
from server.sandbox import WANT_OF_MEMORY, Sandbox, SandboxRejected, Trial
from tests.harness.house import House
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.live_server import until
from tests.harness.update_writer import text, update

MOST = 1000
SMALL = GateLimits(document_values=MOST)


def shapes(doc: "Doc[Any]", names: Sequence[str]) -> bytes:
    """Set what a drawing program keeps under each of these names: an object of four values, which makes five."""
    before = doc.get_state()
    with doc.transaction():
        for name in names:
            doc.get("shapes", type=Map)[name] = {"x": 1.5, "y": 2, "kind": "box", "points": None}
    return doc.get_update(before)


async def answer(house: House, change: bytes) -> Code | None:
    await house.send("anna", change)
    await until(lambda: change in house.ears.answers)
    answered = house.ears.answers[change]
    assert isinstance(answered, Refused | Acknowledged)
    return answered.code if isinstance(answered, Refused) else None


@pytest.mark.slow
async def test_living_values_are_bounded_and_what_was_overwritten_does_not_count() -> None:
    doc: Doc[Any] = Doc(client_id=7)
    names = [f"shape-{number}" for number in range(150)]
    async with Sandbox() as sandbox, House(sandbox=sandbox, settings=RoomSettings(gate_limits=SMALL)) as house:
        await house.join("anna")
        for _ in range(6):
            assert await answer(house, shapes(doc, names)) is None, "750 of them live"
        more = shapes(doc, [f"more-{number}" for number in range(100)])
        assert await answer(house, more) is Code.DOCUMENT_FULL
        words = update({8: (0, [text("words", parent="story")])})
        assert await answer(house, words) is None, "everything else goes on"


def test_what_a_document_holds_is_estimated_by_its_values_too() -> None:
    objects = shapes(Doc(client_id=7), [f"shape-{number}" for number in range(1000)])
    assert inspect(objects, GateLimits()).values == 5000


class Small(InProcessSandbox):
    """A worker with memory for so many rows."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.rows = rows

    async def trial(self, stored: Stored, limits: GateLimits, person: str = "") -> Trial:
        if sum(not row.set_aside for row in stored.rows) > self.rows:
            raise SandboxRejected(WANT_OF_MEMORY, died=True)
        return await super().trial(stored, limits)


def rows(count: int) -> list[Row]:
    return [
        Row(Seq(number), encode_batch([update({number: (0, [text("x", parent="t")])})]))
        for number in range(1, count + 1)
    ]


async def test_no_row_is_blamed_for_a_document_that_is_too_large() -> None:
    stored = Stored(Epoch(1), None, Seq(0), rows(40), {})
    with pytest.raises(SandboxRejected) as rejected:
        await mend(stored, Small(25), GateLimits())
    assert (rejected.value.code, rejected.value.died) == (Code.TOO_COSTLY, False)


async def test_a_single_row_that_takes_all_memory_is_set_aside() -> None:
    found: tuple[Found, ...] = await mend(Stored(Epoch(1), None, Seq(0), rows(8), {}), Small(7), GateLimits())
    assert [each.seq for each in found] == [8]
