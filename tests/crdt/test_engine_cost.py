"""The bound of the engine's work: a place that costs no search has nothing in the way.

The structs may be forged as one likes.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from crdt.gate.deletions import Deletions
from crdt.gate.engine_cost import LOOK_AT, PLENTY, ROUNDS, EngineCost
from crdt.gate.gate import Knowledge
from crdt.yjs.contents import STRING
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from tests.harness.update_writer import text, update

PLACE = 2
CLIENTS = (1, 2, 3)
Id = tuple[int, int]


@dataclass(eq=False)
class Character:
    id: Id
    origin: Id | None
    right: Id | None


class Sequence:
    """Yjs' list of items, a character each, written after `Item.integrate`."""

    def __init__(self) -> None:
        self.items: list[Character] = []
        self.clocks = dict.fromkeys(CLIENTS, 0)

    def place_of(self, id_: Id | None) -> int:
        return next(at for at, each in enumerate(self.items) if each.id == id_)

    def integrate(self, new: Character) -> int:
        """Put a character into its place, and return how many others were looked at."""
        left = -1 if new.origin is None else self.place_of(new.origin)
        at, looked = left + 1, 0
        seen, conflicting = set[Id](), set[Id]()
        while at < len(self.items) and self.items[at].id != new.right:
            other = self.items[at]
            looked += 1
            seen.add(other.id)
            conflicting.add(other.id)
            if other.origin == new.origin:
                if other.id[0] < new.id[0]:
                    left = at
                    conflicting.clear()
                elif other.right == new.right:
                    break
            elif other.origin is not None and other.origin in seen:
                if other.origin not in conflicting:
                    left = at
                    conflicting.clear()
            else:
                break
            at += 1
        self.items.insert(left + 1, new)
        self.clocks[new.id[0]] += 1
        return looked


@pytest.mark.slow
@given(st.data())
def test_nothing_is_looked_at_where_the_bound_counts_nothing(data: st.DataObject) -> None:
    cost, sequence = EngineCost(Deletions()), Sequence()
    fresh = 0
    for _ in range(data.draw(st.integers(1, 40))):
        client = data.draw(st.sampled_from(CLIENTS))
        known: list[Id | None] = [None, *[each.id for each in sequence.items]]
        origin, right, clock = (
            data.draw(st.sampled_from(known)),
            data.draw(st.sampled_from(known)),
            sequence.clocks[client],
        )
        match data.draw(st.sampled_from(["types on", "into typed text", "anywhere"])):
            case "types on" if clock:
                origin = client, clock - 1
            case "into typed text" if origin is not None and (origin[0], origin[1] + 1) in known:
                right = origin[0], origin[1] + 1
            case _:
                pass
        struct: Any = (clock, clock + 1, STRING, *(origin or (-1, -1)), *(right or (-1, -1)), None, ())
        behind, before = origin == (client, clock - 1), cost.now
        cost.add(client, struct, PLACE, {})
        found = sequence.integrate(Character((client, clock), origin, right))
        if sequence.items[1:] and not behind and cost.now - before < LOOK_AT and cost._grown[PLACE] > 1:
            fresh += 1
            assert found == 0
    event("with fresh places" if fresh else "without")


def test_search_and_replace_in_a_long_text_is_not_taken_for_an_attack() -> None:
    limits = GateLimits()
    knowledge = Knowledge(limits)
    words = "".join(f"{number:07} " for number in range(4000))
    knowledge.admit([inspect(update({1: (0, [text(words, parent="t")])}), limits)], lambda _: True)
    clock = 0
    for number in range(4000):
        begin = number * 8 + 3
        replaced = update({2: (clock, [text("new", left=(1, begin - 1), right=(1, begin))])}, deleted={1: [(begin, 2)]})
        knowledge.admit([inspect(replaced, limits)], lambda _: True)
        clock += 3
    assert knowledge.unmeasured < ROUNDS * PLENTY / 4


def test_a_refused_update_breaks_no_joint() -> None:
    cost = EngineCost(Deletions())
    typed: Any = (0, 9, STRING, -1, -1, -1, -1, "t", ())
    into: Any = (0, 1, STRING, 1, 4, 1, 5, None, ())
    cost.add(1, typed, PLACE, {})
    cost.settle()
    spent = []
    for _ in range(2):
        cost.add(2, into, PLACE, {})
        spent.append(cost.now)
        cost.roll_back()
    cost.add(2, into, PLACE, {})
    cost.settle()
    cost.add(3, into, PLACE, {})
    assert spent[0] == spent[1] < LOOK_AT <= cost.now, "one that was taken has broken it"
