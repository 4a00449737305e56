"""Whether the process lives, and whether it can do its work: for whoever restarts it or sends people to it."""

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from crdt.errors import Unavailable
from server.http.routing import resource
from server.observe import log
from server.store.base import Store

REMEMBERED = 1.0
"""Seconds for which an answer of the store is good: however many ask, it is asked no more often."""


class Health:
    """`/health` and `/ready`. `clock`: monotonic seconds; `deadline`: seconds that the store has to answer."""

    def __init__(self, store: Store, *, version: str, deadline: float, clock: Callable[[], float]) -> None:
        self._store = store
        self._version = version
        self._deadline = deadline
        self._clock = clock
        self._checking = asyncio.Lock()
        self._checked_at = float("-inf")
        self._reason: str | None = None
        self.draining = False

    def routes(self) -> list[Route]:
        """Both addresses."""
        return [resource("/health", {"GET": self._health}), resource("/ready", {"GET": self._ready})]

    async def _health(self, _request: Request) -> Response:
        return _answer({"status": "ok", "version": self._version}, 200)

    async def _ready(self, _request: Request) -> Response:
        reason = "The server is shutting down." if self.draining else await self._store_reason()
        if reason is not None:
            return _answer({"status": "unavailable", "reason": reason}, 503)
        return _answer({"status": "ready"}, 200)

    async def _store_reason(self) -> str | None:
        async with self._checking:
            if self._clock() - self._checked_at >= REMEMBERED:
                before, self._reason = self._reason, await self._check()
                self._checked_at = self._clock()
                if before and not self._reason:
                    log.info("store_back")
            return self._reason

    async def _check(self) -> str | None:
        try:
            async with asyncio.timeout(self._deadline):
                await self._store.check()
        except TimeoutError:
            log.warning("store_unreachable", reason="no answer in time")
            return f"The store has not answered for {self._deadline:g} s."
        except Unavailable as error:
            log.warning("store_unreachable", reason=error.message)
            return "The store does not answer; the server's log says why."
        return None


def _answer(body: dict[str, str], status: int) -> Response:
    return JSONResponse(body, status, {"Cache-Control": "no-store"})
