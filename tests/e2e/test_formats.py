"""Another application's editor beside ours, on one document: it deletes nothing that it does not know, for nobody and on no device."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect
from pycrdt import Doc, XmlElement, XmlFragment

from crdt.protocol.batch import encode_batch
from tests.e2e.axe import suits_everybody
from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage, agree
from tests.e2e.person import Meeting, Person
from tests.e2e.site import Site
from tests.harness.bell import PATIENCE
from tests.harness.person import PatientClient
from tests.harness.processes import mortal

pytestmark = SEATED

WEB = Path(__file__).parents[2] / "client_web"

NO_SERVICE_WORKER = (
    "navigator.serviceWorker.getRegistrations().then((all) => Promise.all(all.map((each) => each.unregister())))"
)
"""Ours would answer for the other application's page, which the test serves at the same address."""


@pytest.fixture(scope="session")
def stock_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The other application's page, built with the packages as they are published."""
    out = tmp_path_factory.mktemp("stock")
    command = mortal("npx", "vite", "build", "schema/test/stock", "--outDir", str(out), "--base", "/stock/")
    done = subprocess.run(command, cwd=WEB, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


class StockPage:
    """A tab of the other application."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def sheet(self) -> Any:
        return self.page.locator(".ProseMirror")

    async def state(self) -> dict[str, Any]:
        """What its provider says once it is up to date."""
        await self.page.wait_for_function("JSON.parse(document.documentElement.dataset.state).status === 'synced'")
        found: dict[str, Any] = json.loads(await self.page.evaluate("document.documentElement.dataset.state"))
        return found

    async def does(self, program: str) -> None:
        await self.page.evaluate(program)


async def opens_stock(person: Person, stock: Path, document_id: str, knows: str = "little") -> StockPage:
    async def answer(route: Route) -> None:
        name = route.request.url.partition("/stock/")[2].partition("?")[0] or "index.html"
        await route.fulfill(path=stock / name)

    await person.context.route("**/stock/**", answer)
    return StockPage(await person.visits(f"/stock/?document={document_id}&knows={knows}"))


async def with_everything(meet: Meeting, site: Site, anew: bool = False) -> tuple[Person, EditorPage, str]:
    """A document of our editor with tasks, a table and a colour, and the person who has written it."""
    document_id = await site.new_document()
    alice = await meet("Alice", anew=anew)
    page = await alice.opens(document_id)
    await page.sheet.evaluate(
        """(sheet) => sheet.editor.commands.setContent(
            '<p>first</p><ul data-type="taskList"><li data-type="taskItem" data-checked="true"><p>milk</p></li></ul>'
            + '<table><tbody><tr><th><p>when</p></th><td><p>now</p></td></tr></tbody></table>'
            + '<p><mark data-color="#ffff00">bright</mark></p>'
        )"""
    )
    await page.shows("Saved")
    return alice, page, document_id


async def test_stock_tiptap_with_starter_kit_deletes_nothing(
    meet: Meeting, shared_site: Site, stock_page: Path
) -> None:
    _, ours, document_id = await with_everything(meet, shared_site)
    bob = await meet("Bob", anew=True)
    stock = await opens_stock(bob, stock_page, document_id, "names")
    state = await stock.state()
    assert state["readOnly"]["reason"] == "format"
    assert {"taskList", "table", "highlight"} <= set(state["readOnly"]["unknown"])
    await expect(stock.sheet).to_contain_text("first")
    await expect(stock.sheet).to_have_attribute("contenteditable", "false")
    await ours.goes_to_start()
    await ours.types("written since ")
    await ours.shows("Saved")
    await expect(stock.sheet).to_contain_text("written since")
    # Even a program that writes all the same changes nothing.
    await stock.does("editor.commands.setContent('<p>whatever</p>')")
    assert (await stock.state())["unsaved"] == 0
    carol = await (await meet("Carol")).opens(document_id)
    await agree(ours, carol)
    shown = await carol.html()
    for part in ('data-type="taskList"', "<table", "<mark", "milk", "written since"):
        assert part in shown


async def test_stock_tiptap_in_the_same_browser_deletes_nothing_from_the_copy_on_the_device(
    meet: Meeting, shared_site: Site, stock_page: Path
) -> None:
    alice, ours, document_id = await with_everything(meet, shared_site, anew=True)
    before = await ours.html()
    await ours.page.evaluate(NO_SERVICE_WORKER)
    await ours.page.close()
    stock = await opens_stock(alice, stock_page, document_id)
    await stock.state()
    await stock.does("editor.commands.setContent('<p>whatever</p>')")
    await stock.page.close()
    again = await alice.opens(document_id)
    await again.shows("Saved")
    assert await again.html() == before
    carol = await (await meet("Carol")).opens(document_id)
    await agree(again, carol)


async def test_another_tiptap_with_the_published_schema_writes_beside_ours(
    meet: Meeting, shared_site: Site, stock_page: Path
) -> None:
    _, ours, document_id = await with_everything(meet, shared_site)
    other = await opens_stock(await meet("Bob", anew=True), stock_page, document_id, "all")
    assert (await other.state())["readOnly"] is None
    await expect(other.sheet).to_contain_text("milk")
    await other.does("editor.commands.insertContentAt(0, '<p>from elsewhere</p>')")
    await ours.sees("from elsewhere", "first", "milk", "when", "now", "bright")
    await ours.goes_to_start()
    await ours.types("Hello ")
    await expect(other.sheet).to_contain_text("Hello from elsewhere")


async def test_the_owner_lets_other_editors_write(meet: Meeting, shared_site: Site, stock_page: Path) -> None:
    document_id = await shared_site.new_document()
    ours = await (await meet("Alice")).opens(document_id)
    await ours.goes_to_start()
    await ours.types("only words")
    await ours.shows("Saved")
    await ours.page.get_by_role("button", name="Share").click()
    await ours.page.get_by_role("button", name="Editors: Only editors that know everything in it").click()
    await ours.page.get_by_role("menuitemradio", name="Any editor").click()
    await expect(ours.page.get_by_role("button", name="Editors: Any editor")).to_be_visible()
    await ours.page.get_by_role("button", name="Done").click()
    stock = await opens_stock(await meet("Bob", anew=True), stock_page, document_id)
    assert (await stock.state())["readOnly"] is None
    await stock.does("editor.commands.insertContentAt(0, '<p>from elsewhere</p>')")
    await ours.sees("from elsewhere", "only words")


async def test_a_page_that_is_older_than_the_document_says_so(meet: Meeting, shared_site: Site) -> None:
    """A page of an earlier release is one whose version a newer page has raised."""
    document_id = await shared_site.new_document()
    ours = await (await meet("Alice")).opens(document_id)
    await ours.goes_to_start()
    await ours.types("before")
    await ours.shows("Saved")
    await writes_as_a_later_release(shared_site, document_id)
    await expect(ours.page.get_by_text("Load the page anew.")).to_be_visible()
    await expect(ours.page.get_by_role("button", name="Reload the page")).to_be_visible()
    await expect(ours.page.get_by_role("textbox", name="Document, read-only")).to_contain_text("before")
    await suits_everybody(ours.page, "a page that is older than its document")


async def writes_as_a_later_release(site: Site, document_id: str) -> None:
    doc: Doc[Any] = Doc(client_id=7)
    doc.get("default", type=XmlFragment).children.append(XmlElement("paragraph"))
    client = PatientClient()
    await client.connect(site.url, transports=["websocket"])
    options = {"state_vector": b"\0", "client_id": 7, "format": {"name": "manyhands", "version": 1_000}}
    await client.call("join", (document_id, options), timeout=PATIENCE)
    batch = encode_batch([doc.get_update()])
    assert "seq" in await client.call("update", (document_id, batch), timeout=PATIENCE)
    await client.disconnect()
