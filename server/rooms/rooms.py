"""Rooms of one node: joining a document, judging its people, and notices to them from outside.

`join` gives a seat, which is all that a door needs from then on (server/rooms/seat.py).
server/rooms/driver.py drives one room, and server/rooms/registry.py opens and closes rooms.
crdt/room/room.py is what a room decides.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import cast

from msgspec.structs import replace

from crdt.budget import Account
from crdt.errors import Code, ManyhandsError, ProtocolError, Unavailable
from crdt.ids import DocumentId
from crdt.log.document import Damaged
from crdt.protocol.hints import AccessHint, AskedHint, ClosedHint, DiscussionHint, DocumentHint, InboxHint, Notice
from crdt.protocol.messages import DocumentInfo, JoinAnswer, JoinRequest, User
from crdt.room.live_nodes import LiveNodes
from crdt.room.members import broadcast_of
from server.auth.base import Identity
from server.background import Background, pauses
from server.bus.base import NODES, Bus
from server.observe import log
from server.people.access import Access, Ruling
from server.rooms.committer import Committer
from server.rooms.driver import Driver, Surroundings, info_of
from server.rooms.head_poll import HeadPoll
from server.rooms.heartbeats import Heartbeats
from server.rooms.intake import Intake
from server.rooms.reader import FIRST_PAUSE, LAST_PAUSE
from server.rooms.registry import Registry, RoomSettings
from server.rooms.seat import Card, Ears, Seat
from server.rooms.shares import MemoryShares, Turnstile
from server.sandbox import Sandbox
from server.store.base import Store
from server.store.deeds_base import ABOUT_DISCUSSION, Done, Kind
from server.store.sharing_base import Standing

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
        self.judging = Judging(access)
        self.memory_shares = MemoryShares(self.registry, settings.open_bytes_per_user)
        """How much of the memory of open documents each person takes up."""
        self._turnstile = Turnstile()
        self._live_nodes = LiveNodes()
        self.intake = Intake(sandbox, settings.gate_limits, limits.update_bytes, self.memory_shares, self._turnstile)
        self.registry.surroundings = Surroundings(
            store=store,
            sandbox=sandbox,
            limits=limits,
            gate_limits=settings.gate_limits,
            committer=self._committer,
            bus=bus,
            clock=clock,
            background=self._background,
            live_nodes=self._live_nodes,
            left=self.memory_shares.leave,
            closed=self.memory_shares.closed,
            judge=self.judging.judge,
            tell=self.tell,
            notify=self.notify,
        )
        self._inboxes_told: list[Callable[[frozenset[str]], None]] = []
        self._running = AsyncExitStack()

    async def __aenter__(self) -> "Rooms":
        await self.registry.start()
        await self._running.enter_async_context(self._background)
        self._background.spawn(self._committer.run(), "committer")
        self._running.callback(self.registry.stop)
        if self._settings.poll_seconds is not None:
            await self._heed_other_nodes(self._settings.poll_seconds)
        return self

    async def _heed_other_nodes(self, seconds: float) -> None:
        heartbeats = Heartbeats(
            self._bus, self.registry, self._live_nodes, self._clock, self._settings.node_id, self._hear_inboxes
        )
        poll = HeadPoll(self._log, self.registry, seconds)
        self._bus.on_recovered(poll.hurry)
        self._bus.on_recovered(heartbeats.recovered)
        await self._running.enter_async_context(heartbeats)
        self._background.spawn(poll.run(), "head_poll")

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
                seat = Seat(driver, self.intake, ears, card)
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
            ruling = await self.judging.ruling(before, document_id, card)
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
        if done.inboxes:
            self.tell_inboxes(done.inboxes)
        if done.deed is not None and notice is not None:
            self.notify(done.deed.document_id, notice)

    def notify(self, document_id: DocumentId, notice: Notice) -> None:
        """Have a notice carried out here and elsewhere.

        A node that misses it finds out by its next look at the store (head_poll.py); that somebody
        asks for access, by the owner's next look.
        """
        self._bus.publish(document_id, notice)
        self.registry.heed(document_id, notice)

    def broadcast(self, document_id: DocumentId, payload: bytes, user: User) -> None:
        """Tell everybody who has the document open, here and elsewhere, what a program says.

        Raises ProtocolError (too_large).
        """
        self.notify(document_id, broadcast_of(payload, user))

    def tell_inboxes(self, user_ids: frozenset[str]) -> None:
        """Tell these people, here and elsewhere, that their inboxes have changed.

        A node that misses the hint tells nobody: pages ask again when they come back.
        """
        self._bus.publish(NODES, InboxHint(tuple(sorted(user_ids))))
        self._hear_inboxes(user_ids)

    def on_inboxes(self, told: Callable[[frozenset[str]], None]) -> None:
        """Call `told` with the people whose inboxes have changed. It must not block or raise."""
        self._inboxes_told.append(told)

    def _hear_inboxes(self, user_ids: frozenset[str]) -> None:
        for told in self._inboxes_told:
            told(user_ids)

    async def until_closed(self, document_id: DocumentId) -> None:
        """Return when the document is not open here."""
        await self.registry.until_closed(document_id)


def notice_of(done: Done) -> Notice | None:
    """Return the notice of a deed, or None if nothing that an open page shows has changed."""
    match done.deed and done.deed.kind:
        case Kind.DELETE:
            return ClosedHint(Code.DELETED, "This document was deleted.")
        case Kind.RENAME | Kind.TRASH | Kind.RESTORE | Kind.FORMAT | Kind.ANY_FORMAT if done.entry is not None:
            return DocumentHint(info_of(done.entry))
        case Kind.GRANT | Kind.REVOKE | Kind.LINK | Kind.TRANSFER | Kind.ADOPT | Kind.ACCEPT_INVITATION:
            return AccessHint(done.access_version)
        case Kind.ASK | Kind.REFUSE:
            return AskedHint()
        case Kind.DISCUSSION_RULE:
            return DiscussionHint(done.discussion_version)
        case kind if kind in ABOUT_DISCUSSION:
            return DiscussionHint(done.discussion_version)
        case _:
            return None


PATIENCE = 1.5
"""Seconds that the store may take to say who may come into an open document.

