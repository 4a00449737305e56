"""Outbox: updates that a room has taken and not yet acknowledged, and the windows that gather them.

    take ─► waiting ─next()─► under way ─settle()─► durable ─owe()─► owed ─pay()─► acknowledged
               ▲                │  │ ▲
               └── give_back() ─┘  └─┘ failed(): the same append again, under the same id,
                                       after a growing pause

All that waits goes into the next row. At most one append is under way. A row that is owed waits for
its turn in the log. Only what the store has refused goes back: `give_back` lets it wait again, and
`take_back` takes all that waits out for another judgement.

Nothing leaves an outbox except as durable or as openly refused.

An update may come twice. A client whose connection broke sends again what was not acknowledged, and
a second tab uploads what the first tab typed. The gate knows every update that was taken, so the
second copy brings nothing new. Three rules follow:

1. **A copy is not stored, and is not acknowledged too early.** What it repeats may not be durable
   yet. `ride` therefore acknowledges the copy together with the last submission that was taken.
2. **A copy keeps its updates, as `repeated`.** The first copy may be somebody else's. The store may
   refuse it, if another node has bound its client id. All that waits is then judged again,
   and the second copy takes the place of the first.
3. **A refusal may be premature.** An update may look wrong only because of somebody else's updates
   that the store refuses later. While another session has claims that the store must decide on
   (`claims_of_others`), `weigh` turns the refusal into "send it again".

Edits are gathered in windows (`FlushWindow`): one row, and one frame for each member, per window.
The first edit after a quiet spell leaves at once, in a room of any size. How much later windows
gather follows the node's load (crdt/room/pace.py). The room's size is only a bound, because a flush
costs a frame for each member. Past the bound, windows grow with the loop's own lateness. A node
that has more to do than time then gathers more into each frame, instead of falling behind.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from crdt.errors import Code, ManyhandsError, ProtocolError
from crdt.gate.admission import Admission
from crdt.gate.typing_runs import Keystroke, join_keystrokes
from crdt.ids import ClientId, Epoch, Seq, UpdateId
from crdt.log.replay import InspectedRow
from crdt.log.replica import Replica
from crdt.permissions import Action, Role, may
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import Refused, Request
from crdt.protocol.row import WHOLE_ROW, AuthorKeys, Contributor, SetAside
from crdt.rescue.rescue import Said
from crdt.room.effects import Acknowledge, AppendRow, Effect, Proof, Refuse
from crdt.room.pace import Pace, Windows
from crdt.room.session import Author, Authors, Session, undecided
from crdt.yjs.reader import Inspected

SHORTEST = 0.02
"""Seconds that a window lasts at most in a small room. Nobody feels so short a wait."""

PER_MEMBER = 0.0005
"""Seconds per member that it lasts at most in a larger one. At some 10 µs a frame, a room in a full
node takes a fiftieth of a core for frames."""

LONGEST = 0.06
"""Seconds of the bound, however many members. With longer windows, other people's words would come
in jerks."""

LATENESS_FACTOR = 1.0
"""Seconds that a window grows by, for each second that the loop is late by its own work."""

LONGEST_LATE = 0.12
"""Seconds of the longest window, however late the loop is."""

FIRST_RETRY = 0.1
LAST_RETRY = 5.0
"""Seconds between tries of an append that the store could not take. Each pause doubles the last."""


DAMAGED = "The document is read-only: its stored state is damaged. Everything is kept."
SET_ASIDE = "The document engine does not take this change. It was set aside; everybody else goes on without it."


# One for each edit: a frozen dataclass takes four times as long to make.
class Submission(NamedTuple):
    """One batch of one session. Without updates, it brought nothing new and awaits only an answer.

    Attributes:
        author_keys: client ids for the store to bind, or to find unbound.
        repeated: the updates that brought nothing new. Their first copy may be somebody else's,
            which the store may refuse.
        size: bytes of its updates.
        measured: the document engine was tried with the updates.
        after: the last row that the author had applied; None if they did not say.
        known: the state vector with which the author joined; empty if it is not kept.
        proof: for somebody who only suggests, what it was proven against.
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
    after: Seq | None = None
    proof: Proof | None = None
    known: bytes = b""

    @property
    def suggests(self) -> bool:
        """Whether it must stand where it was proven to be only suggestions."""
        return self.proof is not None and bool(self.updates)

    def may_stay(self, role: Role | None) -> bool:
        """Whether a role includes what was taken."""
        return may(role, Action.WRITE if self.proof is None else Action.SUGGEST)

    @property
    def said(self) -> list[Said]:
        """The updates, and what their author knew."""
        return [Said(update.raw, self.after, self.author.client_id, self.known) for update in self.updates]


