"""One open room and its driver: carries out the room's effects, calls it back in time, and never lets an error out of the room.

The room decides, this module does. Every call into the room goes through `do`, which carries out
what the room answers and sets the timer for its next deadline.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar, assert_never

from crdt.errors import Code, ManyhandsError
from crdt.ids import ConnectionId, DocumentId, NodeId
from crdt.protocol.messages import DocumentInfo, Refused, Request
from crdt.protocol.row import Row
from crdt.room.effects import (
    Acknowledge,
    AnnouncePresence,
    Append,
    Broadcast,
    Effect,
    Ended,
    Fetch,
    KeepAside,
    PublishBatch,
    PublishPresence,
    Refuse,
    Reload,
)
from crdt.room.neighbours import Neighbours
from crdt.room.room import Room
from crdt.room.session import Behind
from server.bus.base import (
    AccessHint,
    BatchHint,
    Beat,
    Bus,
    BusMessage,
    ClosedHint,
    DocumentHint,
    PresenceHint,
    PresenceWhole,
)
from server.observe import log
from server.rooms.committer import Committer, Late, Outcome, UnderWay
from server.rooms.doubts import Doubts
from server.rooms.hints import hint_of
from server.rooms.reader import Reader, replayed, stored_of
from server.rooms.upkeep import CLEARED_SECONDS, FOLDS_AT_ONCE, Upkeep
from server.rooms.wire import Wire
from server.store import base as store
from server.store.set_aside_base import SetAsides

T = TypeVar("T")

DRAIN_CHECK = 0.25
"""Seconds between looks at the backlog of connections that have fallen behind."""

NEVER_DRAINS = 60.0
"""Seconds after which a connection that has fallen behind and not caught up is cut."""

LONGEST_HOLD = 0.12
"""Seconds for which people's bytes may wait to be read: as long as the longest window."""


