"""What a room does about a rescue: whose ids, which rows, and who is told."""

import re
from collections.abc import Callable
from typing import Any, cast

import pytest
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.errors import ProtocolError
from crdt.ids import Seq
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.links import decode_links
from crdt.protocol.messages import DurabilityMessage, Role, UpdateMessage
from crdt.protocol.row import Row
from crdt.rescue.rescue import Rescued, Said, answer
from crdt.rescue.scribe import RESCUER
from crdt.rescue.sequences import Sequences, words_of
from crdt.room.effects import Reload, Rescue
from tests.harness.rich_text import paragraph, step_of
from tests.harness.room import Seat, Table

ROOTS = frozenset({"default"})


def page(seat: Seat) -> XmlFragment:
    return cast(XmlFragment, seat.doc.get("default", type=XmlFragment))


def change(seat: Seat, act: Callable[[], object]) -> bytes:
    return step_of(seat.doc, act)


def make_heading(seat: Seat, words: str) -> bytes:
    """What an editor does: the block is deleted, and a copy inserted."""

    def act() -> None:
        del page(seat).children[0]
        page(seat).children.insert(0, paragraph(words, "heading"))

    return change(seat, act)


def type_into(seat: Seat, at: int, words: str) -> bytes:
    def act() -> None:
        block = cast(XmlElement, page(seat).children[0])
        cast(XmlText, block.children[0]).insert(at, words)

    return change(seat, act)


def begun() -> tuple[Table, Seat, Seat]:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    alice.sends(change(alice, lambda: page(alice).children.append(paragraph("hello"))))
    table.commit()
    return table, alice, bob


def restructured_while_typing() -> tuple[Table, Seat, Seat]:
    """Let Alice type into a line that Bob makes a heading, unaware. The room asks for a rescue."""
    table, alice, bob = begun()
    alice.session.after = bob.session.after = Seq(1)
    typed, restructured = type_into(alice, 5, " world"), make_heading(bob, "hello")
    alice.sends(typed)
    table.commit()
    bob.sends(restructured)
    table.flush()
    return table, alice, bob


def encode(update: bytes) -> bytes:
    return encode_batch([update])


def row(seq: int, batch: bytes) -> Row:
    return Row(Seq(seq), batch)


def asked(table: Table) -> Rescue:
    """Take the room's question."""
    question = table.others.pop()
    assert isinstance(question, Rescue)
    return question


def rescued(table: Table, question: Rescue) -> Rescued:
    """Find out the answer, as the driver does."""
    sequences = Sequences(ROOTS)
    for seq, batch in enumerate(table.log, 1):
        for update in decode_batch(batch):
            sequences.take(update, seq)
    return answer(sequences, question.known + 1, question.said)


def answers(table: Table, question: Rescue | None = None, found: Rescued | None = None) -> None:
    """Answer the room's question."""
    question = question or asked(table)
    table.carry_out(table.room.rescued(question, found or rescued(table, question)))


def test_a_row_and_its_rescue_are_one_row_and_everybody_is_told() -> None:
    table, alice, bob = restructured_while_typing()
    assert table.appends == []
    answers(table)
    append = table.appends[0]
    assert (append.known, append.moves) == (Seq(2), True)
    assert len(decode_batch(append.batch)) == 2
    assert any(heir[3] == bob.client_id for heir in decode_links(append.heirs).heirs)
    table.settle()
    told = [message for message in bob.heard if isinstance(message, UpdateMessage) and message.seq == 3]
    assert [bool(message.heirs) for message in told] == [True]  # its author as well, for the server has added words
    for seat in (alice, bob):
        assert str(page(seat)) == "<heading>hello world</heading>"
    assert bob.acknowledged == [Seq(3)]
    (carol,) = table.seat("carol")
    assert str(page(carol)) == "<heading>hello world</heading>"


def test_who_comes_back_hears_where_words_have_moved() -> None:
    table, alice, bob = begun()
    bob.sends(make_heading(bob, "hello"))
    table.flush()
    answers(table)
    table.settle()
    for after, has_moved in ((1, True), (2, False)):
        alice_again = alice.asks(alice.doc.get_state(), epoch=table.room.epoch, after=Seq(after))
        assert bool(alice_again.heirs) == has_moved
    assert alice.asks(alice.doc.get_state()).heirs == b""


