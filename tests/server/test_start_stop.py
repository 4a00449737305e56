"""A server's life as a process: it says where it is, serves, and leaves without losing anything."""

import asyncio
import contextlib
import resource
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import socketio
from pycrdt import Doc, Text
from websockets.frames import Frame, Opcode

from crdt.protocol.batch import encode_batch
from server.app import create_app
from server.cli.serve import server_config
from server.config import Config
from server.config.loading import load
from tests.harness.bell import PATIENCE
from tests.harness.memory_store import memory_store
from tests.harness.person import PatientClient
from tests.server.server_process import ServerProcess, new_document, server_process

A_MOMENT = 0.3

GOODBYE = b"\x88\x02\x03\xe8"
"""A server's WebSocket frame that says that it closes, with the code of a normal end."""


NOT_FOR_SQLITE = {
    "alembic",
    "asyncpg",
    "authlib",
    "hiredis",
    "httpx2",
    "jwt",
    "markdown_it",
    "PIL",
    "redis.asyncio",
    "selectolax",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.orm",
}
"""Libraries that a server with SQLite and guests, and without Redis, does not need."""


class Writer:
    """Somebody with a document open."""

    def __init__(self) -> None:
        self.socket: Any = PatientClient()
        self.draining = asyncio.Event()
        self.socket.on("draining", lambda _: self.draining.set())
        self.document_id = ""

    async def open(self, url: str, document_id: str) -> dict[str, Any]:
        """Connect and join; the answer to the join."""
        self.document_id = document_id
        await self.socket.connect(url, transports=["websocket"], auth={"protocol": 1})
        wanted = {"state_vector": b"\0", "client_id": 1}
        answer: dict[str, Any] = await self.socket.call("join", (document_id, wanted), timeout=PATIENCE)
        return answer

    async def types(self, text: str) -> dict[str, Any]:
        """Send an edit; the ack."""
        doc: Doc[Text] = Doc()
        doc["note"] = Text(text)
        batch = encode_batch([doc.get_update()])
        ack: dict[str, Any] = await self.socket.call("update", (self.document_id, batch), timeout=PATIENCE)
        return ack

    async def has_been_heard(self) -> None:
        """What is said on one connection is taken in order: an answer to this says that the server has everything before it."""
        await self.socket.call("presence", (self.document_id, {"state": None}), timeout=PATIENCE)


@contextlib.asynccontextmanager
async def writer() -> AsyncIterator[Writer]:
    somebody = Writer()
    try:
        yield somebody
    finally:
        await somebody.socket.disconnect()


async def make_document(server: ServerProcess) -> str:
    async with httpx.AsyncClient(base_url=server.url) as client:
        document_id: str = (await client.post("/api/documents", json={"title": "Notes"})).json()["id"]
        return document_id


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
async def test_what_was_acknowledged_is_there_after_a_restart(tmp_path: Path, number: signal.Signals) -> None:
    async with server_process(tmp_path) as server, writer() as alice:
        document_id = await make_document(server)
        await alice.open(server.url, document_id)
        assert await alice.types("hello") == {"seq": 1}
        server.signal(number)
        async with asyncio.timeout(PATIENCE):
            await alice.draining.wait()
        assert await server.end() == 0
    assert [line for line in server.log if "[info" not in line] == [], "an ordinary stop is nothing to be warned of"
    async with server_process(tmp_path) as server, writer() as bob:
        answer = await bob.open(server.url, document_id)
        doc: Doc[Text] = Doc()
        doc.apply_update(answer["missing"])
        assert str(doc.get("note", type=Text)) == "hello"
        async with httpx.AsyncClient(base_url=server.url) as client:
            assert (await client.get("/ready")).json() == {"status": "ready"}
            assert (await client.get("/api/documents")).json()["documents"][0]["title"] == "Notes"


