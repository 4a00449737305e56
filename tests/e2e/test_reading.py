"""Documents as they are read: aloud, searched, from right to left, and while others write above."""

import asyncio
import base64
from typing import Any

from playwright.async_api import Route, expect

from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage, agree, until
from tests.e2e.person import Meeting
from tests.e2e.site import Site
from tests.e2e.test_content import small_png
from tests.e2e.test_together import two_in_one_document

pytestmark = SEATED


async def spoken(editor: EditorPage) -> list[str]:
    """The texts that the browser gives to screen readers, in order."""
    tree: dict[str, Any] = await (await editor.page.context.new_cdp_session(editor.page)).send(
        "Accessibility.getFullAXTree"
    )
    words = (node for node in tree["nodes"] if not node["ignored"] and node["role"]["value"] == "StaticText")
    return [node["name"]["value"] for node in words]


async def test_the_name_on_a_caret_is_for_the_eyes_alone(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "Hello world")
    await bob.goes("Control+End", *["ArrowLeft"] * len("rld"))
    await expect(alice.caret_of("Bob")).to_be_visible()

    async def is_drawn_in_the_word() -> bool:
        return "rld" in await spoken(alice)

    await until(is_drawn_in_the_word)
    heard = await spoken(alice)
    assert heard[heard.index("Hello wo") :][:2] == ["Hello wo", "rld"]
    assert "Bob" not in heard
    assert await alice.sheet.evaluate("(sheet) => sheet.textContent") == "Hello world"
    assert await alice.page.evaluate("find('Hello world', false, false, true)"), (
        "a search finds the word around the caret"
    )

    async def is_not_found() -> bool:
        return not await alice.page.evaluate("find('Bob', false, false, true)")

    await until(is_not_found)  # once it has been said who came


async def side_of(editor: EditorPage, words: str) -> str:
    """At which side of the sheet a line begins."""
    side: str = await editor.sheet.get_by_text(words, exact=True).evaluate(
        """(line) => {
            const range = document.createRange();
            range.selectNodeContents(line);
            const [words, sheet] = [range.getBoundingClientRect(), line.closest("#document").getBoundingClientRect()];
            return words.left - sheet.left > sheet.right - words.right ? "right" : "left";
        }"""
    )
    return side


async def marker_side_of(editor: EditorPage, words: str) -> str:
    """At which side the bullet, the number, the box to tick, or the bar of a quote stands."""
    side: str = await editor.sheet.get_by_text(words, exact=True).evaluate(
        "(line) => getComputedStyle(line.closest('li, blockquote')).direction === 'rtl' ? 'right' : 'left'"
    )
    return side


async def test_each_line_begins_where_its_language_does(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "שלום עולם", "Latin")
    await alice.types("", "- عنصر", "item", "", "> ציטוט")
    for reader in (alice, bob):
        await reader.sees("ציטוט")
        assert [await side_of(reader, words) for words in ("שלום עולם", "Latin", "عنصر", "item", "ציטוט")] == [
            "right",
            "left",
            "right",
            "left",
            "right",
        ]
        assert [await marker_side_of(reader, words) for words in ("عنصر", "item", "ציטוט")] == [
            "right",
            "left",
            "right",
        ]
    await alice.page.get_by_role("textbox", name="Title of the document").fill("כותרת")
    await expect(alice.title).to_have_css("direction", "rtl")


async def test_a_direction_is_chosen_seen_by_all_and_left_to_the_words_again(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "Latin")
    right = alice.toolbar.get_by_role("button", name="Write from right to left")
    await right.click()
    await expect(right).to_have_attribute("aria-pressed", "true")
    await expect(bob.sheet.locator("p")).to_have_attribute("dir", "rtl")
    assert await side_of(bob, "Latin") == "right"

    await alice.press("Enter")
    await alice.types("next")
    await bob.sees("next")
    assert await side_of(bob, "next") == "right"

    await right.click()
    await expect(bob.sheet.get_by_text("next")).to_have_attribute("dir", "auto")
    await alice.press("Control+Shift+x")
    await expect(bob.sheet.get_by_text("next")).to_have_attribute("dir", "rtl")
    await alice.press("Control+Shift+x")
    await expect(bob.sheet.get_by_text("next")).to_have_attribute("dir", "ltr")
    await alice.shows("Saved")


