"""A bus over Redis pub/sub: one channel per open document, so that a node hears only of documents that it holds.

Redis keeps nothing of value and may be killed, emptied or frozen at any time:

1. Publishing puts a message into a bounded queue; one task sends all that has gathered in one round trip.
2. While Redis is away, messages are dropped. It is tried again within half a second, all subscriptions are made anew, and only
   when they are in force does the bus count as connected and say that it has recovered.
3. A Redis that holds its connections but does not answer is away as well: it is asked for a sign of life every second.
4. Errors of Redis end the link, never reach a caller, and are logged once per outage.

Redis returns a node its own messages, if it is subscribed; they are known by their first bytes and go no further.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from typing import Any, Self

from crdt.errors import ProtocolError
from crdt.hint_codec import decode_hint, encode_hint, sender_prefix
from crdt.ids import DocumentId, NodeId
from server.bus.base import BusMessage, Receiver
from server.bus.redis_links import ANSWER_SECONDS, FAILURES, Link, Way
from server.bus.redis_queue import Outgoing
from server.observe import log

CHANNEL = "manyhands:"
"""What the name of each channel begins with; a document's id follows."""

FIRST_PAUSE, LAST_PAUSE = 0.05, 0.5
"""Seconds before Redis is tried again: doubled, and then shortened by chance to as little as the half, so that nodes spread."""

STEADY = 5.0
"""Seconds after which a link counts as sound, and the pauses begin at the first again."""

PING_EVERY, SILENCE = 1.0, 3.0
"""Seconds between questions for a sign of life, and without one after which Redis is away."""

CHANNELS_AT_ONCE = 500
TURN = 64
"""Messages taken in before others on the event loop have their turn."""


