"""A node without a network: the real rooms over a store that can be told to fail, and a wire that keeps what was said to whom."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any, cast

from pycrdt import Doc, Text

from crdt.ids import ClientId, ConnectionId, DocumentId, Epoch, Seq
from crdt.log.document import Engine, apply_update
from crdt.log.stand_ins import batch_of
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import Acknowledged, JoinRequest, Limits, Refused, Request, ServerMessage, User
from crdt.room.effects import Asked
from crdt.yjs.wrapping import open_snapshot
from server.auth.base import Identity
from server.bus.memory import MemoryBus, MemoryBusNetwork
from server.rooms import Rooms, RoomSettings
from server.sandbox import Sandbox
from server.store.base import Loaded
from server.store.memory import MemoryStore
from server.store.titles import utc_now
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.simulation.faults import FaultyStore, Weather

DOCUMENT = DocumentId("a-document-id")
ANNA = Identity(User("u1", "Anna", "#336699"), "guest")


class Ears:
    """The wire: keeps what was said to whom."""

    def __init__(self) -> None:
        self.said: dict[str, list[ServerMessage]] = {}
        self.answers: dict[object, Acknowledged | Refused] = {}
        self.backlogs: dict[str, int] = {}
        self.aborted: list[str] = []
        self.holding: dict[DocumentId, bool] = {}

    def send(
        self,
        connections: Sequence[ConnectionId],
        _document_id: DocumentId,
        message: ServerMessage,
        but: ConnectionId | None = None,
    ) -> list[ConnectionId]:
        connections = [connection for connection in connections if connection != but]
        for connection in connections:
            self.said.setdefault(connection, []).append(message)
        return [connection for connection in connections if self.backlog(connection) > Limits().backlog_bytes]

    def acknowledge(self, requests: Sequence[Asked], seq: Seq) -> None:
        for _connection, request in requests:
            self.answers[request] = Acknowledged(seq)

    def refuse(self, _connection: ConnectionId, request: Request, refused: Refused) -> None:
        self.answers[request] = refused

    def backlog(self, connection: ConnectionId) -> int:
        return self.backlogs.get(connection, 0)

    def hold(self, document_id: DocumentId, *, holding: bool) -> None:
        self.holding[document_id] = holding

    def abort(self, connection: ConnectionId) -> None:
        self.aborted.append(connection)


class House:
    """A node over a store that can be told to fail."""

    def __init__(
        self,
        store: MemoryStore | None = None,
        sandbox: object | None = None,
        poll_seconds: float | None = None,
        engine: Engine = apply_update,
        network: MemoryBusNetwork | None = None,
        settings: RoomSettings | None = None,
    ) -> None:
        """`network` and `store`: what this node shares with others."""
        self.store = store or MemoryStore()
        self.weather = Weather(Random(1))
        self.faulty = FaultyStore(self.store, self.weather)
        self.ears = Ears()
        self.loads = 0
        sandbox = sandbox or InProcessSandbox()
        settings = replace(
            settings or RoomSettings(linger=1.0), append_deadline=3.0, poll_seconds=poll_seconds, engine=engine
        )
        clock = asyncio.get_running_loop().time
        self.bus = MemoryBus(network)
        self.rooms = Rooms(self.faulty, self.bus, cast(Sandbox, sandbox), settings, clock)
        self.rooms.attach(self.ears)
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

    async def join(self, name: str, doc: "Doc[Any] | None" = None) -> str:
        """Join as a fresh client; return the text."""
        request = JoinRequest(b"\0", ClientId(hash(name) % 2**31))
        answer, _ = await self.rooms.join(ConnectionId(name), DOCUMENT, request, ANNA)
        copy: Doc[Any] = doc or Doc()
        assert answer.missing is not None
        copy.apply_update(answer.missing)
        return str(copy.get("story", type=Text))

    def write(self, name: str, words: str, client_id: int = 5) -> str:
        """Send a change from a replica of its own; return the request."""
        doc: Doc[Any] = Doc(client_id=client_id)
        doc.get("story", type=Text).insert(0, words)
        self.rooms.receive(ConnectionId(name), DOCUMENT, encode_batch([doc.get_update()]), Request(words))
        return words

    def send(self, name: str, *updates: bytes) -> "asyncio.Future[None]":
        """Send updates as one batch, whatever they are; the answer is found under the first of them."""
        taking = self.rooms.receive(ConnectionId(name), DOCUMENT, encode_batch(updates), Request(updates[0]))
        return asyncio.ensure_future(taking) if taking is not None else asyncio.ensure_future(asyncio.sleep(0))

    async def stored_text(self) -> str:
        loaded = await self.store.log.load(DOCUMENT)
        assert loaded is not None
        doc: Doc[Any] = Doc()
        sandbox = InProcessSandbox()
        folded = await sandbox.fold(loaded.snapshot, [batch_of(row) for row in loaded.rows])
        doc.apply_update(open_snapshot(folded.snapshot) or b"")
        return str(doc.get("story", type=Text))
