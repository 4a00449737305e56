"""Forgers over REST: whatever a commenter sends as content, the text and others' suggestions stay as they are."""

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import httpx
import pytest

from crdt.ids import DocumentId
from crdt.permissions import Role
from crdt.protocol.batch import decode_batch
from crdt.suggestions.views import view_of
from server.store.sql import SqlStore
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.memory_store import copy_of
from tests.harness.suggester import Writer
from tests.server.http_site import Site, error_of

OWNER, THIRD, BOB = {"x-name": "owner"}, {"x-name": "third"}, {"x-name": "bob"}
AT = 1_900_000_000_000


def line(*content: dict[str, Any], **attrs: Any) -> dict[str, Any]:
    return {"type": "paragraph", **({"attrs": attrs} if attrs else {}), "content": list(content)}


def words(text: str, *marks: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": text, "marks": list(marks)}


def mark(kind: str, user: str, **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"id": f"of-{user}", "user": user, **more}
    if kind != "comment":
        given.setdefault("at", AT)
    if kind == "insertion":
        given |= {"run": 1, "break": None}
    if kind == "formatting":
        given |= {"add": [], "remove": ["bold"]}
    return {"type": kind, "attrs": given}


def proposal(kind: str, user: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "id": f"of-{user}", "user": user, "at": AT, **more}


KINDS = ("insertion", "deletion", "formatting", "comment")
FORGED: dict[str, Any] = {
    **{f"{kind} in another name": line(words("evil", mark(kind, "somebody"))) for kind in KINDS},
    **{f"{kind} in the third's name": line(words("evil", mark(kind, "third"))) for kind in KINDS},
    **{f"{kind} of the own, as content": line(words("evil", mark(kind, "bob"))) for kind in KINDS[:-1]},
    "block in another name": line(words("evil"), suggestion=proposal("insert", "somebody")),
    "block that proposes its deletion": line(words("evil"), suggestion=proposal("delete", "somebody")),
    "block that joins the one before": line(words("evil"), suggestion=proposal("join", "bob")),
    "block of another kind": line(words("evil"), suggestion=proposal("explode", "bob")),
    "unknown node": {"type": "evil", "content": []},
    "unknown mark": line(words("evil", {"type": "evil"})),
    "unknown attribute": line(words("evil"), evil=1),
    "mark with a key of its own": line(words("evil", {"type": "comment--AAAAAAAA", "attrs": {"id": "x"}})),
    "time that no browser shows": line(words("evil", mark("insertion", "bob", at=10**300))),
    "long name": line(words("evil", mark("comment", "bob", id="x" * 10_000))),
    "item without a list": {"type": "listItem", "content": [line(words("evil"))]},
    "bare words": words("evil"),
    "a whole document": {"type": "doc", "content": [line(words("evil", mark("insertion", "somebody")))]},
}
"""Content in JSON with what only pages write, or what nobody does."""


PROPOSED = (
    {"do": "replace_text", "block": 0, "find": "brave", "with": "bold"},
    {"do": "append", "content": "Proposed"},
)
"""What stands in the document as suggestions of somebody else."""


class Place:
    """A document with somebody's suggestions, over REST."""

    def __init__(self, site: Site, client: httpx.AsyncClient, document_id: DocumentId) -> None:
        self.site = site
        self.client = client
        self.document_id = document_id

    async def asks(self, method: str, path: str, headers: dict[str, str], **sent: Any) -> httpx.Response:
        return await self.client.request(method, f"/api/documents/{self.document_id}{path}", headers=headers, **sent)

    async def edits(self, headers: dict[str, str], *edits: dict[str, Any], suggest: bool = False) -> httpx.Response:
        """Make edits, whose blocks are named by their numbers."""
        revision, blocks = await self.blocks()
        named = [
            {
                key: blocks[each]
                if key in ("block", "after", "before")
                else [blocks[at] for at in each]
                if key == "blocks"
                else each
                for key, each in edit.items()
            }
            for edit in edits
        ]
        asked = {"edits": named, "base_revision": revision, "suggest": suggest}
        return await self.asks("POST", "/edits", headers, json=asked)

    async def blocks(self) -> tuple[str, list[str]]:
        read = (await self.asks("GET", "/content?as=json&view=inline", OWNER)).json()
        return read["revision"], read["blocks"] or []

    async def seen(self) -> tuple[int, object]:
        """How many rows there are, and the text without what Bob has pending."""
        loaded = await self.site.store.log.load(self.document_id)
        assert loaded is not None
        reader = Writer("reader", 5, Random(1))
        for row in loaded.rows:
            for update in decode_batch(row.batch):
                reader.hears(update)
        # A block of Bob's own has no content in this view.
        return len(loaded.rows), [*filter(None, [view_of(child, "bob").content for child in reader.root.children])]


MADE: list[tuple[SqlStore, DocumentId]] = []
"""The store with the document, which is made once. Making it takes longer than most stories."""


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    if not MADE:
        MADE.append(await filled())
    store, document_id = MADE[0]
    site = Site(copy_of(store), writer=InProcessSandbox())
    async with site.client() as client:
        yield Place(site, client, document_id)


async def filled() -> tuple[SqlStore, DocumentId]:
    site = Site(writer=InProcessSandbox())
    async with site.client() as client:
        made = await client.post("/api/documents", headers=OWNER)
        place = Place(site, client, DocumentId(made.json()["id"]))
        await place.asks("PUT", "/link", OWNER, json={"role": None})
        await site.store.sharing.grant(place.document_id, "bob", Role.COMMENTER)
        await site.store.sharing.grant(place.document_id, "third", Role.EDITOR)
        await place.edits(OWNER, {"do": "append", "content": "Hello brave world\n\nAnother line"})
        await place.edits(THIRD, *PROPOSED, suggest=True)
    return site.store, place.document_id


@pytest.mark.parametrize("forged", FORGED)
async def test_content_with_a_forged_mark_is_no_content(place: Place, forged: str) -> None:
    before = await place.seen()
    content = FORGED[forged]
    given = {"as": "json", "content": content if content["type"] == "doc" else [content]}
    for edit in (
        {"do": "append", **given},
        {"do": "insert", "after": 0, **given},
        {"do": "replace", "blocks": [1], **given},
    ):
        answer = await place.edits(BOB, edit, suggest=True)
        assert error_of(answer) in ((400, "malformed"), (403, "not_a_suggestion"))
    assert await place.seen() == before


TRIED: dict[str, dict[str, Any]] = {
    "words of another's suggestion replaced": {"do": "replace_text", "block": 0, "find": "bold", "with": "evil"},
    "words that another has struck replaced": {"do": "replace_text", "block": 0, "find": "brave", "with": "evil"},
    "another's block deleted": {"do": "delete", "blocks": [2]},
    "another's block replaced": {"do": "replace", "blocks": [2], "content": "evil"},
    "everything deleted": {"do": "delete", "blocks": [0, 1, 2]},
    "everything replaced": {"do": "replace", "blocks": [0, 1, 2], "content": "evil"},
    "a comment's anchor on another's words": {"do": "comment", "block": 0, "find": "bold", "thread": "t1"},
    "a comment's anchor in the content": {
        "do": "append",
        "as": "json",
        "content": [line(words("fine", mark("comment", "bob")))],
    },
    "a comment's anchor with an odd id": {"do": "comment", "block": 1, "find": "line", "thread": "../../\u202e\0"},
    "html with marks": {"do": "append", "as": "html", "content": "<p><ins data-user='third'>evil</ins></p>"},
    "markdown with html": {"do": "append", "content": "<del>evil</del> <script>evil</script> ![](javascript:evil)"},
}


@pytest.mark.parametrize("tried", TRIED)
async def test_whatever_a_commenter_edits_is_a_suggestion_or_is_refused(place: Place, tried: str) -> None:
    rows, before = await place.seen()
    answer = await place.edits(BOB, TRIED[tried], suggest=True)
    now, after = await place.seen()
    assert after == before
    assert now == rows + answer.is_success
    if not answer.is_success:
        assert error_of(answer)[1] in ("conflict", "malformed", "not_a_suggestion")
    refused = await place.edits(BOB, TRIED[tried])
    if TRIED[tried]["do"] != "comment":
        assert error_of(refused) == (403, "forbidden")
