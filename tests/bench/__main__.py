"""`make bench`: one load generator, many servers. The servers have one core, the generator another; prints tables and writes JSON.

`python -m tests.bench --only hot --servers manyhands --rounds 1` measures one scenario at this
server alone. Rounds go round all servers, so that a machine that changes its mood changes it for
everybody.
"""

import argparse
import importlib
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import uvloop

from tests.bench.processes import CORES, GENERATOR_CORE, on_core
from tests.bench.scenario import Pace, Play, Scenario
from tests.bench.servers import Kind
from tests.bench.table import Figures, Table, write_json

NAMES = (
    *("hot", "presence", "saturation", "big", "many", "start", "cold", "storm", "stalled", "memory", "rush", "cluster"),
    *("doors", "hostile", "slow", "browser"),
)


FAILED = "failed"
"""The figure of a round that came to nothing: a server lost words, was not there, or let nobody in."""


def scenarios() -> dict[str, Scenario]:
    """All there are, in order."""
    return {name: importlib.import_module(f"tests.bench.scenarios.{name}").SCENARIO for name in NAMES}


async def run(name: str, scenario: Scenario, wanted: Sequence[str], pace: Pace, rounds: int) -> list[Table]:
    """Measure each setting at each server, so many times."""
    tables = []
    kinds = [kind for kind in scenario.servers if not wanted or kind.name in wanted]
    if scenario.in_one_table:
        return [await run_in_one_table(name, scenario, kinds[0], pace, rounds)] if kinds else []
    for setting, play in scenario.settings.items():
        table = Table(name, setting, scenario.headline)
        for _ in range(rounds):
            for kind in kinds:
                table.add(kind.name, await measure(play, kind, pace))
        if kinds:
            tables.append(table)
            say(table.text())
    return tables


async def run_in_one_table(name: str, scenario: Scenario, kind: Kind, pace: Pace, rounds: int) -> Table:
    """Measure one server in each setting, a row for each."""
    table = Table(name, scenario.summary, scenario.headline)
    for setting, play in scenario.settings.items():
        for _ in range(rounds):
            table.add(setting, await measure(play, kind, pace))
        say(f"{setting}\n")
    say(table.text())
    return table


async def measure(play: Play, kind: Kind, pace: Pace) -> Figures:
    """One round of a server. One that fails has no figures, and the others are measured all the same."""
    with tempfile.TemporaryDirectory(prefix="manyhands-bench-") as directory:
        try:
            return await play(kind, Path(directory), pace)
        except Exception:  # noqa: BLE001 - whatever a server does, the others' turn comes
            say(f"{kind.name} has failed, and has no figures in this round:\n{traceback.format_exc()}\n")
            return {FAILED: 1.0}


def say(text: str) -> None:
    """Print at once: a run takes long."""
    sys.stdout.write(text)
    sys.stdout.flush()


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", default="", help="scenarios, separated by commas")
    parser.add_argument("--servers", default="", help="servers, separated by commas")
    parser.add_argument("--rounds", type=int, default=3, help="of which medians are taken")
    parser.add_argument("--seconds", type=float, default=Pace.seconds, help="of load in a round")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where all figures go")
    parser.add_argument("--list", action="store_true", help="say what there is")
    return parser.parse_args()


def main() -> int:
    """Run what the command line names."""
    given, known = arguments(), scenarios()
    if given.list:
        for name, scenario in known.items():
            say(f"{name:12}{scenario.summary}\n{'':12}{', '.join(kind.name for kind in scenario.servers)}\n")
        return 0
    names = [name for name in given.only.split(",") if name] or list(known)
    servers = [name for name in given.servers.split(",") if name]
    if unknown := [name for name in names if name not in known] + [
        each for each in servers if each not in all_servers(known)
    ]:
        say(f"There is no {unknown[0]}: --list says what there is.\n")
        return 2
    about = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cores": len(CORES),
        "rounds": given.rounds,
    }
    if len(CORES) < 2:
        say("This machine has one core: servers and load generator share it, and the figures say little.\n")
    tables: list[Table] = []
    with on_core(GENERATOR_CORE):
        for name in names:
            began = time.monotonic()
            tables += uvloop.run(run(name, known[name], servers, Pace(seconds=given.seconds), given.rounds))
            write_json(tables, given.json, about)
            say(f"({time.monotonic() - began:.0f} s)\n")
    failed = sorted(
        {name for table in tables for name, rounds in table.rounds.items() for each in rounds if FAILED in each}
    )
    if failed:
        say(f"Failed in some round: {', '.join(failed)}\n")
    return int(bool(failed))


def all_servers(known: dict[str, Scenario]) -> set[str]:
    """The names of all servers."""
    return {kind.name for scenario in known.values() for kind in scenario.servers}


if __name__ == "__main__":
    sys.exit(main())