LONG = "".join(f"<p>Line {number} of a long text that goes on for a while.</p>" for number in range(120))

TOP_LINE = """(sheet) => {
    const frame = sheet.closest(".page-desk").getBoundingClientRect();
    const line = [...sheet.querySelectorAll(".page-section > *")].find((block) => block.getBoundingClientRect().top >= frame.top);
    return [line.textContent, Math.round(line.getBoundingClientRect().top)];
}"""


async def test_what_one_reads_stays_while_others_write_above(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site)
    await alice.goes_to_start()
    await alice.pastes("text/html", LONG)
    await bob.sees("Line 119")
    await bob.sheet.evaluate("(sheet) => sheet.closest('.page-desk').scrollTo(0, 2200)")
    read = await bob.sheet.evaluate(TOP_LINE)

    async def nothing_moves(after: str) -> None:
        await agree(alice, bob)
        line, top = await bob.sheet.evaluate(TOP_LINE)
        assert (line, abs(top - read[1]) <= 1) == (read[0], True), after

    await alice.goes_after("Line 3 of")
    await alice.press("Enter", "Enter", "Enter")
    await nothing_moves("new lines")
    await alice.types("words enough to fill more than one line of the sheet, and then " * 2)
    await nothing_moves("a line that grows")
    await alice.pastes("text/html", "<h2>Pasted</h2><table><tr><td>cell</td></tr></table>" + "<p>pasted</p>" * 30)
    await nothing_moves("a paste")
    await alice.press("Control+z")
    await expect(bob.sheet.locator("h2")).to_have_count(0)
    await nothing_moves("an undo")
    await alice.goes("Control+Home", "Shift+ArrowDown", "Shift+ArrowDown", "Delete")
    await nothing_moves("lines that go")
    await alice.goes_to_end()
    await alice.types("at the end")
    await nothing_moves("words below")


async def test_the_line_one_writes_in_stays_while_others_write_above(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site)
    await alice.goes_to_start()
    await alice.pastes("text/html", LONG)
    await bob.sees("Line 119")
    await bob.goes_after("Line 10 of")
    top = "(line) => Math.round(line.getBoundingClientRect().top)"
    mine = bob.sheet.get_by_text("Line 10 of")
    before = await mine.evaluate(top)
    await alice.goes_to_start()
    await alice.press("Enter", "Enter")
    await alice.pastes("text/html", "<p>pasted</p>" * 30)
    await bob.types(" Mine.")
    await agree(alice, bob)
    assert abs(await mine.evaluate(top) - before) <= 1


async def test_a_picture_that_arrives_above_moves_nothing(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice")).opens(await shared_site.new_document())
    await alice.goes_to_start()
    await alice.pastes("text/html", LONG)
    await alice.goes_after("Line 3 of")
    may_arrive = asyncio.Event()

    async def arrives_later(route: Route) -> None:
        await may_arrive.wait()
        await route.continue_()

    await alice.page.route("**/attachments", arrives_later)
    await alice.pastes_file("flag.png", "image/png", base64.b64encode(small_png()).decode())
    await expect(alice.sheet.locator(".page-upload")).to_have_count(1)
    await alice.sheet.evaluate("(sheet) => sheet.closest('.page-desk').scrollTo(0, 2200)")
    line, top = await alice.sheet.evaluate(TOP_LINE)
    may_arrive.set()
    await expect(alice.sheet.get_by_role("img")).to_have_count(1)
    await expect(alice.sheet.locator(".page-upload")).to_have_count(0)
    now, now_top = await alice.sheet.evaluate(TOP_LINE)
    assert (now, abs(now_top - top) <= 1) == (line, True)
