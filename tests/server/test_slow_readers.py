"""Somebody who stops reading for a while: others don't notice, the server doesn't hoard, and whoever wakes is complete."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from pycrdt import Doc, Text
from websockets.asyncio.client import ClientConnection, connect

from crdt.ids import DocumentId
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.messages import Limits
from server.doors.native.gateway import BACKLOG_FACTOR
from server.rooms import RoomSettings
from tests.harness.bell import PATIENCE
from tests.harness.live_server import LiveServer, is_behind, serving
from tests.harness.log_lines import log_lines
from tests.harness.person import Person, person

CLIENT_ID = 4711
BACKLOG = 128 * 2**10
LONG = "long " * 10_000
FRAMES = 1000
"""Bytes around a row, and of what a connection sends by itself."""


class Polling:
    """Engine.IO by long-polling. Whoever does not receive does not poll, and so reads nothing."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._query = {"EIO": "4", "transport": "polling"}
        self._received: list[str] = []

    async def send(self, frame: str | bytes) -> None:
        body = frame if isinstance(frame, str) else "b" + base64.b64encode(frame).decode()
        assert (await self._http.post("/socket.io/", params=self._query, content=body)).text == "OK"

    async def recv(self) -> str | bytes:
        while not self._received:
            answer = await self._http.get("/socket.io/", params=self._query)
            self._received = answer.text.split("\x1e")
        frame = self._received.pop(0)
        if frame.startswith("0"):
            self._query["sid"] = json.loads(frame[1:])["sid"]
        return base64.b64decode(frame[1:]) if frame.startswith("b") else frame


class Sleeper:
    """One member by hand, who can stop reading."""

    def __init__(self, connection: ClientConnection | Polling, document_id: DocumentId) -> None:
        self._socket = connection
        self._document_id = document_id
        self.doc: Doc[Any] = Doc(client_id=CLIENT_ID)
        self.text = self.doc.get("story", type=Text)

    async def connects(self) -> None:
        await self._socket.recv()
        await self._socket.send("40")
        await self._socket.recv()

    async def joins(self) -> None:
        options = f'{{"state_vector":{{"_placeholder":true,"num":0}},"client_id":{CLIENT_ID}}}'
        await self._socket.send(f'451-1["join","{self._document_id}",{options}]')
        await self._socket.send(self.doc.get_state())
        answer = await self._hears("462-1")
        missing = await self._socket.recv()
        await self._socket.recv()
        assert json.loads(answer[5:])[0]["chunks"] is None
        assert isinstance(missing, bytes)
        self.doc.apply_update(missing)

    def sleeps(self) -> None:
        if isinstance(self._socket, ClientConnection):
            self._socket.transport.pause_reading()

    async def wakes(self) -> None:
        """Read on, to where the server says that something is missing, and join again."""
        if isinstance(self._socket, ClientConnection):
            self._socket.transport.resume_reading()
        await self._hears('42["resync"')
        await self.joins()

    async def _hears(self, start: str) -> str:
        while not (frame := str(await self._socket.recv())).startswith(start):
            if '["update"' in frame[:20]:
                batch = await self._socket.recv()
                assert isinstance(batch, bytes)
                for update in decode_batch(batch):
                    self.doc.apply_update(update)
        return frame


async def write_until_somebody_is_behind(server: LiveServer, writer: Person, document_id: DocumentId) -> None:
    """The kernel takes some megabytes before anything waits here."""
    for _ in range(200):
        assert "seq" in await writer.ask("update", document_id, writer.types(LONG))
        if is_behind(server, document_id):
            return
    raise AssertionError("The server went on sending to somebody who does not read.")


@asynccontextmanager
async def by_websocket(port: int) -> AsyncIterator[ClientConnection]:
    url = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
    async with connect(url, compression=None, max_size=None, max_queue=None) as connection:
        yield connection


@asynccontextmanager
async def by_polling(port: int) -> AsyncIterator[Polling]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as http:
        yield Polling(http)


Way = Callable[[int], AbstractAsyncContextManager[ClientConnection | Polling]]


@pytest.mark.slow
@pytest.mark.parametrize("way", [by_websocket, by_polling])
async def test_a_reader_who_wakes_is_complete(way: Way) -> None:
    limits = Limits(backlog_bytes=BACKLOG, part_bytes=32 * 2**20)
    async with serving(settings=RoomSettings(limits=limits)) as server, person(server) as writer:
        document_id = await server.new_document()
        await writer.join(document_id)
        async with way(server.port) as connection:
            sleeper = Sleeper(connection, document_id)
            await sleeper.connects()
            await sleeper.joins()
            sleeper.sleeps()
            await write_until_somebody_is_behind(server, writer, document_id)
            assert "seq" in await writer.ask("update", document_id, writer.types("the end"))
            waiting = max(connection.socket.backlog for connection in server.connections())
            assert waiting <= BACKLOG + len(LONG) + FRAMES  # the row that crossed the bound is the last one
            await sleeper.wakes()
            assert str(sleeper.text) == str(writer.text)


@pytest.mark.slow
async def test_who_writes_and_never_reads_is_cut_at_the_bound() -> None:
    """What fills a backlog may be nothing but answers."""
    limits = Limits(backlog_bytes=1024)
    async with serving(settings=RoomSettings(limits=limits)) as server:
        document_id = await server.new_document()
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        narrow.setblocking(False)
        await asyncio.get_running_loop().sock_connect(narrow, ("127.0.0.1", server.port))
        url = f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket"
        async with connect(url, sock=narrow, compression=None) as connection:
            sleeper = Sleeper(connection, document_id)
            await sleeper.connects()
            await sleeper.joins()
            sleeper.sleeps()
            (there,) = server.connections()
            kernels = there.socket._transport.get_extra_info("socket")  # type: ignore[union-attr]
            kernels.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            batch, most = encode_batch([sleeper.doc.get_update()]), 0
            with log_lines() as lines:
                for number in range(2, 20_000):
                    await connection.send(f'451-{number}["update","{document_id}",{{"_placeholder":true,"num":0}}]')
                    await connection.send(batch)
                    most = max(most, there.socket.backlog)
                    if there.socket.closed:
                        break
                    await asyncio.sleep(0)
            assert there.socket.closed, "it was never cut"
            assert most <= BACKLOG_FACTOR * limits.backlog_bytes
            aborted = [line["reason"] for line in lines if line["event"] == "connection_aborted"]
            assert aborted == ["takes too little of what it is sent"]
