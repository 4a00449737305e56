"""A document of many pages, of which the browser draws what is in view: everything in it is within reach."""

from playwright.async_api import expect

from tests.e2e.marks import BROWSER
from tests.e2e.person import Meeting
from tests.e2e.site import Site
from tests.e2e.test_together import two_in_one_document

pytestmark = BROWSER

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
