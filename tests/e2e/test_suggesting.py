"""A commenter suggests, also on the train, and an editor decides."""

import asyncio
import re

from playwright.async_api import Locator, expect

from tests.e2e.axe import suits_everybody
from tests.e2e.line import Line
from tests.e2e.marks import SEATED
from tests.e2e.pages import KEPT, EditorPage, agree
from tests.e2e.person import NETWORK, Meeting, Person, finds_the_network, loses_the_network
from tests.e2e.test_carets import InputMethod
from tests.e2e.test_comments import writes
from tests.e2e.test_objects import inserts_a_picture

pytestmark = SEATED


def suggestion(page: EditorPage, words: str) -> Locator:
    """The card of a suggestion, beside the text or in the sheet."""
    return page.page.get_by_role("article", name=re.compile("^Suggestion by")).filter(has_text=words)


async def _invites_a_commenter(alice: EditorPage, visitor: Person) -> EditorPage:
    sharing = await alice.shares()
    await sharing.opens_link_for("Commenter")
    await sharing.closes()
    bob = await visitor.opens(alice.document_id)
    await bob.may("suggest")
    return bob


async def test_a_commenter_suggests_and_an_editor_decides(meet: Meeting, line: Line) -> None:
    owner, visitor = await meet("Alice"), await meet("Bob", line.url)
    visitor.expects(NETWORK)
    alice = await (await owner.opens_documents()).makes_document()
    await alice.goes_to_start()
    await alice.types("Hello brave world", "Second line")
    await alice.shows("Saved")
    bob = await _invites_a_commenter(alice, visitor)
    await expect(bob.title).to_have_attribute("readonly", "")
    await bob.selects("brave")
    await bob.types("new")
    await bob.shows("Saved")
    await expect(suggestion(alice, "Add: “new”")).to_contain_text("Delete: “brave”")
    await expect(suggestion(bob, "Add: “new”").get_by_role("button", name="Accept the suggestion")).to_have_count(0)
    await suits_everybody(alice.page, "cards of suggestions")

    await _suggests_on_the_train(bob, visitor, line)
    await expect(suggestion(alice, "Add: “A line from the train”")).to_be_visible()
    await _decides(alice, bob)
    await _composes_a_suggestion(alice, bob)
    await _suggests_a_picture(alice, bob)
    await _goes_on_while_all_is_accepted(alice, bob)
    await _was_an_editor_on_the_train(alice, bob, visitor, line)
    await _suggests_too(alice, bob)


async def _suggests_on_the_train(bob: EditorPage, visitor: Person, line: Line) -> None:
    await bob.can_be_reopened_offline()
    await loses_the_network(visitor, line)
    await bob.goes_to_end()
    await bob.types("", "A line from the train")
    await bob.shows(KEPT)
    await bob.reloads()
    await bob.may("suggest")
    await bob.sees("A line from the train")
    await finds_the_network(visitor, line)
    await bob.shows("Saved")


async def _decides(alice: EditorPage, bob: EditorPage) -> None:
    await suggestion(alice, "Add: “new”").click()
    await alice.page.get_by_role("button", name="Discuss").click()
    await writes(alice, "Comment", "Why new?")
    await expect(suggestion(bob, "Add: “new”")).to_contain_text("Why new?")
    await suggestion(alice, "Add: “new”").get_by_role("button", name="Accept the suggestion").click()
    await bob.sees("Hello new world")
    await bob.page.get_by_role("button", name="Inbox, one unread").click()
    await expect(bob.page.get_by_text("Alice has accepted your suggestion")).to_be_visible()
    await bob.press("Escape")
    await alice.press("Control+z")
    await bob.sees("Hello bravenew world")
    await alice.press("Control+y")
    await bob.sees("Hello new world")
    await suggestion(bob, "A line from the train").get_by_role("button", name="Withdraw the suggestion").click()
    await expect(suggestion(alice, "A line from the train")).to_have_count(0)
    await agree(alice, bob)
    assert await bob.text() == "Hello new world\nSecond line"


