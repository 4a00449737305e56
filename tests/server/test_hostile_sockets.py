"""What strangers do to Socket.IO servers, over a real loopback socket: each is refused, and the others notice nothing."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import socketio
from websockets.exceptions import InvalidStatus

from crdt.ids import DocumentId
from crdt.protocol.messages import DocumentInfo, DocumentMessage, Limits
from server.doors.native import GatewayLimits, Origins
from server.doors.native.connection import Connection
from server.doors.native.engine.packets import message_packets
from server.rooms import RoomSettings
from tests.harness.bad_frames import BAD_FRAMES
from tests.harness.bell import PATIENCE, given_time
from tests.harness.deaf_socket import deaf_socket
from tests.harness.live_server import LiveServer, serving, until
from tests.harness.log_lines import log_lines
from tests.harness.person import person
from tests.harness.raw_socket import raw_socket

pytestmark = pytest.mark.usefixtures("both_ways")


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    async with serving() as live:
        yield live


async def test_s3_malformed_frames_drop_the_client_at_once_and_leave_no_ghost(server: LiveServer) -> None:
    for story, frames in BAD_FRAMES.items():
        async with raw_socket(server.port) as stranger:
            await stranger.connected()
            assert server.gateway.connections == 1, story
            await stranger.send(*frames, *['42["leave","aaaaaaaa"]'] * 20)
            await stranger.until_closed()
        await until(lambda: server.gateway.connections == server.gateway.handshakes == 0)
    # What was sent behind the bad frame was not looked at: it would have counted as malformed.
    assert "malformed" not in server.gateway.protocol_errors


async def test_s3_malformed_frames_before_connect_drop_the_client_as_well(server: LiveServer) -> None:
    for frames in (*BAD_FRAMES.values(), ('42["leave","aaaaaaaa"]',)):
        if frames == ("40",):
            continue
        async with raw_socket(server.port) as stranger:
            await stranger.send(*frames)
            await stranger.until_closed()
        await until(lambda: server.gateway.handshakes == 0)


@pytest.mark.slow
async def test_s3_malformed_payloads_end_a_polling_session(server: LiveServer) -> None:
    async with browser(server) as http:
        for story, body in {
            "an unknown packet": b"x",
            "an empty payload": b"",
            "no UTF-8": b"\xff",
            "too many frames": b"\x1e".join([b"3"] * 1001),
            "a form, as JSONP has it": b"d=40",
            "brackets": b"42" + b"[" * 50_000,
            "a payload that is too long": b"4" * (server.gateway.message_bytes + 1),
        }.items():
            query = await _polling_session(http)
            await http.post("/socket.io/" + query, content=body)
            await until(lambda: server.gateway.connections == server.gateway.handshakes == 0)
            assert (await http.get("/socket.io/" + query)).status_code == 400, story


async def test_s1_reserved_names_reach_nobody(server: LiveServer) -> None:
    document_id = await server.new_document()
    async with person(server, name="Alice") as alice, raw_socket(server.port) as stranger:
        await alice.join(document_id)
        await stranger.connected('{"guest":{"name":"Mallory"}}')
        for ack_id, name in enumerate(("connect", "disconnect", "connect_error", "message", "*", "joined")):
            forged = {"REMOTE_ADDR": "10.0.0.1", "HTTP_COOKIE": "admin=1"}
            answer = await stranger.ask(ack_id, name, forged, {"guest": {"name": "Root"}})
            assert answer["error"]["code"] == "unknown_event"
        assert server.gateway.connections == 2
        answer = await stranger.ask(9, "authenticate", {"guest": {}})
        assert answer["user"]["name"] == "Mallory"


async def test_s2_attachments_are_not_gathered(server: LiveServer) -> None:
    async with raw_socket(server.port) as stranger:
        await stranger.connected()
        await stranger.send("459999999-[]", *[b"x" * 100_000] * 20)
        await stranger.until_closed()
    assert server.gateway.protocol_errors == {
        "an event announces a number of attachments that its kind does not have": 1
    }


async def test_s2_one_attachment_named_many_times_is_refused_not_multiplied(server: LiveServer) -> None:
    async with raw_socket(server.port) as stranger:
        await stranger.connected()
        reference = '{"_placeholder":true,"num":0}'
        state = ",".join([reference] * 200)
        await stranger.send(f'451-7["presence","aaaaaaaa",{{"state":{{"x":[{state}]}}}}]', b"x" * 1000)
        assert (await stranger.answer_to(7))["error"]["code"] == "malformed"


async def test_a_state_that_poses_as_an_attachment_is_refused(server: LiveServer) -> None:
    """Relayed beside a real attachment, in the answer to a join, it would make every newcomer's browser throw and disconnect."""
    document_id = await server.new_document()
    async with raw_socket(server.port) as stranger, person(server) as bob:
        await stranger.connected()
        await stranger.join(document_id)
        refusal = await stranger.ask(2, "presence", document_id, {"state": {"a": [{"_placeholder": True, "num": 99}]}})
        assert refusal["error"]["code"] == "malformed"
        infinite = f'423["presence","{document_id}",{{"state":{{"x":1e999}}}}]'
        await stranger.send(infinite)
        assert (await stranger.answer_to(3))["error"]["code"] == "malformed"
        assert (await bob.join(document_id))["presence"] == []


