"""Thousands of seeded schedules of one node, its people and its store: no acknowledged edit is lost, and all agree in the end.

`MANYHANDS_SIMULATION_SEEDS=20000 pytest tests/simulation` runs more. A failing seed goes into `KEPT_SEEDS`, for ever.
"""

import os

import pytest

from tests.simulation.planted import PLANTED
from tests.simulation.schedule import run_schedule

KEPT_SEEDS: tuple[int, ...] = (1826,)
"""Seeds that have failed once. 1826: the schedule counted an edit as taken that was still on its way."""

SEEDS = int(os.environ.get("MANYHANDS_SIMULATION_SEEDS", "2000"))
CHUNK = 100
QUICK = 40
PATIENCE = 80


def check(seeds: range | tuple[int, ...]) -> None:
    for seed in seeds:
        report = run_schedule(seed)
        assert not report.failures, f"seed {report.seed}: {'; '.join(report.failures)}"


def test_a_few_schedules() -> None:
    check(range(QUICK))


def test_seeds_that_have_failed_once() -> None:
    check(KEPT_SEEDS)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, SEEDS, CHUNK))
def test_schedules(first: int) -> None:
    check(range(first, min(first + CHUNK, SEEDS)))


def test_the_same_seed_gives_the_same_run() -> None:
    assert run_schedule(3) == run_schedule(3)


@pytest.mark.slow
@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(bug: str) -> None:
    with PLANTED[bug]():
        assert any(run_schedule(seed).failures for seed in range(PATIENCE)), (
            f"{bug} went unnoticed in {PATIENCE} schedules"
        )
