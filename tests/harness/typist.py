"""A typist at a page that reconnects: python-socketio's client, and a replica.

Edits are on the typist's own screen at once, and count as saved only when acknowledged. After a
reconnect, the typist sends what the server lacks. Every edit carries a token that nobody ever
deletes, so tests can find the edit:

    made = everything typed    saved ⊆ made = acknowledged    seen = of others, on this screen
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import Any

import aiohttp
import socketio
from pycrdt import Doc, Map, Text

from crdt.protocol.batch import decode_batch, encode_batch
from tests.harness.bell import Bell, until_with_any
from tests.harness.person import PatientClient

PAUSE = 0.05
"""Seconds before a page that cannot connect tries again."""

LETTERS = "abcdefghijklmnopqrstuvwxyz \n"


class _Http:
    """One aiohttp session for all of a page's sockets. It remembers the newest WebSocket.

    python-socketio's own session would be left open.

    Nobody else closes that WebSocket if the server closes it before its greeting, or if both sides
    close at once.
    """

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True)
        )  # addresses have cookies as well
        self._newest: aiohttp.ClientWebSocketResponse[bool] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    async def ws_connect(self, *args: Any, **options: Any) -> aiohttp.ClientWebSocketResponse[bool]:
        self._newest = await self._session.ws_connect(*args, **options)
        return self._newest

    def hang_up(self) -> None:
        """Close the WebSocket that may be left open."""
        if self._newest is not None:
            self._newest._response.close()
            self._newest = None


class Typist:
    """One page with one document. `bell` rings whenever something has arrived."""

    def __init__(self, url: str, document_id: str, name: str, bell: Bell, seed: int = 0) -> None:
        self.name = name
        self.doc: Doc[Any] = Doc()
        self.text = self.doc.get("text", type=Text)
        self.tokens = self.doc.get("tokens", type=Map)
        self.made: set[str] = set()
        self.saved: set[str] = set()
        self.seq = 0
        self.joined = False
        self.times_joined = 0
        self.failed_connects = 0
        """Number of attempts to connect again."""
        self.fetched_bytes = 0
        self.durability = "ok"
        self.surprises: list[object] = []
        """Things that an honest client should never meet: refusals, gaps in sequence numbers."""
        self.bell = bell
        self._url = url
        self._document_id = document_id
        self._random = Random(f"{seed} {name}")
        self._in_flight: dict[int, set[str]] = {}
        self._requests = 0
        self._held: list[tuple[int, bytes]] | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._http = _Http()
        self._transport = "websocket"
        self._gone = asyncio.Event()
        self._leaving = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self.socket: Any = self._new_socket()

    def _new_socket(self) -> Any:
        socket = PatientClient(self._http)
        for event in (self._connect, self._disconnect, self._update, self._durability, self._closed, self._resync):
            socket.on(event.__name__.lstrip("_"), event)
        return socket

    async def _stay_connected(self) -> None:
        """Connect, and connect again.

        python-socketio's own loop ends when the connection is cut while it reconnects.
        """
        while not self._leaving.is_set():
            self._gone.clear()
            try:
                auth = {"guest": {"name": self.name}}
                await self.socket.connect(self._url, transports=[self._transport], auth=auth)
                if self._leaving.is_set():
                    return  # `connect` loses a cancellation that comes when it is done
                await self._gone.wait()
            except (socketio.exceptions.SocketIOError, aiohttp.ClientError, OSError):
                self.failed_connects += self.times_joined > 0
                self._disconnect()
                self._http.hang_up()
                await asyncio.sleep(PAUSE)
            self.socket = self._new_socket()

    # What the story asks.

    @property
    def unsaved(self) -> set[str]:
        """Edits that are made, but not acknowledged yet."""
        return self.made - self.saved

    @property
    def in_flight(self) -> int:
        """Batches that are sent, but not answered."""
        return len(self._in_flight)

    @property
    def seen(self) -> set[str]:
        return set(self.tokens.keys()) - self.made

    @property
    def screen(self) -> tuple[str, frozenset[str]]:
        """The text on the screen."""
        return str(self.text), frozenset(self.tokens.keys())

    async def open(self, transport: str = "websocket") -> None:
        """Connect and join."""
        self._transport = transport
        self._leaving.clear()
        self._keeper = asyncio.create_task(self._stay_connected())
        await self.bell.until(lambda: self.joined or bool(self.surprises))
        assert not self.surprises, self.surprises

    async def close(self) -> None:
        """Close the page."""
        self._leaving.set()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self.socket.disconnect()
        self._http.hang_up()
        await self._http.close()

    async def types(self) -> str:
        """Insert or delete something, and send it if connected. Return the edit's token."""
        before = self.doc.get_state()
        token = f"{self.name}.{len(self.made)}"
        length = len(self.text)
        with self.doc.transaction():
            if length > 30 and self._random.random() < 0.3:
                start = self._random.randrange(length - 5)
                del self.text[start : start + self._random.randint(1, 5)]
            else:
                word = "".join(self._random.choice(LETTERS) for _ in range(self._random.randint(1, 6)))
                self.text.insert(self._random.randint(0, length), word)
            self.tokens[token] = True
        self.made.add(token)
        if self.joined:
            await self._send([self.doc.get_update(before)], {token})
        return token

    async def pastes_batches(self, batches: Iterable[list[bytes]], at_once: int) -> None:
        """Send updates that were made elsewhere, and wait for the last answer.

        At most a number of batches are unanswered at a time.
        """
        for batch in batches:
            await self.bell.until(lambda: self.in_flight < at_once)
            await self._send(batch, set())
        await self.bell.until(lambda: not self.in_flight)

    async def keeps_typing(self, edits: int, at_once: int) -> None:
        """Type a number of edits, with a limit of unanswered ones while connected."""
        for _ in range(edits):
            await self.bell.until(lambda: self.in_flight < at_once or not self.joined)
            await self.types()
            await asyncio.sleep(0)  # let what has arrived be heard, as it would between two keys

    async def all_saved(self) -> None:
        """Wait until the page says "Saved"."""
        await self.bell.until(lambda: not self.unsaved)

    # Towards the server.

    async def _send(self, updates: list[bytes], tokens: set[str]) -> None:
        self._requests += 1
        self._in_flight[self._requests] = tokens
        answered = partial(self._answered, self._requests)
        await self.socket.emit("update", (self._document_id, encode_batch(updates)), callback=answered)

    async def _join(self) -> None:
        options = {
            "state_vector": self.doc.get_state(),
            "client_id": self.doc.client_id,
            "key": f"key-of-{self.name}-0123456789",
        }
        await self.socket.emit("join", (self._document_id, options), callback=self._join_answered)

    # From the server.

    async def _connect(self) -> None:
        await self._join()

    def _disconnect(self, _reason: object = None) -> None:
        self.joined = False
        self._in_flight.clear()
        self._held = None
        self._gone.set()
        self.bell.ring()

    async def _join_answered(self, answer: dict[str, Any]) -> None:
        if "error" in answer:
            self.surprises.append(answer)
            self.bell.ring()
            return
        self.seq = answer["seq"]
        self.durability = answer["durability"]
        if answer["missing"] is None:
            self._held = []
            self._fetching = asyncio.create_task(self._fetch(answer))
        else:
            self.doc.apply_update(answer["missing"])
            await self._synced(answer)

    async def _fetch(self, answer: dict[str, Any]) -> None:
        parts = [
            (await self.socket.call("fetch", (self._document_id, {"index": index})))["chunk"]
            for index in range(answer["chunks"]["count"])
        ]
        whole = b"".join(parts)
        assert len(whole) == answer["chunks"]["bytes"]
        self.fetched_bytes += len(whole)
        self.doc.apply_update(whole)
        held, self._held = self._held or [], None
        for seq, batch in held:
            self._take(seq, batch)
        await self._synced(answer)

    async def _synced(self, answer: dict[str, Any]) -> None:
        self.joined = True
        self.times_joined += 1
        if self.unsaved:
            await self._send([self.doc.get_update(answer["state_vector"])], self.unsaved)
        self.bell.ring()

    def _answered(self, request: int, answer: dict[str, Any]) -> None:
        tokens = self._in_flight.pop(request, set())
        if "seq" in answer:
            self.saved |= tokens
            self._saw(answer["seq"])
        elif answer["error"]["code"] != "draining":  # which means: connect again, and send it then
            self.surprises.append(answer)
        self.bell.ring()

    def _update(self, _document_id: str, seq: int, batch: bytes) -> None:
        if self._held is not None:
            self._held.append((seq, batch))
            return
        if self.joined:  # else told to join again: rows are missing before this one, and the answer will hold them all
            self._take(seq, batch)

    def _take(self, seq: int, batch: bytes) -> None:
        for update in decode_batch(batch):
            self.doc.apply_update(update)
        self._saw(seq)
        self.bell.ring()

    def _saw(self, seq: int) -> None:
        if self.joined and seq > self.seq + 1:
            self.surprises.append(f"after row {self.seq} came row {seq}")
        self.seq = max(self.seq, seq)

    def _durability(self, _document_id: str, durability: str) -> None:
        self.durability = durability
        self.bell.ring()

    def _closed(self, _document_id: str, error: object) -> None:
        self.surprises.append(error)
        self.bell.ring()

    async def _resync(self, _document_id: str) -> None:
        self.joined = False
        await self._join()


