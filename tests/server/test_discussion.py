"""The discussion over REST: what is taken, who may be mentioned, who reads; and how open pages hear of it."""

import asyncio
import unicodedata
from typing import Any, cast
from uuid import UUID

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.budget import Rate
from crdt.errors import ProtocolError
from crdt.ids import DocumentId, Epoch
from crdt.permissions import Role
from crdt.protocol.messages import DiscussionMessage, JoinRequest, User
from crdt.protocol.row import Contributor
from server.bus.memory import MemoryBus, MemoryBusNetwork
from server.features.discussion.bodies import (
    Bold,
    Href,
    Linked,
    Mention,
    Mentioned,
    Monospace,
    Paragraph,
    Words,
    clean_body,
    decode_body,
    excerpt_of,
)
from server.features.discussion.threads import is_emoji
from server.store.database import utc_now
from server.store.sharing_base import KnownUser, Link
from server.store.sql import SqlStore
from server.store.threads import SqlThreads
from server.store.threads_base import Act, Acted, Actor, Begin, Overtaken, Quote, Say
from tests.contracts.storages import NOON
from tests.contracts.test_threads_contract import said
from tests.harness.house import DOCUMENT as HOUSE
from tests.harness.house import House
from tests.harness.live_server import LiveServer, serving, until
from tests.harness.memory_store import memory_store
from tests.harness.node import running_node
from tests.harness.person import person
from tests.harness.whole_server import whole_server
from tests.server.http_site import Site, error_of
from tests.simulation.virtual_loop import run_virtually

DOCUMENT = DocumentId("a-document")
T1, T2, C1, C2, C3 = (str(UUID(int=number)) for number in range(1, 6))
PEOPLE = {"ann": Role.OWNER, "bert": Role.EDITOR, "carl": Role.COMMENTER, "vera": Role.VIEWER}


def text(words: str, **marked: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **marked}


def body(*pieces: dict[str, Any] | str) -> list[dict[str, Any]]:
    return [{"type": "paragraph", "content": [text(each) if isinstance(each, str) else each for each in pieces]}]


def mention(user_id: str) -> dict[str, Any]:
    return {"type": "mention", "attrs": {"id": user_id}}


class Talk:
    """People who talk about one document."""

    def __init__(self, site: Site, client: httpx.AsyncClient) -> None:
        self.site = site
        self._client = client

    async def asks(self, who: str, method: str, path: str, json: Any = None) -> httpx.Response:
        return await self._client.request(method, path, json=json, headers={"x-name": who})

    async def puts(self, who: str, path: str, json: Any = None) -> httpx.Response:
        return await self.asks(who, "PUT", f"/api/documents/{DOCUMENT}/{path}", json)

    async def begins(self, who: str, *pieces: dict[str, Any] | str, thread: str = T1, **more: Any) -> httpx.Response:
        first = {"id": C1, "body": body(*pieces)}
        return await self.puts(who, f"threads/{thread}", {"comment": first, **more})

    async def replies(self, who: str, *pieces: dict[str, Any] | str, comment: str = C2) -> httpx.Response:
        return await self.puts(who, f"threads/{T1}/comments/{comment}", {"body": body(*pieces)})

    async def reads(self, who: str, since: int = 0) -> httpx.Response:
        return await self.asks(who, "GET", f"/api/documents/{DOCUMENT}/threads?since={since}")

    async def inbox(self, who: str, query: str = "") -> dict[str, Any]:
        answer: dict[str, Any] = (await self.asks(who, "GET", f"/api/inbox{query}")).json()
        return answer

    async def unread(self, who: str) -> int:
        answer: int = (await self.asks(who, "GET", "/api/inbox/unread")).json()["unread"]
        assert answer == (await self.inbox(who))["unread"]
        return answer


@pytest.fixture
async def talk() -> Any:
    site = Site()
    async with site.client() as client:
        await site.store.catalogue.create(DOCUMENT, "Story", Epoch(1), NOON, owner="ann", link_role=None)
        for name, role in PEOPLE.items():
            await site.store.users.remember(KnownUser(User(name, name.title(), "#112233"), "guest"))
            if role is not Role.OWNER:
                await site.store.sharing.grant(DOCUMENT, name, role)
        yield Talk(site, client)


