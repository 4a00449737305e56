"""What the gateway and the routes ask of the open documents: join, receive, leave, announce, evict.

It finds the room and the right way in: small batches are checked at once, large ones in the sandbox
while others go on. What a room decides is crdt/room/room.py; how it is driven is
server/rooms/open_room.py; when it is opened and closed is server/rooms/open_rooms.py.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

from crdt.budget import Account
from crdt.errors import Code, InvariantError, ManyhandsError, ProtocolError, Unavailable
from crdt.ids import ConnectionId, DocumentId
from crdt.log.document import Damaged
from crdt.protocol.batch import decode_batch
from crdt.protocol.messages import DocumentInfo, JoinAnswer, JoinRequest, Json, Refused, Request
from crdt.room.effects import Effect
from crdt.room.neighbours import Neighbours
from crdt.room.session import Session
from crdt.yjs.reader import Inspected, inspect_batch
from server.auth.base import Identity
from server.bus.base import AccessHint, Bus, ClosedHint, DocumentHint
from server.people.access import Access, Ruling
from server.rooms.attendance import Attendance, Card
from server.rooms.committer import Committer
from server.rooms.head_poll import HeadPoll
from server.rooms.neighbourhood import Neighbourhood
from server.rooms.open_room import OpenRoom, Surroundings
from server.rooms.open_rooms import OpenRooms, RoomSettings, shutting_down
from server.rooms.openers import Openers
from server.rooms.turnstile import Turnstile
from server.rooms.wire import Wire
from server.sandbox import Sandbox
from server.store.base import Store
from server.store.titles import utc_now

UNREADABLE = "This document cannot be opened: the document engine fails with it. Everything is kept: tell whoever runs this server."

INLINE_BYTES = 32 * 2**10
"""A batch up to this many bytes is read here when its turn has come; a larger one in the sandbox, while others go on."""


AT_ONCE_BYTES = 8 * 2**10
"""What is taken in one turn of the event loop, keystrokes apart: 4,000 of the smallest structs, some 30 ms. The rest takes turns."""

LONG_VECTOR_BYTES = 4 * 2**10
"""A state vector up to this many bytes is read in a quarter of a millisecond; the longest takes a hundred times as long."""

KEYSTROKE_BYTES = 64
"""A batch up to this many bytes takes microseconds, whatever is in it."""


class Rooms:
    """All rooms of this node. `attach` the wire, then `async with rooms:`."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        sandbox: Sandbox,
        settings: RoomSettings,
        clock: Callable[[], float] = time.monotonic,
        access: Access | None = None,
    ) -> None:
        """`clock`: monotonic seconds; `access`: None lets everybody in as a guest."""
        self.limits = settings.limits
        self._gate_limits = settings.gate_limits
        self._at_once_bytes = min(AT_ONCE_BYTES, settings.limits.update_bytes)
        self._taken_at_once = 0
        """Bytes, in this turn of the event loop."""
        self._inline_bytes = min(INLINE_BYTES, settings.limits.update_bytes)
        self._bus = bus
        self._sandbox = sandbox
        self._committer = Committer(store.log, deadline=settings.append_deadline)
        self._rooms = OpenRooms(store, bus, sandbox, settings, self._closed)
        self._access = access or Access(store, utc_now, guests=True)
        self._access.on_changed(self.access_changed)
        self._openers = Openers(self._rooms, settings.open_bytes_per_user)
        self._attendance = Attendance(self._access, self._openers)
        self._around: Surroundings | None = None
        self._log, self._set_aside = store.log, store.set_aside
        self._clock = clock
        self._neighbours = Neighbours()
        self._turnstile = Turnstile()
        self._joining: Counter[ConnectionId] = Counter()
        self._gone: set[ConnectionId] = set()
        """Of the connections that are about to join."""
        self._poll_seconds = settings.poll_seconds
        self._node_id = settings.node_id
        self._running = AsyncExitStack()

    def attach(self, wire: Wire) -> None:
        """Say how connections are reached; once, before the rooms are entered."""
        self._around = Surroundings(
            log=self._log,
            set_aside=self._set_aside,
            committer=self._committer,
            bus=self._bus,
            wire=wire,
            clock=self._clock,
            spawn=self._rooms.spawn,
            fold=self._sandbox.fold,
            backlog_bytes=self.limits.backlog_bytes,
            document_bytes=self.limits.document_bytes,
            neighbours=self._neighbours,
            judge=self._attendance.judge,
        )

    async def __aenter__(self) -> "Rooms":
        await self._rooms.start()
        await self._running.enter_async_context(self._committer)
        self._running.push_async_callback(self._rooms.stop)
        if self._poll_seconds is not None:
            await self._heed_other_nodes(self._poll_seconds)
        return self

    async def _heed_other_nodes(self, seconds: float) -> None:
        neighbourhood = Neighbourhood(self._bus, self._rooms, self._neighbours, self._clock, self._node_id)
        poll = HeadPoll(self._log, self._rooms, seconds)
        self._bus.on_recovered(poll.hurry)
        self._bus.on_recovered(neighbourhood.recovered)
        await self._running.enter_async_context(neighbourhood)
        await self._running.enter_async_context(poll)

    async def __aexit__(self, *exc_info: object) -> None:
        """Let go of everything; what is durable by now is durable. Call `drain` first."""
        await self._running.aclose()

    # What the gateway calls.

    async def join(
        self,
        connection: ConnectionId,
        document_id: DocumentId,
        request: JoinRequest,
        identity: Identity,
        link: str | None = None,
        account: Account | None = None,
    ) -> tuple[JoinAnswer, DocumentInfo]:
        """Bring a connection into a document, opening it if need be. `link`: the token that came with its address; `account` pays.

        The caller must put the answer on the wire before it lets the event loop turn, so that no
        update overtakes it. Raises ManyhandsError; the connection is then in the document only if
        it was before.
        """
        card = Card(identity, link, account.person if account is not None else identity.user.user_id)
        self._joining[connection] += 1
        try:
            open_room, ruling = await self._let_in(document_id, request, card)
            if connection in self._gone:
                # Its person may be back through another one by now, whom this one would put out as
                # the older of the two.
                raise ProtocolError(Code.NOT_JOINED, "The connection went before it was let in.")
            return self._join(open_room, connection, request, card, ruling, account)
        finally:
            self._openers.arrived(document_id, card.person)
            self._joining[connection] -= 1
            if not self._joining[connection]:
                del self._joining[connection]
                self._gone.discard(connection)

    def _join(
        self,
        open_room: OpenRoom,
        connection: ConnectionId,
        request: JoinRequest,
        card: Card,
        ruling: Ruling,
        account: Account | None,
    ) -> tuple[JoinAnswer, DocumentInfo]:
        try:
            answer, effects = open_room.room.join(connection, request, card.identity.user, ruling.role, account)
        except Damaged as damaged:
            room, error = open_room.room, damaged
            open_room.do(lambda: room.damaged("encode", error))
            if room.quarantined is not None:
                raise ProtocolError(Code.QUARANTINED, UNREADABLE) from error
            raise Unavailable("The document is being repaired; try again.") from error
        self._attendance.enter(connection, open_room.document_id, card, ruling)
        open_room.access_changed(ruling.version)
        asyncio.get_running_loop().call_soon(open_room.do, lambda: effects)
        return answer, open_room.room.info

    async def _let_in(self, document_id: DocumentId, request: JoinRequest, card: Card) -> tuple[OpenRoom, Ruling]:
        """Open a document for somebody who may read it, and say what they may do by the newest version that is heard of here.

        Access is asked for before anything is opened, and once more when it was not open and
        hearing of changes meanwhile. After the last look at what may have changed nothing waits any
        more, so that it holds.
        """
        while True:
            before = self._rooms.get(document_id)
            ruling = await self._attendance.ruling(before, document_id, card)
            open_room = await self._openers.opened(document_id, card.person, self._surroundings())
            if len(request.state_vector) > LONG_VECTOR_BYTES:
                await self._turnstile.go_through(document_id)
            if open_room.room.replica.lacks(request.state_vector):
                await self._catch_up(open_room)
            await self._turnstile.go_through(document_id)
            if self._rooms.get(document_id) is before is open_room and ruling.version >= open_room.access_version:
                if not open_room.room.people:
                    open_room.access_version = ruling.version  # there is nobody to be judged anew
                    if open_room.room.settled:
                        open_room.judged_version = ruling.version
                return open_room, ruling

    async def _catch_up(self, open_room: OpenRoom) -> None:
        """What a client has and this node has not may be durable already, and others' work: the client must not be asked to bring it."""
        try:
            await open_room.catch_up()
        except Unavailable:
            if self._poll_seconds is not None:
                raise
            # Alone with its store, this node has missed nothing: the client brings its own.

    def fetch(self, connection: ConnectionId, document_id: DocumentId, index: int) -> bytes:
        """One part of an announced missing update; raises ProtocolError."""
        return self._room(document_id).room.people.fetch(connection, index)

    def may_write(self, connection: ConnectionId, document_id: DocumentId) -> None:
        """Raise what anything from this session would be refused with now: whoever may not write fills no memory with parts."""
        self._room(document_id).room.may_write(connection)

    def receive(
        self, connection: ConnectionId, document_id: DocumentId, batch: bytes, request: Request | None, person: str = ""
    ) -> Awaitable[None] | None:
        """Take a batch; it is answered through the wire, now or when it is durable. `person`: who pays for what it takes to check it.

        An awaitable must be awaited before the connection's next event: the batch is large and is
        checked elsewhere, or the document has only just been opened.
        """
        open_room = self.at_once(document_id, batch, person)
        if open_room is not None and open_room.receive(connection, batch, request):
            return None
        try:
            self._room(document_id)
            self._openers.look(person)
            if len(batch) > self.limits.update_bytes:
                raise ProtocolError(
                    Code.TOO_LARGE, f"A batch may have {self.limits.update_bytes} bytes, not {len(batch)}."
                )
            return self._receive_later(connection, document_id, decode_batch(batch), request, person)
        except ManyhandsError as refusal:
            self._refuse(connection, document_id, request, refusal)
            return None

    def at_once(self, document_id: DocumentId, batch: bytes, person: str) -> OpenRoom | None:
        """The room that can `receive` this batch without anything to be awaited; None: there is none, or it is not to be had."""
        size = len(batch)
        if size > KEYSTROKE_BYTES:
            if not self._openers.wrote(person, size) or self._taken_at_once + size > self._at_once_bytes:
                return None
            if not self._taken_at_once:
                asyncio.get_running_loop().call_soon(self._turn)
            self._taken_at_once += size
        return self._rooms.at_hand(document_id)

    def _turn(self) -> None:
        self._taken_at_once = 0

    async def _receive_later(
        self,
        connection: ConnectionId,
        document_id: DocumentId,
        updates: list[bytes],
        request: Request | None,
        person: str,
    ) -> None:
        try:
            inspected = await self._inspected(document_id, updates, person)
            while (learning := self._rooms.learning(document_id)) is not None:
                await learning.finish()
            open_room = self._room(document_id)
            async with open_room.doubts.turn:
                dear, tried = False, open_room.doubts.of(inspected)
                if tried:
                    dear = await self._try(open_room, connection, inspected, person)
                try:
                    effects = await self._judged(open_room, connection, inspected, request, measured=tried)
                except ProtocolError as refusal:
                    if refusal.code is not Code.TOO_COSTLY:
                        raise
                    dear = await self._try(open_room, connection, inspected, person)
                    effects = await self._judged(open_room, connection, inspected, request, measured=True)
                if dear:
                    open_room.room.spare(inspected)
        except ManyhandsError as refusal:
            self._refuse(connection, document_id, request, refusal)
            return
        open_room.do(lambda: effects)

    async def _inspected(self, document_id: DocumentId, updates: list[bytes], person: str) -> Sequence[Inspected]:
        if sum(map(len, updates)) <= self._inline_bytes:
            await self._turnstile.go_through(document_id)
            return inspect_batch(updates, self._gate_limits)
        return await self._sandbox.inspect(updates, self._gate_limits, person)

    async def _try(
        self, open_room: OpenRoom, connection: ConnectionId, updates: Sequence[Inspected], person: str
    ) -> bool:
        """Have the sandbox open the document with a batch; say whether it takes the engine too long to be applied here."""
        open_room.room.may_write(connection)
        around = self._log, self._sandbox, self._gate_limits
        return await open_room.doubts.settle(open_room.room, updates, *around, person)

    async def _judged(
        self,
        open_room: OpenRoom,
        connection: ConnectionId,
        updates: Sequence[Inspected],
        request: Request | None,
        *,
        measured: bool,
    ) -> list[Effect]:
        """Have the gate judge a batch, a slice in each turn of the loop; raises ProtocolError(too_costly) if it has to be tried first."""
        document_id = open_room.document_id
        slices = open_room.room.intake.receive_in_slices(connection, updates, request, measured=measured)
        try:
            while True:
                await self._turnstile.go_through(document_id)
                if self._room(document_id) is not open_room:
                    raise ProtocolError(Code.NOT_JOINED, "The document was closed meanwhile. Join it again.")
                try:
                    next(slices)
                except StopIteration as judged:
                    effects: list[Effect] = judged.value
                    return effects
        finally:
            slices.close()

    def _refuse(
        self, connection: ConnectionId, document_id: DocumentId, request: Request | None, refusal: ManyhandsError
    ) -> None:
        open_room = self._rooms.get(document_id)
        if open_room is not None:
            refused = Refused(refusal.code, refusal.outward)
            open_room.do(lambda: open_room.room.refuse(connection, request, refused))
        elif request is not None:
            self._surroundings().wire.refuse(connection, request, Refused(refusal.code, refusal.outward))

    def receive_presence(
        self, connection: ConnectionId, document_id: DocumentId, state: dict[str, Json] | None
    ) -> None:
        """Take in where a session's cursor is; raises ProtocolError."""
        open_room = self._room(document_id)
        open_room.room.people.receive_presence(connection, state)
        open_room.do(list)

    def leave(self, connection: ConnectionId, document_id: DocumentId) -> None:
        """The connection closes a document; what was taken from it goes on to the log."""
        open_room = self._rooms.get(document_id)
        self._attendance.leave(connection, document_id, open_room)
        if open_room is not None:
            open_room.room.people.leave(connection)
            open_room.do(list)

    def disconnect(self, connection: ConnectionId) -> None:
        """The connection is gone; what it has asked to join it does not join any more."""
        if connection in self._joining:
            self._gone.add(connection)
        for document_id in self._attendance.documents(connection):
            self.leave(connection, document_id)

    def identify(self, connection: ConnectionId, identity: Identity) -> None:
        """The connection belongs to this person from now on, who may do what their token says now."""
        for document_id, differs in self._attendance.identify(connection, identity).items():
            open_room = self._rooms.get(document_id)
            if open_room is not None:
                open_room.room.people.identify(connection, identity.user)
                open_room.do(list)
                if differs:
                    open_room.judge()

    # What the catalogue's routes and sharing call.

    def access_changed(self, document_id: DocumentId, version: int) -> None:
        """Who has access was changed here: judge who is in the document, here and elsewhere."""
        self._bus.publish(document_id, AccessHint(version))
        open_room = self._rooms.get(document_id)
        if open_room is not None:
            open_room.access_changed(version)

    def announce(self, document_id: DocumentId, info: DocumentInfo) -> None:
        """A title or the trash has changed: tell the open pages, here and elsewhere."""
        open_room = self._rooms.get(document_id)
        if open_room is not None:
            open_room.do(lambda: open_room.room.describe(info))
        self._bus.publish(document_id, DocumentHint(info))

    async def evict(self, document_id: DocumentId, code: Code, message: str) -> None:
        """Close a document for everybody, here and elsewhere, and say why. What is not durable is refused."""
        open_room = self._rooms.get(document_id)
        if open_room is not None:
            open_room.end(code, message)
        self._bus.publish(document_id, ClosedHint(code, message))
        await self._rooms.until_closed(document_id)

    async def drain(self) -> None:
        """Let nobody in and take nothing any more; return when everything that was taken is durable. Give it a deadline."""
        await self._rooms.drain()

    def _room(self, document_id: DocumentId) -> OpenRoom:
        if self._rooms.draining:
            raise shutting_down()
        open_room = self._rooms.get(document_id)
        if open_room is None:
            raise ProtocolError(Code.NOT_JOINED, "Join the document first.")
        return open_room

    def _surroundings(self) -> Surroundings:
        if self._around is None:
            raise InvariantError("The rooms have no wire: attach one before use.")
        return self._around

    def _closed(self, document_id: DocumentId, sessions: tuple[Session, ...]) -> None:
        for session in sessions:
            self._attendance.leave(session.connection, document_id)
        self._attendance.close(document_id)