def test_an_append_without_rows_that_it_must_know_waits_for_them() -> None:
    table, alice, bob = begun()
    bob.sends(make_heading(bob, "hello"))
    table.flush()
    answers(table)
    behind = table.appends.pop()
    elsewhere = type_into(alice, 5, " world")
    table.carry_out(table.room.append_behind(behind.update_id, Seq(2)))
    table.flush()
    assert table.appends == []
    table.log.append(encode(elsewhere))
    table.carry_out(table.room.fetched([row(2, encode(elsewhere))]))
    table.flush()
    answers(table)
    table.settle()
    assert str(page(bob)) == "<heading>hello world</heading>"
    assert bob.acknowledged == [Seq(3)]


def test_without_an_answer_the_row_is_appended_all_the_same() -> None:
    table, _, bob = begun()
    bob.sends(make_heading(bob, "hello"))
    table.flush()
    table.carry_out(table.room.rescued(asked(table), None))
    table.settle()
    assert bob.acknowledged == [Seq(2)]


def test_without_an_answer_the_row_may_stand_behind_others() -> None:
    """Other nodes may write so fast that no answer is ever in time."""
    table, alice, bob = begun()
    bob.sends(make_heading(bob, "hello"))
    table.flush()
    elsewhere = encode(type_into(alice, 5, " world"))
    table.log.append(elsewhere)
    table.carry_out(table.room.remote(row(2, elsewhere)))
    table.carry_out(table.room.rescued(asked(table), None))
    assert [(append.known, append.moves) for append in table.appends] == [(Seq(2), False)]


def test_people_are_told_that_nothing_is_saved_while_an_answer_is_late() -> None:
    table, alice, bob = begun()
    bob.sends(make_heading(bob, "hello"))
    table.flush()
    table.carry_out(table.room.rescue_late())
    answers(table)
    table.settle()
    told = [message.durability for message in alice.heard if isinstance(message, DurabilityMessage)]
    assert told == ["waiting", "ok"]
    table.carry_out(table.room.rescue_late())
    assert len([message for message in alice.heard if isinstance(message, DurabilityMessage)]) == 2


def test_saving_goes_on_for_everybody_once_nothing_waits_for_a_late_answer() -> None:
    table, alice, bob = begun()
    bob.sends(make_heading(bob, "hello"))
    table.flush()
    table.carry_out(table.room.rescue_late())
    table.carry_out(table.room.judge(bob.session, Role.VIEWER))
    table.reload()
    assert table.room.settled
    told = [message.durability for message in alice.heard if isinstance(message, DurabilityMessage)]
    assert told == ["waiting", "ok"]


def test_a_rescue_that_never_becomes_durable_leaves_no_trace() -> None:
    """The document is loaded again while a row with a rescue is under way. The store refuses it."""
    table, alice, bob = restructured_while_typing()
    answers(table)
    refused = table.appends.pop()
    table.carry_out(table.room.doubt("a test"))
    table.reload()
    assert RESCUER not in table.room.replica.clocks
    table.carry_out(table.room.append_behind(refused.update_id, Seq(2)))
    table.flush()
    answers(table)
    table.settle()
    assert str(page(alice)) == "<heading>hello world</heading>"
    alice.sends(type_into(alice, 11, "!"))
    table.commit()
    assert str(page(bob)) == "<heading>hello world!</heading>"


def test_an_answer_to_an_older_question_changes_nothing() -> None:
    table, alice, bob = begun()
    bob.sends(make_heading(bob, "hello"))
    table.flush()
    question = asked(table)
    found = rescued(table, question)
    elsewhere = encode(type_into(alice, 5, " world"))
    table.log.append(elsewhere)
    table.carry_out(table.room.remote(row(2, elsewhere)))
    answers(table, question, found)
    assert table.appends == []
    table.flush()
    answers(table)
    table.settle()
    assert str(page(bob)) == "<heading>hello world</heading>"


def test_nothing_leaves_while_the_document_is_loaded_again() -> None:
    """An answer comes while what waits is to be judged anew, as its author may write no more."""
    table, alice, bob = begun()
    bob.sends(make_heading(bob, "hello"))
    table.flush()
    table.carry_out(table.room.judge(bob.session, Role.VIEWER))
    answers(table, next(each for each in table.others if isinstance(each, Rescue)))
    table.flush()
    assert table.appends == []
    table.reload()
    assert bob.refusals == ["forbidden"]
    assert str(page(alice)) == "<paragraph>hello</paragraph>"


