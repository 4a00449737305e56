"""Who gets in, and who is shown out: an owner and visitors, each in a browser of their own, without accounts."""

import re

from playwright.async_api import expect

from tests.e2e.axe import suits_everybody
from tests.e2e.marks import SEATED
from tests.e2e.pages import DocumentsPage, EditorPage, agree
from tests.e2e.person import Meeting, Person

pytestmark = SEATED

WITH_CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}


async def _makes(owner: Person, title: str, words: str) -> tuple[EditorPage, str]:
    """Make a document as the person's own; its page and its id."""
    editor = await (await owner.opens_documents()).makes_document()
    await editor.title.fill(title)
    await editor.press("Enter")
    await editor.goes_to_start()
    await editor.types(words)
    await editor.shows("Saved")
    return editor, editor.document_id


async def test_the_owner_decides_what_a_visitor_may_do_while_they_watch(meet: Meeting) -> None:
    owner, visitor = await meet("Alice"), await meet("Bob")
    alice, document_id = await _makes(owner, "Bylaws", "First draft.")
    bob = await visitor.opens(document_id)
    await bob.goes_to_end()
    await bob.types(" Bob agrees.")
    await bob.shows("Saved")

    sharing = await alice.shares()
    await expect(sharing.people.first).to_contain_text("Alice (you)")
    await expect(sharing.people.filter(has_text="1 guest")).to_contain_text("Came by the link")
    await sharing.shows_guests()
    await sharing.opens_link_for("Viewer")
    await bob.may("View only")
    await sharing.opens_link_for("Commenter")
    await bob.may("suggest")
    await sharing.gives("Bob", "Editor")
    await bob.may("edit")
    await bob.goes_to_end()
    await bob.types(" Again.")
    await bob.shows("Saved")
    await sharing.closes()
    assert "Bob agrees. Again." in await agree(alice, bob)


async def test_who_is_removed_keeps_their_copy_and_nothing_else(meet: Meeting) -> None:
    owner, visitor = await meet("Alice"), await meet("Bob")
    visitor.expects("status of 404")
    alice, document_id = await _makes(owner, "Confidential", "For few eyes.")
    bob = await visitor.opens(document_id)
    await bob.sees("For few eyes.")

    sharing = await alice.shares()
    await sharing.shows_guests()
    await sharing.gives("Bob", "Viewer")
    await sharing.restricts()
    await bob.may("View only")
    await sharing.removes("Bob")
    await bob.is_shut_out()
    await suits_everybody(bob.page, "a lost access")
    async with bob.page.expect_download() as downloading:
        await bob.page.get_by_role("button", name="Download a copy").click()
    assert (await downloading.value).suggested_filename == "Confidential.html"

    await bob.page.reload()
    gone = bob.page.get_by_role("heading", name="This document is not there for you any more")
    await expect(gone).to_be_visible()
    stranger = await meet("Carol")
    stranger.expects("status of 404")
    page = await stranger.visits(f"/d/{document_id}")
    await expect(page.get_by_role("heading", name="There is nothing at this address")).to_be_visible()

    await page.get_by_role("button", name="Ask for access").click()
    share = alice.page.get_by_role("button", name="Share. One person asks for access", include_hidden=True)
    await expect(share).to_be_visible()
    await alice.page.get_by_role("button", name="Let Carol in").click()
    await alice.page.get_by_role("menuitem", name="Commenter").click()
    await expect(sharing.people.filter(has_text="Carol")).to_have_count(1)
    await EditorPage("Carol", page).may("suggest")


async def test_a_new_link_shuts_out_whoever_has_the_old_one(meet: Meeting) -> None:
    owner, visitor = await meet("Alice", **WITH_CLIPBOARD), await meet("Bob")
    alice, document_id = await _makes(owner, "Newsletter", "Draft.")
    bob = await visitor.opens(document_id)

    sharing = await alice.shares()
    link = await sharing.makes_new_link()
    assert re.search(rf"/d/{document_id}#link=[A-Za-z0-9_-]{{22}}$", link)
    await bob.is_shut_out()
    await sharing.closes()
    await alice.shows("Saved")

    await bob.page.goto("about:blank")
    await bob.page.goto(link)
    await bob.is_ready()
    await bob.goes_to_end()
    await bob.types(" Back again.")
    await bob.shows("Saved")
    again = await visitor.opens(document_id)
    await again.sees("Back again.")

    # Nothing of an earlier visit helps Carol, and her browser has nothing to complain of.
    carol = EditorPage("Carol", await (await meet("Carol", anew=True)).visits(link[link.index("/d/") :]))
    await carol.sees("Back again.")


async def test_what_is_shared_is_listed_with_its_owner_until_it_is_left(meet: Meeting) -> None:
    owner, visitor = await meet("Alice"), await meet("Bob")
    _, document_id = await _makes(owner, "Rota", "Mondays: Alice.")
    bob = await visitor.opens(document_id)

    documents = await visitor.opens_documents()
    await documents.shows_only("Shared with me")
    await expect(documents.document("Rota")).to_be_visible()
    link = documents.page.get_by_role("link", name="Rota", exact=True)
    row = documents.page.get_by_role("listitem").filter(has=link)
    await expect(row.get_by_title("Owned by Alice")).to_be_visible()
    await documents.shows_only("Owned by me")
    await expect(documents.document("Rota")).to_have_count(0)

    await (await bob.shares()).leaves()
    left = DocumentsPage(bob.page)
    await left.is_told("You left “Rota”.")
    await expect(left.document("Rota")).to_have_count(0)


async def test_the_document_is_handed_over(meet: Meeting) -> None:
    owner, heir = await meet("Alice"), await meet("Bob")
    alice, document_id = await _makes(owner, "Chronicle", "Year one.")
    bob = await heir.opens(document_id)
    sharing = await alice.shares()
    await sharing.shows_guests()
    await sharing.hands_over_to("Bob")
    await expect(sharing.dialog.get_by_text("You can read and edit it.")).to_be_visible()
    await expect(sharing.role_of("Bob")).to_have_count(0)
    theirs = await bob.shares()
    await expect(theirs.people.first).to_contain_text("Bob (you)")
    await theirs.restricts()
    await theirs.gives("Alice", "Viewer")
    await alice.page.keyboard.press("Escape")
    await alice.may("View only")


async def test_an_owner_is_known_in_every_tab(meet: Meeting) -> None:
    owner = await meet("Alice")
    _, document_id = await _makes(owner, "Mine", "Words.")
    second = await owner.opens(document_id)
    sharing = await second.shares()
    await expect(sharing.people).to_have_count(1)
    await expect(sharing.people.first).to_contain_text("Alice (you)")
