"""Processes that tests start: none outlives the run, and one that tries to is ended and named.

Two nets, because each has a hole:
1. The kernel ends what `mortal` starts when the process that started it dies, also by SIGKILL. What
   started that process's children is out of reach: a sandbox worker, a browser.
2. The run adopts the orphans of everything below it, so that at its end each living process is
   found there. Nobody is left to look when the run itself is killed; then the first net holds, and
   what reads from a pipe notices that the other end has gone.
"""

import contextlib
import ctypes
import os
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from deploy.loopback.program import mortal

__all__ = ["ADIEU", "adopt_orphans", "descendants", "end_what_is_left", "mortal"]

_PR_SET_CHILD_SUBREAPER = 36
ADIEU = 5.0
"""Seconds in which a process that has been told to end, and that nobody waited for, may still do so."""


def adopt_orphans() -> None:
    """Become the parent of every process below this one whose own parent dies. Linux only; elsewhere nothing happens."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> Iterator[int]:
    """Everything alive below a process, parents before children."""
    for task in Path(f"/proc/{pid}/task").glob("*"):
        for child in map(int, _read(task / "children").split()):
            if _is_alive(child):
                yield child
            yield from descendants(child)


def end_what_is_left(seconds: float) -> list[str]:
    """Kill whatever still lives below this process after so many seconds; each as a line with its number and its command."""
    _wait_for(list(descendants(os.getpid())), seconds)
    left: dict[int, str] = {}
    while living := list(descendants(os.getpid())):  # once more: killing a parent hands us its children
        for pid in living:
            left.setdefault(pid, f"{pid}: {_read(Path(f'/proc/{pid}/cmdline')).replace(chr(0), ' ').strip()}")
            _kill(pid)
        _wait_for(living, ADIEU)
    return list(left.values())


def _wait_for(pids: list[int], seconds: float) -> None:
    """Return when all have ended, or after so many seconds."""
    until = time.monotonic() + seconds
    for pid in pids:
        try:
            end = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        select.select([end], [], [], max(0.0, until - time.monotonic()))
        os.close(end)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _is_alive(pid: int) -> bool:
    """Whether it has not ended, whether or not anybody has asked how."""
    state = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return bool(state) and state[0] not in "ZX"


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:  # it has just gone
        return ""
