"""Protocol errors for the operator: every one is counted, and each kind is written once for each connection.

How many lines that makes in all is server/ration.py's affair. No ids, tokens or content.
"""

from collections import Counter

from server.observe import log


class Complaints:
    """The gateway's record of bad manners."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._left_out = 0

    def note(self, kind: str, address: str, told: set[str]) -> None:
        """Count one; `told` holds the kinds that this connection has had a line for."""
        self.counts[kind] += 1
        if kind in told:
            self._left_out += 1
            return
        told.add(kind)
        log.warning("protocol_error", kind=kind, address=address, left_out=self._left_out)
        self._left_out = 0