def info_of(entry: store.Entry | store.Head) -> DocumentInfo:
    """What an open page shows of a catalogue entry."""
    return DocumentInfo(entry.title, entry.trashed_at.isoformat() if entry.trashed_at else None)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every open room of a node shares. `clock`: monotonic seconds; `spawn` runs a task that the node owns."""

    log: store.Log
    set_aside: SetAsides
    committer: Committer
    bus: Bus
    wire: Wire
    clock: Callable[[], float]
    spawn: Callable[[Awaitable[None]], None]
    fold: store.Fold
    backlog_bytes: int
    document_bytes: int
    neighbours: Neighbours
    judge: Callable[["OpenRoom"], Awaitable[None]]
    """Give everybody in a room the role that they have by now."""
    folds: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FOLDS_AT_ONCE))


class OpenRoom:
    """A room with its surroundings. `ended` is called once when the room is over, `idle` whenever it has come to rest."""

    def __init__(
        self,
        document_id: DocumentId,
        room: Room,
        loaded: store.Loaded,
        surroundings: Surroundings,
        came_to_rest: Callable[["OpenRoom"], None],
    ) -> None:
        self.document_id = document_id
        self.room = room
        self.over = False
        self.settled = asyncio.Event()
        """Set while everything that was taken is durable."""
        self.settled.set()
        self.access_version = 0
        """Newest known version of the access list. Everybody here has been checked against it, or soon will be."""
        self.judged_version = 0
        """Version of the access list against which everybody here, and all that is not durable yet, has been checked."""
        self._around = surroundings
        self._came_to_rest = came_to_rest
        self._under_way = UnderWay()
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._holding = False
        """Whether the people's bytes may wait until the timer rings."""
        self._drain_timer: asyncio.TimerHandle | None = None
        self.doubts = Doubts(document_id, surroundings.clock)
        """What is tried before it is taken."""
        self._reader = Reader(document_id, surroundings.log, surroundings.set_aside, surroundings.clock)
        self._upkeep = Upkeep(document_id, loaded, surroundings.log, surroundings.fold, surroundings.document_bytes)

    def do(self, verb: Callable[[], list[Effect]]) -> None:
        """Call a verb of the room, carry out its effects, and see to what is due. An error of ours ends the room, not the process."""
        if self.over:
            return
        room = self.room
        try:
            self._perform(verb())
            if not self.over:
                self._perform(room.flush(self._around.clock()))
        except Exception:  # noqa: BLE001 - the room's border: an error of ours costs this room, not the process
            self._break()
        self._set_timer()
        if self.over or room.settled:
            self.settled.set()
        else:
            self.settled.clear()
        if not self.over and room.idle:
            self._came_to_rest(self)

    def receive(self, connection: ConnectionId, batch: bytes, request: Request | None) -> bool:
        """Take a small batch. Return False, without any change, if the sandbox has to try the batch first."""
        room, effects = self.room, list[Effect]()
        alone = not room.gathers  # if others are already waiting, no deadline moves
        try:
            updates = room.replica.read(batch)
            if self.doubts.of(updates):
                return False
            effects = room.receive(connection, updates, request)
            if not alone:
                self._perform(effects)
        except ManyhandsError as refusal:
            if refusal.code is Code.TOO_COSTLY:
                return False
            refused = Refused(refusal.code, refusal.outward)
            self.do(lambda: room.refuse(connection, request, refused))
        except Exception:  # noqa: BLE001 - the room's border, as in `do`
            self._break()
        if alone:
            self.do(lambda: effects)
        return True

    def _break(self) -> None:
        log.exception("room_broken", document=self.document_id)
        self._perform(self.room.end(Code.INTERNAL, "The server made a mistake with this document. Open it again."))

    def _set_timer(self) -> None:
        moment = None if self.over else self.room.deadline()
        if self._timer is None or moment != self._due:
            self._ring_at(moment)
        soon = moment is not None and self.room.gathers and moment - self._around.clock() <= LONGEST_HOLD
        self._hold(holding=soon)

    def _ring_at(self, moment: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due = moment
        if moment is not None:
            delay = max(0.0, moment - self._around.clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self._wake)

    def _hold(self, *, holding: bool) -> None:
        if holding is not self._holding:
            self._holding = holding
            self._around.wire.hold(self.document_id, holding=holding)

    def _wake(self) -> None:
        self._timer = None
        self._hold(holding=False)  # what has come belongs into the row that may leave now
        self.do(list)

    def close(self) -> None:
        """Stop driving; nothing is lost if the room is idle."""
        self.over = True
        self.settled.set()
        # In a turn of its own: what was held would be read in the middle of whatever ends the room.
        asyncio.get_running_loop().call_soon(partial(self._hold, holding=False))
        for timer in (self._timer, self._drain_timer):
            if timer is not None:
                timer.cancel()

    # Effects.

    def _perform(self, effects: Sequence[Effect]) -> None:
        around = self._around
        for effect in effects:
            match effect:
                case Append():
                    self._append(effect)
                case Broadcast(connections, message, but):
                    if slow := around.wire.send(connections, self.document_id, message, but):
                        self._leave_behind(slow)
                case Acknowledge(requests, seq):
                    around.wire.acknowledge(requests, seq)
                case Refuse(connection, request, refused):
                    around.wire.refuse(connection, request, refused)
                case PublishBatch() | PublishPresence() | AnnouncePresence():
                    around.bus.publish(self.document_id, hint_of(effect, self.room))
                case Fetch(after):
                    around.spawn(self._fetch(after))
                case Reload(reason, failed, folded):
                    around.spawn(self._reload(reason, failed=failed, folded=folded))
                case KeepAside():
                    around.spawn(self._keep_aside(effect))
                case Ended():
                    self.close()
                    self._came_to_rest(self)
                case _:
                    assert_never(effect)

    def _append(self, effect: Append) -> None:
        append = self._under_way.begin(self.document_id, effect, self.judged_version)
        self._around.committer.submit(append, lambda outcome: self._appended(effect, outcome))

    def _appended(self, effect: Append, outcome: Outcome) -> None:
        match outcome:
            case store.Appended(seq):
                self._upkeep.appended(len(effect.batch))
                self.do(lambda: self.room.committed(effect.update_id, seq))
                self.compact_if_due()
            case store.Fenced():
                self.end(Code.EPOCH_CHANGED, "The document was restored from a backup. Open it again.")
            case store.Taken():
                self.do(lambda: self.room.append_refused(effect.update_id))
            case store.Stale():
                self._around.spawn(self._append_as_allowed(effect))
            case store.Gone():
                self.end(Code.DELETED, "The document was deleted.")
            case None | Late():
                now = self._around.clock() if outcome is None else None
                self.do(lambda: self.room.append_failed(effect.update_id, now))
            case _:
                assert_never(outcome)

    async def _append_as_allowed(self, effect: Append) -> None:
        """The store knows of newer access, or of the trash: take that over, and go on with what is allowed."""
        head = await self._reader.head()
        if head is None:
            self.end(Code.DELETED, "The document was deleted.")
            return
        if (info := info_of(head)) != self.room.info:
            self.do(lambda: self.room.describe(info))
        self.access_version = max(self.access_version, head.access_version)
        await self._around.judge(self)
        self._under_way.stale()
        self.do(lambda: self.room.append_overtaken(effect.update_id))

    def end(self, code: Code, message: str) -> None:
        """End the room and tell everybody why."""
        self.do(lambda: self.room.end(code, message))

    async def _fetch(self, after: int) -> None:
        rows = await self._reader.read(after)
        self.do(lambda: self.room.fetched(rows))

    async def _reload(self, reason: str, *, failed: bool, folded: bool) -> None:
        if folded:
            await self._upkeep.compact()
        else:
            log.warning("replica_in_doubt", document=self.document_id, reason=reason)
        loaded = await self._reader.load(failed=failed)
        if loaded is None:
            self.end(Code.DELETED, "The document was deleted.")
            return
        stored = stored_of(loaded)
        replica = await replayed(lambda: self.room.replay(stored), stored)
        self.do(lambda: self.room.reloaded(stored, replica))
        if self.room.quarantined is not None:
            log.error("document_quarantined", document=self.document_id, reason=self.room.quarantined)

    async def _keep_aside(self, effect: KeepAside) -> None:
        self.doubts.begin()
        versions = await self._reader.keep_aside(effect)
        if versions is not None:
            self.do(lambda: self.room.kept_aside(*versions))

    # Other nodes.

    def hear(self, node: NodeId, message: BusMessage) -> None:
        """Take in what another node says of this document."""
        self._around.neighbours.heard(node, self._around.clock())
        people = self.room.people
        match message:
            case BatchHint():
                people.hear_crowd(node, message.people)
                self.learn(message)
            case PresenceHint(changes):
                self.do(lambda: people.hear_presence(node, changes))
            case PresenceWhole(everybody, asks):
                self.do(lambda: people.hear_whole_presence(node, everybody, asks=asks))
            case DocumentHint(info):
                self.do(lambda: self.room.describe(info))
            case AccessHint(version):
                self.access_changed(version)
            case ClosedHint(code, reason):
                self.end(code, reason)
            case Beat():
                pass  # a node speaks of itself elsewhere
            case _:
                assert_never(message)

    def learn(self, hint: BatchHint) -> None:
        """There is this row in the log. In another life of the document: then the store must say which one is the present."""
        if hint.epoch != self.room.epoch:
            self.do(lambda: self.room.doubt("Another node knows another life of this document."))
        elif hint.batch is None:
            self.do(lambda: self.room.hinted(hint.seq))
        else:
            row = Row(hint.seq, hint.batch, hint.author_keys)
            self.do(lambda: self.room.remote(row))

    def access_changed(self, version: int) -> None:
        """Who has access has changed; nothing happens when that is known."""
        if version > self.access_version and not self.over:
            self.access_version = version
            self.judge()

    def judge(self) -> None:
        """Give everybody here the role that they have by now, soon."""
        self._around.spawn(self._around.judge(self))

    async def catch_up(self) -> None:
        """Read the log to its end; raises what the store raises."""
        rows = await self._around.log.read(self.document_id, self.room.seq)
        self.do(lambda: self.room.fetched(rows, asked=False))

    def announce(self) -> None:
        """Tell the other nodes where the log ends and who is here, and ask who is there."""
        if not self.over:
            room = self.room
            self._around.bus.publish(self.document_id, BatchHint(room.epoch, room.seq, None, people=len(room.people)))
            self.do(lambda: self.room.people.announce_presence(asks=True))

    def find_node(self, node: NodeId) -> None:
        """Another node is heard of for the first time, or again."""
        self.do(lambda: self.room.people.find_node(node))

    def lose_node(self, node: NodeId) -> None:
        """Another node has gone or fallen silent."""
        self.do(lambda: self.room.people.lose_node(node))

    def _leave_behind(self, slow: Sequence[ConnectionId]) -> None:
        """A connection that does not take in what it is sent falls behind: its share of memory is bounded by the limit."""
        for connection in slow:
            log.info("connection_behind", document=self.document_id)
            self.room.people.congested(connection, self._around.clock())
        if self._drain_timer is None:
            self._drain_timer = asyncio.get_running_loop().call_later(DRAIN_CHECK, self._look_at_slow)

    def _look_at_slow(self) -> None:
        self._drain_timer = None
        around, now = self._around, self._around.clock()
        behind = [(s.connection, s.state.since) for s in self.room.people.sessions() if isinstance(s.state, Behind)]
        for connection, since in behind:
            if around.wire.backlog(connection) <= around.backlog_bytes // 4:
                self.do(lambda connection=connection: self.room.people.drained(connection))  # type: ignore[misc]
            elif now - since > NEVER_DRAINS:
                around.wire.abort(connection)
        if behind and not self.over:
            self._drain_timer = asyncio.get_running_loop().call_later(DRAIN_CHECK, self._look_at_slow)

    def compact_if_due(self, *, unloading: bool = False) -> None:
        """Fold the log in the background, if that pays, or if the document is nearly full and there is something to be cleared away."""
        room, now = self.room, self._around.clock()
        if not self.over and room.quarantined is None and self._upkeep.begin(room, now, unloading=unloading):
            self._around.spawn(self._compact())

    async def _compact(self) -> None:
        async with self._around.folds:
            saved = await self._upkeep.compact()
        if saved is not None:
            self.room.replica.document.shrink(saved)
            self.compact_if_due()  # of what came meanwhile; perhaps nothing more comes to ask for it
            # Nor for what was deleted meanwhile in a full document, into which nobody writes any
            # more.
            asyncio.get_running_loop().call_later(CLEARED_SECONDS, self.compact_if_due)
