"""What a document says, over REST: JSON, Markdown, HTML and plain text of all that is acknowledged."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pycrdt import Doc, Map, XmlElement, XmlFragment, XmlText

from crdt.budget import Budget
from crdt.content.writing import Form, Wanted
from crdt.content.writing import Written as Content
from crdt.errors import Code
from crdt.ids import DocumentId, Epoch, Seq, UpdateId
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import Format
from crdt.protocol.row import Stored
from crdt.yjs.limits import GateLimits
from server.sandbox import Sandbox, SandboxRejected
from server.store.base import Append
from tests.harness.rich_text import paragraph, step_of
from tests.server.http_site import ORIGIN, Site, error_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as sandbox:
        yield sandbox


class Written:
    """A document that somebody writes, row by row."""

    def __init__(self, site: Site, client: httpx.AsyncClient) -> None:
        self.site = site
        self.client = client
        self.doc: Doc[Any] = Doc(client_id=7)
        self.root = self.doc.get("default", type=XmlFragment)
        self.document_id = DocumentId("")
        self.rows = 0

    async def begin(self, title: str = "") -> "Written":
        made = await self.client.post("/api/documents", json={"title": title})
        self.document_id = DocumentId(made.json()["id"])
        return self

    async def writes(self, *blocks: XmlElement) -> None:
        await self.appends(step_of(self.doc, lambda: [self.root.children.append(block) for block in blocks]))

    async def appends(self, update: bytes) -> None:
        self.rows += 1
        epoch = (await self.site.store.log.heads([self.document_id]))[self.document_id].epoch
        row = Append(self.document_id, epoch, UpdateId(f"update {self.rows}"), encode_batch([update]))
        await self.site.store.log.append([row])

    async def read(self, query: str = "", **headers: str) -> httpx.Response:
        return await self.client.get(f"/api/documents/{self.document_id}/content{query}", headers=headers)


@pytest.fixture
def site(sandbox: Sandbox) -> Site:
    return Site(sandbox=sandbox)


@pytest_asyncio.fixture(loop_scope="module")
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with site.client() as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def written(site: Site, client: httpx.AsyncClient) -> Written:
    return await Written(site, client).begin("Tea & “cake”")


async def test_a_content_in_each_form(written: Written) -> None:
    await written.writes(paragraph("Tea"), paragraph("a < b"))
    markdown = await written.read("?as=markdown")
    assert (markdown.status_code, markdown.text) == (200, "Tea\n\na < b\n")
    assert markdown.headers["content-type"] == "text/markdown; charset=utf-8"
    assert "content-disposition" not in markdown.headers
    text = await written.read("?as=text")
    assert (text.text, text.headers["content-type"]) == ("Tea\na < b\n", "text/plain; charset=utf-8")
    page = await written.read("?as=html", **{"Accept-Language": "de-AT,de;q=0.9"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="de-AT">' in page.text
    assert "<title>Tea &amp; “cake”</title>" in page.text
    assert "<p>Tea</p>\n<p>a &lt; b</p>" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for answer in (await written.read("?as=json"), await written.read()):
        assert answer.headers["content-type"] == "application/json"
        assert [block["content"][0]["text"] for block in answer.json()["content"]] == ["Tea", "a < b"]


async def test_a_long_content_is_packed_for_whoever_reads_packed_ones(written: Written) -> None:
    await written.writes(paragraph("Tea"))
    assert "content-encoding" not in (await written.read("?as=text")).headers, "a short one is as small unpacked"
    await written.writes(*(paragraph(f"Tea and cake, {number}") for number in range(200)))
    for form in ("json", "markdown", "html", "text"):
        packed = await written.read(f"?as={form}", **{"Accept-Encoding": "br, gzip;q=0.8"})
        plain = await written.read(f"?as={form}", **{"Accept-Encoding": "identity, gzip;q=0"})
        assert "content-encoding" not in plain.headers
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) < len(plain.content) / 3
        assert packed.content == plain.content
        assert packed.headers["etag"] == plain.headers["etag"]
        assert "Accept-Encoding" in packed.headers["vary"]
    signed = await written.read("?as=html&pictures=signed")
    assert "content-encoding" not in signed.headers, "its size would tell of the seals in it"


async def test_every_form_names_its_revision_and_json_the_ids_of_its_blocks(written: Written) -> None:
    await written.writes(paragraph("Tea"))
    before = (await written.read()).json()
    await written.writes(paragraph("and cake"))
    answer = await written.read()
    read = answer.json()
    assert read["blocks"] == [*before["blocks"], read["blocks"][-1]]
    assert len({*read["blocks"]}) == len(read["content"]) == 2
    assert read["revision"] != before["revision"]
    assert read["revision"].endswith(".2")
    assert (await written.read("?blocks=1")).json()["blocks"] == before["blocks"]
    for form in ("json", "markdown", "html", "text"):
        headers = (await written.read(f"?as={form}")).headers
        assert headers["manyhands-revision"] == read["revision"]
        assert read["revision"] in headers["etag"]


async def test_what_a_form_leaves_out_is_named(written: Written) -> None:
    await written.writes(paragraph("Tea"))
    assert "manyhands-left-out" not in (await written.read("?as=markdown")).headers
    image = XmlElement("image", {"src": "https://elsewhere.example/a.png", "textAlign": "center"})
    await written.writes(paragraph(""), image)
    lost = {form: (await written.read(f"?as={form}")).headers.get("manyhands-left-out") for form in Form}
    assert lost == {
        Form.JSON: None,
        Form.MARKDOWN: "alignment, empty lines, pictures of other servers",
        Form.HTML: "pictures of other servers",
        Form.TEXT: None,
    }


async def test_a_page_has_the_language_that_the_writers_chose(written: Written) -> None:
    settings = written.doc.get("settings", type=Map)
    await written.appends(step_of(written.doc, lambda: settings.update({"language": "cy"})))
    page = await written.read("?as=html", **{"Accept-Language": "de"})
    assert '<html lang="cy">' in page.text


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/markdown", "text/markdown"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("text/plain;q=0.5, text/markdown;q=0.4", "text/plain"),
        ("image/png", "application/json"),
        ("*/*", "application/json"),
        ("text/html;q=nonsense", "application/json"),
    ],
)
async def test_a_client_says_which_form_it_accepts(written: Written, accept: str, media_type: str) -> None:
    assert (await written.read(Accept=accept)).headers["content-type"].startswith(media_type)


async def test_the_beginning_is_read_alone_and_has_a_revision_of_its_own(written: Written) -> None:
    await written.writes(paragraph("Tea"), paragraph("and cake"), paragraph("and more"))
    beginning = await written.read("?as=text&blocks=2")
    assert "and more" in (await written.read("?as=text")).text
    assert (beginning.text.count("Tea"), "and more" in beginning.text) == (1, False)
    assert beginning.headers["etag"] != (await written.read("?as=text")).headers["etag"]
    assert error_of(await written.read("?blocks=-1")) == (400, "malformed")


async def test_the_revision_tells_whether_anything_has_changed(written: Written) -> None:
    await written.writes(paragraph("a"))
    first = await written.read("?as=text")
    tag = first.headers["etag"]
    assert tag.endswith('.1"')
    again = await written.read("?as=text", **{"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    await written.writes(paragraph("b"))
    changed = await written.read("?as=text", **{"If-None-Match": tag})
    assert (changed.status_code, changed.text) == (200, "a\nb\n")
    page = (await written.read("?as=html")).headers["etag"]
    await written.client.patch(f"/api/documents/{written.document_id}", json={"title": "Cake"})
    assert (await written.read("?as=html", **{"If-None-Match": page})).status_code == 200
    assert (await written.read("?as=text", **{"If-None-Match": changed.headers["etag"]})).status_code == 304


@pytest.mark.parametrize(
    ("title", "named"),
    [
        ("Tea & “cake”/..", "filename=\"Tea cake.md\"; filename*=UTF-8''Tea%20cake.md"),
        ("Grüße", "filename=\"Grue.md\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.md"),
        ("東京", "filename=\"Document.md\"; filename*=UTF-8''%E6%9D%B1%E4%BA%AC.md"),
        ('"\r\nX: y', "filename=\"X y.md\"; filename*=UTF-8''X%20y.md"),
        ("???", "filename=\"Document.md\"; filename*=UTF-8''Document.md"),
    ],
)
async def test_a_download_is_named_after_the_title(
    site: Site, client: httpx.AsyncClient, title: str, named: str
) -> None:
    written = await Written(site, client).begin(title)
    answer = await written.read("?as=markdown&download=true")
    assert answer.headers["content-disposition"].replace("Gru\u0308e", "Grue") == f"attachment; {named}"


async def test_pictures_have_whole_addresses(written: Written) -> None:
    src = f"/api/documents/{written.document_id}/attachments/{'0' * 64}"
    await written.writes(XmlElement("image", {"src": src, "alt": "A hill"}))
    assert (await written.read("?as=markdown")).text == f"![A hill]({ORIGIN}{src})\n"
    page = await written.read("?as=html")
    assert f'<img src="{ORIGIN}{src}" alt="A hill">' in page.text
    assert f"img-src {ORIGIN};" in page.headers["content-security-policy"]


async def test_who_may_not_read_gets_no_content(site: Site, client: httpx.AsyncClient) -> None:
    client.headers["X-Name"] = "ann"
    private = await Written(site, client).begin()
    await private.writes(paragraph("secret"))
    await client.put(f"/api/documents/{private.document_id}/link", json={"role": None})
    assert (await private.read("?as=text")).text == "secret\n"
    refused = await private.read("?as=text", **{"X-Name": "ben"})
    assert error_of(refused) == (404, "not_found")
    known = (await private.read()).headers["etag"]
    assert error_of(await private.read(**{"X-Name": "ben", "If-None-Match": known})) == (404, "not_found")


async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    assert error_of(await client.get("/api/documents/nothing-here/content")) == (404, "not_found")


async def test_an_unknown_form_is_named(written: Written) -> None:
    refused = await written.read("?as=docx")
    assert error_of(refused) == (400, "malformed")
    assert "json, markdown, html or text" in refused.json()["error"]["message"]


async def test_another_format_can_be_read_as_json_only(written: Written) -> None:
    await written.writes(XmlElement("slide", {}, [XmlText("one")]))
    await written.site.store.catalogue.declare_format(written.document_id, Format("slides", 1))
    refused = await written.read("?as=html")
    assert error_of(refused) == (409, "other_format")
    assert "slides 1" in refused.json()["error"]["message"]
    assert (await written.read()).json()["content"] == [{"type": "slide", "content": [{"type": "text", "text": "one"}]}]


async def test_an_update_that_the_engine_does_not_take_is_left_out(written: Written) -> None:
    await written.writes(paragraph("a"))
    await written.appends(b"\x01\x01\x05\x00\xff")
    assert (await written.read("?as=text")).text == "a\n"


async def test_a_document_that_is_nested_too_deeply_is_too_large(written: Written) -> None:
    def nest() -> None:
        at: Any = written.root
        for _ in range(300):
            at = at.children.append(XmlElement("blockquote"))

    await written.appends(step_of(written.doc, nest))
    assert error_of(await written.read()) == (413, "too_large")


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (Code.TOO_COSTLY, (413, "too_costly")),
        (Code.QUARANTINED, (409, "quarantined")),
        (Code.BAD_UPDATE, (409, "quarantined")),
    ],
)
async def test_what_the_sandbox_refuses_is_named(sandbox: Sandbox, code: Code, answer: tuple[int, str]) -> None:
    class Refusing:
        async def content(self, stored: Stored, limits: GateLimits, wanted: Wanted, person: str) -> Content:
            raise SandboxRejected("It does not work.", code)

    site = Site(sandbox=sandbox, writer=Refusing())
    async with site.client() as client:
        written = await Written(site, client).begin()
        assert error_of(await written.read()) == answer


async def test_a_damaged_snapshot_is_refused(sandbox: Sandbox) -> None:
    damaged = Stored(Epoch(1), b"no snapshot", Seq(1), (), {})
    with pytest.raises(SandboxRejected) as refused:
        await sandbox.content(damaged, GateLimits(), Wanted(Form.TEXT, ORIGIN), "ann")
    assert refused.value.code is Code.QUARANTINED


async def test_the_memory_of_readings_has_a_bound(sandbox: Sandbox) -> None:
    site = Site(sandbox=sandbox, budget=Budget(1000, 1000, lambda: 0.0))
    async with site.client() as client:
        written = await Written(site, client).begin()
        await written.writes(paragraph("a" * 2000))
        assert (await written.read()).status_code == 503
        assert site.budget is not None
        assert site.budget.held == 0
