"""Rescues on a node: read from the log, done here or in the sandbox, and never in the way of an edit."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from pycrdt import Doc, Text, XmlElement, XmlFragment, XmlText

from crdt.errors import Unavailable
from crdt.ids import ClientId, Seq, UpdateId
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.messages import Acknowledged, JoinRequest, UpdateMessage
from crdt.rescue.rescue import Rescued, Said
from server.bus.memory import MemoryBusNetwork
from server.rooms import rescuing
from server.sandbox import Sandbox
from server.store.base import Append, Appended, Loaded
from tests.harness.house import DOCUMENT, House
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.live_server import until
from tests.harness.log_lines import log_lines
from tests.harness.rich_text import paragraph, step_of


class Page:
    """A person's page with rich text."""

    def __init__(self, house: House, name: str, client_id: int) -> None:
        self.house, self.name, self.client_id = house, name, client_id
        self.doc: Doc[Any] = Doc(client_id=client_id)
        self.root = cast(XmlFragment, self.doc.get("default", type=XmlFragment))
        self.heard = 0
        self.seq = 0

    async def joins(self) -> "Page":
        answer = await self.house.enter(self.name, DOCUMENT, JoinRequest(b"\0", ClientId(self.client_id)))
        assert answer.missing is not None
        self.doc.apply_update(answer.missing)
        self.seq = answer.seq
        return self

    def does(self, act: Callable[[], object]) -> bytes:
        return step_of(self.doc, act)

    async def sends(self, update: bytes, after: int | None = None) -> None:
        seat = self.house.visitor(self.name).seats[DOCUMENT]
        request = object()
        taking = seat.receive(_batch(update), cast(Any, request), Seq(self.seq if after is None else after))
        if taking is not None:
            await taking
        await until(lambda: isinstance(self.house.ears.answers.get(request), Acknowledged))

    def hears(self) -> None:
        said = [each for each in self.house.ears.said.get(self.name, []) if isinstance(each, UpdateMessage)]
        for message in said[self.heard :]:
            for update in decode_batch(message.batch):
                self.doc.apply_update(update)
        self.heard = len(said)


def _batch(update: bytes) -> bytes:
    return encode_batch([update])


def heading(page: Page, index: int = 0) -> bytes:
    block = cast(XmlElement, page.root.children[index])
    words = "".join(str(each) for each in block.children)

    def act() -> None:
        del page.root.children[index]
        page.root.children.insert(index, paragraph(words, "heading"))

    return page.does(act)


def types(page: Page, at: int, words: str, index: int = 0) -> bytes:
    block = cast(XmlElement, page.root.children[index])
    return page.does(lambda: cast(XmlText, block.children[0]).insert(at, words))


async def two(house: House, blocks: int = 1) -> tuple[Page, Page]:
    alice = await Page(house, "alice", 11).joins()
    await alice.sends(alice.does(lambda: [alice.root.children.append(paragraph(f"hello {n}")) for n in range(blocks)]))
    alice.seq = 1
    return alice, await Page(house, "bob", 12).joins()


async def test_words_survive_on_one_node_again_and_again() -> None:
    async with House() as house:
        alice, bob = await two(house)
        for turn in range(3):
            typed, restructured = types(alice, 5, f" {turn}"), heading(bob)
            after = alice.seq
            await alice.sends(typed, after)
            await bob.sends(restructured, after)
            alice.hears()
            bob.hears()
            alice.seq = bob.seq = house.driver.room.seq
        assert str(alice.root) == str(bob.root) == "<heading>hello 2 1 0 0</heading>"


