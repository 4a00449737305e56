"""Flush windows: rows leave at once in a quiet room, and are gathered in a busy one.

The window grows with the room and with the event loop's delay.
"""

import pytest

from crdt.room.outbox import LONGEST, LONGEST_LATE, SHORTEST, FlushWindow


def length(members: int) -> float:
    window = FlushWindow()
    window.begin(100.0, members)
    return window.ends - 100.0


def test_after_a_quiet_spell_the_first_edit_leaves_at_once_however_large_the_room() -> None:
    window = FlushWindow()
    window.begin(100.0, 1000)
    assert not window.is_over(100.001)
    window.begin(100.2, 1000)
    assert window.is_over(101.0)


def test_the_window_grows_with_the_room_within_bounds() -> None:
    lengths = [length(members) for members in (1, 10, 50, 100, 140, 1000, 10_000)]
    assert lengths == sorted(lengths)
    assert lengths[0] == lengths[1] == pytest.approx(SHORTEST)
    assert lengths[-1] == pytest.approx(LONGEST)
    assert lengths[3] == pytest.approx(0.05)


def test_a_late_loop_makes_it_longer_and_a_punctual_one_short_again() -> None:
    window, now = FlushWindow(), 100.0
    window.begin(now, 10)
    assert not window.is_over(now)
    now = window.ends + 0.03  # the timer comes late
    window.begin(now, 10)
    assert window.ends - now > 2 * SHORTEST
    for _ in range(12):
        assert not window.is_over(now)
        now = window.ends
        window.begin(now, 10)
    assert window.ends - now == pytest.approx(SHORTEST, rel=0.05)


def test_no_lateness_makes_it_longer_than_its_bound() -> None:
    window = FlushWindow()
    window.begin(100.0, 10)
    assert not window.is_over(100.0)
    window.begin(160.0, 10)
    assert window.ends - 160.0 == pytest.approx(LONGEST_LATE)


def test_a_quiet_spell_is_no_lateness() -> None:
    window = FlushWindow()
    window.begin(100.0, 10)
    window.begin(160.0, 10)
    assert window.ends - 160.0 == pytest.approx(SHORTEST)
