"""The gate's work for hostile input, counted in lines of Python that run.

So no machine's speed matters.

Each byte costs a limited number of lines. Twice the input costs at most a little more than twice
the lines. Between two pauses there are so few lines that other tasks of an event loop notice
nothing.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any

import pytest

from crdt.gate.gate import Knowledge
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect
from tests.harness.census import census
from tests.harness.hostile_work import KINDS, Input, garbage_in_many_updates, neighbours_deep_under_a_deleted_parent

LIMITS = GateLimits()
SMALL = 600
LINES_A_BYTE = 60
"""Lines for each byte of the cheapest struct, which has two bytes and takes 100 lines."""

LINES_A_SLICE = 60_000
"""Some 5 ms."""


class Lines:
    """A counter of the lines of Python that run inside of the context."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> "Lines":
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _call(self, _frame: FrameType, event: str, _argument: object) -> Callable[..., Any]:
        self.count += event == "line"
        return self._call


def anybody(_: int) -> bool:
    return True


def read(batch: Sequence[bytes]) -> list[Inspected]:
    return [inspect(update, LIMITS) for update in batch]


def prepared(given: Input) -> Knowledge:
    knowledge = Knowledge(LIMITS)
    for batch in given.before:
        knowledge.admit(read(batch), anybody, measured=True)
    return knowledge


def lines_for(given: Input) -> int:
    """Return the lines that the blow takes."""
    knowledge = prepared(given)
    with Lines() as lines:
        for batch in given.blow:
            knowledge.admit(read(batch), anybody, measured=True)
    return lines.count


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_work_grows_with_the_bytes_and_no_faster(name: str) -> None:
    make, _ = KINDS[name]
    once, twice = make(SMALL), make(2 * SMALL)
    few, many = lines_for(once), lines_for(twice)
    assert many <= 2.2 * few + 2000, "twice the input"
    assert many <= LINES_A_BYTE * twice.octets + 2000


def slices_of(knowledge: Knowledge, updates: Sequence[Inspected]) -> Iterator[int]:
    """Return the lines between pauses."""
    slices = knowledge.admit_in_slices(updates, anybody, measured=True)
    done = False
    while not done:
        with Lines() as lines:
            done = next(slices, "end") == "end"
        yield lines.count


@pytest.mark.slow
@pytest.mark.parametrize("make", [neighbours_deep_under_a_deleted_parent, garbage_in_many_updates])
def test_a_large_batch_is_let_in_with_pauses_that_come_soon(make: Callable[[int], Input]) -> None:
    given = make(5000)
    knowledge = prepared(given)
    (batch,) = given.blow
    lines = list(slices_of(knowledge, read(batch)))
    assert len(lines) >= given.octets // 10_000
    assert max(lines) <= LINES_A_SLICE


@pytest.mark.slow
def test_what_is_let_in_with_pauses_is_what_is_let_in_at_once() -> None:
    for make, _ in KINDS.values():
        given = make(SMALL)
        at_once, slowly = prepared(given), prepared(given)
        for batch in given.blow:
            updates = read(batch)
            at_once.admit(updates, anybody, measured=True)
            list(slices_of(slowly, updates))
        assert at_once.state_vector == slowly.state_vector
        assert census(at_once) == census(slowly)


def test_a_batch_that_is_given_up_between_two_pauses_has_changed_nothing() -> None:
    given = neighbours_deep_under_a_deleted_parent(3000)
    knowledge = prepared(given)
    before = dict(knowledge.state_vector)
    slices = knowledge.admit_in_slices(read(given.blow[0]), anybody)
    next(slices)
    slices.close()
    assert knowledge.state_vector == before
    assert knowledge.admit(read(given.blow[0]), anybody).news
