"""Every cell of the table of permissions, over REST and Socket.IO: what a role does not include is refused by name and changes nothing."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from PIL import Image

from crdt.ids import DocumentId, Epoch
from crdt.permissions import Action, Role, may
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import User
from crdt.protocol.row import Contributor
from server.config.people import PeopleSettings
from server.features import APIS
from server.http.operation import Operation, operations_of
from server.sandbox import Sandbox
from server.store.base import Attachment
from server.store.sharing_base import KnownUser, Link
from server.store.sql import SqlStore
from server.store.threads_base import Actor, Begin, React, Rule, Said
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.live_server import LiveServer, serving
from tests.harness.memory_store import copy_of, memory_store, rows_of
from tests.harness.person import Person, person
from tests.harness.suggester import Writer, suggests_a_block
from tests.harness.tokens import SECRET
from tests.harness.whole_server import IdleSandbox, whole_server
from tests.server.http_site import Site, error_of

DOCUMENT = DocumentId("a-document")
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
ROLES = [*Role, None]
OPERATIONS = list(operations_of(*APIS))


def png() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    return buffer.getvalue()


PICTURE = png()
SHA256 = hashlib.sha256(PICTURE).hexdigest()


NEW, FIRST, *_IDS = (str(UUID(int=number)) for number in range(1, 5))
MINE, THEIRS = (f"/threads/{each}" for each in _IDS)
WORDS = [{"type": "paragraph", "content": [{"type": "text", "text": "Is it?"}]}]

DECLARED = {Action.TRANSFER: Action.SHARE, Action.RESOLVE: Action.COMMENT, Action.MODERATE: Action.COMMENT}
"""What is declared where the right depends on the request, or on whose words it is about."""


@dataclass(frozen=True)
class Ask:
    """One request, what it takes to make it, and whether the document must be in the trash for it."""

    action: Action
    method: str
    path: str = ""
    json: Any = None
    content: bytes | None = None
    trashed: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.path or '/'} {self.json or ''}".strip()


REQUESTS = [
    Ask(Action.READ, "GET"),
    Ask(Action.READ, "GET", "/content"),
    Ask(Action.READ, "GET", f"/attachments/{SHA256}"),
    Ask(Action.READ, "PUT", "/star", json={"starred": True}),
    Ask(Action.READ, "POST", "/opened"),
    Ask(Action.BROADCAST, "POST", "/broadcast", json={"payload": "hello"}),
    Ask(Action.COMMENT, "GET", "/threads"),
    Ask(Action.COMMENT, "GET", "/mentionable"),
    Ask(Action.COMMENT, "PUT", f"/threads/{NEW}", json={"comment": {"id": FIRST, "body": WORDS}}),
    Ask(Action.COMMENT, "PUT", f"{THEIRS}/comments/{NEW}", json={"body": WORDS}),
    Ask(Action.COMMENT, "PUT", f"{MINE}/comments/{FIRST}", json={"body": WORDS}),
    Ask(Action.COMMENT, "PUT", f"{THEIRS}/comments/{FIRST}/reactions/🎉"),
    Ask(Action.COMMENT, "DELETE", f"{MINE}/comments/{FIRST}/reactions/👍"),
    Ask(Action.COMMENT, "PATCH", MINE, json={"state": "resolved"}),
    Ask(Action.COMMENT, "PATCH", MINE, json={"assignee": "friend"}),
    Ask(Action.COMMENT, "DELETE", f"{MINE}/comments/{FIRST}"),
    Ask(Action.COMMENT, "DELETE", MINE),
    Ask(Action.RESOLVE, "PATCH", THEIRS, json={"state": "resolved"}),
    Ask(Action.RESOLVE, "PATCH", THEIRS, json={"assignee": "friend"}),
    Ask(Action.RESOLVE, "PATCH", THEIRS, json={"quote": "elsewhere"}),
    Ask(Action.MODERATE, "DELETE", f"{THEIRS}/comments/{FIRST}"),
    Ask(Action.MODERATE, "DELETE", THEIRS),
    Ask(Action.WRITE, "POST", "/suggestions/s1/outcome", json={"outcome": "accepted", "author": "friend"}),
    Ask(Action.READ, "GET", "/discussion"),
    Ask(Action.READ, "GET", "/authors/friend"),
    Ask(Action.SHARE, "PUT", "/discussion", json={"viewers": True}),
    Ask(Action.SUGGEST, "POST", "/attachments", content=PICTURE),
    Ask(Action.WRITE, "POST", "/edits", json={"edits": [{"do": "append", "content": "x"}]}),
    Ask(Action.SUGGEST, "POST", "/edits", json={"edits": [{"do": "append", "content": "x"}], "suggest": True}),
    Ask(Action.WRITE, "PUT", "/content", content=b"x", headers={"If-Match": "*", "Content-Type": "text/markdown"}),
    Ask(Action.SUGGEST, "PUT", f"/attachments/{SHA256}", json={"document_id": DOCUMENT}),
    Ask(Action.RENAME, "PATCH", json={"title": "Another"}),
    Ask(Action.RENAME, "PUT", "/labels", json={"labels": ["Plan"]}),
    Ask(Action.SEE_PEOPLE, "GET", "/people"),
    Ask(Action.SHARE, "POST", "/people", json={"user_id": "new", "role": "viewer"}),
    Ask(Action.SHARE, "POST", "/people", json={"email": "new@example.com", "role": "editor"}),
    Ask(Action.SHARE, "PUT", "/people/friend", json={"role": "editor"}),
    Ask(Action.SHARE, "DELETE", "/people/friend"),
    Ask(Action.SHARE, "GET", "/requests"),
    Ask(Action.SHARE, "DELETE", "/requests/friend"),
    Ask(Action.SHARE, "PUT", "/link", json={"role": "editor"}),
    Ask(Action.SHARE, "PUT", "/link", json={"role": None, "renew": True}),
    Ask(Action.SHARE, "GET", "/audit"),
    Ask(Action.SHARE, "PUT", "/format", json={"any_format": True}),
    Ask(Action.TRASH, "POST", "/trash"),
    Ask(Action.TRASH, "POST", "/restore", trashed=True),
    Ask(Action.DELETE, "DELETE", trashed=True),
    Ask(Action.TRANSFER, "PUT", "/people/friend", json={"role": "owner"}),
]


def declared(ask: Ask) -> Operation:
    """The operation that a request is for."""
    path = ask.path.replace(SHA256, "{sha256}").replace("friend", "{user_id}").replace("/s1/", "/{suggestion_id}/")
    path = re.sub(r"(thread|comment)s/[^/]+", r"\1s/{\1_id}", path)
    path = re.sub(r"reactions/.+", "reactions/{emoji}", path)
    where = (ask.method, "/api/documents/{document_id}" + path)
    (found,) = [each for each in OPERATIONS if (each.method, each.path) == where]
    return found


def test_every_operation_on_a_document_declares_the_right_that_it_takes() -> None:
    assert {declared(ask).name for ask in REQUESTS} == {each.name for each in OPERATIONS if each.parameters}
    for ask in REQUESTS:
        # Who may write edits, and who only suggests them, is seen by what is asked for.
        needs = Action.SUGGEST if ask.path == "/edits" else DECLARED.get(ask.action, ask.action)
        assert declared(ask).needs is needs


async def filled(store: SqlStore, role: Role | None, *, trashed: bool = False) -> None:
    """A document in which `me` has this role, beside its owner and a friend."""
    owner = "me" if role is Role.OWNER else "somebody"
    await store.catalogue.create(DOCUMENT, "Title", Epoch(1), NOON, owner=owner, link_role=None)
    if role not in (None, Role.OWNER):
        await store.sharing.grant(DOCUMENT, "me", role)
    await store.sharing.grant(DOCUMENT, "friend", Role.COMMENTER)
    for name in ("me", "friend"):
        await store.users.remember(KnownUser(User(name, name.title(), "#112233"), "guest"))
    await store.access_requests.ask(DOCUMENT, "friend")
    for thread, author in zip(_IDS, ("me", "friend"), strict=True):
        actor = Actor(Contributor(author, author.title()), Role.OWNER, 2**53)
        said = Said(json.dumps(WORDS))
        for act in (Begin(thread, FIRST, said), React(thread, FIRST, "👍")):
            assert await store.threads.act(DOCUMENT, actor, act) is not None
    await store.attachments.put(DOCUMENT, Attachment(SHA256, "image/png", PICTURE))
    if trashed:
        await store.catalogue.set_trashed(DOCUMENT, NOON)


async def granted(role: Role, trashed: bool) -> SqlStore:
    store = memory_store()
    await filled(store, role, trashed=trashed)
    return store


async def visited(way: str, role: Role, trashed: bool) -> SqlStore:
    """A store where `me` has come to the document by the link, or with a program's token."""
    site = Site()
    async with site.client() as client:
        await filled(site.store, None, trashed=trashed)
        if way == "by the link":
            await site.store.sharing.set_link(DOCUMENT, Link(role))
        await asked(client, Ask(Action.READ, "GET", headers=shown(way, role)))  # so that the visit is noted
    return site.store