async def test_a_thread_travels_as_it_was_said(talk: Talk) -> None:
    link = {"type": "link", "attrs": {"href": "https://example.com", "target": "_blank"}}
    pieces = [text("Is ", marks=[{"type": "bold"}, link]), mention("bert"), text("?", marks=[{"type": "code"}])]
    made = await talk.begins("carl", *pieces, quote="brave", before="Oh ", after=" new", assignee="bert")
    assert made.status_code == 200
    thread = (await talk.reads("ann")).json()["threads"][0]
    assert thread == made.json()
    carl = {"user_id": "carl", "name": "Carl", "kind": "person"}
    (comment,) = thread.pop("comments")
    assert comment.pop("at") == thread.pop("at")
    named = {"type": "mention", "attrs": {"id": "bert", "label": "Bert"}}
    link["attrs"] = {"href": "https://example.com"}
    assert comment == {
        "id": C1,
        "by": carl,
        "edited_at": None,
        "reactions": [],
        "deleted": False,
        "body": body(text("Is ", marks=[{"type": "bold"}, link]), named, text("?", marks=[{"type": "code"}])),
    }
    assert thread == {
        "id": T1,
        "kind": "comment",
        "suggestion": None,
        "quote": "brave",
        "before": "Oh ",
        "after": " new",
        "state": "open",
        "by": carl,
        "changed_by": None,
        "changed_at": None,
        "version": 1,
        "assignee": {"id": "bert", "name": "Bert", "color": "#112233"},
    }
    await talk.puts("bert", f"threads/{T1}/comments/{C1}/reactions/👍")
    reacted = await talk.puts("ann", f"threads/{T1}/comments/{C1}/reactions/👍")
    (reaction,) = reacted.json()["comments"][0]["reactions"]
    assert (reaction["emoji"], [each["name"] for each in reaction["people"]]) == ("👍", ["Bert", "Ann"])


async def test_viewers_read_if_the_owner_says_so(talk: Talk) -> None:
    refused = await talk.begins("carl", "Hm", mention("vera"))
    assert error_of(refused) == (403, "forbidden")
    assert refused.json()["error"]["message"].startswith("Vera is a viewer, and viewers may not read")
    assert error_of(await talk.reads("vera")) == (403, "forbidden")
    assert (await talk.puts("ann", "discussion", {"viewers": True})).status_code == 204
    await talk.begins("carl", "Hm", mention("vera"))
    read = (await talk.reads("vera")).json()
    assert (read["viewers"], len(read["threads"]), read["version"]) == (True, 1, 2)
    assert await talk.unread("vera") == 2
    assert (await talk.puts("ann", "discussion", {"viewers": False})).status_code == 204
    assert await talk.unread("vera") == 1, "the shared document alone"
    assert [each["reason"] for each in (await talk.inbox("vera"))["entries"]] == ["shared"]
    assert error_of(await talk.replies("vera", "Hm")) == (403, "forbidden")


async def test_only_people_who_may_open_the_document_are_mentioned(talk: Talk) -> None:
    store = talk.site.store
    await store.users.remember(KnownUser(User("zoe", "Zoe", "#112233"), "guest", "zoe@example.com"))
    for refused in (
        await talk.begins("ann", mention("zoe")),
        await talk.begins("ann", "Hm", assignee="zoe"),
        await talk.begins("ann", mention("nobody-known")),
    ):
        assert error_of(refused) == (403, "forbidden")
    assert refused.json()["error"]["message"].startswith("Somebody may not open this document.")
    await talk.begins("ann", "Hm")
    assigned = await talk.asks("ann", "PATCH", f"/api/documents/{DOCUMENT}/threads/{T1}", {"assignee": "zoe"})
    assert assigned.json()["error"]["message"].startswith("Somebody may not open this document."), "ids can be guessed"
    await store.sharing.grant(DOCUMENT, "email:zoe@example.com", Role.COMMENTER)
    await store.sharing.grant(DOCUMENT, "email:dora@example.com", Role.EDITOR)
    answer = await talk.replies("ann", mention("zoe"), mention("email:dora@example.com"))
    named = answer.json()["comments"][1]["body"][0]["content"]
    assert [each["attrs"]["label"] for each in named] == ["Zoe", "dora@example.com"]
    await store.users.remember(KnownUser(User("max", "Max", "#112233"), "guest"))
    await store.sharing.set_link(DOCUMENT, Link(Role.VIEWER))
    refused = await talk.replies("ann", mention("max"), comment=C3)
    assert refused.json()["error"]["message"].startswith("Somebody is a viewer"), "ids can be guessed"
    await store.sharing.set_link(DOCUMENT, Link(Role.COMMENTER))
    assert (await talk.replies("ann", mention("max"), comment=C3)).status_code == 200, "the address lets everybody in"


