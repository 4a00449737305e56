"""Whatever strangers send, and however often, the log stays short, says how often it happened, and keeps their words to itself."""

import asyncio
import json
import os
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness.bell import PATIENCE
from tests.server.server_process import ServerProcess, new_document, server_process

TIMES = int(os.environ.get("MANYHANDS_TEST_FLOOD", "100"))
"""Of each kind of nonsense; 10,000 make a log below 1 MB as well."""
SECRET = "hunter2-the-secret"
LINES = 40
"""More than a flood may leave in the log, whatever its kind; a minute may end in the middle of it."""

Flood = Callable[[ServerProcess, int], Awaitable[None]]

HANDSHAKE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def text_frame(content: bytes) -> bytes:
    """A client's frame, masked with zeros."""
    return struct.pack("!BB4x", 0x81, 0x80 | len(content)) + content


async def says(server: ServerProcess, *parts: bytes) -> None:
    """Connect, send, and read until the server hangs up or has answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            async with asyncio.timeout(PATIENCE):
                await reader.read(65536)
    except ConnectionError:
        pass
    finally:
        writer.close()


async def frames_that_are_no_utf8(server: ServerProcess, _: int) -> None:
    await says(server, HANDSHAKE.encode(), text_frame(b"4" + SECRET.encode() + b"\xff\xfe"))


async def frames_of_nothing(server: ServerProcess, _: int) -> None:
    await says(server, HANDSHAKE.encode(), text_frame(b"x" + SECRET.encode()))


async def requests_that_are_no_http(server: ServerProcess, _: int) -> None:
    await says(server, b"\x16\x03\x01" + SECRET.encode() + b"\r\n\r\n")


async def upgrades_to_something_else(server: ServerProcess, _: int) -> None:
    head = f"GET /{SECRET} HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
    await says(server, head.encode())


async def broken_handshakes(server: ServerProcess, number: int) -> None:
    await says(server, HANDSHAKE.replace("dGhlIHNhbXBsZSBub25jZQ==", f"{SECRET}{number}").encode())


async def refused_connects(server: ServerProcess, _: int) -> None:
    await says(server, HANDSHAKE.encode(), text_frame(b'40{"protocol":"' + SECRET.encode() + b'"}'))


async def other_namespaces(server: ServerProcess, number: int) -> None:
    await says(server, HANDSHAKE.encode(), text_frame(f"40/{SECRET}{number},".encode()))


async def bad_bodies(server: ServerProcess, number: int) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        await http.post("/api/documents", content=f'{{"title": {number}, "{SECRET}": 1}}')
        await http.get("/api/documents", params={"cursor": SECRET})
        await http.post("/socket.io/?EIO=4&transport=polling&sid=" + SECRET, content=b"x")


FLOODS: dict[str, Flood] = {
    each.__name__: each
    for each in (
        frames_that_are_no_utf8,
        frames_of_nothing,
        requests_that_are_no_http,
        upgrades_to_something_else,
        broken_handshakes,
        refused_connects,
        other_namespaces,
        bad_bodies,
    )
}


@pytest.mark.slow
async def test_no_nonsense_floods_the_log_or_is_repeated_in_it(tmp_path: Path) -> None:
    """All kinds against one server, which is well afterwards."""
    limits = ("--request-rate", "100000/100000", "--creation-rate", "100000/100000", "--log-format", "json")
    async with server_process(tmp_path, *limits) as server:
        for name, flood in FLOODS.items():
            before = len(server.log)
            for at in range(0, TIMES, 10):
                await asyncio.gather(*(flood(server, number) for number in range(at, at + 10)))
            lines = server.log[before:]
            assert len(lines) <= LINES, (name, Counter(line[:200] for line in lines).most_common(5))
        assert await new_document(server)
        written = "".join(server.log)
    assert len(written) < 2**20
    assert SECRET not in written
    events: list[dict[str, Any]] = [json.loads(line) for line in written.splitlines()]
    left_out = sum(event.get("left_out", 0) for event in events)
    told = [event for event in events if event["level"] in {"warning", "error"}]
    assert len(told) < 200, Counter(event["event"] for event in told)
    assert left_out
