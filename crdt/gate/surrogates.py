"""Where the second halves of surrogate pairs stand in a document, so that nothing is let in that cuts a pair.

Yjs counts text in UTF-16 units; a character beyond U+FFFF (most emoji) takes two. At a border
between the two, yjs makes each half a U+FFFD, yrs moves the border, and the replicas differ for
ever.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence


class Surrogates:
    """Sorted clocks of low surrogates by client id; four bytes each."""

    __slots__ = ("_lows",)

    def __init__(self) -> None:
        self._lows: dict[int, array[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._lows)

    def add(self, client: int, lows: Sequence[int]) -> None:
        """Remember more of them, behind all that are known of this client id."""
        self._lows.setdefault(client, array("I")).extend(lows)

    def cut(self, client: int, clock: int) -> bool:
        """Whether a border before this clock is inside a pair."""
        lows = self._lows.get(client)
        if lows is None:
            return False
        i = bisect_left(lows, clock)
        return i < len(lows) and lows[i] == clock

    def count(self, client: int) -> int:
        """How many there are, for `undo`."""
        return len(self._lows.get(client, ()))

    def undo(self, client: int, count: int) -> None:
        """Forget those that were added since there were so many."""
        if client in self._lows:
            del self._lows[client][count:]
            if not count:
                del self._lows[client]
