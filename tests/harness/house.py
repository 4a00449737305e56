"""A node without a network: real rooms, a store that fails on demand, and a door that remembers."""

import asyncio
import itertools
from collections.abc import Awaitable, Sequence
from random import Random
from typing import Any, cast

from msgspec.structs import replace
from pycrdt import Doc, Text

from crdt.budget import Account
from crdt.errors import Code
from crdt.ids import ClientId, DocumentId, Epoch, Seq
from crdt.log.document import Engine, apply_update
from crdt.log.stand_ins import batch_of
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import Acknowledged, JoinAnswer, JoinRequest, Limits, Refused, Request, ServerMessage, User
from crdt.room.session import Session
from crdt.yjs.wrapping import open_snapshot
from server.auth.base import Identity
from server.bus.memory import MemoryBus, MemoryBusNetwork
from server.rooms import Circle, Rooms, RoomSettings, Seat
from server.rooms.driver import Driver
from server.sandbox import Sandbox
from server.store.base import Loaded, Past
from server.store.database import utc_now
from server.store.sql import SqlStore
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.memory_store import memory_store
from tests.simulation.faults import FaultyStore, Weather

DOCUMENT = DocumentId("a-document-id")
ANNA = Identity(User("u1", "Anna", "#336699"), "guest")


_arrivals = itertools.count(1)


class Visitor:
    """A person's ears, with a name. `seats` are by document."""

    agent_for = None

    def __init__(self, name: str, door: "Ears") -> None:
        self.name = name
        self.door = door
        self.gone = False
        self.arrival = next(_arrivals)
        self.seats: dict[DocumentId, Seat] = {}

    def seat(self, document_id: DocumentId) -> Seat | None:
        return self.seats.get(document_id)

    def acknowledge(self, requests: Sequence[Request], seq: Seq) -> None:
        for request in requests:
            self.door.answers[request] = Acknowledged(seq)

    def refuse(self, request: Request, refused: Refused) -> None:
        self.door.answers[request] = refused

    def dismissed(self, seat: Seat) -> None:
        if self.seats.get(seat.document_id) is seat:
            del self.seats[seat.document_id]

    @property
    def backlog(self) -> int:
        return self.door.backlogs.get(self.name, 0)

    def abort(self) -> None:
        self.door.aborted.append(self.name)


class Ears:
    """A door that remembers each message and its receiver."""

    def __init__(self) -> None:
        self.said: dict[str, list[ServerMessage]] = {}
        self.answers: dict[object, Acknowledged | Refused] = {}
        self.backlogs: dict[str, int] = {}
        self.aborted: list[str] = []

    def say(self, circle: Circle, _document_id: DocumentId, message: ServerMessage, but: Seat | None) -> list[Seat]:
        told = [seat for seat in circle.seats if seat is not but]
        for seat in told:
            self.said.setdefault(name_of(seat), []).append(message)
        return [seat for seat in told if seat.ears.backlog > Limits().backlog_bytes]


def name_of(seat: Session) -> str:
    """Return the name of the person in a seat."""
    return cast(Visitor, cast(Seat, seat).ears).name


