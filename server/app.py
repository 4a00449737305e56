"""Composition root: makes and joins all parts of the server, and opens and closes them in order.

Parts are closed in the opposite order. `create_app(config)` returns an ASGI application. A server
that speaks ASGI's lifespan opens and stops it by that. Ours (server/cli/serve.py) does so itself,
because it must stop the application before it closes connections.
"""

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from pathlib import Path

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from crdt.budget import Budget
from crdt.errors import Unavailable
from crdt.ids import NodeId
from crdt.yjs.limits import GateLimits
from server.auth.cookies import Seal, SecretKey
from server.bus.base import Bus
from server.bus.memory import MemoryBus
from server.config import Config
from server.config.loading import version
from server.doors import hocuspocus
from server.doors.direct import DirectDoor
from server.doors.hocuspocus import HocuspocusDoor
from server.doors.names import NamedDocuments
from server.doors.native import Gateway, GatewayLimits
from server.doors.native import Origins as SocketOrigins
from server.doors.reception import Reception
from server.doors.websocket import no_door
from server.doors.ysocketio import YSocketIoDoor
from server.doors.ywebsocket import PATH as Y_PATH
from server.doors.ywebsocket import YWebsocketDoor
from server.features import APIS
from server.features.discussion.inbox import InboxApi
from server.features.discussion.threads import DiscussionApi
from server.http.attachments import LASTING, PICTURES, AttachmentsApi, UploadLimits
from server.http.contents import ContentsApi
from server.http.documents import DocumentsApi
from server.http.edits import Editing, EditsApi
from server.http.health import Health
from server.http.me import MeApi
from server.http.middleware import ApiRates, OriginMiddleware, Origins, Shares
from server.http.once import Once
from server.http.openapi import OpenApi
from server.http.operation import operations_of, routes_of
from server.http.pages import DEFAULT_DIRECTORY, Pages, read_build
from server.http.sharing import SharingApi
from server.http.sign_in import SignInPages
from server.http.site import http_app
from server.http.versions import VERSIONED, VersionedApp
from server.observe import log
from server.people.access import Access
from server.people.services import Services
from server.people.sharing import SharingDesk
from server.people.ways_in import default_link_role, rooms_by_name, way_in
from server.rooms import Rooms, RoomSettings
from server.sandbox import Sandbox
from server.store.base import Store
from server.store.database import utc_now
from server.store.sql import SqlStore, url_of


def create_app(
    config: Config,
    *,
    store: Store | None = None,
    bus: Bus | None = None,
    sandbox: Sandbox | None = None,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime] = utc_now,
) -> "App":
    """Make the application. Nothing is opened yet.

    `clock`: monotonic seconds. `now`: the time of day, in UTC.
    """
    places = config.places
    age = timedelta(days=places.history_days)
    store = store or SqlStore(database_url(config), history_bytes=places.history_bytes, history_age=age, clock=now)
    return App(config, store, bus or bus_of(config), sandbox or sandbox_of(config), clock, now)


def database_url(config: Config) -> str:
    """Return the URL of the database with the documents."""
    return url_of(config.places.database_url, config.places.data_dir)