def open_files(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


@contextlib.asynccontextmanager
async def bare_websocket(server: ServerProcess) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection past its handshake, whose frames nobody reads or answers but the test."""
    host, port = server.url.removeprefix("http://").split(":")
    reader, stream = await asyncio.open_connection(host, int(port))
    with contextlib.closing(stream):
        stream.write(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2l4dGVlbiBieXRlcyEhIQ==\r\n\r\n"
        )
        async with asyncio.timeout(PATIENCE):
            assert b" 101 " in await reader.readline()
        yield reader, stream


@pytest.mark.slow
async def test_an_idle_server_stops_while_somebody_stays_connected_without_reading(tmp_path: Path) -> None:
    async with server_process(tmp_path, "--shutdown-seconds", "600") as server, bare_websocket(server):
        server.signal(signal.SIGTERM)
        assert await server.end() == 0
    assert [line for line in server.log if "[info" not in line] == [], "an ordinary stop is nothing to be warned of"


@pytest.mark.slow
async def test_who_is_still_sending_when_the_server_goes_can_read_its_last_words(tmp_path: Path) -> None:
    """A TCP connection that is closed while something arrives on it is reset, and the answers that its peer has not read are gone."""
    async with server_process(tmp_path) as server, bare_websocket(server) as (reader, stream):
        server.signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await reader.readuntil(GOODBYE)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(A_MOMENT):  # the server waits for an answer, and does not hang up meanwhile
                await reader.read()
        stream.write(Frame(Opcode.TEXT, b"still sending").serialize(mask=True))
        stream.write(Frame(Opcode.CLOSE, GOODBYE[2:]).serialize(mask=True))
        async with asyncio.timeout(PATIENCE):
            assert await reader.read() == b""
        assert await server.end() == 0


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "signals"), [("0.5", 1), ("600", 2)])
async def test_a_stop_that_waits_for_the_store_ends_by_its_deadline_or_a_second_signal(
    tmp_path: Path, seconds: str, signals: int
) -> None:
    async with server_process(tmp_path, "--shutdown-seconds", seconds) as server, writer() as alice:
        await alice.open(server.url, await make_document(server))
        with contextlib.closing(sqlite3.connect(tmp_path / "manyhands.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            edit = asyncio.create_task(alice.types("never acknowledged"))
            await asyncio.sleep(0)  # the edit's turn: it is sent before what follows
            await alice.has_been_heard()
            for _ in range(signals):
                server.signal(signal.SIGTERM)
                async with asyncio.timeout(PATIENCE):
                    await alice.draining.wait()
            assert await server.end() == 0
            assert any("server_stop_cut_short" in line for line in server.log) or signals == 2
        edit.cancel()
        with contextlib.suppress(asyncio.CancelledError, socketio.exceptions.SocketIOError):
            await edit


@pytest.mark.slow
async def test_who_is_turned_away_for_want_of_open_files_is_written_down_with_what_to_do(tmp_path: Path) -> None:
    async with server_process(tmp_path) as server, contextlib.AsyncExitStack() as crowd:
        _, most = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        there = open_files(server.pid)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (there + 3, most))
        host, port = server.url.removeprefix("http://").split(":")
        for _ in range(20):
            _, stream = await asyncio.open_connection(host, int(port))
            crowd.callback(stream.close)
        async with asyncio.timeout(PATIENCE):
            while not any("out_of_files" in line for line in server.log):  # noqa: ASYNC110 - the server looks once a second
                await asyncio.sleep(0.1)
        (line,) = (line for line in server.log if "out_of_files" in line)
        assert "ulimit -n" in line
        await crowd.aclose()
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (most, most))
        assert await make_document(server)


async def test_an_app_under_any_asgi_server_opens_and_closes_by_lifespan() -> None:
    app = create_app(Config(), store=memory_store())
    async with app.running():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            assert (await client.get("/ready")).status_code == 200
            await app.stop()
            assert (await client.get("/ready")).status_code == 503


async def test_one_bound_holds_for_messages_from_the_socket_to_the_gateway() -> None:
    config = load({"MANYHANDS_MAX_PART_BYTES": "2000000", "MANYHANDS_MAX_BACKLOG_BYTES": "4000000"}, {})
    app = create_app(config, store=memory_store())
    served = server_config(config, app)
    assert (
        served.ws_max_size == app.gateway.message_bytes == app.gateway.asgi_app.engineio_server.eio.max_http_buffer_size
    )
    assert served.ws_max_size > config.documents.max_part_bytes
    assert not served.ws_per_message_deflate
    assert not served.proxy_headers
    assert served.limit_concurrency is not None
    assert served.limit_concurrency > config.connections.max_connections
    assert served.timeout_graceful_shutdown is not None


async def test_proxies_are_believed_only_when_named() -> None:
    config = load({"MANYHANDS_TRUSTED_PROXIES": "10.0.0.0/8,::1"}, {})
    served = server_config(config, create_app(config, store=memory_store()))
    assert served.proxy_headers
    assert served.forwarded_allow_ips == ["10.0.0.0/8", "::1/128"]


@pytest.mark.slow
async def test_a_server_with_sqlite_imports_nothing_that_only_others_need(tmp_path: Path) -> None:
    program = (sys.executable, "-X", "importtime", "-m", "server")
    async with server_process(tmp_path, program=program) as server:
        writer = Writer()
        await writer.open(server.url, await new_document(server))
        assert "error" not in await writer.types("words")
        await writer.socket.disconnect()
        server.signal(signal.SIGTERM)
        assert await server.end() == 0
    imported = {line.rpartition("|")[2].strip() for line in server.log if line.startswith("import time:")}
    assert {"sqlite3", "socketio.async_server"} <= imported
    assert imported & NOT_FOR_SQLITE == set()