@pytest.mark.slow
async def test_s4_a_reader_that_has_stopped_is_cut_whatever_it_says() -> None:
    limits = Limits(backlog_bytes=2**16)
    async with (
        serving(limits=GatewayLimits(stall_seconds=1.0), settings=RoomSettings(limits=limits)) as server,
        person(server, name="Alice") as alice,
    ):
        document_id = await server.new_document()
        await alice.join(document_id)
        async with deaf_socket(server.port) as deaf:
            await until(lambda: server.gateway.connections == 2)
            stranger = server.connections()[-1]
            await fill(server, stranger, limits.backlog_bytes)
            await deaf.say(*["3"] * 100)
            await until(lambda: server.gateway.connections == 1)
        assert await alice.ask("presence", document_id, {"state": None}) == {}


async def test_s4_a_backlog_past_the_hard_bound_is_cut_at_once(server: LiveServer) -> None:
    async with raw_socket(server.port) as stranger, person(server) as alice:
        await stranger.connected()
        note = DocumentMessage(DocumentInfo("x" * 1_000_000, None))
        victim = server.connections()[-1]
        bound = 4 * server.rooms.limits.backlog_bytes
        for _ in range(3 * bound // 1_000_000):  # the kernel takes some of it
            victim.socket.push(message_packets(DocumentId("aaaaaaaa"), note))
        assert victim.backlog < 1000  # nothing is held for it any more
        await until(lambda: server.gateway.connections == 1)
        assert await alice.join(await server.new_document())


@pytest.mark.slow
async def test_s7_a_connection_without_connect_is_dropped_and_many_are_not_let_in() -> None:
    await given_time(idle_connections_are_dropped, 0.3)


async def idle_connections_are_dropped(seconds: float) -> bool:
    """After so many; False: the first were gone before one too many had come, or somebody who says more was too slow."""
    limits = GatewayLimits(connect_seconds=seconds, handshakes_per_address=20)
    async with serving(limits=limits) as server, browser(server) as http:
        idle = [_open_idle(server) for _ in range(20)]
        sockets = await asyncio.gather(*idle)
        answer = await http.get("/socket.io/?EIO=4&transport=polling")
        with suppress(InvalidStatus):
            sockets.append(await _open_idle(server))
        let_in = (answer.status_code == 200) + len(sockets) - 20
        if server.gateway.handshakes - let_in < 20:
            return False
        assert len(sockets) == 20
        assert answer.status_code == 429
        await until(lambda: server.gateway.handshakes == 0)
        for closed in sockets:
            await closed.__aexit__(None, None, None)
        try:
            async with person(server) as alice:
                assert alice.client.connected
        except socketio.exceptions.ConnectionError:
            return False
    return True


async def test_s8_whatever_goes_wrong_in_connect_is_a_refusal(server: LiveServer) -> None:
    for payload in ('"x"', "[1]", '{"guest":5}', '{"guest":{"name":5}}', '{"protocol":4}'):
        async with raw_socket(server.port) as stranger:
            await stranger.send("40" + payload)
            answer = str(await stranger.receive())
            assert answer.startswith("44"), payload
            assert json.loads(answer[2:])["data"]["code"] == "malformed"
            assert (server.gateway.connections, server.gateway.handshakes) == (0, 1)
            await stranger.connected()  # the same connection may try again
        await until(lambda: server.gateway.connections == server.gateway.handshakes == 0)


async def test_connections_are_limited_per_address_and_in_all() -> None:
    for limits in (GatewayLimits(connections_per_address=2), GatewayLimits(connections=2, handshakes_per_address=9)):
        async with (
            serving(limits=limits) as server,
            raw_socket(server.port) as first,
            raw_socket(server.port) as second,
        ):
            await first.connected()
            async with raw_socket(server.port) as third:
                await second.connected()
                await third.send("40")
                refusal = json.loads(str(await third.receive())[2:])
                assert refusal["data"]["code"] == "too_many"


async def test_s11_addresses_are_the_peers(server: LiveServer) -> None:
    async with raw_socket(server.port) as stranger:
        await stranger.connected()
        assert server.addresses() == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://127.0.0.1:{port}", 200),
        ("https://127.0.0.1:{port}", 200),
        ("https://friend.example", 200),
        ("https://evil.example", 403),
        ("http://127.0.0.1:1", 403),
        ("http://127.0.0.1.evil.example:{port}", 403),
        ("null", 403),
        ("http://[", 403),
        ("file://", 403),
    ],
)
async def test_s12_foreign_origins_are_refused(origin: str | None, status: int) -> None:
    async with serving(origins=Origins(("https://friend.example",))) as server:
        headers = {} if origin is None else {"Origin": origin.format(port=server.port)}
        async with browser(server) as http:
            answer = await http.get("/socket.io/?EIO=4&transport=polling", headers=headers)
        assert answer.status_code == status
        if status == 403:
            with pytest.raises(InvalidStatus):
                async with raw_socket(server.port, additional_headers=headers):
                    pass


