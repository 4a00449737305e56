"""Reader of one room's document: asks the store until it answers, for everything but appends.

The reader fetches rows, or the whole document anew, and stores what was set aside. Loading a
document again and again takes longer each time, while nothing is found that would cure it. So a
broken document costs its own people time, and nobody else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from msgspec import Struct

from crdt.errors import ManyhandsError
from crdt.ids import DocumentId, Seq
from crdt.protocol.row import Found, Row, Stored
from crdt.room.effects import KeepAside
from server.background import pauses
from server.observe import log
from server.store.base import Head, Loaded, Log
from server.store.set_aside_base import SetAsides

T = TypeVar("T")

FIRST_PAUSE, LAST_PAUSE = 0.1, 5.0
"""Seconds between tries to read from a store that does not answer."""

CALM = 60.0
"""Seconds without a reload after which the next one is at once again."""

LONGEST_PAUSE = 30.0
"""Most seconds before a reload."""


REPLAY_INLINE_BYTES = 64 * 2**10
"""A document up to this size is replayed at once.

A larger one is replayed in a thread, which lets others go on now and then.
"""


async def replayed(replay: Callable[[], T], stored: Stored) -> T:
    """Replay a document, in a thread if others would wait for it too long."""
    size = len(stored.snapshot or b"") + sum(len(row.batch) for row in stored.rows)
    return replay() if size <= REPLAY_INLINE_BYTES else await asyncio.to_thread(replay)


class Reader(Struct, eq=False):
    """The reader of one document. `clock`: monotonic seconds."""

    document_id: DocumentId
    log_of_all: Log
    set_asides: SetAsides
    clock: Callable[[], float]
    _failed_at: float = -CALM
    _pause: float = 0.0

    async def read(self, after: int) -> Sequence[Row] | None:
        """Return the rows after one; None if only `load` tells what became of them."""
        return await self._until_answered(lambda: self.log_of_all.read(self.document_id, Seq(after)))

    async def head(self) -> Head | None:
        """Return where the log ends and what the catalogue says; None if the document is gone."""
        return (await self._until_answered(lambda: self.log_of_all.heads([self.document_id]))).get(self.document_id)

    async def load(self, *, failed: bool) -> Loaded | None:
        """Return the whole document; None if it is gone.

        `failed`: the engine has failed. Then there is a pause first, if it failed lately as well.
        """
        if failed:
            await self._pause_before_loading()
        return await self._until_answered(lambda: self.log_of_all.load(self.document_id))

    async def _pause_before_loading(self) -> None:
        if self.clock() - self._failed_at > self._pause + CALM:
            self._pause = 0.0
        await asyncio.sleep(self._pause)
        self._pause = min(self._pause * 2 or FIRST_PAUSE, LONGEST_PAUSE)
        self._failed_at = self.clock()

    async def keep_aside(self, effect: KeepAside) -> tuple[int, int] | None:
        """Store what was set aside, and log it.

        Return the document's version of all that is set aside, before and after, or None
        if there is no such document or epoch.
        """
        self._pause = 0.0  # something was found, which is progress
        tell_set_aside(self.document_id, effect.found)
        return await self._until_answered(lambda: self.set_asides.keep(self.document_id, effect.epoch, effect.found))

    async def _until_answered(self, read: Callable[[], Awaitable[T]]) -> T:
        wait = pauses(FIRST_PAUSE, LAST_PAUSE)
        while True:
            try:
                return await read()
            except ManyhandsError as error:
                log.warning("read_failed", document=self.document_id, reason=str(error))
            await asyncio.sleep(next(wait))


def tell_set_aside(document_id: DocumentId, found: Sequence[Found]) -> None:
    """Write one line for all that one replay has found.

    The reasons are left out, because they may quote content. `manyhands doctor` shows them.
    """
    rows = [each.seq for each in found]
    log.error("updates_set_aside", document=document_id, updates=len(rows), first_row=min(rows), last_row=max(rows))