class House:
    """A node over a store that can be told to fail."""

    def __init__(
        self,
        store: SqlStore | None = None,
        sandbox: object | None = None,
        poll_seconds: float | None = None,
        engine: Engine = apply_update,
        network: MemoryBusNetwork | None = None,
        settings: RoomSettings | None = None,
    ) -> None:
        """Make a node. `network` and `store` may be shared with other nodes."""
        self.share = 1.0
        """The share of a core that the node's loop seems to use."""
        self.store = store or memory_store()
        self.weather = Weather(Random(1))
        self.faulty = FaultyStore(self.store, self.weather)
        self.ears = Ears()
        self.loads = 0
        sandbox = sandbox or InProcessSandbox()
        clock = asyncio.get_running_loop().time
        settings = replace(
            settings or RoomSettings(linger=1.0),
            append_deadline=3.0,
            poll_seconds=poll_seconds,
            engine=engine,
            spent=lambda: clock() * self.share,
        )
        self.bus = MemoryBus(network)
        self.rooms = Rooms(self.faulty, self.bus, cast(Sandbox, sandbox), settings, clock)
        self.rooms.registry.pace.share = self.share
        self.visitors: dict[str, Visitor] = {}
        load = self.faulty.log.load

        async def counted(document_id: DocumentId) -> Loaded | None:
            self.loads += 1
            return await load(document_id)

        self.faulty.log.load = counted  # type: ignore[method-assign]

    async def __aenter__(self) -> "House":
        if await self.store.catalogue.get(DOCUMENT) is None:
            await self.store.catalogue.create(DOCUMENT, "Title", Epoch(1), utc_now())
        await self.bus.__aenter__()
        await self.rooms.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.rooms.__aexit__()
        await self.bus.__aexit__()

    def visitor(self, name: str) -> Visitor:
        """Return a person, who may be here already."""
        return self.visitors.setdefault(name, Visitor(name, self.ears))

    async def enter(
        self,
        name: str,
        document_id: DocumentId,
        request: JoinRequest,
        identity: Identity = ANNA,
        link: str | None = None,
        account: Account | None = None,
    ) -> JoinAnswer:
        """Join a document as a person without further facts."""
        visitor = self.visitor(name)
        seat, answer, _ = await self.rooms.join(document_id, request, identity, visitor, link=link, account=account)
        visitor.seats[document_id] = seat
        return answer

    async def join(self, name: str, doc: "Doc[Any] | None" = None) -> str:
        """Join as a fresh client; return the text."""
        answer = await self.enter(name, DOCUMENT, JoinRequest(b"\0", ClientId(hash(name) % 2**31)))
        copy: Doc[Any] = doc or Doc()
        assert answer.missing is not None
        copy.apply_update(answer.missing)
        return str(copy.get("story", type=Text))

    def leave(self, name: str, document_id: DocumentId = DOCUMENT) -> None:
        """Leave a document, if the person is in it."""
        seat = self.visitor(name).seats.pop(document_id, None)
        if seat is not None:
            seat.leave()

    def disconnect(self, name: str) -> None:
        """Leave all documents for ever."""
        visitor = self.visitors.pop(name, None)
        if visitor is not None:
            visitor.gone = True
            for seat in visitor.seats.values():
                seat.leave()

    def receive(
        self, name: str, batch: bytes, request: Request | None, document_id: DocumentId = DOCUMENT
    ) -> Awaitable[None] | None:
        """Send a batch. A person who is not in the document is refused, as at every door."""
        seat = self.visitor(name).seats.get(document_id)
        if seat is None:
            if request is not None:
                self.visitor(name).refuse(request, Refused(Code.NOT_JOINED, "Join the document first."))
            return None
        return seat.receive(batch, request)

    def write(self, name: str, words: str, client_id: int = 5) -> str:
        """Send a change from a replica of its own; return the request."""
        doc: Doc[Any] = Doc(client_id=client_id)
        doc.get("story", type=Text).insert(0, words)
        self.receive(name, encode_batch([doc.get_update()]), Request(words))
        return words

    def send(self, name: str, *updates: bytes) -> "asyncio.Future[None]":
        """Send any updates as one batch. The answer is stored under the first of them."""
        taking = self.receive(name, encode_batch(updates), Request(updates[0]))
        return asyncio.ensure_future(taking) if taking is not None else asyncio.ensure_future(asyncio.sleep(0))

    @property
    def driver(self) -> Driver:
        """The document's driver. Fails if the document is not open."""
        driver = self.rooms.registry.get(DOCUMENT)
        assert driver is not None
        return driver

    async def stored_text(self, document_id: DocumentId = DOCUMENT) -> str:
        loaded = await self.store.log.load(document_id)
        assert loaded is not None
        doc: Doc[Any] = Doc()
        sandbox = InProcessSandbox()
        folded = await sandbox.fold(
            loaded.snapshot, [batch_of(row) for row in loaded.rows], Past(heirs=[b""] * len(loaded.rows))
        )
        doc.apply_update(open_snapshot(folded.snapshot) or b"")
        return str(doc.get("story", type=Text))
