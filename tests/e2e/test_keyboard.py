"""Hands that never touch the mouse, and ears instead of eyes."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.e2e.axe import suits_everybody
from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage
from tests.e2e.person import Meeting
from tests.e2e.site import Site
from tests.e2e.test_comments import COMMENTING, thread, writes
from tests.e2e.test_objects import inserts_a_picture
from tests.e2e.test_suggesting import suggestion
from tests.e2e.test_tables import inserts_a_table

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


async def test_a_discussion_is_led_without_a_mouse(meet: Meeting, shared_site: Site) -> None:
    """About words, a picture and two cells, from card to card, and back to the text."""
    alice = await (await meet("Alice")).opens(await shared_site.new_document("Draft"))
    await expect(alice.sheet).to_be_focused()  # as everybody is who opens a new document
    await alice.types("A brave new world", "")
    await inserts_a_picture(alice)
    await inserts_a_table(alice)
    await alice.types("one")
    await alice.press("Tab")
    await alice.types("two")
    await _comments_on_three_things(alice)
    await _replies_and_resolves(alice)
    await _discusses_a_suggestion(alice)


async def _replies_and_resolves(alice: EditorPage) -> None:
    await alice.press("Control+Alt+Comma", "Control+Alt+Period")
    await expect(thread(alice, "brave")).to_be_focused()
    await _goes_to(alice, "Reply")
    await alice.press("Enter")
    await writes(alice, "Reply", "Once.")
    await expect(thread(alice, "brave")).to_contain_text("Once.")
    await expect(thread(alice, "brave")).to_be_focused()
    await _goes_to(alice, "Resolve")
    await alice.press("Enter")
    await expect(thread(alice, "brave")).to_have_count(0)
    await expect(alice.sheet).to_be_focused()
    await alice.press("Control+Alt+Period")
    await expect(thread(alice, "Picture")).to_be_focused()
    await alice.press("Escape")
    await expect(alice.sheet).to_be_focused()


async def _discusses_a_suggestion(alice: EditorPage) -> None:
    await alice.chooses_mode("Suggesting")
    await alice.goes_to_start()
    await alice.types("Oh! ")
    await alice.press("Control+Alt+Shift+Period")
    await expect(suggestion(alice, "Oh!")).to_be_focused()
    await _goes_to(alice, "Discuss")
    await alice.press("Enter")
    await writes(alice, "Comment", "Why?")
    await expect(suggestion(alice, "Oh!")).to_be_focused()
    await expect(suggestion(alice, "Oh!")).to_contain_text("Why?")
    await alice.press("Escape")
    await alice.chooses_mode("Editing")
    await alice.press("Control+Alt+Shift+Period")
    await _goes_to(alice, "Accept the suggestion")
    await alice.press("Enter")
    await expect(alice.sheet).to_be_focused()
    await alice.sees("Oh! A brave new world")
    await expect(suggestion(alice, "Oh!")).to_have_count(0)
    await suits_everybody(alice.page, "cards of a picture and of cells")


async def _comments_on_three_things(alice: EditorPage) -> None:
    await alice.press("Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft")  # both cells
    await expect(alice.sheet.locator(".selectedCell")).to_have_count(2)
    await alice.press(COMMENTING)
    await writes(alice, "Comment", "Which is first?")
    await expect(alice.page.locator('[data-active] [aria-label*="“one"]')).to_be_visible()

    await alice.goes_to_start()
    await alice.press("ArrowDown")
    await expect(alice.page.get_by_role("toolbar", name="Picture")).to_be_visible()
    await alice.press(COMMENTING)
    await writes(alice, "Comment", "Whose flag?")
    await expect(alice.page.locator("[data-active]")).to_contain_text("Whose flag?")
    await expect(alice.sheet.locator("figure")).to_have_attribute("data-look", "active")

    await alice.goes_to_start()
    await alice.press("ArrowRight", "ArrowRight", "ArrowRight")  # into “brave”
    await alice.press(COMMENTING)
    await writes(alice, "Comment", "How brave?")
    await expect(alice.page.locator("[data-active]")).to_contain_text("How brave?")


async def _goes_to(alice: EditorPage, name: str) -> None:
    """From a card that has the focus, by Tab."""
    button = alice.page.locator("[data-active]").get_by_role("button", name=name, exact=True)
    for _ in range(8):
        await alice.press("Tab")
        if await button.evaluate("(button) => button === document.activeElement"):
            return
    raise AssertionError(f"Tab does not lead to “{name}”")


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


HOLD_WHAT_CAN_WAIT = """() => {
    const { postMessage } = MessagePort.prototype;
    const held = [];
    window.goesOn = () => {
        window.goesOn = null;
        for (const send of held) send();
    };
    MessagePort.prototype.postMessage = function (...message) {
        if (window.goesOn && document.querySelector("#document")) held.push(() => postMessage.apply(this, message));
        else postMessage.apply(this, message);
    };
}"""
"""Has React leave what is not urgent, once the text stands on the page, until `goesOn` is called."""


async def test_letters_behind_enter_in_the_title_are_in_the_text_before_the_page_has_its_editor(
    meet: Meeting, shared_site: Site
) -> None:
    person = await meet("Alice", anew=True)
    await person.context.add_init_script(f"({HOLD_WHAT_CAN_WAIT})()")
    alice = EditorPage("Alice", await person.visits(f"/d/{await shared_site.new_document('Title')}"))
    await expect(alice.sheet).to_be_attached()
    await alice.title.click()
    await alice.page.keyboard.press("Enter")
    await alice.types("At once")
    assert await alice.page.evaluate("window.goesOn !== null"), "nothing was drawn meanwhile"
    await alice.page.evaluate("goesOn()")
    await alice.sees("At once")
    await expect(alice.title).to_have_value("Title")


async def test_letters_behind_enter_in_the_title_are_in_the_text_before_a_frame_is_drawn(
    meet: Meeting, shared_site: Site
) -> None:
    alice = await (await meet("Alice", anew=True)).opens(await shared_site.new_document("Title"))
    await alice.title.click()
    await alice.page.evaluate("() => { window.requestAnimationFrame = (draw) => setTimeout(() => draw(0), 500) }")
    await alice.page.keyboard.press("Enter")
    await alice.types("At once")
    await alice.sees("At once")
    await expect(alice.title).to_have_value("Title")
