"""Presence: who is here and where their cursor is, on one node and on others."""

from dataclasses import replace

import pytest

from crdt.errors import Code, ProtocolError
from crdt.ids import ClientId, NodeId, PresenceId
from crdt.protocol.messages import Json, PresenceChange, User
from crdt.room.live_nodes import SILENCE, LiveNodes
from crdt.room.members import PresenceTable

A, B = NodeId("a"), NodeId("b")
NOBODY = PresenceId(0)


def somebody(number: int, at: int | None = 0) -> PresenceChange:
    state: dict[str, Json] | None = None if at is None else {"at": at}
    return PresenceChange(PresenceId(number), ClientId(number), User(f"u{number}", f"U{number}", "#336699"), state)


def enter(table: PresenceTable, person: PresenceChange) -> None:
    assert person.state is not None
    table.put(person.presence_id, person.client_id, person.user, person.state)


def test_what_moved_often_is_told_once_as_it_is_now() -> None:
    table = PresenceTable()
    for at in range(3):
        enter(table, somebody(1, at))
    assert table.take_changes() == (somebody(1, 2),)
    assert not table.changes


def said(text: str) -> PresenceChange:
    return replace(somebody(1), state={"at": text})


def test_a_state_is_as_long_as_browsers_write_it_and_a_longer_one_leaves_the_last_that_fitted() -> None:
    table = PresenceTable(state_bytes=20)
    for fits in ("x" * 11, "é" * 5, "😀" * 2, '"' * 5):  # {"at":""} and 11 bytes
        enter(table, said(fits))
    for too_long in ("x" * 12, "é" * 6, "😀" * 3, '"' * 6, "x" * 60_000):
        with pytest.raises(ProtocolError) as refused:
            enter(table, said(too_long))
        assert refused.value.code is Code.TOO_LARGE
    assert table.here() == (said('"' * 5),)


def test_a_long_name_does_not_shorten_the_state() -> None:
    table = PresenceTable(state_bytes=20)
    enter(table, said("x" * 11))
    table.identify(PresenceId(1), User("u1", "N" * 80, "#336699"))
    assert table.here()[0].user.name == "N" * 80


def test_who_goes_is_told_of_once() -> None:
    table = PresenceTable()
    enter(table, somebody(1))
    table.remove(PresenceId(1))
    table.remove(PresenceId(1))
    assert table.take_changes() == (somebody(1, None),)
    assert table.here() == ()


def test_a_state_that_says_the_same_is_no_news() -> None:
    table = PresenceTable()
    enter(table, somebody(1, 1))
    table.take_changes()
    enter(table, somebody(1, 1))
    assert not table.changes
    enter(table, replace(somebody(1), state={"at": True}))
    assert [change.state for change in table.take_changes()] == [{"at": True}]


def test_who_comes_back_where_they_were_is_told_of() -> None:
    table = PresenceTable()
    enter(table, somebody(1))
    table.remove(PresenceId(1))
    enter(table, somebody(1))
    assert table.take_changes() == (somebody(1),)


def test_people_of_other_nodes_are_seen_and_not_told_of_further() -> None:
    table = PresenceTable()
    enter(table, somebody(1))
    table.take_changes()
    assert table.hear(A, [somebody(2), somebody(3)]) == (somebody(2), somebody(3))
    assert not table.changes
    assert table.here() == (somebody(1),)
    assert table.everybody(but=PresenceId(1)) == (somebody(2), somebody(3))


def told(table: PresenceTable) -> frozenset[PresenceId]:
    """Tell what has changed; return who needed no introduction."""
    return table.message(table.take_changes()).moves


def test_who_somebody_is_is_told_until_everybody_here_knows() -> None:
    table, one = PresenceTable(), frozenset({PresenceId(1)})
    enter(table, somebody(1))
    enter(table, somebody(1, 1))
    assert told(table) == frozenset()
    enter(table, somebody(1, 2))
    enter(table, somebody(2))
    assert told(table) == one
    table.identify(PresenceId(1), User("u1", "Another name", "#336699"))
    assert told(table) == frozenset()
    enter(table, replace(somebody(1, 3), client_id=ClientId(9)))
    assert told(table) == frozenset()
    table.remove(PresenceId(1))
    enter(table, replace(somebody(1, 4), client_id=ClientId(9)))  # somebody may have joined in between
    assert told(table) == frozenset()
    table.remove(PresenceId(1))
    assert told(table) == one  # who goes needs no name


def test_who_is_on_another_node_is_told_until_everybody_here_knows() -> None:
    table, two = PresenceTable(), frozenset({PresenceId(2)})
    assert table.message(table.hear(A, [somebody(2)])).moves == frozenset()
    assert table.message(table.hear(A, [somebody(2, 1)])).moves == two
    assert table.message(table.hear(A, [somebody(2, None)])).moves == two
    assert table.message(table.hear(A, [somebody(2, 2)])).moves == frozenset()
    assert table.message(table.lose(A)).moves == two
    assert table.message(table.hear(A, [somebody(2, 3)])).moves == frozenset()
    assert table.message(table.hear_whole(A, [])).moves == two
    assert table.message(table.hear_whole(B, [somebody(2, 3)])).moves == frozenset()


def test_only_news_is_passed_on() -> None:
    table = PresenceTable()
    table.hear(A, [somebody(2)])
    assert table.hear(A, [somebody(2), somebody(3, None)]) == ()
    assert table.hear(A, [somebody(2, 5)]) == (somebody(2, 5),)
    assert table.hear(A, [somebody(2, None)]) == (somebody(2, None),)
    assert not table.nodes


def test_another_node_cannot_speak_of_the_people_here() -> None:
    table = PresenceTable()
    enter(table, somebody(1))
    assert table.hear(A, [somebody(1, None)]) == ()
    assert table.here() == (somebody(1),)


def test_whoever_is_not_in_the_whole_is_gone() -> None:
    table = PresenceTable()
    table.hear(A, [somebody(2), somebody(3)])
    table.hear(B, [somebody(4)])
    assert table.hear_whole(A, [somebody(3), somebody(5)]) == (somebody(2, None), somebody(5))
    assert {change.presence_id for change in table.everybody(but=NOBODY)} == {3, 4, 5}


def test_a_lost_node_takes_its_people_with_it() -> None:
    table = PresenceTable()
    table.hear(A, [somebody(2)])
    table.hear(B, [somebody(4)])
    assert table.lose(A) == (replace(somebody(2), state=None),)
    assert table.lose(A) == ()
    assert set(table.nodes) == {B}


def test_a_node_that_beats_lives_and_one_that_is_silent_is_given_up() -> None:
    nodes = LiveNodes()
    nodes.heard(A, 0.0)
    nodes.heard(B, 0.0)
    assert nodes.take_new() == (A, B)
    nodes.heard(B, SILENCE)
    assert nodes.take_silent(SILENCE) == ()
    assert nodes.take_silent(SILENCE + 0.1) == (A,)
    assert A not in nodes
    assert B in nodes


def test_a_node_that_was_given_up_is_new_when_it_is_heard_again() -> None:
    nodes = LiveNodes()
    nodes.heard(A, 0.0)
    nodes.take_new()
    nodes.take_silent(100.0)
    nodes.heard(A, 100.0)
    assert nodes.take_new() == (A,)
    assert nodes.take_new() == ()


def test_a_node_that_says_goodbye_is_gone_at_once() -> None:
    nodes = LiveNodes()
    nodes.heard(A, 0.0)
    nodes.forget(A)
    assert A not in nodes
    assert nodes.take_new() == ()
