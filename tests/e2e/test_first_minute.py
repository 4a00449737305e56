"""The first minute with a document: where one writes, what it is called, and who one is for somebody who comes."""

import re

from playwright.async_api import expect

from tests.e2e.marks import BROWSER
from tests.e2e.pages import EditorPage
from tests.e2e.person import Meeting
from tests.e2e.site import Site

pytestmark = BROWSER


async def test_a_document_is_written_before_anything_else_is_asked(meet_with_windows: Meeting) -> None:
    """In the whole Chromium, which other stories do without."""
    alice, bob = await meet_with_windows("Guest Heron"), await meet_with_windows("Bob")
    documents = await alice.opens_documents()
    await documents.page.get_by_role("button", name="New document").first.click()
    editor = EditorPage("Alice", documents.page)
    await editor.is_ready()
    await expect(editor.sheet).to_be_focused()
    await editor.types("Bring a tent", "and a lamp")
    await expect(editor.title).to_have_value("Bring a tent")
    await expect(editor.page).to_have_title(re.compile("^Bring a tent"))

    await editor.title.focus()
    await editor.press("ArrowDown")
    await editor.types("Please: ")
    await expect(editor.sheet).to_contain_text("Please: Bring a tent")
    card = editor.page.get_by_role("region", name="Your name")
    await expect(card).to_have_count(0)

    other = await bob.opens(editor.page.url.split("/d/")[1].split("#")[0])
    await card.get_by_label("What may others call you?").fill("Alice")
    await card.get_by_role("button", name="Use this name").click()
    await expect(card).to_have_count(0)
    await expect(other.page.get_by_role("button", name=re.compile("Alice"))).to_be_visible()

    row = (await alice.opens_documents()).page.get_by_role("listitem").filter(has_text="Please: Bring a tent")
    await expect(row).to_contain_text("and a lamp")


async def test_the_page_speaks_the_browsers_language_until_another_is_chosen(meet: Meeting, shared_site: Site) -> None:
    document_id = await shared_site.new_document("Ein Garten")
    greta = await meet("Greta", locale="de-DE")
    page = await greta.visits(f"/d/{document_id}")
    await expect(page.get_by_role("textbox", name="Dokument", exact=True)).to_be_visible()
    await expect(page.get_by_role("toolbar", name="Formatierung", exact=True)).to_be_visible()
    await expect(page.get_by_role("button", name="Gespeichert. Einzelheiten")).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "de")

    await page.get_by_role("button", name="Du bist Greta. Name und Farbe ändern").click()
    await page.get_by_label("Sprache", exact=True).select_option("English")
    editor = EditorPage("Greta", page)
    await editor.is_ready()
    await page.reload()
    await editor.is_ready()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