class App:
    """All parts of one node, as one ASGI application."""

    def __init__(
        self,
        config: Config,
        store: Store,
        bus: Bus,
        sandbox: Sandbox,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._config = config
        self._store = store
        self._bus = bus
        self._sandbox = sandbox

        def unix_now() -> float:
            return now().timestamp()

        bounds = config.connections
        self._budget = Budget(bounds.max_held_bytes, bounds.max_held_bytes_per_user, clock)
        self._way_in = way_in(config.people, clock, unix_now)
        services = Services(self._way_in.authenticator, store.service_tokens, now)
        access = Access(store, guests=config.people.auth == "guest")
        self._access = access
        self.rooms = Rooms(store, bus, self._sandbox, room_settings(config), clock, access)
        reception = Reception(
            self.rooms,
            services,
            _gateway_limits(config),
            SocketOrigins(_our_origins(config)),
            unix_now,
            self._budget,
        )
        self.gateway = Gateway(reception)
        names = NamedDocuments(
            store.catalogue,
            access,
            Shares(config.rates.creation_rate, clock).take,
            now,
            makes=rooms_by_name(config.people),
            link_role=default_link_role(config.people),
            most_owned=config.http.max_documents_per_user,
        )
        self.ywebsocket = YWebsocketDoor(reception, names)
        self.hocuspocus = HocuspocusDoor(reception, names)
        self.ysocketio = self.gateway.server.yjs = YSocketIoDoor(reception, names)
        self._doors = (self.ywebsocket, self.hocuspocus, self.ysocketio)
        self._health = Health(store, version=version(), deadline=config.http.ready_seconds, clock=clock)
        sign_in = self._way_in.sign_in
        seals = Seal(self._way_in.key, PICTURES, LASTING, unix_now)
        editing = Editing(store, DirectDoor(self.rooms), self._sandbox, gate_limits(config), config.people.public_url)
        self._mailer, mail_pages = _mail(config, store, access, self._way_in.key, unix_now)
        self.site = http_app(
            [
                DocumentsApi(
                    store,
                    access,
                    self.rooms,
                    now,
                    default_link_role(config.people),
                    most_owned=config.http.max_documents_per_user,
                    beginning=editing,
                ),
                ContentsApi(store, self._sandbox, gate_limits(config), config.people.public_url, seals),
                EditsApi(editing, Once(store.answers, now), config.documents.limits.update_bytes),
                AttachmentsApi(store, access, self._sandbox, _upload_limits(config), seals),
                SharingApi(
                    SharingDesk(
                        store, access, lambda: self._way_in.key.derived("links"), config.http.max_people_per_document
                    )
                ),
                MeApi(self._way_in.authenticator, access.welcome, unix_now, takes_tokens=config.people.auth == "jwt"),
                DiscussionApi(store, access, clock),
                InboxApi(store, access, self.rooms.tell_inboxes, mails=config.mail.smtp_url is not None),
                OpenApi(list(operations_of(*APIS)), version()),
            ],
            access,
            [*routes_of([self._health]), *mail_pages, *_pages(config.places.pages_dir).routes()],
            ApiRates(config.rates.request_rate, config.rates.creation_rate, clock),
            authenticator=services,
            sign_in=None if sign_in is None else SignInPages(sign_in, access.welcome),
            budget=self._budget,
            allowed_origins=config.listen.allowed_origins,
            frame_ancestors=config.listen.frame_ancestors,
        )
        self.site.router.lifespan_context = lambda _: self.running()
        self._versioned = VersionedApp(self.site)
        self.asgi: ASGIApp = OriginMiddleware(self._serve, _origins(config))
        """This application, for a server that need not be told that it speaks ASGI 3.

        Nothing of `__call__` is kept as long as a connection lives.
        """
        self._stopping = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.asgi(scope, receive, send)

    def _serve(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "lifespan" and scope["path"].startswith("/socket.io/"):
            answer: Awaitable[None] = self.gateway.asgi_app(scope, receive, send)
            return answer
        if scope["type"] == "websocket":
            return self._door(scope["path"])(scope, receive, send)
        if scope["type"] == "http" and scope["path"].startswith(VERSIONED):
            return self._versioned(scope, receive, send)
        return self.site(scope, receive, send)

    def _door(self, path: str) -> ASGIApp:
        """Return the door of a WebSocket's path."""
        if path.startswith(Y_PATH):
            return self.ywebsocket
        return self.hocuspocus if hocuspocus.is_here(path) else no_door

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open everything, and close it at the end; raises Unavailable if a part does not open."""
        async with self._sandbox, self._store, self._bus, self.rooms, self._mailer:
            await self._way_in.key.open(self._store.secrets)
            try:
                yield
            finally:
                await self.stop()

    async def stop(self) -> None:
        """Leave in good order, once.

        The order: not ready, nobody let in, people sent away in turns, everything written,
        connections ended. People are told before the last edit is written, not after. So each
        person is served until they go, and meets no refusal. If the store holds up the writing,
        they need not wait for it here. What is not written at the deadline was not acknowledged
        either, and stays with its clients.
        """
        if self._stopping:
            return
        self._stopping = self._health.draining = True
        log.info(
            "server_draining", connections=self.gateway.connections + sum(len(each.connections) for each in self._doors)
        )
        seconds = self._config.shutdown.shutdown_seconds
        spread_ms = self._config.shutdown.drain_spread_ms
        self.gateway.drain(spread_ms)
        for door in self._doors:
            door.drain(spread_ms)
        try:
            async with asyncio.timeout(seconds):
                await self.gateway.until_left(min(spread_ms / 1000, seconds / 2))
                await self.rooms.drain()
        except TimeoutError:
            log.warning("server_stop_cut_short", reason="what was waiting could not be written in time")
        for door in self._doors:
            door.close()
        await self.gateway.close()


def _mail(
    config: Config, store: Store, access: Access, key: SecretKey, clock: Callable[[], float]
) -> tuple[AbstractAsyncContextManager[object], list[Route]]:
    """Return what sends mail while the server runs, and the pages behind its links; or nothing."""
    mail, public_url = config.mail, config.people.public_url
    if mail.smtp_url is None or mail.mail_from is None or public_url is None:
        return contextlib.nullcontext(), []
    from server.features.discussion.mail import Mailer, Post  # only a server that sends mail needs this
    from server.features.discussion.unsubscribing import Unsubscribing

    unsubscribing = Unsubscribing(store.inboxes, key, public_url, clock)
    post = Post(mail.smtp_url, mail.mail_from, public_url)
    return Mailer(store, access, post, unsubscribing), unsubscribing.routes()


def bus_of(config: Config) -> Bus:
    url = config.places.redis_url
    if url is None:
        return MemoryBus()
    from server.bus.redis import RedisBus  # only a node with Redis needs its client

    try:
        return RedisBus(url, NodeId(secrets.token_hex(8)))
    except ValueError as error:
        raise Unavailable(f"MANYHANDS_REDIS_URL cannot be used: {error}.") from error


def sandbox_of(config: Config) -> Sandbox:
    bounds = config.sandbox
    return Sandbox(
        memory_bytes=bounds.sandbox_memory_bytes,
        job_seconds=bounds.sandbox_seconds,
        workers=bounds.sandbox_workers,
        starts_late=True,
    )


def gate_limits(config: Config) -> GateLimits:
    return GateLimits(update_bytes=config.documents.limits.update_bytes)


def room_settings(config: Config) -> RoomSettings:
    limits, places = config.documents.limits, config.places
    alone = places.redis_url is None and database_url(config).startswith("sqlite:")
    return RoomSettings(
        limits=limits,
        gate_limits=gate_limits(config),
        node_id=places.node_id or f"{socket.gethostname()}:{config.listen.port}",
        poll_seconds=None if alone else places.poll_seconds,
        open_bytes_per_user=config.connections.max_open_bytes_per_user,
    )


def _gateway_limits(config: Config) -> GatewayLimits:
    bounds, rates = config.connections, config.rates
    return GatewayLimits(
        connections=bounds.max_connections,
        connections_per_address=bounds.max_connections_per_address,
        connections_per_user=bounds.max_connections_per_user,
        handshakes_per_address=bounds.max_handshakes_per_address,
        documents_per_connection=bounds.max_documents_per_connection,
        connect_seconds=bounds.connect_seconds,
        joins=rates.join_rate,
        updates=rates.update_rate,
        content_bytes=rates.byte_rate,
        presence=rates.presence_rate,
    )


def _upload_limits(config: Config) -> UploadLimits:
    bounds = config.http
    return UploadLimits(bounds.max_attachment_bytes, bounds.max_document_attachments_bytes)


def _our_origins(config: Config) -> tuple[str, ...]:
    public_url = config.people.public_url
    return config.listen.allowed_origins + (() if public_url is None else (public_url,))


def _origins(config: Config) -> Origins:
    listen, ours = config.listen, _our_origins(config)
    # A server that is open to everybody and does not know its own name has no name to check.
    return Origins(ours, listen.host, any_name=listen.insecure_public and not ours)


def _pages(directory: Path | None) -> Pages:
    """Read the built pages. Only a directory that is set by name must hold some."""
    assets = read_build(directory or DEFAULT_DIRECTORY)
    if directory is not None and not assets:
        raise Unavailable(f"MANYHANDS_PAGES_DIR: there are no built pages in {directory} (it has no index.html).")
    return Pages(assets)