async def all_agree(typists: Iterable[Typist]) -> tuple[str, frozenset[str]]:
    """Wait until everything is saved and all screens are equal. Return the screen.

    Fails if a typist has met something that an honest client should never meet.
    """
    first, *others = typists
    for typist in (first, *others):
        await typist.all_saved()
    try:
        bells = {typist.bell for typist in (first, *others)}
        await until_with_any(bells, lambda: all(typist.screen == first.screen for typist in others))
    except TimeoutError as error:
        error.add_note(
            "\n".join(f"{typist.name} differs from {first.name}: {_difference(first, typist)}" for typist in others)
        )
        raise
    for typist in (first, *others):
        assert typist.made <= first.screen[1]
        assert not typist.surprises, (typist.name, typist.surprises)
    return first.screen


def _difference(one: Typist, other: Typist) -> str:
    """Return the difference of two screens."""
    only_one, only_other = one.screen[1] - other.screen[1], other.screen[1] - one.screen[1]
    return f"edits {sorted(only_one)} / {sorted(only_other)}, texts {'alike' if one.screen[0] == other.screen[0] else 'differ'}"


@asynccontextmanager
async def typists(
    url: str, document_id: str, names: Iterable[str], *, bell: Bell | None = None, seed: int = 0
) -> AsyncIterator[list[Typist]]:
    """Open the document for several people, who come back when the server goes away."""
    shared = bell or Bell()
    people = [Typist(url, document_id, name, shared, seed) for name in names]
    try:
        await asyncio.gather(*(person.open() for person in people))
        yield people
    finally:
        for person in people:
            await person.close()
