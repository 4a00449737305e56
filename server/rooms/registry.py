"""Registry of the open documents: one room each, opened once and closed when all is durable.

A document is opened once however many ask, and never opened and closed at the same time. Opening
subscribes to the bus first and loads afterwards, so that nothing can fall between. A room that has
come to rest lingers for people who come back. Then its log is folded if that pays, and the room is
closed.

After a crash, the documents that were open are suspect. Each is replayed in the sandbox before this
process decodes it again. What the sandbox dies of is set aside (server/rooms/mending.py).
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from msgspec import Struct, field

from crdt.errors import Code, ProtocolError, Unavailable
from crdt.ids import DocumentId, IdFactory, NodeId, PresenceId, UpdateId
from crdt.log.document import Engine, apply_update
from crdt.protocol.hints import (
    AccessHint,
    AskedHint,
    BatchHint,
    BroadcastHint,
    ClosedHint,
    DiscussionHint,
    DocumentHint,
    Hint,
    Notice,
)
from crdt.protocol.messages import DocumentInfo, Limits
from crdt.room.pace import Pace
from crdt.room.room import Room
from crdt.yjs.limits import GateLimits
from server.background import Background
from server.bus.base import Bus
from server.observe import log
from server.people.access import no_such_document
from server.rooms.driver import Driver, Surroundings, info_of, shutting_down
from server.rooms.mending import mend
from server.rooms.reader import replayed, tell_set_aside
from server.sandbox import Sandbox, SandboxRejected
from server.store.base import Loaded, Store

UNTOUCHABLE = (
    "This document cannot be opened, because reading it crashes the server. "
    "Everything is kept. Tell the operator of this server."
)

UNTOUCHED = 600.0
"""Seconds until a document that could not be mended is tried again."""

MARKS_KEPT = timedelta(days=30)
"""Time for which another node's open marks are kept.

A node that comes back under its name within this time still suspects the documents.
"""


FOLDING_SECONDS = 1.0
"""Time at a stop in which logs are folded, so that what was written lately opens as quickly.

