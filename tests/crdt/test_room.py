"""The room's promises, as stories: edits are taken, durable and sent, in one order, each once."""

from typing import Any

import pytest
from msgspec import structs
from pycrdt import Doc, Map, Text

from crdt.errors import Code, EpochChanged, ProtocolError
from crdt.ids import Epoch, Seq
from crdt.protocol.batch import encode_batch
from crdt.protocol.hints import BatchHint
from crdt.protocol.messages import ClosedMessage, DurabilityMessage, Limits, ResyncMessage
from crdt.protocol.row import Row, Stored
from crdt.room.effects import Ended, ReadRows, Reload
from tests.harness.room import EMPTY, Table


def test_nobody_hears_of_an_edit_before_it_is_durable() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    alice.types("hi")
    table.flush()
    assert (bob.text, alice.acknowledged) == ("", [])
    table.settle()
    assert (bob.text, alice.acknowledged) == ("hi", [1])


def test_the_sender_is_not_sent_its_own_row() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    alice.types("hi")
    table.commit()
    assert (alice.seqs, bob.seqs) == ([], [1])


def test_what_gathers_during_an_append_becomes_one_row_in_order() -> None:
    table = Table()
    alice, bob, carol = table.seat("alice", "bob", "carol")
    alice.types("a")
    table.flush()
    alice.types("b")
    bob.types("c")
    table.flush()
    assert len(table.appends) == 1, "one append at a time"
    table.settle()
    table.commit()
    assert len(table.log) == 2
    assert alice.text == bob.text == carol.text
    assert sorted(carol.text) == ["a", "b", "c"]
    assert alice.seqs == [2], "a row shared with others is sent to its authors too"
    assert (alice.acknowledged, bob.acknowledged) == ([1, 2], [2])


def test_the_first_update_after_a_quiet_spell_leaves_at_once_and_the_next_gathers() -> None:
    table = Table()
    (alice,) = table.seat("alice")
    alice.types("a")
    table.flush(after=0.0)
    table.settle()
    alice.types("b")
    table.flush(after=0.001)
    assert table.appends == []
    deadline = table.room.deadline()
    assert deadline is not None
    table.flush(after=deadline - table.now)
    assert len(table.appends) == 1


def test_an_update_that_brings_nothing_new_is_acknowledged_and_not_logged() -> None:
    table = Table()
    (alice,) = table.seat("alice")
    change = alice.writes("hi")
    alice.sends(change)
    table.commit()
    alice.sends(change)
    assert (alice.acknowledged, len(table.log)) == ([1, 1], 1)


def test_a_repetition_of_what_is_still_on_its_way_is_acknowledged_only_with_it() -> None:
    table = Table()
    (alice,) = table.seat("alice")
    change = alice.writes("hi")
    alice.sends(change)
    table.flush()
    alice.sends(change)
    assert alice.acknowledged == []
    table.settle()
    assert alice.acknowledged == [1, 1]


def test_edits_of_somebody_who_left_go_on_to_the_log() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    alice.types("last words")
    alice.leaves()
    bob.leaves()
    rested = [table.room.idle]
    table.commit()
    rested.append(table.room.idle)
    assert rested == [False, True]
    (carol,) = table.seat("carol")
    assert carol.text == "last words"


def test_who_joins_while_an_append_is_under_way_misses_nothing() -> None:
    table = Table()
    (alice,) = table.seat("alice")
    alice.types("hi")
    table.flush()
    (bob,) = table.seat("bob")
    assert bob.text == ""
    table.settle()
    assert bob.text == "hi"