class RedisBus:
    """One node's bus. `node_id` must be this process' own, and another one after a restart."""

    def __init__(self, url: str, node_id: NodeId) -> None:
        """Raises ValueError for a bad URL; nothing is opened yet."""
        self.connected = False
        self.ignored = 0
        """Messages that were not ours to understand."""
        self._way = Way(url)
        self._prefix = sender_prefix(node_id)
        self._outgoing = Outgoing()
        self._unheard = 0
        self._receivers: dict[DocumentId, Receiver] = {}
        self._recovered: list[Callable[[], None]] = []
        self._link: Link | None = None
        self._unconfirmed: dict[bytes, asyncio.Future[None]] = {}
        self._wake = asyncio.Event()
        self._sent = asyncio.Event()
        """Set while nothing waits to be published."""
        self._sent.set()
        self._closing = False
        self._tried = asyncio.Event()
        self._heard_at = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def dropped(self) -> int:
        """Messages that were not sent: Redis was away, or too slow."""
        return self._outgoing.dropped + self._unheard

    async def __aenter__(self) -> Self:
        """Connect, or find out that this cannot be now."""
        self._task = asyncio.create_task(self._run(), name="bus")
        await self._tried.wait()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Let what was published leave, if it leaves soon, and hang up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._sent.wait()
        self._closing = True
        while self._task is not None and not self._task.done():
            self._task.cancel()  # once is not always enough: a failure at the same moment may swallow it
            await asyncio.wait([self._task], timeout=0.1)
        self._lose()
        await self._way.aclose()
        self._receivers.clear()

    def on_recovered(self, recovered: Callable[[], None]) -> None:
        """Call this whenever Redis is back after messages may have been lost."""
        self._recovered.append(recovered)

    # Publishing.

    def publish(self, document_id: DocumentId, message: BusMessage) -> None:
        """Queue a message; without Redis it is dropped."""
        if not self.connected:
            self._unheard += 1
            return
        self._outgoing.put(CHANNEL + document_id, encode_hint(self._prefix, message))
        self._sent.clear()
        self._wake.set()

    async def _write(self, link: Link) -> None:
        """Send what has gathered in one round trip; when there is nothing to send, see now and then whether Redis answers."""
        command = "SPUBLISH" if link.sharded else "PUBLISH"
        while True:
            if not self._outgoing:
                self._sent.set()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PING_EVERY):
                        await self._wake.wait()
            self._wake.clear()
            await link.ask([(command, *each) for each in self._outgoing.take_group()] or [("PING",)])

    # Subscribing.

    async def subscribe(self, document_id: DocumentId, receiver: Receiver) -> None:
        """Hear of a document; a second receiver replaces the first."""
        self._receivers[document_id] = receiver
        if self._link is not None:
            with contextlib.suppress(*FAILURES):
                await self._confirmed(self._link, [document_id])

    async def unsubscribe(self, document_id: DocumentId) -> None:
        """Hear of it no more, not even of what is on its way."""
        link = self._link
        if self._receivers.pop(document_id, None) is not None and link is not None:
            with contextlib.suppress(*FAILURES):
                await link.tell(*_names(link, "UNSUBSCRIBE", [document_id]))

    async def _confirmed(self, link: Link, document_ids: Sequence[DocumentId]) -> None:
        """Subscribe and wait until that is in force; returns as well when the link is lost."""
        loop = asyncio.get_running_loop()
        waiting = []
        for each in document_ids:
            future = self._unconfirmed.setdefault(f"{CHANNEL}{each}".encode(), loop.create_future())
            waiting.append(future)
        await link.tell(*_names(link, "SUBSCRIBE", document_ids))
        async with asyncio.timeout(ANSWER_SECONDS):
            await asyncio.gather(*map(asyncio.shield, waiting))

    # Listening.

    async def _listen(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for _ in range(TURN):
                reply = await link.hear()
                self._heard_at = loop.time()
                self._take(reply)
            await asyncio.sleep(0)

    def _take(self, reply: Any) -> None:
        match reply:
            case [b"smessage" | b"message", bytes(channel), bytes(data)]:
                self._deliver(channel, data)
            case [b"ssubscribe" | b"subscribe", bytes(channel), _]:
                if (future := self._unconfirmed.pop(channel, None)) is not None and not future.done():
                    future.set_result(None)
            case _:
                pass  # a sign of life, or the end of a subscription

    def _deliver(self, channel: bytes, data: bytes) -> None:
        if data.startswith(self._prefix):
            return
        document_id = DocumentId(channel[len(CHANNEL) :].decode(errors="replace"))
        receiver = self._receivers.get(document_id)
        if receiver is None:
            return
        try:
            node, hint = decode_hint(data)
        except ProtocolError as error:
            self.ignored += 1
            log.debug("hint_ignored", document=document_id, reason=error.message)
            return
        receiver(document_id, node, hint)

    async def _watch(self, link: Link) -> None:
        """A connection may stand while nobody is at the other end."""
        loop = asyncio.get_running_loop()
        self._heard_at = loop.time()
        while True:
            await link.tell("PING")
            await asyncio.sleep(PING_EVERY)
            if loop.time() - self._heard_at > SILENCE:
                raise TimeoutError("Redis gives no sign of life.")

    # The link.

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        pause, told = FIRST_PAUSE, False
        while not self._closing:
            began = loop.time()
            try:
                async with self._way.link() as link:
                    await self._use(link)
            except* FAILURES as failures:
                if self.connected or not told:
                    log.warning("bus_away", reason=_first(failures))
                told = True
            except* Exception:  # noqa: BLE001 - the task's border: an error of ours costs the link, not the bus
                log.exception("task_failed", task="bus")
            self._lose()
            pause = FIRST_PAUSE if loop.time() - began > STEADY else min(2 * pause, LAST_PAUSE)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))

    async def _use(self, link: Link) -> None:
        self._link = link
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(link))
            await self._subscribe_anew(link)
            group.create_task(self._write(link))
            group.create_task(self._watch(link))
            self._gain()

    async def _subscribe_anew(self, link: Link) -> None:
        document_ids = list(self._receivers)
        for at in range(0, len(document_ids), CHANNELS_AT_ONCE):
            await self._confirmed(link, document_ids[at : at + CHANNELS_AT_ONCE])

    def _gain(self) -> None:
        self.connected = True
        if not self._tried.is_set():
            self._tried.set()
            return
        log.info("bus_back", documents=len(self._receivers))
        for recovered in self._recovered:
            recovered()

    def _lose(self) -> None:
        self.connected, self._link = False, None
        self._outgoing.clear()
        self._sent.set()
        self._tried.set()
        for future in self._unconfirmed.values():
            if not future.done():
                future.set_result(None)
        self._unconfirmed.clear()


def _names(link: Link, command: str, document_ids: Sequence[DocumentId]) -> list[str]:
    """The command in the link's own form, and the channels."""
    return [("S" if link.sharded else "") + command, *(CHANNEL + each for each in document_ids)]


def _first(failures: BaseExceptionGroup[Exception]) -> str:
    """What went wrong first, in a line."""
    error: BaseException = failures
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
