"""Set-aside updates: only applied edits are acknowledged, and others go on after a refusal."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text

from crdt.ids import Epoch, Seq
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import ResyncMessage
from crdt.protocol.row import WHOLE_ROW, Row, SetAside, Stored
from crdt.room.effects import Reload
from tests.harness.engine import FAILURES, Choosy, panics, refuses
from tests.harness.room import Seat, Table

every_failure = pytest.mark.parametrize("fails", FAILURES, ids=lambda fails: fails.__name__)
Fails = Callable[[Doc[Any], bytes], None]


def poison(seat: Seat, word: str = "poison") -> bytes:
    """Write something that is not plain text, so that it is applied before it is sent."""
    before = seat.doc.get_state()
    seat.doc.get("list", type=Array).append(word)
    return seat.doc.get_update(before)


@every_failure
def test_of_two_in_one_row_the_one_is_refused_and_the_other_acknowledged(fails: Fails) -> None:
    table = Table(engine=Choosy("poison", fails=fails))
    alice, bob, carol = table.seat("alice", "bob", "carol")
    alice.sends(poison(alice))
    bob.types("hello")
    table.commit()
    assert (alice.refusals, bob.acknowledged, carol.text) == ([], [], ""), "nobody is told of what is not applied"
    table.reload()
    assert (alice.refusals, alice.acknowledged) == (["bad_update"], [])
    assert (bob.acknowledged, carol.text) == ([1], "hello")
    assert not table.room.quarantined


def test_what_is_not_plain_text_is_applied_before_anybody_is_told() -> None:
    engine = Choosy()
    table = Table(engine=engine)
    alice, bob = table.seat("alice", "bob")
    engine.words = {b"poison"}
    alice.sends(poison(alice))
    table.flush()
    assert engine.failures == 0
    table.settle()
    assert engine.failures == 1
    assert (alice.acknowledged, bob.seqs) == ([], [])


@every_failure
def test_what_the_refused_and_others_write_behind_it_finds_its_neighbours(fails: Fails) -> None:
    table = Table(engine=Choosy("poison", fails=fails))
    alice, bob = table.seat("alice", "bob")
    alice.types("before ")
    table.commit()
    before = alice.doc.get_state()
    alice.story.insert_embed(len(alice.story), {"poison": 1})
    alice.sends(alice.doc.get_update(before))
    alice.types(" behind")
    table.commit()
    table.reload()
    alice.types(", and more")
    table.commit()
    assert bob.text == "before  behind, and more"
    assert alice.refusals == ["bad_update"]
    (late,) = table.seat("late")
    assert late.text == bob.text == str(alice.story).replace("\ufffc", "")


def test_nothing_of_a_refused_update_is_acknowledged_when_it_comes_again() -> None:
    table = Table(engine=Choosy("poison"))
    (alice,) = table.seat("alice")
    bad = poison(alice)
    alice.sends(bad)
    table.commit()
    table.reload()
    alice.sends(bad)
    assert alice.refusals == ["bad_update", "bad_update"]
    assert alice.acknowledged == []


@every_failure
def test_a_document_is_loaded_again_once_for_each_bad_update_and_never_for_the_same_twice(fails: Fails) -> None:
    engine = Choosy("poison", "venom", fails=fails)
    table = Table(engine=engine)
    people = table.seat(*[f"person-{number}" for number in range(20)])
    people[0].sends(poison(people[0]))
    table.commit()
    table.reload()
    people[1].sends(poison(people[1], "venom"))
    table.commit()
    table.reload()
    for person in people:
        person.joins()
        person.types("on ")
        table.commit()
    assert len(table.asked(Reload)) == 2
    assert {sum(isinstance(message, ResyncMessage) for message in person.heard) for person in people} == {2}


def test_another_node_takes_over_what_the_first_has_set_aside() -> None:
    """The other node's engine would take the update, but all nodes must show the same."""
    first = Table(engine=Choosy("poison"))
    (alice,) = first.seat("alice")
    alice.types("a")
    alice.sends(poison(alice))
    first.commit()
    first.reload()
    second = Table(first.stored())
    (bob,) = second.seat("bob", first_client_id=2000)
    assert bob.doc.get_state() == alice.joined.state_vector if alice.joined else False
    assert len(bob.doc.get("list", type=Array)) == 0
    assert second.room.replica.found == ()