async def test_people_are_found_whom_one_may_see(talk: Talk) -> None:
    async def found(who: str, query: str = "") -> list[str]:
        answer = await talk.asks(who, "GET", f"/api/documents/{DOCUMENT}/mentionable?query={query}")
        return [each["name"] for each in answer.json()["people"]]

    assert await found("bert") == ["Ann", "Carl", "Vera"]
    assert await found("bert", "AR") == ["Carl"]
    assert await found("carl") == ["Ann"], "commenters do not see who has access"
    await talk.begins("bert", "Hm")
    assert await found("carl") == ["Ann", "Bert"]
    assert error_of(await talk.asks("vera", "GET", f"/api/documents/{DOCUMENT}/mentionable")) == (403, "forbidden")


async def test_an_author_has_a_name_and_a_colour_after_they_have_left_and_a_stranger_has_none(talk: Talk) -> None:
    store = talk.site.store

    async def named(who: str, user_id: str) -> Any:
        answer = await talk.asks(who, "GET", f"/api/documents/{DOCUMENT}/authors/{user_id}")
        return answer.json()["person"] if answer.status_code == 200 else error_of(answer)

    await store.users.remember(KnownUser(User("zoe", "Zoe", "#445566"), "guest", "zoe@example.com"))
    assert await named("ann", "zoe") is None
    assert await named("ann", "nobody-known") is None
    carl = {"id": "carl", "name": "Carl", "color": "#112233"}
    assert await named("vera", "carl") == carl
    await store.sharing.set_link(DOCUMENT, Link(Role.COMMENTER))
    assert await named("vera", "zoe") is None, "the address lets her in, but she has never come"
    await store.sharing.set_link(DOCUMENT, Link())
    await talk.asks("carl", "POST", f"/api/documents/{DOCUMENT}/opened")
    await store.sharing.revoke(DOCUMENT, "carl")
    assert await named("vera", "carl") == carl
    refused = await talk.begins("ann", "Hm, ", mention("carl"))
    assert refused.json()["error"]["message"].startswith("Carl may not open this document.")
    await store.sharing.revoke(DOCUMENT, "vera")
    assert await named("bert", "vera") is None, "she has never opened the document"
    assert await named("carl", "ann") == (404, "not_found"), "he may not read the document any more"


async def test_what_somebody_may_not_see_any_more_is_not_in_their_inbox(talk: Talk) -> None:
    await talk.begins("ann", "Look, ", mention("bert"))
    await talk.replies("ann", "Look!")
    (entry, shared) = (await talk.inbox("bert"))["entries"]
    assert (entry["reason"], entry["excerpt"], entry["title"], entry["thread"], entry["comment"]) == (
        *("mention", "Look, @Bert", "Story"),
        *(T1, C1),
    )
    assert (shared["reason"], shared["by"]["name"], shared["excerpt"]) == ("shared", "operator", "")
    assert await talk.unread("bert") == 2
    await talk.site.store.sharing.revoke(DOCUMENT, "bert")
    assert await talk.unread("bert") == 0
    assert (await talk.inbox("bert"))["entries"] == []
    await talk.site.store.sharing.grant(DOCUMENT, "bert", Role.VIEWER)
    assert [each["reason"] for each in (await talk.inbox("bert"))["entries"]] == ["shared", "shared"]


