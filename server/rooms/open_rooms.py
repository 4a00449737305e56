"""One room per document: opened once however many ask, closed only when everything is durable, never both at once.

Opening is: subscribe to the bus, then load, so that nothing can fall between. A room that has come
to rest lingers for whoever comes back, then its log is folded if that pays, and it goes.

After a crash, the documents that were open then are suspect: each is replayed in the sandbox before
this process decodes it again, and what the sandbox dies of is set aside (server/rooms/mending.py).
"""

import asyncio
import itertools
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from crdt.errors import Code, ProtocolError, Unavailable
from crdt.ids import DocumentId, IdFactory, NodeId, PresenceId, UpdateId
from crdt.log.document import Engine, apply_update
from crdt.protocol.messages import DocumentInfo, Limits
from crdt.room.room import Room
from crdt.room.session import Session
from crdt.yjs.limits import GateLimits
from server.bus.base import BatchHint, Bus, BusMessage, ClosedHint, DocumentHint
from server.observe import log
from server.people.access import no_such_document
from server.rooms.learning import Learning
from server.rooms.mending import mend
from server.rooms.open_room import OpenRoom, Surroundings, info_of
from server.rooms.reader import replayed, stored_of, tell_set_aside
from server.sandbox import Sandbox, SandboxRejected
from server.store.base import Loaded, Store

UNTOUCHABLE = (
    "This document cannot be opened: whatever reads it crashes. Everything is kept: tell whoever runs this server."
)

UNTOUCHED = 600.0
"""Seconds until a document that could not be mended is tried again."""

MARKS_KEPT = timedelta(days=30)
"""How long another node's open marks are kept. A node that comes back under its name by then still treats them with suspicion."""


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """How rooms are run. Times in seconds.

    Attributes:
        limits: what rooms accept.
        gate_limits: what the gate accepts.
        linger: how long an empty room stays open for whoever comes back; more than 0, or no join
            would find it open.
        append_deadline: how long an append may take before it counts as failed.
        node_id: this node's name in the open marks; the same after a restart.
        poll_seconds: from one look at what other nodes appended to the next; None: this node is
            alone with its store.
        open_bytes_per_user: memory of the documents that one person has open.
        engine: what applies updates; tests have one that fails.
    """

    limits: Limits = field(default_factory=Limits)
    gate_limits: GateLimits = field(default_factory=GateLimits)
    linger: float = 10.0
    append_deadline: float = 10.0
    node_id: str = "node"
    poll_seconds: float | None = None
    open_bytes_per_user: int = 64 * 2**20
    engine: Engine = apply_update


def shutting_down() -> Unavailable:
    """The refusal of everything that comes after the drain has begun."""
    return Unavailable("This server is shutting down; connect again.", Code.DRAINING)


