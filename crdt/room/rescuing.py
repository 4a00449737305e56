"""Rescuing: when a room has to ask for a rescue before it appends, and what it must know first.

Nearly all updates are typing, and need no rescue. An update is quiet if it adds content only to
what lives, beside words that were never moved, and deletes only words that were never moved,
without adding words elsewhere.
"""

from collections.abc import Sequence

from crdt.gate.deletions import Deletions
from crdt.gate.gate import Knowledge
from crdt.gate.places import NOWHERE, Places
from crdt.gate.ranges import Ranges
from crdt.gate.typing_runs import Keystroke
from crdt.ids import Seq
from crdt.protocol.links import Links, decode_links, encode_links
from crdt.protocol.row import Stored
from crdt.rescue.memory import moved_in
from crdt.room.effects import Rescue
from crdt.room.outbox import Submission
from crdt.yjs.contents import DELETED, FIRST_TYPE, GC, STRING
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import KEYED, Inspected

_WITHOUT_WORDS = frozenset({GC, DELETED})

MOST_LOOKED_UP = 2000
"""Clocks of one deleted range that are looked up one by one. A longer range is not quiet."""


class Moved:
    """The ids of all characters that have heirs, or behind which a line was joined to theirs."""

    def __init__(self) -> None:
        self._ranges: dict[int, Ranges] = {}

    def add(self, links: Links) -> None:
        for client, clock, length, *_ in links.heirs:
            self._ranges.setdefault(client, Ranges()).add(((clock, clock + length),))
        for client, clock in links.joins:
            self._ranges.setdefault(client, Ranges()).add(((clock, clock + 1),))

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
                if content in _WITHOUT_WORDS and not place:
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


MOST_ROWS = 500
"""Rows whose heirs are kept for people who come back. Their carets may need them."""

MOST_HEIRS = 5000
"""Heirs that are told in the answer to a join, at some 30 bytes each."""


class Rescuing:
    """The rescue of one room's document, as far as the room decides on it.

    Attributes:
        asked: the question that is under way, and the submissions that it is about.
        must_know: the row that must be applied here before anything is appended.
    """

    def __init__(self, stored: Stored, limits: GateLimits) -> None:
        self._moved = Moved()
        self._links: list[tuple[Seq, Links]] = []
        """The heirs that the last rows brought, and before them what is remembered."""
        self._remember(stored.snapshot_seq, moved_in(stored.memory))
        for row in stored.rows:
            self.follow(row.seq, row.heirs)
        self._triage = Triage(limits.fragment_roots, self._moved)
        self.asked: tuple[Rescue, list[Submission]] | None = None
        self.must_know = Seq(0)

    def follow(self, seq: Seq, heirs: bytes) -> None:
        """Take in which characters a row has moved."""
        if heirs:
            self._remember(seq, decode_links(heirs))

    def _remember(self, seq: Seq, links: Links) -> None:
        if links:
            self._moved.add(links)
            self._links.append((seq, Links(links.heirs)))
            if len(self._links) > MOST_ROWS:
                del self._links[0]

    def since(self, seq: Seq) -> bytes:
        """Return the heirs that rows after one have brought, the newest that fit."""
        found: list[Links] = []
        count = 0
        for row, links in reversed(self._links):
            count += len(links.heirs)
            if row <= seq or count > MOST_HEIRS:
                break
            found.append(links)
        return encode_links(reversed(found))

    def is_needed(self, knowledge: Knowledge, submissions: Sequence[Submission]) -> bool:
        """Whether words may die with what waits."""
        is_quiet = self._triage.is_quiet
        return not all(is_quiet(knowledge, update) for submission in submissions for update in submission.updates)

    def deletes_moved(self, updates: Sequence[Inspected]) -> bool:
        """Whether updates without new content delete words that live elsewhere by now.

        An update with content that is known was taken before, and is only repeated.
        """
        return self.touches_moved([update for update in updates if not update.clients])

    def touches_moved(self, updates: Sequence[Inspected]) -> bool:
        """Whether updates delete words that live elsewhere by now."""
        touches = self._moved.touches
        return any(
            touches(client, first, end)
            for update in updates
            for client, ranges in update.deletions
            for first, end in ranges
        )

    def ask(self, known: Seq, submissions: Sequence[Submission]) -> Rescue:
        """Return the question about these submissions in the row after `known`."""
        question = Rescue(known, tuple([said for submission in submissions for said in submission.said]))
        self.asked = question, list(submissions)
        return question

    def answered(self, question: Rescue) -> list[Submission] | None:
        """Return the submissions of a question.

        Return None if nobody waits for its answer. After a reload there may be another question
        about the same row.
        """
        if self.asked is None or self.asked[0] is not question:
            return None
        (_, submissions), self.asked = self.asked, None
        return submissions
