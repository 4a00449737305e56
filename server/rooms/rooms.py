"""Rooms of one node: joining a document, and what is said to its people from outside.

`join` gives a seat, which is all that a door needs from then on (server/rooms/seat.py).
server/rooms/driver.py drives one room, and server/rooms/registry.py opens and closes rooms.
crdt/room/room.py is what a room decides.
"""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack

from crdt.budget import Account
from crdt.errors import Code, ProtocolError, Unavailable
from crdt.ids import DocumentId
from crdt.log.document import Damaged
from crdt.protocol.messages import DocumentInfo, JoinAnswer, JoinRequest
from crdt.room.live_nodes import LiveNodes
from server.auth.base import Identity
from server.background import Background
from server.bus.base import Bus
from server.people.access import Access, Ruling
from server.rooms.committer import Committer
from server.rooms.driver import Driver, Surroundings
from server.rooms.head_poll import HeadPoll
from server.rooms.heartbeats import Heartbeats
from server.rooms.intake import Intake
from server.rooms.judging import Judging, remember
from server.rooms.memory_shares import MemoryShares
from server.rooms.notices import Notice, notice_of
from server.rooms.registry import Registry, RoomSettings
from server.rooms.seat import Card, Ears, Seat
from server.rooms.turnstile import Turnstile
from server.sandbox import Sandbox
from server.store.base import Store
from server.store.deeds_base import Done

UNREADABLE = (
    "This document cannot be opened, because the document engine fails with it. "
    "Everything is kept. Tell the operator of this server."
)

LONG_VECTOR_BYTES = 4 * 2**10
"""A state vector up to this many bytes is read in a quarter of a millisecond.

The longest takes a hundred times as long.
"""