async def test_an_inbox_is_read_page_by_page_and_marked(talk: Talk) -> None:
    for number in range(4):
        await talk.begins("ann", f"{number} ", mention("bert"), thread=str(UUID(int=50 + number)))
    everything = (await talk.inbox("bert"))["entries"]
    pages: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await talk.inbox("bert", f"?limit=2&cursor={cursor}")
        pages += page["entries"]
        cursor = page["cursor"]
    assert pages == everything
    assert [each["excerpt"][:1] for each in everything] == ["3", "2", "1", "0", ""]

    async def marks(**what: Any) -> int:
        answer = await talk.asks("bert", "PATCH", "/api/inbox", what)
        assert answer.status_code == 200, answer.text
        unread: int = answer.json()["unread"]
        return unread

    assert await marks(ids=[everything[0]["id"]]) == 4
    assert await marks(document_id=DOCUMENT, thread=everything[1]["thread"]) == 3
    assert await marks(ids=[everything[0]["id"]]) == 3
    assert await marks(until=everything[3]["id"]) == 1
    assert talk.site.inboxes_told == [frozenset({"bert"})] * 3, "other pages are told of what has changed"
    assert [each["read"] for each in (await talk.inbox("bert"))["entries"]] == [False, True, True, True, True]
    for strange in ({"ids": ["one"]}, {"until": "9" * 19}, {"document_id": DOCUMENT}, {"thread": T1}):
        assert error_of(await talk.asks("bert", "PATCH", "/api/inbox", strange)) == (400, "malformed")
    assert error_of(await talk.asks("bert", "GET", "/api/inbox?cursor=x1")) == (400, "malformed")
    assert error_of(await talk.asks("bert", "PATCH", "/api/inbox", {"mail": True})) == (409, "forbidden")