def test_a_node_that_took_what_another_could_not_loads_again() -> None:
    first, lucky = Table(engine=Choosy("poison")), Table()
    (alice,) = first.seat("alice")
    alice.sends(poison(alice))
    first.commit()
    first.reload()
    (bob,) = lucky.seat("bob", first_client_id=2000)
    lucky.carry_out(lucky.room.remote(Row(Seq(1), first.log[0])))
    assert len(bob.doc.get("list", type=Array)) == 1
    lucky.log, lucky.set_aside, lucky.set_aside_version = first.log, first.set_aside, first.set_aside_version
    lucky.carry_out(lucky.room.hear_set_aside(first.set_aside_version))
    assert len(lucky.asked(Reload)) == 1
    lucky.reload()
    assert len(bob.doc.get("list", type=Array)) == 0, "who has seen it is told that it is deleted"
    assert lucky.room.hear_set_aside(first.set_aside_version) == []


def test_a_crash_before_it_is_stored_changes_nothing() -> None:
    table = Table(engine=Choosy("poison"))
    alice, bob = table.seat("alice", "bob")
    bob.types("kept")
    bad = poison(alice)
    alice.sends(bad)
    table.commit()
    after_crash = Table(Stored(Epoch(7), None, Seq(0), [Row(Seq(1), table.log[0])], {}), engine=Choosy("poison"))
    (found,) = after_crash.room.replica.found
    assert (found.seq, found.set_aside.position, found.raw) == (1, 1, bad)
    (late,) = after_crash.seat("late", first_client_id=3000)
    assert late.text == "kept"


class TestTheLogOfAFormerVersion:
    @staticmethod
    def rows(*updates: bytes) -> list[Row]:
        return [Row(Seq(n), encode_batch([update])) for n, update in enumerate(updates, 1)]

    @staticmethod
    def written(client_id: int = 5) -> tuple[Doc[Any], list[bytes]]:
        """Return a text by one author, word by word."""
        doc: Doc[Any] = Doc(client_id=client_id)
        text, updates = doc.get("story", type=Text), []
        for word in ("one ", "two ", "three ", "four "):
            before = doc.get_state()
            text += word
            updates.append(doc.get_update(before))
        return doc, updates

    def opened(self, rows: list[Row], *words: str, fails: Fails = panics) -> tuple[Table, Seat]:
        table = Table(Stored(Epoch(7), None, Seq(0), rows, {}), engine=Choosy(*words, fails=fails))
        (reader,) = table.seat("reader")
        assert not table.room.quarantined
        return table, reader

    @every_failure
    def test_everything_before_and_behind_the_bad_update_is_there(self, fails: Fails) -> None:
        _, updates = self.written()
        table, reader = self.opened(self.rows(*updates), "two", fails=fails)
        assert reader.text == "one three four "
        reader.types("go on")
        table.commit()
        assert reader.acknowledged == [5]

    def test_a_row_that_is_missing_is_made_up_for(self) -> None:
        _, updates = self.written()
        table, reader = self.opened(self.rows(updates[0], *updates[2:]))
        assert reader.text == "one three four "
        (found,) = table.room.replica.found
        assert (found.seq, found.set_aside.position) == (2, 0)
        assert "builds on changes" in found.set_aside.reason

    def test_a_damaged_row_is_made_up_for_by_the_one_behind(self) -> None:
        _, updates = self.written()
        rows = self.rows(*updates)
        rows[1] = Row(Seq(2), b"\1\2\3", damaged=True)
        table, reader = self.opened(rows)
        assert reader.text == "one three four "
        assert [(each.seq, each.set_aside.position) for each in table.room.replica.found] == [(2, WHOLE_ROW), (3, 0)]

    def test_bytes_that_are_no_update_and_no_batch_are_passed_over(self) -> None:
        _, updates = self.written()
        rows = self.rows(updates[0], b"\xff\xff\xff", *updates[1:])
        rows.append(Row(Seq(6), b"\x7f"))
        table, reader = self.opened(rows)
        assert reader.text == "one two three four "
        assert [(each.seq, each.set_aside.position) for each in table.room.replica.found] == [(2, 0), (6, WHOLE_ROW)]

    def test_what_hung_on_a_missing_beginning_is_kept_out_and_the_document_goes_on(self) -> None:
        _, updates = self.written()
        table, reader = self.opened(self.rows(*updates[1:]))
        assert reader.text == ""
        reader.types("fresh")
        table.commit()
        assert reader.acknowledged == [4]

    def test_many_bad_updates_are_found_in_one_opening(self) -> None:
        doc: Doc[Any] = Doc(client_id=5)
        things, updates = doc.get("list", type=Array), []
        for number in range(200):
            before = doc.get_state()
            things.append("poison" if number % 2 else "good")
            updates.append(doc.get_update(before))
        for fails in (panics, refuses):
            table, reader = self.opened(self.rows(*updates), "poison", fails=fails)
            assert len(table.room.replica.found) == 100
            assert reader.doc.get("list", type=Array).to_py() == ["good"] * 100

    def test_a_stand_in_is_used_as_it_is_stored(self) -> None:
        _, updates = self.written()
        rows = self.rows(*updates)
        table, _ = self.opened(rows, "two")
        (found,) = table.room.replica.found
        rows[1] = Row(Seq(2), rows[1].batch, set_aside=(SetAside(0, found.set_aside.stand_in, "said before"),))
        again, reader = self.opened(rows)
        assert reader.text == "one three four "
        assert again.room.replica.found == ()

    def test_the_latest_value_of_a_key_that_cannot_be_read_is_replaced_by_the_next(self) -> None:
        doc: Doc[Any] = Doc(client_id=5)
        things, updates = doc.get("map", type=Map), []
        for value in ("first", "poison", "last"):
            before = doc.get_state()
            things["key"] = value
            updates.append(doc.get_update(before))
        _, reader = self.opened(self.rows(*updates), "poison")
        assert reader.doc.get("map", type=Map).to_py() == {"key": "last"}