Past it, memory answers if it can.
"""

REMEMBERED = 1000
"""People per open document who are let in again while the store is away.

Past it, the person who came first is forgotten.
"""


class Judging:
    """Rules on people by what they showed on joining.

    When a document's access list has a new version, everybody in it is judged again by one reading
    of the store. Sessions get their new roles, and people without a role are shown out. People who
    have left something behind that is not durable yet are judged as well.

    While the store is away nobody's access can change. An open document then lets people in by
    their last ruling, unless a newer version of its access list has been heard of since.
    """

    def __init__(self, access: Access) -> None:
        self._access = access

    async def ruling(self, driver: Driver | None, document_id: DocumentId, card: Card) -> Ruling:
        """Return what somebody may do.

        Raises ProtocolError(not_found), and Unavailable if neither the store nor memory can tell.
        """
        try:
            async with asyncio.timeout(None if driver is None else PATIENCE):
                return await self._access.ruling(card.identity, document_id, card.link)
        except (Unavailable, TimeoutError) as error:
            known = None if driver is None else _recall(driver, card)
            if driver is None or known is None or known.version < driver.access_version:
                raise error if isinstance(error, Unavailable) else Unavailable("The store does not answer.") from error
            return known

    async def judge(self, driver: Driver) -> None:
        """Give everybody in a room the role that the store has for them now.

        Return when that is done, however long the store is away.
        """
        document_id, wait = driver.document_id, pauses(FIRST_PAUSE, LAST_PAUSE)
        while not driver.over and (cards := {seat: seat.card for seat in _everybody(driver)}):
            try:
                identities = [card.identity for card in cards.values()]
                standing = (await self._access.standings([document_id], identities)).get(document_id)
            except ManyhandsError as error:
                log.warning("access_unread", document=document_id, reason=str(error))
                await asyncio.sleep(next(wait))
                continue
            heard = driver.access_version
            if standing is None:
                return
            if standing.version < heard:  # read before the change that has been heard of meanwhile
                await asyncio.sleep(next(wait))
                continue
            driver.access_version = standing.version
            everybody = self._carry_out(driver, standing, cards)
            if standing.version == heard and everybody:
                driver.judged_version = heard
                return
            # Nobody had heard of this version yet. A person who joined while it was read may have
            # been judged by the version before.
        driver.judged_version = driver.access_version  # nobody is left to be judged

    def _carry_out(self, driver: Driver, standing: Standing, cards: dict[Seat, Card]) -> bool:
        """Give everybody their role by what they show now.

        `cards`: what they showed when the store was asked. Return False if the answer says nothing
        of somebody's present name.
        """
        present, everybody = set(_everybody(driver)), True
        for seat, asked in cards.items():
            if seat not in present:
                continue
            card = seat.card
            if not _is_named_alike(card.identity, asked.identity):
                everybody = False
                continue
            ruling = self._access.rule(standing, driver.document_id, card.identity, card.link)
            if ruling is not None:
                remember(driver, card, ruling)
            driver.do(partial(driver.room.judge, seat, None if ruling is None else ruling.role))
        return everybody


def _is_named_alike(identity: Identity, asked: Identity) -> bool:
    """Whether every name by which grants may name a person was asked about."""
    return identity.user.user_id == asked.user.user_id and identity.email in (None, asked.email)


def remember(driver: Driver, card: Card, ruling: Ruling) -> None:
    """Keep the last ruling on somebody, for as long as the document is open."""
    driver.rulings.pop(card.credit, None)
    driver.rulings[card.credit] = ruling
    if len(driver.rulings) > REMEMBERED:
        del driver.rulings[next(iter(driver.rulings))]


def _recall(driver: Driver, card: Card) -> Ruling | None:
    """Return the last ruling on this person.

    A newcomer may do what everybody may, if that is to write, because no grant lets write more.
    """
    known = driver.rulings.get(card.credit)
    if known is None and driver.rulings:
        newest = max(driver.rulings.values(), key=lambda ruling: ruling.version)
        if newest.anybody is not None and newest.anybody.may_write:
            return replace(newest, role=newest.anybody)
    return known


def _everybody(driver: Driver) -> Iterator[Seat]:
    """Yield everybody here, and everybody who has left something that is not durable yet."""
    here = driver.room.members
    yield from (cast(Seat, session) for session in driver.room.owing() if session not in here)
    yield from driver.seats()