async def _composes_a_suggestion(alice: EditorPage, bob: EditorPage) -> None:
    """An input method's word is a suggestion, once, whatever others write in its line meanwhile."""
    await bob.selects("new")
    await bob.press("ArrowRight")
    method = InputMethod(bob)
    await method.composes("か", "かん")
    await alice.goes_to_start()
    await alice.types("Oh. ")
    await method.composes("かんじ")
    await method.ends("漢字")
    await agree(alice, bob)
    assert await bob.text() == "Oh. Hello new漢字 world\nSecond line"
    await expect(bob.page.locator("ins")).to_have_text("漢字")
    await suggestion(alice, "Add: “漢字”").get_by_role("button", name="Reject the suggestion").click()
    await bob.sees("Oh. Hello new world")


async def _suggests_a_picture(alice: EditorPage, bob: EditorPage) -> None:
    """A commenter's picture is stored and seen by everybody, and goes when it is rejected."""
    await bob.goes_to_end()
    await inserts_a_picture(bob)
    await expect(suggestion(alice, "Add: Picture")).to_be_visible()
    await expect(alice.sheet.locator("figure img")).to_have_js_property("complete", True)
    assert await alice.sheet.locator("figure img").evaluate("(image) => image.naturalWidth") > 0
    await suggestion(alice, "Add: Picture").get_by_role("button", name="Reject the suggestion").click()
    await expect(bob.sheet.locator("figure")).to_have_count(0)
    await agree(alice, bob)


async def _accepts_all(alice: EditorPage) -> None:
    await alice.mode().click()
    await alice.page.get_by_role("menuitem", name="Accept all suggestions").click()


async def _goes_on_while_all_is_accepted(alice: EditorPage, bob: EditorPage) -> None:
    """What is typed and taken back while it is accepted is a suggestion in the end, and nobody is stopped."""
    await bob.goes_to_end()
    await bob.types(" one")
    await expect(suggestion(alice, "Add: “ one”")).to_be_visible()
    async with asyncio.TaskGroup() as both:
        both.create_task(bob.types(" two three four", delay=30))
        both.create_task(_accepts_all(alice))
    async with asyncio.TaskGroup() as both:
        both.create_task(bob.press(*["Backspace"] * 8))
        both.create_task(_accepts_all(alice))
    await bob.shows("Saved")
    await agree(alice, bob)
    await expect(bob.page.get_by_role("button", name="Reload from the server")).to_have_count(0)
    if await alice.page.locator("ins, del").count():
        await _accepts_all(alice)
    await alice.sees("Second line one two th")
    await agree(alice, bob)


async def _was_an_editor_on_the_train(alice: EditorPage, bob: EditorPage, visitor: Person, line: Line) -> None:
    """What an editor has typed who is a commenter by the time that it is sent is a suggestion."""
    sharing = await alice.shares()
    await sharing.opens_link_for("Editor")
    await bob.may("edit")
    await loses_the_network(visitor, line)
    await bob.goes_to_end()
    await bob.types(" and more")
    await sharing.opens_link_for("Commenter")
    await sharing.closes()
    await finds_the_network(visitor, line)
    await bob.may("suggest")
    await bob.shows("Saved")
    await expect(suggestion(alice, "Add: “ and more”")).to_be_visible()
    await bob.types("!")
    await expect(suggestion(alice, "Add: “ and more!”")).to_be_visible()
    await suggestion(alice, "and more").get_by_role("button", name="Reject the suggestion").click()
    await agree(alice, bob)


async def _suggests_too(alice: EditorPage, bob: EditorPage) -> None:
    await alice.chooses_mode("Suggesting")
    await alice.goes_to_end()
    await alice.types("!")
    await expect(suggestion(bob, "Add: “!”")).to_be_visible()
    await alice.mode().click()
    await alice.page.get_by_role("menuitemradio", name="Without suggestions").click()
    await expect(alice.sheet).to_have_text(re.compile("Second line one two th"))


