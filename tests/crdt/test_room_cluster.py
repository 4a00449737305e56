"""A room among other nodes' rooms: rows and people that come from elsewhere, in any order, late or twice."""

from dataclasses import replace

from pycrdt import Doc, Text

from crdt.authors import hash_key
from crdt.effects import AnnouncePresence, Fetch, PublishPresence
from crdt.gathering import PRESENCE_REPEAT
from crdt.ids import ClientId, NodeId, PresenceId, Seq
from crdt.protocol import PresenceChange, User, decode_batch, encode_batch
from tests.harness.room import Table

ELSEWHERE = NodeId("elsewhere")
CAROL = PresenceChange(PresenceId(900), ClientId(900), User("carol", "Carol", "#336699"), {"at": 1})
CAROL_GONE = PresenceChange(PresenceId(900), ClientId(900), User("carol", "Carol", "#336699"), None)


def rows_of_one_author(*words: str) -> list[bytes]:
    """Rows each of which builds on the one before."""
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
        """The gate once learned of a row when it came, not in its turn, took its place for unknown, and refused what was beside it."""
        table = Table()
        (alice,) = table.seat("alice")
        first, second, third = rows_of_one_author("one ", "two ", "three ")
        table.carry_out(table.room.remote(Seq(3), third))
        table.carry_out(table.room.remote(Seq(2), second))
        table.carry_out(table.room.remote(Seq(1), first))
        assert alice.text == "one two three "
        before = alice.doc.get_state()
        alice.story.insert(4, "and ")
        alice.sends(alice.doc.get_update(before))
        assert alice.refusals == []

    def test_ones_own_row_read_back_from_the_log_is_still_acknowledged(self) -> None:
        """The store's answer may be slower than the log that was read because of another node's hint."""
        table = Table()
        alice, bob = table.seat("alice", "bob")
        alice.types("mine")
        table.flush()
        append = table.appends.pop()
        table.carry_out(table.room.fetched([(Seq(1), append.batch)]))
        table.carry_out(table.room.committed(append.update_id, Seq(1)))
        assert alice.acknowledged == [1]
        assert bob.seqs == [1]
        assert table.room.settled

    def test_a_row_hinted_at_while_the_log_is_read_is_read_as_well(self) -> None:
        table = Table()
        table.seat("alice")
        first, second = rows_of_one_author("one ", "two ")
        table.carry_out(table.room.remote(Seq(1), None))
        table.carry_out(table.room.remote(Seq(2), None))
        table.carry_out(table.room.fetched([(Seq(1), first)]))
        assert table.asked(Fetch) == [Fetch(Seq(0)), Fetch(Seq(1))]
        table.carry_out(table.room.fetched([(Seq(2), second)]))
        assert table.asked(Fetch) == [Fetch(Seq(0)), Fetch(Seq(1))]

    def test_a_row_that_the_log_does_not_have_is_asked_for_once(self) -> None:
        table = Table()
        table.carry_out(table.room.remote(Seq(5), None))
        table.carry_out(table.room.fetched([]))
        assert table.asked(Fetch) == [Fetch(Seq(0))]

    def test_whoever_wrote_first_elsewhere_is_not_locked_out_by_who_brought_it_here(self) -> None:
        """Bob has Alice's words from another node, and brings them here before the log does: her id does not become his."""
        table = Table()
        (bob,) = table.seat("bob")
        (hers,) = rows_of_one_author("words of hers ")
        (update,) = decode_batch(hers)
        bob.doc.apply_update(update)
        bob.sends(update, bob.writes("and mine"))
        table.flush()
        append = table.appends.pop()
        table.carry_out(table.room.committed(append.update_id, Seq(2)))
        table.carry_out(table.room.fetched([(Seq(1), hers), (Seq(2), append.batch)]))
        (alice,) = table.seat("alice", first_client_id=0)
        assert alice.client_id == 1
        alice.doc.apply_update(update)
        alice.types("more of hers ")
        assert alice.refusals == []

    def test_a_document_read_again_says_whose_the_client_ids_are(self) -> None:
        table = Table()
        (bob,) = table.seat("bob")
        (hers,) = rows_of_one_author("words of hers ")
        (update,) = decode_batch(hers)
        bob.sends(update)
        table.flush()
        truth = {ClientId(1): hash_key("key-of-alice-0123456789")}
        table.log.append(hers)
        table.carry_out(table.room.doubt("Rows were folded into a snapshot."))
        table.carry_out(table.room.reloaded(replace(table.stored(), author_keys=truth)))
        (alice,) = table.seat("alice", first_client_id=0)
        alice.types("more of hers ")
        assert alice.refusals == []


class TestPeople:
    def test_people_elsewhere_are_shown_and_not_sent_back(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        table.carry_out(table.room.people.hear_presence(ELSEWHERE, [CAROL]))
        assert alice.sees == {"Carol": {"at": 1}}
        table.flush()
        assert table.asked(PublishPresence) == []

    def test_who_comes_later_sees_them_too(self) -> None:
        table = Table()
        table.carry_out(table.room.people.hear_presence(ELSEWHERE, [CAROL]))
        (alice,) = table.seat("alice")
        assert alice.sees == {"Carol": {"at": 1}}

    def test_a_node_that_asks_hears_who_is_here_once_however_often_it_asked(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        table.room.receive_presence(alice.connection, {"at": 7})
        table.flush()
        for _ in range(3):
            table.carry_out(table.room.people.hear_whole_presence(ELSEWHERE, (), asks=True))
        table.flush()
        (answer,) = table.asked(AnnouncePresence)
        assert isinstance(answer, AnnouncePresence)
        assert [person.user.name for person in answer.people] == ["Alice"]
        assert not answer.asks

    def test_a_node_that_was_given_up_is_asked_when_it_is_back(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        table.carry_out(table.room.people.hear_presence(ELSEWHERE, [CAROL]))
        table.carry_out(table.room.people.lose_node(ELSEWHERE))
        assert alice.sees == {"Carol": None}
        for _ in range(2):
            table.carry_out(table.room.people.find_node(ELSEWHERE))
        assert table.asked(AnnouncePresence) == [AnnouncePresence((), asks=True)]

    def test_a_node_without_people_here_is_not_asked(self) -> None:
        table = Table()
        table.carry_out(table.room.people.lose_node(ELSEWHERE))
        table.carry_out(table.room.people.find_node(ELSEWHERE))
        assert table.asked(AnnouncePresence) == []

    def test_people_who_share_a_document_with_another_node_are_told_of_anew_now_and_then(self) -> None:
        table = Table()
        table.seat("alice")
        table.carry_out(table.room.people.hear_presence(ELSEWHERE, [CAROL]))
        table.flush()
        assert table.room.deadline() == table.now + PRESENCE_REPEAT
        table.flush(PRESENCE_REPEAT)
        assert table.asked(AnnouncePresence) == [AnnouncePresence((), asks=True)]
        table.carry_out(table.room.people.hear_presence(ELSEWHERE, [CAROL_GONE]))
        table.flush(PRESENCE_REPEAT)
        assert table.room.deadline() is None
        assert len(table.asked(AnnouncePresence)) == 1
