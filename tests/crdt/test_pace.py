"""Pace of a node, in a node of numbers: edits come at random, and rows cost processor time.

Costs are those of tests/bench: 0.25 ms an edit, and a row 0.1 ms and 8 µs for each member.
"""

from random import Random

import pytest
from msgspec import Struct

from crdt.room.members import PRESENCE_WORTH, SLOWEST_GATHER
from crdt.room.outbox import LONGEST, FlushWindow
from crdt.room.pace import BUSY, IDLE, Pace, Windows

EDIT, ROW, FRAME = 0.00025, 0.0001, 0.000008

SECONDS = 10.0
"""How long each load lasts."""


class Load(Struct, frozen=True):
    """Rooms of so many members, in each of which so many edits come in a second."""

    members: int
    per_second: float
    rooms: int = 1


class Seen(Struct, frozen=True):
    """What was seen of a load. Times are in milliseconds.

    Attributes:
        p50: how long half of the edits waited, at least.
        p99: how long the slowest hundredth waited, at least.
        window: how long the first edit of a row would wait for others, in the middle row.
        longest: the same, below which nine of ten rows are.
        rows: rows of each room in a second.
    """

    share: float
    p50: float
    p99: float
    window: float
    longest: float
    rows: float


class Node:
    """A node of numbers. Times are in seconds.

    `share`: what the pace takes for its share at first. `stolen`: the part of each second in which
    other processes have the core, so that what the node does lasts longer.
    """

    def __init__(self, load: Load, share: float, stolen: float) -> None:
        self.pace = Pace(lambda: self._spent)
        self.pace.share = share
        self.windows = [FlushWindow(self.pace) for _ in range(load.rooms)]
        self.waits: list[float] = []
        self.lengths: list[float] = []
        self.rows = 0
        self._load = load
        self._spent = self._free = 0.0
        self._slow = 1.0 / (1.0 - stolen)
        self._ripe = [0.0] * load.rooms
        """When the next row may leave."""
        self._waiting: list[list[float]] = [[] for _ in range(load.rooms)]

    def leaving(self) -> tuple[float, int]:
        """Return when the next row leaves, and which room's."""
        rooms = [room for room, waiting in enumerate(self._waiting) if waiting]
        return min([(max(self._ripe[room], self._free), room) for room in rooms], default=(float("inf"), 0))

    def come(self, now: float, room: int) -> None:
        """Take an edit."""
        window, waiting = self.windows[room], self._waiting[room]
        waiting.append(now)
        self._ripe[room] = now if window.is_over(now, len(waiting)) else window.ends
        if len(waiting) == 1:
            self.lengths.append(self._ripe[room] - now)
        self._work(now, EDIT)

    def leave(self, now: float, room: int) -> None:
        """Let a row leave."""
        window, came = self.windows[room], self._waiting[room]
        window.begin(now, self._load.members, len(came))
        self._work(now, ROW + FRAME * self._load.members)
        self.waits += [self._free - each for each in came]
        self.rows, self._waiting[room] = self.rows + 1, []

    def _work(self, now: float, cost: float) -> None:
        self._spent += cost
        self._free = max(self._free, now) + cost * self._slow


