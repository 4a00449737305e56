"""Deleted ranges against the plainest model there is: a set of clocks."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from crdt.gate.ranges import Ranges

few = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)).map(lambda r: (r[0], r[0] + r[1])), max_size=6).map(
    sorted
)
many = st.integers(66, 90).flatmap(lambda n: st.just([(3 * i, 3 * i + 2) for i in range(n)]))
additions = st.lists(st.one_of(few, few, many), max_size=6)


def are_sound(ranges: list[tuple[int, int]]) -> bool:
    """Whether no range is empty, and the ranges are sorted and do not touch."""
    return all(a < b for a, b in ranges) and all(left[1] < right[0] for left, right in pairwise(ranges))


def clocks(ranges: Ranges) -> set[int]:
    return {clock for start, end in ranges for clock in range(start, end)}


@given(additions)
def test_ranges_are_the_union_of_what_was_added_and_remember_the_way_back(
    additions: list[list[tuple[int, int]]],
) -> None:
    ranges = Ranges()
    before: list[list[tuple[int, int]]] = []
    undos = []
    model: set[int] = set()
    for new in additions:
        wanted = {clock for start, end in new for clock in range(start, end)}
        before.append(list(ranges))
        undo = ranges.add(new)
        undos.append(undo)
        assert bool(undo) == (not wanted <= model)
        model |= wanted
        assert clocks(ranges) == model
        assert are_sound(list(ranges))
        assert all(ranges.covers(*each) for each in new)
    for undo, then in zip(reversed(undos), reversed(before), strict=True):
        for step in reversed(undo):
            ranges.undo(step)
        assert list(ranges) == then


@given(few, st.integers(0, 80), st.integers(1, 20))
def test_covered_means_every_clock_is_in(added: list[tuple[int, int]], start: int, length: int) -> None:
    ranges = Ranges()
    ranges.add(added)
    assert ranges.covers(start, start + length) == (set(range(start, start + length)) <= clocks(ranges))
