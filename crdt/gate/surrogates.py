"""Clocks of the second halves of surrogate pairs in a document. No update may cut a pair.

Yjs counts text in UTF-16 units. A character beyond U+FFFF, like most emoji, takes two units. At a
border between the two units, yjs turns each half into U+FFFD, and yrs moves the border. The
replicas would then differ for ever.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence


class Surrogates:
    """Sorted clocks of low surrogates by client id, in four bytes each."""

    __slots__ = ("_lows",)

    def __init__(self) -> None:
        self._lows: dict[int, array[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._lows)

    def add(self, client: int, lows: Sequence[int]) -> None:
        """Add clocks that are above all known clocks of this client id."""
        self._lows.setdefault(client, array("I")).extend(lows)

    def cut(self, client: int, clock: int) -> bool:
        """Whether a border before this clock would cut a pair."""
        lows = self._lows.get(client)
        if lows is None:
            return False
        i = bisect_left(lows, clock)
        return i < len(lows) and lows[i] == clock

    def count(self, client: int) -> int:
        """Return the number of a client id's clocks, for `undo`."""
        return len(self._lows.get(client, ()))

    def undo(self, client: int, count: int) -> None:
        """Forget the clocks of a client id beyond the first `count`."""
        if client in self._lows:
            del self._lows[client][count:]
            if not count:
                del self._lows[client]
