"""Edits over REST: seen by all, durable, attributed, and refused where others have been."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pycrdt import XmlFragment

from crdt.ids import DocumentId
from crdt.protocol.messages import Format
from manyhands import connect
from server.cli.history import history_of
from tests.harness.bell import PATIENCE
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.live_server import until
from tests.harness.whole_server import WholeServer, whole_server

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[WholeServer]:
    async with whole_server() as server:
        yield server


class Pad:
    """A document and a program that edits it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.document_id = DocumentId("")

    async def begin(self, *words: str) -> "Pad":
        await self.client.get("/api/me")  # whose cookie the program keeps
        self.document_id = DocumentId((await self.client.post("/api/documents", json={})).json()["id"])
        if words:
            await self.edit({"do": "append", "content": "\n\n".join(words)})
        return self

    @property
    def path(self) -> str:
        return f"/api/documents/{self.document_id}"

    async def send(self, *edits: dict[str, Any], since: str | None = None) -> httpx.Response:
        return await self.client.post(f"{self.path}/edits", json={"edits": edits, "base_revision": since})

    async def edit(self, *edits: dict[str, Any], since: str | None = None) -> dict[str, Any]:
        answer = await self.send(*edits, since=since)
        assert answer.status_code == 200, answer.text
        edited: dict[str, Any] = answer.json()
        return edited

    async def put(self, content: str, **headers: str) -> httpx.Response:
        kept = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.put(
            f"{self.path}/content", content=content, headers={"content-type": "text/markdown", **kept}
        )

    async def read(self) -> dict[str, Any]:
        read: dict[str, Any] = (await self.client.get(f"{self.path}/content?as=json")).json()
        return read

    async def says(self) -> str:
        return (await self.client.get(f"{self.path}/content?as=markdown")).text


@pytest_asyncio.fixture(loop_scope="module")
async def pad(server: WholeServer) -> AsyncIterator[Pad]:
    async with server.browser() as client:
        yield await Pad(client).begin("Tea", "Cake")


async def test_edits_are_durable_when_the_answer_comes(server: WholeServer, pad: Pad) -> None:
    read = await pad.read()
    tea, cake = read["blocks"]
    done = await pad.edit(
        {"do": "append", "content": "# More"},
        {"do": "insert", "after": tea, "content": "<p>and <b>milk</b></p>", "as": "html"},
        {"do": "insert", "before": tea, "content": [{"type": "horizontalRule"}], "as": "json"},
        {"do": "replace_text", "block": cake, "find": "Cake", "with": "Cakes"},
        since=read["revision"],
    )
    assert await pad.says() == "___\n\nTea\n\nand **milk**\n\nCakes\n\n# More\n"
    now = await pad.read()
    assert (done["revision"], done["lost"]) == (now["revision"], [])
    assert {*now["blocks"]} == {tea, cake, *done["blocks"]}
    await pad.edit({"do": "delete", "blocks": done["blocks"]}, since=done["revision"])
    assert await pad.says() == "Tea\n\nCakes\n"


async def test_people_see_an_edit_and_keep_what_they_type_elsewhere(server: WholeServer, pad: Pad) -> None:
    read = await pad.read()
    async with connect(server.url, pad.document_id, timeout=PATIENCE) as ann:
        line: Any = ann.get("default", type=XmlFragment).children[1]
        with ann.transaction():
            line.children[0].insert(0, "Hot ")
        await ann.saved()
        await pad.edit(
            {"do": "replace_text", "block": read["blocks"][0], "find": "Tea", "with": "Coffee"}, since=read["revision"]
        )
        await until(lambda: "Coffee" in str(ann.get("default", type=XmlFragment)))
    assert await pad.says() == "Coffee\n\nHot Cake\n"


async def test_the_log_says_who_made_an_edit(server: WholeServer, pad: Pad) -> None:
    me = (await pad.client.get("/api/me")).json()["user"]["id"]
    lines = await history_of(server.store, pad.document_id, 10)
    assert lines is not None
    assert [(each["user_id"], each["kind"]) for each in json.loads(lines[0])["by"]] == [(me, "person")]


async def test_five_programs_that_write_at_once_lose_nothing(server: WholeServer, pad: Pad) -> None:
    """Whole replacements of what was read before would leave one of the five."""
    read = await pad.read()
    edits = [
        {"do": "append", "content": "one"},
        {"do": "insert", "after": read["blocks"][0], "content": "two"},
        {"do": "replace_text", "block": read["blocks"][0], "find": "Tea", "with": "Green tea"},
        {"do": "replace_text", "block": read["blocks"][1], "find": "Cake", "with": "Cake!"},
        {"do": "append", "content": "five"},
    ]
    await asyncio.gather(*(pad.edit(edit, since=read["revision"]) for edit in edits))
    lines = (await pad.says()).split("\n\n")
    assert lines[:3] == ["Green tea", "two", "Cake!"]
    assert sorted(line.strip() for line in lines[3:]) == ["five", "one"]


