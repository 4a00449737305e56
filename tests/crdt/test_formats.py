"""Formats: who does not declare a document's format reads, and changes nothing in its rich text."""

import pickle
from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Doc, Map, Text, XmlElement, XmlFragment, XmlText

from crdt.errors import Code, ProtocolError
from crdt.gate.gate import Knowledge
from crdt.permissions import Role
from crdt.protocol.messages import DocumentInfo, DocumentMessage, Format, ResyncMessage
from crdt.room.effects import Reload
from crdt.yjs.contents import ARRAY, XML_ELEMENT
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from tests.harness.room import Seat, Table
from tests.harness.update_writer import collected, item, shared, text, tombstone, update

OURS, NEXT, THEIRS = Format("ours", 2), Format("ours", 3), Format("theirs", 9)
OLD = Format("ours", 1)
CLOSED = frozenset({"default"})
LIMITS = GateLimits()
ALICE, BOB = 7, 8


def info(present: Format | None, *, any_format: bool = False) -> DocumentInfo:
    return DocumentInfo("Title", None, present, any_format)


# The rule itself, every cell.


@pytest.mark.parametrize(
    ("present", "declared", "writes", "raises"),
    [
        (None, None, True, False),
        (None, OURS, True, True),
        (OURS, None, False, False),
        (OURS, THEIRS, False, False),
        (OURS, OLD, False, False),
        (OURS, OURS, True, False),
        (OURS, NEXT, True, True),
    ],
)
def test_who_declares_the_format_or_a_newer_version_writes(
    present: Format | None, declared: Format | None, writes: bool, raises: bool
) -> None:
    assert info(present).is_known_to(declared) is writes
    assert info(present).is_raised_by(declared) is raises
    assert info(present, any_format=True).is_known_to(declared)


# The gate: a change in a closed root is refused, whatever form it has.


def judged(knowledge: Knowledge, *updates: bytes, closed: frozenset[str] = CLOSED) -> Code | None:
    """Return the code of the refusal, after checking that it left no trace."""
    before = pickle.dumps(knowledge)
    try:
        knowledge.admit([inspect(each, LIMITS) for each in updates], lambda _: True, closed=closed)
    except ProtocolError as refusal:
        assert pickle.dumps(knowledge) == before
        return refusal.code
    return None


def indexed(*updates: bytes) -> Knowledge:
    knowledge = Knowledge(LIMITS)
    for each in updates:
        assert judged(knowledge, each, closed=frozenset()) is None
    return knowledge


STORY = update(
    {
        ALICE: (
            0,
            [
                shared(XML_ELEMENT, parent="default"),
                shared(6, parent=(ALICE, 0)),
                text("words", parent=(ALICE, 1)),
                shared(ARRAY, parent="list"),
                text("note", parent="notes"),
            ],
        )
    }
)
"""A paragraph (clock 0) with a text (1, words at 2 to 6), an array (7), a note (8 to 11)."""


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (update({BOB: (0, [shared(XML_ELEMENT, parent="default")])}), True),
        (update({BOB: (0, [text("more", left=(ALICE, 6))])}), True),
        (update({BOB: (0, [text("more", parent=(ALICE, 1))])}), True),
        (update({BOB: (0, [item(8, b"\x01\x7d\x01", parent=(ALICE, 0), key="level")])}), True),
        (update({}, {ALICE: [(0, 1)]}), True),
        (update({}, {ALICE: [(3, 1)]}), True),
        (update({}, {ALICE: [(6, 3)]}), True),
        (update({}, {ALICE: [(7, 5)]}), False),
        (update({BOB: (0, [text("more", left=(ALICE, 11))])}), False),
        (update({BOB: (0, [text("new", parent="another")])}), False),
        (update({BOB: (0, [collected(3)])}), False),
    ],
)
def test_a_closed_root_takes_no_change_and_other_roots_do(change: bytes, refused: bool) -> None:
    knowledge = indexed(STORY)
    assert judged(knowledge, change) == (Code.OTHER_FORMAT if refused else None)
    assert judged(indexed(STORY), change, closed=frozenset()) is None


