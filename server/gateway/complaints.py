"""Protocol errors for the operator: every one is counted, few are written.

A stranger can break the protocol thousands of times a second; a log that grows with that fills the disk. One short line per kind
and connection, and no more than a few dozen a minute in all; the next line says how many were left out. No ids, tokens or content.
"""

import time
from collections import Counter
from collections.abc import Callable

from server.observe import log


class Complaints:
    """The gateway's record of bad manners. `clock` gives seconds, monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, lines_per_minute: int = 30) -> None:
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._lines_per_minute = lines_per_minute
        self._minute = 0
        self._lines = 0
        self._left_out = 0

    def note(self, kind: str, address: str, told: set[str]) -> None:
        """Count one; `told` holds the kinds that this connection has had a line for."""
        self.counts[kind] += 1
        minute = int(self._clock() // 60)
        if minute != self._minute:
            self._minute, self._lines = minute, 0
        if kind in told or self._lines >= self._lines_per_minute:
            self._left_out += 1
            return
        told.add(kind)
        self._lines += 1
        log.warning("protocol_error", kind=kind, address=address, left_out=self._left_out)
        self._left_out = 0
