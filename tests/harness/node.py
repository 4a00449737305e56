"""Server nodes in one process, without sockets: real rooms, a shared store, any bus, and people."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, assert_never, cast

from pycrdt import Doc, Text

from crdt.errors import Code
from crdt.ids import ClientId, DocumentId, Seq
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.messages import (
    AccessMessage,
    Acknowledged,
    BroadcastMessage,
    ClosedMessage,
    DiscussionMessage,
    DocumentMessage,
    DurabilityMessage,
    Format,
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
from crdt.yjs.limits import GateLimits
from server.auth.base import Identity
from server.bus.base import Bus
from server.people.access import Access
from server.people.sharing import SharingDesk
from server.rooms import Circle, Rooms, RoomSettings, Seat
from server.sandbox import Sandbox
from server.store.base import Store
from tests.harness.bell import PATIENCE
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.live_server import until


class Clock:
    """Monotonic seconds that a test may move forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return monotonic() + self.ahead


class Person:
    """A person on one node with one document open: a replica, people in view, the last messages."""

    agent_for = None
    arrival = 0

    def __init__(self, node: "Node", name: str, client_id: int) -> None:
        self.name = name
        self.door = node
        self.gone = False
        self.seats: dict[DocumentId, Seat] = {}
        self.user = User(name, name.title(), "#336699")
        self.doc: Doc[Any] = Doc(client_id=client_id)
        self.story = self.doc.get("story", type=Text)
        self.people: dict[int, PresenceChange] = {}
        self.heard: list[str] = []
        self.title = ""
        self.role: Role | None = None
        self.email: str | None = None
        self.closed: ClosedMessage | None = None
        self.access_changes = 0
        self.discussion = 0
        self.durability = "ok"
        self._link: str | None = None
        self._node = node
        self._document_id = DocumentId("")
        self._joining: asyncio.Future[None] | None = None
        self._answers: asyncio.Queue[Acknowledged | Refused] = asyncio.Queue()

    @property
    def text(self) -> str:
        """The text on the screen."""
        return str(self.story)

    @property
    def sees(self) -> set[str]:
        """The names of the people whose cursors are on the screen."""
        return {change.user.user_id for change in self.people.values()}

    @property
    def identity(self) -> Identity:
        """The person as the node knows them."""
        return Identity(self.user, "guest", self.email)

    async def joins(self, document_id: DocumentId, link: str | None = None, declares: Format | None = None) -> None:
        self._document_id = document_id
        self._link = link
        request = JoinRequest(self.doc.get_state(), ClientId(self.doc.client_id), format=declares)
        seat, answer, info = await self._node.rooms.join(document_id, request, self.identity, self, link=link)
        self.seats[document_id] = seat
        self.role = answer.role
        parts = (seat.part(at) for at in range(answer.chunk_count))
        self.doc.apply_update(answer.missing if answer.missing is not None else b"".join(parts))
        self.title = info.title
        self._see(answer.presence)

    def sends(self, words: str) -> None:
        """Type a little at the end, which the node takes at once, without waiting."""
        assert self._send(words) is None

    def _send(self, words: str) -> Awaitable[None] | None:
        before = self.doc.get_state()
        self.story += words
        batch = encode_batch([self.doc.get_update(before)])
        seat = self.seats.get(self._document_id)
        if seat is None:
            self._answers.put_nowait(Refused(Code.NOT_JOINED, "Join the document first."))
            return None
        return seat.receive(batch, Request(object()))

    async def types(self, words: str) -> Acknowledged | Refused:
        """Type at the end, and wait until the edit is acknowledged."""
        checked = self._send(words)
        if checked is not None:
            await checked
        return await self.hears_back()

    async def hears_back(self) -> Acknowledged | Refused:
        """Wait for the answer to a batch that was sent."""
        async with asyncio.timeout(PATIENCE):
            return await self._answers.get()

    def points(self, at: Json) -> None:
        self.seats[self._document_id].moves({"at": at})

    def leaves(self) -> None:
        for seat in self.seats.values():
            seat.leave()
        self.seats.clear()

    # What a seat hears.

    def seat(self, document_id: DocumentId) -> Seat | None:
        return self.seats.get(document_id)

    def acknowledge(self, requests: Sequence[Request], seq: Seq) -> None:
        for _ in requests:
            self._answers.put_nowait(Acknowledged(seq))

    def refuse(self, request: Request, refused: Refused) -> None:
        self._answers.put_nowait(refused)

    def dismissed(self, seat: Seat) -> None:
        self.seats.pop(seat.document_id, None)

    @property
    def backlog(self) -> int:
        return 0

    def abort(self) -> None:
        raise AssertionError("nobody here is slow")

    async def reads(self, *words: str) -> None:
        """Wait until all of these texts are on the screen."""
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
            case AccessMessage():
                self.access_changes += 1
            case DiscussionMessage(version):
                self.discussion = version
            case BroadcastMessage(payload):
                self.heard.append(payload.decode())
            case ClosedMessage():
                self.closed = message
            case _:
                assert_never(message)

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
    """Return the secret that all nodes share."""
    return b"of all nodes"


class Node:
    """One server process's rooms. It is a door as well."""

    def __init__(self, store: Store, bus: Bus, settings: RoomSettings, clock: Callable[[], float]) -> None:
        self.bus = bus
        self.access = Access(store, guests=True)
        self.desk = SharingDesk(store, self.access, link_secret)
        self.rooms = Rooms(store, bus, cast("Sandbox", InProcessSandbox()), settings, clock, self.access)

    def person(self, name: str) -> Person:
        """Let a person come to this node."""
        return Person(self, name, 1000 + sum(name.encode()))

    def say(
        self, circle: Circle, _document_id: DocumentId, message: ServerMessage, but: Seat | None
    ) -> tuple[Seat, ...]:
        for seat in circle.seats:
            if seat is not but:
                cast(Person, seat.ears).told(message)
        return ()


@asynccontextmanager
async def running_node(  # noqa: PLR0913 - each is what one story is about
    store: Store,
    bus: Bus,
    *,
    poll_seconds: float = 3600.0,
    clock: Callable[[], float] = monotonic,
    node_id: str | None = None,
    append_deadline: float = 10.0,
    gate_limits: GateLimits | None = None,
) -> AsyncIterator[Node]:
    """Run a node over a store that outlives it.

    By default the node never looks into the log by itself.
    """
    async with bus:
        settings = RoomSettings(
            gate_limits=gate_limits or GateLimits(),
            poll_seconds=poll_seconds,
            node_id=node_id or f"node-{next(_numbers)}",
            append_deadline=append_deadline,
        )
        node = Node(store, bus, settings, clock)
        async with node.rooms:
            yield node
            await node.rooms.drain()
