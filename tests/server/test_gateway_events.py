"""How events are carried out, in which order, and how each is answered, over a real loopback socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from websockets.exceptions import ConnectionClosed

from crdt.budget import Account
from crdt.errors import Unavailable
from crdt.ids import DocumentId
from crdt.protocol.messages import DocumentInfo, JoinAnswer, JoinRequest
from server.auth.base import Identity
from server.doors.native import GatewayLimits
from server.rooms import Ears, Rooms, Seat
from server.rooms.shares import MemoryShares
from tests.harness.bell import given_time
from tests.harness.live_server import LiveServer, serving, until
from tests.harness.person import person
from tests.harness.raw_socket import raw_socket

pytestmark = pytest.mark.usefixtures("both_ways")


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    async with serving() as live:
        yield live


class RoomsWithSlowJoin(Rooms):
    """Rooms whose joins take until the gate is opened."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.gate = asyncio.Event()

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
        await self.gate.wait()
        return await super().join(document_id, request, identity, ears, link=link, account=account)


async def test_s6_one_clients_events_are_carried_out_in_order() -> None:
    async with serving(rooms_class=RoomsWithSlowJoin) as server, raw_socket(server.port) as alice:
        rooms = cast("RoomsWithSlowJoin", server.rooms)
        document_id = await server.new_document()
        await alice.connected()
        await alice.send_join(1, document_id)
        for ack_id in range(2, 10):
            state = {"state": {"n": ack_id}}
            await alice.send(f"42{ack_id}" + json.dumps(["presence", document_id, state]))
        await alice.send(f'4210["leave","{document_id}"]')
        rooms.gate.set()
        answered: list[str] = []
        while len(answered) < 10:
            frame = await alice.receive()
            if isinstance(frame, str) and frame[:2] in ("43", "46"):
                answered.append(frame)
        assert [answer.split("[")[0] for answer in answered[1:]] == [f"43{n}" for n in range(2, 11)]
        assert all(answer.endswith("[{}]") for answer in answered[1:])


async def test_a_connection_that_goes_while_its_document_opens_leaves_nobody_behind() -> None:
    async with serving(rooms_class=RoomsWithSlowJoin) as server:
        rooms = cast("RoomsWithSlowJoin", server.rooms)
        document_id = await server.new_document()
        async with raw_socket(server.port) as ghost:
            await ghost.connected()
            await ghost.send_join(1, document_id)
            await until(lambda: server.gateway.connections == 1)
            server.connections()[0].abort()
            await until(lambda: server.gateway.connections == 0)
        rooms.gate.set()
        async with person(server) as alice:
            assert (await alice.join(document_id))["presence"] == []


async def test_s14_every_event_is_answered_also_when_we_are_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a bug")

    def not_now(*_: object) -> bytes:
        raise Unavailable("Not now.")

    monkeypatch.setattr(Seat, "moves", fails)
    monkeypatch.setattr(Seat, "part", not_now)
    async with serving() as server, raw_socket(server.port) as alice:
        await alice.connected()
        document_id = await server.new_document()
        await alice.join(document_id)
        assert (await alice.ask(1, "presence", document_id, {"state": None}))["error"]["code"] == "internal"
        assert (await alice.ask(2, "fetch", document_id, {"index": 0}))["error"]["code"] == "unavailable"
        assert (await alice.ask(3, "leave", 5))["error"]["code"] == "malformed"
        assert (await alice.ask(4, "fly", 5))["error"]["code"] == "unknown_event"
        assert await alice.ask(5, "leave", document_id) == {}


async def test_an_update_without_ack_that_is_refused_closes_the_session(server: LiveServer) -> None:
    document_id = await server.new_document()
    for frames in (
        (f'451-["update","{document_id}",{{"_placeholder":true,"num":0}}]', b"\xff"),
        (f'451-["update","{document_id}",{{"_placeholder":true,"num":0}}]', bytes(300_000)),
        (f'42["update","{document_id}","text"]',),
    ):
        async with raw_socket(server.port) as alice:
            await alice.connected()
            await alice.join(document_id)
            await alice.send(*frames)
            event = await alice.receive_event("closed")
            assert event[1] == document_id
            assert event[2]["code"] in ("malformed", "too_large", "bad_update")
            refusal = await alice.ask(2, "presence", document_id, {"state": None})
            assert refusal["error"]["code"] == "not_joined"


async def test_an_upload_out_of_order_is_forgotten(server: LiveServer) -> None:
    document_id = await server.new_document()
    async with person(server) as alice:
        part = {"offset": 0, "total": 100}
        assert (await alice.ask("upload", document_id, part, bytes(50)))["error"]["code"] == "not_joined"
        await alice.join(document_id)
        assert await alice.ask("upload", document_id, part, bytes(50)) == {"received": 50}
        late = await alice.ask("upload", document_id, {"offset": 60, "total": 100}, bytes(40))
        assert late["error"]["code"] == "malformed"
        again = await alice.ask("upload", document_id, {"offset": 50, "total": 100}, bytes(50))
        assert again["error"]["code"] == "malformed"
        huge = {"offset": 0, "total": 2**40}
        assert (await alice.ask("upload", document_id, huge, bytes(50)))["error"]["code"] == "too_large"
        wide = {"offset": 0, "total": 300_000}
        assert (await alice.ask("upload", document_id, wide, bytes(300_000)))["error"]["code"] == "too_large"


async def test_documents_are_limited_per_connection() -> None:
    async with serving(limits=GatewayLimits(documents_per_connection=2)) as server, person(server) as alice:
        for expected in (None, None, "too_many"):
            answer = await alice.join(await server.new_document())
            assert answer.get("error", {}).get("code") == expected


async def test_however_a_connection_ends_its_seat_is_left_once(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[object] = []
    leave = MemoryShares.leave

    def counted(memory_shares: MemoryShares, seat: Seat) -> None:
        left.append(seat.ears)
        leave(memory_shares, seat)

    monkeypatch.setattr(MemoryShares, "leave", counted)
    async with serving() as server:
        document_id = await server.new_document()
        for last_words in (("41",), ("1",), ("x",), ("41", "x"), ("x", "41", "1"), ()):
            async with raw_socket(server.port) as somebody:
                await somebody.connected()
                await somebody.join(document_id)
                (connection,) = server.connections()
                await somebody.send(*last_words)
                if not last_words:
                    connection.abort()
                    connection.abort()
            await until(lambda: server.gateway.connections == server.gateway.handshakes == 0)
            assert left.count(connection) == 1


@pytest.mark.slow
async def test_who_answers_pings_stays_and_who_does_not_goes() -> None:
    await given_time(only_the_silent_one_goes, 0.3)


async def only_the_silent_one_goes(ping_timeout: float) -> bool:
    """False: whoever answers was too slow."""
    limits = GatewayLimits(ping_interval=0.05, ping_timeout=ping_timeout)
    async with serving(limits=limits) as server, raw_socket(server.port) as alive, raw_socket(server.port) as silent:
        try:
            await alive.connected()
            await silent.connected()
            while server.gateway.connections == 2:
                if await alive.receive() == "2":
                    await alive.send("3")
            await silent.until_closed()
            assert await alive.ask(1, "leave", "aaaaaaaa") == {}
        except ConnectionClosed:
            return False
        return True
