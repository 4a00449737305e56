"""Server processes on a core of their own, and what they use: processor time to the nanosecond, resident memory.

The load generator runs on another core, so that neither takes time from the other. On a machine
with one core they share it.
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.harness.processes import mortal

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, GENERATOR_CORE = CORES[0], CORES[-1]
STOPPING_SECONDS = 10.0
"""That container runtimes give a process to end in good order."""

PATIENCE = 30.0
"""Seconds after which a process that should be there, or gone, counts as broken."""


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run on one core meanwhile; processes that are started stay there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Process:
    """One server process on the servers' core; what it says goes to a file."""

    def __init__(self, command: Sequence[str], log: Path, **environment: str) -> None:
        self._log = log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MANYHANDS_", "PYTHON"))}
        with on_core(SERVER_CORE), log.open("ab") as out:
            self._process = subprocess.Popen(
                mortal(*command),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**inherited, **environment},
                cwd=Path(__file__).parents[2],
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def require_running(self) -> None:
        """Fail with its last words when it has ended by itself."""
        assert self._process.poll() is None, self._log.read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        """Ask it to end in good order; one that does not is killed."""
        self._process.terminate()
        try:
            self._process.wait(STOPPING_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, and its children."""
        pids = family(self.pid)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        self._process.wait(PATIENCE)


def family(pid: int) -> list[int]:
    """A process and all that it has started, as far as they live."""
    found = [pid]
    for each in found:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, children.read_text().split())
    return found


def cpu_seconds(pids: Sequence[int]) -> dict[int, float]:
    """Processor time so far of processes and all that they have started, by process."""
    spent = {}
    for pid in [each for parent in pids for each in family(parent)]:
        with contextlib.suppress(OSError):
            spent[pid] = time.clock_gettime(~pid << 3 | 2)  # the clock that clock_getcpuclockid(3) names for a process
    return spent


def cpu_between(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """Processor time from one look to a later one. What a child used that ended meanwhile is not known."""
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())


def is_waiting(pids: Sequence[int]) -> bool:
    """Whether a thread of processes, or of those that they have started, runs, or waits for a core or a disk."""
    for pid in [each for parent in pids for each in family(parent)]:
        for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
            with contextlib.suppress(OSError):
                if stat.read_text().rpartition(") ")[2][0] in "RD":
                    return True
    return False


def resident_bytes(pids: Sequence[int]) -> int:
    """Memory of processes and all that they have started: their own pages, and their share of those that they share."""
    return sum(proportional_bytes(pid) for parent in pids for pid in family(parent))


def proportional_bytes(pid: int) -> int:
    """Memory of one process alone, counted likewise; none of one that has ended."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
