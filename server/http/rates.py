"""How fast one address may ask the REST API or sign in, and how many documents it may make: refused before anything is looked up.

Pages and health are not counted: they are served from memory, and whoever watches a server may look
often.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from crdt.errors import Code
from crdt.token_bucket import Rate
from server.address_groups import Shares
from server.http.errors import refusal

COUNTED = ("/api/", "/sign-")
"""The API, and signing in, for which an identity provider is asked."""


@dataclass(frozen=True, slots=True)
class ApiRates:
    """Of one address: its requests, and the documents it makes. `clock`: monotonic seconds."""

    requests: Rate = Rate(100, 1000)
    creations: Rate = Rate(10, 100)
    clock: Callable[[], float] = time.monotonic


class RatesMiddleware:
    """Answers 429 to an address that asks too much."""

    def __init__(self, app: ASGIApp, rates: ApiRates) -> None:
        self._app = app
        self._requests = Shares(rates.requests, rates.clock)
        self._creations = Shares(rates.creations, rates.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be an ASGI application."""
        seconds = self._seconds(scope)
        if seconds > 0:
            message = f"Too many requests in too short a time. Try again in {math.ceil(seconds)} s."
            answer = refusal(Code.RATE_LIMITED, message, 429, {"Retry-After": str(math.ceil(seconds))})
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _seconds(self, scope: Scope) -> float:
        if scope["type"] != "http" or not scope["path"].startswith(COUNTED):
            return 0.0
        address = scope["client"][0] if scope.get("client") else ""
        seconds = self._requests.take(address)
        if seconds == 0 and scope["method"] == "POST" and scope["path"] == "/api/documents":
            return self._creations.take(address)
        return seconds