class TestTheEngineFailsForGood:
    def test_a_failure_that_no_replay_cures_ends_in_quarantine_told_once(self) -> None:
        table = Table(engine=Choosy("poison", fails=_only_where_pycrdt_is_busy()))
        people = table.seat("alice", "bob", "carol")
        for _ in range(3):
            people[0].sends(poison(people[0]))
            if not table.appends:
                table.flush()
            if table.appends:
                table.settle()
            if len(table.asked(Reload)) and not table.room.quarantined:
                table.others.clear()
                table.carry_out(table.room.reloaded(table.stored()))
        assert table.room.quarantined

    def test_whose_row_is_durable_by_then_is_answered_and_the_room_comes_to_rest(self) -> None:
        table = Table(engine=Choosy("poison", fails=_only_where_pycrdt_is_busy()))
        alice, bob = table.seat("alice", "bob")
        alice.sends(poison(alice))
        table.commit()
        table.carry_out(table.room.reloaded(table.stored()))
        alice.sends(poison(alice))
        table.flush()
        bob.types("too late")
        table.settle()
        assert table.room.quarantined
        assert (alice.acknowledged, alice.refusals, bob.refusals) == ([1, 2], [], ["quarantined"])
        assert table.room.settled


def _only_where_pycrdt_is_busy() -> Fails:
    """Fail every other time: in a live room, but not in its replay."""
    turns = [0]

    def fails(doc: Doc[Any], update: bytes) -> None:
        turns[0] += 1
        if turns[0] % 2:
            raise RuntimeError("busy")
        doc.apply_update(update)

    return fails


@every_failure
@pytest.mark.parametrize("seed", range(20))
def test_what_a_refused_update_deletes_is_deleted_for_everybody(fails: Fails, seed: int) -> None:
    random = Random(seed)
    table = Table(engine=Choosy("poison", fails=fails))
    alice, bob = table.seat("alice", "bob")
    alice.types("what alice wrote, ")
    bob.types("and bob")
    table.commit()
    before = bob.doc.get_state()
    with bob.doc.transaction():
        for _ in range(random.randint(1, 4)):
            start = random.randrange(len(bob.text))
            del bob.story[start : min(len(bob.text), start + random.randint(1, 5))]
        bob.story.insert(random.randint(0, len(bob.text)), "poison")
    update = bob.doc.get_update(before)
    bob.sends(update)
    table.commit()
    table.reload()
    alice.joins()
    assert alice.text == bob.text.replace("poison", ""), "what the refused has added is nowhere"
    bob.doc.apply_update(alice.doc.get_update(before))
    assert bob.text == alice.text
