"""Server nodes in one process, without sockets: real rooms over a shared store and any bus, and people who sit right at them."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, assert_never, cast

from pycrdt import Doc, Text

from crdt.ids import ClientId, ConnectionId, DocumentId, Seq
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.messages import (
    Acknowledged,
    ClosedMessage,
    DocumentMessage,
    DurabilityMessage,
    JoinRequest,
    Json,
    PresenceChange,
    PresenceMessage,
    Refused,
    Request,
    ResyncMessage,
    Role,
    RoleMessage,
    ServerMessage,
    UpdateMessage,
    User,
)
from crdt.room.effects import Asked
from server.auth.base import Identity
from server.bus.base import Bus
from server.people.access import Access
from server.people.sharing import SharingDesk
from server.rooms import Rooms, RoomSettings
from server.sandbox import Sandbox
from server.store.base import Store
from server.store.titles import utc_now
from tests.harness.bell import PATIENCE
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.live_server import until


class Clock:
    """Monotonic seconds that a test may push forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return monotonic() + self.ahead


class Person:
    """Somebody on one node with one document open: a replica, who they see, and what they were told last."""

    def __init__(self, node: "Node", name: str, client_id: int) -> None:
        self.connection = ConnectionId(f"connection-of-{name}")
        self.user = User(name, name.title(), "#336699")
        self.doc: Doc[Any] = Doc(client_id=client_id)
        self.story = self.doc.get("story", type=Text)
        self.people: dict[int, PresenceChange] = {}
        self.title = ""
        self.role: Role | None = None
        self.email: str | None = None
        self.closed: ClosedMessage | None = None
        self.durability = "ok"
        self._link: str | None = None
        self._node = node
        self._document_id = DocumentId("")
        self._joining: asyncio.Future[None] | None = None
        self._answers: asyncio.Queue[Acknowledged | Refused] = asyncio.Queue()

    @property
    def text(self) -> str:
        """What is on the screen."""
        return str(self.story)

    @property
    def sees(self) -> set[str]:
        """Whose cursors are on the screen."""
        return {change.user.user_id for change in self.people.values()}

    @property
    def identity(self) -> Identity:
        """As the node knows them."""
        return Identity(self.user, "guest", self.email)

    async def joins(self, document_id: DocumentId, link: str | None = None) -> None:
        self._document_id = document_id
        self._link = link
        request = JoinRequest(self.doc.get_state(), ClientId(self.doc.client_id))
        answer, info = await self._node.rooms.join(self.connection, document_id, request, self.identity, link)
        self.role = answer.role
        parts = (self._node.rooms.fetch(self.connection, document_id, at) for at in range(answer.chunk_count))
        self.doc.apply_update(answer.missing if answer.missing is not None else b"".join(parts))
        self.title = info.title
        self._see(answer.presence)

    def sends(self, words: str) -> None:
        """Type at the end, without waiting: little enough to be taken at once."""
        assert self._send(words) is None

    def _send(self, words: str) -> Awaitable[None] | None:
        before = self.doc.get_state()
        self.story += words
        batch = encode_batch([self.doc.get_update(before)])
        return self._node.rooms.receive(self.connection, self._document_id, batch, Request(object()))

    async def types(self, words: str) -> Acknowledged | Refused:
        """Type at the end, and wait until it is said to be safe."""
        checked = self._send(words)
        if checked is not None:
            await checked
        return await self.hears_back()

    async def hears_back(self) -> Acknowledged | Refused:
        """Wait for the answer to what was sent."""
        async with asyncio.timeout(PATIENCE):
            return await self._answers.get()

    def points(self, at: Json) -> None:
        """Move the cursor."""
        self._node.rooms.receive_presence(self.connection, self._document_id, {"at": at})

    def leaves(self) -> None:
        self._node.rooms.disconnect(self.connection)

    async def reads(self, *words: str) -> None:
        """Wait until all of this is on the screen."""
        await until(lambda: all(word in self.text for word in words))

    async def meets(self, *names: str) -> None:
        """Wait until exactly these people's cursors are on the screen."""
        await until(lambda: self.sees == set(names))

    def told(self, message: ServerMessage) -> None:
        match message:
            case UpdateMessage(_, batch):
                for update in decode_batch(batch):
                    self.doc.apply_update(update)
            case PresenceMessage(changes):
                self._see(changes)
            case DocumentMessage(info):
                self.title = info.title
            case RoleMessage(role):
                self.role = role
            case DurabilityMessage(durability):
                self.durability = durability
            case ResyncMessage():
                self._joining = asyncio.ensure_future(self.joins(self._document_id, self._link))
            case ClosedMessage():
                self.closed = message
            case _:
                assert_never(message)

    def answered(self, answer: Acknowledged | Refused) -> None:
        self._answers.put_nowait(answer)

    def _see(self, changes: Sequence[PresenceChange]) -> None:
        for change in changes:
            if change.user == self.user:
                continue
            if change.state is None:
                self.people.pop(change.presence_id, None)
            else:
                self.people[change.presence_id] = change


_numbers = itertools.count(1)


def link_secret() -> bytes:
    """What all nodes share."""
    return b"of all nodes"


class Node:
    """One server process' rooms; it is the wire as well."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        poll_seconds: float,
        clock: Callable[[], float],
        node_id: str | None = None,
        append_deadline: float = 10.0,
    ) -> None:
        self.bus = bus
        settings = RoomSettings(
            poll_seconds=poll_seconds,
            node_id=node_id or f"node-{next(_numbers)}",
            append_deadline=append_deadline,
        )
        self.access = Access(store, utc_now, guests=True)
        self.desk = SharingDesk(store, self.access, link_secret)
        self.rooms = Rooms(store, bus, cast("Sandbox", InProcessSandbox()), settings, clock, self.access)
        self.rooms.attach(self)
        self._people: dict[ConnectionId, Person] = {}

    def person(self, name: str) -> Person:
        """Somebody comes to this node."""
        somebody = Person(self, name, 1000 + sum(name.encode()))
        self._people[somebody.connection] = somebody
        return somebody

    def send(
        self,
        connections: Sequence[ConnectionId],
        document_id: DocumentId,
        message: ServerMessage,
        but: ConnectionId | None = None,
    ) -> tuple[ConnectionId, ...]:
        for connection in connections:
            if connection != but:
                self._people[connection].told(message)
        return ()

    def acknowledge(self, requests: Sequence[Asked], seq: Seq) -> None:
        for connection, _request in requests:
            self._people[connection].answered(Acknowledged(seq))

    def refuse(self, connection: ConnectionId, request: Request, refused: Refused) -> None:
        self._people[connection].answered(refused)

    def backlog(self, connection: ConnectionId) -> int:
        return 0

    def hold(self, document_id: DocumentId, *, holding: bool) -> None:
        """Nothing is held here."""

    def abort(self, connection: ConnectionId) -> None:
        raise AssertionError("nobody here is slow")


@asynccontextmanager
async def running_node(
    store: Store,
    bus: Bus,
    *,
    poll_seconds: float = 3600.0,
    clock: Callable[[], float] = monotonic,
    node_id: str | None = None,
    append_deadline: float = 10.0,
) -> AsyncIterator[Node]:
    """A node over a store that outlives it; unless told otherwise it never looks into the log by itself."""
    async with bus:
        node = Node(store, bus, poll_seconds, clock, node_id, append_deadline)
        async with node.rooms:
            yield node
            await node.rooms.drain()
