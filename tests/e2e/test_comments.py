"""People comment on words: live, through a tunnel, with every role, and on a phone."""

import re

from playwright.async_api import Locator, expect

from tests.e2e.axe import PHONE_SIZE, suits_everybody
from tests.e2e.line import Line
from tests.e2e.marks import BROWSER
from tests.e2e.pages import EditorPage
from tests.e2e.person import NETWORK, Meeting, Person, finds_the_network, loses_the_network
from tests.e2e.site import Site
from tests.e2e.test_offline import SESSION_OVER

SHORT_TITLE = 90
"""Pixels in which nobody reads a title of a few words."""

pytestmark = BROWSER

COMMENTING = "Control+Alt+m"


def thread(page: EditorPage, quote: str) -> Locator:
    """The card of a thread, beside the text, in the list or in the sheet."""
    return page.page.get_by_role("article", name=re.compile(f"“{quote}”"))


async def comments(page: EditorPage, quote: str, words: str) -> Locator:
    await page.selects(quote)
    await page.press(COMMENTING)
    await writes(page, "Comment", words)
    return thread(page, quote)


async def writes(page: EditorPage, field: str, words: str) -> None:
    """Write in the field of a comment, and send it by the keyboard."""
    await expect(page.page.get_by_role("textbox", name=field, exact=True)).to_be_focused()
    await page.page.keyboard.type(words)
    await page.press("Control+Enter")


async def test_two_people_talk_and_one_of_them_goes_through_a_tunnel(
    meet: Meeting, shared_site: Site, line: Line
) -> None:
    document_id = await shared_site.new_document("Draft")
    traveller = await meet("Alice", at=line.url)
    traveller.expects(NETWORK, SESSION_OVER)
    alice = await traveller.opens(document_id)
    bob = await (await meet("Bob")).opens(document_id)
    await expect(alice.sheet).to_be_focused()
    await alice.types("A brave new world", "and its people")
    await bob.sees("and its people")

    await they_talk(alice, bob)
    await suits_everybody(alice.page, "threads beside the text")
    await alice.shows("Saved")
    await alice.can_be_reopened_offline()
    await loses_the_network(traveller, line)
    await alice.shows("Offline")
    await comments(alice, "people", "Which ones?")
    await expect(thread(alice, "people")).to_contain_text("Kept on this device")
    await bob.goes_after("A brave")
    await bob.types(", but old,")
    await alice.reloads()
    await alice.sees("and its people")
    await expect(thread(alice, "people")).to_contain_text("Which ones?")
    await expect(thread(alice, "people")).to_contain_text("Kept on this device")

    await finds_the_network(traveller, line)
    await expect(thread(bob, "people")).to_contain_text("Which ones?")
    await expect(bob.page.locator("[data-look]").last).to_have_text("people")
    await expect(thread(alice, "people")).not_to_contain_text("Kept on this device")
    await one_resolves_and_one_reopens(alice, bob)


async def they_talk(alice: EditorPage, bob: EditorPage) -> None:
    await comments(alice, "brave new", "Is it?")
    await expect(thread(bob, "brave new")).to_contain_text("Is it?")
    await expect(bob.page.locator('[data-look="open"]')).to_have_text("brave new")
    await thread(bob, "brave new").click()
    await thread(bob, "brave new").get_by_role("button", name="Reply").click()
    await expect(thread(alice, "brave new")).to_contain_text("Bob is replying…")
    await bob.page.keyboard.type("It")
    await bob.goes_after("and its people")
    await expect(thread(bob, "brave new")).to_contain_text("Your reply is not sent yet")
    await thread(bob, "brave new").click()
    await thread(bob, "brave new").get_by_role("textbox", name="Reply").click()
    await writes(bob, "Reply", " is.")
    await expect(thread(alice, "brave new")).to_contain_text("It is.")
    await expect(alice.page.get_by_role("button", name="Inbox, one unread")).to_be_visible()


async def one_resolves_and_one_reopens(alice: EditorPage, bob: EditorPage) -> None:
    """From the inbox to the thread, which is resolved, and found again in the list."""
    await alice.page.get_by_role("button", name="Inbox, one unread").click()
    await alice.page.get_by_role("link", name="Bob has replied").click()
    await expect(alice.page.get_by_role("button", name="Inbox", exact=True)).to_be_visible()
    await expect(alice.page.locator('[data-look="active"]').first).to_contain_text("brave")
    await thread(alice, "brave new").get_by_role("button", name="Resolve").click()
    await expect(thread(bob, "brave new")).to_have_count(0)
    await expect(bob.page.locator("[data-look]")).to_have_text("people")
    await bob.page.get_by_role("button", name="All comments").first.click()
    await bob.page.get_by_role("button", name="Resolved", exact=True).click()
    await thread(bob, "brave new").get_by_role("button", name="Reopen").click()
    await expect(thread(alice, "brave new")).to_be_visible()


async def test_a_commenter_comments_on_a_phone_and_a_viewer_reads_if_the_owner_lets_them(meet: Meeting) -> None:
    owner = await meet("Alice")
    alice = await (await owner.opens_documents()).makes_document()
    await alice.goes_to_start()
    await alice.types("A brave new world")
    await alice.shows("Saved")
    sharing = await alice.shares()
    await sharing.opens_link_for("Commenter")
    await sharing.closes()

    commenter = await meet("Bob", viewport=PHONE_SIZE)
    bob = EditorPage("Bob", await commenter.visits(f"/d/{alice.document_id}"))
    await bob.sees("A brave new world")
    await bob.selects("brave new")
    await bob.page.get_by_role("button", name="Comment on the selected words").first.click()
    await writes(bob, "Comment", "Not so new.")
    await expect(thread(alice, "brave new")).to_contain_text("Not so new.")
    await expect(alice.page.locator("[data-look]")).to_have_text("brave new")
    await bob.shows("Saved")
    await expect(bob.page.get_by_role("region", name="Comments")).to_contain_text("Not so new.")
    await suits_everybody(bob.page, "a thread on a phone")
    await _has_room_for_a_title(bob, alice)
    await _is_read_by_a_viewer(meet, alice, commenter)


async def _is_read_by_a_viewer(meet: Meeting, alice: EditorPage, commenter: Person) -> None:
    reader = await meet("Carol")
    for each in (commenter, reader):
        each.expects("status of 403")  # viewers, as both are soon
    sharing = await alice.shares()
    await sharing.opens_link_for("Viewer")
    carol = EditorPage("Carol", await reader.visits(f"/d/{alice.document_id}"))
    await carol.sees("A brave new world")
    await carol.page.get_by_role("button", name="All comments").first.click()
    await expect(carol.page.get_by_text("The owner lets only people read the comments")).to_be_visible()
    await alice.page.get_by_label("Viewers may read the comments").check()
    await expect(thread(carol, "brave new")).to_contain_text("Not so new.")
    await expect(thread(carol, "brave new").get_by_role("button", name="Reply")).to_have_count(0)


async def _has_room_for_a_title(bob: EditorPage, alice: EditorPage) -> None:
    """On a phone a long title is read beside the sign of the inbox."""
    await thread(alice, "brave new").click()
    await thread(alice, "brave new").get_by_role("button", name="Reply").click()
    await writes(alice, "Reply", "New enough.")
    await expect(bob.page.get_by_role("button", name="Inbox, one unread")).to_be_visible()
    await alice.title.fill("Letter to the council about the garden")
    await alice.title.press("Enter")
    await expect(bob.title).to_have_value("Letter to the council about the garden")
    assert await bob.title.evaluate("(title) => title.clientWidth") > SHORT_TITLE
