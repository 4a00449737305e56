"""Flush windows: rows leave at once in a quiet room, and are gathered in a busy one.

The window grows with what the node has to do, and a full node's with the room and the loop's delay.
"""

import pytest

from crdt.room.outbox import LONGEST, LONGEST_LATE, SHORTEST, FlushWindow
from crdt.room.pace import Pace


class Node:
    """A node whose loop has a share of a core, and does all that its clock shows by itself."""

    def __init__(self, share: float = 1.0) -> None:
        self.spent = 0.0
        self.pace = Pace(lambda: self.spent)
        self.pace.share = share

    def window(self) -> FlushWindow:
        return FlushWindow(self.pace)


def length(members: int, share: float = 1.0) -> float:
    window = Node(share).window()
    window.begin(100.0, members, 1)
    window.is_over(100.0, 1)
    return window.ends - 100.0


def late(seconds: float, *, own: float) -> float:
    """Return how long a window of 10 people is behind one whose timer came so late.

    `own`: seconds of that in which the loop itself was at work.
    """
    node = Node()
    window = node.window()
    window.begin(100.0, 10, 1)
    assert not window.is_over(100.0, 1)
    now = window.ends + seconds
    node.spent += own
    node.pace.share = 1.0
    window.begin(now, 10, 1)
    window.is_over(now, 1)
    return window.ends - now


def test_after_a_quiet_spell_the_first_edit_leaves_at_once_however_large_the_room() -> None:
    window = Node().window()
    window.begin(100.0, 1000, 1)
    assert not window.is_over(100.001, 1)
    window.begin(100.2, 1000, 1)
    assert window.is_over(101.0, 1)


def test_a_quiet_room_measures_nothing() -> None:
    def spent() -> float:
        raise AssertionError

    window = FlushWindow(Pace(spent))
    for second in range(100, 105):
        assert window.is_over(second, 1)
        window.begin(second, 1000, 1)


def test_in_a_full_node_the_window_grows_with_the_room_within_bounds() -> None:
    lengths = [length(members) for members in (1, 10, 50, 100, 140, 1000, 10_000)]
    assert lengths == sorted(lengths)
    assert lengths[0] == lengths[1] == pytest.approx(SHORTEST)
    assert lengths[-1] == pytest.approx(LONGEST)
    assert lengths[3] == pytest.approx(0.05)


def test_in_an_idle_node_nobody_waits_however_large_the_room() -> None:
    assert [length(members, share=0.01) for members in (1, 100, 10_000)] == [0.0, 0.0, 0.0]


def test_a_late_loop_makes_it_longer_and_a_punctual_one_short_again() -> None:
    node = Node()
    window, now = node.window(), 100.0
    window.begin(now, 10, 1)
    assert not window.is_over(now, 1)
    node.spent += 0.05
    now = window.ends + 0.03  # the timer comes late
    node.pace.share = 1.0
    window.begin(now, 10, 1)
    assert not window.is_over(now, 1)
    assert window.ends - now > 2 * SHORTEST
    for _ in range(12):
        assert not window.is_over(now, 1)
        now = window.ends
        node.spent = now
        node.pace.share = 1.0
        window.begin(now, 10, 1)
    assert not window.is_over(now, 1)
    assert window.ends - now == pytest.approx(SHORTEST, rel=0.05)


def test_no_lateness_makes_it_longer_than_its_bound() -> None:
    assert late(60.0, own=60.0) == pytest.approx(LONGEST_LATE)


def test_lateness_by_other_processes_makes_it_no_longer() -> None:
    assert late(0.5, own=0.5) == pytest.approx(LONGEST_LATE)
    assert late(0.5, own=0.001) <= SHORTEST + 0.0011


def test_a_quiet_spell_is_no_lateness() -> None:
    node = Node()
    window = node.window()
    window.begin(100.0, 10, 1)
    node.spent, node.pace.share = 60.0, 1.0
    window.begin(160.0, 10, 1)
    assert not window.is_over(160.0, 1)
    assert window.ends - 160.0 == pytest.approx(SHORTEST)


def test_a_row_with_enough_edits_leaves_before_the_window_ends() -> None:
    node = Node(share=0.1)
    window, now = node.window(), 100.0
    for _ in range(100):  # at a hundred edits a second
        window.is_over(now, 1)
        window.begin(now, 100, 3)
        now += 0.03
        node.pace.share = 0.1
    assert not window.is_over(now - 0.015, 1)
    assert not window.is_over(now - 0.015, 2)
    assert window.is_over(now - 0.015, 3)


def test_in_a_full_node_no_number_of_edits_ends_a_window() -> None:
    window = Node().window()
    window.begin(100.0, 100, 3)
    assert not window.is_over(100.0, 10_000)
