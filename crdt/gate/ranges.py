"""Deleted clocks of one client id: sorted, disjoint ranges whose additions can be undone.

The ranges are stored in two arrays of 32-bit integers. 100,000 ranges take 800 kB, and an insertion
in the middle moves a block of memory instead of objects.
"""

from array import array
from bisect import bisect_right
from collections.abc import Sequence

_FEW = 64
_NONE: "array[int]" = array("I")

Undo = tuple[int, "array[int]", "array[int]"]
"""Index of the range that was added, and the starts and ends of the ranges that it replaced.

At index -1 the two arrays are all ranges from before.
"""


class Ranges:
    """Half-open ranges. Ranges that touch are joined."""

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts = array("I")
        self._ends = array("I")

    def __len__(self) -> int:
        return len(self._starts)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def covers(self, start: int, end: int) -> bool:
        """Whether one range holds every clock from `start` up to `end`."""
        i = bisect_right(self._starts, start)
        return i > 0 and self._ends[i - 1] >= end

    def touches(self, start: int, end: int) -> bool:
        """Whether some range holds a clock from `start` up to `end`."""
        i = bisect_right(self._starts, end - 1)
        return i > 0 and self._ends[i - 1] > start

    def add(self, ranges: Sequence[tuple[int, int]]) -> list[Undo]:
        """Add sorted ranges, and return the undo steps, last step last.

        Returns no step if all ranges were covered already.
        """
        if len(ranges) > _FEW:
            new = [each for each in ranges if not self.covers(*each)]
            if len(new) > _FEW and len(new) * _FEW > len(self._starts):
                return [self._merge(new)]
            ranges = new
        return [undo for start, end in ranges if (undo := self._insert(start, end)) is not None]

    def undo(self, undo: Undo) -> None:
        """Take the last undo step back. Steps must be undone in reverse order."""
        at, starts, ends = undo
        if at < 0:
            self._starts, self._ends = starts, ends
        else:
            self._starts[at : at + 1] = starts
            self._ends[at : at + 1] = ends

    def _insert(self, start: int, end: int) -> Undo | None:
        """Add one range. Return None if it was covered already."""
        starts, ends = self._starts, self._ends
        first = bisect_right(starts, start)
        if first:
            if ends[first - 1] >= end:
                return None
            if ends[first - 1] >= start:
                first -= 1
        if first == len(starts):
            starts.append(start)
            ends.append(end)
            return first, _NONE, _NONE
        behind = bisect_right(starts, end, first)  # a range that begins at `end` touches this one
        replaced = (first, starts[first:behind], ends[first:behind])
        if first < behind:
            start = min(start, starts[first])
            end = max(end, ends[behind - 1])
        starts[first:behind] = array("I", (start,))
        ends[first:behind] = array("I", (end,))
        return replaced

    def _merge(self, new: Sequence[tuple[int, int]]) -> Undo:
        """Add many ranges by sorting all ranges anew, and return the undo step."""
        replaced = (-1, self._starts, self._ends)
        ranges = sorted([*zip(self._starts, self._ends, strict=True), *new])
        starts, ends = array("I", (ranges[0][0],)), array("I", (ranges[0][1],))
        for start, end in ranges:
            if start > ends[-1]:
                starts.append(start)
                ends.append(end)
            elif end > ends[-1]:
                ends[-1] = end
        self._starts, self._ends = starts, ends
        return replaced

    def __iter__(self) -> "zip[tuple[int, int]]":
        return zip(self._starts, self._ends, strict=True)
