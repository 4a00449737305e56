"""A whole server in the test's own event loop, on a free loopback port.

It has uvicorn, the gateway, and real rooms over a store in memory.
"""

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import uvicorn

from crdt.ids import DocumentId, Epoch
from crdt.room.session import Behind
from server.auth.base import Authenticator
from server.auth.cookies import GuestAuthenticator, SecretKey
from server.bus.memory import MemoryBus
from server.doors.native import Gateway, GatewayLimits, Origins
from server.doors.native.connection import Connection
from server.doors.native.lane.fast_lane import websocket_protocol
from server.doors.reception import Reception
from server.http.requests import BoundedHttpProtocol
from server.rooms import Rooms, RoomSettings
from server.sandbox import Sandbox
from server.store.sql import SqlStore
from tests.harness.bell import PATIENCE
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.memory_store import memory_store

FAREWELL = 2.0
"""Seconds for clients to close their connections when a server ends, before it aborts them."""


@dataclass(frozen=True)
class LiveServer:
    """Everything that a test may want to use. `url` has no path."""

    port: int
    gateway: Gateway
    rooms: Rooms
    store: SqlStore

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connections(self) -> list[Connection]:
        """The connections, oldest first. Only tests use them."""
        return list(self.gateway.accepted.values())

    def addresses(self) -> list[str]:
        return [connection.socket.address for connection in self.gateway.accepted.values()]

    @property
    def polls(self) -> int:
        """Long-polling requests that wait for something to come."""
        return sum(connection.socket.polling for connection in self.gateway.accepted.values())

    async def new_document(self, title: str = "Story", owner: str | None = "its-owner") -> DocumentId:
        document_id = DocumentId(secrets.token_urlsafe(16))
        await self.store.catalogue.create(document_id, title, Epoch(1), datetime.now(UTC), owner=owner)
        return document_id


async def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Let the loop turn until the condition holds. Fails if the condition does not hold in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - conditions of any object have no event to wait for
            await asyncio.sleep(0.005)


def is_behind(server: LiveServer, document_id: DocumentId) -> bool:
    driver = server.rooms.registry.get(document_id)
    assert driver is not None
    return any(isinstance(session.state, Behind) for session in driver.room.members)


def guests(secret: str = "a secret of nobody but this test") -> GuestAuthenticator:
    """Let everybody in as a guest."""
    return GuestAuthenticator(SecretKey(secret), time.time)


@asynccontextmanager
async def serving(
    *,
    limits: GatewayLimits | None = None,
    origins: Origins | None = None,
    settings: RoomSettings | None = None,
    rooms_class: type[Rooms] = Rooms,
    store: SqlStore | None = None,
    authenticator: Authenticator | None = None,
) -> AsyncIterator[LiveServer]:
    """Run a server. At the end, everything that it started has stopped."""
    async with store or memory_store() as store, MemoryBus() as bus:
        rooms = rooms_class(store, bus, cast("Sandbox", InProcessSandbox()), settings or RoomSettings())
        gateway = Gateway(Reception(rooms, authenticator or guests(), limits, origins))
        async with rooms, listening(gateway.asgi_app, gateway.message_bytes) as port:
            yield LiveServer(port, gateway, rooms, store)
            await gateway.close()
            await rooms.drain()


@asynccontextmanager
async def listening(application: Any, message_bytes: int, websockets: Any = None) -> AsyncIterator[int]:
    """Serve an ASGI application on a free port, and yield the port.

    `websockets` is uvicorn's protocol for WebSockets, by default FastLane.
    """

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await application(scope, receive, send)

    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        http=BoundedHttpProtocol,
        ws=websockets or websocket_protocol(),
        ws_max_size=message_bytes,
        ws_per_message_deflate=False,
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # asyncio sets it only for a listener made for TCP. Without it, each answer waits 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await server.startup([listener])
        ticking = asyncio.ensure_future(server.main_loop())
        try:
            yield listener.getsockname()[1]
        finally:
            ticking.cancel()
            await _end(server)


async def _end(server: uvicorn.Server) -> None:
    """Do what uvicorn's `shutdown` does, without its sleeps.

    It looks only ten times a second whether all connections are gone, and sleeps before it looks.
    """
    state = server.server_state
    for each in server.servers:
        each.close()
    for connection in list(state.connections):
        connection.shutdown()
    ended = lambda: not state.connections and not state.tasks  # noqa: E731
    try:
        await until(ended, FAREWELL)
    except TimeoutError:
        for task in state.tasks:
            task.cancel()
        for connection in list(state.connections):
            connection.transport.abort()
        with suppress(TimeoutError):
            await until(ended, FAREWELL)
    for each in server.servers:
        await each.wait_closed()