async def test_too_many_malformed_messages_end_the_connection(server: LiveServer) -> None:
    async with raw_socket(server.port) as stranger:
        await stranger.connected()
        await stranger.send(*['42["fly"]'] * 60)
        await stranger.until_closed()
    assert server.gateway.protocol_errors == {"unknown_event": 50}


async def test_s10_thousands_of_bad_frames_write_a_few_lines(
    server: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    secret = "do-not-log-me"
    with log_lines() as lines:
        for _ in range(30):
            async with raw_socket(server.port) as stranger:
                await stranger.connected()
                await stranger.send(*[f'42["{secret}"]'] * 49, f'42{secret}["x"]')
                await stranger.until_closed()
    assert 0 < len(lines) <= 60, "two kinds, each once for each connection; test_ration.py bounds them all"
    assert {line["event"] for line in lines} == {"protocol_error"}
    written = str(lines) + caplog.text
    assert secret not in written
    assert "sid" not in written
    assert len(written) < 20_000


async def test_polls_and_payloads_do_not_overlap(server: LiveServer) -> None:
    async with browser(server) as http:
        query = await _polling_session(http)
        waiting = asyncio.ensure_future(http.get("/socket.io/" + query))
        await until(lambda: server.polls == 1)
        assert (await http.get("/socket.io/" + query)).status_code == 400
        assert (await waiting).text == "1"
        await until(lambda: server.gateway.connections == 0)


async def test_a_request_that_is_broken_off_leaves_no_trace(
    server: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with browser(server) as http:
        query = await _polling_session(http)
        head = f"POST /socket.io/{query} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
        for begun in ("", '42["le'):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write((head + begun).encode())
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        assert (await http.get("/socket.io/?EIO=4&transport=polling")).status_code == 200
    assert "Exception" not in caplog.text


async def test_handshakes_over_the_wrong_transport_are_refused(server: LiveServer) -> None:
    async with browser(server) as http:
        for query in ("?EIO=3&transport=polling", "?EIO=4&transport=websocket", "?EIO=4&transport=x", "?EIO=4&sid=x"):
            assert (await http.get("/socket.io/" + query)).status_code == 400
    assert server.gateway.handshakes == 0


@pytest.mark.slow
async def test_closing_does_not_wait_for_a_stalled_client() -> None:
    async with serving() as server, deaf_socket(server.port):
        await until(lambda: server.gateway.connections == 1)
        await fill(server, server.connections()[0], 2**16)
        async with asyncio.timeout(PATIENCE):
            await server.gateway.close()
        await until(lambda: server.gateway.connections == 0)


# What the stories need


async def fill(server: LiveServer, victim: Connection, backlog: int) -> None:
    """Send until the kernel takes no more and a backlog stays, below the gateway's own bound."""
    note = DocumentMessage(DocumentInfo("x" * 20_000, None))
    while victim.backlog < backlog:
        victim.socket.push(message_packets(DocumentId("aaaaaaaa"), note))
        for _ in range(20):
            await asyncio.sleep(0)


def browser(server: LiveServer) -> httpx.AsyncClient:
    # Loading certificates takes longer than most of these tests.
    return httpx.AsyncClient(base_url=server.url, verify=False)


async def _polling_session(http: httpx.AsyncClient) -> str:
    """A connected session over long-polling; returns its query."""
    hello = await http.get("/socket.io/?EIO=4&transport=polling")
    query = "?EIO=4&transport=polling&sid=" + json.loads(hello.text[1:])["sid"]
    await http.post("/socket.io/" + query, content="40")
    assert (await http.get("/socket.io/" + query)).text.startswith("40")
    return str(query)


async def _open_idle(server: LiveServer) -> Any:
    manager = raw_socket(server.port)
    await manager.__aenter__()
    return manager