class TestTheStoreFails:
    def test_the_same_append_is_tried_again_with_growing_pauses_until_it_is_taken(self) -> None:
        table = Table()
        alice, bob = table.seat("alice", "bob")
        alice.types("hi")
        table.flush()
        pauses = []
        for _ in range(3):
            append = table.appends.pop()
            table.carry_out(table.room.append_failed(append.update_id, table.now))
            deadline = table.room.deadline()
            assert deadline is not None
            pauses.append(deadline - table.now)
            table.flush(after=pauses[-1])
            assert table.appends[0].update_id == append.update_id
        assert pauses == sorted(pauses)
        assert bob.text == ""
        table.settle()
        assert bob.text == "hi"

    def test_everybody_is_told_once_that_it_waits_and_once_that_it_goes_on(self) -> None:
        table = Table()
        alice, bob = table.seat("alice", "bob")
        alice.types("hi")
        table.flush()
        for _ in range(2):
            table.carry_out(table.room.append_failed(table.appends.pop().update_id, table.now))
            table.flush(after=10)
        table.settle()
        told = [message.durability for message in bob.heard if isinstance(message, DurabilityMessage)]
        assert told == ["waiting", "ok"]
        assert bob.text == "hi"

    def test_an_answer_that_comes_twice_changes_nothing(self) -> None:
        table = Table()
        alice, bob = table.seat("alice", "bob")
        alice.types("hi")
        table.flush()
        update_id = table.appends[0].update_id
        table.settle()
        table.carry_out(table.room.committed(update_id, Seq(1)))
        assert (alice.acknowledged, bob.seqs) == ([1], [1])

    def test_a_deleted_document_refuses_what_waits_and_tells_everybody(self) -> None:
        table = Table()
        alice, bob = table.seat("alice", "bob")
        alice.types("hi")
        table.carry_out(table.room.end(Code.DELETED, "The document was deleted."))
        assert alice.refusals == ["deleted"]
        assert isinstance(bob.heard[-1], ClosedMessage)
        assert table.asked(Ended)

    def test_a_row_whose_turn_does_not_come_before_the_end_is_answered_as_well(self) -> None:
        """It is durable, and nobody knows yet whether it can be applied."""
        table = Table()
        alice, bob = table.seat("alice", "bob")
        alice.types("hi")
        table.flush()
        table.carry_out(table.room.doubt("Something was set aside elsewhere."))
        table.settle()
        bob.types("ho")
        table.carry_out(table.room.end(Code.DELETED, "The document was deleted."))
        assert (alice.refusals, bob.refusals) == (["deleted"], ["deleted"])


