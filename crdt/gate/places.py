"""Places of a document's structs: the shared type, and whether in its sequence or under a map key.

A struct names its parent only if it has no neighbour. Otherwise its origins tell the parent, so the
gate must remember the place of every struct. This is cheap, because people work in one place for a
while: each client id has *runs* of structs, stored as first clock and place. A document of 11,000
structs in one text has one run per author. Rich text has two or three runs per paragraph.

1. A place is a number: twice the branch, plus one under a map key. A branch is a shared type or a
   root.
2. Place 0 is *nowhere*. Garbage-collected structs are there, and every content may go there. Yjs
   also garbage-collects what is put into such structs or beside them.
3. A struct with origins in two different places is refused, because yjs and yrs would disagree on
   which of the two counts. One origin may be nowhere if the other is in a deleted type. Then both
   are the same place.
4. The type decides which content its sequence may hold. A string in an array makes pycrdt iterate
   for ever. Text under a map key makes yrs panic. Text outside of a text type makes the editors
   throw that have the document open. Root types do not tell their kind. So they may hold anything,
   except for those in `GateLimits.fragment_roots`.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator

from crdt.errors import Code, ProtocolError
from crdt.yjs.contents import (
    ANY,
    ARRAY,
    BINARY,
    DELETED,
    EMBED,
    FIRST_TYPE,
    FORMAT,
    GC,
    JSON,
    MAP,
    SHARED_TYPES,
    STRING,
    TEXT,
    XML_ELEMENT,
    XML_FRAGMENT,
    XML_TEXT,
)  # fmt: skip
from crdt.yjs.limits import GateLimits
from crdt.yjs.values import bad_update

NOWHERE = 0
_EVERYTHING = (1 << 32) - 1

Mark = tuple[int, int, int]
"""Numbers of branches, roots and types at one time."""


def _bits(*kinds: int) -> int:
    return sum(1 << kind for kind in kinds)


_TYPES = _bits(*SHARED_TYPES)
_UNDER_KEY = _bits(GC, DELETED, JSON, BINARY, ANY) | _TYPES
_IN_XML = _bits(GC, DELETED, *[FIRST_TYPE + reference for reference in (XML_ELEMENT, XML_FRAGMENT, XML_TEXT)])
_IN_TEXT = _bits(GC, DELETED, JSON, BINARY, STRING, EMBED, FORMAT, ANY) | _TYPES
_IN_SEQUENCE = {
    ARRAY: _UNDER_KEY,
    MAP: _bits(GC, DELETED),
    TEXT: _IN_TEXT,
    XML_ELEMENT: _IN_XML,
    XML_FRAGMENT: _IN_XML,
    XML_TEXT: _IN_TEXT,
}


class Places:
    """The table of places, and the runs of structs in them.

    The table only grows, except that `undo` and `undo_runs` take the last growth back.
    """

    __slots__ = ("_depths", "_holds", "_limits", "_names", "_runs", "roots", "types")

    def __init__(self, limits: GateLimits) -> None:
        self._limits = limits
        self._names: list[str | tuple[int, int]] = [""]
        """Root name, or client id and clock of the type's struct, by branch."""
        self._depths = array("H", (0,))
        """Number of types around the contents, by branch."""
        self._holds = [_EVERYTHING, _EVERYTHING]
        """Kinds of content that are allowed, as a set of bits, by place."""
        self.roots: dict[str, int] = {}
        """Branch by name."""
        self.types: dict[tuple[int, int], int] = {}
        """Branch by id."""
        self._runs: dict[int, tuple[array[int], array[int]]] = {}
        """First clocks and places, by client id."""

    def of(self, client: int, clock: int) -> int:
        """Return the place of a known struct."""
        starts, places = self._runs[client]
        return places[bisect_right(starts, clock) - 1]

    def root(self, name: str) -> int:
        """Return the place of a root type's sequence. A root exists as soon as it is named."""
        branch = self.roots.get(name)
        if branch is None:
            branch = self.roots[name] = len(self._names)
            self._names.append(name)
            self._depths.append(0)
            self._holds += (_IN_XML if name in self._limits.fragment_roots else _EVERYTHING, _UNDER_KEY)
        return branch * 2

    def pieces(self, client: int, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield the parts of known clocks that are in one place each: first clock, end, place."""
        starts, places = self._runs[client]
        at = bisect_right(starts, start) - 1
        while start < end:
            at += 1
            until = min(end, starts[at]) if at < len(starts) else end
            yield start, until, places[at - 1]
            start = until

    def extend(self, client: int, clock: int, place: int, kind: int) -> None:
        """Add a struct that begins at the client id's present end.

        Raises ProtocolError: `bad_update` if the place may not hold this kind of content, and
        `document_full` if a type is nested too deeply.
        """
        if not self._holds[place] >> kind & 1:
            raise bad_update("The content does not belong where it was put.")
        run = self._runs.get(client)
        if run is None:
            run = self._runs[client] = (array("I"), array("I"))
        starts, places = run
        if not places or places[-1] != place:
            starts.append(clock)
            places.append(place)
        if kind >= FIRST_TYPE:
            self._open(client, clock, self._depths[place >> 1] + 1, kind - FIRST_TYPE)

    def _open(self, client: int, clock: int, depth: int, reference: int) -> None:
        if depth > self._limits.type_depth:
            raise ProtocolError(Code.DOCUMENT_FULL, f"Types are nested at most {self._limits.type_depth} levels deep.")
        self.types[client, clock] = len(self._names)
        self._names.append((client, clock))
        self._depths.append(depth)
        self._holds += (_IN_SEQUENCE[reference], _UNDER_KEY)

    def takes_text(self, place: int) -> bool:
        """Whether a place is a sequence that may hold text, and is not nowhere."""
        return place != NOWHERE and not place & 1 and bool(self._holds[place] >> STRING & 1)

    def owner(self, place: int) -> tuple[int, int] | None:
        """Return the id of the struct whose type has the place; None for a root and for nowhere."""
        name = self._names[place >> 1]
        return None if isinstance(name, str) else name

    def root_of(self, place: int) -> str | None:
        """Return the name of the root around a place; None if that is not known."""
        while (owner := self.owner(place)) is not None:
            place = self.of(*owner)
        name = self._names[place >> 1]
        return name if place != NOWHERE and isinstance(name, str) else None

    def mark(self) -> Mark:
        """Return the present sizes, for `undo`."""
        return len(self._names), len(self.roots), len(self.types)

    def runs(self, client: int) -> int:
        """Return the number of a client id's runs, for `undo_runs`."""
        run = self._runs.get(client)
        return 0 if run is None else len(run[0])

    def undo(self, mark: Mark) -> None:
        """Forget the branches that were added since the mark."""
        branches, roots, types = mark
        while len(self.roots) > roots:
            self.roots.popitem()
        while len(self.types) > types:
            self.types.popitem()
        del self._names[branches:], self._depths[branches:], self._holds[branches * 2 :]

    def undo_runs(self, client: int, runs: int) -> None:
        """Forget the runs of a client id beyond the first `runs`."""
        if not runs:
            self._runs.pop(client, None)
            return
        starts, places = self._runs[client]
        del starts[runs:], places[runs:]
