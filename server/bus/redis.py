"""A bus over Redis pub/sub, with one channel for each open document.

Redis keeps nothing of value, and may be killed, emptied or frozen at any time:

1. A message is sent as soon as it is published, and nobody waits for the reply. Messages that Redis
   is too slow to take wait in a bounded queue.
2. While Redis is away, messages are dropped. The bus tries to reconnect within half a second, and
   makes all subscriptions anew. Once they are in force, the bus counts as connected, and reports
   that it has recovered.
3. A Redis that keeps its connections but does not answer is away as well. So the bus asks for a
   sign of life every second, on both connections.
4. Errors of Redis end the link. They never reach a caller, and are logged once per outage.

Redis also sends a subscribed node its own messages. They are recognised by their first bytes, and
ignored.
"""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Self

from crdt.errors import ProtocolError
from crdt.ids import DocumentId, NodeId
from crdt.protocol.hints import Hint, decode_hint, encode_hint, sender_prefix
from server.bus.base import Receiver
from server.bus.redis_links import ANSWER_SECONDS, FAILURES, RedisConnector, RedisLink
from server.observe import log

CHANNEL = "manyhands:"
"""The prefix of each channel's name. The document's id follows."""

FIRST_PAUSE, LAST_PAUSE = 0.05, 0.5
"""The first and the longest pause before Redis is tried again, in seconds.

Each pause is twice the last one. It is then shortened at random by up to a half, so that nodes do
not come back all at once.
"""

STEADY = 5.0
"""Seconds after which a link counts as stable, so that the next pause is the first again."""

PING_EVERY, SILENCE = 1.0, 3.0
"""Seconds between two pings, and seconds of silence after which Redis is away."""

CHANNELS_AT_ONCE = 500


class RedisBus:
    """One node's bus. Each process needs a `node_id` of its own, and a new one after a restart."""

    def __init__(self, url: str, node_id: NodeId) -> None:
        """Prepare the bus without opening a connection. Raises ValueError for a bad URL."""
        self.connected = False
        self.ignored = 0
        """Number of messages that could not be decoded."""
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
        """Number of messages that were not sent, because Redis was away or too slow."""
        return self._outgoing.dropped + self._unheard

    async def __aenter__(self) -> Self:
        """Connect, or return after the first attempt failed."""
        self._task = asyncio.create_task(self._run(), name="bus")
        await self._tried.wait()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Wait a short time for published messages to leave, and close the connections."""
        if self._link is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._link.publishing.all_answered()
        self._closing = True
        while self._task is not None and not self._task.done():
            self._task.cancel()  # again and again: a failure at the same moment may swallow one
            await asyncio.wait([self._task], timeout=0.1)
        self._lose()
        await self._connector.aclose()
        self._receivers.clear()

    def on_recovered(self, recovered: Callable[[], None]) -> None:
        self._recovered.append(recovered)

    # Publishing.

    def publish(self, document_id: DocumentId, message: Hint) -> None:
        """Send a message, or let it wait while Redis is slow. Without Redis, drop it."""
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
        """Send waiting messages until the link is full again or none waits.

        `publish` adds to them while the link is full, so no message overtakes another.
        """
        while (link := self._link) is not None and self._outgoing and not link.publishing.full:
            for channel, payload in self._outgoing.take_group():
                link.publishing.say(_own(link, "PUBLISH"), channel, payload)

    # Subscribing.

    async def subscribe(self, document_id: DocumentId, receiver: Receiver) -> None:
        """Call `receiver` with the document's messages. A second receiver replaces the first."""
        self._receivers[document_id] = receiver
        if self._link is not None:
            with contextlib.suppress(*FAILURES):
                await self._confirmed(self._link, [document_id])

    async def unsubscribe(self, document_id: DocumentId) -> None:
        """Receive no more messages of this document, not even those on their way."""
        link = self._link
        if self._receivers.pop(document_id, None) is not None and link is not None:
            link.listening.say(*_names(link, "UNSUBSCRIBE", [document_id]))

    async def _confirmed(self, link: RedisLink, document_ids: Sequence[DocumentId]) -> None:
        """Subscribe, and wait until the subscriptions are in force or the link is lost."""
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
                pass  # the answer to a ping, or the end of a subscription

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
        """Raise TimeoutError when Redis is silent, because a connection can outlive its peer."""
        loop = asyncio.get_running_loop()
        while True:
            for wire in (link.publishing, link.listening):
                wire.say("PING")
            await asyncio.sleep(PING_EVERY)
            heard_at = min(link.publishing.heard_at, link.listening.heard_at)
            if loop.time() - heard_at > SILENCE:
                raise TimeoutError("Redis does not answer.")

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
            except* Exception:  # noqa: BLE001 - the task's border: our own error ends the link, not the bus
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
    return [_own(link, command), *(CHANNEL + each for each in document_ids)]


def _own(link: RedisLink, command: str) -> str:
    """Return the name of a pub/sub command, sharded if the link is."""
    return "S" + command if link.sharded else command


def _first(failures: BaseExceptionGroup[Exception]) -> str:
    """Return the first failure's message, or its type's name."""
    error: BaseException = failures
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or type(error).__name__


MAX_MESSAGES = 10_000
MAX_BYTES = 16 * 2**20
GROUP_BYTES = 2**20
"""Bytes that are sent in one round trip, exceeded by a message at most."""


class Outgoing:
    """The queue of messages to publish, in order: bounded, and dropping the oldest first.

    Dropping is safe, because the messages are hints, and the log has the rows themselves. `dropped`
    counts the messages that were dropped.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, channel: str, payload: bytes) -> None:
        """Add a message, and drop the oldest ones if need be."""
        self._waiting.append((channel, payload))
        self._bytes += len(payload)
        while len(self._waiting) > MAX_MESSAGES or self._bytes > MAX_BYTES:
            self._pop()
            self.dropped += 1

    def take_group(self) -> list[tuple[str, bytes]]:
        """Take out the messages of one round trip."""
        before, group = self._bytes, []
        while self._waiting and before - self._bytes < GROUP_BYTES:
            group.append(self._pop())
        return group

    def clear(self) -> None:
        """Drop all messages, because they cannot leave any more."""
        self.dropped += len(self._waiting)
        self._waiting.clear()
        self._bytes = 0

    def _pop(self) -> tuple[str, bytes]:
        channel, payload = self._waiting.popleft()
        self._bytes -= len(payload)
        return channel, payload