class Rooms:
    """Runs as `async with rooms:`."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        sandbox: Sandbox,
        settings: RoomSettings,
        clock: Callable[[], float] = time.monotonic,
        access: Access | None = None,
    ) -> None:
        """`clock`: monotonic seconds. `access`: None lets everybody in as a guest."""
        self.limits = limits = settings.limits
        self._bus = bus
        self._log = store.log
        self._clock = clock
        self._settings = settings
        self._background = Background()
        self._committer = Committer(store.log, deadline=settings.append_deadline)
        self.registry = Registry(store, bus, sandbox, settings, self._background)
        access = access or Access(store, guests=True)
        access.on_deed(self.tell)
        self._judging = Judging(access)
        self.memory_shares = MemoryShares(self.registry, settings.open_bytes_per_user)
        """How much of the memory of open documents each person takes up."""
        self._turnstile = Turnstile()
        self._live_nodes = LiveNodes()
        self._intake = Intake(
            store.log, sandbox, settings.gate_limits, limits.update_bytes, self.memory_shares, self._turnstile
        )
        self.registry.surroundings = Surroundings(
            log=store.log,
            set_aside=store.set_aside,
            committer=self._committer,
            bus=bus,
            clock=clock,
            background=self._background,
            fold=sandbox.fold,
            backlog_bytes=limits.backlog_bytes,
            document_bytes=limits.document_bytes,
            live_nodes=self._live_nodes,
            left=self.memory_shares.leave,
            closed=self.memory_shares.closed,
            judge=self._judging.judge,
        )
        self._running = AsyncExitStack()

    async def __aenter__(self) -> "Rooms":
        await self.registry.start()
        await self._running.enter_async_context(self._committer)
        await self._running.enter_async_context(self._background)
        self._running.callback(self.registry.stop)
        if self._settings.poll_seconds is not None:
            await self._heed_other_nodes(self._settings.poll_seconds)
        return self

    async def _heed_other_nodes(self, seconds: float) -> None:
        heartbeats = Heartbeats(self._bus, self.registry, self._live_nodes, self._clock, self._settings.node_id)
        poll = HeadPoll(self._log, self.registry, seconds)
        self._bus.on_recovered(poll.hurry)
        self._bus.on_recovered(heartbeats.recovered)
        await self._running.enter_async_context(heartbeats)
        await self._running.enter_async_context(poll)

    async def __aexit__(self, *exc_info: object) -> None:
        """Let go of everything. What is durable by now is durable. Call `drain` first."""
        await self._running.aclose()

    async def drain(self) -> None:
        """Let nobody in and take nothing more. Return when everything taken is durable.

        Call this with a deadline.
        """
        await self.registry.drain()

    # Joining.

    async def join(
        self,
        document_id: DocumentId,
        request: JoinRequest,
        identity: Identity,
        ears: Ears,
        *,
        link: str | None = None,
        account: Account | None = None,
    ) -> tuple[Seat, JoinAnswer, DocumentInfo]:
        """Give somebody a seat in a document, opening it if need be.

        The caller must put the answer on the wire before it lets the event loop turn, so that no
        update overtakes the answer. `link`: the token that came with the address. `account`: pays
        for what is kept until it is fetched. Raises ManyhandsError. The person is then in the
        document only if they were before.
        """
        card = Card(identity, link, account.person if account is not None else identity.user.user_id)
        try:
            driver, ruling = await self._let_in(document_id, request, card)
            if ears.gone:
                # The person may be back through another connection by now. This connection would
                # put the newer one out.
                raise ProtocolError(Code.NOT_JOINED, "The connection went before it was let in.")
            seat = ears.seat(document_id)
            if seat is None or seat not in driver.room.members:
                seat = Seat(driver, self._intake, ears, card)
            answer = self._sit_down(driver, seat, request, card, ruling, account)
            return seat, answer, driver.room.info
        finally:
            self.memory_shares.arrived(document_id, card.person)

    def _sit_down(
        self, driver: Driver, seat: Seat, request: JoinRequest, card: Card, ruling: Ruling, account: Account | None
    ) -> JoinAnswer:
        room = driver.room
        new = seat not in room.members
        try:
            answer, effects = room.join(seat, request, card.identity.user, ruling.role, account)
        except Damaged as damaged:
            error = damaged
            driver.do(lambda: room.damaged("encode", error))
            if room.quarantined is not None:
                raise ProtocolError(Code.QUARANTINED, UNREADABLE) from error
            raise Unavailable("The document is being repaired; try again.") from error
        seat.card = card
        if new:
            self.memory_shares.enter(seat)
        remember(driver, card, ruling)
        driver.access_changed(ruling.version)
        driver.let_in(effects)
        return answer

    async def _let_in(self, document_id: DocumentId, request: JoinRequest, card: Card) -> tuple[Driver, Ruling]:
        """Open a document for somebody who may read it; return its driver and their ruling.

        The ruling is by the newest version of the access list that is known here. Access is asked
        for before anything is opened. It is asked for again if the document was not open meanwhile,
        and so heard of no changes. Nothing waits after the last look at what may have changed, so
        the ruling holds.
        """
        while True:
            before = self.registry.get(document_id)
            ruling = await self._judging.ruling(before, document_id, card)
            driver = await self.memory_shares.opened(document_id, card.person)
            if len(request.state_vector) > LONG_VECTOR_BYTES:
                await self._turnstile.go_through(document_id)
            if driver.room.replica.lacks(request.state_vector):
                await self._catch_up(driver)
            await self._turnstile.go_through(document_id)
            if self.registry.get(document_id) is before is driver and ruling.version >= driver.access_version:
                if not driver.room.members:
                    driver.access_version = ruling.version  # nobody is here to be judged anew
                    if driver.room.settled:
                        driver.judged_version = ruling.version
                return driver, ruling

    async def _catch_up(self, driver: Driver) -> None:
        """Read the log to its end, because the client has what this node lacks.

        This may be durable already, and others' work. The client must not be asked to bring it.
        """
        try:
            await driver.catch_up()
        except Unavailable:
            if self._settings.poll_seconds is not None:
                raise
            # Alone with its store, this node has missed nothing. The client brings its own work.

    # What the catalogue's routes and sharing call.

    def tell(self, done: Done) -> None:
        """Tell the people of an open document what has been done to it, here and elsewhere."""
        notice = notice_of(done)
        if done.deed is not None and notice is not None:
            self.notify(done.deed.document_id, notice)

    def notify(self, document_id: DocumentId, notice: Notice) -> None:
        """Have a notice carried out here and elsewhere."""
        self._bus.publish(document_id, notice)
        self.registry.heed(document_id, notice)

    async def until_closed(self, document_id: DocumentId) -> None:
        """Return when the document is not open here."""
        await self.registry.until_closed(document_id)
