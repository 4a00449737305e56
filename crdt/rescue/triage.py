"""Triage: which updates may need a rescue. Nearly all updates are typing, and need none.

An update is quiet if it adds content only to what lives, beside words that were never moved, and
deletes only words that were never moved, without adding words elsewhere.
"""

from crdt.gate.deletions import Deletions
from crdt.gate.gate import Knowledge
from crdt.gate.places import NOWHERE, Places
from crdt.gate.ranges import Ranges
from crdt.gate.typing_runs import Keystroke
from crdt.protocol.links import Links
from crdt.yjs.contents import FIRST_TYPE, STRING
from crdt.yjs.reader import KEYED, Inspected

MOST_LOOKED_UP = 2000
"""Clocks of one deleted range that are looked up one by one. A longer range is not quiet."""


class Moved:
    """The ids of all characters that have heirs."""

    def __init__(self) -> None:
        self._ranges: dict[int, Ranges] = {}

    def add(self, links: Links) -> None:
        for client, clock, length, *_ in links.heirs:
            self._ranges.setdefault(client, Ranges()).add(((clock, clock + length),))

    def touches(self, client: int, start: int, end: int) -> bool:
        """Whether some character of a range has an heir."""
        ranges = self._ranges.get(client)
        return ranges is not None and ranges.touches(start, end)


class Triage:
    """The judgement of updates that the gate has let in. `rich_roots`: roots that are rescued."""

    def __init__(self, rich_roots: frozenset[str], moved: Moved) -> None:
        self._rich_roots = rich_roots
        self._moved = moved

    def is_quiet(self, knowledge: Knowledge, update: Inspected) -> bool:
        """Whether an update needs no rescue."""
        if type(update) is not Keystroke:
            return self._is_quiet(knowledge.places, knowledge.deletions, update)
        changes = knowledge.deletions.changes
        if update.run.quiet_at == changes:
            return True
        quiet = self._is_quiet(knowledge.places, knowledge.deletions, update)
        if quiet:
            update.run.quiet_at = changes
        return quiet

    def _is_quiet(self, places: Places, deletions: Deletions, update: Inspected) -> bool:
        if self._rich_roots.isdisjoint(places.roots):
            return True
        deletes_from: set[int] = set()
        for client, ranges in update.deletions:
            for first, end in ranges:
                if self._moved.touches(client, first, end) or end - first > MOST_LOOKED_UP:
                    return False
                if any((client, clock) in places.types for clock in range(first, end)):
                    return False
                deletes_from.add(places.of(client, first))
                deletes_from.add(places.of(client, end - 1))
        moved = self._moved.touches
        for (client, _, _), structs in zip(update.clients, update.structs, strict=True):
            for clock, _, kind, origin, origin_clock, right, right_clock, _, _ in structs:
                content = kind & (KEYED - 1)
                place = places.of(client, clock)
                if content != STRING and content < FIRST_TYPE and not place:
                    continue
                if deletes_from and (content >= FIRST_TYPE or (content == STRING and place not in deletes_from)):
                    return False
                if (origin >= 0 and moved(origin, origin_clock, origin_clock + 1)) or (
                    right >= 0 and moved(right, right_clock, right_clock + 1)
                ):
                    return False
                if not _is_alive(places, deletions, place):
                    return False
        return True


def _is_alive(places: Places, deletions: Deletions, place: int) -> bool:
    """Whether nothing around a place is deleted."""
    if place == NOWHERE:
        return False
    while (owner := places.owner(place)) is not None:
        if deletions.covers(*owner):
            return False
        place = places.of(*owner)
    return place != NOWHERE
