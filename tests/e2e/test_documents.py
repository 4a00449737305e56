"""The list of documents: made, named, found, thrown away, brought back, and gone for ever."""

import re

from playwright.async_api import expect

from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage
from tests.e2e.person import Meeting
from tests.e2e.site import Site

pytestmark = SEATED


async def test_the_first_document_is_made_named_and_found_in_the_list(meet_at_empty: Meeting) -> None:
    documents = await (await meet_at_empty("Alice")).opens_documents()
    await expect(documents.page.get_by_role("heading", name="Write something together")).to_be_visible()

    editor = await documents.makes_document()
    await editor.title.fill("Minutes")
    await editor.press("Enter")
    await editor.goes_to_end()
    await editor.types("We met.")
    await editor.shows("Saved")
    await expect(editor.page).to_have_title(re.compile("^Minutes"))

    await editor.page.get_by_role("link", name="All documents").click()
    await documents.document("Minutes").click()
    await editor.sees("We met.")


async def test_renaming_in_place_and_searching(meet_at_own: Meeting, own_site: Site) -> None:
    for title in ("Apples", "Pears", "Apple trees"):
        await own_site.new_document(title)
    documents = await (await meet_at_own("Alice")).opens_documents()
    await documents.renames("Pears", "Quinces")
    await expect(documents.document("Quinces")).to_be_visible()

    await documents.search.fill("apple")
    await expect(documents.document("Quinces")).to_have_count(0)
    await expect(documents.document("Apples")).to_be_visible()
    await expect(documents.document("Apple trees")).to_be_visible()
    await documents.search.fill("nothing like it")
    await expect(documents.page.get_by_role("heading", name="No results")).to_be_visible()
    await documents.page.get_by_role("button", name="Clear the search").click()
    await expect(documents.document("Quinces")).to_be_visible()

    await documents.page.reload()
    await expect(documents.document("Quinces")).to_be_visible()
    await expect(documents.document("Pears")).to_have_count(0)


async def test_the_trash_gives_back_until_it_is_for_ever(meet_at_own: Meeting, own_site: Site) -> None:
    for title in ("Draft", "Old news"):
        await own_site.new_document(title)
    documents = await (await meet_at_own("Alice")).opens_documents()

    await documents.does("Move to the trash", "Draft")
    await expect(documents.document("Draft")).to_have_count(0)
    await documents.page.get_by_role("button", name="Undo").click()
    await expect(documents.document("Draft")).to_be_visible()

    await documents.does("Move to the trash", "Draft")
    await documents.does("Move to the trash", "Old news")
    await documents.goes_to("Trash")
    await documents.page.get_by_role("button", name="Restore Draft").click()
    await expect(documents.document("Draft")).to_have_count(0)

    await documents.page.get_by_role("button", name="Delete Old news for ever").click()
    question = documents.page.get_by_role("dialog", name="Delete for ever?")
    await question.get_by_role("button", name="Cancel").click()
    await expect(documents.document("Old news")).to_be_visible()
    await documents.page.get_by_role("button", name="Delete Old news for ever").click()
    await question.get_by_role("button", name="Delete for ever").click()
    await expect(documents.page.get_by_role("heading", name="The trash is empty")).to_be_visible()

    await documents.goes_to("Documents")
    await expect(documents.document("Draft")).to_be_visible()
    await documents.page.reload()
    await expect(documents.document("Draft")).to_be_visible()
    await expect(documents.document("Old news")).to_have_count(0)


async def test_a_rename_shows_in_the_open_editor(meet_at_own: Meeting, own_site: Site) -> None:
    editor = await (await meet_at_own("Bob")).opens(await own_site.new_document("Plan A"))
    documents = await (await meet_at_own("Alice")).opens_documents()
    await documents.renames("Plan A", "Plan B")
    await expect(editor.title).to_have_value("Plan B")
    await expect(editor.page).to_have_title(re.compile("^Plan B"))

    await editor.title.fill("Plan C")
    await editor.title.press("Enter")
    await expect(editor.title).to_have_value("Plan C")
    await documents.page.reload()
    await expect(documents.document("Plan C")).to_be_visible()


async def test_whoever_has_a_document_open_is_told_when_it_goes(meet_at_own: Meeting, own_site: Site) -> None:
    editor = await (await meet_at_own("Bob")).opens(await own_site.new_document("Doomed"))
    await editor.goes_to_end()
    await editor.types("Last words")
    await editor.shows("Saved")
    documents = await (await meet_at_own("Alice")).opens_documents()

    await documents.does("Move to the trash", "Doomed")
    await expect(editor.page.get_by_text("This document is in the trash.")).to_be_visible()
    await expect(editor.sheet).to_have_attribute("contenteditable", "false")
    await editor.sees("Last words")
    await editor.page.get_by_role("button", name="Restore").click()
    await editor.is_ready()
    await editor.goes_to_end()
    await editor.types(", no more")
    await editor.shows("Saved")

    await documents.page.reload()
    await documents.does("Move to the trash", "Doomed")
    await documents.goes_to("Trash")
    await documents.page.get_by_role("button", name="Delete Doomed for ever").click()
    await documents.page.get_by_role("dialog").get_by_role("button", name="Delete for ever").click()
    await expect(editor.page.get_by_text("This document was closed:")).to_be_visible()
    await editor.sees("Last words, no more")

    await editor.page.get_by_role("button", name="Save as new document").click()
    await expect(editor.title).to_have_value("Doomed (copy)")
    await editor.is_ready()
    assert await editor.text() == "Last words, no more"
    await editor.shows("Saved")


async def test_a_document_from_a_template_is_labelled_starred_and_copied(meet_at_own: Meeting, own_site: Site) -> None:
    await own_site.new_document("Plain")
    documents = await (await meet_at_own("Alice")).opens_documents()
    page = documents.page
    await page.get_by_role("button", name="Templates").click()
    await page.get_by_role("menuitem", name="Meeting notes").click()
    editor = EditorPage("Alice", page)
    await editor.sees("Who does what")
    await editor.shows("Saved")

    await page.get_by_role("link", name="All documents").click()
    await page.get_by_role("button", name="Star Meeting notes").click()
    await documents.does("Labels…", "Meeting notes")
    await page.get_by_role("textbox", name="New label").fill("Autumn")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("list", name="Labels of Meeting notes")).to_contain_text("Autumn")
    await documents.does("Make a copy", "Meeting notes")
    await expect(documents.document("Meeting notes (copy)")).to_be_visible()

    await page.reload()
    await page.get_by_role("button", name="Label: Any label").click()
    await page.get_by_role("menuitemradio", name="Autumn").click()
    await expect(documents.document("Plain")).to_have_count(0)
    await expect(documents.document("Meeting notes")).to_be_visible()
    await documents.goes_to("Starred")
    await expect(documents.document("Meeting notes (copy)")).to_have_count(0)
    await documents.document("Meeting notes").click()
    await editor.sees("Who does what")
