"""Missing updates that a room keeps for people who join a large document.

One copy serves all who lack the same. It is kept for a while, and counts in each person's share.
"""

import pytest

from crdt.budget import Budget
from crdt.errors import Code, GivenUp, ProtocolError
from crdt.log import document
from crdt.protocol.messages import Limits
from crdt.yjs.varint import encode_state_vector
from crdt.yjs.wrapping import unwrap
from tests.harness.room import Seat, Table

WORDS = 950


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def table_with_a_large_document(share: int = 10_000) -> tuple[Table, Seat, Clock]:
    """Make a table with parts of 100 bytes, and a person who has written ten times as much."""
    clock = Clock()
    table = Table(limits=Limits(part_bytes=100), budget=Budget(100_000, share, clock))
    (alice,) = table.seat("alice")
    alice.types("x" * WORDS)
    table.commit()
    return table, alice, clock


def tab_of(table: Table, person: Seat, number: int) -> Seat:
    """Open one more connection of a person."""
    tab = Seat(table, f"{person.name}'s tab {number}", 3000 + number, None)
    tab.user = person.user
    table.seats[tab.session] = tab
    return tab


def test_what_is_not_fetched_in_time_is_given_up_and_joining_again_brings_it() -> None:
    table, alice, clock = table_with_a_large_document()
    (bob,) = table.seat("bob")
    table.room.members.fetch(bob.session, 0)
    clock.now = 31.0
    table.budget.sweep()
    assert table.budget.held == 0
    with pytest.raises(GivenUp, match="Begin again"):
        table.room.members.fetch(bob.session, 1)
    alice.types("y")
    table.commit()
    assert bob.seqs == [2], "what comes is sent all the same"
    bob.joins()
    parts = [table.room.members.fetch(bob.session, index) for index in range(10)]
    bob.doc.apply_update(b"".join(parts))
    assert bob.text == "x" * WORDS + "y"
    assert table.budget.held == 0


def test_whoever_goes_on_fetching_is_not_hurried() -> None:
    table, _, clock = table_with_a_large_document()
    (bob,) = table.seat("bob")
    for index in range(3):
        clock.now += 9.0
        table.budget.sweep()
        table.room.members.fetch(bob.session, index)


def test_one_person_s_joins_keep_no_more_than_their_share() -> None:
    table, alice, _ = table_with_a_large_document(share=2500)
    (bob,) = table.seat("bob")
    (second, third) = (tab_of(table, bob, number) for number in (1, 2))
    second.asks(encode_state_vector({alice.client_id: 10}))
    with pytest.raises(ProtocolError) as refused:
        third.asks(encode_state_vector({alice.client_id: 20}))
    assert refused.value.code is Code.TOO_MANY
    with pytest.raises(ProtocolError, match="Join the document first"):
        table.room.members.check(third.session)
    table.seat("carol")  # others have theirs
    bob.leaves()
    third.asks(encode_state_vector({alice.client_id: 20}))


def test_nothing_is_encoded_that_would_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    table, alice, _ = table_with_a_large_document(share=1500)
    (bob,) = table.seat("bob")
    encoded: list[bytes] = []

    def counted(update: bytes) -> bytes:
        encoded.append(update)
        return unwrap(update)

    monkeypatch.setattr(document, "unwrap", counted)
    for number in range(1, 20):
        with pytest.raises(ProtocolError, match="more than 0 MB at once"):
            tab_of(table, bob, number).asks(encode_state_vector({alice.client_id: number}))
    assert not encoded
    tab_of(table, bob, 20).asks(b"\0")  # what is kept for him already costs nothing


def test_joining_again_replaces_what_was_kept() -> None:
    table, alice, _ = table_with_a_large_document(share=1000)
    (bob,) = table.seat("bob")
    for clock in range(50):
        bob.asks(encode_state_vector({alice.client_id: clock + 1}))
    assert table.budget.held < 1000
    bob.leaves()
    assert table.budget.held == 0


def test_made_up_client_ids_do_not_make_another_answer() -> None:
    table, alice, _ = table_with_a_large_document()
    (bob,) = table.seat("bob")
    for made_up in range(10):
        tab_of(table, bob, made_up).asks(encode_state_vector({5000 + made_up: 1}))
    assert table.budget.held == len(alice.doc.get_update())


def test_everybody_who_lacks_the_same_shares_one_copy() -> None:
    table, alice, _ = table_with_a_large_document(share=1000)
    people = table.seat(*(f"person {number}" for number in range(20)))
    assert table.budget.held == len(alice.doc.get_update())
    for person in people:
        person.leaves()
    assert table.budget.held == 0


def test_somebody_who_falls_behind_keeps_nothing() -> None:
    table, _, clock = table_with_a_large_document()
    (bob,) = table.seat("bob")
    table.room.members.congested(bob.session, clock.now)
    assert table.budget.held == 0
