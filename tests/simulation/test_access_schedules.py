"""Schedules of access: people join, leave and lose access on any node, and soon roles are right.

Right means that everybody has the role that the store has for them.

There are three nodes and a store with slow answers, all from a seed. Either the bus loses, repeats
and delays messages, and the poll makes up for it; or the bus only delays, and there is no poll. A
schedule that once failed stays in `FAILED` for ever.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from random import Random
from typing import cast

import pytest

from crdt.errors import ManyhandsError
from crdt.ids import ClientId, DocumentId, Epoch, Seq
from crdt.permissions import Role
from crdt.protocol.messages import ClosedMessage, JoinRequest, Refused, Request, RoleMessage, ServerMessage, User
from server.auth.base import Identity
from server.people.access import Access
from server.rooms import Circle, Rooms, RoomSettings, Seat
from server.sandbox import Sandbox
from server.store.database import utc_now
from server.store.deeds_base import Done
from server.store.sharing import SqlSharing
from server.store.sharing_base import Link, Standing
from server.store.sql import SqlStore
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.memory_store import memory_store
from tests.simulation import SEEDS
from tests.simulation.air import Air, FaultyBus
from tests.simulation.virtual_loop import run_virtually

DOCUMENT = DocumentId("a-document")
POLL, NEVER = 2.0, 3600.0
"""Seconds."""
STEPS = 60
CHUNK = 100
"""Schedules of one test, so few that a busy machine has time for them."""
NAMES = ("anna", "bert", "carl", "dora")
QUICK = 12
FAILED = (1904,)


class SlowSharing(SqlSharing):
    """Sharing whose answers are read at one moment, and arrive later."""

    random: Random

    async def access(
        self, document_ids: Collection[DocumentId], user_ids: Collection[str]
    ) -> Mapping[DocumentId, Standing]:
        await asyncio.sleep(self.random.uniform(0.0, 0.05))
        read = await super().access(document_ids, user_ids)
        await asyncio.sleep(self.random.uniform(0.0, 0.05))
        return read


class Somebody:
    """A connection's ears, and the role that its person was told, or None for no access."""

    agent_for = None
    arrival = 0
    backlog = 0
    gone = False

    def __init__(self, node: "SimNode", name: str) -> None:
        self.door = node
        self.name = name
        self.believes: Role | None = None
        self.sits: Seat | None = None

    def seat(self, _document_id: DocumentId) -> Seat | None:
        return self.sits

    def dismissed(self, seat: Seat) -> None:
        if self.sits is seat:
            self.sits = None

    def acknowledge(self, requests: Sequence[Request], seq: Seq) -> None:
        raise AssertionError("nobody writes here")

    def refuse(self, request: Request, refused: Refused) -> None:
        raise AssertionError("nobody writes here")

    def abort(self) -> None:
        raise AssertionError("nobody here is slow")


class SimNode:
    """One node's rooms, and the door of its people."""

    def __init__(self, store: SqlStore, bus: FaultyBus, poll_seconds: float) -> None:
        clock = asyncio.get_running_loop().time
        settings = RoomSettings(linger=0.2, poll_seconds=poll_seconds, spent=clock)
        self.bus = bus
        self.access = Access(store, guests=False)
        self.rooms = Rooms(store, bus, cast("Sandbox", InProcessSandbox()), settings, clock, self.access)
        self.people: dict[str, Somebody] = {}

    async def join(self, connection: str, name: str) -> None:
        """Let a person join, who may be refused."""
        identity = Identity(User(name, name, "#112233"), "jwt")
        request = JoinRequest(b"\0", ClientId(sum(connection.encode()) * 1000 + len(connection)))
        person = self.people.setdefault(connection, Somebody(self, connection))
        try:
            seat, answer, _ = await self.rooms.join(DOCUMENT, request, identity, person)
        except ManyhandsError:
            return
        person.sits, person.believes = seat, answer.role

    def leave(self, connection: str) -> None:
        person = self.people.get(connection)
        if person is not None and person.sits is not None:
            person.sits.leave()
            person.sits = person.believes = None

    def say(
        self, circle: Circle, _document_id: DocumentId, message: ServerMessage, _but: Seat | None
    ) -> tuple[Seat, ...]:
        for seat in circle.seats:
            person = cast(Somebody, seat.ears)
            match message:
                case RoleMessage(role):
                    person.believes = role
                case ClosedMessage():
                    person.believes = None
                case _:
                    pass
        return ()


