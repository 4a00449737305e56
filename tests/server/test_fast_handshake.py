"""The short way through the handshake, beside the long one: who is let in and what they are told is the same."""

import asyncio
from typing import Any

import pytest
from websockets.http11 import Request
from websockets.server import ServerProtocol

from server.doors.native.lane import handshake
from server.doors.native.lane.fast_lane import FastLane, lane_of
from server.doors.websocket import WRONG_PLACE, no_door
from tests.harness.bell import PATIENCE
from tests.harness.live_server import listening

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
PATH = "/socket.io/?EIO=4&transport=websocket&document=aaaaaaaa"


def plain() -> dict[str, str]:
    return {
        "host": "127.0.0.1",
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-key": KEY,
        "sec-websocket-version": "13",
    }


PLAIN: dict[str, dict[str, str]] = {
    "Chromium": {},
    "Firefox": {"connection": "keep-alive, Upgrade", "upgrade": "WebSocket"},
    "an extension": {"sec-websocket-extensions": "permessage-deflate; client_max_window_bits"},
    "a cookie": {"cookie": "a=b; c=\xe9"},
    "our own page": {"origin": "http://127.0.0.1"},
}
ODD: dict[str, dict[str, str]] = {
    "no key": {"sec-websocket-key": ""},
    "a short key": {"sec-websocket-key": "c2hvcnQ="},
    "a key that is no base64": {"sec-websocket-key": "!" * 24},
    "a key with a stray bit": {"sec-websocket-key": KEY[:21] + "R=="},
    "another version": {"sec-websocket-version": "8"},
    "two upgrades": {"upgrade": "websocket, h2c"},
    "a subprotocol": {"sec-websocket-protocol": "chat"},
    "a body": {"content-length": "3"},
    "a long header": {"x-filler": "x" * 9000},
    "many headers": {f"x-{number}": "x" for number in range(150)},
}


def head(changes: dict[str, str], path: str = PATH) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in (plain() | changes).items() if value)
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


def headers_of(changes: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in (plain() | changes).items() if value]


@pytest.mark.parametrize("changes", (PLAIN | ODD).values(), ids=(PLAIN | ODD).keys())
def test_what_is_accepted_here_websockets_accepts_by_the_same_word(changes: dict[str, str]) -> None:
    accept = handshake.acceptance("GET", PATH.encode(), "1.1", headers_of(changes))
    assert (accept is not None) == (changes in PLAIN.values())
    if accept is not None:
        other = ServerProtocol()
        other.receive_data(head(changes))
        (request,) = other.events_received()
        assert isinstance(request, Request)
        response = other.accept(request)
        assert response.status_code == 101
        assert response.headers["Sec-WebSocket-Accept"].encode() == accept


@pytest.mark.parametrize(
    ("method", "address", "version"), [("POST", "/", "1.1"), ("GET", "/", "1.0"), ("GET", "x", "1.1")]
)
def test_other_requests_are_for_websockets_to_refuse(method: str, address: str, version: str) -> None:
    assert handshake.acceptance("GET", b"/", "1.1", headers_of({})) is not None
    assert handshake.acceptance(method, address.encode(), version, headers_of({})) is None


def test_what_is_there_twice_is_not_plain() -> None:
    assert handshake.acceptance("GET", b"/", "1.1", [*headers_of({}), (b"sec-websocket-key", KEY.encode())]) is None


async def scope_of(changes: dict[str, str], path: str, websockets: Any) -> dict[str, Any]:
    """What the application is given of a request."""
    scopes = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "headers": [(b"x-mine", b"1")] if "?headers" in path else []})
        scopes.append(scope | {"lane": lane_of(send) is not None})

    async with listening(application, 2**20, websockets) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(changes, path))
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
    lines = sorted(line.lower() for line in answer.splitlines() if not line.lower().startswith(b"date"))
    (scope,) = scopes
    return scope | {"answer": lines, "client": None, "server": None}


@pytest.mark.parametrize("path", ["/", "/a%20b?c=%C3%A9&d", "/?headers"])
@pytest.mark.parametrize("changes", PLAIN.values(), ids=PLAIN.keys())
async def test_the_application_is_given_what_uvicorn_gives(changes: dict[str, str], path: str) -> None:
    short, long = await scope_of(changes, path, FastLane), await scope_of(changes, path, "websockets-sansio")
    assert short.pop("lane")
    assert not long.pop("lane")
    assert short == long


@pytest.mark.parametrize(
    ("changes", "path", "status"),
    [
        ({}, "/" + "x" * 9000, 414),
        ({}, "/y/" + "%0A" * 4000, 414),
        ({"x-filler": "x" * 9000}, PATH, 431),
        ({f"x-{number}": "x" for number in range(150)}, PATH, 431),
    ],
)
async def test_a_head_that_is_too_long_is_refused_and_neither_stays_nor_hinders_the_servers_end(
    changes: dict[str, str], path: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def application(_scope: Any, _receive: Any, _send: Any) -> None:
        raise AssertionError("nobody is to be served")

    async with listening(application, 2**20) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(changes, path))
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()  # to its end
        assert answer.startswith(f"HTTP/1.1 {status}".encode())
        writer.close()
    (line,) = caplog.messages
    assert "WebSocket" in line
    assert len(line) < 300


async def test_a_refusal_in_words_is_no_mistake_of_the_application(caplog: pytest.LogCaptureFixture) -> None:
    async with listening(no_door, 2**20) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head({}))
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 404")
        assert WRONG_PLACE.encode() in answer
        writer.close()
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


async def test_an_application_that_refuses_is_heard() -> None:
    async def application(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.close"})

    async with listening(application, 2**20) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head({}))
        assert (await reader.readline()).startswith(b"HTTP/1.1 403")
        writer.close()