@pytest.mark.parametrize("large", [False, True], ids=["here", "in the sandbox"])
async def test_a_large_document_is_rescued_in_the_sandbox(large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    if large:
        monkeypatch.setattr(rescuing, "INLINE_BYTES", 10)

    async with Sandbox(workers=1) as sandbox:
        original = sandbox.rescue

        async def rescue(loaded: Loaded, said: list[Said]) -> Rescued:
            asked.append(loaded.head)
            return await original(loaded, said)

        monkeypatch.setattr(sandbox, "rescue", rescue)
        async with House(sandbox=sandbox) as house:
            alice, bob = await two(house, blocks=3)
            typed, restructured = types(alice, 5, " new"), heading(bob)
            await alice.sends(typed, 1)
            await bob.sends(restructured, 1)
            alice.hears()
            assert "<heading>hello new 0</heading>" in str(alice.root)
    assert bool(asked) == large


async def test_a_busy_sandbox_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescuing, "INLINE_BYTES", 10)
    monkeypatch.setattr(rescuing, "BUSY_PAUSES", (0.0, 0.0))

    class Busy(InProcessSandbox):
        refusals = 2

        async def rescue(self, loaded: Loaded, said: Any) -> Rescued:
            self.refusals -= 1
            if self.refusals >= 0:
                raise Unavailable("The sandbox is busy.")
            return await super().rescue(loaded, said)

    async with House(sandbox=Busy()) as house:
        alice, bob = await two(house)
        typed, restructured = types(alice, 5, " new"), heading(bob)
        await alice.sends(typed, 1)
        await bob.sends(restructured, 1)
        alice.hears()
        assert str(alice.root) == "<heading>hello new 0</heading>"


@pytest.mark.slow
async def test_a_row_is_saved_though_another_node_is_faster_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescuing, "INLINE_BYTES", 10)
    monkeypatch.setattr(rescuing, "PATIENCE", 0.0)
    asked: list[int] = []
    other: Doc[Any] = Doc(client_id=99)
    notes = other.get("notes", type=Text)

    class Overtaken(InProcessSandbox):
        async def rescue(self, loaded: Loaded, said: Any) -> Rescued:
            asked.append(loaded.head)
            rescued = await super().rescue(loaded, said)
            before = other.get_state()
            notes.insert(0, "faster")
            batch = _batch(other.get_update(before))
            row = Append(DOCUMENT, loaded.epoch, UpdateId(f"other-{loaded.head}"), batch, known=loaded.head)
            assert await house.store.log.append([row]) == [Appended(Seq(loaded.head + 1))]
            return rescued

    async with House(sandbox=Overtaken()) as house:
        _, bob = await two(house)
        with log_lines() as lines:
            await bob.sends(heading(bob), 1)
        assert [line["event"] for line in lines if line["event"] == "rescue_failed"] == ["rescue_failed"]
    assert len(asked) == rescuing.MOST_OVERTAKEN


@pytest.mark.parametrize("broken_part", ["server.rooms.rescuing.answer", "crdt.rescue.rescue.rescue"])
async def test_a_rescue_that_breaks_costs_words_and_no_edit_and_the_log_says_so(
    broken_part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise RecursionError

    monkeypatch.setattr(broken_part, broken)
    async with House() as house:
        _, bob = await two(house)
        with log_lines() as lines:
            await bob.sends(heading(bob))
        assert [line["event"] for line in lines if line["event"] == "rescue_failed"] == ["rescue_failed"]
        assert house.driver.room.seq == 2


@pytest.mark.slow
async def test_nodes_that_know_nothing_of_each_other_lose_no_words() -> None:
    """No hint travels: each node learns from the store that it is behind."""
    async with House() as one, House(store=one.store, network=MemoryBusNetwork()) as other:
        alice, _ = await two(one)
        carol = await Page(other, "carol", 13).joins()
        for turn in range(3):
            typed, restructured = types(alice, 5, f" {turn}"), heading(carol)
            await alice.sends(typed, alice.seq)
            await carol.sends(restructured, carol.seq)
            await alice.sends(types(alice, 5, "!"), alice.seq)
            alice.hears()
            await other.driver.catch_up()
            carol.hears()
            alice.seq = carol.seq = one.driver.room.seq
        assert str(alice.root) == str(carol.root) == "<heading>hello! 2! 1! 0 0</heading>"
