"""People who may only suggest, in rooms: what they write is proven first, and nobody waits for that."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from pycrdt import Map, Text, XmlElement, XmlText

from crdt.content.schema import SCHEMA
from crdt.errors import Code
from crdt.ids import DocumentId, Epoch, Seq
from crdt.permissions import Role
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import Acknowledged, Format, Refused, Request
from crdt.protocol.row import Row
from crdt.suggestions.views import view_of
from crdt.yjs.limits import GateLimits
from server.bus.memory import MemoryBus, MemoryBusNetwork
from server.sandbox.judging import Brief, Judged
from server.store.sql import SqlStore
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.live_server import until
from tests.harness.memory_store import memory_store
from tests.harness.node import Node, running_node
from tests.harness.suggester import (
    ATTACKS,
    FORM_ATTACKS,
    HONEST,
    OURS_ALONE,
    Writer,
    adds_a_block,
    comments_on_an_object,
    marks_words,
    own_element,
    proposes_of_a_block,
    suggests_a_block,
    suggests_words,
    texts_in,
    types,
    withdraws_a_block,
)

DOCUMENT = DocumentId("a-document")


class Author:
    """A person in the document, and what they do there."""

    def __init__(self, node: Node, name: str, random: Random) -> None:
        self.person = node.person(name)
        self.writer = Writer(name, self.person.doc.client_id, random)
        self.person.doc = self.writer.doc

    async def joins(self, declares: Format | None = None) -> None:
        await self.person.joins(DOCUMENT, declares=declares)
        self.writer.updates.clear()

    async def does(self, act: Callable[[Writer], object], after: int | None = None) -> Acknowledged | Refused | None:
        updates = self.writer.does(act)
        return await self.sends(updates, after) if updates else None

    async def sends(self, updates: Sequence[bytes], after: int | None = None) -> Acknowledged | Refused:
        seat = self.person.seats[DOCUMENT]
        waiting = seat.receive(encode_batch(updates), Request(object()), None if after is None else Seq(after))
        if waiting is not None:
            await waiting
        return await self.person.hears_back()

    @property
    def text(self) -> str:
        return str(self.writer.root)

    @property
    def sees(self) -> list[object]:
        """Everything, in a form that is the same for the same text."""
        return [view_of(child, "nobody").content for child in self.writer.root.children]


class Place:
    """Nodes over one store, which hear of each other or not."""

    def __init__(self, store: SqlStore, nodes: Sequence[Node]) -> None:
        self.store = store
        self.nodes = nodes
        self.random = Random(7)

    async def comes(self, name: str, role: Role, node: int = 0, declares: Format | None = None) -> Author:
        await self.store.sharing.grant(DOCUMENT, name, role)
        author = Author(self.nodes[node], name, self.random)
        await author.joins(declares)
        return author

    async def format(self) -> Format | None:
        entry = await self.store.catalogue.get(DOCUMENT)
        assert entry is not None
        return entry.format

    async def rows(self) -> Sequence[Row]:
        loaded = await self.store.log.load(DOCUMENT)
        assert loaded is not None
        return loaded.rows


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    async for each in places(deaf=False):
        yield each


@pytest.fixture
async def deaf_place() -> AsyncIterator[Place]:
    """Two nodes that hear nothing of each other, and find out from the log."""
    async for each in places(deaf=True):
        yield each


async def places(*, deaf: bool, gate_limits: GateLimits | None = None) -> AsyncIterator[Place]:
    network = MemoryBusNetwork()
    async with memory_store() as store, AsyncExitStack() as stack:
        await store.catalogue.create(DOCUMENT, "Story", Epoch(1), datetime.now(UTC), owner="owner", link_role=None)
        buses = [MemoryBus(MemoryBusNetwork() if deaf else network) for _ in range(2)]
        nodes = [running_node(store, bus, gate_limits=gate_limits) for bus in buses]
        yield Place(store, [await stack.enter_async_context(node) for node in nodes])


def writes(*words: str) -> Callable[[Writer], None]:
    def act(writer: Writer) -> None:
        for each in words:
            writer.root.children.append(XmlElement("paragraph", {}, [XmlText(each)]))

    return act


def code_of(answer: Acknowledged | Refused | None) -> Code | None:
    return answer.code if isinstance(answer, Refused) else None


async def test_a_commenter_suggests_and_everybody_sees_it(place: Place) -> None:
    ann = await place.comes("ann", Role.EDITOR)
    await ann.does(writes("Hello brave new world", "Another line"))
    bob = await place.comes("bob", Role.COMMENTER)
    for act in HONEST * 2:
        answer = await bob.does(act)
        assert answer is None or isinstance(answer, Acknowledged), answer
    assert ann.sees == bob.sees
    assert "insertion--" in ann.text
    assert "comment--" in ann.text


SOME = ("unknown node", "own words among accepted blocks", "empty text in the root", "time that no browser shows")
"""Of what no page can show. tests/crdt/test_suggestions.py has all."""


@pytest.mark.parametrize("attack", [*(name for name in ATTACKS if name not in FORM_ATTACKS), *SOME])
async def test_what_is_more_than_a_suggestion_is_refused_and_leaves_no_trace(place: Place, attack: str) -> None:
    ann = await place.comes("ann", Role.EDITOR)
    await ann.does(writes("Hello brave new world", "Another line"))
    await ann.does(
        lambda writer: writer.root.children.append(
            XmlElement("blockquote", {}, [XmlElement("paragraph", {}, [XmlText("Quoted")])])
        )
    )
    await ann.does(marks_words("comment"))
    await ann.does(comments_on_an_object)
    await ann.does(proposes_of_a_block)
    await ann.does(
        lambda writer: writer.root.children[1].attributes.__setitem__("suggestion", writer.of_block("delete"))
    )
    bob = await place.comes("bob", Role.COMMENTER)
    await bob.does(suggests_words)
    await bob.does(HONEST[6])
    before, rows = ann.sees, len(await place.rows())
    answer = await bob.does(ATTACKS[attack])
    assert code_of(answer) in (Code.NOT_A_SUGGESTION, Code.BAD_UPDATE)
    assert (ann.sees, len(await place.rows())) == (before, rows)
    # The page begins anew, from what the server has.
    again = await place.comes("bob2", Role.COMMENTER)
    assert isinstance(await again.does(suggests_words), Acknowledged)


OURS, OLDER = Format(SCHEMA.name, SCHEMA.version), Format(SCHEMA.name, 1)
NEVER, STRANGE = Format(SCHEMA.name, 1_000_000), Format("strange", 1)


@pytest.mark.parametrize("has", [None, OLDER, STRANGE], ids=["none", "older", "strange"])
@pytest.mark.parametrize("declares", [OURS, NEVER, STRANGE, Format("strange", 9)], ids=lambda each: str(each.version))
async def test_a_commenter_takes_the_text_from_nobody_by_declaring_a_format(
    place: Place, has: Format | None, declares: Format
) -> None:
    ann = await place.comes("ann", Role.EDITOR, declares=has)
    await ann.does(writes("Hello brave new world"))
    bob = await place.comes("bob", Role.COMMENTER, declares=declares)
    await bob.does(ATTACKS["plain words"])
    raised = has is OLDER and declares is OURS
    assert await place.format() == (OURS if raised else has), "this server's own editor may raise its own format"
    if not raised:
        assert isinstance(await ann.does(types), Acknowledged)


@pytest.mark.parametrize("attack", ["unknown type in a block's suggestion", "odd format"])
async def test_what_a_proposal_would_do_is_of_the_format_of_the_document(place: Place, attack: str) -> None:
    ann = await place.comes("ann", Role.EDITOR, declares=OURS)
    await ann.does(writes("Hello brave new world"))
    bob = await place.comes("bob", Role.COMMENTER, declares=OURS)
    assert code_of(await bob.does(OURS_ALONE[attack])) is Code.NOT_A_SUGGESTION


async def test_in_a_document_of_another_format_only_its_own_blocks_are_proposed(place: Place) -> None:
    ann = await place.comes("ann", Role.EDITOR, declares=STRANGE)
    line = XmlElement("line", {}, [XmlText("Hello brave new world")])
    await ann.does(lambda writer: writer.root.children.append(line))
    bob = await place.comes("bob", Role.COMMENTER, declares=STRANGE)
    assert isinstance(await bob.does(own_element("line")), Acknowledged)
    assert code_of(await bob.does(own_element("paragraph"))) is Code.NOT_A_SUGGESTION


async def test_a_viewer_suggests_nothing(place: Place) -> None:
    ann = await place.comes("ann", Role.EDITOR)
    await ann.does(writes("Hello"))
    eve = await place.comes("eve", Role.VIEWER)
    assert code_of(await eve.does(suggests_words)) is Code.FORBIDDEN


async def test_what_an_editor_wrote_is_refused_after_they_became_a_commenter(place: Place) -> None:
    ann = await place.comes("ann", Role.EDITOR)
    await ann.does(writes("Hello"))
    made = ann.writer.does(types)
    await place.store.sharing.grant(DOCUMENT, "ann", Role.COMMENTER)
    place.nodes[0].rooms.registry.get(DOCUMENT).judge()  # type: ignore[union-attr]
    await until(lambda: ann.person.role is Role.COMMENTER)
    assert code_of(await ann.sends(made)) is Code.NOT_A_SUGGESTION


class SlowSandbox(InProcessSandbox):
    """A sandbox whose judge waits for a sign."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = asyncio.Event()

    async def judge(self, brief: Callable[[], Brief], document: str, person: str) -> Judged:
        judged = await super().judge(brief, document, person)
        await self.goes_on.wait()
        return judged