def run(load: Load, *, share: float = 0.0, stolen: float = 0.0) -> Seen:
    """Let a node serve a load. What counts is the second half of the time."""
    chance, node = Random(1), Node(load, share, stolen)
    due = [(chance.expovariate(load.per_second), room) for room in range(load.rooms)]
    half = SECONDS / 2
    while True:
        (coming, at), (leaving, room) = min(due), node.leaving()
        now = min(coming, leaving)
        if now >= SECONDS:
            break
        if half and now > half:
            half, node.waits, node.lengths, node.rows = 0.0, [], [], 0
        if coming <= leaving:
            node.come(now, at)
            due[at] = now + chance.expovariate(load.per_second), at
        else:
            node.leave(now, room)
    waits, lengths = sorted(node.waits), sorted(node.lengths)
    p50, p99 = waits[len(waits) // 2] * 1e3, waits[len(waits) * 99 // 100] * 1e3
    window, longest = lengths[len(lengths) // 2] * 1e3, lengths[len(lengths) * 9 // 10] * 1e3
    return Seen(node.pace.share, p50, p99, window, longest, node.rows / (SECONDS / 2) / load.rooms)


def test_while_the_node_is_idle_an_edit_waits_for_nothing() -> None:
    for load in (Load(3, 5.0), Load(100, 5.0), Load(100, 10.0)):
        seen = run(load)
        assert seen.share < IDLE
        assert seen.window == 0.0
        assert seen.rows == pytest.approx(load.per_second, rel=0.2)


@pytest.mark.parametrize(
    "load", [Load(100, 100.0), Load(100, 200.0), Load(500, 100.0), Load(40, 300.0), Load(40, 150.0, rooms=3)]
)
def test_a_busy_node_comes_to_rest_at_one_point_wherever_it_begins(load: Load) -> None:
    from_idle, from_full = run(load, share=0.0), run(load, share=1.0)
    assert from_idle.window == pytest.approx(from_full.window, rel=0.25)
    assert from_idle.longest < 1.5 * from_idle.window
    assert from_full.longest < 1.5 * from_full.window


def test_more_to_do_means_less_work_for_each_edit() -> None:
    rates = (20, 50, 100, 200, 500, 1500)
    each_edit = [run(Load(100, rate)).share / rate for rate in rates]
    assert each_edit == sorted(each_edit, reverse=True)


def test_four_times_as_many_edits_wait_half_as_long_while_there_is_time() -> None:
    few, many = run(Load(100, 100.0)), run(Load(100, 400.0))
    assert many.window == pytest.approx(few.window / 2, rel=0.2)


def test_half_of_the_edits_wait_for_far_less_than_the_longest() -> None:
    """A row that is whole leaves at once. Its last edit has waited for nothing."""
    for load in (Load(100, 100.0), Load(100, 200.0)):
        seen = run(load)
        assert seen.p50 < seen.p99 / 2
        assert seen.rows < load.per_second / 2


def test_rows_that_hold_one_edit_at_best_wait_for_nothing() -> None:
    seen = run(Load(10, 20.0, rooms=20))
    assert seen.share > BUSY
    assert seen.rows == pytest.approx(20.0, rel=0.1)


def test_a_larger_room_waits_longer_but_half_of_its_bound_at_most() -> None:
    small, large = run(Load(100, 100.0)), run(Load(500, 100.0))
    assert small.window < large.window
    assert large.window <= 1e3 * LONGEST / 2 + 0.1


def test_a_cursor_waits_three_times_as_long_as_an_edit_where_there_is_time() -> None:
    def wait(worth: float) -> float:
        pace = Pace(lambda: 0.0)
        pace.share = 0.2
        windows = Windows(pace, worth)
        return [windows.next(tenth / 10, 50, 500, SLOWEST_GATHER) for tenth in range(50)][-1]

    assert wait(PRESENCE_WORTH) == pytest.approx(3 * wait(1.0))
    assert wait(PRESENCE_WORTH) < 0.05


@pytest.mark.slow
def test_a_full_node_gathers_as_long_as_its_rooms_allow() -> None:
    assert run(Load(100, 3800.0)).window >= 49.9
    assert run(Load(10, 1250.0, rooms=3)).window >= 19.0


def test_what_one_room_uses_the_others_wait_for() -> None:
    alone, among_many = run(Load(40, 40.0)), run(Load(40, 40.0, rooms=8))
    assert among_many.window > 2 * alone.window
    assert among_many.rows < alone.rows


def test_other_processes_make_no_window_longer() -> None:
    for load in (Load(100, 10.0), Load(100, 100.0), Load(500, 100.0)):
        undisturbed, robbed = run(load), run(load, stolen=0.5)
        assert robbed.window == pytest.approx(undisturbed.window, rel=0.25, abs=0.1)


def test_what_leaves_though_nothing_came_has_half_of_the_bound() -> None:
    pace = Pace(lambda: 0.0)
    pace.share = BUSY
    assert Windows(pace).next(1.0, came=0, people=10, most=0.05) == pytest.approx(0.025)


def test_a_burst_behind_a_quiet_spell_is_felt_at_once_and_forgotten_soon() -> None:
    spent = 0.0
    pace = Pace(lambda: spent)
    pace.look(0.0)
    pace.look(60.0)
    assert pace.share == 0.0
    spent += 0.5
    pace.look(60.5)
    assert pace.share > BUSY
    pace.look(63.0)
    assert pace.share < IDLE