def test_a_closed_root_stays_closed_for_who_goes_on_typing() -> None:
    knowledge = indexed(STORY)
    first = update({BOB: (0, [text("a", left=(ALICE, 6))])})
    assert judged(knowledge, first, closed=frozenset()) is None
    raw = update({BOB: (1, [text("b", left=(BOB, 0))])})
    typed = knowledge.typing_runs.read(bytes([len(raw)]) + raw)
    assert typed is not None
    with pytest.raises(ProtocolError) as refusal:
        knowledge.admit([typed], lambda _: True, closed=CLOSED)
    assert refusal.value.code is Code.OTHER_FORMAT
    assert knowledge.admit([typed], lambda _: True).news


def test_what_is_known_already_may_be_repeated() -> None:
    deleted = update({}, {ALICE: [(2, 2)]})
    knowledge = indexed(STORY, deleted)
    assert judged(knowledge, STORY, deleted) is None
    more = update({BOB: (0, [text("!", left=(ALICE, 11))])}, {ALICE: [(2, 2), (9, 1)]})
    assert judged(knowledge, more) is None
    assert judged(knowledge, update({}, {ALICE: [(2, 3)]})) is Code.OTHER_FORMAT


def test_one_change_in_a_closed_root_refuses_the_whole_batch() -> None:
    knowledge = indexed(STORY)
    outside = update({BOB: (0, [text("!", left=(ALICE, 11))])})
    assert judged(knowledge, outside, update({}, {ALICE: [(0, 1)]})) is Code.OTHER_FORMAT
    assert judged(knowledge, outside) is None


def test_a_large_batch_is_judged_in_slices_by_the_same_rule() -> None:
    knowledge = indexed(STORY)
    before = pickle.dumps(knowledge)
    many = [inspect(update({BOB: (0, [tombstone(1, left=(ALICE, 6))])}), LIMITS)]
    slices = knowledge.admit_in_slices(many, lambda _: True, closed=CLOSED)
    with pytest.raises(ProtocolError) as refusal:
        for _ in slices:
            pass
    assert refusal.value.code is Code.OTHER_FORMAT
    assert pickle.dumps(knowledge) == before


# A page that pycrdt changes: what the gate lets in never changes the rich text.


def paragraph(doc: "Doc[Any]", words: str) -> None:
    block = XmlElement("paragraph")
    doc.get("default", type=XmlFragment).children.append(block)
    block.children.append(XmlText(words))


CHANGES = st.lists(
    st.tuples(st.sampled_from(["add", "cut", "format", "remove", "note", "map"]), st.integers(0, 9)), max_size=8
)


@given(before=CHANGES, after=CHANGES, folded=st.booleans())
def test_whatever_passes_a_closed_root_leaves_the_rich_text_as_it_was(
    before: Sequence[tuple[str, int]], after: Sequence[tuple[str, int]], folded: bool
) -> None:
    doc: Doc[Any] = Doc(client_id=ALICE)
    paragraph(doc, "first")
    carry_out(doc, before)
    whole = doc.get_update()
    knowledge = Knowledge.from_snapshot(whole, LIMITS) if folded else indexed(whole)
    mine: Doc[Any] = Doc(client_id=BOB)
    mine.apply_update(whole)
    for change in after:
        was, state = str(mine.get("default", type=XmlFragment)), mine.get_state()
        carry_out(mine, [change])
        told = mine.get_update(state)  # with every deletion so far, as after a lost connection
        refused = judged(knowledge, told)
        if str(mine.get("default", type=XmlFragment)) != was:
            assert refused is Code.OTHER_FORMAT
        elif change[0] in ("note", "map"):
            assert refused is None
        if refused is not None:
            assert judged(knowledge, told, closed=frozenset()) is None, "the next one builds on it"


