"""A person with python-socketio's own client, which speaks the native protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import aiohttp
import socketio
from pycrdt import Doc, Text

from crdt.protocol.batch import decode_batch, encode_batch
from tests.harness.bell import PATIENCE


class PatientClient(socketio.AsyncClient):  # type: ignore[misc]
    """python-socketio's client, with more patience.

    By default the client waits one second for CONNECT, and five for an HTTP request.
    """

    def __init__(self, http: Any = None) -> None:
        super().__init__(reconnection=False, handle_sigint=False, http_session=http, request_timeout=PATIENCE)

    async def connect(self, url: str, **options: Any) -> None:
        await super().connect(url, wait_timeout=PATIENCE, **options)

    async def _handle_eio_disconnect(self, reason: str) -> None:
        """Fail at once when the connection ends before CONNECT is answered.

        By itself the client would wait for the answer until its patience ends.
        """
        if not self.connected and self._connect_event is not None:
            self.namespaces.clear()
            self.failed_namespaces = list(self.connection_namespaces)
            self._connect_event.set()
        await super()._handle_eio_disconnect(reason)

    async def disconnect(self) -> None:
        """Leave once everything is sent.

        Over long-polling the client does not do so, and waits 25 s for the server's next ping.
        """
        if self.eio.state == "connected":
            said = asyncio.ensure_future(self.eio.queue.join())
            await asyncio.wait({said, self.eio.write_loop_task}, return_when=asyncio.FIRST_COMPLETED)
            said.cancel()
        await super().disconnect()


class Server(Protocol):
    """Anything with an address."""

    @property
    def url(self) -> str:
        """The address without a path."""


class Person:
    """One client with a replica of one document, which takes in what the server sends."""

    def __init__(self, server: Server, transport: str, http: "ReadingSession") -> None:
        self.client = PatientClient(http)
        self.doc: Doc = Doc()  # type: ignore[type-arg]
        self.text = self.doc.get("story", type=Text)
        self.heard: asyncio.Queue[tuple[str, tuple[Any, ...]]] = asyncio.Queue()
        self._server = server
        self._transport = transport
        self.client.on("*", self._hear)

    async def _hear(self, event: str, *arguments: Any) -> None:
        if event == "update":
            for update in decode_batch(arguments[2]):
                self.doc.apply_update(update)
        self.heard.put_nowait((event, arguments))

    async def connect(self, auth: dict[str, Any] | None = None) -> None:
        await self.client.connect(self._server.url, auth=auth, transports=[self._transport])

    async def ask(self, event: str, *arguments: Any) -> Any:
        return await self.client.call(event, arguments, timeout=PATIENCE)

    async def join(self, document_id: str) -> Any:
        options = {"state_vector": self.doc.get_state(), "client_id": self.doc.client_id}
        answer = await self.ask("join", document_id, options)
        if answer.get("missing") is not None:
            self.doc.apply_update(answer["missing"])
        return answer

    def types(self, words: str) -> bytes:
        """Change the text, and return the change as a batch."""
        before = self.doc.get_state()
        self.text += words
        return encode_batch([self.doc.get_update(before)])

    async def hears(self, event: str) -> tuple[Any, ...]:
        async with asyncio.timeout(PATIENCE):
            while True:
                name, arguments = await self.heard.get()
                if name == event:
                    return arguments


class ReadingSession:
    """aiohttp's session for engineio, which reads the bodies of its POSTs' answers.

    engineio leaves them unread, and so their connections open.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def post(self, *arguments: Any, **options: Any) -> aiohttp.ClientResponse:
        response = await self._session.post(*arguments, **options)
        await response.read()
        return response


@asynccontextmanager
async def person(
    server: Server,
    transport: str = "websocket",
    name: str | None = None,
    token: str | None = None,
    cookie: str | None = None,
) -> AsyncIterator[Person]:
    """Connect a person for a while, with a greeting and a cookie."""
    said = {} if name is None else {"guest": {"name": name}}
    async with aiohttp.ClientSession(headers=None if cookie is None else {"Cookie": cookie}) as http:
        somebody = Person(server, transport, ReadingSession(http))
        await somebody.connect((said if token is None else {**said, "token": token}) or None)
        try:
            yield somebody
        finally:
            socket = somebody.client.eio.ws
            await somebody.client.disconnect()
            if socket is not None:
                # When both sides close at once, aiohttp may leave the connection to the garbage
                # collector, which complains.
                socket._response.close()