def shown(way: str, role: Role) -> dict[str, str]:
    return {} if way == "by the link" else {"x-program": role}


async def discussed(trashed: bool) -> SqlStore:
    """A store where viewers may read the discussion, and `me` is one."""
    store = memory_store()
    await filled(store, Role.VIEWER)
    owner = Actor(Contributor("somebody", "Somebody"), Role.OWNER, 2**53)
    assert await store.threads.act(DOCUMENT, owner, Rule(viewers=True)) is not None
    if trashed:
        await store.catalogue.set_trashed(DOCUMENT, NOON)
    return store


async def closed(trashed: bool) -> SqlStore:
    """A store where `me` may do nothing."""
    store = memory_store()
    await filled(store, None, trashed=trashed)
    return store


async def known_to_nobody() -> SqlStore:
    """A store where the link makes everybody an editor."""
    store = memory_store()
    await filled(store, None)
    await store.sharing.set_link(DOCUMENT, Link(Role.EDITOR))
    return store


MADE: dict[tuple[object, ...], SqlStore] = {}


async def a_store(made: Callable[..., Awaitable[SqlStore]], *arguments: object) -> SqlStore:
    """Return a copy of a store that is made once. Making one takes longer than all the rest of a test."""
    key = (made, *arguments)
    if key not in MADE:
        MADE[key] = await made(*arguments)
    return copy_of(MADE[key])


