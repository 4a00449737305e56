"""A discussion across nodes: threads, inboxes and suggestions, while the node of one of two dies and comes back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

import aiohttp
from pycrdt import XmlElement, XmlFragment, XmlText

from crdt.protocol.batch import encode_batch
from crdt.suggestions.views import view_of
from tests.cluster.breakable import BreakableCluster
from tests.cluster.marks import CLUSTER
from tests.harness.bell import PATIENCE
from tests.harness.person import Person, person
from tests.harness.suggester import Writer, accepts, suggests_words

pytestmark = CLUSTER

ANNS, BOBS = 0, 1
"""The nodes that the two are at."""

THREAD, FIRST, SECOND, THIRD = (str(UUID(int=number)) for number in range(1, 5))


@dataclass(frozen=True)
class Node:
    url: str


class Member:
    """Somebody who is known again by a cookie, at any node."""

    def __init__(self, cluster: BreakableCluster, http: aiohttp.ClientSession, name: str) -> None:
        self._cluster = cluster
        self._http = http
        self._name = name
        self.user_id = ""

    async def comes(self) -> None:
        """Take a cookie, which every node knows."""
        await self.asks(ANNS, "GET", "/api/me")
        self.user_id = (await self.asks(ANNS, "GET", "/api/me"))["user"]["id"]

    async def asks(self, node: int, method: str, path: str, json: Any = None) -> Any:
        async with self._http.request(method, self._cluster.node_url(node) + path, json=json) as answer:
            assert answer.status < 300, (method, path, answer.status, await answer.text())
            return await answer.json() if answer.status != 204 else None

    @asynccontextmanager
    async def at(self, node: int, document_id: str) -> AsyncIterator[Person]:
        """Have the document open at a node."""
        cookie = "; ".join(f"{each.key}={each.value}" for each in self._http.cookie_jar)
        async with person(Node(self._cluster.node_url(node)), name=self._name, cookie=cookie) as page:
            assert "error" not in await page.join(document_id)
            yield page

    async def writes(self, page: Person, document_id: str, act: Callable[[Writer], object]) -> None:
        writer = Writer(self.user_id, page.doc.client_id, Random(3))
        writer.hears(page.doc.get_update())
        for update in writer.does(act):
            assert "seq" in (answer := await page.ask("update", document_id, encode_batch([update]))), answer
            page.doc.apply_update(update)

    async def unread(self, node: int) -> int:
        return int((await self.asks(node, "GET", "/api/inbox/unread"))["unread"])


def body(words: str, *mentions: str) -> list[dict[str, Any]]:
    named = [{"type": "mention", "attrs": {"id": each}} for each in mentions]
    return [{"type": "paragraph", "content": [{"type": "text", "text": words}, *named]}]


def seen_by(page: Person) -> list[object]:
    """Everything, in a form that is the same for the same text."""
    return [view_of(child, "nobody").content for child in page.doc.get("default", type=XmlFragment).children]


async def hears_text(page: Person, wanted: Callable[[str], bool]) -> None:
    while not wanted(str(page.doc.get("default", type=XmlFragment))):
        await page.hears("update")


async def hears_each(page: Person, *events: str) -> dict[str, tuple[Any, ...]]:
    """Wait until each of these has come, in any order; return what they said."""
    heard: dict[str, tuple[Any, ...]] = {}
    async with asyncio.timeout(PATIENCE):
        while not heard.keys() >= {*events}:
            name, arguments = await page.heard.get()
            heard[name] = arguments
    return heard


def furnishes(writer: Writer) -> None:
    writer.root.children.append(XmlElement("paragraph", {}, [XmlText("Hello brave new world")]))


class Story:
    """Ann, who owns a document, and Bob, who comments on it."""

    def __init__(self, cluster: BreakableCluster, ann: Member, bob: Member) -> None:
        self.cluster = cluster
        self.ann = ann
        self.bob = bob
        self.document_id = self.path = ""
        self.comment = {"id": FIRST, "body": body("Is it?", bob.user_id)}
        self.version = 0

    async def begins(self) -> None:
        made = await self.ann.asks(ANNS, "POST", "/api/documents", {"title": "Story"})
        self.document_id = made["id"]
        self.path = f"/api/documents/{self.document_id}"
        await self.ann.asks(ANNS, "PUT", f"{self.path}/link", {"role": None})
        await self.ann.asks(ANNS, "POST", f"{self.path}/people", {"user_id": self.bob.user_id, "role": "commenter"})
        await self.bob.asks(BOBS, "PATCH", "/api/inbox", {"until": "9" * 18})  # that it is shared with Bob

    async def ann_says(self, node: int) -> None:
        thread = {"quote": "brave", "comment": self.comment}
        await self.ann.asks(node, "PUT", f"{self.path}/threads/{THREAD}", thread)

    async def bob_says(self, comment: str) -> None:
        reply = {"body": body("It is.")}
        await self.bob.asks(BOBS, "PUT", f"{self.path}/threads/{THREAD}/comments/{comment}", reply)

    async def reads(self, who: Member, node: int) -> list[str]:
        """The comments of what has changed since the last look."""
        read = await who.asks(node, "GET", f"{self.path}/threads?since={self.version}")
        self.version = read["version"]
        return [comment["id"] for thread in read["threads"] for comment in thread["comments"]]

    async def suggested_and_accepted(self, anns: Person, bobs: Person) -> None:
        await self.bob.writes(bobs, self.document_id, suggests_words)
        await hears_text(anns, lambda text: "insertion--" in text)
        await self.ann.writes(anns, self.document_id, accepts)
        await hears_text(bobs, lambda text: "insertion--" not in text)


@asynccontextmanager
async def story_in(cluster: BreakableCluster) -> AsyncIterator[Story]:
    async with AsyncExitStack() as exits:
        members = []
        for name in ("Ann", "Bob"):
            jar = aiohttp.CookieJar(unsafe=True)
            http = await exits.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
            members.append(Member(cluster, http, name))
            await members[-1].comes()
        story = Story(cluster, *members)
        await story.begins()
        yield story


async def test_what_is_said_and_suggested_at_one_node_is_heard_at_the_other(cluster: BreakableCluster) -> None:
    async with story_in(cluster) as story:
        ann, bob, document_id = story.ann, story.bob, story.document_id
        async with ann.at(ANNS, document_id) as anns, bob.at(BOBS, document_id) as bobs:
            await ann.writes(anns, document_id, furnishes)
            await hears_text(bobs, lambda text: "brave" in text)
            await story.ann_says(ANNS)
            assert (await hears_each(bobs, "discussion", "inbox"))["discussion"][1] == 1
            assert await bob.unread(BOBS) == 1
            assert await story.reads(bob, BOBS) == [FIRST]
            await story.suggested_and_accepted(anns, bobs)
            outcome = {"outcome": "accepted", "author": bob.user_id}
            await ann.asks(ANNS, "POST", f"{story.path}/suggestions/s1/outcome", outcome)
            await bobs.hears("inbox")
            assert [await bob.unread(node) for node in (ANNS, BOBS)] == [2, 2]


async def test_a_discussion_goes_on_while_one_node_is_dead(cluster: BreakableCluster) -> None:
    async with story_in(cluster) as story, story.bob.at(BOBS, story.document_id) as bobs:
        ann, document_id = story.ann, story.document_id
        async with ann.at(ANNS, document_id) as anns:
            await ann.writes(anns, document_id, furnishes)
            await story.ann_says(ANNS)
            await hears_text(bobs, lambda text: "brave" in text)
            await cluster.kill(ANNS)
        await story.bob_says(SECOND)
        await story.bob.writes(bobs, document_id, suggests_words)
        assert await ann.unread(BOBS) == 1
        async with ann.at(BOBS, document_id) as anns:
            assert seen_by(anns) == seen_by(bobs)
            # The node died perhaps before it answered. So the page says the same again.
            await story.ann_says(BOBS)
            assert await story.reads(ann, BOBS) == [FIRST, SECOND]
            await ann.writes(anns, document_id, accepts)
            await hears_text(bobs, lambda text: "insertion--" not in text)
        await cluster.start(ANNS)
        async with ann.at(ANNS, document_id) as anns:
            assert seen_by(anns) == seen_by(bobs)
            await story.bob_says(THIRD)
            assert (await hears_each(anns, "discussion", "inbox"))["discussion"][1] == story.version + 1
            assert [await ann.unread(node) for node in (ANNS, BOBS)] == [2, 2]
            assert await story.reads(ann, ANNS) == [FIRST, SECOND, THIRD]
            await story.suggested_and_accepted(anns, bobs)
