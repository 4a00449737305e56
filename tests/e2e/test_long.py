"""A document of many pages, of which the browser draws what is in view: everything in it is within reach."""

import re

from playwright.async_api import expect

from tests.e2e.marks import SEATED
from tests.e2e.person import Meeting
from tests.e2e.site import Site
from tests.e2e.test_together import two_in_one_document

pytestmark = SEATED

LINES = 500
LONG = "".join(f"<p>Line {number} of a long text that goes on.</p>" for number in range(LINES))
TEXT = f"<h1>Beginning</h1>{LONG}<h1>End of it</h1><p>The last words</p>"

IN_VIEW = """(line) => {
    const [desk, at] = [line.closest(".page-desk").getBoundingClientRect(), line.getBoundingClientRect()];
    return at.top >= desk.top && at.bottom <= desk.bottom;
}"""
LEFT_OUT = """(sheet) => [...sheet.children].filter(
    (section) => !section.firstElementChild.checkVisibility({ contentVisibilityAuto: true })
).length"""

WATCH_SHIFTS = """() => {
    window.shifts = [];
    new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map(({ value }) => value)))
        .observe({ type: "layout-shift", buffered: true });
}"""
"""Chromium tells how much of the window has moved without being asked to: 1 is all of it."""


async def test_everything_in_a_long_document_is_within_reach(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site)
    await alice.pastes("text/html", TEXT)
    await bob.sees("The last words")
    assert await bob.sheet.evaluate(LEFT_OUT) > 5, "most of it is not drawn"

    last = bob.sheet.get_by_text("The last words")
    await bob.press("Control+Home", "Control+End")
    await bob.types("!")
    assert await last.evaluate(IN_VIEW), "the cursor is where one writes"
    await expect(last).to_have_text("The last words!")

    await bob.page.get_by_role("navigation", name="Outline").get_by_role("button", name="Beginning").click()
    await expect(bob.sheet.get_by_text("Line 0 of")).to_be_in_viewport()
    await bob.page.get_by_role("navigation", name="Outline").get_by_role("button", name="End of it").click()
    await expect(last).to_be_in_viewport()
    assert await bob.page.evaluate(f"(getSelection().removeAllRanges(), find('Line {LINES // 2} of'))"), "it is found"

    await bob.press("Control+Home", "Control+Shift+End", "Delete")
    await bob.types("new")
    await expect(alice.sheet).to_have_text("new")


async def test_who_comes_again_writes_beside_the_first_words_and_nothing_moves(
    meet: Meeting, shared_site: Site
) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site)
    await alice.pastes("text/html", TEXT)
    await bob.sees("The last words")
    await bob.page.add_init_script(f"({WATCH_SHIFTS})()")

    await bob.page.reload(wait_until="commit")
    # Tools, outline and counts may not be there yet.
    await bob.goes_after("Line 3 of a long text that goes on.")
    await bob.types(" So do I.")
    await alice.sees("Line 3 of a long text that goes on. So do I.")
    await expect(bob.page.get_by_role("toolbar", name="Formatting")).to_be_visible()
    await expect(bob.page.get_by_role("button", name=re.compile(r"^4,\d+ words$"))).to_be_visible()
    assert max(await bob.page.evaluate("window.shifts"), default=0) < 0.01