def everything(store: SqlStore) -> object:
    """All that a request could have changed. Who asks is remembered by their present name, whatever they may do."""
    return {table: rows for table, rows in rows_of(store).items() if table != "users"}


def asked(client: httpx.AsyncClient, ask: Ask, document_id: str = DOCUMENT) -> Any:
    headers = {"x-name": "me", **ask.headers}
    return client.request(
        ask.method, f"/api/documents/{document_id}{ask.path}", json=ask.json, content=ask.content, headers=headers
    )


@pytest.fixture(scope="module")
def every_action_is_asked_for() -> None:
    assert {ask.action for ask in REQUESTS} == set(Action)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    """The one that checks pictures."""
    async with IdleSandbox() as sandbox:
        yield sandbox


on_one_loop = pytest.mark.asyncio(loop_scope="module")


@on_one_loop
@pytest.mark.usefixtures("every_action_is_asked_for")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("ask", REQUESTS, ids=str)
async def test_over_rest_a_role_does_what_the_table_says_and_nothing_else(
    sandbox: Sandbox, role: Role, ask: Ask
) -> None:
    site = Site(await a_store(granted, role, ask.trashed), writer=InProcessSandbox(), sandbox=sandbox)
    async with site.client() as client:
        before = everything(site.store)
        response = await asked(client, ask)
        if may(role, ask.action):
            assert response.is_success
        else:
            assert error_of(response) == (403, "forbidden")
            assert f" {role} of this document" in response.json()["error"]["message"]
            assert everything(site.store) == before


# The same table for everybody who has their role in another way than by a grant.


@on_one_loop
@pytest.mark.parametrize("way", ["by the link", "by a program's token"])
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
@pytest.mark.parametrize("ask", REQUESTS, ids=str)
async def test_over_rest_visitors_and_programs_do_what_their_role_says(
    sandbox: Sandbox, ask: Ask, role: Role, way: str
) -> None:
    site = Site(await a_store(visited, way, role, ask.trashed), writer=InProcessSandbox(), sandbox=sandbox)
    async with site.client() as client:
        before = everything(site.store)
        response = await asked(client, replace(ask, headers={**ask.headers, **shown(way, role)}))
        if may(role, ask.action):
            assert response.is_success
        else:
            assert error_of(response) == (403, "forbidden")
            assert everything(site.store) == before


@on_one_loop
@pytest.mark.parametrize("ask", REQUESTS, ids=str)
async def test_viewers_whom_the_owner_lets_read_the_discussion_do_nothing_more(ask: Ask) -> None:
    site = Site(await a_store(discussed, ask.trashed), writer=InProcessSandbox())
    async with site.client() as client:
        before = everything(site.store)
        response = await asked(client, ask)
        if may(Role.VIEWER, ask.action) or (ask.method, ask.path) == ("GET", "/threads"):
            assert response.is_success
        else:
            assert error_of(response) == (403, "forbidden")
            assert everything(site.store) == before


