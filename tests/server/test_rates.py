"""How much a connection may ask in how short a time, and what becomes of what is too much."""

import json
from contextlib import AsyncExitStack
from typing import Any

import pytest
from msgspec.structs import replace
from pycrdt import Doc, Text

from crdt.budget import Rate, address_group
from crdt.errors import Code, ProtocolError
from crdt.ids import ClientId, DocumentId
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import JoinRequest, Limits, User
from crdt.protocol.requests import Authenticate, Broadcast, ClientRequest, Guest, Join, Leave, Presence, Update
from server.auth.base import Credentials, Identity
from server.doors.entrance import UserConnections
from server.doors.native import GatewayLimits
from server.doors.rates import PAUSE_SECONDS, ConnectionRates
from server.http.middleware import Shares
from server.rooms import RoomSettings
from tests.harness.bell import given_time
from tests.harness.live_server import serving, until
from tests.harness.person import person
from tests.harness.raw_socket import RawSocket, raw_socket

DOCUMENT = DocumentId("a-document")
JOIN = Join(DOCUMENT, JoinRequest(b"\0", ClientId(1)))
SLOW = Rate(1, 2)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def refusal(rates: ConnectionRates, request: ClientRequest) -> str | None:
    """The sentence, if it is refused."""
    try:
        await rates.admit(request, answered=True)
    except ProtocolError as error:
        return error.message if error.code is Code.RATE_LIMITED else f"not this: {error}"
    return None


@pytest.mark.parametrize(
    ("limits", "request_"),
    [
        (GatewayLimits(joins=SLOW), JOIN),
        (GatewayLimits(updates=SLOW), Update(DOCUMENT, b"x")),
        (GatewayLimits(content_bytes=Rate(1, 2)), Update(DOCUMENT, b"x")),
        (GatewayLimits(presence=SLOW), Presence(DOCUMENT, None)),
        (GatewayLimits(presence=SLOW), Authenticate(Guest("Anna"))),
        (GatewayLimits(presence=SLOW), Broadcast(DOCUMENT, b"x")),
        (GatewayLimits(content_bytes=Rate(1, 2)), Broadcast(DOCUMENT, b"x")),
    ],
)
async def test_past_the_burst_each_kind_is_refused_until_its_time_has_come(
    limits: GatewayLimits, request_: ClientRequest
) -> None:
    clock = Clock()
    rates = ConnectionRates(limits, clock)
    assert [await refusal(rates, request_) for _ in range(2)] == [None, None]
    sentence = await refusal(rates, request_)
    assert sentence is not None
    assert sentence.endswith("try again in 1 s.")
    clock.now += 1
    assert await refusal(rates, request_) is None
    assert await refusal(rates, request_) is not None


async def test_kinds_do_not_take_from_each_other() -> None:
    rates = ConnectionRates(GatewayLimits(joins=Rate(1, 1), updates=SLOW, presence=SLOW), Clock())
    assert await refusal(rates, JOIN) is None
    assert await refusal(rates, JOIN) is not None
    requests: list[ClientRequest] = [Update(DOCUMENT, b"x"), Presence(DOCUMENT, None), Leave(DOCUMENT)]
    for request in 2 * requests:
        assert await refusal(rates, request) is None


async def test_after_a_refused_change_those_that_build_on_it_are_refused_too() -> None:
    """At 1000 a second there is room again at once; what is on its way then lacks the one that was refused."""
    clock = Clock()
    rates = ConnectionRates(GatewayLimits(updates=Rate(1000, 1)), clock)
    assert await refusal(rates, Update(DOCUMENT, b"x")) is None
    assert await refusal(rates, Update(DOCUMENT, b"x")) is not None
    clock.now += 0.9 * PAUSE_SECONDS
    assert await refusal(rates, Update(DOCUMENT, b"x")) is not None
    clock.now += 0.2 * PAUSE_SECONDS
    assert await refusal(rates, Update(DOCUMENT, b"x")) is None


def test_a_persons_connections_are_counted() -> None:
    people = UserConnections(2)
    people.enter("anna")
    people.enter("anna")
    with pytest.raises(ProtocolError, match="2 connections"):
        people.enter("anna")
    people.enter("bob")
    people.leave("anna")
    people.enter("anna")


def test_addresses_of_one_group_share_a_bucket() -> None:
    clock = Clock()
    shares = Shares(SLOW, clock)
    assert address_group("2001:db8::1") == address_group("2001:db8::ffff:1") != address_group("2001:db8:0:1::1")
    assert [shares.take("2001:db8::1"), shares.take("2001:db8::2")] == [0, 0]
    assert shares.take("2001:db8::3") == 1.0
    assert shares.take("2001:db8:0:1::1") == 0
    clock.now += 1
    assert shares.take("2001:db8::4") == 0


def test_the_table_of_address_groups_is_bounded_and_forgets_who_was_quiet_longest() -> None:
    shares = Shares(Rate(0.001, 1), Clock(), places=100)
    assert shares.take("10.0.0.1") == 0
    for number in range(99):
        assert shares.take(f"10.1.0.{number}") == 0
        assert shares.take("10.0.0.1") > 0
    for number in range(99):
        shares.take(f"10.2.0.{number}")
    assert len(shares) == 100
    assert shares.take("10.0.0.1") > 0
    assert shares.take("10.1.0.1") == 0, "forgotten, and so begins anew"


# Over a real socket


def update_frames(document_id: str, ack_id: str, batch: bytes) -> tuple[str, bytes]:
    return f'451-{ack_id}["update","{document_id}",{{"_placeholder":true,"num":0}}]', batch


