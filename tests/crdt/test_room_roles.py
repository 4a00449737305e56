"""Roles in a room: what is forbidden changes nothing for anybody, and a change of role acts from the next message on."""

import pytest

from crdt.errors import Code
from crdt.permissions import Role
from crdt.protocol import ClosedMessage, RoleMessage
from tests.harness.room import Seat, Table


def told(seat: Seat) -> list[Role]:
    return [message.role for message in seat.heard if isinstance(message, RoleMessage)]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.COMMENTER])
@pytest.mark.parametrize("awaited", [True, False], ids=["awaited", "not awaited"])
def test_who_may_not_write_changes_nothing_for_anybody(role: Role, awaited: bool) -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    bob.joins(role=role)
    bob.sends(bob.writes("forged"), awaited=awaited)
    assert table.room.settled
    assert alice.text == ""
    assert alice.seqs == []
    assert bob.refusals == (["forbidden"] if awaited else [])
    assert [message.code for message in bob.heard if isinstance(message, ClosedMessage)] == (
        [] if awaited else [Code.FORBIDDEN]
    )


def test_a_new_role_acts_from_the_next_message_on_and_what_was_taken_stays_taken() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    bob.types("before ")
    table.carry_out(table.room.people.change_role(bob.connection, Role.VIEWER))
    bob.types("after")
    table.commit()
    assert (alice.text, bob.acknowledged, bob.refusals, told(bob)) == ("before ", [1], ["forbidden"], [Role.VIEWER])


def test_who_may_write_again_brings_what_was_refused() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    bob.joins(role=Role.COMMENTER)
    bob.types("kept")
    table.carry_out(table.room.people.change_role(bob.connection, Role.EDITOR))
    bob.sends(bob.doc.get_update())
    table.commit()
    assert alice.text == "kept"


def test_the_same_role_is_no_news_and_who_is_not_here_has_none() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    assert table.room.people.change_role(alice.connection, Role.EDITOR) == []
    bob.leaves()
    assert table.room.people.change_role(bob.connection, Role.VIEWER) == []


def test_viewers_are_seen() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    bob.joins(role=Role.VIEWER)
    table.room.people.receive_presence(bob.connection, {"at": 3})
    table.carry_out(table.room.flush(table.now + 1))
    assert alice.sees["Bob"] == {"at": 3}
