"""Hostile bytes against a live server, while two people work in the same document: each is answered, nobody else notices.

Everything that is known to crash, hang, poison or split the engines (tests/crdt/bad_updates.jsonl),
and honest updates with a few bytes changed.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment

from crdt.errors import Code
from crdt.yjs.contents import XML_ELEMENT
from crdt.yjs.varint import check_state_vector
from tests.crdt.test_gate_corpus import CASES, EXPECTED, updates_of
from tests.harness.bell import Bell
from tests.harness.stored import stored_screen
from tests.harness.stranger import Stranger, stranger
from tests.harness.typist import Typist, all_agree, typists
from tests.harness.update_writer import Id, collected, shared, text, update
from tests.server.server_process import ServerProcess, new_document, server_process

BOMB = b"\xff" * 100_000
KINDS_OF_CHANGE = 6


@dataclass
class Scene:
    """A document in which two people work, and somebody who means harm."""

    document_id: str
    people: list[Typist]
    mallory: Stranger

    async def goes_on(self) -> tuple[str, frozenset[str]]:
        """The two type, and agree."""
        for person in self.people:
            await person.types()
        return await all_agree(self.people)


@contextlib.asynccontextmanager
async def scene(server: ServerProcess, mallory: Stranger) -> AsyncIterator[Scene]:
    document_id = await new_document(server)
    async with typists(server.url, document_id, ["Alice", "Bob"], bell=Bell()) as people:
        assert await mallory.joins(document_id) is None
        yield Scene(document_id, people, mallory)
        await mallory.leaves()
        assert server.running


async def stops_in_good_order(server: ServerProcess) -> None:
    server.signal(signal.SIGTERM)
    assert await server.end() == 0
    assert "Traceback" not in "".join(server.log)


@pytest.mark.slow
async def test_every_bad_update_is_answered_while_others_work(tmp_path: Path) -> None:
    agreed: dict[str, tuple[str, frozenset[str]]] = {}
    async with server_process(tmp_path) as server, stranger(server.url) as mallory:
        for name, expected in EXPECTED.items():
            async with scene(server, mallory) as story:
                await story.goes_on()
                codes = []
                for each in updates_of(name):
                    codes.append(await mallory.sends(each))
                    agreed[story.document_id] = await story.goes_on()
                assert codes == expected, name
        await stops_in_good_order(server)
    for document_id, screen in agreed.items():
        assert await stored_screen(tmp_path, document_id) == screen
    async with server_process(tmp_path) as server:
        for document_id, screen in agreed.items():
            async with typists(server.url, document_id, ["Latecomer"]) as (late,):
                assert late.screen == screen


@pytest.mark.slow
async def test_bombs_and_lies_are_answered_while_others_work(tmp_path: Path) -> None:
    async with server_process(tmp_path) as server, stranger(server.url) as mallory, scene(server, mallory) as story:
        await story.goes_on()
        for case in CASES.values():
            if case["kind"] == "state_vector":
                for each in case["seq"]:
                    assert await mallory.joins(story.document_id, bytes.fromhex(each)) is Code.MALFORMED, case["name"]
        assert await mallory.joins(story.document_id, BOMB) is Code.MALFORMED
        assert await mallory.joins(story.document_id) is None
        assert await mallory.sends_batch(BOMB) is Code.MALFORMED
        assert await mallory.sends_batch(b"") is Code.MALFORMED
        for each in (BOMB, b"\1\1\1" + BOMB, b"\1" + BOMB, b"\0\1" + BOMB):
            assert await mallory.sends(each) is Code.BAD_UPDATE
        await story.goes_on()


@pytest.mark.slow
async def test_nobody_writes_in_anothers_name(tmp_path: Path) -> None:
    async with server_process(tmp_path) as server, stranger(server.url) as mallory, scene(server, mallory) as story:
        await story.goes_on()
        alice = story.people[0].doc
        clock = clock_of(story.people[0])
        for forged in (collected(2**20), text("not me", parent="text"), shared(XML_ELEMENT, parent="default")):
            assert await mallory.sends(update({alice.client_id: (clock, [forged])})) is Code.CLIENT_ID_TAKEN
            await story.goes_on()
            clock = clock_of(story.people[0])


def clock_of(person: Typist) -> int:
    """How many elements the person's own client id has written."""
    return check_state_vector(person.doc.get_state())[person.doc.client_id]


