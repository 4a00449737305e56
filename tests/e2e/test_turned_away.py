"""People whose server takes no connection from them for now: the page says what the server said, and tries again by itself."""

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.e2e.axe import suits_everybody
from tests.e2e.marks import BROWSER
from tests.e2e.pages import EditorPage
from tests.e2e.person import people_at
from tests.server.server_process import new_document, server_process

pytestmark = BROWSER

SENTENCE = "You have 1 connections open. Close some pages."


async def test_a_page_too_many_says_why_and_comes_in_when_there_is_room(
    chromium: Browser, tmp_path: Path, built_pages: Path
) -> None:
    options = ("--max-connections-per-user", "1", "--pages-dir", str(built_pages), "--log-level", "error")
    async with server_process(tmp_path, *options) as server, people_at(chromium, server.url) as meet:
        person = await meet("Alice")
        document_id = await new_document(server)
        first = await person.opens(document_id)
        await first.goes_to_start()
        await first.types("from the first page")
        await first.shows("Saved")

        page = await person.visits(f"/d/{document_id}")
        second = EditorPage("Alice", page)
        await second.shows("Not connected")
        await second.status("Not connected").click()
        details = page.get_by_role("dialog", name="Is everything saved?")
        await expect(details).to_contain_text(SENTENCE)
        await expect(details).to_contain_text("The page tries again by itself.")
        await suits_everybody(page, "a page that is turned away")
        await second.press("Escape")
        await second.goes_to_end()
        await second.types(" and the second")
        await second.shows("Not connected – kept on this device")

        await first.page.close()
        await second.shows("Saved")
        await second.sees("from the first page and the second")


async def test_a_document_too_many_is_refused_in_a_message(
    chromium: Browser, tmp_path: Path, built_pages: Path
) -> None:
    options = ("--max-documents-per-user", "1", "--pages-dir", str(built_pages), "--log-level", "error")
    async with server_process(tmp_path, *options) as server, people_at(chromium, server.url) as meet:
        person = await meet("Alice")
        person.expects("status of 429")
        documents = await person.opens_documents()
        made = await documents.makes_document()
        await made.shows("Saved")
        await made.page.get_by_role("link", name="All documents").click()
        await documents.page.get_by_role("button", name="New document").click()
        await documents.is_told("No document was made.")
        await suits_everybody(documents.page, "a message of what was refused")
