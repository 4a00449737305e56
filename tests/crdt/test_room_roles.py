"""Roles in a room: forbidden edits change nothing, and a new role counts at the next message."""

from collections.abc import Callable, Generator

import pytest

from crdt.errors import Code, ManyhandsError
from crdt.permissions import Role
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import ClosedMessage, DocumentInfo, Limits, Request, ResyncMessage, RoleMessage
from crdt.room.effects import Effect, Reload
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


def test_a_new_role_acts_on_what_is_not_durable_as_well() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    bob.types("durable ")
    table.commit()
    bob.types("before ")
    table.carry_out(table.room.judge(bob.session, Role.VIEWER))
    bob.types("after")
    table.reload()
    table.flush()
    assert (table.appends, table.room.settled) == ([], True)
    assert (alice.text, bob.acknowledged, told(bob)) == ("durable ", [1], [Role.VIEWER])
    assert bob.refusals == ["forbidden", "forbidden"]


def test_an_append_that_came_after_a_change_of_access_is_repeated_without_who_may_write_no_more() -> None:
    table = Table()
    alice, bob, carl = table.seat("alice", "bob", "carl")
    bob.types("forbidden ")
    alice.types("allowed")
    table.flush()
    carl.types("behind it ")
    table.carry_out(table.room.judge(bob.session, None))
    assert table.asked(Reload) == [], "the store may have taken it before the change"
    table.is_overtaken()
    table.reload()
    table.commit()
    assert (bob.refusals, alice.acknowledged, carl.acknowledged) == (["forbidden"], [1], [1])
    assert not any(isinstance(message, ResyncMessage) for message in alice.heard), "they hold what there is"
    assert alice.text == carl.text
    assert sorted(alice.text) == sorted("allowedbehind it ")


def test_an_append_that_came_after_a_change_of_access_that_takes_nothing_is_just_repeated() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    bob.types("still allowed")
    table.flush()
    (first,) = table.appends
    table.carry_out(table.room.judge(alice.session, Role.VIEWER))
    table.is_overtaken()
    table.flush(0)
    assert table.appends == [first]
    assert table.asked(Reload) == []
    table.settle()
    assert (alice.text, bob.acknowledged) == ("still allowed", [1])


def test_who_has_left_is_judged_for_what_they_left_behind() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    bob.types("left behind")
    bob.leaves()
    assert bob.session in table.room.owing()
    table.carry_out(table.room.judge(bob.session, None))
    table.reload()
    assert (table.room.settled, (bob.session in table.room.owing())) == (True, False)
    assert (alice.text, bob.refusals) == ("", ["forbidden"])


def test_nothing_is_appended_to_a_document_in_the_trash() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    bob.types("too late")
    table.flush()
    table.carry_out(table.room.describe(DocumentInfo("Title", "2030-01-01T12:00:00+00:00")))
    table.is_overtaken()
    table.reload()
    assert (table.room.settled, alice.text, bob.refusals) == (True, "", ["forbidden"])


def test_who_may_write_again_brings_what_was_refused() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    bob.joins(role=Role.COMMENTER)
    bob.types("kept")
    table.carry_out(table.room.judge(bob.session, Role.EDITOR))
    bob.sends(bob.doc.get_update())
    table.commit()
    assert alice.text == "kept"


def test_the_same_role_is_no_news_and_who_is_not_here_has_none() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    assert table.room.judge(alice.session, Role.EDITOR) == []
    bob.leaves()
    assert table.room.judge(bob.session, Role.VIEWER) == []


def test_viewers_are_seen() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    bob.joins(role=Role.VIEWER)
    table.room.members.receive_presence(bob.session, {"at": 3})
    table.carry_out(table.room.flush(table.now + 1))
    assert alice.sees["Bob"] == {"at": 3}


def _is_trashed(table: Table, _bob: Seat) -> None:
    table.carry_out(table.room.describe(DocumentInfo("Title", "2030-01-01T12:00:00+00:00")))


def _result(judging: Generator[None, None, list[Effect]]) -> list[Effect]:
    while True:
        try:
            next(judging)
        except StopIteration as judged:
            effects: list[Effect] = judged.value
            return effects


MEANWHILE: dict[str, Callable[[Table, Seat], None]] = {
    "forbidden": lambda table, bob: table.carry_out(table.room.judge(bob.session, Role.VIEWER)),
    "not_joined": lambda table, bob: table.carry_out(table.room.judge(bob.session, None)),
    "not_joined, left": lambda _, bob: bob.leaves(),
    "quarantined": lambda table, _: table.room.replica.quarantine("Damaged."),
    "forbidden, trashed": _is_trashed,
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_a_large_batch_is_taken_only_if_it_may_be_after_the_last_pause_as_well(what: str) -> None:
    table = Table()
    _, bob = table.seat("alice", "bob")
    updates = table.room.replica.read(encode_batch([bob.writes(f"{number} ") for number in range(300)]))
    judging = table.room.receive_in_slices(bob.session, updates, Request(bob), measured=False)
    for _pause in range(2):
        next(judging)
    MEANWHILE[what](table, bob)
    table.carry_out(_result(judging))
    table.flush()
    assert (bob.refusals, table.appends, table.room.settled) == ([what.split(",")[0]], [], True)
    assert dict(table.room.replica.clocks) == {}


def test_a_large_batch_that_was_refused_between_two_pauses_is_taken_when_it_may_be_again() -> None:
    table = Table()
    alice, bob = table.seat("alice", "bob")
    updates = table.room.replica.read(encode_batch([bob.writes(f"{number} ") for number in range(300)]))
    judging = table.room.receive_in_slices(bob.session, updates, Request(bob), measured=False)
    next(judging)
    MEANWHILE["forbidden"](table, bob)
    list(judging)
    table.carry_out(table.room.judge(bob.session, Role.EDITOR))
    bob.sends(bob.doc.get_update())
    table.commit()
    assert alice.text == bob.text


def test_who_only_suggests_leaves_bytes_for_those_who_write() -> None:
    table = Table(limits=Limits(document_bytes=4000, waiting_bytes=4000))
    alice, bob = table.seat("alice", "bob")
    bob.joins(role=Role.COMMENTER)
    for size, most in ((2900, None), (3100, Code.UNAVAILABLE)):
        assert refusal_of(table, bob, size) is most
        assert refusal_of(table, alice, size) is None
    alice.types("x" * 2900)
    table.commit()
    assert refusal_of(table, bob, 300) is Code.DOCUMENT_FULL
    assert refusal_of(table, alice, 300) is None


def refusal_of(table: Table, seat: Seat, size: int) -> Code | None:
    """What so many more bytes of somebody would be refused with."""
    try:
        table.room.may_write(seat.session, size)
    except ManyhandsError as refusal:
        return refusal.code
    return None