async def test_nobody_else_waits_for_a_proof(place: Place) -> None:
    ann = await place.comes("ann", Role.EDITOR)
    await ann.does(writes("Hello brave new world"))
    bob = await place.comes("bob", Role.COMMENTER)
    driver = place.nodes[0].rooms.registry.get(DOCUMENT)
    assert driver is not None
    slow: Any = SlowSandbox()
    driver.proving._sandbox = slow
    suggested = asyncio.ensure_future(bob.does(suggests_words))
    for _ in range(3):
        await asyncio.sleep(0)
        assert isinstance(await ann.does(types), Acknowledged)
    assert isinstance(await ann.does(adds_a_block), Acknowledged)
    assert not suggested.done()
    slow.goes_on.set()
    assert isinstance(await suggested, Acknowledged)
    assert ann.sees == bob.sees


async def test_what_another_node_s_editor_has_accepted_meanwhile_is_not_gone_on_with(deaf_place: Place) -> None:
    ann = await deaf_place.comes("ann", Role.EDITOR, node=0)
    await ann.does(writes("Hello brave new world"))
    bob = await deaf_place.comes("bob", Role.COMMENTER, node=1)
    assert isinstance(await bob.does(suggests_words), Acknowledged)
    assert isinstance(await ann.does(types), Acknowledged)  # by which the node finds out

    def accept(writer: Writer) -> None:
        for text, start, end, formats in writer.pieces(lambda _, formats: bool(formats)):
            text.format(start, end, dict.fromkeys(formats))

    def types_on(writer: Writer) -> None:
        text, start, end, formats = writer.pieces(lambda _, formats: bool(formats))[0]
        assert end - start > 1
        text.insert(start + 1, "XYZ", formats)

    assert isinstance(await ann.does(accept), Acknowledged)
    before = await deaf_place.rows()
    assert code_of(await bob.does(types_on)) is Code.NOT_A_SUGGESTION
    assert len(await deaf_place.rows()) == len(before)
    assert "XYZ" not in (await deaf_place.comes("eve", Role.VIEWER, node=1)).text