class Appending(Struct, frozen=True):
    """The append under way: a row that is not in the log yet."""

    update_id: UpdateId
    batch: bytes
    updates: tuple[Inspected, ...]
    submissions: tuple[Submission, ...]
    author_keys: AuthorKeys
    """Client ids that the store must bind with the row, or find unbound."""
    contributors: tuple[Contributor, ...]
    known: Seq
    """The last row that the room had applied."""
    moves: bool = False
    """Whether the row was judged as one that may move words, or that only suggests behind `known`.
    """
    rescues: tuple[Inspected, ...] = ()
    """Those of the updates that the server has added."""
    heirs: bytes = b""

    def effect(self, epoch: Epoch) -> AppendRow:
        """Return the append as an effect."""
        row = self.batch, self.author_keys, self.contributors
        return AppendRow(self.update_id, epoch, *row, self.known, self.moves, self.heirs)

    def row(self, seq: Seq) -> InspectedRow:
        """Return the append as a row of the log."""
        return InspectedRow(seq, self.batch, self.updates, rescues=self.rescues, heirs=self.heirs)

    @property
    def bound(self) -> AuthorKeys:
        """The client ids that the row binds, each with the hash of its key."""
        return tuple([pair for pair in self.author_keys if pair[1]])

    def acknowledgements(self, seq: Seq) -> list[Effect]:
        """Acknowledge all requests that await an answer, now that the row is durable at `seq`."""
        asked = [
            (submission.session, submission.request)
            for submission in self.submissions
            if submission.request is not None
        ]
        return [Acknowledge(asked, seq)] if asked else []

    def answers(self, seq: Seq, set_aside: Sequence[SetAside]) -> list[Effect]:
        """Acknowledge the requests, and refuse those whose updates were set aside.

        An update that was set aside is not applied.
        """
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
        """The session that sent the whole row and learns its seq from an answer.

        None if several sessions sent the row, if the server has added something, or if none awaits
        an answer.
        """
        if self.rescues:
            return None
        authors = {submission.session for submission in self.submissions if submission.updates}
        answered = any(submission.request is not None for submission in self.submissions if submission.updates)
        return authors.pop() if len(authors) == 1 and answered else None


def first_suggestion(submissions: Sequence[Submission]) -> int | None:
    """Return the place of the first suggestion among these; None if there is none."""
    return next((at for at, submission in enumerate(submissions) if submission.suggests), None)


def _claims_of(submissions: Sequence[Submission]) -> AuthorKeys:
    claims: dict[ClientId, bytes] = {}
    for submission in submissions:
        for client_id, key in submission.author_keys:
            # One tab may bring along (with an empty key) an id that another tab's first words bind.
            claims[client_id] = key or claims.get(client_id, b"")
    return tuple(claims.items())


def _appending(
    update_id: UpdateId, submissions: tuple[Submission, ...], updates: tuple[Inspected, ...], known: Seq
) -> Appending:
    batch = encode_batch([update.raw for update in updates])
    contributors = tuple(dict.fromkeys([submission.contributor for submission in submissions if submission.updates]))
    claiming = [submission for submission in submissions if submission.author_keys]
    claims = _claims_of(claiming) if claiming else ()
    return Appending(update_id, batch, updates, submissions, claims, contributors, known)


def _holds(submission: Submission, update: Inspected) -> bool:
    """Whether this submission brought an update of a row.

    A row joins keystrokes with those before and behind them, so their runs are compared.
    """
    for each in submission.updates or submission.repeated:
        same_run = isinstance(each, Keystroke) and isinstance(update, Keystroke) and each.run is update.run
        if same_run or each.raw == update.raw:
            return True
    return False


