"""The simulated world on virtual time: nodes, store, bus and people, with delays and failures.

The links keep order, as TCP does, and lose the messages under way when they break. The server's
messages are checked at the moment at which they are sent. An update or an acknowledgement that is
not in the log by then is a broken promise, whatever happens later.
"""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any, cast

from pycrdt import Doc, Map, Text, XmlFragment
from sqlalchemy import bindparam, select

from crdt.errors import Code, ManyhandsError
from crdt.ids import ClientId, ConnectionId, DocumentId, Epoch, Seq
from crdt.log.compaction import engine_updates
from crdt.log.document import Engine, apply_update
from crdt.log.stand_ins import batch_of
from crdt.protocol.messages import Acknowledged, JoinRequest, Refused, Request, ServerMessage, UpdateMessage, User
from server.auth.base import Identity
from server.rooms import Circle, Rooms, RoomSettings, Seat
from server.sandbox import Sandbox
from server.store.base import Folded, Past
from server.store.database import fetch
from server.store.schema import documents, log_rows
from server.store.sql import SqlStore
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.memory_store import SqliteInMemory
from tests.simulation.air import Air, FaultyBus
from tests.simulation.client import SimClient
from tests.simulation.faults import FaultyStore, Weather
from tests.simulation.virtual_loop import at_once
from tests.simulation.writer import Writer

DOCUMENT = DocumentId("simulated-document")

_AS_IT_CAME = (
    select(log_rows.c.batch)
    .join(documents)
    .where(
        documents.c.document_id == bindparam("document_id"),
        documents.c.set_aside_version == 0,
        log_rows.c.seq == bindparam("seq"),
    )
)
"""A row's batch, as long as nothing is set aside: sooner found than by the log's port."""


class BrokenPromise(AssertionError):
    """A person was sent something that is not durable."""


@dataclass(eq=False)
class SimNode:
    """One life of one server process."""

    name: str
    store: FaultyStore
    bus: FaultyBus
    rooms: Rooms


@dataclass(eq=False)
class Link:
    """One connection, and the ears of its person.

    Both directions keep order. Each message has a delay of its own.
    """

    world: "World"
    connection: ConnectionId
    client: SimClient
    node: SimNode
    sits: Seat | None = None
    gone: bool = False
    """Whether the server has noticed that the connection is over."""
    open: bool = True
    up: "asyncio.Queue[Callable[[], Any]]" = field(default_factory=asyncio.Queue)
    down_free_at: float = 0.0
    task: "asyncio.Task[None] | None" = None

    agent_for = None
    arrival: int = field(default_factory=itertools.count(1).__next__)

    @property
    def door(self) -> "World":
        return self.world

    def seat(self, _document_id: DocumentId) -> Seat | None:
        return self.sits

    def acknowledge(self, requests: Sequence[Request], seq: Seq) -> None:
        """Carry acknowledgements to the client. The edits must be durable by now."""
        self.world.acknowledge(self, requests, seq)

    def refuse(self, request: Request, refused: Refused) -> None:
        """Carry a refusal to the client."""
        self.world.refuse(self, request, refused)

    def dismissed(self, seat: Seat) -> None:
        if self.sits is seat:
            self.sits = None

    @property
    def backlog(self) -> int:
        """Return 0, because simulated connections take everything in."""
        return 0

    def abort(self) -> None:
        self.world.cut(self.connection)


