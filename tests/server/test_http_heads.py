"""Request heads that never end, over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from server.http.requests import MAX_HEAD_BYTES, BoundedHttpProtocol
from tests.harness.bell import PATIENCE


async def echo_length(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@asynccontextmanager
async def connected(seconds: float = 60.0) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server whose heads must arrive in `seconds`."""

    class Protocol(BoundedHttpProtocol):
        head_seconds = seconds

    config = uvicorn.Config(echo_length, log_config=None, access_log=False)
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Protocol(config, ServerState(), {}), "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """Everything until the other side ends the connection, in whichever way."""
    got = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while chunk := await reader.read(2**16):
                got += chunk
    except ConnectionResetError:
        pass
    return got


async def test_headers_without_end_are_cut_off() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n" + (b"X-Filler: " + b"x" * 1000 + b"\r\n") * 300)
        assert (await all_of(reader)).startswith(b"HTTP/1.1 400")


async def test_one_header_without_end_is_cut_off() -> None:
    async with connected() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nX-Filler: " + b"x" * (4 * MAX_HEAD_BYTES))
        assert (await all_of(reader)).startswith(b"HTTP/1.1 400")


async def test_a_connection_that_asks_nothing_is_closed() -> None:
    async with connected(seconds=0.02) as (reader, _):
        assert await all_of(reader) == b""


async def test_a_head_that_trickles_is_closed() -> None:
    async with connected(seconds=0.02) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: a")
        assert await all_of(reader) == b""


async def test_a_large_body_is_no_large_head() -> None:
    body = b"x" * (4 * MAX_HEAD_BYTES)
    async with connected() as (reader, writer):
        head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        writer.write(head + body)
        assert (await all_of(reader)).endswith(str(len(body)).encode())