class TestRowsFromElsewhere:
    @staticmethod
    def row(words: str, client_id: int) -> bytes:
        doc: Doc = Doc(client_id=client_id)  # type: ignore[type-arg]
        doc.get("story", type=Text).insert(0, words)
        return encode_batch([doc.get_update()])

    def test_a_row_ahead_of_its_turn_waits_for_the_ones_before_it(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        first, second = self.row("one ", 1), self.row("two ", 2)
        table.carry_out(table.room.remote(Row(Seq(2), second)))
        assert table.asked(ReadRows) == [ReadRows(Seq(0))]
        assert alice.text == ""
        table.carry_out(table.room.fetched([Row(Seq(1), first), Row(Seq(2), second)]))
        assert alice.seqs == [1, 2]
        assert sorted(alice.text.split()) == ["one", "two"]

    def test_a_row_that_comes_twice_is_applied_once(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        for _ in range(2):
            table.carry_out(table.room.remote(Row(Seq(1), self.row("one", 1))))
        assert alice.seqs == [1]

    def test_ones_own_row_waits_for_a_strangers_before_it_is_acknowledged(self) -> None:
        table = Table()
        alice, bob = table.seat("alice", "bob")
        alice.types("mine")
        table.flush()
        append = table.appends.pop()
        table.carry_out(table.room.committed(append.update_id, Seq(2)))
        assert (alice.acknowledged, bob.seqs) == ([], [])
        table.carry_out(table.room.fetched([Row(Seq(1), self.row("theirs", 1)), Row(Seq(2), append.batch)]))
        assert (alice.acknowledged, bob.seqs, alice.seqs) == ([2], [1, 2], [1])

    def test_a_row_says_whose_edits_it_holds_in_order_and_under_the_name_of_that_moment(self) -> None:
        table = Table()
        alice, bob, carol = table.seat("alice", "bob", "carol")
        carol.sends(b"\0\0")  # nothing new
        bob.types("b")
        alice.types("a")
        bob.types("b again")
        table.room.members.identify(alice.session, structs.replace(alice.user, name="Alice Liddell"))
        alice.types("a again")
        table.flush()
        said = [(each.user_id, each.name) for each in table.appends[-1].contributors]
        assert said == [("bob", "Bob"), ("alice", "Alice"), ("alice", "Alice Liddell")]

    def test_a_row_of_ours_is_hinted_at_once(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        alice.types("hi")
        table.commit()
        bound = tuple(table.bindings.items())
        assert table.hints(BatchHint) == [BatchHint(table.room.epoch, Seq(1), table.log[0], bound, people=1)]


class TestDoubt:
    def test_a_replica_that_cannot_follow_the_log_is_read_again_and_everybody_joins_again(self) -> None:
        table = Table()
        alice, bob = table.seat("alice", "bob")
        alice.types("hi")
        table.commit()
        table.carry_out(table.room.fetched(None))
        assert len(table.asked(Reload)) == 1
        alice.types(" there")
        table.carry_out(table.room.reloaded(table.stored()))
        assert any(isinstance(message, ResyncMessage) for message in bob.heard)
        bob.joins()
        table.commit()
        assert bob.text == "hi there"

    def test_a_document_that_cannot_be_replayed_is_open_to_read_and_closed_to_write(self) -> None:
        table = Table(Stored(Epoch(7), b"\1 no snapshot", Seq(4), (), {}))
        (alice,) = table.seat("alice")
        assert alice.joined is not None
        assert alice.joined.quarantined
        alice.types("no")
        assert alice.refusals == ["quarantined"]

    def test_a_damaged_document_asks_for_no_rows_and_applies_none(self) -> None:
        doc: Doc[Any] = Doc(client_id=5)
        doc.get("story", type=Text).insert(0, "behind")
        rows = [Row(Seq(seq), encode_batch([doc.get_update()])) for seq in (5, 7)]
        table = Table(Stored(Epoch(7), b"\1 no snapshot", Seq(4), rows[:1], {}))
        (alice,) = table.seat("alice")
        table.carry_out(table.room.hinted(Seq(5)))
        for row in rows:
            table.carry_out(table.room.remote(row))
            table.flush()
            table.flush()
        table.carry_out(table.room.fetched(rows))
        table.carry_out(table.room.fetched(None))
        table.flush()
        assert (table.others, alice.heard, table.room.deadline()) == ([], [], None)
        assert not table.room.replica.ahead

    def test_what_waited_for_its_turn_is_dropped_when_the_document_turns_out_to_be_damaged(self) -> None:
        table = Table()
        table.carry_out(table.room.remote(Row(Seq(3), encode_batch([b"\0\0"]))))
        assert len(table.asked(ReadRows)) == 1
        table.room.replica.quarantine("Damaged.")
        table.carry_out(table.room.hinted(Seq(4)))
        table.carry_out(table.room.fetched([]))
        for _ in range(3):
            table.flush()
        assert len(table.asked(ReadRows)) == 1
        assert table.room.deadline() is None

    def test_another_life_of_the_document_ends_the_room(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        table.carry_out(table.room.fetched(None))
        table.carry_out(table.room.reloaded(Stored(Epoch(8), None, Seq(0), (), {})))
        assert [m.code for m in alice.heard if isinstance(m, ClosedMessage)] == [Code.EPOCH_CHANGED]


class TestJoining:
    def test_a_copy_of_an_earlier_life_is_not_merged(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        with pytest.raises(EpochChanged) as refused:
            alice.joins(epoch=6)
        assert refused.value.epoch == 7

    def test_whoever_says_to_have_everything_is_told_that_nothing_is_missing(self) -> None:
        table = Table()
        alice, bob = table.seat("alice", "bob")
        alice.types("hi")
        table.commit()
        answer = bob.joins(epoch=7, seq=Seq(1))
        assert answer.missing == answer.state_vector == b""
        bob.writes("!")
        answer = bob.joins(epoch=7, seq=Seq(1))
        assert (answer.missing, answer.state_vector) == (b"", alice.doc.get_state())

    def test_whoever_has_other_rows_or_those_of_another_life_is_sent_what_is_missing(self) -> None:
        table = Table()
        alice, bob = table.seat("alice", "bob")
        alice.types("hi")
        table.commit()
        for life in ({"epoch": 7, "seq": Seq(0)}, {"epoch": 7, "seq": Seq(2)}, {"seq": Seq(1)}):
            assert bob.joins(**life).missing

    def test_a_large_missing_update_comes_in_parts(self) -> None:
        table = Table(limits=Limits(part_bytes=100))
        (alice,) = table.seat("alice")
        alice.types("x" * 950)
        table.commit()
        (bob,) = table.seat("bob")
        assert bob.joined is not None
        assert bob.joined.missing is None
        parts = [table.room.members.fetch(bob.session, index) for index in range(bob.joined.chunk_count)]
        assert all(len(part) <= 100 for part in parts)
        bob.doc.apply_update(b"".join(parts))
        assert bob.text == "x" * 950
        with pytest.raises(ProtocolError):
            table.room.members.fetch(bob.session, 0)

    def test_equal_questions_share_one_answer(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        alice.types("hi")
        table.commit()
        bob, carol = table.seat("bob", "carol")
        assert bob.joined is not None
        assert carol.joined is not None
        assert bob.joined.missing is carol.joined.missing

    def test_other_roots_are_kept_as_they_are(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        before = alice.doc.get_state()
        alice.doc.get("settings", type=Map)["theme"] = "dark"
        alice.sends(alice.doc.get_update(before))
        table.commit()
        (bob,) = table.seat("bob")
        assert bob.doc.get("settings", type=Map)["theme"] == "dark"


def test_a_slow_connection_is_sent_nothing_until_it_has_drained() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    table.room.members.congested(bob.session, table.now)
    alice.types("hi")
    table.commit()
    assert bob.heard == []
    table.carry_out(table.room.members.drained(bob.session))
    assert bob.heard == [ResyncMessage()]
    bob.joins()
    assert bob.text == "hi"


def test_an_empty_document_is_at_rest() -> None:
    table = Table(EMPTY)
    assert table.room.idle
    assert table.room.deadline() is None
