"""Refusals of a room, which change nothing for anybody."""

import pytest
from pycrdt import Doc, Text

from crdt.errors import Code, ProtocolError
from crdt.ids import Epoch, Seq
from crdt.protocol.messages import ClosedMessage, DocumentInfo, Limits, Role
from crdt.protocol.row import Stored
from tests.harness.room import Seat, Table


class TestRefusals:
    def test_a_batch_is_taken_whole_or_not_at_all(self) -> None:
        table = Table()
        alice, bob = table.seat("alice", "bob")
        good = bob.writes("good")
        bob.writes("lost on the way")
        late = bob.writes("late")
        alice.sends(good, late)
        assert alice.refusals == ["missing_past"]
        assert table.room.settled
        bob.sends(good)
        table.commit()
        assert alice.text == "good"

    def test_without_a_request_a_refusal_ends_the_session(self) -> None:
        table = Table()
        alice, bob = table.seat("alice", "bob")
        bob.writes("lost")
        alice.sends(bob.writes("late"), awaited=False)
        assert [m.code for m in alice.heard if isinstance(m, ClosedMessage)] == [Code.MISSING_PAST]
        assert [table.seats[session].name for session in table.room.members] == ["bob"]

    def test_a_viewer_and_a_trashed_document_cannot_be_written_to(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        alice.joins(role=Role.VIEWER)
        alice.types("no")
        table.carry_out(table.room.describe(DocumentInfo("Title", "2026-01-01T00:00:00+00:00")))
        alice.joins()
        alice.types("neither")
        assert alice.refusals == ["forbidden", "forbidden"]

    def test_who_has_not_joined_is_told_so(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        alice.leaves()
        alice.types("anybody?")
        assert alice.refusals == ["not_joined"]

    def test_a_full_waiting_room_refuses_openly_and_the_rest_drains(self) -> None:
        table = Table(limits=Limits(waiting_bytes=100))
        alice, bob = table.seat("alice", "bob")
        for _ in range(10):
            alice.types("0123456789")
        assert "unavailable" in alice.refusals
        table.commit()
        assert bob.text == "0123456789" * len(alice.acknowledged)

    def test_a_full_document_says_so(self) -> None:
        table = Table(limits=Limits(document_bytes=200))
        (alice,) = table.seat("alice")
        alice.types("x" * 150)
        table.commit()
        alice.types("y" * 100)
        assert alice.refusals == ["document_full"]

    def test_one_person_too_many(self) -> None:
        table = Table(limits=Limits(members=1))
        table.seat("alice")
        with pytest.raises(ProtocolError) as refused:
            table.seat("bob")
        assert refused.value.code is Code.TOO_MANY

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.COMMENTER])
    def test_an_audience_leaves_seats_for_those_who_write(self, role: Role) -> None:
        table = Table(limits=Limits(members=4))
        audience = [Seat(table, name, number, None) for number, name in enumerate(("ann", "bob", "carl", "dora"), 1)]
        for seat in audience:
            table.seats[seat.session] = seat
        for seat in audience[:3]:
            seat.joins(role=role)
        with pytest.raises(ProtocolError) as refused:
            audience[3].joins(role=role)
        assert refused.value.code is Code.TOO_MANY
        audience[2].joins(role=role)
        audience[3].joins(role=Role.EDITOR)


class TestClientIds:
    def test_nobody_can_go_on_under_somebody_elses_id(self) -> None:
        table = Table()
        alice, mallory = table.seat("alice", "mallory")
        alice.types("hello")
        table.commit()
        forged: Doc = Doc(client_id=alice.client_id)  # type: ignore[type-arg]
        forged.apply_update(alice.doc.get_update())
        before = forged.get_state()
        forged.get("story", type=Text).insert(0, "hijacked ")
        mallory.sends(forged.get_update(before))
        assert mallory.refusals == ["client_id_taken"]
        alice.types(" again")
        table.commit()
        assert mallory.text == "hello again"

    def test_an_announced_id_is_protected_before_its_first_use(self) -> None:
        table = Table()
        alice, mallory = table.seat("alice", "mallory")
        forged: Doc = Doc(client_id=alice.client_id)  # type: ignore[type-arg]
        forged.get("story", type=Text).insert(0, "first")
        mallory.sends(forged.get_update())
        assert mallory.refusals == ["client_id_taken"]

    def test_a_second_tab_with_the_same_key_uploads_what_the_first_one_typed(self) -> None:
        table = Table()
        first, second = table.seat("first", "second")
        second.leaves()
        second.key = first.key
        second.joins()
        second.sends(first.writes("typed in the first tab"))
        table.commit()
        assert second.refusals == []
        assert first.text == "typed in the first tab"

    def test_the_binding_survives_the_room(self) -> None:
        table = Table()
        (alice,) = table.seat("alice")
        alice.types("hello")
        table.flush()
        keys = dict(table.appends[0].author_keys)
        table.settle()
        later = Table(Stored(Epoch(7), None, Seq(0), table.stored().rows, keys))
        _, mallory = later.seat("somebody", "mallory", first_client_id=2000)
        mallory.client_id = alice.client_id
        with pytest.raises(ProtocolError) as refused:
            mallory.joins()
        assert refused.value.code is Code.CLIENT_ID_TAKEN

    def test_a_reconnected_browser_takes_its_ghosts_place(self) -> None:
        table = Table()
        alice, ghost = table.seat("alice", "ghost")
        alice.client_id, alice.key = ghost.client_id, ghost.key
        alice.joins()
        assert [table.seats[session].name for session in table.room.members] == ["alice"]
        assert isinstance(ghost.heard[-1], ClosedMessage)


@pytest.mark.slow
def test_one_person_s_pages_begin_to_write_so_many_at_once_and_others_are_not_held_up() -> None:
    """Client ids are never forgotten. Who invents many is slowed down, and loses nothing."""
    table = Table()
    alice, bob = table.seat("alice", "bob")
    table.flush()
    pages = [Seat(table, f"page {number}", 5000 + number, None) for number in range(202)]
    for page in pages:
        page.user = alice.user
        table.seats[page.session] = page
        page.joins()
        page.types("x")
    assert [page.refusals for page in pages[:200]] == [[]] * 200
    assert [page.refusals for page in pages[200:]] == [["rate_limited"]] * 2
    alice.types("known, or new")
    bob.types("somebody else")
    assert (alice.refusals, bob.refusals) == (["rate_limited"], [])
    table.commit()
    table.flush(after=31)
    pages[200].sends(pages[200].doc.get_update())
    assert pages[200].refusals == ["rate_limited"], "what was refused is sent again after a while"
    pages[0].types("a known one goes on")
    assert pages[0].refusals == []