async def test_a_block_that_has_changed_is_refused_and_shown(pad: Pad) -> None:
    read = await pad.read()
    tea, cake = read["blocks"]
    changed = await pad.edit(
        {"do": "replace_text", "block": tea, "find": "Tea", "with": "Coffee"}, since=read["revision"]
    )
    refused = await pad.send(
        {"do": "replace", "blocks": [tea, cake], "content": "Water"},
        {"do": "append", "content": "x"},
        since=read["revision"],
    )
    answer = refused.json()
    assert (refused.status_code, answer["error"]["code"]) == (409, "conflict")
    assert answer["revision"] == changed["revision"]
    ((block_id, block),) = [(each["id"], each["block"]) for each in answer["blocks"]]
    assert (block_id, block["content"]) == (tea, [{"type": "text", "text": "Coffee"}])
    assert await pad.says() == "Coffee\n\nCake\n"
    await pad.edit({"do": "delete", "blocks": [tea, cake]}, since=answer["revision"])
    gone = await pad.send({"do": "insert", "before": tea, "content": "x"}, since=answer["revision"])
    assert (gone.status_code, gone.json()["blocks"]) == (409, [{"id": tea, "block": None}])


async def test_an_edit_of_a_revision_that_is_folded_is_still_compared(server: WholeServer, pad: Pad) -> None:
    read = await pad.read()
    tea, cake = read["blocks"]
    await pad.edit({"do": "replace_text", "block": tea, "find": "Tea", "with": "Coffee"}, since=read["revision"])
    await server.store.log.compact(pad.document_id, InProcessSandbox().fold)
    await pad.edit({"do": "replace_text", "block": cake, "find": "Cake", "with": "Bread"}, since=read["revision"])
    assert (await pad.send({"do": "delete", "blocks": [tea]}, since=read["revision"])).status_code == 409


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"edits": []}, "`edits` must be a list of 1 to 200 edits"),
        ({"edits": [{"do": "shout", "content": "x"}]}, "`edits[0].do`: Invalid value 'shout'"),
        ({"edits": [{"do": "append"}]}, "`edits[0]`: Object missing required field `content`."),
        ({"edits": [{"do": "append", "content": "x", "if": 1}]}, "Object contains unknown field `if`"),
        ({"edits": [{"do": "delete", "blocks": ["1.2"]}]}, "`base_revision` is missing"),
        ({"edits": [{"do": "delete", "blocks": ["1.2"]}], "base_revision": "yesterday"}, "`base_revision` must be"),
        ({"edits": [{"do": "insert", "content": "x", "before": "1.2", "after": "1.2"}]}, "either `before` or `after`"),
        ({"edits": [{"do": "append", "content": [{"type": "slide"}], "as": "json"}]}, "no node `slide`"),
        ({"edits": [{"do": "append", "content": [{"type": "slide"}]}]}, "must be a text"),
    ],
)
async def test_an_edit_that_means_nothing_is_refused_with_a_sentence(pad: Pad, body: Any, said: str) -> None:
    refused = await pad.client.post(f"{pad.path}/edits", json=body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "malformed")
    assert said in refused.json()["error"]["message"]


async def test_another_life_of_the_document_is_no_base(pad: Pad) -> None:
    refused = await pad.send({"do": "delete", "blocks": ["1.2"]}, since="1.1")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "epoch_changed")


async def test_what_a_form_holds_and_a_document_cannot_is_named(pad: Pad) -> None:
    assert (await pad.edit({"do": "append", "content": "a <video></video>"}))["lost"] == ["video"]


async def test_who_may_only_read_edits_nothing(server: WholeServer, pad: Pad) -> None:
    await pad.client.put(f"{pad.path}/link", json={"role": "viewer"})
    async with server.browser() as stranger:
        other = Pad(stranger)
        other.document_id = pad.document_id
        assert (await other.send({"do": "append", "content": "x"})).status_code == 403
        assert (await other.put("x", If_Match="*")).status_code == 403
    assert await pad.says() == "Tea\n\nCake\n"


