"""A store that fails as real ones do, seen from one node.

It refuses, loses replies, hangs and commits late, and it sees the node's own death.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from random import Random

from crdt.errors import Unavailable
from crdt.ids import DocumentId, Epoch, Seq
from crdt.protocol.row import Contributor, Found
from server.store.access_requests_base import AccessRequests
from server.store.answers_base import Answers
from server.store.base import (
    Append,
    AppendOutcome,
    Attachments,
    Catalogue,
    CompactionReport,
    Fold,
    Head,
    Loaded,
    OpenMarks,
    Row,
)
from server.store.deeds_base import Deeds
from server.store.inbox_base import Inboxes
from server.store.service_tokens_base import ServiceTokens
from server.store.set_aside_base import Kept, SetAsides, State
from server.store.sharing_base import Secrets, Sharing, Users
from server.store.shelf_base import Shelf
from server.store.sql import SqlStore
from server.store.threads_base import Threads


class Weather:
    """The present faults of the store, shared by all nodes."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.down = False
        self.faults = 0.0
        """The chance of each fault per call."""
        self.slow_replies = 0.0
        """Most seconds from the reading of a document to its arrival."""

    def strikes(self) -> bool:
        """Whether a fault happens now."""
        return self.random.random() < self.faults


class FaultyLog:
    """The log as one node sees it. A dead node gets no answers, and changes nothing more."""

    def __init__(self, store: SqlStore, weather: Weather) -> None:
        self._log = store.log
        self._weather = weather
        self.dead = False

    async def reach(self) -> None:
        """Reach the store, which takes a while and may fail."""
        await asyncio.sleep(self._weather.random.uniform(0.0, 0.01))
        if self.dead or self._weather.down or self._weather.strikes():
            raise Unavailable("The store cannot be reached.")

    async def append(self, appends: Sequence[Append]) -> Sequence[AppendOutcome]:
        await self.reach()
        if self._weather.strikes():
            await asyncio.sleep(
                self._weather.random.uniform(5.0, 15.0)
            )  # commits late, perhaps when nobody waits any more
            if self.dead:
                raise Unavailable("The node has died.")
        outcomes = await self._log.append(appends)
        await asyncio.sleep(self._weather.random.uniform(0.0, 0.01))
        if self.dead or self._weather.strikes():
            raise Unavailable("The reply was lost.")
        return outcomes

    async def load(self, document_id: DocumentId) -> Loaded | None:
        await self.reach()
        loaded = await self._log.load(document_id)
        if self._weather.slow_replies:
            await asyncio.sleep(self._weather.random.uniform(0.0, self._weather.slow_replies))
        return loaded

    async def read(self, document_id: DocumentId, after: Seq) -> Sequence[Row] | None:
        await self.reach()
        return await self._log.read(document_id, after)

    async def heads(self, document_ids: Sequence[DocumentId]) -> Mapping[DocumentId, Head]:
        await self.reach()
        return await self._log.heads(document_ids)

    async def history(self, document_id: DocumentId) -> Sequence[Row]:
        await self.reach()
        return await self._log.history(document_id)

    async def contributors(self, keys: Collection[bytes]) -> Mapping[bytes, Contributor]:
        await self.reach()
        return await self._log.contributors(keys)

    async def compact(self, document_id: DocumentId, fold: Fold) -> CompactionReport | None:
        await self.reach()
        return await self._log.compact(document_id, fold)


class FaultyMarks:
    """The open marks as one node sees them."""

    def __init__(self, marks: OpenMarks, log: FaultyLog) -> None:
        self._marks = marks
        self._log = log

    async def mark(self, document_id: DocumentId, node_id: str) -> None:
        await self._marks.mark(document_id, node_id)

    async def unmark(self, document_id: DocumentId, node_id: str) -> None:
        if self._log.dead:
            raise Unavailable("The node has died.")
        await self._marks.unmark(document_id, node_id)

    async def marked(self, node_id: str) -> frozenset[DocumentId]:
        return await self._marks.marked(node_id)

    async def forget_others(self, node_id: str, age: timedelta) -> None:
        await self._marks.forget_others(node_id, age)


class FaultySetAsides:
    """The updates that are set aside, as one node sees them."""

    def __init__(self, set_asides: SetAsides, log: FaultyLog) -> None:
        self._set_asides = set_asides
        self._log = log

    async def keep(self, document_id: DocumentId, epoch: Epoch, found: Sequence[Found]) -> tuple[int, int] | None:
        await self._log.reach()
        return await self._set_asides.keep(document_id, epoch, found)

    async def list(self, document_id: DocumentId | None = None) -> Sequence[Kept]:
        return await self._set_asides.list(document_id)

    async def settle(self, document_id: DocumentId, seq: Seq, position: int, state: State) -> bool:
        return await self._set_asides.settle(document_id, seq, position, state)


class FaultyStore:
    """One node's view of a store that outlives it."""

    def __init__(self, store: SqlStore, weather: Weather) -> None:
        self.faulty_log = FaultyLog(store, weather)
        self.log = self.faulty_log
        self.catalogue: Catalogue = store.catalogue
        self.attachments: Attachments = store.attachments
        self.open_marks: OpenMarks = FaultyMarks(store.open_marks, self.faulty_log)
        self.set_aside: SetAsides = FaultySetAsides(store.set_aside, self.faulty_log)
        self.access_requests: AccessRequests = store.access_requests
        self.shelf: Shelf = store.shelf
        self.threads: Threads = store.threads
        self.inboxes: Inboxes = store.inboxes
        self.sharing: Sharing = store.sharing
        self.users: Users = store.users
        self.secrets: Secrets = store.secrets
        self.answers: Answers = store.answers
        self.service_tokens: ServiceTokens = store.service_tokens
        self.deeds: Deeds = store.deeds

    async def __aenter__(self) -> "FaultyStore":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return None

    async def check(self) -> None:
        return None
