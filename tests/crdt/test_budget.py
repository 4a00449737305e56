"""The budget: fair shares of the memory that a node holds for people, and who gives way."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.budget import Budget, Lease
from crdt.errors import Code, ProtocolError, Unavailable


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class House:
    """A budget of 100 bytes with shares of 40, and the leases that people have lost."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.budget = Budget(100, 40, self.clock)
        self.lost: list[str] = []

    def holds(self, person: str, amount: int, name: str = "", thing: object = None) -> Lease:
        lease = self.budget.of(person).lease(lambda _why: self.lost.append(name or person), thing)
        lease.grow(amount)
        return lease


def test_one_person_holds_a_share_and_others_have_theirs() -> None:
    house = House()
    house.holds("alice", 40)
    with pytest.raises(ProtocolError, match="Wait until a part is done") as refused:
        house.holds("alice", 1)
    assert refused.value.code is Code.TOO_MANY
    house.holds("bob", 40)
    assert house.budget.held == 80


def test_a_single_thing_may_be_larger_than_the_share() -> None:
    house = House()
    house.holds("alice", 90)
    with pytest.raises(ProtocolError):
        house.holds("alice", 1)


def test_what_is_given_back_is_free_again_and_once_is_enough() -> None:
    house = House()
    lease = house.holds("alice", 40)
    lease.release()
    lease.release()
    house.holds("alice", 40)
    assert house.budget.held == 40


def test_when_all_is_used_up_the_oldest_of_whoever_holds_most_gives_way() -> None:
    house = House()
    house.holds("alice", 20, "alice's first")
    house.holds("alice", 20, "alice's second")
    house.holds("bob", 30)
    house.holds("carol", 31)
    assert house.lost == ["alice's first"]
    assert house.budget.held == 81


def test_nobody_gets_more_by_taking_from_others() -> None:
    house = House()
    for person in ("alice", "bob", "carol", "dave"):
        house.holds(person, 25)
    with pytest.raises(Unavailable, match="used up"):
        house.holds("eve", 25)
    house.holds("eve", 20)
    assert len(house.lost) == 1


def test_what_is_worked_with_is_not_taken_away() -> None:
    house = House()
    for person in ("alice", "bob"):
        house.holds(person, 40).keep()
    house.holds("carol", 15)
    with pytest.raises(Unavailable):
        house.holds("dave", 15)
    house.clock.now = 1e9
    house.budget.sweep()
    assert house.lost == []


def test_what_several_hold_counts_once_and_is_freed_with_the_last() -> None:
    house = House()
    document = b"the same bytes"
    leases = [house.holds(person, 30, thing=document) for person in ("alice", "alice", "bob", "carol", "dave")]
    assert house.budget.held == 30
    assert house.budget.held_by("alice") == 30
    for lease in leases[:-1]:
        lease.release()
    assert (house.budget.held, house.budget.held_by("alice"), house.budget.held_by("dave")) == (30, 0, 30)
    leases[-1].release()
    assert house.budget.held == 0


def test_what_is_not_asked_for_in_time_is_given_up() -> None:
    house = House()
    slow, busy = house.holds("alice", 10), house.holds("bob", 10)
    slow.last(30.0, at_most=100.0)
    busy.last(30.0, at_most=100.0)
    for moment in (25.0, 50.0, 75.0, 99.0):
        house.clock.now = moment
        house.budget.sweep()
        busy.last(30.0)
    assert house.lost == ["alice"]
    house.clock.now = 100.0
    house.budget.sweep()
    assert house.lost == ["alice", "bob"]


@given(st.integers(0, 2**32))
def test_the_books_are_right_whatever_happens(seed: int) -> None:
    chance, house = random.Random(seed), House()
    things = [bytes([number]) * 8 for number in range(3)]
    leases: list[Lease] = []
    for _ in range(60):
        if leases and chance.random() < 0.4:
            chance.choice(leases).release()
        try:
            thing = chance.choice([None, None, *things])
            amount = chance.randrange(1, 30) if thing is None else 8
            leases.append(house.holds(chance.choice("abcdef"), amount, thing=thing))
        except (ProtocolError, Unavailable):
            pass
        alive = [lease for lease in leases if lease in house.budget._leases.get(lease.person, {})]
        by_thing = {id(lease.thing): lease.bytes for lease in alive}
        by_person = Counter[str]()
        for person, _, amount in {(lease.person, id(lease.thing), lease.bytes) for lease in alive}:
            by_person[person] += amount
        assert house.budget.held == sum(by_thing.values()) <= 100
        assert all(house.budget.held_by(person) == by_person[person] <= 40 for person in "abcdef")
