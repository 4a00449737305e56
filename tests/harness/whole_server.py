"""The whole application on a free loopback port, over a store in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from time import monotonic
from typing import Self

import httpx
import pytest

from server.app import App, create_app
from server.bus.base import Bus
from server.config import Config, Listen
from server.config.people import PeopleSettings
from server.http.pages import read_build
from server.sandbox import Sandbox
from server.store.sql import SqlStore
from tests.harness.live_server import listening
from tests.harness.memory_store import memory_store
from tests.harness.tokens import NOW


@dataclass
class Clock:
    """The time of day, which stands still until a test moves it."""

    seconds: float = field(default=NOW)
    ahead: float = 0.0
    """Seconds by which the monotonic clock is ahead."""

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


@dataclass(frozen=True)
class WholeServer:
    """The server's address, and its clock."""

    port: int
    app: App
    store: SqlStore
    clock: Clock

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def browser(self) -> httpx.AsyncClient:
        """Open a browser with a cookie jar of its own."""
        return httpx.AsyncClient(base_url=self.url)


class IdleSandbox(Sandbox):
    """A sandbox that starts its process for the first job.

    Most stories have no job, and take less time than the start.
    """

    async def __aenter__(self) -> Self:
        return self


_build = cache(read_build)
"""The built pages. Reading them takes three quarters of the start and end of a server."""


@asynccontextmanager
async def whole_server(
    people: PeopleSettings | None = None,
    *,
    store: SqlStore | None = None,
    clock: Clock | None = None,
    allowed_origins: tuple[str, ...] = (),
    config: Config | None = None,
    bus: Bus | None = None,
) -> AsyncIterator[WholeServer]:
    """Run a server. At the end, everything that it started has stopped.

    `config` has all settings, instead of the few arguments. Nodes share a store and a bus' network.
    """
    store, clock = store or memory_store(), clock or Clock()
    config = config or Config(listen=Listen(allowed_origins=allowed_origins), people=people or PeopleSettings())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.app.read_build", _build)
        app = create_app(
            config, store=store, bus=bus, sandbox=IdleSandbox(), clock=lambda: monotonic() + clock.ahead, now=clock
        )
    async with app.running(), listening(app, app.gateway.message_bytes) as port:
        yield WholeServer(port, app, store, clock)
        await app.stop()
