"""A room among other nodes' rooms: their rows and people arrive in any order, late or twice."""

import dataclasses
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from pycrdt import Doc, Text

from crdt.errors import Code, ProtocolError
from crdt.ids import ClientId, NodeId, PresenceId, Seq
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.hints import PresenceHint, PresenceWhole
from crdt.protocol.messages import ClosedMessage, DurabilityMessage, PresenceChange, User
from crdt.protocol.row import Row
from crdt.room.catching_up import GAP_PATIENCE
from crdt.room.effects import ReadRows, Reload
from crdt.room.members import PRESENCE_REPEAT
from crdt.room.session import hash_key
from tests.harness.room import Table

ALICES = hash_key("key-of-alice-0123456789")
ELSEWHERE = NodeId("elsewhere")
CAROL = PresenceChange(PresenceId(900), ClientId(900), User("carol", "Carol", "#336699"), {"at": 1})
CAROL_GONE = PresenceChange(PresenceId(900), ClientId(900), User("carol", "Carol", "#336699"), None)


def rows_of_one_author(*words: str) -> list[bytes]:
    """Return rows that each build on the row before."""
    doc: Doc[Text] = Doc(client_id=1)
    story = doc.get("story", type=Text)
    rows = []
    for word in words:
        before = doc.get_state()
        story.insert(len(str(story)), word)
        rows.append(encode_batch([doc.get_update(before)]))
    return rows


