"""The rate of presence messages: smooth cursors among few people, and fewer messages among many."""

import pytest

from crdt.ids import ClientId
from crdt.protocol.messages import ClosedMessage, JoinRequest, PresenceMessage, Role, User
from crdt.room.members import PRESENCE_GATHER, SLOWEST_GATHER
from crdt.room.session import Session
from tests.harness.room import Seat, Table


def moves(seat: Seat, table: Table, at: int) -> None:
    table.room.members.receive_presence(seat.session, {"at": at})
    table.flush(after=0.0)


def crowd(table: Table, people: int) -> None:
    """Make people whose messages nobody looks at."""
    for number in range(people):
        request = JoinRequest(b"\0", ClientId(50_000 + number))
        user = User(f"u{number}", f"U{number}", "#336699")
        table.room.join(Session(), request, user, Role.EDITOR)


@pytest.mark.parametrize(
    ("others", "gather"), [(0, PRESENCE_GATHER), (48, PRESENCE_GATHER), (198, 0.2), (900, SLOWEST_GATHER)]
)
def test_the_first_move_is_told_at_once_and_the_next_after_a_while_that_grows_with_the_room(
    others: int, gather: float
) -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    crowd(table, others)
    moves(alice, table, 1)
    assert bob.sees == {"Alice": {"at": 1}}
    moves(alice, table, 2)
    moves(alice, table, 3)
    assert bob.sees == {"Alice": {"at": 1}}
    assert table.room.deadline() == pytest.approx(table.now + gather)
    table.flush(after=gather)
    assert bob.sees == {"Alice": {"at": 3}}
    assert len([message for message in bob.heard if isinstance(message, PresenceMessage)]) == 2


def test_everybody_is_told_of_a_storm_of_newcomers_in_few_messages() -> None:
    table = Table()
    (alice,) = table.seat("alice")
    for number, newcomer in enumerate(table.seat(*(f"newcomer {number}" for number in range(30)))):
        moves(newcomer, table, number)
    table.flush()
    assert len(alice.sees) == 30
    assert len([message for message in alice.heard if isinstance(message, PresenceMessage)]) == 2


def test_who_comes_back_under_the_same_client_id_takes_the_place_of_who_was_there() -> None:
    table = Table()
    (alice,) = table.seat("alice")
    again = Seat(table, "alice again", alice.client_id, alice.key)
    table.seats[again.session] = again
    again.joins()
    assert [type(message) for message in alice.heard] == [ClosedMessage]
    assert list(table.room.members) == [again.session]
    again.joins()
    assert again.heard == []