class World:
    """The simulation's surroundings. Use as `async with World(seed) as world:`."""

    def __init__(
        self,
        seed: int,
        *,
        nodes: int = 1,
        poll_seconds: float | None = None,
        engine: Engine = apply_update,
        writers: bool = False,
        share: float = 1.0,
    ) -> None:
        self._share = share
        self.random = Random(seed)
        self.air = Air(self.random)
        self.names = [f"node-{number + 1}" for number in range(nodes)]
        self._poll_seconds = poll_seconds
        self._engine = engine
        self.database = SqliteInMemory()
        self.store = SqlStore(self.database)
        self.weather = Weather(self.random)
        self.links: dict[ConnectionId, Link] = {}
        self.clients: list[SimClient] = []
        self.nodes: dict[str, SimNode] = {}
        """The nodes that live."""
        self.client = Writer if writers else SimClient
        self.broken: list[str] = []
        self.sent_updates = 0
        self.deserted = False
        """Whether all people are away, so that no browser connects."""
        self.left_behind: dict[str, SimNode] = {}
        """Edits that a node has taken from people who never come back.

        Unless the node crashes, they must reach the log.
        """
        self._turned_down: set[object] = set()
        """The requests that a node has refused."""
        self._connections = 0
        self._people = 0

    async def __aenter__(self) -> "World":
        await self.store.catalogue.create(DOCUMENT, "Simulated", Epoch(7), datetime(2026, 1, 1, tzinfo=UTC))
        for name in self.names:
            await self.start_node(name)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for name in self.names:
            await self.kill_node(name)

    # Nodes.

    def any_name(self) -> str:
        """Return the name of a node, alive or not."""
        return self.names[0] if len(self.names) == 1 else self.random.choice(self.names)

    async def start_node(self, name: str) -> None:
        """Start a server process over the store."""
        loop = asyncio.get_running_loop()
        store, bus = FaultyStore(self.store, self.weather), FaultyBus(self.air)
        poll, engine = self._poll_seconds, self._engine
        settings = RoomSettings(
            linger=1.0,
            append_deadline=3.0,
            node_id=name,
            poll_seconds=poll,
            engine=engine,
            spent=lambda: loop.time() * self._share,
        )
        rooms = Rooms(store, bus, cast(Sandbox, InProcessSandbox(engine)), settings, clock=loop.time)
        rooms.registry.pace.share = self._share  # from the first row on
        await bus.__aenter__()
        await rooms.__aenter__()
        self.nodes[name] = SimNode(name, store, bus, rooms)

    async def kill_node(self, name: str) -> None:
        """Kill a process: its plans are lost, and every connection breaks."""
        node = self.nodes.pop(name, None)
        if node is None:
            return
        self.left_behind = {token: taker for token, taker in self.left_behind.items() if taker is not node}
        node.store.faulty_log.dead = True
        for connection, link in list(self.links.items()):
            if link.node is node:
                self.cut(connection)
        await node.bus.__aexit__()
        await node.rooms.__aexit__()

    # Connections.

    def add_client(self, name: str) -> SimClient:
        """Let a person open the page."""
        self._people += 1
        client = self.client(name, 1000 + self._people, self.random, self)
        self.clients.append(client)
        return client

    def connect(self, client: SimClient) -> None:
        """Connect the browser, if there is a server."""
        if client.connection is not None or not self.nodes:
            return
        living = list(self.nodes.values())
        node = living[0] if len(living) == 1 else self.random.choice(living)
        self._connections += 1
        connection = ConnectionId(f"connection-{self._connections}")
        link = Link(self, connection, client, node)
        self.links[connection] = link
        link.task = asyncio.get_running_loop().create_task(self._carry_up(link))
        client.connected(connection)

    def cut(self, connection: ConnectionId, *, noticed: bool = True) -> None:
        """Break a connection. The server may notice only much later."""
        link = self.links.pop(connection, None)
        if link is None:
            return
        link.open = False
        if link.task is not None:
            link.task.cancel()
        if link.client.connection == connection:
            link.client.disconnected()
        delay = 0.0 if noticed else 20.0
        asyncio.get_running_loop().call_later(delay, self._notice, link)

    def lives(self, node: SimNode) -> bool:
        """Whether this very process still runs."""
        return self.nodes.get(node.name) is node

    def _notice(self, link: Link) -> None:
        if self.lives(link.node):
            link.gone = True
            if link.sits is not None:
                link.sits.leave()

    async def _carry_up(self, link: Link) -> None:
        while True:
            message = await link.up.get()
            await asyncio.sleep(self.random.uniform(0.0, 0.02))
            outcome = message()
            if outcome is not None:
                await outcome

    def _carry_down(self, connection: ConnectionId, deliver: Callable[[], None]) -> None:
        link = self.links.get(connection)
        if link is None:
            return
        loop = asyncio.get_running_loop()
        # A moment later than the last one: timers for the very same moment would go off in any
        # order.
        link.down_free_at = max(link.down_free_at + 1e-6, loop.time() + self.random.uniform(0.0, 0.02))
        loop.call_at(link.down_free_at, lambda: deliver() if link.open else None)

    # What clients say (tests.simulation.client.Server).

    def join(self, connection: ConnectionId, request: JoinRequest) -> None:
        """Send a join."""
        link = self.links[connection]
        identity = Identity(User(link.client.name, link.client.name, "#336699"), "guest")

        async def arrive() -> None:
            if not self.lives(link.node):
                return
            try:
                link.sits, answer, _ = await link.node.rooms.join(DOCUMENT, request, identity, link)
            except ManyhandsError as error:
                refused = Refused(error.code, error.message)
                self._carry_down(connection, lambda: link.client.join_answered(refused))
                return
            self._carry_down(connection, lambda: link.client.join_answered(answer))

        link.up.put_nowait(arrive)

    def update(self, connection: ConnectionId, batch: bytes, request: object, after: int | None = None) -> None:
        """Send an update."""
        link = self.links[connection]

        def arrive() -> Any:
            if not self.lives(link.node):
                return None
            if link.sits is None:
                link.refuse(Request(request), Refused(Code.NOT_JOINED, "Join the document first."))
                return None
            outcome = link.sits.receive(batch, Request(request), None if after is None else Seq(after))
            if outcome is None:
                self._arrived(link, request)
                return None

            async def settle() -> None:
                await outcome
                self._arrived(link, request)

            return settle()

        link.up.put_nowait(arrive)

    def _arrived(self, link: Link, request: object) -> None:
        """Note that the server holds an update now, or has refused it."""
        if request not in self._turned_down:
            link.client.arrived(request)

    def later(self, connection: ConnectionId, act: Callable[[], None]) -> None:
        """Do something after a pause, if the connection still works."""
        link = self.links[connection]
        asyncio.get_running_loop().call_later(1.0, lambda: act() if link.open else None)

    # What the server says (server.rooms.Door).

    def say(
        self, circle: Circle, _document_id: DocumentId, message: ServerMessage, but: Seat | None
    ) -> tuple[Seat, ...]:
        """Carry a message to clients. An update must be durable by now."""
        if isinstance(message, UpdateMessage):
            self.sent_updates += 1
            self._promise(
                self._durable_batch(message.seq) == message.batch,
                f"update {message.seq} was relayed before it was durable",
            )
        for seat in circle.seats:
            link = cast(Link, seat.ears)
            if self.links.get(link.connection) is link and seat is not but:
                self._carry_down(link.connection, partial(link.client.told, message))
        return ()

    def acknowledge(self, link: Link, requests: Sequence[Request], seq: Seq) -> None:
        """Carry answers to a client."""
        self._promise(seq <= self._head(), f"row {seq} was acknowledged before it was durable")
        for request in requests:
            self._answer(link, request, Acknowledged(seq))

    def refuse(self, link: Link, request: Request, refused: Refused) -> None:
        """Carry a refusal to a client."""
        self._turned_down.add(request)
        self._answer(link, request, refused)

    def _answer(self, link: Link, request: Request, answer: Acknowledged | Refused) -> None:
        if self.links.get(link.connection) is link:
            self._carry_down(link.connection, lambda: link.client.answered(request, answer))

    # The truth.

    def _promise(self, kept: bool, otherwise: str) -> None:
        if not kept:
            self.broken.append(otherwise)

    def _durable_batch(self, seq: Seq) -> bytes | None:
        for (batch,) in fetch(self.database.connection, _AS_IT_CAME, document_id=DOCUMENT, seq=seq):
            return bytes(batch)
        rows = at_once(self.store.log.read(DOCUMENT, Seq(seq - 1)))
        return batch_of(rows[0]) if rows else None

    def _head(self) -> Seq:
        return at_once(self.store.log.heads([DOCUMENT]))[DOCUMENT].seq

    async def stored(self) -> Doc[Any]:
        """Replay what the store holds."""
        loaded = await self.store.log.load(DOCUMENT)
        assert loaded is not None
        doc: Doc[Any] = Doc(client_id=ClientId(1))
        for update in engine_updates(loaded.snapshot, [batch_of(row) for row in loaded.rows]):
            doc.apply_update(update)
        return doc

    async def stored_state(self) -> tuple[str, frozenset[str]]:
        """Return the stored text as a screen would show it."""
        doc = await self.stored()
        shown = str(doc.get("default", type=XmlFragment) if self.client is Writer else doc.get("text", type=Text))
        return shown, frozenset(doc.get("tokens", type=Map).keys())

    async def fold(self, snapshot: bytes | None, batches: Sequence[bytes], past: Past) -> Folded:
        """Fold the log as another node would, at its own pace."""
        await asyncio.sleep(self.random.uniform(0.0, 1.0))
        return await InProcessSandbox(self._engine).fold(snapshot, batches, past)
