"""Room: a document and the people who have it open on one node. Sans-IO and deterministic.

Every verb takes what happened (and `now`, monotonic seconds) and returns the effects to carry out,
in order. Five rules make an acknowledged edit worth its name:

1. **Taken ≠ durable ≠ told.** An update that passes the gate goes to the outbox. Only `committed`
   makes it durable; only then is it applied, sent to the other sessions and acknowledged. Nobody
   but its author sees what could still be lost.
2. **Log order everywhere.** Rows are applied and sent in seq order, each once. A row that arrives
   ahead of its turn is held, and the rows before it are read from the log. So `state ==
   replay(log[..seq])` always, and a doubtful replica is repaired by replaying. What does not apply
   even so is set aside: its sender is refused, and everything else goes on (crdt/log/replay.py).
3. **A row is sent before it is acknowledged,** and acknowledged in its turn, so that a session's
   seq never runs ahead of what it holds.
4. **Refusals change nothing.** The gate takes in all of a batch or none of it.
5. **Nothing grows without bound.** What the store cannot take now is retried under the same id.
   Past `Limits.waiting_bytes` new updates are refused openly and stay with their clients.
"""

from collections.abc import Generator, Sequence
from contextlib import closing

from crdt.budget import Account, unbounded
from crdt.errors import Code, EpochChanged, ManyhandsError, ProtocolError, Unavailable
from crdt.gate.admission import ALL_ROOTS, NO_ROOTS, Admission, Except, MayWrite, Roots, check_fits, other_format
from crdt.ids import ClientId, Epoch, IdFactory, Seq, UpdateId
from crdt.log.document import Damaged, Engine, apply_update
from crdt.log.replay import InspectedRow, inspect_row
from crdt.log.replica import Replica, Spared
from crdt.permissions import Action, forbidden, nearly_full
from crdt.protocol.hints import BatchHint
from crdt.protocol.messages import (
    AccessMessage,
    ClosedMessage,
    DiscussionMessage,
    DocumentInfo,
    DocumentMessage,
    Durability,
    DurabilityMessage,
    JoinAnswer,
    JoinRequest,
    Limits,
    Refused,
    Request,
    ResyncMessage,
    Role,
    UpdateMessage,
    User,
)
from crdt.protocol.row import Row, Stored
from crdt.rescue.rescue import Rescued
from crdt.rescue.scribe import RESCUER
from crdt.room.catching_up import CatchingUp
from crdt.room.effects import Effect, Ended, KeepAside, Proof, Prove, Publish, Refuse, Rescue
from crdt.room.members import Members
from crdt.room.outbox import DAMAGED, SET_ASIDE, Appending, FlushWindow, Outbox, Submission, first_suggestion
from crdt.room.pace import Pace
from crdt.room.proving import Proving
from crdt.room.rescuing import Rescuing
from crdt.room.session import Session
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect

LARGE_HINT = 256 * 2**10
"""A row above this many bytes is not put on the bus.

Its seq travels alone, and other nodes read the log.
"""

KEY_BYTES = 24
"""Bytes that a client id and its key count towards `LARGE_HINT`."""

_BOUND_ELSEWHERE = "Another node has bound a client id that was taken in here."