async def test_a_suggestion_goes_behind_another_node_s_rows_that_do_not_matter(deaf_place: Place) -> None:
    ann = await deaf_place.comes("ann", Role.EDITOR, node=0)
    await ann.does(writes("Hello brave new world", "Another line"))
    bob = await deaf_place.comes("bob", Role.COMMENTER, node=1)
    for _ in range(3):
        assert isinstance(await ann.does(types), Acknowledged)
        assert isinstance(await bob.does(suggests_words), Acknowledged)
    eve = await deaf_place.comes("eve", Role.VIEWER, node=0)
    assert eve.text.count("insertion--") >= 3


def rebuilds(writer: Writer) -> None:
    """Make a heading of the first paragraph, as editors do: delete the block and insert a copy."""
    words = "".join(words for text in texts_in(writer.root.children[0]) for words, _ in text.diff())
    del writer.root.children[0]
    writer.root.children.insert(0, XmlElement("heading", {}, [XmlText(words)]))


@pytest.mark.parametrize("honest", [True, False])
async def test_words_in_a_block_that_an_editor_rebuilds_are_rescued_as_a_suggestion(place: Place, honest: bool) -> None:
    ann = await place.comes("ann", Role.EDITOR)
    await ann.does(writes("Hello brave new world"))
    bob = await place.comes("bob", Role.COMMENTER)
    seq = len(await place.rows())
    mark = bob.writer.mark("insertion") if honest else None
    made = bob.writer.does(lambda writer: texts_in(writer.root.children[0])[0].insert(6, "NEW ", mark))
    assert isinstance(await ann.does(rebuilds, after=seq), Acknowledged)
    rows = len(await place.rows())
    answer = await bob.sends(made, after=seq)
    late = await place.comes("late", Role.VIEWER)
    if honest:
        assert isinstance(answer, Acknowledged)
        assert late.text.startswith("<heading>Hello <insertion--")
        assert ">NEW </insertion--" in late.text
    else:
        assert code_of(answer) is Code.NOT_A_SUGGESTION
        assert late.text == "<heading>Hello brave new world</heading>"
        assert len(await place.rows()) == rows
    assert isinstance(await ann.does(types), Acknowledged)


