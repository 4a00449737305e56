"""What comes into a document from outside: images, links, and whatever the clipboard holds."""

import base64
import io
import re
from typing import Literal

import pytest
from PIL import Image
from playwright.async_api import FilePayload, expect

from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage, agree
from tests.e2e.person import Meeting
from tests.e2e.site import Site

pytestmark = SEATED

REFUSED = r"status of 4\d\d"


def small_png() -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (24, 16), "#1d4ed8").save(picture, "PNG")
    return picture.getvalue()


async def is_drawn(editor: EditorPage) -> None:
    """Wait until the sheet shows an image with pixels in it."""
    image = editor.sheet.get_by_role("img")
    await expect(image).to_have_count(1)
    await expect(image).to_have_js_property("naturalWidth", 24)


async def test_a_pasted_image_is_seen_by_all(meet: Meeting, shared_site: Site) -> None:
    document_id = await shared_site.new_document()
    alice = await (await meet("Alice")).opens(document_id)
    bob = await (await meet("Bob")).opens(document_id)
    await alice.goes_to_start()
    await alice.types("A flag:")
    await alice.pastes_file("flag.png", "image/png", base64.b64encode(small_png()).decode())
    await is_drawn(alice)
    await is_drawn(bob)
    source = await bob.sheet.get_by_role("img").get_attribute("src") or ""
    assert source.startswith(f"/api/documents/{document_id}/attachments/")
    await expect(bob.sheet.get_by_role("img")).to_have_accessible_name("Picture without a description")
    await agree(alice, bob)


