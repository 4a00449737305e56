"""A full document: it takes nothing more, but people can delete, and then write again."""

from pycrdt import Text

from crdt.protocol.messages import Limits
from tests.harness.room import Seat, Table

MOST = 2000


def full_table() -> tuple[Table, Seat]:
    table = Table(limits=Limits(document_bytes=MOST))
    (alice,) = table.seat("alice")
    while not alice.refusals:
        before = alice.doc.get_state()
        alice.types("x" * 300)
        table.flush()
        if table.appends:
            table.settle()
    # What was refused is not in the document: go on from what is.
    fresh = Seat(table, "alice again", 2000, None)
    table.seats[fresh.session] = fresh
    fresh.joins()
    assert before != b""
    return table, fresh


def deletes(seat: Seat, *, writes: str = "") -> bytes:
    """Empty the text, and perhaps write a little in its place, in one transaction."""
    before = seat.doc.get_state()
    with seat.doc.transaction():
        del seat.story[:]
        if writes:
            seat.story += writes
    return seat.doc.get_update(before)


def test_a_full_document_says_what_to_do() -> None:
    table, alice = full_table()
    alice.types("y" * 300)
    (refusal,) = alice.answers
    assert alice.refusals == ["document_full"]
    assert "Delete some of it" in getattr(refusal, "message", "")
    assert table.room.size <= MOST


def test_what_is_deleted_in_a_full_document_makes_room_when_it_is_cleared_away() -> None:
    table, alice = full_table()
    alice.sends(deletes(alice))
    table.commit()
    assert alice.refusals == []
    cleared = table.room.size - 40  # what the fold of the log reports
    table.room.replica.document.shrink(cleared)
    alice.types("room again " * 50)
    table.commit()
    assert alice.refusals == []


def test_an_editor_that_leaves_an_empty_line_behind_is_let_delete() -> None:
    table, alice = full_table()
    alice.sends(deletes(alice, writes="-"))
    table.commit()
    assert alice.refusals == []


def test_deleting_is_no_way_around_the_limit() -> None:
    table, alice = full_table()
    doc, text = alice.doc, alice.doc.get("story", type=Text)
    before = doc.get_state()
    with doc.transaction():
        del text[:1]
        text += "y" * 1_100_000
    alice.sends(doc.get_update(before))
    assert alice.refusals == ["document_full"]
    assert table.room.settled