async def test_deleting_words_that_live_elsewhere_by_now_is_refused(place: Place) -> None:
    """Their old places are dead, so the deletion alone would change nothing; the rescue would carry it on."""
    ann = await place.comes("ann", Role.EDITOR)
    await ann.does(writes("Hello brave new world"))
    bob = await place.comes("bob", Role.COMMENTER)
    seq = len(await place.rows())

    def deletes(writer: Writer) -> None:
        del texts_in(writer.root.children[0])[0][6:12]

    made = bob.writer.does(deletes)
    assert isinstance(await ann.does(rebuilds, after=seq), Acknowledged)
    assert code_of(await bob.sends(made, after=seq)) is Code.NOT_A_SUGGESTION
    assert (await place.comes("late", Role.VIEWER)).text == "<heading>Hello brave new world</heading>"


async def test_a_person_has_not_more_pending_than_is_allowed(place: Place) -> None:
    ann = await place.comes("ann", Role.EDITOR)
    await ann.does(writes("Hello brave new world"))
    bob = await place.comes("bob", Role.COMMENTER)

    def much(writer: Writer) -> None:
        texts_in(writer.root.children[0])[0].insert(0, "x" * 150_000, writer.mark("insertion"))

    assert isinstance(await bob.does(much), Acknowledged)
    assert code_of(await bob.does(much)) is Code.DOCUMENT_FULL


@pytest.mark.parametrize("declares", [None, OURS, STRANGE], ids=["nothing", "the format", "another format"])
async def test_what_is_beside_the_text_changes_by_no_commenter_whatever_they_declare(
    place: Place, declares: Format | None
) -> None:
    ann = await place.comes("ann", Role.EDITOR, declares=OURS)
    await ann.does(writes("Hello brave new world"))
    await ann.does(lambda writer: writer.doc.get("title", type=Text).insert(0, "Title"))
    await ann.does(lambda writer: writer.doc.get("settings", type=Map).__setitem__("a", 1.0))
    assert await place.format() == OURS
    rows = len(await place.rows())
    for number, attack in enumerate(BESIDE_THE_TEXT):
        bob = await place.comes(f"bob{number}", Role.COMMENTER, declares=declares)
        assert code_of(await bob.does(attack)) in (Code.NOT_A_SUGGESTION, Code.OTHER_FORMAT)
    assert len(await place.rows()) == rows


BESIDE_THE_TEXT: tuple[Callable[[Writer], object], ...] = (
    ATTACKS["another root"],
    ATTACKS["another text"],
    lambda writer: writer.doc.get("title", type=Text).insert(2, "evil"),
    lambda writer: writer.doc.get("title", type=Text).__delitem__(slice(1, 3)),
    lambda writer: writer.doc.get("settings", type=Map).__setitem__("a", 2.0),
    lambda writer: writer.doc.get("settings", type=Map).pop("a"),
)
"""Changes of other roots: new ones, and in what is there, which names no root."""


SMALL: dict[str, GateLimits] = {
    "structs": GateLimits(document_structs=60),
    "types": GateLimits(types=24),
    "client ids": GateLimits(client_ids=8),
    "values": GateLimits(document_values=40),
}
"""Limits that the people of a document share."""


@pytest.mark.parametrize("limit", SMALL)
async def test_a_commenter_leaves_room_in_a_document_for_those_who_edit(limit: str) -> None:
    async for place in places(deaf=False, gate_limits=SMALL[limit]):
        ann = await place.comes("ann", Role.EDITOR)
        await ann.does(writes("Hello brave new world", "Another line"))
        taken, answer = 0, None
        while not isinstance(answer, Refused):
            bob = await place.comes("bob" + "~" * taken, Role.COMMENTER)
            answer = await bob.does(suggests_a_block)
            taken += not isinstance(answer, Refused)
            assert taken < 40
        assert answer.code is Code.DOCUMENT_FULL
        assert taken > 3
        assert "only people who may edit" in answer.message
        assert isinstance(await ann.does(adds_a_block), Acknowledged)
        again = await place.comes("bob", Role.COMMENTER)
        assert isinstance(await again.does(withdraws_a_block), Acknowledged), "who takes back makes room"
        carl = await place.comes("carl", Role.EDITOR)
        assert isinstance(await carl.does(adds_a_block), Acknowledged)