def test_an_answer_to_another_question_about_the_same_row_changes_nothing() -> None:
    """Bob may write no more, so his change is not in the second question. The first is answered."""
    table, alice, bob = begun()
    bob.sends(make_heading(bob, "hello"))
    table.flush()
    first = asked(table)
    found = rescued(table, first)
    alice.sends(make_heading(alice, "hello"))
    table.carry_out(table.room.judge(bob.session, Role.VIEWER))
    table.reload()
    table.flush()
    answers(table, first, found)
    assert table.appends == []
    answers(table)
    table.settle()
    assert alice.acknowledged == [Seq(1), Seq(2)]


def test_an_answer_that_cannot_be_read_changes_nothing() -> None:
    table, _, bob = begun()
    bob.sends(make_heading(bob, "hello"))
    table.flush()
    question = asked(table)
    with pytest.raises(ProtocolError):
        table.room.rescued(question, Rescued((b"damaged",), b""))
    table.carry_out(table.room.rescued(question, None))
    table.settle()
    assert bob.acknowledged == [Seq(2)]


def test_nobody_goes_on_under_the_servers_own_id() -> None:
    table, alice, bob = begun()
    copied: Doc[Any] = Doc(client_id=RESCUER)
    copied.get("notes", type=XmlFragment).children.append(paragraph("copied from another document"))
    alice.sends(copied.get_update())
    table.commit()
    assert alice.acknowledged == [Seq(1), Seq(2)]
    before = copied.get_state()
    copied.get("notes", type=XmlFragment).children.append(paragraph("forged"))
    bob.sends(copied.get_update(before))
    assert bob.refusals == ["client_id_taken"]
    with pytest.raises(ProtocolError, match="the server's own"):
        table.seat("mallory", first_client_id=RESCUER - len(table.seats))


def copied_notes() -> bytes:
    copied: Doc[Any] = Doc(client_id=RESCUER)
    copied.get("notes", type=XmlFragment).children.append(paragraph("copied from another document"))
    return copied.get_update()


def test_nobody_brings_the_servers_own_id_while_a_rescue_may_begin_it() -> None:
    table, alice, _ = restructured_while_typing()
    alice.sends(copied_notes())
    answers(table)
    alice.sends(copied_notes())
    table.settle()
    assert alice.refusals == ["client_id_taken"] * 2
    assert str(page(alice)) == "<heading>hello world</heading>"


def test_a_copy_that_another_nodes_rescue_has_overtaken_is_judged_again() -> None:
    table, alice, _ = begun()
    alice.sends(copied_notes())
    table.flush()
    copy = table.appends.pop()
    rescue: Doc[Any] = Doc(client_id=RESCUER)
    rescue.get("default", type=XmlFragment).children.append(paragraph("rescued on another node"))
    table.log.append(encode(rescue.get_update()))
    table.carry_out(table.room.append_behind(copy.update_id, Seq(2)))
    assert len(table.asked(Reload)) == 1
    table.reload()
    table.flush()
    assert (alice.refusals, table.appends) == (["client_id_taken"], [])


def test_a_page_knows_what_the_page_before_it_has_split_offline() -> None:
    """Both changes come in one row of one session, whose client id is the second page's."""
    said: list[bytes] = []

    def opened(client_id: int, before: Doc[Any]) -> tuple[Doc[Any], XmlFragment]:
        doc: Doc[Any] = Doc(client_id=client_id)
        doc.apply_update(before.get_update())
        doc.observe(lambda event: said.append(event.update))
        return doc, cast(XmlFragment, doc.get("default", type=XmlFragment))

    def first_line(root: XmlFragment) -> XmlText:
        return cast(XmlText, cast(XmlElement, root.children[0]).children[0])

    base, root = opened(1000, Doc())
    root.children.append(paragraph("OneTwo"))
    first_page, root = opened(10, base)
    sequences = Sequences(ROOTS)
    sequences.take(base.get_update(), 1)
    said.clear()
    with first_page.transaction():
        del first_line(root)[3:]
        root.children.append(paragraph("Two"))
    _, root = opened(11, first_page)
    first_line(root).insert(3, "!")

    assert answer(sequences, 2, [Said(update, 1, 11) for update in said]).answers == (None, None)
    assert re.findall(r"\w+!?", re.sub("<[^>]*>", " ", words_of(sequences.root("default")))) == ["One!", "Two"]
