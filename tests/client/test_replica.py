"""Replicas of the Python client: what is kept, sent, sent again and dropped, without a network."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Doc, Text

from manyhands.errors import ManyhandsError
from manyhands.outbox import FileOutbox
from manyhands.wire import WireError, decode_batch, encode_batch
from tests.client.log_server import LogServer, Writer

ACTS = ("types", "types", "sends", "reaches_server", "hears", "hears", "connects", "loses_connection")


def writer(server: LogServer | None = None, outbox: FileOutbox | None = None) -> Writer:
    return Writer(server or LogServer(), Random(1), outbox)


def joined(server: LogServer | None = None, outbox: FileOutbox | None = None) -> Writer:
    ada = writer(server, outbox)
    ada.settles()
    return ada


def row(words: str) -> bytes:
    """Return a batch in which somebody else writes words."""
    doc: Doc[Any] = Doc()
    doc.get("text", type=Text).insert(0, words)
    return encode_batch([doc.get_update()])


@pytest.mark.slow
@given(st.integers(0, 2**32))
def test_three_who_come_and_go_agree_and_lose_nothing(seed: int) -> None:
    chance = Random(seed)
    server = LogServer()
    people = [Writer(server, chance) for _ in range(3)]
    for count in range(150):
        person, act = chance.choice(people), chance.choice(ACTS)
        if act == "types":
            person.types(f"<{count}>")
        else:
            getattr(person, act)()
    for person in people * 2:  # again, for what others have sent after the first ones were done
        person.settles()
    assert len({str(person.text) for person in people}) == 1
    assert str(people[0].text) == str(server.doc.get("text", type=Text))
    assert [person.replica.unsaved for person in people] == [0, 0, 0]
    states = [person.doc.get_state() for person in people]
    assert all(person.doc.get_update(states[0]) == people[0].doc.get_update(states[0]) for person in people)


@given(st.integers(0, 2**32))
def test_nobody_loses_a_word_to_somebody_who_writes_under_their_client_id(seed: int) -> None:
    chance = Random(seed)
    server = LogServer()
    people = [Writer(server, chance) for _ in range(3)]
    robbed = typed = 0
    for count in range(60):
        person, act = chance.choice(people), chance.choice(ACTS)
        if act == "types":
            person.text.insert(chance.randint(0, len(person.text)), "x")
            typed += 1
        else:
            getattr(person, act)()
        if chance.random() < 0.3:
            robbed += server.is_robbed(chance.choice(people), f"({count})")
    for person in people * 2:
        person.settles()
    text = str(server.doc.get("text", type=Text))
    assert [str(person.text) for person in people] == [text] * 3
    assert (text.count("x"), text.count("(")) == (typed, robbed)
    assert [person.replica.unsaved for person in people] == [0, 0, 0]


def test_what_the_server_has_of_ours_stays_under_our_client_id_though_others_have_changed_it() -> None:
    ada = joined()
    ada.text.insert(0, "Hello")
    ada.text.insert(5, " there")
    ada.sends()
    ada.reaches_server()
    ada.loses_connection()
    del ada.server.doc.get("text", type=Text)[1:7]
    ada.text.insert(0, "Oh. ")
    ada.settles()
    assert ada.replica.client_id == ada.doc.client_id
    assert str(ada.text) == str(ada.server.doc.get("text", type=Text)) == "Oh. Hhere"


def test_a_change_waits_until_it_is_acknowledged() -> None:
    ada = joined()
    ada.types("Hi")
    assert ada.replica.unsaved == 1
    ada.sends()
    assert (ada.replica.unsaved, ada.replica.in_flight) == (1, 1)
    ada.reaches_server()
    ada.hears()
    assert (ada.replica.unsaved, ada.replica.in_flight) == (0, 0)


def test_what_reached_the_server_without_an_answer_is_not_sent_again() -> None:
    ada = joined()
    ada.types("Hi")
    ada.sends()
    ada.reaches_server()
    ada.loses_connection()
    assert ada.replica.unsaved == 1
    ada.settles()
    assert ada.replica.unsaved == 0
    assert len(ada.server.rows) == 1


def test_deletions_without_an_answer_are_sent_again() -> None:
    ada = joined()
    ada.text.insert(0, "Hi")
    ada.settles()
    del ada.text[0:1]
    ada.sends()
    ada.loses_connection()
    ada.settles()
    assert str(ada.server.doc.get("text", type=Text)) == "i"


def test_a_batch_holds_changes_with_the_same_past() -> None:
    ada = joined()
    ada.text.insert(0, "a")
    ada.text.insert(1, "b")
    ada.replica.row(1, row("x"))
    ada.text.insert(0, "c")
    first, second = ada.replica.next_batch(1000), ada.replica.next_batch(1000)
    assert first is not None
    assert second is not None
    assert [(batch.after, len(decode_batch(batch.data))) for batch in (first, second)] == [(0, 2), (1, 1)]
    assert ada.replica.next_batch(1000) is None


def test_a_batch_is_no_longer_than_a_part_unless_one_change_is() -> None:
    ada = joined()
    for word in ("a" * 30, "b" * 30, "c" * 300):
        ada.text.insert(0, word)
    sizes = []
    while (batch := ada.replica.next_batch(200)) is not None:
        sizes.append(len(batch.changes))
    assert sizes == [2, 1]


def test_a_gap_is_told() -> None:
    ada = joined()
    assert not ada.replica.row(1, row("a"))
    assert ada.replica.row(3, row("c"))
    assert str(ada.text) == "a"


def test_a_row_may_come_twice() -> None:
    ada = joined()
    data = row("a")
    assert not ada.replica.row(1, data)
    assert not ada.replica.row(1, data)
    assert str(ada.text) == "a"


def test_rows_before_the_answer_to_a_join_are_held() -> None:
    ada = writer()
    ada.replica.begin_join()
    ada.replica.row(6, row("six"))
    assert str(ada.text) == ""
    ada.replica.settle(5, 1, b"\0\0", b"\0")
    assert str(ada.text) == "six"
    assert ada.replica.applied == 6


def test_held_rows_with_a_gap_are_an_error() -> None:
    ada = writer()
    ada.replica.begin_join()
    ada.replica.row(7, row("seven"))
    with pytest.raises(WireError):
        ada.replica.settle(5, 1, b"\0\0", b"\0")


def test_rows_outside_of_a_session_are_nobodys() -> None:
    ada = joined()
    ada.replica.part()
    assert not ada.replica.row(9, row("nine"))
    assert str(ada.text) == ""


def test_a_refused_batch_waits_in_its_old_place() -> None:
    ada = joined()
    ada.text.insert(0, "a")
    first = ada.replica.next_batch(1000)
    ada.text.insert(1, "b")
    assert first is not None
    assert ada.replica.refused(first.number)
    assert not ada.replica.refused(first.number)
    again = ada.replica.next_batch(1000)
    assert again is not None
    assert len(again.changes) == 2
    assert again.changes[0] == first.changes[0]


def test_a_state_stands_for_changes_that_miss_their_past() -> None:
    ada = joined()
    for word in "abc":
        ada.text.insert(0, word)
    ada.replica.resend_as_state = True
    ada.replica.begin_join()
    ada.replica.settle(0, 1, b"\0\0", b"\0")
    batch = ada.replica.next_batch(1000)
    assert batch is not None
    assert (batch.after, len(decode_batch(batch.data)), ada.replica.unsaved) == (None, 1, 3)
    assert not ada.replica.acknowledged(batch.number, 1)
    assert ada.replica.unsaved == 0


def test_after_a_resync_the_rows_of_acknowledgements_do_not_count() -> None:
    ada = joined()
    ada.types("Hi")
    ada.settles()
    assert ada.replica.applied == 1
    ada.replica.doubt()
    assert ada.replica.applied == 0


def test_only_an_empty_document_may_join_any_life() -> None:
    ada = writer()
    assert "epoch" not in ada.replica.begin_join()
    ada.replica.settle(0, 7, b"\0\0", b"\0")
    assert "epoch" not in ada.replica.begin_join()
    ada.types("Hi")
    assert ada.replica.begin_join()["epoch"] == 7


def test_a_file_keeps_changes_for_the_next_program(tmp_path: Path) -> None:
    server = LogServer()
    first = FileOutbox(tmp_path / "outbox", "document")
    ada = joined(server, first)
    ada.types("saved ")
    ada.settles()
    ada.types("first ")
    ada.types("second ")
    ada.connected = False
    first.close()
    second = FileOutbox(tmp_path / "outbox", "document")
    assert (second.key, second.epoch) == (first.key, 1)
    later = Writer(server, Random(1), second)
    assert later.replica.unsaved == 2
    later.settles()
    assert str(later.text) == str(ada.text) == str(server.doc.get("text", type=Text))
    assert second.changes() == []
    second.close()


def test_a_file_is_one_programs_and_one_documents(tmp_path: Path) -> None:
    place = tmp_path / "outbox"
    outbox = FileOutbox(place, "document")
    with pytest.raises(ManyhandsError, match="Another program"):
        FileOutbox(place, "document")
    outbox.close()
    with pytest.raises(ManyhandsError, match="belongs to the document document"):
        FileOutbox(place, "another")
    with pytest.raises(ManyhandsError, match="cannot be written"):
        FileOutbox(tmp_path / "nowhere" / "outbox", "document")
    (tmp_path / "text").write_text("something else, long enough to be read as what it is not")
    with pytest.raises(ManyhandsError, match="no outbox"):
        FileOutbox(tmp_path / "text", "document")


def test_changes_before_the_first_join_are_kept() -> None:
    ada = writer()
    ada.types("early")
    assert ada.replica.unsaved == 1
    assert ada.replica.next_batch(1000) is None
    ada.settles()
    assert ada.replica.unsaved == 0


def test_an_observer_that_fails_spoils_nothing() -> None:
    server = LogServer()
    ada, bo = joined(server), joined(server)

    def fails(_event: object) -> None:
        raise ZeroDivisionError

    ada.text.observe(fails)
    bo.types("Hi")
    bo.settles()
    ada.settles()
    assert str(ada.text) == "Hi"
    [fault] = ada.faults
    assert isinstance(fault, ExceptionGroup)
    with pytest.raises(ExceptionGroup):
        ada.types("Hello ")
    ada.settles()
    bo.settles()
    assert str(bo.text) == str(ada.text)
    assert len(bo.text) > 2


def test_what_is_no_update_is_an_error_and_the_next_row_goes_on() -> None:
    ada = joined()
    with pytest.raises(ValueError):  # noqa: PT011 - pycrdt's own, in words that may change
        ada.replica.row(1, encode_batch([b"\x01\x02\x03"]))
    ada.types("still kept")
    assert ada.replica.unsaved == 1
