"""Check that a snapshot is exactly its log, by comparing the bytes of both item by item.

A Yjs document *is* its set of items (author, clock, origins, parent, content), and the deleted ones
among them. What people see is a function of that set. So two encodings are the same document if
these five rules hold:

1. Both reach the same clock for every client id, and pycrdt's state vector says so too.
2. Every item that the snapshot still has is in the same position: origins, parent, key. The rule
   includes deleted items, because they decide where others go. Only garbage-collected items have
   no position any more.
3. Every item that is not deleted in the snapshot has the same content, clock by clock. Encodings
   cut and join items differently, so both are first brought into the longest possible runs.
4. Everything that the log deletes is deleted in the snapshot.
5. Whatever else is deleted in the snapshot had to go: it is the loser of a map key, or is inside
   of a deleted parent.

The check is linear in the bytes (about 6 µs an item). It never reads values through pycrdt, because
hostile bytes can make pycrdt's arrays iterate for ever.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from crdt.errors import Code, InvariantError
from crdt.yjs.contents import ANY, DELETED, GC, JSON, STRING
from crdt.yjs.items import Id, Item, ItemReader
from crdt.yjs.varint import check_state_vector

_JOINED = frozenset({STRING, ANY, JSON, DELETED})


class Parentage(NamedTuple):
    """Parent and map key of an item. `parent` is None if the item's past is collected garbage."""

    parent: str | Id | None
    key: str | None


class Run:
    """Neighbouring clocks of one client id, where each item's origin is the item before."""

    __slots__ = ("clock", "content", "end", "item", "parentage")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.clock = item.clock
        self.end = item.clock + item.length
        # A bytearray or a list, depending on the kind. Both grow and slice alike.
        self.content: Any = bytearray(item.content) if isinstance(item.content, bytes) else item.content
        self.parentage: Parentage | None = None

    def join(self, item: Item) -> bool:
        """Take in the next item if it belongs to this run. Return whether it does."""
        mine = self.item
        if item.kind != mine.kind:
            return False
        if item.kind != GC and not (
            item.kind in _JOINED
            and item.origin == (item.client, self.end - 1)
            and item.right_origin == mine.right_origin
        ):
            return False
        if self.content is not None:
            self.content += item.content
        self.end += item.length
        return True

    def position(self, clock: int) -> tuple[Id | None, Id | None, str | Id | None, str | None]:
        """Return origin, right origin, parent and key of the item at this clock.

        Parent and key are None if an origin tells them.
        """
        item = self.item
        if clock > self.clock:
            return (item.client, clock - 1), item.right_origin, None, None
        return item.origin, item.right_origin, item.parent, item.key

    def part(self, start: int, end: int) -> tuple[object, ...]:
        """Return start, end, kind and content of the clocks from `start` up to `end`."""
        unit = 2 if self.item.kind == STRING else 1  # UTF-16: two bytes a clock
        return start, end, self.item.kind, self.content[(start - self.clock) * unit : (end - self.clock) * unit]


class Items:
    """The set of items that some updates, added in log order, describe."""

    def __init__(self) -> None:
        self.runs: dict[int, list[Run]] = {}
        self._dead: dict[int, list[tuple[int, int]]] = {}

    def add(self, update: bytes) -> None:
        """Take in one update. Items that are known already stay as they first came.

        Raises InvariantError at a gap in a client id's clocks.
        """
        reader = ItemReader(update)
        for item in reader.items():
            self._add(item)
        for client, start, end in reader.deleted():
            self._dead.setdefault(client, []).append((start, end))

    def _add(self, item: Item) -> None:
        runs = self.runs.setdefault(item.client, [])
        known = runs[-1].end if runs else 0
        if item.clock > known:
            raise _differs("a gap in a client's clocks")
        if item.clock + item.length <= known:
            return
        if item.clock < known:
            item = _tail(item, known)
        if item.content is None:
            self._dead.setdefault(item.client, []).append((item.clock, item.clock + item.length))
        if not runs or not runs[-1].join(item):
            runs.append(Run(item))

    def clocks(self) -> dict[int, int]:
        """Return the clock behind the last item of each client id."""
        return {client: runs[-1].end for client, runs in self.runs.items()}

    def dead(self, client: int) -> list[tuple[int, int]]:
        """Return the deleted ranges of a client id, sorted and without overlaps."""
        merged: list[tuple[int, int]] = []
        for start, end in sorted(self._dead.get(client, ())):
            if merged and start <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(end, merged[-1][1])
            else:
                merged.append((start, end))
        return merged

    def authors_of_deleted(self) -> set[int]:
        """Return the client ids whose items are deleted, in part or all."""
        return set(self._dead)

    def run_at(self, client: int, clock: int) -> Run:
        """Return the run that holds this item. Raises InvariantError if there is none."""
        runs = self.runs.get(client, [])
        index = bisect_right(runs, clock, key=attrgetter("clock")) - 1
        if index < 0 or clock >= runs[index].end:
            raise _differs("a reference to an item that is not there")
        return runs[index]

    def parentage(self, run: Run) -> Parentage:
        """Find the parent and key of a run, by following its neighbours until one names them."""
        path: list[Run] = []
        asked: set[int] = set()
        while run.parentage is None:
            path.append(run)
            asked.add(id(run))
            item = run.item
            beside = item.origin or item.right_origin
            if item.parent is not None or beside is None:
                run.parentage = Parentage(item.parent, item.key)
                break
            run = self.run_at(*beside)
            if id(run) in asked:
                raise _differs("items that are each other's neighbours in a circle")
        for passed in path:  # so that the way is walked only once
            passed.parentage = run.parentage
        return run.parentage


