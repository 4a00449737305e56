"""The heart: one room, the live gathering around one document on one node. Sans-IO and deterministic.

Every verb takes what happened (and `now`, monotonic seconds) and returns the effects to carry out,
in order. The rules that make an acknowledged edit worth its name:

1. **Taken ≠ durable ≠ told.** An update that passes the gate goes to the outbox. Only `committed`
   makes it durable; only then is it applied, sent to the other sessions and acknowledged. Nobody
   but its author sees what could still be lost.
2. **Log order everywhere.** Rows are applied and sent in seq order, each once. A row that arrives
   ahead of its turn is held, and the ones before it are read from the log. So `state ==
   replay(log[..seq])` always, and a doubtful replica is repaired by replaying. What does not apply
   even so is set aside: its sender is refused, and everything else goes on (crdt/log/replay.py).
3. **A row is sent before it is acknowledged,** and acknowledged in its turn, so that a session's
   seq never runs ahead of what it holds.
4. **Refusals change nothing.** The gate takes in all of a batch or none of it.
5. **Nothing grows without bound.** What the store cannot take now is retried under the same id;
   past `Limits.waiting_bytes` new updates are refused openly and stay with their clients.
"""

from collections.abc import Sequence

from crdt.budget import Account, unbounded
from crdt.errors import Code, EpochChanged, ManyhandsError, ProtocolError, Unavailable
from crdt.ids import ConnectionId, Epoch, IdFactory, Seq, UpdateId
from crdt.log.document import Damaged, Engine, apply_update
from crdt.log.replay import InspectedRow, inspect_row
from crdt.log.replica import Replica, Spared, Stored
from crdt.protocol.messages import (
    ClosedMessage,
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
from crdt.protocol.row import Row
from crdt.room.catching_up import CatchingUp
from crdt.room.effects import Append, Effect, Ended, KeepAside, PublishBatch
from crdt.room.flush_window import FlushWindow
from crdt.room.intake import Intake
from crdt.room.members import Members
from crdt.room.outbox import DAMAGED, Outbox
from crdt.room.session import Session
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected

_BOUND_ELSEWHERE = "Another node has bound a client id that was taken in here."


class Room:
    """One open document. After `Ended` it must not be used any more."""

    def __init__(
        self,
        stored: Stored,
        info: DocumentInfo,
        limits: Limits,
        gate_limits: GateLimits,
        ids: IdFactory,
        engine: Engine = apply_update,
    ) -> None:
        self._engine = engine
        self._limits = limits
        self._gate_limits = gate_limits
        self._new_update_id = ids.update_id
        self._replica = Replica(stored, gate_limits, engine, may_learn_later=True)
        self._people = Members(stored.author_keys, limits, ids.presence_id)
        self._outbox = Outbox()
        self._intake = Intake(self, self._outbox, limits)
        self._window = FlushWindow()
        self._catching_up = CatchingUp()
        self._told: Durability = "ok"
        self._sound = True
        """Whether the replica is what everybody here was told, though the gate may know of more than will come of it."""
        self.info = info
        """The catalogue's entry, as an open page shows it."""

    # What may be asked.

    @property
    def seq(self) -> Seq:
        """The last row of the log that this replica holds."""
        return self._replica.seq

    @property
    def epoch(self) -> Epoch:
        """Which life of the document this is."""
        return self._replica.epoch

    @property
    def size(self) -> int:
        """Bytes of the document and of what waits for the store: an upper bound of its content."""
        return self._replica.document.size + self._outbox.bytes

    @property
    def settled(self) -> bool:
        """Whether everything that was taken is durable, applied and acknowledged."""
        return self._outbox.empty

    @property
    def gathers(self) -> bool:
        """Whether something waits already for the next row, or a row is under way: then one batch more changes no deadline."""
        return self._outbox.gathers

    def owes(self, connection: ConnectionId) -> bool:
        """Whether something of this connection's is not durable yet."""
        return self._outbox.holds(connection)

    @property
    def idle(self) -> bool:
        """Whether nobody is here and nothing is left to be done: only then may a room be unloaded."""
        return not self._people and self.settled

    @property
    def durability(self) -> Durability:
        """Whether the store takes appends, as far as this room knows."""
        return "waiting" if self._outbox.failing else "ok"

    @property
    def quarantined(self) -> str | None:
        """Why the document is open read-only; None: it is not."""
        return self._replica.quarantined

    @property
    def replica(self) -> Replica:
        """The document itself, for whoever has the gate learn it."""
        return self._replica

    def deadline(self) -> float | None:
        """When `flush` must be called next; None: not before something else happens."""
        may_append = self._outbox.ready and not self._catching_up.reloading
        append = self._window.ends if may_append else self._outbox.retry_at
        moments = (append, self._people.presence_deadline(), self._catching_up.look_at)
        return min((moment for moment in moments if moment is not None), default=None)

    def in_flight(self) -> list[Inspected]:
        """What was taken and may not be in the log yet, in order."""
        return list(self._outbox.updates())

    # Coming and going.

    def join(
        self, connection: ConnectionId, request: JoinRequest, user: User, role: Role, account: Account | None = None
    ) -> tuple[JoinAnswer, list[Effect]]:
        """Let a connection in, or in again. The answer must reach it before the effects of any later verb.

        `account`: who pays for what must be kept until it is fetched. Raises ProtocolError
            (too_many, epoch_changed, malformed,
        client_id_taken), Unavailable or Damaged; nothing has changed then.
        """
        if self._catching_up.reloading:
            raise Unavailable("The document is being read again; try again.")
        if request.epoch is not None and request.epoch != self.epoch:
            raise EpochChanged(self.epoch)
        self._people.may_join(connection, request, user)
        account = account or unbounded().of(user.user_id)
        self._people.joins_again(connection)
        missing, state_vector = self._replica.lacking(request, lambda most: self._people.check_room(most, account))
        self._catching_up.works("encode")
        parts = self._people.announce(connection, missing, account)
        session, effects = self._people.join(connection, request, user, role, parts)
        effects += self.judge(connection, role)
        chunks: tuple[bytes | None, int, int] = (missing, 0, 0) if parts is None else (None, parts.count, len(missing))
        presence = self._people.presence.everybody(but=session.presence_id)
        broken, aside, presence_id = self.quarantined is not None, self._replica.set_aside_open, session.presence_id
        answer = JoinAnswer(
            role, *chunks, state_vector, self.seq, self.epoch, presence, presence_id, self.durability, broken, aside
        )
        return answer, effects

    @property
    def people(self) -> Members:
        """Who is here and where, how much they are sent, and what is heard of people on other nodes."""
        return self._people

    # The way of an edit.

    @property
    def intake(self) -> Intake:
        """Where batches of sessions come in."""
        return self._intake

    def receive(self, connection: ConnectionId, updates: Sequence[Inspected], request: Request | None) -> list[Effect]:
        """Take one batch of a session; see `Intake.receive`."""
        return self._intake.receive(connection, updates, request)

    def refuse(self, connection: ConnectionId, request: Request | None, refused: Refused) -> list[Effect]:
        """Refuse a batch that did not even come this far."""
        return self._intake.refuse(connection, request, refused)

    def may_write(self, connection: ConnectionId, size: int = 0, updates: Sequence[Inspected] = ()) -> Session:
        """Who writes; raises what so many bytes from them would be refused with now, also before much is sent in parts. Changes nothing."""
        return self._intake.may_write(connection, size, updates)

    def flush(self, now: float) -> list[Effect]:
        """Do what is due: begin or repeat an append, read on, tell presence. Call it at `deadline` and after every verb."""
        effects: list[Effect] = []
        appending = None
        if self._outbox.ready and not self._catching_up.reloading and self._window.is_over(now):
            self._window.begin(now, self._people.crowd)  # what others flush is sent to the people here as well
            appending = self._outbox.next(self._new_update_id())
        elif self._outbox.retry_at is not None and now >= self._outbox.retry_at:
            appending = self._outbox.retry()
        if appending is not None:
            keys, contributors = appending.author_keys, appending.contributors
            effects.append(Append(appending.update_id, self.epoch, appending.batch, keys, contributors))
        if self._catching_up.gap_stays(self._replica.gap, now):
            effects += self._catching_up.ask(self._replica)
        return effects + self._people.flush_presence(now)

    def committed(self, update_id: UpdateId, seq: Seq) -> list[Effect]:
        """The append is durable at `seq`."""
        appending = self._outbox.settle(update_id)
        if appending is None:
            return []
        self._people.authors.settle(appending.author_keys)
        effects = [PublishBatch(Row(seq, appending.batch, appending.bound)), *self._tell_durability()]
        if seq <= self.seq or self.quarantined is not None:  # told to all before, or never to be applied
            return effects + appending.answers(seq, self._replica.set_aside.get(seq, ()))
        self._replica.arrive(self._outbox.owe(seq, appending), known=True)
        return effects + self._advance(patient=True)

    def append_failed(self, update_id: UpdateId, now: float | None) -> list[Effect]:
        """The store could not take the append, or did not say so: `flush` will try the same again."""
        self._outbox.failed(update_id, now)
        return self._tell_durability()

    def append_refused(self, update_id: UpdateId, reason: str = _BOUND_ELSEWHERE) -> list[Effect]:
        """The store will not take it: read what is there by now, then judge again what waits."""
        if not self._outbox.give_back(update_id):
            return []
        return [*self._tell_durability(), *self._catching_up.reload(reason)]

    def _tell_durability(self) -> list[Effect]:
        was, self._told = self._told, self.durability
        return self._people.tell(DurabilityMessage(self._told)) if was != self._told else []

    def append_overtaken(self, update_id: UpdateId) -> list[Effect]:
        """Before the append, access changed or the document went into the trash; all of that is known here by now. Try what is allowed."""
        if self._outbox.bars or self.info.trashed_at is not None:
            return self.append_refused(update_id, "Access ended before an append.")
        self._outbox.repeat(update_id)
        return []

    def judge(self, connection: ConnectionId, role: Role | None) -> list[Effect]:
        """Somebody, who may have left, has this role from now on, or none; what of theirs is not durable is judged by it."""
        self._outbox.bar(connection, barred=role is None or not role.may_write)
        effects = self._people.judge(connection, role)
        if self._outbox.bars_waiting:
            effects += self._catching_up.reload("Access ended while something waited.")
        return effects

    def end(self, code: Code, message: str) -> list[Effect]:
        """The document is gone, or lives under another epoch: refuse what is not durable, tell everybody, and stop."""
        refused = self._outbox.refuse_all(code, message)
        return [*refused, *self._people.dissolve(ClosedMessage(code, message)), Ended(code)]

    # Rows from elsewhere.

    def hinted(self, seq: Seq) -> list[Effect]:
        """There is such a row, to be read from the log."""
        self._catching_up.hear(seq)
        return [*self._catching_up.ask(self._replica)] if seq > self.seq else []

    def remote(self, row: Row) -> list[Effect]:
        """Another node has appended this row."""
        return self.fetched([row], asked=False)

    def fetched(self, rows: Sequence[Row] | None, *, asked: bool = True) -> list[Effect]:
        """Rows read from the log; None: they are folded and kept no more, so the document is loaded again."""
        if asked:
            self._catching_up.answered()
        if self.quarantined is not None:
            return []
        if rows is None:
            return self.doubt("The rows missing here are no longer kept one by one.")
        try:
            for row in rows:
                self._people.authors.learn(row.author_keys)
                if row.seq > self.seq:
                    self._replica.arrive(inspect_row(row, self._gate_limits), known=False)
        except ProtocolError as error:
            return self.doubt(f"A row of the log is not what it was. {error.message}")
        return [*self._advance(), *self._catching_up.ask_for_the_rest(self._replica)]

    def _advance(self, *, patient: bool = False) -> list[Effect]:
        """Apply, send and acknowledge every row whose turn it is. `patient`: what is missing may be on its way, as a row of ours may be."""
        effects: list[Effect] = []
        if self._catching_up.reloading:
            return effects
        try:
            for row in self._replica.advance():
                effects += self._relay(row)
                self._catching_up.works("apply")
        except Damaged as error:
            return effects + self.damaged("apply", error)
        except Spared:
            return [*effects, *self._catching_up.reload("The last row is cheaper to read.", folded=True)]
        if self._replica.gap and not patient and self._outbox.under_way is None:
            effects += self._catching_up.ask(self._replica)
        return effects

    def _relay(self, row: InspectedRow) -> list[Effect]:
        mine = self._outbox.pay(row.seq)
        effects = self._people.tell(UpdateMessage(row.seq, row.batch), but=mine.only_author if mine else None)
        return effects + (mine.answers(row.seq, row.set_aside) if mine else [])

    # Doubt and repair.

    def doubt(self, reason: str) -> list[Effect]:
        """The replica in memory may not be what the log says: have the document loaded again."""
        self._sound = False
        return [*self._catching_up.reload(reason)]

    def damaged(self, what: str, error: Damaged) -> list[Effect]:
        """The engine has failed to `apply` or `encode`. A replay is the cure; if it fails again, the document is read-only, told once."""
        self._sound = False
        reload = self._catching_up.fails(what, error)
        if reload is not None or self.quarantined is not None:
            return [*(reload or ())]
        self._replica.quarantine(f"The document engine fails again and again. {error.message}")
        refused = self._outbox.refuse_all(Code.QUARANTINED, DAMAGED)
        return [*self._people.tell(ResyncMessage()), *refused, *self._outbox.resume(self._replica)]

    def replay(self, stored: Stored) -> Replica:
        """Make a replica of what is stored; changes nothing, so that a thread may do it."""
        return Replica(stored, self._gate_limits, self._engine)

    def reloaded(self, stored: Stored, replica: Replica | None = None) -> list[Effect]:
        """The document as the store has it replaces the replica; everybody is asked to join again who may hold something else.

        `replica`: one that was made of it already. Another epoch than before ends the room.
        """
        if stored.epoch != self.epoch:
            return self.end(Code.EPOCH_CHANGED, "The document was restored from a backup. Open it again.")
        before, self._replica = self._replica, replica or self.replay(stored)
        self._replica.spared = before.spared
        self.spare(())
        self._catching_up.reloaded(cured=self._replica.set_aside != before.set_aside)
        self._people.authors.learn(stored.author_keys.items())
        same = self._sound and self.seq == before.seq and self._replica.set_aside == before.set_aside
        same = same and self.quarantined is None  # who joins again is told that the document is read-only
        self._sound = True
        effects: list[Effect] = [*(() if same else self._people.tell(ResyncMessage())), *self.keep_aside()]
        if self.quarantined is not None:
            effects += self._outbox.refuse_all(Code.QUARANTINED, DAMAGED)
        effects += self._judge_again() + self._outbox.resume(self._replica)
        return [*effects, *self._advance(), *self._catching_up.ask_for_the_rest(self._replica)]

    def keep_aside(self) -> list[Effect]:
        """Have stored what the last replay has set aside: after it, and for a room that has just been opened."""
        return [KeepAside(self.epoch, self._replica.found)] if self._replica.found else []

    def kept_aside(self, before: int, version: int) -> list[Effect]:
        """It is stored. `before` and `version`: of all that is set aside, before and now."""
        self._replica.found = ()
        effects = self.hear_set_aside(before)
        self._replica.set_aside_version = version
        return effects

    def hear_set_aside(self, version: int) -> list[Effect]:
        """What is set aside has this version. Another one than was loaded: other nodes, or the operator, have changed it."""
        known = version == self._replica.set_aside_version or self._replica.found
        return [] if known else self.doubt("What is set aside was changed elsewhere.")

    def spare(self, updates: Sequence[Inspected]) -> None:
        """Do not apply these when their turn comes, but read the document folded; what is in the log by now is forgotten."""
        in_flight = set(map(id, self._outbox.updates()))
        self._replica.spared = [each for each in (*self._replica.spared, *updates) if id(each) in in_flight]

    def _judge_again(self) -> list[Effect]:
        """Take in what waits as if it came only now, behind what is durable or may be: ids have perhaps been bound elsewhere."""
        effects: list[Effect] = []
        waiting = self._outbox.take_back()
        for update in self._outbox.updates():
            self._replica.knowledge.absorb(update)
        for entry in waiting:
            self._people.authors.withdraw(entry.author_keys)
        for entry in waiting:
            try:
                self.info.check_change()
                self._outbox.check_author(entry)
                effects += self._intake.admit(entry._replace(measured=True))  # it was not too costly when it came
            except ManyhandsError as refusal:
                effects += self.refuse(entry.connection, entry.request, self._outbox.weigh(entry.connection, refusal))
        return effects

    def describe(self, info: DocumentInfo) -> list[Effect]:
        """The catalogue's entry has changed."""
        self.info = info
        return self._people.tell(DocumentMessage(info))
