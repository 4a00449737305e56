"""Group commit: the appends of all documents that gather while one commit runs, in one transaction.

One commit runs at a time, so the order of submission is the order of commitment. Nothing is retried
here. A failure is told to each room, which keeps its batch and tries the same one again.

Groups are turns of the whole node. Rooms do not know of each other: a row leaves its room as soon
as the room's own window allows. Here the row meets those of other rooms. A commit costs the same
for one row and for ten: most of it is the disk's sync, and the wake-ups around it. So the more
documents are written in, the longer a group gathers:

- Alone in the house, a row leaves at once, or behind the commit that is under way.
- While many documents are written in, a row waits for half of `LONGEST` on average.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct, field

from crdt.errors import Unavailable
from crdt.ids import DocumentId
from server.observe import log
from server.store.base import Append, AppendOutcome, Log

LATELY = 8
"""Rows that show how many documents are written in."""

PER_DOCUMENT = 0.002
"""Seconds between the beginnings of two groups, for each document among the last rows."""

LONGEST = LATELY * PER_DOCUMENT
"""Most seconds between the beginnings of two groups: one frame of a screen.

After a quiet spell a group begins at once.
"""

LATE_SECONDS = 1.5
"""Seconds without an answer after which people are told that nothing is being saved.

The same append goes on meanwhile.
"""


class Late(Struct, frozen=True):
    """The store has not answered yet. The outcome is still to come."""


Outcome = AppendOutcome | Late | None
"""The outcome of an append; None if the store did not take it, or did not say so."""

Done = Callable[[Outcome], None]


class Committer(Struct, eq=False):
    """The one writer to the log on this node. `run` never ends."""

    log: Log
    deadline: float
    """Seconds after which an append without an answer counts as failed. It is safe to repeat."""
    _waiting: list[tuple[Append, Done]] = field(default_factory=list)
    _late: bool = False
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _lately: deque[DocumentId] = field(default_factory=lambda: deque(maxlen=LATELY))

    def submit(self, append: Append, done: Done) -> None:
        """Put an append into the next group.

        `done` is called on the loop with the outcome, and perhaps before that with Late.
        """
        self._waiting.append((append, done))
        self._wake.set()
        if self._late:
            asyncio.get_running_loop().call_soon(done, Late())

    async def run(self) -> None:
        clock, next_at, lately = asyncio.get_running_loop().time, 0.0, self._lately
        while True:
            await self._wake.wait()
            if (pause := next_at - clock()) > 0:
                await asyncio.sleep(pause)
            began = clock()
            self._wake.clear()
            if self._waiting:
                lately.extend([append.document_id for append, _ in self._waiting])
                next_at = began + PER_DOCUMENT * len(set(lately))
                await self._commit_group()

    async def _commit_group(self) -> None:
        """Commit what waits, and tell. Hold nothing of it, for its rooms may be closed then."""
        group, self._waiting = self._waiting, []
        late = asyncio.get_running_loop().call_later(LATE_SECONDS, self._tell_late, group)
        outcomes = await self._commit([append for append, _ in group])
        late.cancel()
        self._late = False
        for (_, done), outcome in zip(group, outcomes, strict=True):
            done(outcome)

    def _tell_late(self, group: Sequence[tuple[Append, Done]]) -> None:
        self._late = True
        log.warning("append_late", documents=len(group), reason="The store has not answered yet.")
        for _, done in [*group, *self._waiting]:
            done(Late())

    async def _commit(self, appends: Sequence[Append]) -> Sequence[AppendOutcome | None]:
        try:
            async with asyncio.timeout(self.deadline):
                return await self.log.append(appends)
        except (Unavailable, TimeoutError) as error:
            log.warning("append_failed", documents=len(appends), reason=str(error) or "no answer in time")
            return [None] * len(appends)
        except Exception:  # noqa: BLE001 - the border between the store and many rooms
            # The port knows no such refusal. One bad append must not hold up the others: try each
            # alone.
            log.exception("append_broken", documents=len(appends))
            if len(appends) == 1:
                return [None]
            return [(await self._commit([append]))[0] for append in appends]