def carry_out(doc: "Doc[Any]", changes: Sequence[tuple[str, int]]) -> None:
    page = doc.get("default", type=XmlFragment)
    for kind, number in changes:
        blocks = list(page.children)
        block = blocks[number % len(blocks)] if blocks else None
        match kind:
            case "add":
                paragraph(doc, f"words {number}")
            case "cut" if isinstance(block, XmlElement) and len(block.children):
                words = block.children[0]
                assert isinstance(words, XmlText)
                if len(str(words)):
                    del words[0 : 1 + number % len(str(words))]
            case "format" if isinstance(block, XmlElement):
                block.attributes["level"] = str(number)
            case "remove" if blocks:
                del page.children[number % len(blocks)]
            case "note":
                doc.get("notes", type=Text).insert(0, f"{number}")
            case "map":
                doc.get("facts", type=Map)[f"{number % 3}"] = number
            case _:
                pass


# The room.


def table() -> tuple[Table, Seat, Seat]:
    """A document of our format, in which the editor is at home and the guest is not."""
    room = Table()
    room.carry_out(room.room.describe(info(OURS)))
    editor, guest = room.seat("editor", "guest")
    editor.joins(declares=OURS)
    return room, editor, guest


def rich(seat: Seat, words: str) -> bytes:
    before = seat.doc.get_state()
    paragraph(seat.doc, words)
    return seat.doc.get_update(before)


def pages(*seats: Seat) -> set[str]:
    return {str(seat.doc.get("default", type=XmlFragment)) for seat in seats}


def test_who_does_not_declare_the_format_reads_and_writes_other_roots() -> None:
    room, editor, guest = table()
    editor.sends(rich(editor, "kept"))
    room.commit()
    assert pages(guest) == {"<paragraph>kept</paragraph>"}
    guest.types("a note")
    room.commit()
    assert (guest.acknowledged, editor.text) == ([2], "a note")
    before = guest.doc.get_state()
    del guest.doc.get("default", type=XmlFragment).children[0]
    guest.sends(guest.doc.get_update(before))
    assert guest.refusals == ["other_format"]
    assert pages(editor) == {"<paragraph>kept</paragraph>"}
    assert room.room.settled


@pytest.mark.parametrize(("role", "declared"), list(product(Role, [None, OLD, OURS, NEXT, THEIRS])))
def test_a_role_and_a_format_are_both_needed(role: Role, declared: Format | None) -> None:
    _, _, guest = table()
    guest.joins(role=role, declares=declared)
    guest.sends(rich(guest, "words"))
    expected = "forbidden" if not role.may_write else "other_format" if declared not in (OURS, NEXT) else None
    assert guest.refusals == ([] if expected is None else [expected])


def test_a_format_acts_on_what_is_not_durable_as_well() -> None:
    room = Table()
    editor, guest = room.seat("editor", "guest")
    editor.joins(declares=OURS)
    guest.sends(rich(guest, "too late"))
    room.carry_out(room.room.describe(info(OURS)))
    assert [message.info.format for message in guest.heard if isinstance(message, DocumentMessage)] == [OURS]
    assert len(room.asked(Reload)) == 1
    room.reload()
    assert guest.refusals == ["other_format"]
    assert not any(isinstance(message, ResyncMessage) for message in editor.heard)


def test_an_append_that_a_format_has_overtaken_is_judged_again() -> None:
    room = Table()
    editor, guest = room.seat("editor", "guest")
    editor.joins(declares=OURS)
    guest.sends(rich(guest, "too late"))
    editor.sends(rich(editor, "in time"))
    room.flush()
    room.carry_out(room.room.describe(info(OURS)))
    assert room.asked(Reload) == [], "the store may have taken it before the format"
    room.is_overtaken()
    room.reload()
    room.commit()
    assert (guest.refusals, editor.acknowledged) == (["other_format"], [1])
    assert pages(editor) == {"<paragraph>in time</paragraph>"}


def test_the_owner_lets_others_write() -> None:
    room, editor, guest = table()
    room.carry_out(room.room.describe(info(OURS, any_format=True)))
    guest.sends(rich(guest, "allowed"))
    room.commit()
    assert guest.acknowledged == [1]
    room.carry_out(room.room.describe(info(OURS)))
    guest.sends(rich(guest, "no more"))
    assert guest.refusals == ["other_format"]
    assert pages(editor) == {"<paragraph>allowed</paragraph>"}
