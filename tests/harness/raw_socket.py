"""Engine.IO by hand over a WebSocket, for frames that no decent client would send."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.harness.bell import PATIENCE


class RawSocket:
    """One connection, which sends any frames as they are."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, *frames: str | bytes) -> None:
        """Send frames. A server that has closed the connection meanwhile is no error here."""
        try:
            for frame in frames:
                await self._connection.send(frame)
        except ConnectionClosed:
            pass

    async def receive(self) -> str | bytes:
        async with asyncio.timeout(PATIENCE):
            return await self._connection.recv()

    async def receive_event(self, name: str) -> list[Any]:
        """Skip to the next event with this name. Attachments come from the frames that follow."""
        while True:
            frame = await self.receive()
            if isinstance(frame, str) and f'["{name}"' in frame[:40]:
                return list(json.loads(frame[frame.index("[") :]))

    async def connected(self, payload: str = "") -> None:
        """Send CONNECT, and read the answer."""
        await self.send("40" + payload)
        while (answer := await self.receive()) == "2":
            pass  # a ping that was faster
        assert isinstance(answer, str), answer
        assert answer.startswith("40"), answer

    async def send_join(self, ack_id: int, document_id: str, client_id: int = 1) -> None:
        options = f'{{"state_vector":{{"_placeholder":true,"num":0}},"client_id":{client_id}}}'
        await self.send(f'451-{ack_id}["join","{document_id}",{options}]', b"\x00")

    async def join(self, document_id: str, client_id: int = 1) -> None:
        """Join with an empty state vector, and wait for the answer."""
        await self.send_join(1, document_id, client_id)
        while not str(await self.receive()).startswith("46"):
            pass

    async def ask(self, ack_id: int, event: str, *arguments: object) -> Any:
        """Send an event without attachments, and return the value of its ack."""
        await self.send(f"42{ack_id}" + json.dumps([event, *arguments]))
        return await self.answer_to(ack_id)

    async def answer_to(self, ack_id: int) -> Any:
        while True:
            frame = await self.receive()
            if isinstance(frame, str) and frame.startswith(f"43{ack_id}["):
                return json.loads(frame[len(f"43{ack_id}") :])[0]

    async def until_closed(self) -> None:
        """Read until the server closes the connection."""
        async with asyncio.timeout(PATIENCE):
            try:
                while True:
                    await self._connection.recv()
            except ConnectionClosed:
                return


@asynccontextmanager
async def raw_socket(port: int, **options: Any) -> AsyncIterator[RawSocket]:
    """Open a connection and read its handshake."""
    url = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
    async with connect(
        url, compression=None, max_size=None, open_timeout=PATIENCE, close_timeout=1, **options
    ) as connection:
        opened = RawSocket(connection)
        hello = await opened.receive()
        assert isinstance(hello, str), hello
        assert hello.startswith("0{"), hello
        yield opened