async def test_two_people_propose_something_for_one_line(meet: Meeting) -> None:
    """Each has a card, and what is decided about one leaves the other, until it can change nothing."""
    owner, visitor = await meet("Alice"), await meet("Bob")
    alice = await (await owner.opens_documents()).makes_document()
    await alice.goes_to_start()
    await alice.types("Hello brave world", "Second line")
    await alice.shows("Saved")
    bob = await _invites_a_commenter(alice, visitor)
    await alice.chooses_mode("Suggesting")

    await bob.selects("brave")
    await bob.press("Control+Alt+2")
    await expect(suggestion(alice, "Change to: Heading 2")).to_be_visible()
    await alice.selects("brave")
    await alice.press("Control+Alt+3")
    for page in (alice, bob):
        await expect(suggestion(page, "Change to: Heading 2")).to_be_visible()
        await expect(suggestion(page, "Change to: Heading 3")).to_be_visible()
    await bob.press("Control+Alt+2")
    await expect(suggestion(alice, "Change to: Heading 2")).to_have_count(0)
    await bob.press("Control+Shift+8")
    await expect(suggestion(alice, "Change to: Bulleted list")).to_be_visible()

    await alice.chooses_mode("Editing")
    await suggestion(alice, "Change to: Heading 3").get_by_role("button", name="Accept the suggestion").click()
    await expect(bob.sheet.get_by_role("heading", name="Hello brave world", level=3)).to_be_visible()
    await expect(suggestion(bob, "Change to: Bulleted list (changes nothing any more)")).to_be_visible()
    await suggestion(bob, "Bulleted list").get_by_role("button", name="Withdraw the suggestion").click()
    await expect(suggestion(alice, "Bulleted list")).to_have_count(0)
    await agree(alice, bob)


TABLE = "<table><tr><th>Bed</th><th>Sown</th></tr><tr><td>Beans</td><td>May</td></tr></table>"


async def test_rows_and_columns_are_suggested_beside_an_editor_s(meet: Meeting, line: Line) -> None:
    """Bob has asked for less motion, so his cards are in their new places at once, also while he presses a button."""
    owner, visitor = await meet("Alice"), await meet("Bob", line.url, reduced_motion="reduce")
    alice = await (await owner.opens_documents()).makes_document()
    await alice.goes_to_start()
    await alice.pastes("text/html", TABLE)
    await alice.shows("Saved")
    bob = await _invites_a_commenter(alice, visitor)

    await bob.goes_after("Beans")
    await bob.changes_table("Row", "Insert below")
    await bob.goes_after("May")
    await bob.press("Tab")
    await bob.types("Peas")
    await expect(suggestion(alice, "Add: Row")).to_contain_text("Add: “Peas”")
    row = alice.sheet.locator("tr[data-suggested=insert]")
    await expect(row).to_have_attribute("aria-description", "Suggested insertion by Bob")
    await suits_everybody(alice.page, "a suggested row")

    await _changes_the_table_at_once(alice, bob)
    await _decides_on_the_table(alice, bob)


async def _changes_the_table_at_once(alice: EditorPage, bob: EditorPage) -> None:
    """A column and a row meet: the merged table lacks a cell."""
    await alice.goes_after("Beans")
    async with asyncio.TaskGroup() as both:
        both.create_task(bob.changes_table("Column", "Insert to the left"))
        both.create_task(alice.changes_table("Row", "Insert above"))
    await expect(suggestion(alice, "Add: Column")).to_be_visible()
    await bob.goes_after("May")
    await bob.changes_table("Column", "Delete column")
    await expect(suggestion(alice, "Delete: Column")).to_contain_text("Delete: “Sown ¶ May”")
    await bob.shows("Saved")
    await alice.page.get_by_role("button", name=re.compile("^Mode: ")).click()
    await alice.page.get_by_role("menuitemradio", name="Without suggestions").click()
    await expect(alice.sheet.locator("tr")).to_have_text(["BedSown", "", "BeansMay"])
    await alice.page.get_by_role("button", name=re.compile("^Mode: ")).click()
    await alice.page.get_by_role("menuitemradio", name="Suggestions marked").click()


async def _decides_on_the_table(alice: EditorPage, bob: EditorPage) -> None:
    await suggestion(alice, "Delete: Column").get_by_role("button", name="Reject the suggestion").click()
    await suggestion(alice, "Add: Column").get_by_role("button", name="Accept the suggestion").click()
    await suggestion(bob, "Add: Row").get_by_role("button", name="Withdraw the suggestion").click()
    await agree(alice, bob)
    await expect(bob.sheet.locator("tr")).to_have_text(["BedSown", "", "BeansMay"])
    widths = await bob.sheet.locator("tr").evaluate_all("(rows) => rows.map(({ cells }) => cells.length)")
    assert widths == [3, 3, 3]