class Room:
    """One open document. After `Ended` it must not be used any more."""

    def __init__(  # noqa: PLR0913, PLR0917 - what is stored, and what the node gives to each of its rooms
        self,
        stored: Stored,
        info: DocumentInfo,
        limits: Limits,
        gate_limits: GateLimits,
        ids: IdFactory,
        pace: Pace,
        engine: Engine = apply_update,
    ) -> None:
        """`pace`: the node's, which all its rooms share."""
        self._engine = engine
        self._limits = limits
        self._limits_for_suggestions = limits.for_suggestions()
        self._gate_limits = gate_limits
        self._new_update_id = ids.update_id
        self.replica = Replica(stored, gate_limits, engine, may_learn_later=True)
        """The document itself, and what the gate knows of it."""
        self.members = Members(stored.author_keys, limits, ids.presence_id, pace)
        """Who is here and where, what they are sent, and what is known of people on other nodes."""
        self._outbox = Outbox()
        self._window = FlushWindow(pace)
        self._catching_up = CatchingUp()
        self._rescuing = Rescuing(stored, gate_limits)
        self._rescued_before: tuple[list[Inspected | None], bytes] | None = None
        """The server's answers to the updates whose suggestions are being proven with them."""
        self.proving = Proving()
        """What is known of suggestions that wait, and what the judge's copy lacks."""
        self._told: Durability = "ok"
        self._sound = True
        """Whether the replica is what everybody here was told.

        The gate's index may hold more: updates that will never be durable.
        """
        self.info = info
        """The catalogue's entry, as an open page shows it."""
        self.discussion = stored.discussion_version
        """The version of the discussion that everybody here has been told."""

    # Questions.

    @property
    def seq(self) -> Seq:
        """The last row of the log that this replica holds."""
        return self.replica.seq

    @property
    def epoch(self) -> Epoch:
        return self.replica.epoch

    @property
    def size(self) -> int:
        """Bytes of the document and of what waits for the store: an upper bound of its content."""
        return self.replica.document.size + self._outbox.bytes

    @property
    def settled(self) -> bool:
        """Whether everything that was taken is durable, applied and acknowledged."""
        outbox = self._outbox
        return outbox.under_way is None and not outbox.waiting and not outbox.owed_rows

    @property
    def taken(self) -> int:
        """How many batches were taken, for a look whether something has come meanwhile."""
        return self._outbox.taken

    @property
    def gathers(self) -> bool:
        """Whether something waits for the next row already, or a row is under way.

        In both cases one more batch changes no deadline.
        """
        return self._outbox.under_way is not None or bool(self._outbox.waiting)

    @property
    def is_ripe(self) -> bool:
        """Whether enough waits for the next row that it may leave before its deadline."""
        outbox = self._outbox
        return outbox.under_way is None and self._window.is_whole(len(outbox.waiting))

    def owing(self) -> list[Session]:
        """Return the sessions with something that is not durable yet, also those that have left."""
        return self._outbox.authors()

    @property
    def idle(self) -> bool:
        """Whether nobody is here and nothing is left to be done.

        Only then may a room be unloaded.
        """
        return not self.members and self.settled

    @property
    def durability(self) -> Durability:
        """Whether the store takes appends, as far as this room knows."""
        return "waiting" if self._outbox.failing else "ok"

    @property
    def quarantined(self) -> str | None:
        """Why the document is open read-only; None if it is not."""
        return self.replica.quarantined

    def deadline(self) -> float | None:
        """Return when `flush` must be called next; None if not before something else happens."""
        outbox = self._outbox
        append = self._window.ends if self._may_append else outbox.retry_at
        presence, look_at = self.members.due, self._catching_up.look_at
        if append is None and look_at is None:
            return presence  # as after nearly every edit
        return min([moment for moment in (append, presence, look_at) if moment is not None])

    @property
    def _may_append(self) -> bool:
        """Whether the next row may leave for the store.

        While the document is loaded again, nothing leaves: what waits is judged anew afterwards.
        """
        outbox, rescuing = self._outbox, self._rescuing
        if (
            self.proving.asked is not None
            or outbox.under_way is not None
            or not outbox.waiting
            or self._catching_up.reloading
        ):
            return False
        return rescuing.asked is None and rescuing.must_know <= self.replica.seq

    def in_flight(self) -> list[Inspected]:
        """Return what was taken and may not be in the log yet, in order."""
        return list(self._outbox.updates())

    # Coming and going.

    def join(
        self, session: Session, request: JoinRequest, user: User, role: Role, account: Account | None = None
    ) -> tuple[JoinAnswer, list[Effect]]:
        """Let somebody in, or in again. The answer must reach them before any later verb's effects.

        `account` pays for what must be kept until it is fetched. Raises ProtocolError (too_many,
        epoch_changed, malformed, client_id_taken), Unavailable or Damaged. Nothing has changed
        then.
        """
        if self._catching_up.reloading:
            raise Unavailable("The document is being read again; try again.")
        if request.epoch is not None and request.epoch != self.epoch:
            raise EpochChanged(self.epoch)
        self.members.may_join(session, request, user, role)
        account = account or unbounded().of(user.user_id)
        self.members.joins_again(session)
        missing, state_vector = self.replica.lacking(request, lambda most: self.members.check_room(most, account))
        if self._catching_up.failed:
            self._catching_up.works("encode")
        parts = self.members.announce(session, missing, account)
        effects = self.members.join(session, request, user, role, parts)
        effects += self.judge(session, role)
        chunks: tuple[bytes | None, int, int] = (missing, 0, 0) if parts is None else (None, parts.count, len(missing))
        presence = self.members.presence.show(session.presence_id)
        broken, aside, presence_id = self.quarantined is not None, self.replica.set_aside_open, session.presence_id
        seen = (request.seq if request.after is None else request.after) if request.epoch == self.epoch else None
        heirs = b"" if seen is None else self._rescuing.since(seen)
        answer = JoinAnswer(
            role,
            *chunks,
            state_vector,
            self.seq,
            self.epoch,
            presence,
            presence_id,
            self.durability,
            broken,
            aside,
            heirs,
            self.discussion,
        )
        return answer, effects

    # The way of an edit.

    def receive(
        self, session: Session, updates: Sequence[Inspected], request: Request | None, proof: Proof | None = None
    ) -> list[Effect]:
        """Take one batch of a session, all of it or nothing.

        `proof`: for somebody who only suggests, what the batch was proven against.

        Batches come in the order in which the session sent them. A refusal changes nothing. It
        comes back as an answer if the request awaits one, else as the end of the session. Raises
        only ProtocolError(too_costly): measure the engine with the batch, and say so to
        `receive_in_slices`.
        """
        try:
            return self._admit(self._submission(session, updates, request, proof=proof))
        except ManyhandsError as refusal:
            if refusal.code is Code.TOO_COSTLY:
                raise
            return self.refuse(session, request, self._outbox.weigh(session, refusal))

    def receive_in_slices(
        self,
        session: Session,
        updates: Sequence[Inspected],
        request: Request | None,
        proof: Proof | None = None,
        *,
        measured: bool,
    ) -> Generator[None, None, list[Effect]]:
        """Take a large batch with pauses.

        In a pause no other batch may be received, but rows of other nodes may come. After each
        pause the batch's author must still be allowed to write.
        """
        try:
            replica = self.replica
            submission = self._submission(session, updates, request, measured=measured, proof=proof)
            own, closed = submission.author.client_id, self._closed_in(submission)
            slices = replica.admit_in_slices(
                submission.updates, self._may_write(submission), own, measured=measured, closed=closed
            )
            with closing(slices):
                while True:
                    try:
                        next(slices)
                    except StopIteration as judged:
                        admission: Admission = judged.value
                        break
                    yield
                    self.may_write(session, submission.size, updates)
            if replica is not self.replica:
                raise Unavailable("The document was read again meanwhile. Send it again.")
            return self._admitted(submission, admission)
        except ManyhandsError as refusal:
            if refusal.code is Code.TOO_COSTLY and not measured:
                raise
            return self.refuse(session, request, self._outbox.weigh(session, refusal))

    def _submission(
        self,
        session: Session,
        updates: Sequence[Inspected],
        request: Request | None,
        *,
        measured: bool = False,
        proof: Proof | None = None,
    ) -> Submission:
        size = sum([len(update.raw) for update in updates])
        self.may_write(session, size, updates)
        if proof is None and not session.may_write:
            raise forbidden(session.role, Action.WRITE)  # the role has changed while the batch waited
        author = session.author
        if not session.begun:
            self.members.begin(session, known=author.client_id in self.replica.clocks)
        if session.owned is None and self.members.authors.owns(author):
            session.owned = author.client_id
        by = author, session.contributor
        after, known = session.after, session.known
        return Submission(session, request, tuple(updates), *by, (), (), size, measured, after, proof, known)

    def _may_write(self, submission: Submission) -> MayWrite:
        authors, by = self.members.authors, submission.author
        owned = submission.session.owned if submission.session.owned == by.client_id else None
        if RESCUER in self.replica.clocks:
            # Only the server goes on under its own id. A copy of another document may bring it.
            return lambda client: client == owned or (client != RESCUER and authors.allows(ClientId(client), by))
        return lambda client: (
            client == owned
            or ((client != RESCUER or self._begins_no_rescue()) and authors.allows(ClientId(client), by))
        )

    def _begins_no_rescue(self) -> bool:
        """Whether nothing is on its way to the log with which the server may begin its own id."""
        return self._rescuing.asked is None and not self._outbox.holds_rescues

    def refuse(self, session: Session, request: Request | None, refused: Refused) -> list[Effect]:
        """Refuse a batch, here or before it came this far.

        If no answer is awaited, the refusal ends the session.
        """
        if request is not None:
            return [Refuse(session, request, refused)]
        if refused.code is Code.NOT_JOINED:
            return []
        return self.members.remove(session, ClosedMessage(refused.code, refused.message))

    def _admit(self, submission: Submission) -> list[Effect]:
        """Have the gate judge a batch, and let it wait for the store; raises ManyhandsError."""
        updates, own = submission.updates or submission.repeated, submission.author.client_id
        may_write, closed = self._may_write(submission), self._closed_in(submission)
        admission = self.replica.knowledge.admit(updates, may_write, own, measured=submission.measured, closed=closed)
        return self._admitted(submission, admission)

    def _closed_in(self, submission: Submission) -> Roots:
        """Return the roots in which a submission may change nothing."""
        closed = self._closed_to(submission.session, submission.updates or submission.repeated)
        if submission.proof is None:
            return closed
        # The judge has looked at the rich text alone, so no other root is open to a suggestion.
        return ALL_ROOTS if closed else Except(self._gate_limits.fragment_roots)

    def _closed_to(self, session: Session, updates: Sequence[Inspected] = ()) -> Roots:
        """Return the roots that a session may not change, as it does not declare the format.

        Raises ProtocolError(other_format) if the updates delete words that live elsewhere by now.
        """
        known = self.info.format
        if session.format == known or self.info.is_known_to(session.format):  # nearly all declare the same
            return NO_ROOTS
        if self._rescuing.touches_moved(updates):
            raise other_format()
        return self._gate_limits.fragment_roots

    def _admitted(self, submission: Submission, admission: Admission) -> list[Effect]:
        if not admission.news:
            updates = submission.updates or submission.repeated
            if self.replica.is_set_aside(updates):
                raise ProtocolError(Code.BAD_UPDATE, SET_ASIDE)
            if self._rescuing.deletes_moved(updates):
                admission = admission._replace(news=True)
        return self._outbox.take_admitted(submission, admission, self.members.authors, self.replica.seq)

    def may_write(self, session: Session, size: int = 0, updates: Sequence[Inspected] = ()) -> None:
        """Raise what so many bytes from a session would be refused with now; change nothing.

        Whoever sends much in parts is told so before the first part.
        """
        if session not in self.members.sessions:
            self.members.check(session)
        if self.replica.quarantined is not None:
            raise ProtocolError(Code.QUARANTINED, DAMAGED)
        if not session.may_send:
            raise forbidden(session.role, Action.WRITE)
        if self.info.trashed_at is not None:
            self.info.check_change()
        waiting, limits = self._outbox.bytes + size, self._limits
        if session.only_suggests:
            limits = self._limits_for_suggestions
        if waiting > limits.waiting_bytes:
            raise Unavailable("The store does not answer. Keep the change and send it again later.")
        if self.replica.document.size + waiting > limits.document_bytes:
            try:
                check_fits(updates, self.replica.document.size + waiting, limits.document_bytes)
            except ProtocolError as refusal:
                if limits is self._limits:
                    raise
                raise nearly_full() from refusal

    def flush(self, now: float) -> list[Effect]:
        """Do what is due: begin or repeat an append, read on, tell presence.

        Call this at `deadline` and after every verb.
        """
        effects: list[Effect] = []
        appending, members, catching_up, outbox = None, self.members, self._catching_up, self._outbox
        # Members have no clock of their own, and count beginnings per second.
        members.now = now
        if self._may_append and self._window.is_over(now, len(outbox.waiting)):
            # People on other nodes count as well: a row from there costs a frame for each person
            # here.
            self._window.begin(now, members.crowd(now), len(outbox.waiting))
            appending, questions = self._begin_row()
            effects += questions
        elif outbox.retry_at is not None and now >= outbox.retry_at:
            # The very same append, under the same id: the store may have taken it the first time.
            appending = outbox.retry()
        if appending is not None:
            effects.append(appending.effect(self.epoch))
        # A gap that has closed must be looked at too, because that forgets `look_at`.
        if (self.replica.ahead or catching_up.look_at is not None) and catching_up.gap_stays(
            bool(self.replica.ahead), now
        ):
            effects += catching_up.ask(self.replica)
        if members.due is not None and now >= members.due:
            effects += members.flush_presence(now)
        return effects

    def _begin_row(self) -> tuple[Appending | None, list[Effect]]:
        """Make the next row of what waits, or ask what must be known before."""
        outbox, rescuing, proving = self._outbox, self._rescuing, self.proving
        waiting, first = outbox.waiting, first_suggestion(outbox.waiting)
        if first:
            waiting = waiting[:first]
        needs_rescue, needs_proof = rescuing.is_needed(self.replica.knowledge, waiting), first == 0
        if not (needs_rescue or needs_proof):
            return outbox.next(self._new_update_id(), self.seq, len(waiting)), []
        if outbox.owed_rows:
            # What waits may build on rows of ours whose turn has not come.
            rescuing.must_know = max(outbox.owed_rows)
            return None, []
        if needs_rescue:
            return None, [rescuing.ask(self.seq, waiting)]
        if not proving.holds(waiting):
            return None, [proving.ask(self.seq, waiting)]
        return outbox.next(self._new_update_id(), self.seq, len(waiting), proven=True), []

    def rescued(self, question: Rescue, rescued: Rescued | None) -> list[Effect]:
        """Append what was asked about, with the server's answers. None: they could not be found.

        If the log has gone on meanwhile, `flush` asks again. Raises ProtocolError for answers that
        cannot be read. Nothing has changed then.
        """
        outbox, found = self._outbox, rescued.answers if rescued else ()
        answers = [None if each is None else inspect(each, self._gate_limits, durable=True) for each in found]
        # What waits during a reload is judged anew afterwards. Its author may write no more.
        asked = None if self._catching_up.reloading else self._rescuing.answered(question)
        if asked is None or (rescued and question.known != self.seq) or not outbox.begins_with(asked):
            return []
        heirs = rescued.heirs if rescued else b""
        if first_suggestion(asked) is not None:
            # What the server adds is proven with what it is added to.
            self._rescued_before = answers, heirs
            return [self.proving.ask(self.seq, asked, answers)]
        appending = outbox.next_rescued(self._new_update_id(), self.seq, len(asked), answers, heirs)
        return [appending.effect(self.epoch)]

    def proven(self, question: Prove, refusals: Sequence[ManyhandsError | None] | None) -> list[Effect]:
        """Append what was asked about, or have what is no longer a suggestion refused.

        `refusals`: one for each entry, None for entries that are harmless. None instead of them
        says that the log has gone on meanwhile, so that `flush` asks again.
        """
        outbox, rescued = self._outbox, self._rescued_before
        asked = self.proving.answered(question)
        if asked is None:
            return []
        self._rescued_before = None
        if self._catching_up.reloading or refusals is None or question.known != self.seq:
            return []
        if not outbox.begins_with(asked):
            return []
        refused = [(each, refusal) for each, refusal in zip(asked, refusals, strict=True) if refusal is not None]
        if refused:
            for each, refusal in refused:
                self.proving.condemn(each, refusal)
            return [*self._catching_up.reload("Somebody's suggestion is none any more.")]
        if rescued is None:
            appending = outbox.next(self._new_update_id(), self.seq, len(asked), proven=True)
        else:
            appending = outbox.next_rescued(self._new_update_id(), self.seq, len(asked), *rescued)
        return [appending.effect(self.epoch)]

    def rescue_late(self) -> list[Effect]:
        """Tell everybody that nothing is being saved, because an answer is late."""
        if self._rescuing.asked is not None:
            self._outbox.failing = True
        return self._tell_durability()

    def committed(self, update_id: UpdateId, seq: Seq) -> list[Effect]:
        """Go on with an append that is durable at `seq`."""
        appending = self._outbox.settle(update_id)
        if appending is None:
            return []
        if appending.author_keys:
            self.members.authors.settle(appending.author_keys)
        effects: list[Effect] = [Publish(self._hint_of(seq, appending))]
        if self._told != "ok":
            effects += self._tell_durability()
        # Told to everybody before, or never to be applied.
        if seq <= self.replica.seq or self.replica.quarantined is not None:
            return effects + appending.answers(seq, self.replica.set_aside.get(seq, ()))
        self.replica.arrive(self._outbox.owe(seq, appending), known=True)
        return effects + self._advance(patient=True)

    def _hint_of(self, seq: Seq, appending: Appending) -> BatchHint:
        """Return the hint for other nodes about a row: all of it, if it is small."""
        bound = appending.bound if appending.author_keys else ()
        epoch, batch, people = self.replica.epoch, appending.batch, len(self.members.sessions)
        if appending.heirs or len(batch) + KEY_BYTES * len(bound) > LARGE_HINT:
            return BatchHint(epoch, seq, None, people=people)
        return BatchHint(epoch, seq, batch, bound, people)

    def append_failed(self, update_id: UpdateId, now: float | None) -> list[Effect]:
        """Have `flush` try the same append again.

        The store could not take the append, or did not say so.
        """
        self._outbox.failed(update_id, now)
        return self._tell_durability()

    def append_refused(self, update_id: UpdateId, reason: str = _BOUND_ELSEWHERE) -> list[Effect]:
        """Judge again what waits, behind what is in the log by now.

        The store has refused the append and will not take it later either.
        """
        if not self._outbox.give_back(update_id):
            return []
        return [*self._tell_durability(), *self._catching_up.reload(reason)]

    def _tell_durability(self) -> list[Effect]:
        was, self._told = self._told, self.durability
        return self.members.tell(DurabilityMessage(self._told)) if was != self._told else []

    def append_overtaken(self, update_id: UpdateId) -> list[Effect]:
        """Try what is allowed of an append that the store has called stale.

        Access changed before it, or the document went into the trash. The room knows all of that by
        now.
        """
        outsiders = any(map(self._closed_to, self._outbox.authors()))
        if self._outbox.bars or outsiders or self.info.trashed_at is not None:
            return self.append_refused(update_id, "Access ended before an append.")
        self._outbox.repeat(update_id)
        return []

    def append_behind(self, update_id: UpdateId, head: Seq) -> list[Effect]:
        """Catch up to row `head` before what waits may leave.

        The store has refused an append that was made without rows that it must know.
        """
        if not self._outbox.give_back(update_id):
            return []
        self._rescuing.must_know = head
        self._catching_up.hear(head)
        if self._outbox.waits_under(RESCUER):
            return [*self._tell_durability(), *self._catching_up.reload("Another node may have begun a rescue.")]
        return [*self._tell_durability(), *self._catching_up.ask(self.replica)]

    def judge(self, session: Session, role: Role | None) -> list[Effect]:
        """Give somebody, who may have left, this role from now on, or none.

        What they have sent and is not durable is judged by the role.
        """
        self._outbox.bar(session, role)
        effects = self.members.judge(session, role)
        if self._outbox.bars_waiting:
            effects += self._catching_up.reload("Access ended while something waited.")
        return effects

    def end(self, code: Code, message: str) -> list[Effect]:
        """End the room: refuse what is not acknowledged, and tell everybody.

        The usual reason is that the document is gone, or lives under another epoch.
        """
        refused = self._outbox.refuse_all(code, message, owed=True)
        return [*refused, *self.members.dissolve(ClosedMessage(code, message)), Ended(code)]

    # Rows from elsewhere.

    def hinted(self, seq: Seq) -> list[Effect]:
        """Take note that the log has this row, and read the row if it is missing here."""
        self._catching_up.hear(seq)
        return [*self._catching_up.ask(self.replica)] if seq > self.seq else []

    def remote(self, row: Row) -> list[Effect]:
        """Take in a row that another node has appended."""
        return self.fetched([row], asked=False)

    def fetched(self, rows: Sequence[Row] | None, *, asked: bool = True) -> list[Effect]:
        """Take in rows that were read from the log.

        None says that the rows are folded and no longer kept, so the document is loaded again.
        `asked`: an answer to `ReadRows`.
        """
        if asked:
            self._catching_up.answered()
        if self.quarantined is not None:
            return []
        if rows is None:
            return self.doubt("The rows missing here are no longer kept one by one.")
        try:
            for row in rows:
                self.members.authors.learn(row.author_keys)
                if row.seq > self.seq:
                    self.replica.arrive(inspect_row(row, self._gate_limits), known=False)
        except ProtocolError as error:
            return self.doubt(f"A row of the log cannot be read. {error.message}")
        return [*self._advance(), *self._catching_up.ask_for_the_rest(self.replica)]

    def _advance(self, *, patient: bool = False) -> list[Effect]:
        """Apply, send and acknowledge every row whose turn it is.

        `patient`: a missing row may be on its way, as a row of ours may be, and is not read yet.
        """
        effects: list[Effect] = []
        if self._catching_up.reloading:
            return effects
        try:
            for row in self.replica.advance():
                effects += self._relay(row)
                if self._catching_up.failed:
                    self._catching_up.works("apply")
        except Damaged as error:
            return effects + self.damaged("apply", error)
        except Spared:
            return [
                *effects,
                *self._catching_up.reload("The last row is cheaper to read folded than to apply.", folded=True),
            ]
        if self.replica.ahead and not patient and self._outbox.under_way is None:
            effects += self._catching_up.ask(self.replica)
        return effects

    def _relay(self, row: InspectedRow) -> list[Effect]:
        mine = self._outbox.pay(row.seq)
        if mine is None or self.proving.followed is not None:
            self.proving.follow(row, ours=mine is not None)
        self._rescuing.follow(row.seq, row.heirs)
        message = UpdateMessage(row.seq, row.batch, row.heirs)
        effects = self.members.tell(message, but=mine.only_author if mine else None)
        if mine is None:
            return effects
        return effects + (mine.answers(row.seq, row.set_aside) if row.set_aside else mine.acknowledgements(row.seq))

    # Doubt and repair.

    def doubt(self, reason: str) -> list[Effect]:
        """Have the document loaded again. The replica may not be what the log says."""
        self._sound = False
        return [*self._catching_up.reload(reason)]

    def damaged(self, what: str, error: Damaged) -> list[Effect]:
        """Have the document loaded again. The engine has failed to `apply` or `encode`.

        A replay is the cure. If the engine fails again, the document becomes read-only, and
        everybody is told once.
        """
        self._sound = False
        reload = self._catching_up.fails(what, error)
        if reload is not None or self.quarantined is not None:
            return [*(reload or ())]
        self.replica.quarantine(f"The document engine fails again and again. {error.message}")
        refused = self._outbox.refuse_all(Code.QUARANTINED, DAMAGED)
        return [*self.members.tell(ResyncMessage()), *refused, *self._outbox.resume(self.replica)]

    def replay(self, stored: Stored) -> Replica:
        """Make a replica of what is stored. Changes nothing, so a thread may do it."""
        return Replica(stored, self._gate_limits, self._engine)

    def reloaded(self, stored: Stored, replica: Replica | None = None) -> list[Effect]:
        """Replace the replica by the document as the store has it.

        Everybody who may hold something else is asked to join again. `replica`: one that was made
        of `stored` already. Another epoch than before ends the room.
        """
        if stored.epoch != self.epoch:
            return self.end(Code.EPOCH_CHANGED, "The document was restored from a backup. Open it again.")
        before, self.replica = self.replica, replica or self.replay(stored)
        self._rescuing, self._rescued_before = Rescuing(stored, self._gate_limits), None
        self.proving.reloaded()
        self.replica.spared = before.spared
        self.spare(())
        self._catching_up.reloaded(cured=self.replica.set_aside != before.set_aside)
        self.members.authors.learn(stored.author_keys.items())
        same = self._sound and self.seq == before.seq and self.replica.set_aside == before.set_aside
        # People who join again are told that the document is read-only
        same = same and self.quarantined is None
        self._sound = True
        effects: list[Effect] = [*(() if same else self.members.tell(ResyncMessage())), *self.keep_aside()]
        if self.quarantined is not None:
            effects += self._outbox.refuse_all(Code.QUARANTINED, DAMAGED)
        effects += self._judge_again() + self._tell_durability() + self._outbox.resume(self.replica)
        return [*effects, *self._advance(), *self._catching_up.ask_for_the_rest(self.replica)]

    def keep_aside(self) -> list[Effect]:
        """Have stored what the last replay has set aside, also the replay that opened the room."""
        return [KeepAside(self.epoch, self.replica.found)] if self.replica.found else []

    def kept_aside(self, before: int, version: int) -> list[Effect]:
        """Take note that what the last replay has set aside is stored.

        `before` and `version`: the version of all that is set aside, before and after.
        """
        self.replica.found = ()
        effects = self.hear_set_aside(before)
        self.replica.set_aside_version = version
        return effects

    def hear_set_aside(self, version: int) -> list[Effect]:
        """Load the document again if what is set aside has another version than the one loaded.

        Other nodes, or the operator, have changed it then.
        """
        known = version == self.replica.set_aside_version or self.replica.found
        return [] if known else self.doubt("What is set aside was changed elsewhere.")

    def spare(self, updates: Sequence[Inspected]) -> None:
        """Do not apply these updates in their turn, but read the document folded.

        Spared updates that are in the log by now are forgotten.
        """
        in_flight = set(map(id, self._outbox.updates()))
        self.replica.spared = [each for each in (*self.replica.spared, *updates) if id(each) in in_flight]

    def _judge_again(self) -> list[Effect]:
        """Judge what waits as if it came only now, behind what is durable or may be.

        Client ids may have been bound elsewhere meanwhile.
        """
        effects: list[Effect] = []
        waiting = self._outbox.take_back()
        for update in self._outbox.updates():
            self.replica.knowledge.absorb(update)
        for submission in waiting:
            self.members.authors.withdraw(submission.author_keys)
        for submission in waiting:
            try:
                self.info.check_change()
                self._outbox.check_author(submission)
                self.proving.check(submission)
                # It was not too costly when it came
                effects += self._admit(submission._replace(measured=True))
            except ManyhandsError as refusal:
                effects += self.refuse(
                    submission.session, submission.request, self._outbox.weigh(submission.session, refusal)
                )
        return effects

    def access_changed(self) -> list[Effect]:
        """Tell the owners that others have access now, or ask for it."""
        return self.members.tell_permitted(Action.SHARE, AccessMessage())

    def discussed(self, version: int) -> list[Effect]:
        """Tell everybody the discussion's version, unless they know it or a later one."""
        if version <= self.discussion:
            return []
        self.discussion = version
        return self.members.tell(DiscussionMessage(version))

    def describe(self, info: DocumentInfo) -> list[Effect]:
        """Take over a changed catalogue entry, and tell everybody.

        What waits from sessions that may no longer write the rich text is judged again.
        """
        before, self.info = self.info, info
        effects = self.members.tell(DocumentMessage(info)) if info != before else []
        if any(self._closed_to(submission.session) for submission in self._outbox.waiting):
            effects += self._catching_up.reload("The document has a format that somebody does not declare.")
        return effects
