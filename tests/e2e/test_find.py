"""Find and replace in a real browser: what is lit, where one is led, and an expression that never ends."""

from playwright.async_api import expect

from tests.e2e.marks import SEATED
from tests.e2e.person import Meeting
from tests.e2e.site import Site

pytestmark = SEATED

LIT = "(name) => CSS.highlights.get(name)?.size ?? 0"
ENDLESS = "(a+)+$"


async def test_words_are_found_and_replaced_all_over_a_document(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice")).opens(await shared_site.new_document())
    lines = "".join(f"<p>{'a' * 40}! line {number}</p>" for number in range(80))
    await alice.goes_to_start()
    await alice.pastes("text/html", f"{lines}<ul><li><p>the <b>l</b>ine</p></li></ul>")
    await alice.goes_to_start()

    await alice.press("Control+f")
    find = alice.page.get_by_role("search").get_by_label("Find", exact=True)
    await expect(find).to_be_focused()
    await alice.types("line")
    count = alice.page.get_by_role("search").get_by_text("1 of 81").first
    await expect(count).to_be_visible()
    await alice.press("Shift+Enter")
    await expect(alice.sheet.get_by_text("the line")).to_be_in_viewport()
    assert await alice.page.evaluate(LIT, "find-present") == 1
    assert 0 < await alice.page.evaluate(LIT, "find-hit") < 80

    await alice.page.get_by_role("button", name="Regular expression").click()
    await find.fill(ENDLESS)
    await expect(alice.page.get_by_text("This expression takes too long. Try a simpler one.")).to_be_visible()
    await find.fill(r"line (\d+)")
    await expect(alice.page.get_by_role("search").get_by_text("of 80").first).to_be_visible()
    await alice.press("Control+h")
    await alice.page.get_by_label("Replace with").fill("row $1")
    await alice.page.get_by_role("button", name="Replace all hits").click()
    await expect(alice.page.get_by_text("80 hits replaced").first).to_be_visible()
    await expect(alice.sheet).to_contain_text("row 79")
    await alice.press("Escape")
    await alice.press("Control+z")
    await expect(alice.sheet).to_contain_text("line 79")
    await expect(alice.sheet).not_to_contain_text("row")
    assert await alice.page.evaluate(LIT, "find-hit") == 0