A fold takes the sandbox about three times as long as the next opening would take without.
"""


class RoomSettings(Struct, frozen=True):
    """Settings of rooms. Times are in seconds.

    Attributes:
        limits: what rooms accept.
        gate_limits: what the gate accepts.
        linger: how long an empty room stays open for people who come back; more than 0, or no join
            would find it open.
        append_deadline: how long an append may take before it counts as failed.
        node_id: this node's name in the open marks; the same after a restart.
        poll_seconds: from one look at what other nodes appended to the next; None if this node is
            alone with its store.
        open_bytes_per_user: memory of the documents that one person has open.
        engine: what applies updates; tests have one that fails.
        spent: processor seconds that the loop's thread has used.
    """

    limits: Limits = field(default_factory=Limits)
    gate_limits: GateLimits = field(default_factory=GateLimits)
    linger: float = 10.0
    append_deadline: float = 10.0
    node_id: str = "node"
    poll_seconds: float | None = None
    open_bytes_per_user: int = 64 * 2**20
    engine: Engine = apply_update
    spent: Callable[[], float] = time.thread_time


class Suspect(Struct):
    """The document was open when this node died last, and is mended before it is opened.

    Attributes:
        until: the loop's time until which it is not tried again, because it could not be mended.
    """

    until: float = 0.0


class Opening(Struct):
    """The document is being read.

    What happens to the document meanwhile may not be in what was read, so it is carried out
    afterwards. Presence is asked for then anyway, and everybody's access as well.

    Attributes:
        row: the newest row that another node has hinted at. Only its number is kept.
        notices: the last notice of each kind, from here or from another node.
    """

    task: "asyncio.Task[None]"
    row: tuple[NodeId, BatchHint] | None = None
    notices: dict[type, DocumentHint | DiscussionHint | ClosedHint] = field(default_factory=dict)

    def hear(self, node: NodeId, message: Hint) -> None:
        """Keep what another node says, for afterwards."""
        match message:
            case BatchHint(epoch, seq, people=people):
                known = None if self.row is None else self.row[1]
                if known is None or known.epoch != epoch or known.seq <= seq:
                    self.row = node, BatchHint(epoch, seq, None, people=people)
            case DocumentHint() | AccessHint() | AskedHint() | DiscussionHint() | ClosedHint():
                self.heed(message)
            case _:
                pass

    def heed(self, notice: Notice) -> None:
        """Keep a notice, for afterwards. Nobody is there yet who could be told of a broadcast."""
        if not isinstance(notice, AccessHint | AskedHint | BroadcastHint):
            self.notices[type(notice)] = notice

    def carry_out(self, driver: Driver) -> None:
        """Tell the driver what has happened meanwhile."""
        if self.row is not None:
            driver.hear(*self.row)
        for notice in self.notices.values():
            driver.heed(notice)


class Closing(Struct, frozen=True):
    """The document is being closed."""

    task: "asyncio.Task[None]"


State = Suspect | Opening | Driver | Closing
"""The state of a document. The driver is the open one. Most documents have no state here."""


class Registry:
    """The documents of this node, each in one state."""

    def __init__(
        self, store: Store, bus: Bus, sandbox: Sandbox, settings: RoomSettings, background: Background
    ) -> None:
        self._store = store
        self._bus = bus
        self._sandbox = sandbox
        self._settings = settings
        self._background = background
        self._states: dict[DocumentId, State] = {}
        self._ids = _new_ids()
        self.pace = Pace(settings.spent)
        """How long the rooms of this node gather."""
        self.surroundings: Surroundings
        """Set before anything is opened."""

    def __iter__(self) -> Iterator[Driver]:
        return iter([state for state in self._states.values() if isinstance(state, Driver)])

    async def start(self) -> None:
        """Learn which documents were open when this node died last.

        Forget the open marks of nodes that never came back.
        """
        suspects = await self._store.open_marks.marked(self._settings.node_id)
        await self._store.open_marks.forget_others(self._settings.node_id, MARKS_KEPT)
        self._states.update({document_id: Suspect() for document_id in suspects})
        if suspects:
            self._sandbox.keep_ready(needed=True)
            log.warning("unclean_stop", documents=len(self._states))

    def stop(self) -> None:
        """Stop all drivers at once. What is durable by now is durable."""
        for driver in self:
            driver.close()

    async def drain(self) -> None:
        """Open nothing more. Return when everything taken is durable and every room is closed.

        Logs are folded as when the last person leaves, as far as `FOLDING_SECONDS` allow.
        """
        self.surroundings.draining = True
        folds: set[asyncio.Task[None]] = set()
        await asyncio.gather(*(self._drained(document_id, folds) for document_id in list(self._states)))
        if folds:
            await asyncio.wait(folds, timeout=FOLDING_SECONDS)

    async def _drained(self, document_id: DocumentId, folds: "set[asyncio.Task[None]]") -> None:
        await self.until_closed(document_id)  # a document that is being opened is closed afterwards
        while (driver := self.get(document_id)) is not None:
            await driver.settled.wait()
            if driver.settled.is_set() and self.get(document_id) is driver:
                if (fold := driver.compact_if_due(unloading=True)) is not None:
                    folds.add(fold)
                self._close(driver)
        await self.until_closed(document_id)

    def get(self, document_id: DocumentId) -> Driver | None:
        """Return the document's driver, if it is open."""
        state = self._states.get(document_id)
        return state if isinstance(state, Driver) else None

    async def opened(self, document_id: DocumentId) -> Driver:
        """Return the document's driver, opened if need be; raises ManyhandsError."""
        while True:
            if self.surroundings.draining:
                raise shutting_down()
            state = self._states.get(document_id)
            if isinstance(state, Driver):
                return state
            if not isinstance(state, Opening | Closing):
                task = asyncio.create_task(self._open(document_id, state))
                # Everybody who waits gets the error. If nobody waits, the error is of no use.
                task.add_done_callback(lambda task: task.cancelled() or task.exception())
                state = self._states[document_id] = Opening(task)
                self._background.own(task)
            await asyncio.shield(state.task)

    async def until_closed(self, document_id: DocumentId) -> None:
        """Wait until a document that is being opened or closed is so."""
        while isinstance(state := self._states.get(document_id), Opening | Closing) and not state.task.done():
            await asyncio.gather(asyncio.shield(state.task), return_exceptions=True)

    # Opening.

    async def _open(self, document_id: DocumentId, suspect: Suspect | None) -> None:
        try:
            await self._bus.subscribe(document_id, self._hear)
            loaded = await self._store.log.load(document_id)
            entry = await self._store.catalogue.get(document_id)
            if loaded is None or entry is None:
                raise no_such_document()
            if suspect is not None:
                loaded = await self._mended(loaded, suspect)
                suspect = None
            await self._store.open_marks.mark(document_id, self._settings.node_id)
            room = await self._replayed(loaded, info_of(entry))
        except BaseException:
            try:
                await self._bus.unsubscribe(document_id)
            finally:
                self._rest(document_id, suspect)
            raise
        if room.quarantined is not None:
            log.error("document_quarantined", document=document_id, reason=room.quarantined)
        opening = self._states[document_id]
        driver = self._states[document_id] = Driver(document_id, room, loaded, self.surroundings, self._came_to_rest)
        if not room.replica.learned:
            driver.learn()
        if isinstance(opening, Opening):
            opening.carry_out(driver)
        driver.excerpting.opened(entry.excerpt_seq)
        driver.do(room.keep_aside)
        driver.do(lambda: room.members.announce_presence(asks=True))
        self._came_to_rest(driver)

    def _rest(self, document_id: DocumentId, state: Suspect | None = None) -> None:
        """Note that nothing is being done with a document any more."""
        if state is None:
            self._states.pop(document_id, None)
        else:
            self._states[document_id] = state
        if all(isinstance(each, Suspect) for each in self._states.values()):
            self._sandbox.keep_ready(needed=False)

    async def _replayed(self, loaded: Loaded, info: DocumentInfo) -> Room:
        settings = self._settings
        limits, engine = settings.limits, settings.engine
        gate_limits, pace = settings.gate_limits, self.pace
        room = await replayed(lambda: Room(loaded, info, limits, gate_limits, self._ids, pace, engine), loaded)
        self._sandbox.keep_ready(needed=True)  # it starts beside, behind the people who come back at once
        return room

    async def _mended(self, loaded: Loaded, suspect: Suspect) -> Loaded:
        """Mend a document that was open when the process died; return it as it is stored then."""
        document_id, now = loaded.document_id, asyncio.get_running_loop().time()
        if now < suspect.until:
            raise ProtocolError(Code.QUARANTINED, UNTOUCHABLE)
        try:
            found = await mend(loaded, self._sandbox, self._settings.gate_limits)
        except SandboxRejected as error:
            if error.code is Code.TOO_COSTLY and not error.died:
                # The sandbox has less memory than this process, in which the document was open.
                log.warning("document_unchecked", document=document_id, reason=error.message)
                return loaded
            log.error("document_quarantined", document=document_id, reason=error.message)
            suspect.until = now + UNTOUCHED
            raise ProtocolError(Code.QUARANTINED, UNTOUCHABLE) from error
        if found:
            tell_set_aside(document_id, found)
            await self._store.set_aside.keep(document_id, loaded.epoch, found)
            loaded = await self._store.log.load(document_id) or loaded
        return loaded

    # Closing.

    def _came_to_rest(self, driver: Driver) -> None:
        """Close a room that is over at once, and a room that is idle after a while."""
        if self.get(driver.document_id) is not driver:
            return
        if driver.over:
            self._close(driver)
            return
        if driver.linger is not None:
            driver.linger.cancel()
        loop = asyncio.get_running_loop()
        driver.linger = loop.call_later(self._settings.linger, self._close_if_idle, driver)

    def _close_if_idle(self, driver: Driver) -> None:
        if self.get(driver.document_id) is driver and driver.room.idle:
            driver.compact_if_due(unloading=True)
            driver.excerpting.begin()
            self._close(driver)

    def _close(self, driver: Driver) -> None:
        driver.close()
        for seat in driver.seats():
            driver.room.members.leave(seat)
            driver.left(seat)
        self.surroundings.closed(driver.document_id)
        self._states[driver.document_id] = Closing(self._background.spawn(self._let_go(driver.document_id)))

    async def _let_go(self, document_id: DocumentId) -> None:
        try:
            await self._bus.unsubscribe(document_id)
            await self._store.open_marks.unmark(document_id, self._settings.node_id)
        except Unavailable as error:
            log.warning("unmark_failed", document=document_id, reason=str(error))
        finally:
            self._rest(document_id)

    # What happens to a document meanwhile.

    def heed(self, document_id: DocumentId, notice: Notice) -> None:
        """Carry out a notice from this node, now or when the document is open."""
        state = self._states.get(document_id)
        if isinstance(state, Driver | Opening):
            state.heed(notice)

    def _hear(self, document_id: DocumentId, node: NodeId, message: Hint) -> None:
        state = self._states.get(document_id)
        if isinstance(state, Driver | Opening):
            state.hear(node, message)


def _new_ids() -> IdFactory:
    """Make the ids of one node.

    Update ids need only be unique: chance tells processes apart, and a number tells their rows
    apart.
    """
    process, numbers = secrets.token_hex(12), itertools.count()
    return IdFactory(
        update_id=lambda: UpdateId(f"{process}{next(numbers):x}"),
        presence_id=lambda: PresenceId(secrets.randbits(52)),
    )