async def test_a_dropped_image_stands_where_it_was_dropped(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice")).opens(await shared_site.new_document())
    await alice.goes_to_start()
    await alice.types("above", "below")
    await alice.drops_file("above", "flag.png", "image/png", base64.b64encode(small_png()).decode())
    await is_drawn(alice)
    order = await alice.sheet.evaluate(
        "(sheet) => Array.from(sheet.querySelectorAll('.page-section > *'), (block) => block.tagName)"
    )
    assert order == ["P", "FIGURE", "P"]
    await alice.shows("Saved")


async def test_an_image_is_chosen_from_the_device(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice")).opens(await shared_site.new_document())
    async with alice.page.expect_file_chooser() as chooser:
        await alice.uses("Insert an image")
    await (await chooser.value).set_files(FilePayload(name="flag.png", mimeType="image/png", buffer=small_png()))
    await is_drawn(alice)
    await alice.shows("Saved")


async def test_text_that_is_called_an_image_is_refused(meet: Meeting, shared_site: Site) -> None:
    person = await meet("Alice")
    person.expects(REFUSED)
    alice = await person.opens(await shared_site.new_document())
    await alice.goes_to_start()
    await alice.types("Nothing to see")
    async with alice.page.expect_file_chooser() as chooser:
        await alice.uses("Insert an image")
    await (await chooser.value).set_files(
        FilePayload(name="notes.png", mimeType="image/png", buffer=b"Dear diary, " * 100)
    )
    await expect(alice.page.get_by_text("“notes.png” was not added.", exact=False).first).to_be_visible()
    await expect(alice.sheet.locator(".page-upload")).to_have_count(0)
    assert await alice.html() == "<p>Nothing to see</p>"


async def test_a_link_leads_to_the_web_and_never_into_a_script(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice")).opens(await shared_site.new_document())
    await alice.goes_to_start()
    await alice.types("see there")
    await alice.selects("there")
    await alice.press("Control+k")
    address = alice.page.get_by_role("combobox", name="Address")
    await address.fill("javascript:alert(1)")
    await alice.page.get_by_role("button", name="Apply").click()
    await expect(alice.page.get_by_text("This address could run a program")).to_be_visible()
    await expect(alice.sheet.get_by_role("link")).to_have_count(0)

    await address.fill("example.org/there")
    await alice.page.get_by_role("button", name="Apply").click()
    await expect(alice.sheet.get_by_role("link", name="there")).to_have_attribute("href", "https://example.org/there")


async def test_pictures_in_pasted_words_come_along_or_are_said_to_be_missing(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice")).opens(await shared_site.new_document())
    await alice.goes_to_start()
    source = f"data:image/png;base64,{base64.b64encode(small_png()).decode()}"
    await alice.pastes(
        "text/html",
        f"<p>before</p><p><img src='{source}' alt='chart'></p><p>behind <img src='https://example.org/p.jpg'></p>",
    )
    await is_drawn(alice)
    order = await alice.sheet.evaluate(
        "(sheet) => Array.from(sheet.querySelectorAll('.page-section > *'), (block) => block.tagName)"
    )
    assert order == ["P", "FIGURE", "P"]
    await expect(alice.sheet.get_by_role("link", name="p.jpg")).to_have_attribute("href", "https://example.org/p.jpg")
    await expect(alice.page.get_by_text("on another server was pasted as a link").first).to_be_visible()

    await alice.pastes_file("paper.pdf", "application/pdf", base64.b64encode(b"%PDF-1.4").decode())
    await expect(alice.page.get_by_text("“paper.pdf” was not added.", exact=False).first).to_be_visible()
    await alice.shows("Saved")


async def test_pictures_of_a_document_that_is_deleted_for_ever_live_on_in_its_copy(
    meet: Meeting, shared_site: Site
) -> None:
    """The browser still holds them; the server has them no more."""
    document_id = await shared_site.new_document("Doomed")
    person = await meet("Alice")
    person.expects(REFUSED)
    alice = await person.opens(document_id)
    await alice.can_be_reopened_offline()
    await alice.goes_to_start()
    await alice.pastes_file("flag.png", "image/png", base64.b64encode(small_png()).decode())
    await is_drawn(alice)
    await alice.shows("Saved")
    await shared_site.trash(document_id)
    await shared_site.delete(document_id)

    async with alice.page.expect_download() as download:
        await alice.page.get_by_role("button", name="Download a copy").click()
    assert "data:image/png;base64," in (await (await download.value).path()).read_text()

    await alice.page.get_by_role("button", name="Save as new document").click()
    await expect(alice.title).to_have_value("Doomed (copy)")
    await is_drawn(alice)
    source = await alice.sheet.get_by_role("img").get_attribute("src") or ""
    assert source.startswith(f"/api/documents/{alice.document_id}/attachments/")
    bob = await (await meet("Bob")).opens(alice.document_id)
    await is_drawn(bob)


async def test_a_picture_that_is_copied_belongs_to_the_other_document(meet: Meeting, shared_site: Site) -> None:
    person = await meet("Alice")
    alice = await person.opens(await shared_site.new_document())
    await alice.goes_to_start()
    await alice.pastes_file("flag.png", "image/png", base64.b64encode(small_png()).decode())
    await is_drawn(alice)
    copied = await alice.copies()
    other_id = await shared_site.new_document()
    other = await person.opens(other_id)
    await other.goes_to_start()
    await other.pastes("text/html", copied["text/html"])
    await is_drawn(other)
    await expect(other.sheet.get_by_role("img")).to_have_attribute("src", re.compile(f"^/api/documents/{other_id}/"))
    await other.shows("Saved")


async def test_what_is_copied_or_downloaded_as_text_has_marks_ticks_and_tabs(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice")).opens(await shared_site.new_document("List"))
    await alice.goes_to_start()
    await alice.types("One", "Two", "- milk", "bread", "", "[x] done", "", "1. first")
    copied = await alice.copies()
    assert copied["text/plain"] == "One\nTwo\n- milk\n- bread\n[x] done\n1. first"
    await alice.shows("Saved")
    assert await alice.downloads("Plain text") == ("List.txt", f"{copied['text/plain']}\n")
    assert await alice.downloads("Markdown") == (
        "List.md",
        "One\n\nTwo\n\n- milk\n- bread\n\n* [x] done\n\n1. first\n",
    )


INKS = ("#ffffaa", "#9cdcfe", "#00ff7f", "#000080", "#330000", "#7f7f7f")

CONTRASTS = """(sheet) => {
    const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const luminance = (color) => {
        brush.fillStyle = color;
        brush.fillRect(0, 0, 1, 1);
        const linear = [...brush.getImageData(0, 0, 1, 1).data].slice(0, 3).map((channel) => (channel / 255) ** 2.2);
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const paper = luminance(getComputedStyle(sheet.closest(".page-sheet")).backgroundColor);
    return [...sheet.querySelectorAll("[data-ink]")].map((ink) => {
        const [dark, light] = [paper, luminance(getComputedStyle(ink).color)].sort((a, b) => a - b);
        return (light + 0.05) / (dark + 0.05);
    });
}"""


async def test_colours_that_were_chosen_on_other_paper_can_be_read(
    meet: Meeting, shared_site: Site, subtests: pytest.Subtests
) -> None:
    alice = await (await meet("Alice")).opens(await shared_site.new_document())
    await alice.goes_to_start()
    await alice.pastes("text/html", " ".join(f"<span style='color: {ink}'>words</span>" for ink in INKS))
    themes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
    for theme in themes:
        with subtests.test(theme):
            await alice.page.emulate_media(color_scheme=theme)
            contrasts = await alice.sheet.evaluate(CONTRASTS)
            assert len(contrasts) == len(INKS)
            assert min(contrasts) > 4.5, dict(zip(INKS, contrasts, strict=True))


HOSTILE = """
<h2 onclick="window.harmed = 1">A title</h2>
<p>plain <b>bold</b> <a href="javascript:window.harmed=1">bad link</a> <a href="https://example.org/">good link</a></p>
<script>window.harmed = 1</script>
<img src="x" onerror="window.harmed = 1"><svg onload="window.harmed = 1"></svg>
<iframe src="javascript:parent.harmed=1"></iframe><style>body { display: none }</style>
<p style="position: fixed; inset: 0; background: url(https://example.org/spy)">over everything</p>
"""


async def test_pasted_html_keeps_its_looks_and_loses_its_teeth(meet: Meeting, shared_site: Site) -> None:
    """The browsers are told to ignore our security policy: what it would stop must not come so far."""
    document_id = await shared_site.new_document()
    alice = await (await meet("Alice", bypass_csp=True)).opens(document_id)
    bob = await (await meet("Bob", bypass_csp=True)).opens(document_id)
    await alice.goes_to_start()
    await alice.pastes("text/html", HOSTILE)
    await bob.sees("A title", "bold", "over everything")
    html = await agree(alice, bob)

    for editor in (alice, bob):
        assert await editor.page.evaluate("window.harmed") is None
        await expect(editor.sheet.get_by_role("link")).to_have_text(["good link"])
    for banned in ("script", "onerror", "onclick", "javascript:", "iframe", "svg", "position", "url("):
        assert banned not in html
    await expect(bob.sheet.get_by_role("heading", name="A title", level=2)).to_be_visible()
    await expect(bob.sheet.get_by_role("strong")).to_have_text("bold")
    await alice.shows("Saved")
