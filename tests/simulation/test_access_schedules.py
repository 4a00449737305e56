"""However people join, leave and lose access, on whichever node: soon everybody has the role that the store has for them.

Three nodes and a store whose answers take their time, all from a seed: either with a bus that
loses, repeats and delays, and the poll that makes up for it; or with a bus that only delays, and no
poll. A schedule that once failed stays in `FAILED` for ever.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from random import Random
from typing import cast

import pytest

from crdt.errors import ManyhandsError
from crdt.ids import ClientId, ConnectionId, DocumentId, Epoch, Seq
from crdt.permissions import Role
from crdt.protocol.messages import ClosedMessage, JoinRequest, Refused, Request, RoleMessage, ServerMessage, User
from crdt.room.effects import Asked
from server.auth.base import Identity
from server.people.access import Access
from server.rooms import Rooms, RoomSettings
from server.sandbox import Sandbox
from server.store.memory import MemoryStore
from server.store.memory_sharing import MemorySharing
from server.store.sharing_base import Link, Standing
from server.store.titles import utc_now
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.simulation.air import Air, FaultyBus
from tests.simulation.virtual_loop import run_virtually

DOCUMENT = DocumentId("a-document")
POLL, NEVER = 2.0, 3600.0
"""Seconds."""
STEPS = 60
CHUNK = 100
"""Schedules of one test: a busy machine has time for them as well."""
NAMES = ("anna", "bert", "carl", "dora")
FAILED = (1904,)


class SlowSharing(MemorySharing):
    """Answers are read at one moment and arrive at another."""

    random: Random

    async def access(
        self, document_ids: Collection[DocumentId], user_ids: Collection[str]
    ) -> Mapping[DocumentId, Standing]:
        await asyncio.sleep(self.random.uniform(0.0, 0.05))
        read = await super().access(document_ids, user_ids)
        await asyncio.sleep(self.random.uniform(0.0, 0.05))
        return read


class SimNode:
    """One node's rooms, and what people there believe that they may do: it is their wire."""

    def __init__(self, store: MemoryStore, bus: FaultyBus, poll_seconds: float) -> None:
        settings = RoomSettings(linger=0.2, poll_seconds=poll_seconds)
        clock = asyncio.get_running_loop().time
        self.bus = bus
        self.access = Access(store, utc_now, guests=False)
        self.rooms = Rooms(store, bus, cast("Sandbox", InProcessSandbox()), settings, clock, self.access)
        self.rooms.attach(self)
        self.believed: dict[ConnectionId, Role] = {}
        """By everybody who believes to be in the document."""

    async def join(self, connection: ConnectionId, name: str) -> None:
        """Somebody comes, and may be refused."""
        identity = Identity(User(name, name, "#112233"), "jwt")
        request = JoinRequest(b"\0", ClientId(sum(connection.encode()) * 1000 + len(connection)))
        try:
            answer, _ = await self.rooms.join(connection, DOCUMENT, request, identity)
        except ManyhandsError:
            return
        self.believed[connection] = answer.role

    def leave(self, connection: ConnectionId) -> None:
        self.believed.pop(connection, None)
        self.rooms.leave(connection, DOCUMENT)

    def send(
        self,
        connections: Sequence[ConnectionId],
        _document_id: DocumentId,
        message: ServerMessage,
        _but: ConnectionId | None = None,
    ) -> tuple[ConnectionId, ...]:
        for connection in connections:
            match message:
                case RoleMessage(role):
                    self.believed[connection] = role
                case ClosedMessage():
                    self.believed.pop(connection, None)
                case _:
                    pass
        return ()

    def acknowledge(self, requests: Sequence[Asked], seq: Seq) -> None:
        raise AssertionError("nobody writes here")

    def refuse(self, connection: ConnectionId, request: Request, refused: Refused) -> None:
        raise AssertionError("nobody writes here")

    def backlog(self, _connection: ConnectionId) -> int:
        return 0

    def hold(self, document_id: DocumentId, *, holding: bool) -> None:
        """Nothing is held here."""

    def abort(self, _connection: ConnectionId) -> None:
        raise AssertionError("nobody here is slow")


class World:
    """The nodes, and one thing after another that befalls them."""

    def __init__(self, seed: int, *, lossy: bool) -> None:
        self.random = Random(seed)
        self.poll_seconds = POLL if lossy else NEVER
        self.air = Air(self.random)
        self.air.loss, self.air.delay = 0.3 if lossy else 0.0, 0.2
        self.store = MemoryStore()
        self.sharing = SlowSharing(self.store.sharing._documents, self.store.users)
        self.sharing.random = self.random
        self.store.sharing = self.sharing
        self.nodes: list[SimNode] = []
        self._joining: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """A schedule, then quiet; raises AssertionError when somebody's role is not the store's by then."""
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
        connection = ConnectionId(f"{name}-{self.random.randrange(2)}-at-{self.nodes.index(node)}")
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

    def _tell(self, node: SimNode, version: int | None) -> None:
        """The node at which it was changed knows, others may hear of it."""
        assert version is not None
        node.rooms.access_changed(DOCUMENT, version)

    async def _compare(self) -> None:
        standing = (await self.sharing.access([DOCUMENT], NAMES))[DOCUMENT]
        for node in self.nodes:
            open_room = node.rooms._rooms.get(DOCUMENT)
            sessions = open_room.room.people.sessions() if open_room is not None else ()
            for session in sessions:
                identity = Identity(session.user, "jwt")
                ruling = node.access.rule(standing, DOCUMENT, identity, None)
                assert ruling is not None, session
                assert session.role is ruling.role, session
            assert {session.connection: session.role for session in sessions} == node.believed


both_ways = pytest.mark.parametrize("lossy", [True, False], ids=["hints get lost", "nobody looks"])


@both_ways
@pytest.mark.parametrize("seed", [*FAILED, *range(40)])
def test_soon_everybody_has_the_role_that_the_store_has_for_them(seed: int, lossy: bool) -> None:
    run_virtually(World(seed, lossy=lossy).run())


@both_ways
@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 2000, CHUNK))
def test_many_more_schedules(first: int, lossy: bool) -> None:
    for seed in range(first, first + CHUNK):
        try:
            run_virtually(World(seed, lossy=lossy).run())
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