class OpenRooms:
    """The open rooms of this node by document. `closed` is told of the sessions that a closing room still had."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        sandbox: Sandbox,
        settings: RoomSettings,
        closed: Callable[[DocumentId, tuple[Session, ...]], None],
    ) -> None:
        self._store = store
        self._bus = bus
        self._sandbox = sandbox
        self._settings = settings
        self._closed = closed
        self._open: dict[DocumentId, OpenRoom] = {}
        self._changing: dict[DocumentId, asyncio.Task[None]] = {}
        self._early: dict[DocumentId, _Early] = {}
        self._learning: dict[DocumentId, Learning] = {}
        self._linger: dict[DocumentId, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._suspects: set[DocumentId] = set()
        self._untouchable: dict[DocumentId, float] = {}
        self._draining = False
        self._ids = _new_ids()

    def __iter__(self) -> Iterator[OpenRoom]:
        return iter(tuple(self._open.values()))

    async def start(self) -> None:
        """Learn which documents were open when this node died last, and forget what nodes had open that never came back."""
        self._suspects = set(await self._store.open_marks.marked(self._settings.node_id))
        await self._store.open_marks.forget_others(self._settings.node_id, MARKS_KEPT)
        if self._suspects:
            log.warning("unclean_stop", documents=len(self._suspects))

    async def stop(self) -> None:
        """Let go of everything at once; what is durable by now is durable."""
        for timer in self._linger.values():
            timer.cancel()
        for open_room in self:
            open_room.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def draining(self) -> bool:
        """Whether nothing is opened or taken any more."""
        return self._draining

    async def drain(self) -> None:
        """Open nothing more, and return when everything that was taken is durable and every room is closed.

        Whoever takes things in must look at `draining`: only then does what is waited for come to
        an end.
        """
        self._draining = True
        await asyncio.gather(*(open_room.settled.wait() for open_room in self))
        for document_id in list(self._open):
            self._close(document_id)
        await asyncio.gather(*self._changing.values(), return_exceptions=True)

    def get(self, document_id: DocumentId) -> OpenRoom | None:
        """The document's room, if it is open."""
        return self._open.get(document_id)

    def at_hand(self, document_id: DocumentId) -> OpenRoom | None:
        """The document's room, if it is open, takes edits, and has a gate that knows the document."""
        if self._draining or document_id in self._learning:
            return None
        open_room = self._open.get(document_id)
        return None if open_room is None or open_room.room.replica.judging else open_room

    async def opened(self, document_id: DocumentId, surroundings: Surroundings) -> OpenRoom:
        """The document's room, opened if need be; raises ManyhandsError."""
        while True:
            if self._draining:
                raise shutting_down()
            open_room = self._open.get(document_id)
            if open_room is not None:
                return open_room
            task = self._changing.get(document_id)
            if (
                task is None or task.done()
            ):  # done: its callback has yet to take it out; waiting for it would not let that happen
                task = self._change(document_id, self._load(document_id, surroundings))
            await asyncio.shield(task)

    async def until_closed(self, document_id: DocumentId) -> None:
        """Wait for a change of this document that is under way."""
        while (task := self._changing.get(document_id)) is not None and not task.done():
            await asyncio.gather(asyncio.shield(task), return_exceptions=True)

    def spawn(self, work: Awaitable[None]) -> None:
        """Run something beside the rooms until it ends or they are stopped."""

        async def run() -> None:
            try:
                await work
            except Exception:  # noqa: BLE001 - a task's border: what failed is logged, the rooms go on
                log.exception("task_failed")

        self._own(asyncio.create_task(run()))

    def _own(self, task: "asyncio.Task[None]") -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _change(self, document_id: DocumentId, change: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        """Begin to open or close a document; one change at a time."""
        task = asyncio.create_task(change)
        self._changing[document_id] = task
        self._own(task)

        def changed(_: "asyncio.Task[None]") -> None:
            if self._changing.get(document_id) is task:
                del self._changing[document_id]
            if not task.cancelled():
                task.exception()  # Whoever waited was given the error. This keeps asyncio from reporting it as unseen.

        task.add_done_callback(changed)
        return task

    # Opening.

    async def _load(self, document_id: DocumentId, surroundings: Surroundings) -> None:
        early = self._early[document_id] = _Early()
        try:
            await self._bus.subscribe(document_id, self._hear)
            loaded = await self._store.log.load(document_id)
            entry = await self._store.catalogue.get(document_id)
            if loaded is None or entry is None:
                raise no_such_document()
            loaded = await self._clear_of_suspicion(loaded)
            await self._store.open_marks.mark(document_id, self._settings.node_id)
            room = await self._replayed(loaded, info_of(entry))
        except BaseException:
            await self._bus.unsubscribe(document_id)
            raise
        finally:
            del self._early[document_id]
        if room.quarantined is not None:
            log.error("document_quarantined", document=document_id, reason=room.quarantined)
        open_room = OpenRoom(document_id, room, loaded, surroundings, self._came_to_rest)
        self._open[document_id] = open_room
        if not room.replica.learned:
            self.spawn(self._learn(open_room))
        for node, message in early:
            open_room.hear(node, message)
        open_room.do(room.keep_aside)
        open_room.do(lambda: room.people.announce_presence(asks=True))
        self._came_to_rest(open_room)

    async def _learn(self, open_room: OpenRoom) -> None:
        learning = self._learning[open_room.document_id] = Learning(open_room.room.replica)
        try:
            await learning.run()
        finally:
            if self._learning.get(open_room.document_id) is learning:
                del self._learning[open_room.document_id]

    def learning(self, document_id: DocumentId) -> Learning | None:
        """Whether the gate has yet to learn a document before it lets edits in: then `finish` it first."""
        return self._learning.get(document_id)

    async def _replayed(self, loaded: Loaded, info: DocumentInfo) -> Room:
        stored, settings = stored_of(loaded), self._settings
        limits, engine = settings.limits, settings.engine
        return await replayed(lambda: Room(stored, info, limits, settings.gate_limits, self._ids, engine), stored)

    async def _clear_of_suspicion(self, loaded: Loaded) -> Loaded:
        """A document that was open when the process died is mended in the sandbox first; return it as it is stored then."""
        document_id = loaded.document_id
        if document_id not in self._suspects:
            return loaded
        now = asyncio.get_running_loop().time()
        if now < self._untouchable.get(document_id, now):
            raise ProtocolError(Code.QUARANTINED, UNTOUCHABLE)
        try:
            found = await mend(stored_of(loaded), self._sandbox, self._settings.gate_limits)
        except SandboxRejected as error:
            if error.code is Code.TOO_COSTLY and not error.died:
                # The sandbox has less memory than this process, in which the document was open.
                log.warning("document_unchecked", document=document_id, reason=error.message)
                self._suspects.discard(document_id)
                return loaded
            log.error("document_quarantined", document=document_id, reason=error.message)
            self._untouchable[document_id] = now + UNTOUCHED
            raise ProtocolError(Code.QUARANTINED, UNTOUCHABLE) from error
        if found:
            tell_set_aside(document_id, found)
            await self._store.set_aside.keep(document_id, loaded.epoch, found)
            loaded = await self._store.log.load(document_id) or loaded
        self._suspects.discard(document_id)
        return loaded

    # Closing.

    def _came_to_rest(self, open_room: OpenRoom) -> None:
        """A room is idle or over: the one is closed after a while, the other at once."""
        document_id = open_room.document_id
        timer = self._linger.pop(document_id, None)
        if timer is not None:
            timer.cancel()
        if self._open.get(document_id) is not open_room:
            return
        if open_room.over:
            self._close(document_id)
        else:
            loop = asyncio.get_running_loop()
            self._linger[document_id] = loop.call_later(self._settings.linger, self._close_if_idle, open_room)

    def _close_if_idle(self, open_room: OpenRoom) -> None:
        self._linger.pop(open_room.document_id, None)
        if self._open.get(open_room.document_id) is open_room and open_room.room.idle:
            open_room.compact_if_due(unloading=True)
            self._close(open_room.document_id)

    def _close(self, document_id: DocumentId) -> None:
        open_room = self._open.pop(document_id, None)
        if open_room is None:
            return
        open_room.close()
        self._closed(document_id, open_room.room.people.sessions())
        self._change(document_id, self._let_go(document_id))

    async def _let_go(self, document_id: DocumentId) -> None:
        await self._bus.unsubscribe(document_id)
        try:
            await self._store.open_marks.unmark(document_id, self._settings.node_id)
        except Unavailable as error:
            log.warning("unmark_failed", document=document_id, reason=str(error))

    # Other nodes.

    def _hear(self, document_id: DocumentId, node: NodeId, message: BusMessage) -> None:
        open_room = self._open.get(document_id)
        if open_room is not None:
            open_room.hear(node, message)
        elif (early := self._early.get(document_id)) is not None:
            early.take(node, message)


class _Early:
    """What is heard of a document while it is being read: the last of each kind, for presence is asked for afterwards anyway.

    Without it, a row that is appended after the log was read, and hinted at before the room is
    there, would be missed.
    """

    def __init__(self) -> None:
        self._last: dict[type, tuple[NodeId, BusMessage]] = {}

    def take(self, node: NodeId, message: BusMessage) -> None:
        """Keep a hint, of a batch no more than that it exists."""
        if isinstance(message, BatchHint):
            _, known = self._last.get(BatchHint, (node, message))
            if isinstance(known, BatchHint) and known.epoch == message.epoch and known.seq > message.seq:
                return
            message = BatchHint(message.epoch, message.seq, None, people=message.people)
        if isinstance(message, BatchHint | DocumentHint | ClosedHint):
            self._last[type(message)] = (node, message)

    def __iter__(self) -> Iterator[tuple[NodeId, BusMessage]]:
        return iter(tuple(self._last.values()))


def _new_ids() -> IdFactory:
    """Names for one node. Update ids need to be unique only: chance tells processes apart, a number their rows."""
    process, numbers = secrets.token_hex(12), itertools.count()
    return IdFactory(
        update_id=lambda: UpdateId(f"{process}{next(numbers):x}"),
        presence_id=lambda: PresenceId(secrets.randbits(52)),
    )
