"""Rescuing: when a room has to ask for a rescue before it appends, and what it must know first."""

from collections.abc import Sequence

from crdt.gate.gate import Knowledge
from crdt.ids import Seq
from crdt.log.replica import Stored
from crdt.protocol.links import Links, decode_links, encode_links
from crdt.rescue.memory import moved_in
from crdt.rescue.triage import Moved, Triage
from crdt.room.effects import Rescue
from crdt.room.outbox import Submission
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected

MOST_ROWS = 500
"""Rows whose heirs are kept for people who come back. Their carets may need them."""

MOST_HEIRS = 5000
"""Heirs that are told in the answer to a join, at some 30 bytes each."""


class Rescuing:
    """The rescue of one room's document, as far as the room decides on it.

    Attributes:
        asked: the submissions that a rescue was asked for, while it is under way.
        must_know: the row that must be applied here before anything is appended.
    """

    def __init__(self, stored: Stored, limits: GateLimits) -> None:
        self._moved = Moved()
        self._links: list[tuple[Seq, bytes]] = []
        """The heirs that the last rows brought, and before them what is remembered."""
        remembered = moved_in(stored.memory)
        if remembered:
            self.follow(stored.snapshot_seq, encode_links([remembered]))
        for row in stored.rows:
            self.follow(row.seq, row.heirs)
        self._triage = Triage(limits.fragment_roots, self._moved)
        self._known = Seq(0)
        self.asked: list[Submission] | None = None
        self.must_know = Seq(0)

    def follow(self, seq: Seq, heirs: bytes) -> None:
        """Take in which characters a row has moved."""
        if heirs:
            self._moved.add(decode_links(heirs))
            self._links.append((seq, heirs))
            if len(self._links) > MOST_ROWS:
                del self._links[0]

    def since(self, seq: Seq) -> bytes:
        """Return the heirs that rows after one have brought, the newest that fit."""
        found: list[Links] = []
        count = 0
        for row, heirs in reversed(self._links):
            links = decode_links(heirs)
            count += len(links.heirs)
            if row <= seq or count > MOST_HEIRS:
                break
            found.append(Links(links.heirs))
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
        self._known, self.asked = known, list(submissions)
        return Rescue(known, tuple([said for submission in submissions for said in submission.said]))

    def answered(self, known: Seq) -> list[Submission] | None:
        """Return the submissions of the question about the row after `known`.

        Return None if nobody waits for that answer.
        """
        if self.asked is None or known != self._known:
            return None
        asked, self.asked = self.asked, None
        return asked
