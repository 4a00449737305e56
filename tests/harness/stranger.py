"""A stranger with python-socketio's client, who sends any bytes and notes the answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from pycrdt import Doc, Text

from crdt.errors import Code
from crdt.protocol.batch import encode_batch
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from tests.harness.bell import PATIENCE
from tests.harness.person import PatientClient

PART = 200_000


class Stranger:
    """One connection, in one document at a time."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._document_id = ""
        self._client_id = 1

    async def joins(self, document_id: str, state_vector: bytes = b"\0", client_id: int | None = None) -> Code | None:
        """Join without a key, as client 1 or as before. Return the refusal's code."""
        self._document_id, self._client_id = document_id, client_id or self._client_id
        return await self._ask("join", {"state_vector": state_vector, "client_id": self._client_id})

    async def reads(self, document_id: str, root: str) -> str:
        """Join, and return the text in one of the document's roots."""
        self._document_id = document_id
        answer = await self._socket.call(
            "join", (document_id, {"state_vector": b"\0", "client_id": 1}), timeout=PATIENCE
        )
        assert "error" not in answer, answer
        missing = answer["missing"]
        if missing is None:
            count = answer["chunks"]["count"]
            parts = [await self._socket.call("fetch", (document_id, {"index": at})) for at in range(count)]
            missing = b"".join(part["chunk"] for part in parts)
        doc: Doc[Any] = Doc()
        doc.apply_update(inspect(missing, GateLimits(), durable=True).engine)
        return "".join(part for part, _ in doc.get(root, type=Text).diff() if isinstance(part, str))

    async def leaves(self) -> None:
        await self._ask("leave")

    async def sends(self, update: bytes) -> Code | None:
        """Send one update, in parts if it is large.

        Return the refusal's code, or None once the update is durable.
        """
        return await self.sends_batch(encode_batch([update]))

    async def sends_batch(self, batch: bytes) -> Code | None:
        """Do the same with bytes that need not be a batch."""
        if len(batch) <= PART:
            return await self._ask("update", batch)
        return await self._uploads(batch, len(batch))

    async def leaves_unfinished(self, size: int) -> Code | None:
        """Begin an upload, and send all of it but one byte. Return the refusal's code."""
        return await self._uploads(bytes(size - 1), size)

    async def _uploads(self, content: bytes, total: int) -> Code | None:
        code = None
        for offset in range(0, len(content), PART):
            code = await self._ask("upload", {"offset": offset, "total": total}, content[offset : offset + PART])
            if code is not None:
                break
        return code

    async def _ask(self, event: str, *arguments: object) -> Code | None:
        answer = await self._socket.call(event, (self._document_id, *arguments), timeout=PATIENCE)
        return Code(answer["error"]["code"]) if "error" in answer else None


@asynccontextmanager
async def stranger(url: str) -> AsyncIterator[Stranger]:
    """Connect a stranger for a while."""
    async with aiohttp.ClientSession() as http:
        socket: Any = PatientClient(http)
        await socket.connect(url, transports=["websocket"])
        try:
            yield Stranger(socket)
        finally:
            websocket = socket.eio.ws
            await socket.disconnect()
            if websocket is not None:
                websocket._response.close()
