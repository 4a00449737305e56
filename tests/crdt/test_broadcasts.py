"""Broadcasts: what somebody's application tells everybody else in a document, and nobody keeps."""

import pytest

from crdt.errors import Code, ProtocolError
from crdt.permissions import Action, Role, may
from crdt.protocol.hints import BroadcastHint
from crdt.protocol.messages import BROADCAST_BYTES, BroadcastMessage, User
from crdt.room.effects import Effect, Publish
from crdt.room.members import BROADCASTS
from tests.harness.room import Seat, Table


def said(seat: Seat) -> list[bytes]:
    return [message.payload for message in seat.heard if isinstance(message, BroadcastMessage)]


def says(table: Table, seat: Seat, payload: bytes) -> list[Effect]:
    effects = table.room.members.broadcast(seat.session, payload)
    table.carry_out(effects)
    return effects


def refusal(table: Table, seat: Seat, payload: bytes) -> Code:
    with pytest.raises(ProtocolError) as refused:
        says(table, seat, payload)
    return refused.value.code


def test_everybody_else_hears_it_now_with_the_name_of_who_said_it_and_nothing_is_kept() -> None:
    table = Table()
    anna, bert = table.seat("anna", "bert")
    effects = says(table, anna, b"hello")
    assert BroadcastMessage(b"hello", anna.user) in bert.heard
    assert said(anna) == []
    assert Publish(BroadcastHint(b"hello", anna.user)) in effects
    (carl,) = table.seat("carl", first_client_id=2000)
    table.flush()
    assert said(carl) == []
    assert table.room.seq == 0


@pytest.mark.parametrize("role", Role)
def test_whoever_may_comment_may_tell_everybody(role: Role) -> None:
    table = Table()
    anna, bert = table.seat("anna", "bert")
    anna.joins(role=role)
    bert.joins(role=Role.VIEWER)
    if may(role, Action.COMMENT):
        says(table, anna, b"hello")
        assert said(bert) == [b"hello"]
    else:
        assert refusal(table, anna, b"hello") is Code.FORBIDDEN
        assert said(bert) == []


def test_what_is_too_large_or_no_text_is_refused_and_whoever_is_not_here_says_nothing() -> None:
    table = Table()
    anna, bert, carl = table.seat("anna", "bert", "carl")
    carl.leaves()
    assert refusal(table, carl, b"hello") is Code.NOT_JOINED
    assert refusal(table, anna, b"x" * (BROADCAST_BYTES + 1)) is Code.TOO_LARGE
    assert refusal(table, anna, "☂".encode()[:2]) is Code.MALFORMED
    says(table, anna, b"x" * BROADCAST_BYTES)
    says(table, anna, b"")
    assert said(bert) == [b"x" * BROADCAST_BYTES, b""]


@pytest.mark.parametrize("size", [1, BROADCAST_BYTES])
def test_people_are_told_no_more_than_their_node_can_tell(size: int) -> None:
    table = Table()
    people = table.seat(*(f"p{at}" for at in range(10)))
    table.flush()
    each_costs = len(people) * max(1, size // 4096)
    for _ in range(int(BROADCASTS.burst // each_costs)):
        says(table, people[0], b"x" * size)
    assert refusal(table, people[0], b"x" * size) is Code.RATE_LIMITED
    elsewhere = BroadcastHint(b"x" * size, User("zoe", "Zoe", "#336699"))
    with pytest.raises(ProtocolError):
        table.room.members.pass_on(elsewhere)
    table.flush(after=2 * each_costs / BROADCASTS.per_second)
    table.carry_out(table.room.members.pass_on(elsewhere))
    assert len(said(people[0])) == 1


def test_who_has_fallen_behind_is_told_nothing_and_hears_nothing_later() -> None:
    table = Table()
    anna, bert = table.seat("anna", "bert")
    table.room.members.congested(bert.session, table.now)
    says(table, anna, b"hello")
    table.carry_out(table.room.members.drained(bert.session))
    assert said(bert) == []
    says(table, anna, b"again")
    assert said(bert) == [b"again"]
