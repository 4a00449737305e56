"""Proving: when a room must have suggestions proven again before it appends them.

Whoever only suggests has each batch proven before the gate sees it (server/rooms/proving.py),
behind everything that this node has taken by then. The node puts its own edits into the log in that
order. So the proof holds, unless a row of another node comes between, or a rescue adds something:
an editor may have accepted the suggestion in which its author goes on typing. Three rules follow:

1. A row with suggestions is appended as the next one behind the row that it was proven behind, or
   not at all (`AppendRow.moves`).
2. If a row of another node has come between, or the server adds something to the row, the row's
   suggestions are proven once more, in their places (`Prove`).
3. What waits before the first suggestion leaves without it, so that nobody waits for a proof who
   has sent something before.

A suggestion that is no longer one is condemned. The gate knows it already, so the document is
loaded again, and its author is asked to send it anew.
"""

from collections.abc import Sequence

from crdt.errors import ManyhandsError
from crdt.ids import Seq
from crdt.log.replay import InspectedRow
from crdt.room.effects import Proof, Prove
from crdt.room.outbox import Submission
from crdt.suggestions.judge import Candidate, Entry
from crdt.yjs.reader import Inspected

MOST_FOLLOWED, MOST_FOLLOWED_BYTES = 5000, 2 * 2**20
"""Updates, and their bytes, that are kept for the judge's copy. Past it, the copy is made anew."""


class Proving:
    """The proofs of one room's suggestions.

    Attributes:
        asked: the question that is under way, and the submissions that it is about.
        followed: the updates, in the engine's form, of the rows since the judge's copy was made;
            None without a copy.
    """

    def __init__(self) -> None:
        self.asked: tuple[Prove, list[Submission]] | None = None
        self.followed: list[bytes] | None = None
        self._followed_bytes = 0
        self._condemned: list[tuple[Submission, ManyhandsError]] = []
        self._life = 0
        self._foreign = 0

    @property
    def now(self) -> Proof:
        """What is proven now."""
        return Proof(self._life, self._foreign)

    def follow_from_here(self) -> None:
        """Keep the updates of later rows for the judge's copy, which is as the document is now."""
        self.followed, self._followed_bytes = [], 0

    def follow(self, row: InspectedRow, *, ours: bool) -> None:
        """Take note of a row that was applied. One of ours concerns the judge's copy alone."""
        if not ours:
            self._foreign += 1
        if self.followed is not None:
            self.followed += [update.engine for update in row.updates]
            self._followed_bytes += len(row.batch)
            if len(self.followed) > MOST_FOLLOWED or self._followed_bytes > MOST_FOLLOWED_BYTES:
                self.followed = None

    def reloaded(self) -> None:
        """Take note that the document was loaded again. What waits must be proven anew."""
        self._life += 1
        self._foreign, self.followed, self.asked = 0, None, None

    def holds(self, waiting: Sequence[Submission]) -> bool:
        """Whether all suggestions are proven behind what is there now."""
        now = self.now
        return all(submission.proof == now for submission in waiting if submission.suggests)

    def ask(self, known: Seq, submissions: Sequence[Submission], answers: Sequence[Inspected | None] = ()) -> Prove:
        """Return the question about these submissions in the row after `known`.

        `answers`: what the server adds to each of their updates.
        """
        added = iter(answers)
        entries = [_entry(submission, [next(added, None) for _ in submission.updates]) for submission in submissions]
        question = Prove(known, tuple(entries))
        self.asked = question, list(submissions)
        return question

    def answered(self, question: Prove) -> list[Submission] | None:
        """Return the submissions of a question, or None if nobody waits for its answer."""
        if self.asked is None or self.asked[0] is not question:
            return None
        (_, submissions), self.asked = self.asked, None
        return submissions

    def condemn(self, submission: Submission, refusal: ManyhandsError) -> None:
        """Have a submission refused when all that waits is judged again."""
        self._condemned.append((submission, refusal))

    def check(self, submission: Submission) -> None:
        """Raise the refusal of a submission that was condemned."""
        for at, (condemned, refusal) in enumerate(self._condemned):
            if condemned is submission:
                del self._condemned[at]
                raise refusal


def _entry(submission: Submission, answers: Sequence[Inspected | None]) -> Entry:
    user = submission.contributor.user_id if submission.suggests else None
    updates: list[Candidate] = []
    for update, answer in zip(submission.updates, answers, strict=True):
        updates.append(Candidate(update.raw, update.engine))
        if answer is not None:
            updates.append(Candidate(answer.raw, answer.engine, is_answer=True))
    return Entry(user, tuple(updates))
