"""Processes that tests start: none outlives the run, and one that tries to is ended and named.

There are two nets, because each has a hole:

1. The kernel ends a process from `mortal` when the process that started it dies, also by SIGKILL.
   Children of such a process are out of reach: a sandbox worker, a browser.
2. The run adopts the orphans of all processes below it, and so finds each living one at its end. If
   the run itself is killed, nobody looks. Then the first net holds, and processes that read from a
   pipe notice that the other end is gone.
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
"""Seconds for processes that were told to end, and that nobody waited for."""


def adopt_orphans() -> None:
    """Become the parent of every process below this one whose own parent dies.

    Works on Linux only, and does nothing elsewhere.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> Iterator[int]:
    """Return all living processes below a process, parents before children."""
    for task in Path(f"/proc/{pid}/task").glob("*"):
        for child in map(int, _read(task / "children").split()):
            if _is_alive(child):
                yield child
            yield from descendants(child)


def end_what_is_left(seconds: float) -> list[str]:
    """Kill all processes that still live below this one after a number of seconds.

    Return a line for each, with its number and command.
    """
    _wait_for(list(descendants(os.getpid())), seconds)
    left: dict[int, str] = {}
    while living := list(descendants(os.getpid())):  # once more: killing a parent hands us its children
        for pid in living:
            left.setdefault(pid, f"{pid}: {_read(Path(f'/proc/{pid}/cmdline')).replace(chr(0), ' ').strip()}")
            _kill(pid)
        _wait_for(living, ADIEU)
    return list(left.values())


def _wait_for(pids: list[int], seconds: float) -> None:
    """Return when all processes have ended, or after a number of seconds."""
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
    """Whether a process has not ended. A zombie has ended."""
    state = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return bool(state) and state[0] not in "ZX"


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:  # it has just gone
        return ""
