"""Excerpt of one open document, read after people have written (crdt/content/excerpt.py).

The lists of documents show it without a browser that tells. The first reading comes soon. While
the lines stay as they are, the pauses grow, because most people write further down. Each node reads
what its own people have written. The store keeps the excerpt of the latest row.
"""

import asyncio
from collections.abc import Awaitable, Callable

from crdt.errors import ManyhandsError
from crdt.ids import DocumentId, Seq
from crdt.room.room import Room
from server.background import Background
from server.observe import log

FIRST_PAUSE, LAST_PAUSE = 1.5, 60.0
"""Seconds from a change to the next reading: after lines that changed, and after the same lines."""

BYTES_PER_SECOND = 2**15
"""Bytes of a document for which the pause is a second longer. Encoding them takes some 0.3 ms."""

RenewExcerpt = Callable[[Seq], Awaitable[bool]]
"""A function that reads the excerpt at this row and, if it has changed, stores it and tells people.

Returns whether the lines have changed; raises ManyhandsError.
"""


class Excerpting:
    """Timer of the readings of one document's excerpt."""

    def __init__(self, document_id: DocumentId, room: Room, background: Background, renew: RenewExcerpt) -> None:
        self._document_id = document_id
        self._room = room
        self._background = background
        self._renew = renew
        self._pause = FIRST_PAUSE
        self._known = Seq(0)
        """The row whose excerpt is known."""
        self._reading = self._closed = False
        self.timer: asyncio.TimerHandle | None = None
        """None if no reading is to come."""

    def opened(self, known: int) -> None:
        """Begin with an open document whose excerpt at row `known` is stored."""
        self._known = Seq(known)
        self.written()

    def written(self) -> None:
        """Read the excerpt soon, because somebody has perhaps changed it."""
        if self._is_due:
            pause = self._pause + self._room.replica.document.size / BYTES_PER_SECOND
            self.timer = asyncio.get_running_loop().call_later(pause, self.begin)

    def begin(self) -> None:
        """Read the excerpt now, unless it is known or being read."""
        self._stop_timer()
        if self._is_due:
            self._reading = True
            self._background.spawn(self._read(self._room.seq), "excerpt")

    def close(self) -> None:
        """Begin no more readings. A reading that is under way goes on."""
        self._closed = True
        self._stop_timer()

    @property
    def _is_due(self) -> bool:
        room = self._room
        return not self._reading and not self._closed and room.seq > self._known and room.quarantined is None

    def _stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    async def _read(self, seq: Seq) -> None:
        changed = False
        try:
            changed = await self._renew(seq)
        except ManyhandsError as error:
            log.warning("excerpt_unread", document=self._document_id, reason=str(error))
        finally:
            self._reading = False
        self._known = seq
        self._pause = FIRST_PAUSE if changed else min(self._pause * 4, LAST_PAUSE)
        self.written()