def check_same(log: Items, snapshot: bytes, state_vector: bytes) -> None:
    """Raise InvariantError unless snapshot and state vector are exactly what the log says.

    Raises ValueError for text that cannot be read.
    """
    held = Items()
    held.add(snapshot)
    if not log.clocks() == held.clocks() == check_state_vector(state_vector):
        raise _differs("another state vector")
    dead = {client: held.dead(client) for client in held.authors_of_deleted()}
    for client in log.authors_of_deleted():
        if without(log.dead(client), dead.get(client, [])):
            raise _differs("something deleted that lives on")
    for client, runs in log.runs.items():
        gone = dead.get(client, [])
        _check_positions(runs, held.runs[client])
        if any(mine != other for mine, other in zip(_live(runs, gone), _live(held.runs[client], gone), strict=True)):
            raise _differs("an item that is not as it was written")
        for start, end in without(gone, log.dead(client)):
            _check_deleted(log, dead, client, start, end)


def _check_positions(runs: list[Run], others: list[Run]) -> None:
    """Compare positions at every clock where a run begins on either side.

    Other positions need no comparison, because within a run each item follows the one before.
    """
    index = 0
    for run in runs:
        while index < len(others) and others[index].clock < run.end:
            other = others[index]
            clock = max(run.clock, other.clock)
            if GC not in (run.item.kind, other.item.kind) and run.position(clock) != other.position(clock):
                raise _differs("an item in another place")
            if other.end > run.end:
                break
            index += 1


def _check_deleted(log: Items, dead: dict[int, list[tuple[int, int]]], client: int, start: int, end: int) -> None:
    """Raise InvariantError unless there is a reason for a deletion that is not in the log."""
    while start < end:
        run = log.run_at(client, start)
        parent, key = log.parentage(run)
        if key is None and isinstance(parent, str):
            raise _differs("something deleted that nobody deleted")
        if key is None and isinstance(parent, tuple) and not _holds(dead.get(parent[0], []), parent[1]):
            raise _differs("something deleted that nobody deleted")
        start = run.end


def _live(runs: list[Run], dead: list[tuple[int, int]]) -> Iterator[tuple[object, ...]]:
    """Yield the content that lives, in the longest runs that the deleted ranges leave."""
    for start, end, run in _pieces(runs, dead):
        yield run.part(start, end)


def _pieces(runs: list[Run], dead: list[tuple[int, int]]) -> Iterator[tuple[int, int, Run]]:
    index = 0
    for run in runs:
        start = run.clock
        while start < run.end:
            while index < len(dead) and dead[index][1] <= start:
                index += 1
            gone, back = dead[index] if index < len(dead) else (run.end, run.end)
            if gone > start:
                yield start, min(gone, run.end), run
            start = back if gone < run.end else run.end


def without(ranges: Sequence[tuple[int, int]], taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the parts of sorted `ranges` that sorted `taken` does not cover."""
    left: list[tuple[int, int]] = []
    index = 0
    for start, end in ranges:
        while start < end:
            while index < len(taken) and taken[index][1] <= start:
                index += 1
            first, last = taken[index] if index < len(taken) else (end, end)
            if first > start:
                left.append((start, min(first, end)))
            start = last if first < end else end
    return left


def _holds(ranges: list[tuple[int, int]], clock: int) -> bool:
    index = bisect_right(ranges, clock, key=lambda span: span[0]) - 1
    return index >= 0 and clock < ranges[index][1]


def _tail(item: Item, clock: int) -> Item:
    """The part of an item from `clock` on, as Yjs would send it."""
    skip = clock - item.clock
    content = item.content and item.content[skip * 2 if item.kind == STRING else skip :]
    origin = None if item.kind == GC else (item.client, clock - 1)
    return item._replace(clock=clock, length=item.length - skip, origin=origin, parent=None, key=None, content=content)


def _differs(what: str) -> InvariantError:
    return InvariantError(f"The snapshot is not the log: it has {what}.", Code.QUARANTINED)