DISCUSSING = [ask for ask in REQUESTS if ask.path.startswith("/threads/") or ask.path.endswith("/outcome")]


@on_one_loop
@pytest.mark.parametrize("ask", DISCUSSING, ids=str)
async def test_whoever_will_not_be_known_again_says_nothing(ask: Ask) -> None:
    site = Site(await a_store(known_to_nobody))
    async with site.client() as client:
        before = everything(site.store)
        response = await asked(client, replace(ask, headers={"x-name": ""}))
        assert error_of(response) == (409, "forbidden")
        assert everything(site.store) == before


async def test_whoever_does_not_sign_in_where_people_do_does_nothing() -> None:
    people = PeopleSettings(auth="jwt", jwt_secret=SECRET)
    async with whole_server(people, store=await a_store(known_to_nobody)) as server, server.browser() as client:
        before = everything(server.store)
        for ask in REQUESTS:
            assert error_of(await asked(client, ask)) == (401, "unauthenticated"), ask
        assert everything(server.store) == before


@on_one_loop
@pytest.mark.parametrize("ask", REQUESTS, ids=str)
async def test_over_rest_a_forbidden_document_and_an_absent_one_are_answered_alike(ask: Ask) -> None:
    site = Site(await a_store(closed, ask.trashed), writer=InProcessSandbox())
    async with site.client() as client:
        before = everything(site.store)
        forbidden = await asked(client, ask)
        absent = await asked(client, ask, "no-such-document")
        ill_formed = await asked(client, ask, "x")
        assert error_of(forbidden) == (404, "not_found")
        assert forbidden.content == absent.content == ill_formed.content
        assert forbidden.headers == absent.headers == ill_formed.headers
        assert everything(site.store) == before


# Over Socket.IO people have their roles by the link: nobody is known there by name.


async def document_for(server: LiveServer, role: Role) -> DocumentId:
    """A document whose address gives this role; the owner's comes with nobody owning it."""
    document_id = await server.new_document(owner=None if role is Role.OWNER else "its-owner")
    if role is not Role.OWNER:
        await server.store.sharing.set_link(document_id, Link(role))
    return document_id


async def become(server: LiveServer, document_id: DocumentId, role: Role) -> None:
    """Change what the address gives while people are there."""
    done = await server.store.sharing.set_link(document_id, Link(role))
    assert done is not None
    server.rooms.tell(done)


@pytest.fixture
async def server(both_ways: None) -> AsyncIterator[LiveServer]:
    async with serving() as live:
        yield live


@asynccontextmanager
async def an_editor_and(server: LiveServer, role: Role, transport: str) -> AsyncIterator[tuple[Person, Person, str]]:
    """Alice, who edits; Bob, who has become what `role` says; and their document, where Alice has written."""
    document_id = await document_for(server, Role.EDITOR)
    async with person(server, "websocket", "Alice") as alice, person(server, transport, "Bob") as bob:
        for somebody in (alice, bob):
            await somebody.join(document_id)
        assert await alice.ask("update", document_id, alice.types("Alice's words. ")) == {"seq": 1}
        await bob.hears("update")
        if role is not Role.EDITOR:
            await become(server, document_id, role)
            assert (await bob.hears("role"))[1] == role
        yield alice, bob, document_id


WEAK = [role for role in Role if not may(role, Action.WRITE)]
TRANSPORTS = ["websocket", "polling"]


def refusal_of(role: Role) -> str:
    return "not_a_suggestion" if may(role, Action.SUGGEST) else "forbidden"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("role", Role)
async def test_over_socket_io_updates_are_taken_from_who_may_write(
    server: LiveServer, role: Role, transport: str
) -> None:
    document_id = await document_for(server, role)
    async with person(server, transport) as somebody:
        assert (await somebody.join(document_id))["role"] == role
        answer = await somebody.ask("update", document_id, somebody.types("words"))
        assert answer == {"seq": 1} if may(role, Action.WRITE) else answer["error"]["code"] == refusal_of(role)