class TestRows:
    def test_who_builds_on_rows_that_came_in_disorder_is_not_refused(self) -> None:
        """The gate once learned a row when it arrived, not in its turn.

        It took the place for unknown, and refused the structs beside it.
        """
        table = Table()
        (alice,) = table.seat("alice")
        first, second, third = rows_of_one_author("one ", "two ", "three ")
        table.carry_out(table.room.remote(Row(Seq(3), third)))
        table.carry_out(table.room.remote(Row(Seq(2), second)))
        table.carry_out(table.room.remote(Row(Seq(1), first)))
        assert alice.text == "one two three "
        before = alice.doc.get_state()
        alice.story.insert(4, "and ")
        alice.sends(alice.doc.get_update(before))
        assert alice.refusals == []

    def test_the_row_before_ones_own_is_waited_for_a_moment_and_then_read_from_the_log(self) -> None:
        """Nodes that write at once often get the store's answer before each other's hints."""
        table = Table()
        (alice,) = table.seat("alice")
        first, third = rows_of_one_author("one ", "three ")
        alice.types("two ")
        self.commit_at(table, Seq(2))
        assert table.room.deadline() == table.now + GAP_PATIENCE
        table.flush(GAP_PATIENCE / 2)
        table.carry_out(table.room.remote(Row(Seq(1), first)))
        assert alice.acknowledged == [2]
        table.flush(GAP_PATIENCE)
        assert table.asked(ReadRows) == []
        alice.types("four ")
        self.commit_at(table, Seq(4))
        table.flush(GAP_PATIENCE)
        assert table.asked(ReadRows) == [ReadRows(Seq(2))]
        assert table.room.deadline() is None
        table.carry_out(table.room.fetched([Row(Seq(3), third)]))
        assert alice.acknowledged == [2, 4]

    def test_a_row_of_ones_own_that_is_under_way_is_waited_for_before_the_log_is_read(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        _, second = rows_of_one_author("one ", "two ")
        alice.types("mine ")
        table.flush()
        table.carry_out(table.room.remote(Row(Seq(2), second)))
        assert table.asked(ReadRows) == []
        table.flush(0)
        table.flush(GAP_PATIENCE)
        assert table.asked(ReadRows) == [ReadRows(Seq(0))]

    @staticmethod
    def commit_at(table: Table, seq: Seq) -> None:
        """Let the store commit the waiting append at this place in the log."""
        table.flush()
        table.carry_out(table.room.committed(table.appends.pop().update_id, seq))
        table.flush(0)

    def test_ones_own_row_read_back_from_the_log_is_still_acknowledged(self) -> None:
        """The log, read because of another node's hint, may be faster than the store's answer."""
        table = Table()
        alice, bob = table.seat("alice", "bob")
        alice.types("mine")
        table.flush()
        append = table.appends.pop()
        table.carry_out(table.room.fetched([Row(Seq(1), append.batch)]))
        table.carry_out(table.room.committed(append.update_id, Seq(1)))
        assert alice.acknowledged == [1]
        assert bob.seqs == [1]
        assert table.room.settled

    def test_a_row_hinted_at_while_the_log_is_read_is_read_as_well(self) -> None:
        table = Table()
        table.seat("alice")
        first, second = rows_of_one_author("one ", "two ")
        table.carry_out(table.room.hinted(Seq(1)))
        table.carry_out(table.room.hinted(Seq(2)))
        table.carry_out(table.room.fetched([Row(Seq(1), first)]))
        assert table.asked(ReadRows) == [ReadRows(Seq(0)), ReadRows(Seq(1))]
        table.carry_out(table.room.fetched([Row(Seq(2), second)]))
        assert table.asked(ReadRows) == [ReadRows(Seq(0)), ReadRows(Seq(1))]

    def test_a_row_that_the_log_does_not_have_is_asked_for_once(self) -> None:
        table = Table()
        table.carry_out(table.room.hinted(Seq(5)))
        table.carry_out(table.room.fetched([]))
        assert table.asked(ReadRows) == [ReadRows(Seq(0))]

    def test_a_document_read_again_says_whose_the_client_ids_are(self) -> None:
        table = Table()
        (bob,) = table.seat("bob")
        (hers,) = rows_of_one_author("words of hers ")
        (update,) = decode_batch(hers)
        bob.sends(update)
        truth = {ClientId(1): ALICES}
        table.log.append(hers)
        table.carry_out(table.room.doubt("Rows were folded into a snapshot."))
        table.carry_out(table.room.reloaded(replace(table.stored(), author_keys=truth)))
        (alice,) = table.seat("alice", first_client_id=0)
        alice.types("more of hers ")
        assert alice.refusals == []


class TestClientIds:
    """Alice (client id 1) writes on another node."""

    def test_an_id_that_another_node_bound_is_protected_here(self) -> None:
        table = Table()
        (mallory,) = table.seat("mallory")
        first, second = rows_of_one_author("hello ", "hijacked ")
        table.carry_out(table.room.remote(Row(Seq(1), first, ((ClientId(1), ALICES),))))
        mallory.sends(*decode_batch(second))
        assert mallory.refusals == ["client_id_taken"]
        assert mallory.text == "hello "

    def test_an_id_is_protected_before_its_row_has_its_turn(self) -> None:
        table = Table()
        table.carry_out(table.room.remote(Row(Seq(2), rows_of_one_author("hello ")[0], ((ClientId(1), ALICES),))))
        with pytest.raises(ProtocolError) as refused:
            table.seat("mallory", first_client_id=1)
        assert refused.value.code is Code.CLIENT_ID_TAKEN

    @pytest.mark.parametrize("keyed", [True, False])
    def test_who_comes_second_under_an_id_is_refused_and_nobody_else(self, keyed: bool) -> None:
        """Two nodes let the same new id in at once.

        What Carol wrote beside it is not lost, nor what Mallory wrote under his own id.
        """
        table = Table()
        mallory, carol = table.seat("mallory", "carol", keyed=keyed)
        (forged,) = decode_batch(rows_of_one_author("forged, and longer than hers ")[0])
        mallory.sends(forged)
        mallory.types("his own ")
        carol.types("hello ")
        table.flush()
        (first,) = table.appends
        assert dict(first.author_keys)[ClientId(1)] == b""
        table.log.append(rows_of_one_author("hers ")[0])
        table.bindings[ClientId(1)] = ALICES
        table.is_taken()
        carol.types("again ")
        table.carry_out(table.room.reloaded(table.stored()))
        assert mallory.refusals == ["client_id_taken"]
        table.commit()
        assert (mallory.acknowledged, carol.acknowledged) == ([2], [2, 2])
        assert table.room.settled
        (dave,) = table.seat("dave")
        assert sorted(dave.text.split()) == ["again", "hello", "hers", "his", "own"]

    def test_whoever_only_brings_somebody_elses_words_is_not_refused(self) -> None:
        """Bob brings Alice's words from another node before the log does. Her id stays hers."""
        table = Table()
        (bob,) = table.seat("bob")
        (hers,) = rows_of_one_author("words of hers ")
        (update,) = decode_batch(hers)
        bob.doc.apply_update(update)
        bob.sends(update, bob.writes("and mine"))
        table.flush()
        table.log.append(hers)
        table.bindings[ClientId(1)] = ALICES
        table.is_taken()
        table.carry_out(table.room.reloaded(table.stored()))
        table.commit()
        assert (bob.refusals, bob.acknowledged) == ([], [2])
        (alice,) = table.seat("alice", first_client_id=0)
        assert alice.client_id == 1
        alice.types("more of hers ")
        assert alice.refusals == []

    def test_what_somebody_wrote_who_has_gone_is_judged_again_as_well(self) -> None:
        table = Table()
        alice, mallory = table.seat("alice", "mallory")
        mallory.sends(*decode_batch(rows_of_one_author("forged ")[0]), awaited=False)
        alice.types("my last words")
        alice.leaves()
        table.flush()
        table.bindings[ClientId(1)] = ALICES
        table.is_taken()
        table.carry_out(table.room.reloaded(table.stored()))
        assert isinstance(mallory.heard[-1], ClosedMessage)
        table.commit()
        assert alice.acknowledged == [1]
        assert table.room.idle

    def test_what_a_forgery_hid_is_not_acknowledged_before_it_is_durable(self) -> None:
        """The gate takes Alice's words for known, because Mallory has forged their ids."""
        table = Table()
        mallory, alice = table.seat("mallory", "alice")
        mallory.sends(*decode_batch(rows_of_one_author("forged him")[0]))
        first, second = rows_of_one_author("hers ", "more ")
        alice.sends(*decode_batch(first), *decode_batch(second))
        table.flush()
        table.log.append(first)
        table.bindings[ClientId(1)] = ALICES
        table.is_taken()
        table.carry_out(table.room.reloaded(table.stored()))
        assert (mallory.refusals, alice.acknowledged) == (["client_id_taken"], [])
        table.commit()
        assert alice.acknowledged == [2]
        (dave,) = table.seat("dave")
        assert dave.text == "hers more "

    def test_nobody_is_refused_for_good_because_of_what_the_store_may_refuse_to_another(self) -> None:
        table = Table()
        mallory, alice = table.seat("mallory", "alice")
        mallory.sends(*decode_batch(rows_of_one_author("forged ")[0]))
        hers = decode_batch(rows_of_one_author("words of hers ")[0])
        alice.sends(*hers)
        assert alice.refusals == ["unavailable"]
        table.flush()
        table.bindings[ClientId(1)] = ALICES
        table.is_taken()
        table.carry_out(table.room.reloaded(table.stored()))
        alice.sends(*hers)
        table.commit()
        assert alice.acknowledged == [1]

    def test_a_store_that_refuses_answers_again(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        alice.types("hello")
        table.flush()
        table.carry_out(table.room.append_failed(table.appends[0].update_id, table.now))
        table.is_taken()
        assert [m.durability for m in alice.heard if isinstance(m, DurabilityMessage)] == ["waiting", "ok"]

    def test_a_refusal_that_comes_twice_is_taken_once(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        alice.types("hello")
        table.flush()
        update_id = table.appends[0].update_id
        table.is_taken()
        table.carry_out(table.room.append_refused(update_id, "twice"))
        table.carry_out(table.room.reloaded(table.stored()))
        table.commit()
        assert alice.acknowledged == [1]
        assert len(table.asked(Reload)) == 1


class TestPeople:
    def test_people_elsewhere_are_shown_and_not_sent_back(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        table.carry_out(table.room.members.hear_presence(ELSEWHERE, [CAROL]))
        assert alice.sees == {"Carol": {"at": 1}}
        table.flush()
        assert table.hints(PresenceHint) == []

    def test_who_comes_later_sees_them_too(self) -> None:
        table = Table()
        table.carry_out(table.room.members.hear_presence(ELSEWHERE, [CAROL]))
        (alice,) = table.seat("alice")
        assert alice.sees == {"Carol": {"at": 1}}

    def test_a_node_that_asks_hears_who_is_here_once_however_often_it_asked(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        table.room.members.receive_presence(alice.session, {"at": 7})
        table.flush()
        for _ in range(3):
            table.carry_out(table.room.members.hear_whole_presence(ELSEWHERE, (), asks=True))
        table.flush()
        (answer,) = table.hints(PresenceWhole)
        assert isinstance(answer, PresenceWhole)
        assert [person.user.name for person in answer.people] == ["Alice"]
        assert not answer.asks

    def test_a_node_that_was_given_up_is_asked_when_it_is_back(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        table.carry_out(table.room.members.hear_presence(ELSEWHERE, [CAROL]))
        table.carry_out(table.room.members.lose_node(ELSEWHERE))
        assert alice.sees == {"Carol": None}
        for _ in range(2):
            table.carry_out(table.room.members.find_node(ELSEWHERE))
        assert table.hints(PresenceWhole) == [PresenceWhole((), asks=True)]

    def test_a_node_without_people_here_is_not_asked(self) -> None:
        table = Table()
        table.carry_out(table.room.members.lose_node(ELSEWHERE))
        table.carry_out(table.room.members.find_node(ELSEWHERE))
        assert table.hints(PresenceWhole) == []

    def test_people_who_share_a_document_with_another_node_are_told_of_anew_now_and_then(self) -> None:
        table = Table()
        table.seat("alice")
        table.carry_out(table.room.members.hear_presence(ELSEWHERE, [CAROL]))
        table.flush()
        assert table.room.deadline() == table.now + PRESENCE_REPEAT
        table.flush(PRESENCE_REPEAT)
        assert table.hints(PresenceWhole) == [PresenceWhole((), asks=True)]
        table.carry_out(table.room.members.hear_presence(ELSEWHERE, [CAROL_GONE]))
        table.flush(PRESENCE_REPEAT)
        assert table.room.deadline() is None
        assert len(table.hints(PresenceWhole)) == 1

    def test_a_crowd_elsewhere_makes_the_room_gather_longer_as_one_here_does(self) -> None:
        def shown(table: Table, crowd: int) -> None:
            people = [dataclasses.replace(CAROL, presence_id=PresenceId(1000 + number)) for number in range(crowd)]
            table.carry_out(table.room.members.hear_whole_presence(ELSEWHERE, people, asks=False))

        def counted(table: Table, crowd: int) -> None:
            table.room.members.hear_crowd(ELSEWHERE, crowd)

        def both(table: Table, crowd: int) -> None:
            shown(table, crowd)
            counted(table, crowd)

        assert window_after(shown, 100) == window_after(counted, 100) == window_after(both, 100)
        assert window_after(counted, 100) > 2 * window_after(counted, 1)

    def test_a_crowd_that_is_not_counted_again_is_forgotten(self) -> None:
        table = Table()
        table.seat("alice")
        table.room.members.hear_crowd(ELSEWHERE, 100)
        assert table.room.members.crowd(table.now) == 1 + 100
        table.room.members.hear_crowd(ELSEWHERE, 99)
        table.flush(PRESENCE_REPEAT / 2)
        assert table.room.members.crowd(table.now) == 1 + 99
        table.flush(PRESENCE_REPEAT / 2)
        assert table.room.members.crowd(table.now) == 1

    def test_a_node_that_has_fallen_silent_takes_its_crowd_along(self) -> None:
        table = Table()
        table.room.members.hear_crowd(ELSEWHERE, 100)
        table.room.members.hear_crowd(NodeId("yet elsewhere"), 10)
        table.carry_out(table.room.members.lose_node(ELSEWHERE))
        assert table.room.members.crowd(table.now) == 10


def window_after(comes: Callable[[Table, int], None], crowd: int) -> float:
    """Return the seconds between two rows of a person whose readers are all on another node."""
    table = Table()
    (alice,) = table.seat("alice")
    table.flush(0)
    comes(table, crowd)
    alice.types("a")
    table.commit()
    alice.types("b")
    table.flush(0)
    deadline = table.room.deadline()
    assert deadline is not None
    return deadline - table.now
