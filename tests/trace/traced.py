"""The server with a profile hook: `python -m tests.trace.traced RESULT serve …`.

SIGUSR1 begins a trace, and the next one ends it and writes the result as JSON: for each own function its file and how often it was called.
Own is what lies in crdt/ and server/. Every thread counts. Comprehensions do not: newer versions of Python do not call them either.
What rings every second, whoever does what, does not count.
"""

import json
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

ROOT = str(Path(__file__).parents[2]) + os.sep
TICKS = ("Sweeper._sweep", "Server.main_loop")
"""Functions that run every second."""

OWN = (ROOT + "crdt" + os.sep, ROOT + "server" + os.sep)


class Trace:
    """Counts calls while it is on."""

    def __init__(self, result: Path) -> None:
        self._result = result
        self._on = False
        self._calls: Counter[CodeType] = Counter()

    def hook(self, frame: FrameType, event: str, _argument: object) -> None:
        """What `sys.setprofile` calls."""
        code = frame.f_code
        if self._on and event == "call" and code.co_filename.startswith(OWN) and not code.co_name.startswith("<"):
            self._calls[code] += not _is_tick(frame)

    def toggle(self, *_: object) -> None:
        """Begin or end a trace, and say so by a file."""
        self._on = not self._on
        if self._on:
            self._calls.clear()
            self._result.with_suffix(".on").touch()
            return
        calls = [[code.co_filename.removeprefix(ROOT), code.co_qualname, n] for code, n in self._calls.items() if n]
        part = self._result.with_suffix(".part")
        part.write_text(json.dumps(calls))
        part.rename(self._result)


def _is_tick(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_qualname in TICKS:
            return True
        frame = frame.f_back
    return False


def main() -> None:
    """Serve as `manyhands` does."""
    trace = Trace(Path(sys.argv.pop(1)))
    signal.signal(signal.SIGUSR1, trace.toggle)
    threading.setprofile(trace.hook)
    sys.setprofile(trace.hook)
    from server.__main__ import main as manyhands

    manyhands()


if __name__ == "__main__":
    main()
