"""Driver of one open room: carries out the room's effects, and calls the room at its deadlines.

The room decides, and this module acts. `do` calls a verb of the room, carries out the effects and
sets the timer for the next deadline. `wake` does the same when nothing but time has passed. No
error leaves the driver: an error of ours ends the room.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any, assert_never, cast

from msgspec import Struct, field

from crdt.content.excerpt import FRAGMENT, Excerpt
from crdt.content.schema import SCHEMA
from crdt.errors import Code, ManyhandsError, ProtocolError, Unavailable
from crdt.gate.typing_runs import Keystroke
from crdt.ids import DocumentId, NodeId, Seq
from crdt.log.document import Damaged
from crdt.protocol.hints import (
    AccessHint,
    AskedHint,
    BatchHint,
    Beat,
    BroadcastHint,
    ClosedHint,
    DiscussionHint,
    DocumentHint,
    Hint,
    InboxHint,
    Notice,
    PresenceHint,
    PresenceWhole,
)
from crdt.protocol.messages import DocumentInfo, Format, Limits, Refused, Request, ServerMessage
from crdt.protocol.row import Row
from crdt.rescue.rescue import Rescued
from crdt.room import effects
from crdt.room.live_nodes import LiveNodes
from crdt.room.room import Room
from crdt.room.session import Behind, Session
from crdt.yjs.limits import GateLimits
from server.background import Background
from server.bus.base import Bus
from server.observe import log
from server.people.access import Ruling
from server.rooms.committer import LATE_SECONDS, Committer, Late, Outcome
from server.rooms.compaction import CLEARED_SECONDS, FOLDS_AT_ONCE, Compaction
from server.rooms.excerpts import Excerpting
from server.rooms.learning import Learning
from server.rooms.proving import Proving
from server.rooms.reader import Reader, replayed
from server.rooms.rescuing import Rescuing
from server.rooms.seat import Circle, Door, Seat
from server.rooms.trials import Trials
from server.sandbox import Sandbox
from server.store import base as store
from server.store.base import Append, Store
from server.store.deeds_base import Done

DRAIN_CHECK = 0.25
"""Seconds between looks at the backlog of connections that have fallen behind."""

NEVER_DRAINS = 60.0
"""Seconds after which a connection that has fallen behind and not caught up is cut."""


def info_of(entry: store.Entry | store.Head) -> DocumentInfo:
    """Return what an open page shows of a catalogue entry."""
    trashed_at = entry.trashed_at.isoformat() if entry.trashed_at else None
    return DocumentInfo(entry.title, trashed_at, entry.format, entry.any_format)


def shutting_down() -> Unavailable:
    """Return the refusal of everything that comes after the drain has begun."""
    return Unavailable("This server is shutting down; connect again.", Code.DRAINING)


class Surroundings(Struct):
    """Surroundings that all open rooms of a node share.

    Attributes:
        clock: monotonic seconds.
        judge: gives everybody in a room the role that they have by now.
        tell: tells the people of an open document what was done to it.
        notify: has a notice carried out here and on other nodes.
        left: is told of each seat that has become free.
        closed: is told of each document that is in memory no longer.
        draining: nothing is opened or taken any more.
    """

    store: Store
    sandbox: Sandbox
    limits: Limits
    gate_limits: GateLimits
    committer: Committer
    bus: Bus
    clock: Callable[[], float]
    background: Background
    live_nodes: LiveNodes
    left: Callable[[Seat], None]
    closed: Callable[[DocumentId], None]
    judge: Callable[["Driver"], Coroutine[Any, Any, None]]
    tell: Callable[[Done], None]
    notify: Callable[[DocumentId, DocumentHint], None]
    folds: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FOLDS_AT_ONCE))
    draining: bool = False


class Driver:
    """A room with its surroundings.

    `came_to_rest` is called whenever the room is idle, and once when it is over.
    """

    over = False
    """Whether the driver has stopped."""

    access_version = 0
    """Newest known version of the access list.

    Everybody here has been checked against this version, or soon will be.
    """

    judged_version = 0
    """The version that everybody here has been checked against.

    So has everybody who has left behind what is not durable yet.
    """

    _judging = False
    """Whether everybody is being judged now."""

    _judge_again = False
    """Whether something has changed since the last judgement began."""

    linger: asyncio.TimerHandle | None = None
    """The timer that closes the room if nobody comes back."""

    learning: Learning | None = None
    """The gate's indexing of the document, while it is under way. No edit is let in before its end.
    """

    def __init__(
        self,
        document_id: DocumentId,
        room: Room,
        loaded: store.Loaded,
        surroundings: Surroundings,
        came_to_rest: Callable[["Driver"], None],
    ) -> None:
        self.document_id = document_id
        self.room = room
        self.settled = asyncio.Event()
        """Set while everything that was taken is durable."""
        self.settled.set()
        self.rulings: dict[tuple[object, ...], Ruling] = {}
        """The last ruling on each person who was here, by what they showed."""
        self._around = surroundings
        self._came_to_rest = came_to_rest
        self._under_way: Append | None = None
        """The last append. It is repeated as it was, judged by the access of that time, until the
        store calls it stale.
        """
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._drain_timer: asyncio.TimerHandle | None = None
        self._clear_timer: asyncio.TimerHandle | None = None
        self._told: tuple[Session, ...] = ()
        self._circles: list[tuple[Door, Circle]] = []
        """The seats of `_told`, by door."""
        log_of_all, sandbox = surroundings.store.log, surroundings.sandbox
        self.trials = Trials(document_id, surroundings.clock, log_of_all, sandbox, surroundings.gate_limits)
        """Decides what is tried before it is taken."""
        self.proving = Proving(document_id, room, sandbox, self.do)
        """Has suggestions proven before they are taken."""
        self._reader = Reader(document_id, log_of_all, surroundings.store.set_aside, surroundings.clock)
        self._rescuing = Rescuing(document_id, self._reader, sandbox.rescue)
        self._compaction = Compaction(document_id, loaded, log_of_all, sandbox.fold, surroundings.limits.document_bytes)
        self.excerpting = Excerpting(document_id, room, surroundings.background, self._renew_excerpt)
        self._noted: tuple[Excerpt, DocumentInfo | None] | None = None
        """The excerpt that is stored, and what was known of the document then."""

    def seats(self) -> Iterator[Seat]:
        """Return everybody who is here now."""
        return map(_seat, self.room.members)

    def learn(self) -> None:
        """Have the gate index the document beside everything else."""
        learning = self.learning = Learning(self.room.replica)

        async def run() -> None:
            try:
                await learning.run()
            finally:
                self.learning = None

        self._around.background.spawn(run(), "learning")

    async def learned(self) -> None:
        """Return when the gate knows the document."""
        if self.learning is not None:
            await self.learning.finish()

    def check_open(self) -> None:
        """Raise ManyhandsError unless the document is open here and the node takes anything."""
        if self._around.draining:
            raise shutting_down()
        if self.over:
            raise ProtocolError(Code.NOT_JOINED, "The document was closed meanwhile. Join it again.")

    def do(self, verb: Callable[[], list[effects.Effect]]) -> None:
        """Call a verb of the room, carry out its effects, and see to what is due.

        An error of ours ends the room, not the process.
        """
        if self.over:
            return
        try:
            self._perform(verb())
        except Exception:  # noqa: BLE001 - the room's border: an error of ours costs this room, not the process
            self._break()
        self.wake()

    def let_in(self, todo: list[effects.Effect]) -> None:
        """Carry out the effects of a join: put people out now, and the rest in a turn of its own.

        The newcomer's answer goes first. Whoever the newcomer has put out must know before they can
        join again: otherwise the end of their old seat would reach them behind their new one.
        """
        rest: list[effects.Effect] = []
        for effect in todo:
            if isinstance(effect, effects.Dismiss):
                self._dismiss(effect)
            else:
                rest.append(effect)
        asyncio.get_running_loop().call_soon(self.do, lambda: rest)

    def left(self, seat: Seat) -> None:
        """Forget who listens at which door, because a seat is free, and tell the surroundings."""
        self._told, self._circles = (), []
        self._around.left(seat)

    def wake(self, due: float = 0.0) -> None:
        """See to what is due by now, and set the timer for what will be.

        A timer that has rung for `due` may be early by a millisecond. It counts as on time:
        otherwise it would ring again and again until then.
        """
        if self.over:
            return
        room = self.room
        try:
            self._perform(room.flush(max(due, self._around.clock())))
        except Exception:  # noqa: BLE001 - the room's border, as in `do`
            self._break()
        self._set_timer()
        if self.over or room.settled:
            self.settled.set()
            if not self.over and not room.members:
                self._came_to_rest(self)
        else:
            self.settled.clear()

    def receive(self, seat: Seat, batch: bytes, request: Request | None) -> bool:
        """Take a small batch. Return False, without any change, if the batch has to wait.

        If others are already waiting, no deadline moves. The timer is then left alone, unless
        enough waits for a row.
        """
        room = self.room
        if self.over or self._around.draining or self.learning is not None or room.replica.judging:
            return False
        if seat.only_suggests:
            return False  # what comes has to be proven first
        if seat.format is not None and room.info.is_raised_by(seat.format):
            return False
        alone = not room.gathers
        try:
            updates = room.replica.read(batch)
            if type(updates[0]) is not Keystroke:
                if self.trials.needed(updates):
                    return False
                if self.trials.asks_to_measure(room.replica.knowledge):
                    self._around.background.spawn(self.trials.measure(room), "measuring")
            todo = room.receive(seat, updates, request)
            if todo:
                self._perform(todo)
        except ManyhandsError as refusal:
            if refusal.code is Code.TOO_COSTLY:
                return False
            refused = Refused(refusal.code, refusal.outward)
            self.do(lambda: room.refuse(seat, request, refused))
        except Exception:  # noqa: BLE001 - the room's border, as in `do`
            self._break()
        if alone or room.is_ripe:
            self.wake()
        return True

    async def declare_format(self, seat: Seat) -> None:
        """Give the document the format that a writer declares, or raise its version.

        This comes before the edit. A format that another writer has declared meanwhile stays.
        Raises ManyhandsError.
        """
        declared = seat.format
        if declared is None or not self.room.info.is_raised_by(declared):
            return
        if seat.only_suggests and not self._may_raise(declared):
            return
        self.room.may_write(seat)
        judged, by = self.judged_version, seat.user.user_id
        done = await self._around.store.catalogue.declare_format(self.document_id, declared, judged, by=by)
        if done is None or done.entry is None:
            raise ProtocolError(Code.DELETED, "The document was deleted.")
        self._around.tell(done)
        info = info_of(done.entry)
        if info != self.room.info:
            self.do(lambda: self.room.describe(info))
        self.access_changed(done.access_version)
        if info.is_raised_by(declared):
            self.room.may_write(seat)
            raise Unavailable("Access to the document has changed just now. Send the change again.")

    def _may_raise(self, declared: Format) -> bool:
        """Whether somebody who only suggests may raise the document's format to this version.

        A name or a version that nobody's editor knows would take the text from all who write.
        """
        is_known = declared.name == SCHEMA.name and declared.version <= SCHEMA.version
        return is_known and self.room.info.format is not None

    def _break(self) -> None:
        log.exception("room_broken", document=self.document_id)
        self._perform(self.room.end(Code.INTERNAL, "The server made a mistake with this document. Open it again."))

    def _set_timer(self) -> None:
        moment = None if self.over else self.room.deadline()
        # Most verbs move no deadline. A timer that is right already is not set anew, because
        # setting one costs more than comparing.
        if self._timer is None or moment != self._due:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._due = moment
            if moment is not None:
                delay = max(0.0, moment - self._around.clock())
                self._timer = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        # The timer has rung. `_set_timer` must set a new one, even for the same moment.
        self._timer = None
        self.wake(self._due or 0.0)

    def close(self) -> None:
        """Stop driving. Nothing is lost if the room is idle."""
        self.over = True
        self.settled.set()
        self.excerpting.close()
        for timer in (self._timer, self._drain_timer, self._clear_timer, self.linger):
            if timer is not None:
                timer.cancel()

    # Effects.

    def _perform(self, todo: Sequence[effects.Effect]) -> None:
        around = self._around
        for effect in todo:
            match effect:
                case effects.AppendRow():
                    self._append(effect)
                case effects.Broadcast(sessions, message, but):
                    self._say(sessions, message, but)
                case effects.Acknowledge(requests, seq):
                    self._acknowledge(requests, seq)
                case effects.Refuse(session, request, refused):
                    _seat(session).ears.refuse(request, refused)
                case effects.Publish(hint):
                    around.bus.publish(self.document_id, hint)
                case effects.Dismiss():
                    self._dismiss(effect)
                case effects.ReadRows() | effects.Reload() | effects.KeepAside() | effects.Rescue() | effects.Prove():
                    around.background.spawn(self._ask(effect), type(effect).__name__)
                case effects.Ended():
                    self.close()
                    self._came_to_rest(self)
                case _:
                    assert_never(effect)

    def _say(self, sessions: tuple[Session, ...], message: ServerMessage, but: Session | None = None) -> None:
        # A message to one person must not replace the circles of the last broadcast
        if len(sessions) == 1:
            (session,) = sessions
            if session is not but:
                seat = _seat(session)
                if seat.ears.door.say(Circle((seat,)), self.document_id, message, None):
                    self._leave_behind((seat,))
            return
        if sessions is not self._told:
            doors: dict[Door, list[Seat]] = {}
            for seat in map(_seat, sessions):
                doors.setdefault(seat.ears.door, []).append(seat)
            self._told, self._circles = sessions, [(door, Circle(tuple(seats))) for door, seats in doors.items()]
        author = cast(Seat | None, but)
        for door, circle in self._circles:
            at_this_door = author if author is not None and author.ears.door is door else None
            if slow := door.say(circle, self.document_id, message, at_this_door):
                self._leave_behind(slow)

    def _dismiss(self, effect: effects.Dismiss) -> None:
        self._say(effect.sessions, effect.message)
        for seat in map(_seat, effect.sessions):
            self.left(seat)
            seat.ears.dismissed(seat)

    def _acknowledge(self, requests: Sequence[effects.Asked], seq: Seq) -> None:
        """Tell each person of all their edits in one message. Fast typists have many in a row."""
        if len(requests) == 1:
            ((session, request),) = requests
            cast(Seat, session).ears.acknowledge((request,), seq)
            return
        by_seat: dict[Session, list[Request]] = {}
        for session, request in requests:
            by_seat.setdefault(session, []).append(request)
        for session, theirs in by_seat.items():
            _seat(session).ears.acknowledge(theirs, seq)

    def _append(self, effect: effects.AppendRow) -> None:
        append = self._under_way
        if append is None or append.update_id != effect.update_id:
            row = effect.batch, effect.author_keys, self.judged_version, effect.contributors
            moves = effect.known, effect.moves, effect.heirs
            append = Append(self.document_id, effect.epoch, effect.update_id, *row, *moves)
            self._under_way = append
        self._around.committer.submit(append, lambda outcome: self._appended(effect, outcome))

    def _appended(self, effect: effects.AppendRow, outcome: Outcome) -> None:
        match outcome:
            case store.Appended(seq):
                self.do(lambda: self.room.committed(effect.update_id, seq))
                if self.excerpting.timer is None:
                    self.excerpting.written()
                if self._compaction.appended(len(effect.batch), self.room.replica.document.size):
                    self.compact_if_due()
            case store.Fenced():
                self.end(Code.EPOCH_CHANGED, "The document was restored from a backup. Open it again.")
            case store.Taken():
                self.do(lambda: self.room.append_refused(effect.update_id))
            case store.Stale():
                self._around.background.spawn(self._append_as_allowed(effect))
            case store.Behind(head):
                self.do(lambda: self.room.append_behind(effect.update_id, head))
            case store.Gone():
                self.end(Code.DELETED, "The document was deleted.")
            case None | Late():
                now = self._around.clock() if outcome is None else None
                self.do(lambda: self.room.append_failed(effect.update_id, now))
            case _:
                assert_never(outcome)

    async def _renew_excerpt(self, seq: Seq) -> bool:
        """Read the first lines, and store them unless they are known.

        Tell people here and elsewhere if they are the title. Return whether they have changed.
        """
        room, around = self.room, self._around
        before = room.info
        excerpt = await self._read_excerpt() if room.replica.may_have(FRAGMENT) else Excerpt()
        if (excerpt, before) == self._noted:
            return False  # it stays that of an earlier row: most people write further down
        entry = await around.store.catalogue.note_excerpt(self.document_id, room.epoch, seq, excerpt)
        if entry is not None and room.info is before and (info := info_of(entry)) != before:
            around.notify(self.document_id, DocumentHint(info))
        known, self._noted = self._noted, (excerpt, before)
        return known is None or known[0] != excerpt

    async def _read_excerpt(self) -> Excerpt:
        try:
            snapshot = self.room.replica.document.snapshot()
        except Damaged as error:
            self.do(partial(self.room.damaged, "encode", error))
            raise
        return await self._around.sandbox.excerpt(snapshot, self.document_id)

    async def _append_as_allowed(self, effect: effects.AppendRow) -> None:
        """Take over newer access, or the trash, from the store, and go on with what is allowed."""
        head = await self._reader.head()
        if head is None:
            self.end(Code.DELETED, "The document was deleted.")
            return
        if (info := info_of(head)) != self.room.info:
            self.do(lambda: self.room.describe(info))
        self.access_version = max(self.access_version, head.access_version)
        await self._around.judge(self)
        self._under_way = None
        self.do(lambda: self.room.append_overtaken(effect.update_id))

    def end(self, code: Code, message: str) -> None:
        """End the room, and tell everybody why."""
        self.do(lambda: self.room.end(code, message))

    async def _ask(
        self, effect: effects.ReadRows | effects.Reload | effects.KeepAside | effects.Rescue | effects.Prove
    ) -> None:
        """Ask the store until it answers."""
        match effect:
            case effects.ReadRows(after):
                rows = await self._reader.read(after)
                self.do(lambda: self.room.fetched(rows))
            case effects.Rescue():
                late = asyncio.get_running_loop().call_later(LATE_SECONDS, self.do, self.room.rescue_late)
                rescued = await self._rescuing.answer(effect)
                late.cancel()
                self.do(lambda: self._rescued(effect, rescued))
            case effects.Prove():
                refusals = await self.proving.prove_row(effect)
                self.do(lambda: self.room.proven(effect, refusals))
            case effects.Reload(reason, failed, folded):
                await self._reload(reason, failed=failed, folded=folded)
            case effects.KeepAside():
                self.trials.suspect()
                versions = await self._reader.keep_aside(effect)
                if versions is not None:
                    self.do(lambda: self.room.kept_aside(*versions))

    def _rescued(self, question: effects.Rescue, rescued: Rescued | None) -> list[effects.Effect]:
        try:
            return self.room.rescued(question, rescued)
        except ProtocolError as error:
            log.error("rescue_failed", document=self.document_id, reason=f"An answer cannot be read. {error.message}")
            return self.room.rescued(question, None)

    async def _reload(self, reason: str, *, failed: bool, folded: bool) -> None:
        if folded:
            await self._compaction.compact()
        else:
            log.warning("replica_in_doubt", document=self.document_id, reason=reason)
        loaded = await self._reader.load(failed=failed)
        if loaded is None:
            self.end(Code.DELETED, "The document was deleted.")
            return
        replica = await replayed(lambda: self.room.replay(loaded), loaded)
        self.do(lambda: self.room.reloaded(loaded, replica))
        if self.room.quarantined is not None:
            log.error("document_quarantined", document=self.document_id, reason=self.room.quarantined)

    # Other nodes.

    def hear(self, node: NodeId, message: Hint) -> None:
        """Take in what another node says of this document."""
        self._around.live_nodes.heard(node, self._around.clock())
        members = self.room.members
        match message:
            case BatchHint():
                members.hear_crowd(node, message.people)
                self.hear_row(message)
            case PresenceHint(changes):
                self.do(lambda: members.hear_presence(node, changes))
            case PresenceWhole(everybody, asks):
                self.do(lambda: members.hear_whole_presence(node, everybody, asks=asks))
            case DocumentHint() | AccessHint() | AskedHint() | DiscussionHint() | BroadcastHint() | ClosedHint():
                self.heed(message)
            case Beat() | InboxHint():
                pass  # a node speaks of itself, and of people, elsewhere
            case _:
                assert_never(message)

    def heed(self, notice: Notice) -> None:
        """Carry out a notice, from here or from another node."""
        match notice:
            case DocumentHint(info):
                self.do(lambda: self.room.describe(info))
            case AccessHint(version):
                self.access_changed(version)
            case AskedHint():
                self.do(self.room.access_changed)
            case DiscussionHint(version):
                self.do(lambda: self.room.discussed(version))
            case BroadcastHint():
                self._pass_on(notice)
            case ClosedHint(code, reason):
                self.end(code, reason)
            case _:
                assert_never(notice)

    def _pass_on(self, hint: BroadcastHint) -> None:
        """Tell everybody here what an application says elsewhere, unless they are told too much."""
        self.wake()
        try:
            todo = self.room.members.pass_on(hint)
        except ProtocolError as refusal:
            log.warning("broadcast_dropped", document=self.document_id, reason=refusal.message)
        else:
            self.do(lambda: todo)

    def hear_row(self, hint: BatchHint) -> None:
        """Take in that the log has this row.

        A row of another epoch puts the document in doubt: the store must say which epoch is the
        present one.
        """
        if hint.epoch != self.room.epoch:
            self.do(lambda: self.room.doubt("Another node knows another epoch of this document."))
        elif hint.batch is None:
            self.do(lambda: self.room.hinted(hint.seq))
        else:
            row = Row(hint.seq, hint.batch, hint.author_keys)
            self.do(lambda: self.room.remote(row))

    def access_changed(self, version: int) -> None:
        """Judge everybody again, because access has changed. Do nothing if the version is known."""
        if version > self.access_version and not self.over:
            self.access_version = version
            self.judge()

    def judge(self) -> None:
        """Give everybody here the role that they have by now, soon.

        There is one judgement at a time, however long the store is away. What comes meanwhile is
        judged afterwards.
        """
        self._judge_again = True
        if not self._judging:
            self._judging = True
            self._around.background.spawn(self._judge_everybody(), "judging")

    async def _judge_everybody(self) -> None:
        try:
            while self._judge_again:
                self._judge_again = False
                await self._around.judge(self)
                # Last: whoever is an owner no more would ask for what only owners see.
                self.do(self.room.access_changed)
        finally:
            self._judging = False

    async def catch_up(self) -> None:
        """Read the log to its end; raises what the store raises."""
        rows = await self._around.store.log.read(self.document_id, self.room.seq)
        self.do(lambda: self.room.fetched(rows, asked=False))

    def announce(self) -> None:
        """Tell the other nodes where the log ends and who is here, and ask who is there."""
        if not self.over:
            room = self.room
            self._around.bus.publish(self.document_id, BatchHint(room.epoch, room.seq, None, people=len(room.members)))
            self.do(lambda: self.room.members.announce_presence(asks=True))

    def _leave_behind(self, slow: Sequence[Seat]) -> None:
        """Let connections fall behind that do not take in what they are sent.

        Their share of memory is bounded by the backlog limit.
        """
        for seat in slow:
            log.info("connection_behind", document=self.document_id)
            self.room.members.congested(seat, self._around.clock())
        if self._drain_timer is None:
            self._drain_timer = asyncio.get_running_loop().call_later(DRAIN_CHECK, self._look_at_slow)

    def _look_at_slow(self) -> None:
        self._drain_timer = None
        now, behind = self._around.clock(), False
        for seat in self.seats():
            if isinstance(seat.state, Behind):
                behind = True
                if seat.ears.backlog <= self._around.limits.backlog_bytes // 4:
                    self.do(partial(self.room.members.drained, seat))
                elif now - seat.state.since > NEVER_DRAINS:
                    log.warning("connection_aborted", reason="stays behind", document=self.document_id)
                    seat.ears.abort()
        if behind and not self.over:
            self._drain_timer = asyncio.get_running_loop().call_later(DRAIN_CHECK, self._look_at_slow)

    def compact_if_due(self, *, unloading: bool = False) -> "asyncio.Task[None] | None":
        """Fold the log in the background, if that pays. Return the task.

        It also pays if the document is nearly full and something can be cleared away.
        """
        room, now = self.room, self._around.clock()
        if not self.over and room.quarantined is None and self._compaction.begin(room, now, unloading=unloading):
            return self._around.background.spawn(self._compact())
        return None

    async def _compact(self) -> None:
        async with self._around.folds:
            saved = await self._compaction.compact()
        if saved is not None:
            self.room.replica.document.shrink(saved)
            # For what came meanwhile, because perhaps nothing more comes to ask for it
            self.compact_if_due()
            # Nor does anything ask for what was deleted meanwhile in a full document, because
            # nobody can write there any more.
            if not self.over:
                self._clear_timer = asyncio.get_running_loop().call_later(CLEARED_SECONDS, self.compact_if_due)


def _seat(session: Session) -> Seat:
    """Return a session as a seat, which every session of a room on a server is."""
    return cast(Seat, session)
