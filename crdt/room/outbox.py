"""What has been taken from sessions and is not acknowledged yet: a queue that gathers, at most one append under way, and rows in wait.

    take ──► waiting ──next()──► under way ──settle()──► durable ──owe()──► waits for its turn in the log ──pay()──► acknowledged
                                     │ ▲
                              failed()└─┘ the same append again, under the same id, after a growing pause

Only what the store has refused goes back: `give_back` lets it wait again, `take_back` takes it out
for another judgement.

Nothing leaves an outbox except as durable or as openly refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from crdt.errors import Code, ManyhandsError, ProtocolError
from crdt.gate.admission import Admission
from crdt.gate.typing_runs import Keystroke, join_keystrokes
from crdt.ids import ClientId, Seq, UpdateId
from crdt.log.replay import InspectedRow
from crdt.log.replica import Replica
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import Refused, Request
from crdt.protocol.row import WHOLE_ROW, AuthorKeys, Contributor, SetAside
from crdt.room.authors import Author, Authors, undecided
from crdt.room.effects import Acknowledge, Effect, Refuse
from crdt.room.session import Session
from crdt.yjs.reader import Inspected

FIRST_RETRY = 0.1
LAST_RETRY = 5.0
"""Pauses, seconds, between tries of an append that the store could not take: doubled from the first to the last."""


DAMAGED = "The document is read-only: its stored state is damaged. Everything is kept."
SET_ASIDE = "The document engine does not take this change. It was set aside; everybody else goes on without it."


class Submission(NamedTuple):  # one for each edit: a frozen dataclass takes four times as long to make
    """One batch of one session. Without updates it only waits its turn to be acknowledged (it brought nothing new).

    `repeated`: the updates that brought nothing new then, for it may have been somebody else's,
    whom the store refuses; `author_keys`: client ids for the store to bind, or to find unbound;
    `size`: bytes of its updates; `measured`: the document engine was tried with them.
    """

    session: Session
    request: Request | None
    updates: tuple[Inspected, ...]
    author: Author
    contributor: Contributor
    author_keys: AuthorKeys = ()
    repeated: tuple[Inspected, ...] = ()
    size: int = 0
    measured: bool = False


@dataclass(frozen=True, slots=True)
class Appending:
    """The append under way: a log row to be."""

    update_id: UpdateId
    batch: bytes
    updates: tuple[Inspected, ...]
    submissions: tuple[Submission, ...]
    author_keys: AuthorKeys
    """What the store must bind with the row, or find unbound."""
    contributors: tuple[Contributor, ...]

    @property
    def bound(self) -> AuthorKeys:
        """Those of them that the row binds."""
        return tuple([pair for pair in self.author_keys if pair[1]])

    def acknowledgements(self, seq: Seq) -> list[Effect]:
        """The answer to all who wait for one, now that the row is durable at `seq`."""
        asked = [
            (submission.session, submission.request)
            for submission in self.submissions
            if submission.request is not None
        ]
        return [Acknowledge(asked, seq)] if asked else []

    def answers(self, seq: Seq, set_aside: Sequence[SetAside]) -> list[Effect]:
        """The same, if some of its updates were set aside: whoever sent one of those is refused, because it was not applied."""
        if not set_aside:
            return self.acknowledgements(seq)
        positions = {each.position for each in set_aside}
        bad = [update for at, update in enumerate(self.updates) if at in positions or WHOLE_ROW in positions]
        if not bad:
            return self.acknowledgements(seq)
        refused = [submission for submission in self.submissions if any(_holds(submission, update) for update in bad)]
        rest = replace(
            self, submissions=tuple([submission for submission in self.submissions if submission not in refused])
        )
        answer = Refused(Code.BAD_UPDATE, SET_ASIDE)
        refusals = [Refuse(each.session, each.request, answer) for each in refused if each.request is not None]
        return [*rest.acknowledgements(seq), *refusals]

    @property
    def only_author(self) -> Session | None:
        """The session that sent all of it and will learn its seq from an answer; None when there is no such one."""
        authors = {submission.session for submission in self.submissions if submission.updates}
        answered = any(submission.request is not None for submission in self.submissions if submission.updates)
        return authors.pop() if len(authors) == 1 and answered else None


def _claims_of(submissions: Sequence[Submission]) -> AuthorKeys:
    claims: dict[ClientId, bytes] = {}
    for submission in submissions:
        for client_id, key in submission.author_keys:
            claims[client_id] = key or claims.get(client_id, b"")  # what one tab brings, another's first words may bind
    return tuple(claims.items())


def _holds(submission: Submission, update: Inspected) -> bool:
    """Whether an update of a row came with this submission; keystrokes are in the row together with those before and behind."""
    for each in submission.updates or submission.repeated:
        same_run = isinstance(each, Keystroke) and isinstance(update, Keystroke) and each.run is update.run
        if same_run or each.raw == update.raw:
            return True
    return False


class Outbox:
    """Entries in the order in which they were taken."""

    def __init__(self) -> None:
        self.waiting: list[Submission] = []
        """What goes into the next row."""
        self.under_way: Appending | None = None
        self.bytes = 0
        """Bytes of all updates that are not durable."""
        self.retry_at: float | None = None
        """When the append under way is to be tried again; None while a try is under way or none is."""
        self._pause = FIRST_RETRY
        self.failing = False
        """Whether the append under way is late, or has failed at least once."""
        self.owed_rows: dict[Seq, Appending] = {}
        self._barred: set[Session] = set()

    def take_admitted(self, submission: Submission, admission: Admission, authors: Authors, seq: Seq) -> list[Effect]:
        """Take what the gate has let in. `seq`: of the last row, which acknowledges what brings nothing new if nothing is on its way."""
        updates = submission.updates or submission.repeated
        if not admission.news:
            return self.ride(submission._replace(updates=(), repeated=updates, author_keys=()), seq)
        again, own = submission.repeated or submission.author_keys, submission.author.client_id
        owned = own == submission.session.owned and admission.writes == (own,)
        if again or admission.new_clients or not (owned or authors.are_settled(admission.writes, submission.author)):
            claims = authors.claim(
                map(ClientId, admission.writes), map(ClientId, admission.new_clients), submission.author
            )
            submission = submission._replace(updates=updates, repeated=(), author_keys=claims)
        self.take(submission)
        return []

    def take(self, submission: Submission) -> None:
        """Put a submission at the end."""
        self.waiting.append(submission)
        self.bytes += submission.size

    def ride(self, submission: Submission, seq: Seq) -> list[Effect]:
        """Acknowledge a submission without updates: together with the last one taken, because what it repeats may be on its way, or now."""
        if self.waiting:
            self.take(submission)
        elif self.under_way is not None:
            self.under_way = replace(self.under_way, submissions=(*self.under_way.submissions, submission))
            self.bytes += submission.size
        elif self.owed_rows:
            last = max(self.owed_rows)
            self.owed_rows[last] = replace(
                self.owed_rows[last], submissions=(*self.owed_rows[last].submissions, submission)
            )
        elif submission.request is not None:
            return [Acknowledge([(submission.session, submission.request)], seq)]
        return []

    def weigh(self, session: Session, refusal: ManyhandsError) -> Refused:
        """A refusal is final only if it doesn't rest on what the store may still refuse to somebody else."""
        if refusal.code in (Code.BAD_UPDATE, Code.MISSING_PAST) and self.claims_of_others(session):
            refusal = undecided()
        return Refused(refusal.code, refusal.outward)

    def claims_of_others(self, session: Session) -> bool:
        """Whether somebody else writes under a new client id, which the store may refuse."""
        return any(submission.author_keys and submission.session is not session for submission in self._undecided)

    def bar(self, session: Session, *, barred: bool) -> None:
        """Whoever writes through this session may do so no more, or again: what of theirs is not durable is judged by that."""
        (self._barred.add if barred and self.holds(session) else self._barred.discard)(session)

    def check_author(self, submission: Submission) -> None:
        """Raise ProtocolError(forbidden) if its author may write no more."""
        if submission.session in self._barred:
            raise ProtocolError(Code.FORBIDDEN, "You may no longer change this document.")

    def authors(self) -> list[Session]:
        """Whoever has sent something that is not durable, each once."""
        return list(dict.fromkeys(submission.session for submission in self._undecided))

    def holds(self, session: Session) -> bool:
        """Whether something of this session's is not durable."""
        return any(submission.session is session for submission in self._undecided)

    @property
    def bars(self) -> bool:
        """Whether something in here is of somebody who may write no more."""
        return any(submission.session in self._barred for submission in self._undecided)

    @property
    def bars_waiting(self) -> bool:
        """Whether something of theirs is behind the append under way, whose fate the store decides."""
        return any(submission.session in self._barred for submission in self.waiting)

    @property
    def _undecided(self) -> tuple[Submission, ...]:
        return (*(self.under_way.submissions if self.under_way else ()), *self.waiting)

    def updates(self) -> Iterator[Inspected]:
        """Everything in here, in order."""
        for seq in self.owed:
            yield from self.owed_rows[seq].updates
        if self.under_way is not None:
            yield from self.under_way.updates
        for submission in self.waiting:
            yield from submission.updates

    def next(self, update_id: UpdateId) -> Appending:
        """Make one row of all that waits, and put it under way."""
        submissions, self.waiting = tuple(self.waiting), []
        updates = join_keystrokes([update for submission in submissions for update in submission.updates])
        batch = encode_batch([update.raw for update in updates])
        contributors = tuple(
            dict.fromkeys([submission.contributor for submission in submissions if submission.updates])
        )
        claiming = [submission for submission in submissions if submission.author_keys]
        claims = _claims_of(claiming) if claiming else ()
        self.under_way = Appending(update_id, batch, updates, submissions, claims, contributors)
        return self.under_way

    def settle(self, update_id: UpdateId) -> Appending | None:
        """The append is durable: take it out. None when it is not the one under way (an answer that came twice)."""
        appending = self.under_way
        if appending is None or appending.update_id != update_id:
            return None
        self.under_way, self.retry_at, self._pause, self.failing = None, None, FIRST_RETRY, False
        self.bytes -= sum(submission.size for submission in appending.submissions)
        return appending

    @property
    def owed(self) -> list[Seq]:
        """The rows that are durable and wait for their turn to be applied, sent and acknowledged."""
        return sorted(self.owed_rows)

    def owe(self, seq: Seq, appending: Appending) -> InspectedRow:
        """Keep what is durable until its turn; return its row."""
        self.owed_rows[seq] = appending
        return InspectedRow(seq, appending.batch, appending.updates)

    def row(self, seq: Seq) -> InspectedRow:
        """The row of ours that waits at this place."""
        appending = self.owed_rows[seq]
        return InspectedRow(seq, appending.batch, appending.updates)

    def resume(self, replica: Replica) -> list[Effect]:
        """Go on after a reload: rows that it has read are answered, the others arrive."""
        effects: list[Effect] = []
        for seq in self.owed:
            if seq > replica.seq and replica.quarantined is None:
                replica.arrive(self.row(seq), known=True)
            elif (appending := self.pay(seq)) is not None:
                effects += appending.answers(seq, replica.set_aside.get(seq, ()))
        return effects

    def pay(self, seq: Seq) -> Appending | None:
        """Its turn has come; None: the row is not one of ours."""
        return self.owed_rows.pop(seq, None)

    def failed(self, update_id: UpdateId, now: float | None) -> None:
        """The store could not take the append: try the same again after a pause. `now` None: it may yet take it, but is late."""
        if self.under_way is None or self.under_way.update_id != update_id:
            return
        self.failing = True
        if now is not None:
            self.retry_at = now + self._pause
            self._pause = min(self._pause * 2, LAST_RETRY)

    def give_back(self, update_id: UpdateId) -> bool:
        """The store refused the append under way: its submissions wait again, before all others. False when it is not the one under way."""
        appending = self.under_way
        if appending is None or appending.update_id != update_id:
            return False
        self.under_way, self.retry_at, self._pause, self.failing = None, None, FIRST_RETRY, False
        self.waiting[:0] = appending.submissions
        return True

    def take_back(self) -> list[Submission]:
        """Take out all that waits, so that it can be judged again."""
        submissions, self.waiting = self.waiting, []
        self.bytes -= sum(submission.size for submission in submissions)
        return submissions

    def repeat(self, update_id: UpdateId) -> None:
        """Let the append under way be tried again at once."""
        if self.under_way is not None and self.under_way.update_id == update_id:
            self.retry_at = float("-inf")

    def retry(self) -> Appending | None:
        """The append to be tried again now."""
        self.retry_at = None
        return self.under_way

    def refuse_all(self, code: Code, message: str) -> list[Refuse]:
        """Give up what is not durable; return the refusals for it."""
        submissions = self._undecided
        self.waiting, self.under_way, self.bytes, self.retry_at, self.failing = [], None, 0, None, False
        refused = Refused(code, message)
        return [
            Refuse(submission.session, submission.request, refused)
            for submission in submissions
            if submission.request is not None
        ]
