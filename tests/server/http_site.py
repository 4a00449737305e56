"""The HTTP side over a store in memory, without a network: what the tests of the REST API, health and pages stand on."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from crdt.budget import Budget, Rate
from crdt.ids import DocumentId
from crdt.permissions import Role
from crdt.protocol.messages import Format, User
from crdt.yjs.limits import GateLimits
from server.auth.base import EVERY_DOCUMENT, Identity
from server.bus.memory import MemoryBus
from server.doors.direct import DirectDoor
from server.features.discussion.inbox import InboxApi
from server.features.discussion.threads import DiscussionApi
from server.http.attachments import AttachmentsApi, UploadLimits
from server.http.contents import ContentsApi, ContentWriter
from server.http.documents import DocumentsApi
from server.http.edits import Author, Editing, EditsApi
from server.http.health import Health
from server.http.middleware import ApiRates, OriginMiddleware, Origins
from server.http.once import Once
from server.http.operation import routes_of
from server.http.pages import Asset, Pages
from server.http.sharing import SharingApi
from server.http.site import http_app
from server.http.versions import VERSIONED, VersionedApp
from server.people.access import Access
from server.people.sharing import SharingDesk
from server.rooms import Rooms, RoomSettings
from server.sandbox import Sandbox
from server.store.deeds_base import Done
from server.store.sql import SqlStore
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.memory_store import memory_store

ORIGIN = "http://127.0.0.1:8000"


class OpenPages:
    """Open documents that remember what they were told."""

    def __init__(self) -> None:
        self.told: list[Done] = []
        self.broadcasts: list[tuple[DocumentId, bytes, User]] = []

    def tell(self, done: Done) -> None:
        self.told.append(done)

    def broadcast(self, document_id: DocumentId, payload: bytes, user: User) -> None:
        self.broadcasts.append((document_id, payload, user))

    async def until_closed(self, document_id: DocumentId) -> None:
        assert document_id


class Clock:
    """Both kinds of time, which pass when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def utc(self) -> datetime:
        self.seconds += 1  # so that order by time is order of calls
        return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)


def secret() -> bytes:
    return b"of this site"


class Introducer:
    """Says who asks, as authentication would.

    Who names themselves in a header is known again, others are strangers. Who says a role as well is
    a program, whose token has this role everywhere.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {key: value.decode() for key, value in scope.get("headers", [])}
        name, role = headers.get(b"x-name"), headers.get(b"x-program")
        if name:
            user = User(name, name.title(), "#112233")
            scope["state"] = {"identity": Identity(user, "guest")}
            if role:
                roles = {EVERY_DOCUMENT: Role(role)}
                scope["state"] = {"identity": Identity(user, "service", document_roles=roles, agent_for="anna")}
        await self._app(scope, receive, send)


class DirectAuthors:
    """The direct door over rooms that are open for one author, because most tests have none."""

    def __init__(self, store: SqlStore, access: Access) -> None:
        self._store = store
        self._access = access

    @asynccontextmanager
    async def author(
        self, document_id: DocumentId, identity: Identity, *, agent_for: str | None, declares: Format | None
    ) -> AsyncIterator[Author]:
        sandbox, clock = cast(Sandbox, InProcessSandbox()), asyncio.get_running_loop().time
        async with (
            MemoryBus() as bus,
            Rooms(self._store, bus, sandbox, RoomSettings(), clock, self._access) as rooms,
            DirectDoor(rooms).author(document_id, identity, agent_for=agent_for, declares=declares) as author,
        ):
            yield author


@dataclass
class Site:
    store: SqlStore = field(default_factory=memory_store)
    pages: OpenPages = field(default_factory=OpenPages)
    clock: Clock = field(default_factory=Clock)
    sandbox: Sandbox = field(default_factory=Sandbox)
    uploads: UploadLimits = field(
        default_factory=lambda: UploadLimits(upload_bytes=100_000, uploads=1, document_bytes=200_000)
    )
    most_owned: int = 10_000
    most_people: int = 1000
    rates: ApiRates = field(default_factory=ApiRates)
    assets: Mapping[str, Asset] = field(default_factory=dict)
    budget: Budget | None = None
    talk: Rate = Rate(2, 200)
    inboxes_told: list[frozenset[str]] = field(default_factory=list)
    writer: ContentWriter | None = None
    """What writes contents; None for the sandbox."""

    def __post_init__(self) -> None:
        self.access = Access(self.store, guests=True)
        self.health = Health(self.store, version="1.2.3", deadline=0.05, clock=self.clock.monotonic)

    def app(self) -> ASGIApp:
        documents = DocumentsApi(
            self.store,
            self.access,
            self.pages,
            self.clock.utc,
            most_owned=self.most_owned,
        )
        attachments = AttachmentsApi(self.store, self.access, self.sandbox, self.uploads)
        contents = ContentsApi(self.store, self.writer or self.sandbox, GateLimits())
        editing = Editing(self.store, DirectAuthors(self.store, self.access), InProcessSandbox(), GateLimits())
        edits = EditsApi(editing, Once(self.store.answers, self.clock.utc), 100_000)
        sharing = SharingApi(SharingDesk(self.store, self.access, secret, self.most_people))
        others = [*routes_of([self.health]), *Pages(self.assets).routes()]
        site = http_app(
            [documents, contents, edits, attachments, sharing, *self.discussion()],
            self.access,
            others,
            self.rates,
            budget=self.budget,
            allowed_origins=["https://docs.example.com"],
        )
        versioned = VersionedApp(site)

        async def by_version(scope: Scope, receive: Receive, send: Send) -> None:
            await (versioned if scope["path"].startswith(VERSIONED) else site)(scope, receive, send)

        return OriginMiddleware(Introducer(by_version), Origins(["https://docs.example.com"], "127.0.0.1"))

    def discussion(self) -> list[object]:
        """The discussion, and the inboxes, whose changes are remembered."""
        threads = DiscussionApi(self.store, self.access, self.clock.monotonic, self.talk)
        return [threads, InboxApi(self.store, self.access, self.inboxes_told.append)]

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.app(), raise_app_exceptions=False)
        async with self.store, httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            yield client


def error_of(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal; also checks its form."""
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    assert error["message"].endswith(".")
    return response.status_code, error["code"]
