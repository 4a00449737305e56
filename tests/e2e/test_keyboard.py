"""Hands that never touch the mouse, and ears instead of eyes."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage
from tests.e2e.person import Meeting
from tests.e2e.site import Site

pytestmark = SEATED


async def without_a_name(page: Page) -> list[str]:
    """Everything that can be operated and that a screen reader could only call "button"."""
    roles = re.compile(r"^\s*- (button|link|textbox|searchbox|menuitem|checkbox|radio|img|dialog)(?! \")(:| \[|$)")
    snapshot = await page.locator("body").aria_snapshot()
    return [line for line in snapshot.splitlines() if roles.match(line)]


async def test_a_document_is_made_and_written_without_a_mouse(meet_at_own: Meeting, own_site: Site) -> None:
    documents = await (await meet_at_own("Alice")).opens_documents()
    page = documents.page
    await expect(page.get_by_role("heading", name="Documents", level=1)).to_be_visible()
    await page.keyboard.press("Alt+n")
    alice = EditorPage("Alice", page)
    await alice.is_ready()
    await alice.goes_to_start()
    await alice.press("Control+b")
    await alice.types("loud")
    await alice.press("Control+b")
    await alice.types(" and quiet")
    await expect(alice.sheet.get_by_role("strong")).to_have_text("loud")

    await alice.press("Control+/")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(sheet).to_contain_text("Bold")
    assert await without_a_name(page) == []
    await alice.press("Escape")
    await expect(sheet).to_have_count(0)
    await expect(alice.sheet).to_be_focused()

    await alice.press("Alt+F10")
    await expect(alice.toolbar.get_by_role("button").first).to_be_focused()
    await alice.press("ArrowRight")  # past "Redo", which is not possible now
    await expect(alice.toolbar.get_by_role("button", name=re.compile("^Paragraph style"))).to_be_focused()
    await alice.press("Enter", "ArrowDown", "ArrowDown", "ArrowDown", "Enter")  # past "Title" and "Subtitle"
    await expect(alice.sheet.get_by_role("heading", name="loud and quiet", level=1)).to_be_visible()
    await expect(alice.sheet).to_be_focused()


async def test_the_list_is_walked_with_arrow_keys(meet_at_empty: Meeting, empty_site: Site) -> None:
    for title in ("Older", "Newer"):
        await empty_site.new_document(title)
    documents = await (await meet_at_empty("Alice")).opens_documents()
    await documents.document("Newer").focus()
    await documents.page.keyboard.press("ArrowDown")
    await expect(documents.document("Older")).to_be_focused()
    await documents.page.keyboard.press("F2")
    await documents.page.keyboard.type("Oldest")
    await documents.page.keyboard.press("Enter")
    await expect(documents.rows).to_have_text(["Oldest", "Newer"])  # the server has it: edited last, first in the list
    await expect(documents.document("Oldest")).to_be_focused()
    await documents.page.keyboard.press("Delete")
    await expect(documents.document("Oldest")).to_have_count(0)
    await expect(documents.document("Newer")).to_be_focused()
    await documents.page.keyboard.press("/")
    await expect(documents.search).to_be_focused()


async def test_everything_that_can_be_operated_has_a_name(meet: Meeting, shared_site: Site) -> None:
    person = await meet("Alice")
    documents = await person.opens_documents()
    await shared_site.new_document("Named")
    await documents.page.reload()
    await expect(documents.document("Named").first).to_be_visible()
    assert await without_a_name(documents.page) == []

    alice = await person.opens(await shared_site.new_document())
    bob = await (await meet("Bob")).opens(await shared_site.new_document())
    await bob.goes_to_start()
    for tool in ("Task list", "Insert a table"):
        await alice.uses(tool)
    await alice.page.get_by_role("button", name="2 by 2", exact=True).click()
    await expect(alice.page.get_by_role("toolbar", name="Table")).to_be_visible()
    assert await without_a_name(alice.page) == []
    assert await alice.page.locator("html").get_attribute("lang") == "en"
    ids = await alice.page.evaluate("Array.from(document.querySelectorAll('[id]'), (element) => element.id)")
    assert len(ids) == len(set(ids))


TABLE = "<table><tr><td>{}</td><td>{}</td></tr></table>"
BLOCKS = {
    "table": (TABLE.format("one", "two"), "one", "two"),
    "code": ("<pre><code>code</code></pre>", "code", "code"),
    "quote": ("<blockquote><p>said</p></blockquote>", "said", "said"),
}


async def top_level(editor: EditorPage) -> list[str]:
    """The words of each block of the document."""
    words: list[str] = await editor.sheet.evaluate(
        "(sheet) => sheet.editor.getJSON().content.map((block) => JSON.stringify(block).match(/(?<=\"text\":\")[^\"]*/g)?.join('|') ?? '')"
    )
    return words


@pytest.mark.parametrize("kind", BLOCKS)
async def test_a_line_is_begun_around_every_block_with_the_arrow_keys(
    meet: Meeting, shared_site: Site, kind: str
) -> None:
    html, first, last = BLOCKS[kind]
    words = first if first == last else f"{first}|{last}"
    alice = await (await meet("Alice")).opens(await shared_site.new_document())
    for places, keys, expected in (
        ("before", ["Control+Home", "ArrowUp"], ["NEW", words]),
        ("before, by the left", ["Control+Home", "Home", "ArrowLeft"], ["NEW", words]),
        ("behind", ["Control+End", "ArrowDown"], [words, "NEW"]),
        ("behind, by the right", ["Control+End", "End", "ArrowRight"], [words, "NEW"]),
    ):
        await alice.goes_to_start()
        await alice.sheet.evaluate("(sheet, html) => sheet.editor.commands.setContent(html)", html)
        await alice.goes(*keys)
        await alice.types("NEW")
        assert await top_level(alice) == expected, places


async def clicks_between_blocks(editor: EditorPage) -> None:
    x, y = await editor.sheet.evaluate(
        """(sheet) => {
            const [above, below] = [...sheet.querySelectorAll(".page-section > *")].map((block) => block.getBoundingClientRect());
            return [above.left + 40, (above.bottom + below.top) / 2];
        }"""
    )
    await editor.page.mouse.click(x, y)


@pytest.mark.parametrize("kind", BLOCKS)
async def test_a_line_is_begun_between_two_blocks_or_passed_by(meet: Meeting, shared_site: Site, kind: str) -> None:
    html, first, last = BLOCKS[kind]
    words = first if first == last else f"{first}|{last}"
    alice = await (await meet("Alice")).opens(await shared_site.new_document())
    for key, back in (("ArrowDown", "ArrowUp"), ("ArrowRight", "ArrowLeft")):
        await alice.goes_to_start()
        await alice.sheet.evaluate("(sheet, html) => sheet.editor.commands.setContent(html)", html + html)
        await alice.goes("Control+Home", "End")
        if kind == "table" and key == "ArrowRight":
            await alice.press("Tab", "End")
        await alice.press(key, key)
        await alice.types("IN ")
        assert await top_level(alice) == [words, f"IN {words}"], f"{key} twice is in the second"
        await alice.press("Home", back)
        await alice.types("NEW")
        assert await top_level(alice) == [words, "NEW", f"IN {words}"], f"{back} from there is between"
        await alice.press("Control+a", "Delete")
    await alice.sheet.evaluate("(sheet, html) => sheet.editor.commands.setContent(html)", html + html)
    await clicks_between_blocks(alice)
    await alice.types("NEW")
    assert await top_level(alice) == [words, "NEW", words], "a click between them"