BAD: dict[str, tuple[Any, int, str]] = {
    "nothing": ([], 400, "malformed"),
    "no words": (body(" "), 400, "malformed"),
    "no words that can be seen": (body(" \u200b\u2060"), 400, "malformed"),
    "HTML": ("<b>no</b>", 400, "malformed"),
    "a node of the document": ([{"type": "heading", "content": [text("x")]}], 400, "malformed"),
    "a picture": ([{"type": "paragraph", "content": [{"type": "image"}]}], 400, "malformed"),
    "a mark of the document": (body(text("x", marks=[{"type": "textStyle"}])), 400, "malformed"),
    "a link that runs": (
        body(text("x", marks=[{"type": "link", "attrs": {"href": "java\nscript:x"}}])),
        400,
        "malformed",
    ),
    "a link to nowhere": (body(text("x", marks=[{"type": "link"}])), 400, "malformed"),
    "too many words": ([{"type": "paragraph", "content": [text("x" * 6000)]}] * 2, 413, "too_large"),
    "too many mentions": (body(*(mention(str(number)) for number in range(21))), 429, "too_many"),
    "too many paragraphs": (body("x") * 201, 400, "malformed"),
    "a mention of nobody": (body(mention("")), 400, "malformed"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_body_that_is_none_is_refused_by_name(talk: Talk, name: str) -> None:
    bad, status, code = BAD[name]
    refused = await talk.puts("ann", f"threads/{T1}", {"comment": {"id": C1, "body": bad}})
    assert error_of(refused) == (status, code), refused.text
    assert (await talk.reads("ann")).json()["threads"] == []


async def test_ids_and_emoji_that_are_none_are_refused(talk: Talk) -> None:
    await talk.begins("ann", "Hm")
    first = {"id": C1, "body": body("x")}
    for path, json in (
        ("threads/x", {"comment": first}),
        (f"threads/{T1.replace('0', 'G')}", {"comment": first}),
        (f"threads/{T2}", {"comment": {**first, "id": "x"}}),
        (f"threads/{T2}", {"comment": first, "kind": "suggestion"}),
        (f"threads/{T2}", {"comment": first, "suggestion": "s1"}),
        (f"threads/{T2}", {"comment": first, "quote": "x" * 501}),
        (f"threads/{T1}/comments/x", {"body": body("x")}),
        (f"threads/{T1}/comments/{C1}/reactions/ok", None),
        (f"threads/{T1}/comments/{C1}/reactions/{'👍' * 17}", None),
    ):
        assert error_of(await talk.puts("ann", path, json)) == (400, "malformed"), path
    outcome = {"outcome": "accepted", "author": "bert"}
    strange = await talk.asks("ann", "POST", f"/api/documents/{DOCUMENT}/suggestions/a.b/outcome", outcome)
    assert error_of(strange) == (400, "malformed")


def test_emoji_are_told_from_words() -> None:
    assert all(map(is_emoji, ["👍", "👍🏽", "❤️", "👩‍👩‍👧", "🇩🇪", "1️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "☂", "🏴‍☠️", "👩🏽‍🚀", "👨‍👩‍👧‍👦", "❤️‍🔥"]))
    assert not any(
        map(
            is_emoji, ["", "a", "1", "👍a", "#", "\u200d", "<", "👍" * 17, "👍👍", "👍🎉", "🇩🇪🇫🇷", "1️⃣2️⃣", "\0", "\ud83d"]
        )
    )


STRANGE = st.text(st.characters(), max_size=8)


@given(st.lists(st.lists(STRANGE.filter(bool), max_size=3), min_size=1, max_size=3))
def test_any_words_can_be_stored_and_read_again(words: list[list[str]]) -> None:
    paragraphs = [Paragraph([Words(each, [Bold(), Monospace()]) for each in line]) for line in words]
    try:
        cleaned = clean_body(paragraphs)
    except ProtocolError:
        unseen = {"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"}
        assert all(unicodedata.category(letter) in unseen for line in words for word in line for letter in word) or any(
            "\ud800" <= letter <= "\udfff" for line in words for word in line for letter in word
        )
        return
    stored = msgspec.json.encode(cleaned).decode()
    assert b"\0" not in stored.encode()
    assert decode_body(stored) == cleaned
    assert len(excerpt_of(stored)) <= 200


@pytest.mark.parametrize("letter", ["\U0001fae8", "\ue000", "\U0001fffd"])
def test_a_letter_that_python_does_not_know_yet_is_a_word(letter: str) -> None:
    body = [Paragraph([Words(letter)])]
    assert clean_body(body) == body


def test_an_excerpt_is_one_short_line() -> None:
    link = Words("x" * 300, [Linked(Href("https://example.com"))])
    stored = msgspec.json.encode(
        [Paragraph([Mention(Mentioned("ann", "Ann")), Words(",")]), Paragraph([link])]
    ).decode()
    assert excerpt_of(stored).startswith("@Ann, xxx")
    assert len(excerpt_of(stored)) == 200
    assert excerpt_of("") == ""


async def test_whoever_says_too_much_at_once_waits() -> None:
    site = Site(talk=Rate(1, 2))
    async with site.client() as client:
        await site.store.catalogue.create(DOCUMENT, "Story", Epoch(1), NOON, owner="ann", link_role=None)
        talk = Talk(site, client)
        answers = [await talk.begins("ann", "Hm") for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 429]


async def test_whoever_will_not_be_known_again_does_not_take_part(talk: Talk) -> None:
    await talk.site.store.sharing.set_link(DOCUMENT, Link(Role.COMMENTER))
    assert error_of(await talk.begins("", "Hm")) == (409, "forbidden")
    assert (await talk.reads("")).status_code == 200


async def test_an_outcome_is_told_to_the_author_and_resolves_the_thread(talk: Talk) -> None:
    await talk.begins("bert", "Hm", kind="suggestion", suggestion="s1")
    path = f"/api/documents/{DOCUMENT}/suggestions/s1/outcome"
    assert error_of(await talk.asks("carl", "POST", path, {"outcome": "accepted", "author": "carl"})) == (
        403,
        "forbidden",
    )
    assert (await talk.asks("bert", "POST", path, {"outcome": "rejected", "author": "carl"})).status_code == 204
    (thread,) = (await talk.reads("ann")).json()["threads"]
    assert (thread["kind"], thread["suggestion"], thread["state"]) == ("suggestion", "s1", "resolved")
    entry = (await talk.inbox("carl"))["entries"][0]
    assert (entry["reason"], entry["suggestion"], entry["by"]["name"]) == ("suggestion_rejected", "s1", "Bert")


class Racing(SqlThreads):
    """Discussions in which, just before each act, somebody's access changes."""

    def __init__(self, store: SqlStore, changes: list[tuple[str, Role]]) -> None:
        super().__init__(store.database, store.threads.clock)
        self._store, self._changes = store, changes

    async def act(self, document_id: DocumentId, actor: Actor, act: Act) -> Acted | Overtaken | None:
        if self._changes:
            await self._store.sharing.grant(document_id, *self._changes.pop(0))
        return await super().act(document_id, actor, act)


@pytest.mark.parametrize(
    ("changes", "status"),
    [([("zoe", Role.VIEWER)], 200), ([("carl", Role.VIEWER)], 403), ([("zoe", Role.VIEWER)] * 10, 503)],
)
async def test_whoever_loses_the_right_a_moment_before_says_nothing(
    changes: list[tuple[str, Role]], status: int
) -> None:
    site = Site()
    site.store.threads = Racing(site.store, list(changes))
    async with site.client() as client:
        await site.store.catalogue.create(DOCUMENT, "Story", Epoch(1), NOON, owner="ann", link_role=None)
        await site.store.sharing.grant(DOCUMENT, "carl", Role.COMMENTER)
        assert (await Talk(site, client).begins("carl", "Hm")).status_code == status
        found = await site.store.threads.read(DOCUMENT, 0)
        assert found is not None
        assert len(found.threads) == (status == 200)


# How open pages hear of it.


def actor(name: str) -> Actor:
    return Actor(Contributor(name, name.title()), Role.EDITOR, 2**53)


async def test_open_pages_of_every_node_hear_the_discussions_version_and_whose_inbox_has_changed() -> None:
    network = MemoryBusNetwork()
    async with (
        memory_store() as store,
        running_node(store, MemoryBus(network)) as first,
        running_node(store, MemoryBus(network)) as second,
    ):
        await store.catalogue.create(DOCUMENT, "Story", Epoch(1), utc_now())
        for name in ("ann", "bert"):
            await store.users.remember(KnownUser(User(name, name.title(), "#112233"), "guest"))
        inboxes: list[frozenset[str]] = []
        second.rooms.on_inboxes(inboxes.append)
        here, there = first.person("ann"), second.person("bert")
        await here.joins(DOCUMENT)
        await there.joins(DOCUMENT)
        for act in (Begin(T1, C1, said("Hm", "bert"), Quote("Hm")), Say(T1, C2, said("Hm!"))):
            acted = await store.threads.act(DOCUMENT, actor("ann"), act)
            assert isinstance(acted, Acted)
            first.access.tell(acted.done)
        await until(lambda: here.discussion == there.discussion == 2)
        await until(lambda: inboxes == [frozenset({"bert"})])
        late = second.person("carl")
        await late.joins(DOCUMENT)
        driver = second.rooms.registry.get(DOCUMENT)
        assert driver is not None
        assert driver.room.discussion == 2


def test_a_node_that_missed_the_hint_finds_out_and_a_newcomer_is_told_on_joining() -> None:
    async def story() -> None:
        async with House(poll_seconds=5.0) as house:
            begin = Begin(T1, C1, said("Hm"))
            await house.store.threads.act(HOUSE, actor("ann"), begin)
            answer = await house.enter("anna", HOUSE, JoinRequest(b"\0", 1))  # type: ignore[arg-type]
            assert answer.discussion == 1
            await house.store.threads.act(HOUSE, actor("ann"), Say(T1, C2, said("Hm!")))
            await asyncio.sleep(10)
            said_to = [each for each in house.ears.said["anna"] if isinstance(each, DiscussionMessage)]
            assert said_to == [DiscussionMessage(2)]
            house.driver.do(lambda: house.driver.room.discussed(1))
            assert [each for each in house.ears.said["anna"] if isinstance(each, DiscussionMessage)] == said_to

    run_virtually(story())


async def test_what_is_said_over_rest_is_heard_over_the_socket() -> None:
    async with whole_server() as server, server.browser() as anna, server.browser() as bert:
        document_id = (await anna.post("/api/documents")).json()["id"]
        me = (await bert.get("/api/me")).json()["user"]
        cookie = f"manyhands={bert.cookies['manyhands']}"
        async with person(cast(LiveServer, server), cookie=cookie) as somebody:
            assert "discussion" not in await somebody.join(document_id)
            first = {"id": C1, "body": body("Look, ", mention(me["id"]))}
            made = await anna.put(f"/api/documents/{document_id}/threads/{T1}", json={"comment": first})
            assert made.status_code == 200, made.text
            assert await somebody.hears("inbox") == ()
            assert await somebody.hears("discussion") == (document_id, 1)
            assert (await bert.get("/api/inbox/unread")).json() == {"unread": 1, "language": None}
            assert (await somebody.join(document_id))["discussion"] == 1
            await bert.patch("/api/inbox", json={"document_id": document_id, "thread": T1})
            assert await somebody.hears("inbox") == (), "other pages are told that it was read"
            assert (await bert.get("/api/inbox")).json()["mail"] is None


async def test_a_person_hears_through_each_connection_that_their_inbox_has_changed() -> None:
    async with serving() as server, person(server, name="Ann") as ann, person(server, "polling", "Bert") as bert:
        document_id = await server.new_document()
        await ann.join(document_id)
        first, second = server.connections()
        server.rooms.tell_inboxes(frozenset({first.identity.user.user_id, second.identity.user.user_id, "else"}))
        assert await ann.hears("inbox") == ()
        assert await bert.hears("inbox") == (), "without a document, too"