@pytest.mark.parametrize("role", Role)
async def test_over_socket_io_suggestions_are_taken_from_who_may_suggest(server: LiveServer, role: Role) -> None:
    document_id = await document_for(server, role)
    async with person(server) as somebody:
        assert (await somebody.join(document_id))["role"] == role
        presence = await somebody.ask("authenticate", {"guest": {"name": "Somebody", "color": "#336699"}})
        writer = Writer(presence["user"]["id"], somebody.doc.client_id, Random(1))
        batch = encode_batch(writer.does(suggests_a_block))
        answer = await somebody.ask("update", document_id, batch)
        assert answer == {"seq": 1} if may(role, Action.SUGGEST) else answer["error"]["code"] == "forbidden"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("role", WEAK)
async def test_a_forged_update_changes_the_document_for_nobody(server: LiveServer, role: Role, transport: str) -> None:
    async with an_editor_and(server, role, transport) as (alice, bob, document_id):
        before = await server.store.log.load(DocumentId(document_id))
        batch = bob.types("forged")
        assert (await bob.ask("update", document_id, batch))["error"]["code"] == refusal_of(role)
        whole = await bob.ask("upload", document_id, {"offset": 0, "total": len(batch)}, batch)
        assert whole["error"]["code"] == refusal_of(role)
        first_part = await bob.ask("upload", document_id, {"offset": 0, "total": 1000 * len(batch)}, batch)
        if may(role, Action.SUGGEST):
            assert first_part == {"received": len(batch)}  # only the whole can be judged
        else:
            assert first_part["error"]["code"] == "forbidden"
        await bob.client.emit("update", (document_id, batch))  # asks for no ack: its refusal ends the session
        assert (await bob.hears("closed"))[1]["code"] == refusal_of(role)
        assert await server.store.log.load(DocumentId(document_id)) == before
        async with person(server) as carol:
            await carol.join(document_id)
            assert str(alice.text) == str(carol.text) == "Alice's words. "


@pytest.mark.parametrize("role", Role)
async def test_everybody_may_fetch_point_and_leave_and_whoever_may_comment_may_broadcast(
    server: LiveServer, role: Role
) -> None:
    document_id = await document_for(server, role)
    async with person(server) as watcher, person(server, name="Somebody") as somebody:
        await watcher.join(document_id)
        await somebody.join(document_id)
        assert await somebody.ask("presence", document_id, {"state": {"at": 1}}) == {}
        _, [change] = await watcher.hears("presence")
        assert (change["user"]["name"], change["state"]) == ("Somebody", {"at": 1})
        told = await somebody.ask("broadcast", document_id, b"hello")
        if may(role, Action.BROADCAST):
            assert told == {}
            _, payload, user = await watcher.hears("broadcast")
            assert (payload, user["name"]) == (b"hello", "Somebody")
        else:
            assert told["error"]["code"] == "forbidden"
        assert (await somebody.ask("fetch", document_id, {"index": 0}))["error"]["code"] == "malformed"
        assert await somebody.ask("leave", document_id) == {}


async def test_over_socket_io_a_forbidden_document_and_an_absent_one_are_answered_alike(server: LiveServer) -> None:
    document_id = await server.new_document()
    await server.store.sharing.set_link(document_id, Link(None))
    async with person(server) as stranger:
        forbidden, absent = [await stranger.join(each) for each in (document_id, "no-such-document-here1")]
        assert forbidden == absent
        assert forbidden["error"]["code"] == "not_found"
        options: tuple[Any, ...] = ("update", b"\x02\x00\x00"), ("presence", {"state": None}), ("fetch", {"index": 0})
        for event, argument in options:
            answers = [await stranger.ask(event, each, argument) for each in (document_id, "no-such-document-here1")]
            assert answers[0] == answers[1]
            assert answers[0]["error"]["code"] == "not_joined"
    assert server.rooms.registry.get(document_id) is None, "nothing was opened for a stranger"


async def test_a_large_update_that_is_checked_while_the_role_changes_is_refused(server: LiveServer) -> None:
    async with an_editor_and(server, Role.EDITOR, "websocket") as (_, bob, document_id):
        batch = bob.types("long " * 20_000)
        sending = asyncio.ensure_future(bob.ask("update", document_id, batch))
        await become(server, DocumentId(document_id), Role.VIEWER)
        answer = await sending
        loaded = await server.store.log.load(DocumentId(document_id))
        assert loaded is not None
        # Either it came before the change and is kept, or after it and has left nothing.
        assert (answer == {"seq": 2}) == (loaded.head == 2)
        assert "seq" in answer or answer["error"]["code"] == "forbidden"
