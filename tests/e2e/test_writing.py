"""Words take their form as they are typed, lose it again, are found by the outline, counted, and printed."""

from playwright.async_api import expect

from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage
from tests.e2e.person import Meeting
from tests.e2e.site import Site

pytestmark = SEATED

RULES = {
    "# Title": "h1",
    "### Smaller": "h3",
    "- milk": "ul > li",
    "1. first": "ol > li",
    "[ ] to do": "[data-type=taskList] > li[data-checked=false]",
    "[x] done": "[data-type=taskList] > li[data-checked=true]",
    "> said": "blockquote > p",
    "``` let x": "pre > code",
    "--- ": "hr",
    "**loud** ": "p > strong",
    "*soft* ": "p > em",
    "`code` ": "p > code",
    "~~gone~~ ": "p > s",
    "==seen== ": "p > mark",
}


async def test_markdown_takes_its_form_as_it_is_typed(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice")).opens(await shared_site.new_document())
    for typed, selector in RULES.items():
        await alice.goes_to_start()
        await alice.types(typed)
        await expect(alice.sheet.locator(selector), f"“{typed}” becomes {selector}").to_have_count(1)
        await alice.press("Control+a", "Delete", "Control+Alt+0")
    await alice.shows("Saved")


async def test_formatting_is_cleared_and_words_stay(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice")).opens(await shared_site.new_document())
    await alice.goes_to_start()
    await alice.pastes(
        "text/html",
        '<h2 style="text-align: center"><b>Loud</b> <i><span style="color: #c00">red</span></i> <mark>seen</mark></h2>',
    )
    await expect(alice.sheet.locator("h2 strong")).to_have_text("Loud")
    await alice.press("Control+a")
    await alice.uses("Clear formatting")
    await expect(alice.sheet.get_by_role("heading")).to_have_count(0)
    assert await alice.html() == "<p>Loud red seen</p>"
    await alice.uses("Undo your formatting")
    await expect(alice.sheet.locator("h2 strong")).to_have_text("Loud")


async def with_a_long_text(editor: EditorPage) -> None:
    """Ten chapters of twenty lines with two words each."""
    await editor.goes_to_start()
    chapters = (f"<h2>Chapter {number}</h2>" + "<p>two words</p>" * 20 for number in range(1, 11))
    await editor.pastes("text/html", "".join(chapters))


async def test_the_outline_leads_through_a_long_text_that_is_counted(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice")).opens(await shared_site.new_document())
    await with_a_long_text(alice)
    outline = alice.page.get_by_role("navigation", name="Outline")
    await outline.get_by_role("button", name="Chapter 7").click()
    await expect(alice.sheet.get_by_role("heading", name="Chapter 7")).to_be_in_viewport()
    await expect(outline.get_by_role("button", name="Chapter 7")).to_have_attribute("aria-current", "location")

    counts = alice.page.get_by_role("button", name="420 words")
    await expect(counts).to_be_visible()
    await alice.selects("Chapter 7")
    await expect(alice.page.get_by_role("button", name="2 of 420 words")).to_be_visible()


async def test_paper_has_the_words_and_nothing_around_them(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice", color_scheme="dark")).opens(await shared_site.new_document())
    await with_a_long_text(alice)
    await alice.page.emulate_media(media="print")
    await expect(alice.sheet).to_be_visible()
    for around in ("banner", "toolbar", "navigation"):
        await expect(alice.page.get_by_role(around)).to_have_count(0)
    ink, *grounds = await alice.sheet.evaluate(
        """(sheet) => {
            const brightness = (color) => color.match(/[\\d.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
            const grounds = [];
            for (let around = sheet; around; around = around.parentElement) {
                const { backgroundColor } = getComputedStyle(around);
                if (backgroundColor !== "rgba(0, 0, 0, 0)") grounds.push(brightness(backgroundColor));
            }
            return [brightness(getComputedStyle(sheet).color), ...grounds];
        }"""
    )
    assert ink < 80
    assert all(ground > 200 for ground in grounds)
    # The sheet does not scroll inside of the page: what it scrolls to would not be printed.
    assert await alice.sheet.evaluate(
        "(sheet) => sheet.getBoundingClientRect().bottom < document.documentElement.scrollHeight + 1"
    )
