"""A bus over Redis pub/sub: one channel per open document, so that a node hears only of documents that it holds.

Redis keeps nothing of value and may be killed, emptied or frozen at any time:

1. A message is sent as it is published, and nobody waits for the reply. What Redis is too slow for
   gathers in a bounded queue.
2. While Redis is away, messages are dropped. It is tried again within half a second, all
   subscriptions are made anew, and only when they are in force does the bus count as connected and
   say that it has recovered.
3. A Redis that holds its connections but does not answer is away as well: it is asked for a sign of
   life every second, on both.
4. Errors of Redis end the link, never reach a caller, and are logged once per outage.

Redis returns a node its own messages, if it is subscribed; they are known by their first bytes and
go no further.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from typing import Any, Self

from crdt.errors import ProtocolError
from crdt.ids import DocumentId, NodeId
from crdt.protocol.hints import decode_hint, encode_hint, sender_prefix
from server.bus.base import BusMessage, Receiver
from server.bus.redis_links import ANSWER_SECONDS, FAILURES, RedisConnector, RedisLink
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


class RedisBus:
    """One node's bus. `node_id` must be this process' own, and another one after a restart."""

    def __init__(self, url: str, node_id: NodeId) -> None:
        """Raises ValueError for a bad URL; nothing is opened yet."""
        self.connected = False
        self.ignored = 0
        """Messages that were not ours to understand."""
        self._connector = RedisConnector(url)
        self._prefix = sender_prefix(node_id)
        self._outgoing = Outgoing()
        self._unheard = 0
        self._receivers: dict[DocumentId, Receiver] = {}
        self._recovered: list[Callable[[], None]] = []
        self._link: RedisLink | None = None
        self._unconfirmed: dict[bytes, asyncio.Future[None]] = {}
        self._closing = False
        self._tried = asyncio.Event()
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
        if self._link is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._link.publishing.all_answered()
        self._closing = True
        while self._task is not None and not self._task.done():
            self._task.cancel()  # once is not always enough: a failure at the same moment may swallow it
            await asyncio.wait([self._task], timeout=0.1)
        self._lose()
        await self._connector.aclose()
        self._receivers.clear()

    def on_recovered(self, recovered: Callable[[], None]) -> None:
        """Call this whenever Redis is back after messages may have been lost."""
        self._recovered.append(recovered)

    # Publishing.

    def publish(self, document_id: DocumentId, message: BusMessage) -> None:
        """Send a message, or let it wait while Redis is slow; without Redis it is dropped."""
        link = self._link
        if not self.connected or link is None:
            self._unheard += 1
            return
        channel, payload = CHANNEL + document_id, encode_hint(self._prefix, message)
        if link.publishing.full:
            self._outgoing.put(channel, payload)
        elif not link.publishing.say(_own(link, "PUBLISH"), channel, payload):
            self._unheard += 1

    def _send_what_waits(self) -> None:
        """Redis takes more again; when it takes no more something waits, or nothing does, so that nobody is overtaken."""
        while (link := self._link) is not None and self._outgoing and not link.publishing.full:
            for channel, payload in self._outgoing.take_group():
                link.publishing.say(_own(link, "PUBLISH"), channel, payload)

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
            link.listening.say(*_names(link, "UNSUBSCRIBE", [document_id]))

    async def _confirmed(self, link: RedisLink, document_ids: Sequence[DocumentId]) -> None:
        """Subscribe and wait until that is in force; returns as well when the link is lost."""
        loop = asyncio.get_running_loop()
        waiting = []
        for each in document_ids:
            future = self._unconfirmed.setdefault(f"{CHANNEL}{each}".encode(), loop.create_future())
            waiting.append(future)
        link.listening.say(*_names(link, "SUBSCRIBE", document_ids))
        async with asyncio.timeout(ANSWER_SECONDS):
            await asyncio.gather(*map(asyncio.shield, waiting))

    # Listening.

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

    async def _watch(self, link: RedisLink) -> None:
        """A connection may stand while nobody is at the other end."""
        loop = asyncio.get_running_loop()
        while True:
            for wire in (link.publishing, link.listening):
                wire.say("PING")
            await asyncio.sleep(PING_EVERY)
            heard_at = min(link.publishing.heard_at, link.listening.heard_at)
            if loop.time() - heard_at > SILENCE:
                raise TimeoutError("Redis gives no sign of life.")

    # The link.

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        pause, told = FIRST_PAUSE, False
        while not self._closing:
            began = loop.time()
            try:
                async with self._connector.link(self._take) as link:
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

    async def _use(self, link: RedisLink) -> None:
        self._link = link
        async with asyncio.TaskGroup() as group:
            for wire in (link.publishing, link.listening):
                group.create_task(wire.end())
            link.publishing.relieved = self._send_what_waits
            await self._subscribe_anew(link)
            group.create_task(self._watch(link))
            self._gain()

    async def _subscribe_anew(self, link: RedisLink) -> None:
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
        self._tried.set()
        for future in self._unconfirmed.values():
            if not future.done():
                future.set_result(None)
        self._unconfirmed.clear()


def _names(link: RedisLink, command: str, document_ids: Sequence[DocumentId]) -> list[str]:
    """A command, and the channels."""
    return [_own(link, command), *(CHANNEL + each for each in document_ids)]


def _own(link: RedisLink, command: str) -> str:
    """The link's own form of a command."""
    return "S" + command if link.sharded else command


def _first(failures: BaseExceptionGroup[Exception]) -> str:
    """What went wrong first, in a line."""
    error: BaseException = failures
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__
