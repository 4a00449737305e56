"""Poll of the logs' ends, every few seconds, for all open documents in one query.

The poll finds what other nodes hinted at in vain:

- The head moved: read the rows.
- The epoch changed: load the document again, which ends its room.
- The document was deleted: close it.
- The title or the trash changed: tell the people. Nobody may write in the trash.
- The discussion changed: tell the people.

Without the poll, a lost hint would stay lost until the next edit.
"""

import asyncio
import contextlib
from collections.abc import Iterable

from crdt.errors import Code, ManyhandsError
from crdt.protocol.hints import BatchHint
from crdt.protocol.messages import DocumentInfo
from server.observe import log
from server.rooms.driver import Driver, info_of
from server.store.base import Head, Log

DEADLINE = 10.0
"""Seconds that one look may take."""


class HeadPoll:
    """`run` never ends. `seconds` from one look to the next, shortened by `hurry`."""

    def __init__(self, store_log: Log, rooms: Iterable[Driver], seconds: float) -> None:
        self._log = store_log
        self._rooms = rooms
        self._seconds = seconds
        self._wake = asyncio.Event()

    def hurry(self) -> None:
        """Look now, because hints may have been lost."""
        self._wake.set()

    async def run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                # Unlike `wait_for`, loses no cancellation to the timeout
                async with asyncio.timeout(self._seconds):
                    await self._wake.wait()
            self._wake.clear()
            try:
                async with asyncio.timeout(DEADLINE):
                    await self.look()
            except (ManyhandsError, TimeoutError) as error:
                log.warning("heads_unread", reason=str(error) or "no answer in time")
            except Exception:  # noqa: BLE001 - the task's border: what failed is logged, the next look comes
                log.exception("task_failed", task="head_poll")

    async def look(self) -> None:
        """Compare all open documents with the store, once; raises what the store raises."""
        shown = {driver.document_id: (driver, driver.room.info) for driver in self._rooms}
        heads = await self._log.heads(list(shown)) if shown else {}
        for document_id, (driver, before) in shown.items():
            head = heads.get(document_id)
            if head is None:
                driver.end(Code.DELETED, "The document was deleted.")
            else:
                _compare(driver, before, head)


def _compare(driver: Driver, before: DocumentInfo, head: Head) -> None:
    """Tell a room what it has missed.

    `before`: the room's entry when the question was asked. An entry that it has heard of since is
    newer.
    """
    room, info = driver.room, info_of(head)
    driver.access_changed(head.access_version)
    if head.discussion_version > room.discussion:
        driver.do(lambda: room.discussed(head.discussion_version))
    if head.seq > room.seq or head.epoch != room.epoch:
        driver.hear_row(BatchHint(head.epoch, head.seq, None))
    if head.set_aside_version != room.replica.set_aside_version:
        driver.do(lambda: room.hear_set_aside(head.set_aside_version))
    if room.info is before and info != before:
        driver.do(lambda: room.describe(info))