class Outbox:
    """Submissions in the order in which they were taken."""

    def __init__(self) -> None:
        self.waiting: list[Submission] = []
        """Submissions for the next row."""
        self.under_way: Appending | None = None
        self.bytes = 0
        """Bytes of all updates that are not durable."""
        self.taken = 0
        """How many submissions were ever taken."""
        self.retry_at: float | None = None
        """When the append under way is tried again; None while it runs, or without an append."""
        self._pause = FIRST_RETRY
        self.failing = False
        """Whether the append under way is late, or has failed at least once."""
        self.owed_rows: dict[Seq, Appending] = {}
        self._barred: set[Session] = set()

    def take_admitted(self, submission: Submission, admission: Admission, authors: Authors, seq: Seq) -> list[Effect]:
        """Take a batch that the gate has let in.

        `seq` is the replica's last row. It acknowledges a batch that brings nothing new, if nothing
        is on its way to the log.
        """
        updates = submission.updates or submission.repeated
        if not admission.news:
            return self.ride(submission._replace(updates=(), repeated=updates, author_keys=()), seq)
        # A submission that is judged again has lost its claims, and may have lost its first copy.
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
        self.taken += 1
        self.waiting.append(submission)
        self.bytes += submission.size

    def ride(self, submission: Submission, seq: Seq) -> list[Effect]:
        """Acknowledge a submission without updates together with the last submission taken.

        If nothing is on its way to the log, return the acknowledgement, by row `seq`.
        """
        # What was taken last stands latest on the way to the log, so it covers every first copy.
        if self.waiting:
            self.take(submission)
        elif self.under_way is not None:
            self.under_way = replace(self.under_way, submissions=(*self.under_way.submissions, submission))
            self.bytes += submission.size
        elif self.owed_rows:
            # Durable already, so nobody refuses this row: only its turn is awaited.
            last = max(self.owed_rows)
            self.owed_rows[last] = replace(
                self.owed_rows[last], submissions=(*self.owed_rows[last].submissions, submission)
            )
        elif submission.request is not None:
            return [Acknowledge([(submission.session, submission.request)], seq)]
        return []

    def weigh(self, session: Session, refusal: ManyhandsError) -> Refused:
        """Return the answer for a refusal, which may not be final (rule 3)."""
        if refusal.code in (Code.BAD_UPDATE, Code.MISSING_PAST) and self.claims_of_others(session):
            refusal = undecided()
        return Refused(refusal.code, refusal.outward)

    def claims_of_others(self, session: Session) -> bool:
        """Whether somebody else writes under a new client id, which the store may refuse."""
        return any(submission.author_keys and submission.session is not session for submission in self._undecided)

    def bar(self, session: Session, role: Role | None) -> None:
        """Bar a session from writing if its role no longer includes what it has sent.

        What the session has sent and is not durable is judged by that. A session without anything
        in the outbox is not barred, because the room checks its role.
        """
        sent = [submission for submission in self._undecided if submission.session is session]
        barred = not all(submission.may_stay(role) for submission in sent)
        (self._barred.add if barred else self._barred.discard)(session)

    def check_author(self, submission: Submission) -> None:
        """Raise ProtocolError(forbidden) if the author may no longer write."""
        if submission.session in self._barred:
            raise ProtocolError(Code.FORBIDDEN, "You may no longer change this document.")

    def authors(self) -> list[Session]:
        """Return each session that has sent something that is not durable, once."""
        return list(dict.fromkeys(submission.session for submission in self._undecided))

    @property
    def bars(self) -> bool:
        """Whether something in the outbox comes from a barred session."""
        return any(submission.session in self._barred for submission in self._undecided)

    @property
    def bars_waiting(self) -> bool:
        """Whether something from a barred session waits behind the append under way.

        The append under way does not count, because the store decides on it.
        """
        return any(submission.session in self._barred for submission in self.waiting)

    @property
    def _undecided(self) -> tuple[Submission, ...]:
        return (*(self.under_way.submissions if self.under_way else ()), *self.waiting)

    def updates(self) -> Iterator[Inspected]:
        """Yield all updates in the outbox, in order, without what the server has added to them.

        The gate learns the server's additions only in their row's turn.
        """
        rows = [self.owed_rows[seq] for seq in self.owed]
        for row in (*rows, self.under_way) if self.under_way is not None else rows:
            yield from (update for update in row.updates if not any(update is each for each in row.rescues))
        for submission in self.waiting:
            yield from submission.updates

    @property
    def holds_rescues(self) -> bool:
        """Whether the server has added something to a row that is not applied yet."""
        rows = (*self.owed_rows.values(), self.under_way)
        return any(row is not None and row.rescues for row in rows)

    def waits_under(self, client_id: ClientId) -> bool:
        """Whether something waits that was written under a client id."""
        updates = [update for submission in self.waiting for update in submission.updates]
        return any(client == client_id for update in updates for client, *_ in update.clients)

    def begins_with(self, submissions: Sequence[Submission]) -> bool:
        """Whether these submissions are the first that wait, and no append is under way."""
        first = self.waiting[: len(submissions)]
        if self.under_way is not None or len(first) < len(submissions):
            return False
        return all(one is other for one, other in zip(first, submissions, strict=True))

    def next(self, update_id: UpdateId, known: Seq, count: int, *, proven: bool = False) -> Appending:
        """Make one row of the first `count` submissions, and put it under way.

        `known`: the last row that the room has applied. `proven`: something in the row was proven
        to be only suggestions behind `known`.
        """
        submissions = self._take_first(count)
        updates = join_keystrokes([update for submission in submissions for update in submission.updates])
        appending = _appending(update_id, submissions, updates, known)
        self.under_way = replace(appending, moves=True) if proven else appending
        return self.under_way

    def _take_first(self, count: int) -> tuple[Submission, ...]:
        while count < len(self.waiting) and not self.waiting[count].updates:
            count += 1  # a copy that rides along with what came before it
        submissions, self.waiting = tuple(self.waiting[:count]), self.waiting[count:]
        return submissions

    def next_rescued(
        self, update_id: UpdateId, known: Seq, count: int, answers: Sequence[Inspected | None], heirs: bytes
    ) -> Appending:
        """Make one row of the first `count` submissions, with the server's answers.

        `answers`: one for each update, None for updates that need none; empty if they could not be
        found. Then the row may stand behind rows that nobody here knows yet.
        """
        submissions = self._take_first(count)
        said = [update for submission in submissions for update in submission.updates]
        answered = zip(said, answers or [None] * len(said), strict=True)
        updates = tuple([each for pair in answered for each in pair if each is not None])
        moves = bool(answers) or any(submission.suggests for submission in submissions)
        rescues = tuple([each for each in answers if each is not None])
        appending = _appending(update_id, submissions, updates, known)
        self.under_way = replace(appending, moves=moves, rescues=rescues, heirs=heirs)
        return self.under_way

    def settle(self, update_id: UpdateId) -> Appending | None:
        """Take out the append under way, because it is durable.

        Return None if another append is under way, or none: the answer came twice.
        """
        appending = self.under_way
        if appending is None or appending.update_id != update_id:
            return None
        self.under_way, self.retry_at, self._pause, self.failing = None, None, FIRST_RETRY, False
        self.bytes -= sum(submission.size for submission in appending.submissions)
        return appending

    @property
    def owed(self) -> list[Seq]:
        """The rows that are durable and wait for their turn to be applied and acknowledged."""
        return sorted(self.owed_rows)

    def owe(self, seq: Seq, appending: Appending) -> InspectedRow:
        """Keep a durable append until its turn; return its row."""
        self.owed_rows[seq] = appending
        return appending.row(seq)

    def row(self, seq: Seq) -> InspectedRow:
        """Return the row of ours that waits at this place in the log."""
        return self.owed_rows[seq].row(seq)

    def resume(self, replica: Replica) -> list[Effect]:
        """Go on after a reload.

        Rows that the replica has read are answered. The others arrive at the replica.
        """
        effects: list[Effect] = []
        for seq in self.owed:
            if seq > replica.seq and replica.quarantined is None:
                replica.arrive(self.row(seq), known=True)
            elif (appending := self.pay(seq)) is not None:
                effects += appending.answers(seq, replica.set_aside.get(seq, ()))
        return effects

    def pay(self, seq: Seq) -> Appending | None:
        """Take out the append whose turn has come; return None if the row is not one of ours."""
        return self.owed_rows.pop(seq, None)

    def failed(self, update_id: UpdateId, now: float | None) -> None:
        """Try the same append again after a pause, because the store could not take it.

        If `now` is None, the append is only late, and the store may yet take it. No pause begins
        then.
        """
        if self.under_way is None or self.under_way.update_id != update_id:
            return
        self.failing = True
        if now is not None:
            self.retry_at = now + self._pause
            self._pause = min(self._pause * 2, LAST_RETRY)

    def give_back(self, update_id: UpdateId) -> bool:
        """Let the submissions of a refused append wait again, before all others.

        Return False if another append is under way, or none.
        """
        appending = self.under_way
        if appending is None or appending.update_id != update_id:
            return False
        self.under_way, self.retry_at, self._pause, self.failing = None, None, FIRST_RETRY, False
        self.waiting[:0] = appending.submissions
        return True

    def take_back(self) -> list[Submission]:
        """Take out all that waits, so that it can be judged again."""
        if self.under_way is None:
            self.failing = False  # what was late may be refused
        submissions, self.waiting = self.waiting, []
        self.bytes -= sum(submission.size for submission in submissions)
        return submissions

    def repeat(self, update_id: UpdateId) -> None:
        """Let the append under way be tried again at once."""
        if self.under_way is not None and self.under_way.update_id == update_id:
            self.retry_at = float("-inf")

    def retry(self) -> Appending | None:
        """Return the append under way, which is tried again now."""
        self.retry_at = None
        return self.under_way

    def refuse_all(self, code: Code, message: str, *, owed: bool = False) -> list[Refuse]:
        """Give up everything that is not durable; return the refusals.

        `owed`: give up durable rows too whose turn will not come. Nobody knows yet whether they can
        be applied, so they must not be acknowledged. Sent again, they bring nothing new.
        """
        submissions = self._undecided
        if owed:
            submissions = (*[each for seq in self.owed for each in self.owed_rows[seq].submissions], *submissions)
            self.owed_rows = {}
        self.waiting, self.under_way, self.bytes, self.retry_at, self.failing = [], None, 0, None, False
        refused = Refused(code, message)
        return [
            Refuse(submission.session, submission.request, refused)
            for submission in submissions
            if submission.request is not None
        ]


