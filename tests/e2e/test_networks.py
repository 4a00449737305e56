"""Networks that lie: they swallow WebSockets, answer in the server's place, or change what a request says."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, WebSocket, expect

from tests.e2e.axe import PHONE_SIZE, suits_everybody
from tests.e2e.line import Line
from tests.e2e.marks import BROWSER
from tests.e2e.pages import EditorPage
from tests.e2e.person import NETWORK, Meeting, people_at
from tests.e2e.site import Site

pytestmark = BROWSER

PORTAL = {
    "a page": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 23\r\nConnection: close\r\n\r\n"
    b"<!doctype html>Sign in!",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n",
}
ABOUT_THE_PORTAL = r"CORS policy|MIME type|Content Security Policy|Refused to|violates|portal\.example"


async def test_a_document_opens_where_websockets_are_swallowed(meet: Meeting, shared_site: Site, line: Line) -> None:
    """The first page finds it out, the next one knows it, and a network without that fault gets a WebSocket again."""
    line.swallows_upgrades = True
    document_id = await shared_site.new_document("Behind a firewall")
    person = await meet("Alice", at=line.url)
    person.expects(NETWORK)
    bob = await (await meet("Bob")).opens(document_id)
    alice = await person.opens(document_id)
    await alice.goes_to_start()
    await alice.types("from Alice")
    await bob.sees("from Alice")
    await alice.shows("Saved")

    knocks: list[str] = []
    alice.page.on("request", lambda request: knocks.append(request.url))
    alice.page.on("websocket", lambda socket: knocks.append(socket.url))
    await alice.reloads()
    await alice.shows("Saved")
    first = next(url for url in knocks if "/socket.io/" in url)
    assert "transport=polling" in first

    line.mend()
    sent: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: sent.append(str(frame)))

    alice.page.on("websocket", listen)
    async with alice.page.expect_websocket(lambda socket: "sid=" in socket.url):
        await alice.reloads()
    await alice.goes_to_end()
    await alice.types(" and again")
    await bob.sees("from Alice and again")
    await alice.shows("Saved")


@pytest.mark.seated
@pytest.mark.parametrize("answer", PORTAL.values(), ids=PORTAL)
async def test_a_captive_portal_is_no_server(meet: Meeting, shared_site: Site, line: Line, answer: bytes) -> None:
    """One writes on, the list shows what is on this device, and behind the portal everything is sent."""
    document_id = await shared_site.new_document("In the hotel")
    person = await meet("Alice", at=line.url)
    person.expects(NETWORK, ABOUT_THE_PORTAL)
    alice = await person.opens(document_id)
    await alice.goes_to_start()
    await alice.types("before")
    await alice.shows("Saved")
    await alice.can_be_reopened_offline()

    line.capture(answer)
    await alice.shows("Offline")
    await alice.types(" and behind the portal")
    await alice.shows("Offline – kept on this device")
    await alice.reloads()
    await alice.sees("before and behind the portal")
    documents = (await person.opens_documents()).page
    await expect(documents.get_by_text("These documents were opened on this device")).to_be_visible()
    await expect(documents.get_by_role("link", name="In the hotel")).to_be_visible()

    line.mend()
    await alice.shows("Saved")
    bob = await (await meet("Bob")).opens(document_id)
    await bob.sees("before and behind the portal")


@pytest.mark.seated
async def test_a_portals_page_is_not_kept_as_a_picture(meet: Meeting, shared_site: Site, line: Line) -> None:
    person = await meet("Alice", at=line.url)
    person.expects(NETWORK, ABOUT_THE_PORTAL)
    alice = await person.opens(await shared_site.new_document())
    await alice.can_be_reopened_offline()
    line.capture(PORTAL["a page"])
    address = f"/api/documents/{'a' * 22}/attachments/{'0' * 64}"
    body = await alice.page.evaluate("(address) => fetch(address).then((answer) => answer.text())", address)
    assert "Sign in!" in body
    kept = "async () => (await (await caches.open('attachments')).keys()).map((request) => request.url)"
    assert await alice.page.evaluate(kept) == []
    line.mend()


async def test_a_page_whose_origin_is_refused_says_which_setting_is_missing(
    meet: Meeting, shared_site: Site, line: Line
) -> None:
    line.changes_host = True
    person = await meet("Alice", at=line.url)
    person.expects(NETWORK, "status of 403")
    page = await person.visits(f"/d/{await shared_site.new_document()}")
    await expect(page.get_by_role("heading", name="The server does not let this page in")).to_be_visible()
    await expect(page.get_by_text("MANYHANDS_ALLOWED_ORIGINS")).to_be_visible()
    line.mend()
    await expect(page.get_by_role("textbox", name="Document", exact=True)).to_be_visible()


class Released(Site):
    """A site whose pages can be replaced by those of a new release."""

    def __init__(self, data_dir: Path, pages: Path, mine: Path) -> None:
        self.pages = shutil.copytree(pages, mine)
        super().__init__(data_dir, self.pages)

    async def release(self) -> None:
        """Restart with a build in which all code has other names, as when what all of it loads has changed.

        A browser keeps code by its name for good: code that names other code than before needs another name itself.
        """
        await self.stop()
        for packed in [*self.pages.rglob("*.br"), *self.pages.rglob("*.gz")]:
            packed.unlink()
        code = list((self.pages / "assets").glob("*.js"))
        for old in code:
            old.rename(old.with_name(f"newer-{old.name}"))
        for path in self.pages.rglob("*"):
            if path.suffix in (".js", ".html"):
                words = path.read_text()
                for old in code:
                    words = words.replace(old.name, f"newer-{old.name}")
                path.write_text(words)
        await self.start()


@pytest_asyncio.fixture(loop_scope="session")
async def released(tmp_path: Path, built_pages: Path) -> AsyncIterator[Released]:
    async with Released(tmp_path / "data", built_pages, tmp_path / "pages") as site:
        yield site


@pytest_asyncio.fixture(loop_scope="session")
async def meet_at_released(chromium: Browser, released: Released) -> AsyncIterator[Meeting]:
    async with people_at(chromium, released.url) as meeting:
        yield meeting


async def list_is_shown(page: Page) -> None:
    await expect(page.get_by_role("heading", name="Documents", level=1)).to_be_visible()


async def covers_no_button_of_a_dialog(message: str, editor: EditorPage) -> None:
    """Look whether a message stands above the buttons at the foot of a dialog, on a phone."""
    size = editor.page.viewport_size
    assert size is not None
    await editor.page.set_viewport_size(PHONE_SIZE)
    sharing = await editor.shares()
    shown = await editor.page.get_by_text(message, exact=True).bounding_box()
    button = await sharing.dialog.get_by_role("button", name="Done").bounding_box()
    assert shown is not None
    assert button is not None
    assert shown["y"] + shown["height"] < button["y"]
    await sharing.closes()
    await editor.page.set_viewport_size(size)


async def test_a_new_release_is_offered_to_a_tab_that_is_open(meet_at_released: Meeting, released: Released) -> None:
    """The tab writes on with the old one, and loses nothing by the change."""
    person = await meet_at_released("Alice")
    person.expects(NETWORK)
    alice = await person.opens(await released.new_document())
    await alice.can_be_reopened_offline()
    await released.release()
    await alice.goes_to_start()
    await alice.types("under the old one")
    await alice.shows("Saved")
    reload = alice.page.get_by_role("button", name="Reload", exact=True)
    await expect(reload).to_be_visible()
    await suits_everybody(alice.page, "a newer version's offer")
    await covers_no_button_of_a_dialog("A new version is ready.", alice)
    async with alice.page.expect_event("framenavigated"):
        await reload.click()
    await alice.sees("under the old one")
    await alice.is_ready()
    [list_code] = released.pages.glob("assets/newer-DocumentsPage-*.js")
    await alice.page.wait_for_function("async (name) => (await fetch(`/assets/${name}`)).ok", arg=list_code.name)
    await alice.page.goto(released.url)
    await list_is_shown(alice.page)


async def test_a_tab_whose_code_is_gone_says_so(meet_at_released: Meeting, released: Released) -> None:
    """As in a browser without service workers, or in a tab of which another one has taken the old code away."""
    person = await meet_at_released("Alice")
    await person.context.add_init_script("delete Navigator.prototype.serviceWorker")
    person.expects(NETWORK, "status of 404", "code could not be loaded")
    alice = await person.opens(await released.new_document())
    await alice.goes_to_start()
    await alice.types("written before")
    await alice.shows("Saved")
    await released.release()
    await alice.page.get_by_role("link", name="All documents").first.click()
    await expect(alice.page.get_by_role("heading", name="This page could not be loaded")).to_be_visible()
    await suits_everybody(alice.page, "a page whose code is gone")
    await alice.page.get_by_role("button", name="Reload", exact=True).click()
    await list_is_shown(alice.page)


WORDS_KEPT = "async () => (await (await caches.open('words')).keys()).map(({ url }) => url.split('/').at(-1))"


async def test_the_words_of_the_language_in_use_come_along_with_a_release(
    meet_at_released: Meeting, released: Released
) -> None:
    """They speak offline from the first visit on; nobody keeps another language's words."""
    english, german = await meet_at_released("Alice"), await meet_at_released("Bert", locale="de-DE")
    english.expects(NETWORK)
    german.expects(NETWORK)
    theirs = await english.opens(await released.new_document())
    await theirs.can_be_reopened_offline()
    page = await german.visits("/")
    await page.wait_for_function(f"() => ({WORDS_KEPT})().then((names) => names.length === 1)")
    await EditorPage("Bert", page).can_be_reopened_offline()
    await released.release()
    await page.evaluate("navigator.serviceWorker.ready.then((registered) => registered.update()).then(() => true)")
    async with page.expect_navigation():  # a reload during the page's own would be given up
        await page.get_by_role("button", name="Neu laden", exact=True).click()
    [newer] = released.pages.glob("assets/newer-words-de-*.js")
    await page.wait_for_function(f"(name) => ({WORDS_KEPT})().then((names) => String(names) === name)", arg=newer.name)
    await expect(page.get_by_role("heading", name="Dokumente", level=1)).to_be_visible()
    await released.kill()
    await page.reload()
    await expect(page.get_by_role("heading", name="Dokumente", level=1)).to_be_visible()
    assert await theirs.page.evaluate(WORDS_KEPT) == []