class World:
    """The nodes, and the events of a schedule."""

    def __init__(self, seed: int, *, lossy: bool) -> None:
        self.random = Random(seed)
        self.poll_seconds = POLL if lossy else NEVER
        self.air = Air(self.random)
        self.air.loss, self.air.delay = 0.3 if lossy else 0.0, 0.2
        self.store = memory_store()
        self.sharing = SlowSharing(self.store.database, utc_now)
        self.sharing.random = self.random
        self.store.sharing = self.sharing
        self.nodes: list[SimNode] = []
        self._joining: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Run a schedule, and wait. Raises AssertionError if a person's role is not the store's."""
        await self.store.catalogue.create(
            DOCUMENT, "", Epoch(1), datetime.now(UTC), owner="owner", link_role=Role.EDITOR
        )
        async with AsyncExitStack() as exits:
            for _ in range(3):
                bus = await exits.enter_async_context(FaultyBus(self.air))
                node = SimNode(self.store, bus, self.poll_seconds)
                await exits.enter_async_context(node.rooms)
                self.nodes.append(node)
            for _ in range(STEPS):
                await self._step()
                await asyncio.sleep(self.random.choice((0.0, 0.01, 0.1, 0.5)))
            await asyncio.gather(*self._joining)
            await asyncio.sleep(2 * POLL)
            await self._compare()

    async def _step(self) -> None:
        node = self.random.choice(self.nodes)
        name = self.random.choice(NAMES)
        connection = f"{name}-{self.random.randrange(2)}-at-{self.nodes.index(node)}"
        role = self.random.choice((*Role, None, None))
        match self.random.randrange(6):
            case 0 | 1:
                self._joining.add(asyncio.ensure_future(node.join(connection, name)))
            case 2:
                node.leave(connection)
            case 3:
                self._tell(node, await self.sharing.set_link(DOCUMENT, Link(role)))
            case 4:
                self._tell(node, await self.sharing.revoke(DOCUMENT, name))
            case _:
                self._tell(node, await self.sharing.grant(DOCUMENT, name, role or Role.VIEWER))

    def _tell(self, node: SimNode, done: Done | None) -> None:
        """Tell the node of the change, and the others by a hint that may be lost."""
        assert done is not None
        node.rooms.tell(done)

    async def _compare(self) -> None:
        standing = (await self.sharing.access([DOCUMENT], NAMES))[DOCUMENT]
        for node in self.nodes:
            driver = node.rooms.registry.get(DOCUMENT)
            seats = list(driver.seats()) if driver is not None else []
            for seat in seats:
                identity = Identity(seat.user, "jwt")
                ruling = node.access.rule(standing, DOCUMENT, identity, None)
                assert ruling is not None, seat.user
                assert seat.role is ruling.role, seat.user
            believed = {person: person.believes for person in node.people.values() if person.believes is not None}
            assert {seat.ears: seat.role for seat in seats} == believed


both_ways = pytest.mark.parametrize("lossy", [True, False], ids=["hints get lost", "nobody looks"])


@both_ways
@pytest.mark.parametrize("seed", [*FAILED, *range(QUICK)])
def test_soon_everybody_has_the_role_that_the_store_has_for_them(seed: int, lossy: bool) -> None:
    run_virtually(World(seed, lossy=lossy).run())


@both_ways
@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, SEEDS, CHUNK))
def test_many_more_schedules(first: int, lossy: bool) -> None:
    for seed in range(first, min(first + CHUNK, SEEDS)):
        try:
            run_virtually(World(seed, lossy=lossy).run())
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