class FlushWindow:
    """The windows of one room, one after the other. Times are monotonic seconds."""

    def __init__(self, pace: Pace) -> None:
        self.ends = 0.0
        """When the next row may leave, as far as anybody has asked."""
        self._pace = pace
        self._windows = Windows(pace)
        self._began = -LONGEST_LATE
        self._is_chosen = True
        """Whether it is known how long the window lasts."""
        self._members = self._edits = 0
        self._spent = 0.0
        """What the node's loop had spent when the window was chosen."""
        self._awaited = False
        self._late = 0.0

    def is_over(self, now: float, waiting: int) -> bool:
        """Whether the edits that wait may leave now; ask whenever something waits."""
        # Nothing is measured for a row behind which a quiet spell comes: most rows are such.
        if not self._is_chosen and now < self._began + LONGEST_LATE:
            self._choose(now)
        if now < self.ends and not self.is_whole(waiting):
            self._awaited = True
            return False
        return True

    def is_whole(self, waiting: int) -> bool:
        """Whether so many edits may leave before the window ends."""
        return waiting >= self._windows.whole

    def _choose(self, now: float) -> None:
        """Choose when the window ends, for the first edit that waits."""
        self._spent = self._pace.look(now)
        most = min(LONGEST, max(SHORTEST, PER_MEMBER * self._members))
        wait = self._windows.next(self._began, self._edits, self._members, most)
        # Nobody waits longer than the bound behind the row before, and nobody behind a longer
        # spell without a row.
        late = LATENESS_FACTOR * self._late
        self.ends = min(now + wait + late, self._began + min(LONGEST_LATE, most + late))
        self._edits, self._is_chosen = 0, True

    def begin(self, now: float, members: int, edits: int) -> None:
        """Begin the next window, because a row with so many edits leaves."""
        late = 0.0
        # How late the loop is shows only if a timer was set for the window's end. If nothing came
        # in the window, nobody waited, and the time since its end is no lateness. Nor is the time
        # that other processes had the core: no longer window would bring it back.
        if self._awaited:
            late = min(now - self.ends, self._pace.look(now) - self._spent)
        # A loop that was late once is likely to be late again, so the memory fades by half per
        # window.
        self._late = max(late, self._late / 2)
        self.ends = self._began = now
        self._members = members
        self._edits += edits
        self._is_chosen = self._awaited = False