@pytest.mark.slow
async def test_a_refused_change_is_kept_and_taken_later() -> None:
    await given_time(the_second_change_is_taken_after_a_while, 0.05)


async def the_second_change_is_taken_after_a_while(seconds: float) -> bool:
    """False: it was asked for after that while, and taken at once."""
    async with serving(limits=GatewayLimits(updates=Rate(1 / seconds, 1))) as server, person(server) as alice:
        document_id = await server.new_document()
        await alice.join(document_id)
        first, second = alice.types("Once"), alice.types(" upon a time")
        assert await alice.ask("update", document_id, first) == {"seq": 1}
        answer = await alice.ask("update", document_id, second)
        if "error" not in answer:
            return False
        while "error" in answer:
            assert answer["error"]["code"] == "rate_limited"
            answer = await alice.ask("update", document_id, second)
        assert answer == {"seq": 2}
    return True


async def test_changes_that_ask_for_no_ack_wait_instead_and_all_of_them_arrive() -> None:
    limits = GatewayLimits(updates=Rate(100, 1))
    async with serving(limits=limits) as server, person(server) as reader, raw_socket(server.port) as program:
        document_id = await server.new_document()
        await reader.join(document_id)
        await joined(program, document_id)
        writer = Doc[Any](client_id=1)
        text = writer.get("story", type=Text)
        for word in ("once ", "upon ", "a ", "time ", "there ", "was "):
            before = writer.get_state()
            text += word
            await program.send(*update_frames(document_id, "", encode_batch([writer.get_update(before)])))
        while str(reader.text) != "once upon a time there was ":
            await reader.hears("update")
        assert await program.ask(7, "presence", document_id, {"state": None}) == {}, "its session goes on"


async def test_the_parts_of_an_upload_wait_too() -> None:
    limits = GatewayLimits(updates=Rate(100, 1), content_bytes=Rate(100_000, 1000))
    settings = RoomSettings(limits=replace(Limits(), part_bytes=1000))
    async with serving(limits=limits, settings=settings) as server, person(server) as alice:
        document_id = await server.new_document()
        await alice.join(document_id)
        batch = alice.types("word " * 1000)
        answer: Any = None
        for offset in range(0, len(batch), 1000):
            part = {"offset": offset, "total": len(batch)}
            answer = await alice.ask("upload", document_id, part, batch[offset : offset + 1000])
        assert answer == {"seq": 1}


async def test_a_flood_of_what_is_small_waits_and_is_answered() -> None:
    async with serving(limits=GatewayLimits(updates=Rate(200, 1))) as server, raw_socket(server.port) as program:
        await program.connected()
        for ack_id in range(1, 21):
            assert await program.ask(ack_id, "leave", "a-document") == {}


@pytest.mark.slow
async def test_who_waits_for_long_is_not_taken_for_dead() -> None:
    """Its pong waits behind what it said before."""
    limits = GatewayLimits(updates=Rate(50, 1), ping_interval=0.05, ping_timeout=0.3)
    async with serving(limits=limits) as server, raw_socket(server.port) as program:
        await program.connected()
        for ack_id in range(1, 41):
            await program.send(f'42{ack_id}["leave","a-document"]')
        assert await program.answer_to(40) == {}


async def test_who_waits_and_goes_is_gone() -> None:
    async with serving(limits=GatewayLimits(updates=Rate(10, 1))) as server, person(server) as alice:
        document_id = await server.new_document()
        async with raw_socket(server.port) as program:
            await joined(program, document_id)
            for word in ("one ", "two ", "three ", "four "):
                await program.send(*update_frames(document_id, "", alice.types(word)))
        assert (await alice.join(document_id))["role"] == "editor"


async def joined(program: RawSocket, document_id: str) -> None:
    await program.connected()
    await program.join(document_id)


class Doorkeeper:
    """Knows people by what they call themselves."""

    async def identify(self, credentials: Credentials) -> Identity:
        name = credentials.guest.name or "nobody"
        return Identity(User(name, name, "#112233"), "guest")


async def test_one_person_has_so_many_connections_and_others_have_theirs() -> None:
    limits = GatewayLimits(connections_per_user=2)
    async with serving(limits=limits, authenticator=Doorkeeper()) as server, AsyncExitStack() as sockets:

        async def comes(name: str) -> str:
            """What CONNECT is answered with, in short."""
            socket = await sockets.enter_async_context(raw_socket(server.port))
            await socket.send(f'40{{"guest":{{"name":"{name}"}}}}')
            answer = str(await socket.receive())
            return "in" if answer.startswith("40") else json.loads(answer[2:])["data"]["code"]

        assert [await comes("Anna") for _ in range(3)] == ["in", "in", "too_many"]
        assert await comes("Bert") == "in"
        server.connections()[0].abort()
        await until(lambda: server.gateway.connections == 2)
        assert await comes("Anna") == "in"


async def test_joins_and_cursors_are_refused_by_name() -> None:
    limits = GatewayLimits(joins=Rate(0.01, 1), presence=Rate(0.01, 1))
    async with serving(limits=limits) as server, person(server) as alice:
        document_id = await server.new_document()
        assert "error" not in await alice.join(document_id)
        assert (await alice.join(document_id))["error"]["code"] == "rate_limited"
        assert await alice.ask("presence", document_id, {"state": {"cursor": 1}}) == {}
        assert (await alice.ask("presence", document_id, {"state": None}))["error"]["code"] == "rate_limited"
        assert await alice.ask("leave", document_id) == {}