async def test_an_edit_declares_a_format_only_where_there_is_one(server: WholeServer, pad: Pad) -> None:
    """Whoever writes with an editor that declares none would be locked out."""
    assert (await pad.client.get(pad.path)).json()["format"] is None
    made = (await pad.client.post("/api/documents", json={"content": "Tea"})).json()["id"]
    assert (await pad.client.get(f"/api/documents/{made}")).json()["format"]["name"] == "manyhands"
    await server.store.catalogue.declare_format(pad.document_id, Format("manyhands", 1))
    await pad.edit({"do": "append", "content": "More"})
    other = await Pad(pad.client).begin()
    await server.store.catalogue.declare_format(other.document_id, Format("slides", 1))
    refused = await other.send({"do": "append", "content": "x"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "other_format")


# The whole.


async def test_the_whole_is_replaced_where_nobody_has_written_since(pad: Pad) -> None:
    answer = await pad.client.get(f"{pad.path}/content?as=markdown")
    before = (await pad.read())["blocks"]
    done = await pad.put(answer.text.replace("Cake", "Bread\n\nButter"), If_Match=answer.headers["etag"])
    assert done.status_code == 200
    assert await pad.says() == "Tea\n\nBread\n\nButter\n"
    assert (await pad.read())["blocks"] == [*before, *done.json()["blocks"]]
    stale = await pad.put("Nothing", If_Match=answer.headers["etag"])
    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "conflict")
    assert stale.json()["revision"] == done.json()["revision"]
    missing = await pad.put("Nothing")
    assert (missing.status_code, missing.json()["error"]["code"]) == (428, "malformed")
    assert (await pad.put("Nothing", If_Match="*")).status_code == 200
    assert await pad.says() == "Nothing\n"


@pytest.mark.parametrize("media_type", ["text/markdown", "text/html", "application/json"])
async def test_writing_back_what_was_read_changes_nothing(pad: Pad, media_type: str) -> None:
    await pad.edit(
        {"do": "append", "content": "- [x] done\n\n> [!TIP]\n> drink\n\n| a | b |\n| --- | --- |\n| 1 | $x$ |\n"}
    )
    answer = await pad.client.get(f"{pad.path}/content", headers={"accept": media_type})
    done = await pad.put(answer.text, If_Match=answer.headers["etag"], content_type=media_type)
    assert (done.status_code, done.json()) == (
        200,
        {"revision": answer.headers["manyhands-revision"], "blocks": [], "lost": []},
    )


async def test_a_whole_that_cannot_be_read_is_refused(pad: Pad) -> None:
    for media_type, content, status in (
        ("application/json", "{", 400),
        ("application/json", "[" * 100_000, 400),
        ("application/json", '[{"type": "slide"}]', 400),
        ("text/html", "<div>" * 5000, 413),
        ("text/rtf", "x", 415),
    ):
        assert (await pad.put(content, If_Match="*", content_type=media_type)).status_code == status
    assert await pad.says() == "Tea\n\nCake\n"


# A new document.


@pytest.mark.parametrize(
    "content",
    [
        {"content": "# Tea\n\nand *cake*"},
        {"content": "<h1>Tea</h1><p>and <em>cake</em>", "as": "html"},
        {
            "content": {
                "type": "doc",
                "content": [
                    {"type": "heading", "content": [{"type": "text", "text": "Tea"}]},
                    {
                        "type": "paragraph",
                        "content": [
                            {"type": "text", "text": "and "},
                            {"type": "text", "text": "cake", "marks": [{"type": "italic"}]},
                        ],
                    },
                ],
            },
            "as": "json",
        },
    ],
)
async def test_a_document_is_made_with_content(pad: Pad, content: dict[str, Any]) -> None:
    made = await pad.client.post("/api/documents", json={"title": "", **content})
    assert made.status_code == 201
    pad.document_id = made.json()["id"]
    assert await pad.says() == "# Tea\n\nand _cake_\n"


async def test_the_same_secret_makes_the_same_document_and_its_content_once(pad: Pad) -> None:
    body = {"secret": "s" * 30, "content": "Tea"}
    first, second = [await pad.client.post("/api/documents", json=body) for _ in range(2)]
    assert first.json()["id"] == second.json()["id"]
    pad.document_id = first.json()["id"]
    assert await pad.says() == "Tea\n"


async def test_a_content_that_is_refused_leaves_no_document(pad: Pad) -> None:
    before = (await pad.client.get("/api/documents")).json()
    refused = await pad.client.post("/api/documents", json={"content": [{"type": "slide"}], "as": "json"})
    assert refused.status_code == 400
    assert (await pad.client.get("/api/documents")).json() == before