@pytest.mark.slow
async def test_a_tower_of_elements_built_one_by_one_has_an_end(tmp_path: Path) -> None:
    async with server_process(tmp_path) as server, stranger(server.url) as mallory, scene(server, mallory) as story:
        places: list[str | Id] = ["tower", *((1, clock) for clock in range(400))]
        floors = [update({1: (clock, [shared(XML_ELEMENT, parent=place)])}) for clock, place in enumerate(places)]
        codes = [await mallory.sends(floor) for floor in floors]
        height = codes.index(Code.DOCUMENT_FULL)
        assert set(codes[:height]) == {None}
        assert set(codes[height:]) <= {Code.DOCUMENT_FULL, Code.MISSING_PAST}
        assert await mallory.sends(update({}, {1: [(0, 1)]})) is None
        await story.goes_on()


Change = tuple[str, int, bytes]
CHANGES = st.lists(
    st.tuples(st.sampled_from(["set", "insert", "delete", "repeat"]), st.integers(0, 80), st.binary(max_size=3)),
    min_size=1,
    max_size=3,
)


def changed(honest: bytes, changes: list[Change]) -> bytes:
    """Change an update's bytes at some places."""
    out = bytearray(honest)
    for verb, place, some in changes:
        at = place % (len(out) + 1)
        match verb:
            case "set":
                out[at : at + len(some)] = some
            case "insert":
                out[at:at] = some
            case "delete":
                del out[at : at + 1 + len(some)]
            case _:
                out[at:at] = out[at : at + 1 + len(some)]
    return bytes(out)


def honest_updates(client_id: int) -> list[bytes]:
    """What a new page of a rich text's author sends, one update a change."""
    doc: Doc[Any] = Doc(client_id=client_id)
    made: list[bytes] = []
    subscription = doc.observe(lambda event: made.append(event.update))
    words, notes = doc.get("text", type=Text), doc.get("notes", type=Map)
    words += "some words"
    words.format(0, 4, {"bold": True})
    del words[2:5]
    notes["a"] = {"b": [1, None, "c"]}
    doc.get("default", type=XmlFragment).children.append(XmlElement("p", {"align": "left"}))
    doc.get("list", type=Array).extend([1, "two", b"three"])
    doc.unobserve(subscription)
    assert len(made) == KINDS_OF_CHANGE
    return made


@pytest.mark.slow
def test_whatever_a_few_changed_bytes_say_the_others_agree(tmp_path: Path) -> None:
    client_ids = iter(range(1000, 10**6))

    async def attack(story: Scene, number: int, changes: list[Change]) -> None:
        for at, honest in enumerate(honest_updates(next(client_ids))):
            code = await story.mallory.sends(changed(honest, changes) if at == number else honest)
            assert code is None or at >= number
        await story.goes_on()

    with asyncio.Runner() as runner:
        stack = contextlib.AsyncExitStack()
        server = runner.run(stack.enter_async_context(server_process(tmp_path)))
        mallory = runner.run(stack.enter_async_context(stranger(server.url)))
        story = runner.run(stack.enter_async_context(scene(server, mallory)))

        @settings(max_examples=50, suppress_health_check=list(HealthCheck))
        @given(st.integers(0, KINDS_OF_CHANGE - 1), CHANGES)
        def attacked(number: int, changes: list[Change]) -> None:
            runner.run(attack(story, number, changes))

        try:
            attacked()
            agreed = runner.run(story.goes_on())
        finally:
            runner.run(stack.aclose())
        runner.run(reads_the_same(tmp_path, story.document_id, agreed))


async def reads_the_same(data_dir: Path, document_id: str, agreed: tuple[str, frozenset[str]]) -> None:
    async with server_process(data_dir) as server, typists(server.url, document_id, ["Latecomer"]) as (late,):
        assert late.screen == agreed
