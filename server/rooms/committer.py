"""Group commit: the appends of all documents that gather while one commit runs, in one transaction.

One commit runs at a time, so the order of submission is the order of commitment. Nothing is retried
here. A failure is told to each room, which keeps its batch and tries the same one again.
"""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct, field

from crdt.errors import Unavailable
from server.observe import log
from server.store.base import Append, AppendOutcome, Log

PACE = 0.008
"""Least seconds between the beginnings of two groups. A commit costs the same for one batch as for
ten.

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

    def submit(self, append: Append, done: Done) -> None:
        """Put an append into the next group.

        `done` is called on the loop with the outcome, and perhaps before that with Late.
        """
        self._waiting.append((append, done))
        self._wake.set()
        if self._late:
            asyncio.get_running_loop().call_soon(done, Late())

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        clock, next_at = loop.time, 0.0
        while True:
            await self._wake.wait()
            if (pause := next_at - clock()) > 0:
                await asyncio.sleep(pause)
            next_at = clock() + PACE
            self._wake.clear()
            group, self._waiting = self._waiting, []
            if group:
                late = loop.call_later(LATE_SECONDS, self._tell_late, group)
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
