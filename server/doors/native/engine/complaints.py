"""Complaints about protocol errors, for the operator: all are counted, and few are logged.

Each kind is logged once for each connection. server/ration.py bounds the lines in all. Lines hold
no ids, tokens or content.
"""

from collections import Counter

from server.observe import log


class Complaints:
    """The gateway's record of protocol errors."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._left_out = 0

    def note(self, kind: str, address: str, told: set[str]) -> None:
        """Count a protocol error. `told` holds the kinds already logged for this connection."""
        self.counts[kind] += 1
        if kind in told:
            self._left_out += 1
            return
        told.add(kind)
        log.warning("protocol_error", kind=kind, address=address, left_out=self._left_out)
        self._left_out = 0
