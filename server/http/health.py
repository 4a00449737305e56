"""Health of the process: whether it lives, and whether it can do its work.

A supervisor restarts the process by the first answer. A balancer sends people to it by the second.
"""

import asyncio
from collections.abc import Callable

from msgspec import Struct
from starlette.responses import Response

from crdt.errors import Unavailable
from server.http.operation import Asked, operation, reply
from server.observe import log
from server.store.base import Store

REMEMBERED = 1.0
"""Seconds for which the store's answer is good. However many ask, the store is asked once."""


_HEADERS = {"Cache-Control": "no-store"}


class Healthy(Struct, tag_field="status", tag="ok"):
    """The process lives."""

    version: str


class Ready(Struct, tag_field="status", tag="ready"):
    """The process can do its work."""


class NotReady(Struct, tag_field="status", tag="unavailable"):
    """The process cannot do its work now, for this reason."""

    reason: str


class Health:
    """`/health` and `/ready`.

    `clock` returns monotonic seconds. `deadline` is the seconds in which the store must answer.
    """

    def __init__(self, store: Store, *, version: str, deadline: float, clock: Callable[[], float]) -> None:
        self._store = store
        self._version = version
        self._deadline = deadline
        self._clock = clock
        self._checking = asyncio.Lock()
        self._check: asyncio.Future[None] | None = None
        """The last question to the store, until its answer is used."""
        self._checked_at = float("-inf")
        self._reason: str | None = None
        self.draining = False

    @operation("GET /health")
    async def health(self, asked: Asked) -> Healthy:
        """Say that the process lives."""
        asked.headers.update(_HEADERS)
        return Healthy(self._version)

    @operation("GET /ready", answers={200: Ready, 503: NotReady})
    async def ready(self, _asked: Asked) -> Response:
        """Say whether the process can do its work."""
        reason = "The server is shutting down." if self.draining else await self._store_reason()
        return reply(Ready(), 200, _HEADERS) if reason is None else reply(NotReady(reason), 503, _HEADERS)

    async def _store_reason(self) -> str | None:
        async with self._checking:
            if self._clock() - self._checked_at >= REMEMBERED:
                before, self._reason = self._reason, await self._asked_store()
                self._checked_at = self._clock()
                if before and not self._reason:
                    log.info("store_back")
            return self._reason

    async def _asked_store(self) -> str | None:
        """Ask the store, or wait on for its answer to the last question.

        A late answer is not given up. It may be late because a session with a busy database takes
        long to begin, and if each were given up, none would ever begin. The store has a deadline of
        its own.
        """
        check = self._check = self._check or asyncio.ensure_future(self._store.check())
        done, _ = await asyncio.wait({check}, timeout=self._deadline)
        if not done:
            log.warning("store_unreachable", reason="no answer in time")
            return f"The store has not answered for {self._deadline:g} s."
        self._check = None
        try:
            check.result()
        except Unavailable as error:
            log.warning("store_unreachable", reason=error.message)
            return "The store does not answer; the server's log says why."
        return None
