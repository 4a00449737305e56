"""Pages that are no ordinary document, and ordinary ones on other devices: each says what it is and works."""

import re

import pytest
from playwright.async_api import Locator, expect

from tests.e2e.axe import suits_everybody
from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage
from tests.e2e.person import NETWORK, Meeting
from tests.e2e.site import Site

pytestmark = SEATED

BRIGHTNESS = """(selector) => {
    const [red, green, blue] = getComputedStyle(document.querySelector(selector)).backgroundColor.match(/[\\d.]+/g);
    return (Number(red) + Number(green) + Number(blue)) / 3;
}"""

PHONE = {"viewport": {"width": 390, "height": 780}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}


async def test_an_address_that_leads_nowhere(meet: Meeting, subtests: pytest.Subtests) -> None:
    person = await meet("Alice")
    person.expects("status of 404")
    page = await person.visits("/")
    for path in ("/d/there-is-no-such-document", "/d/short", "/nowhere"):
        with subtests.test(path):
            await page.goto(person.url + path)
            await expect(page.get_by_role("heading", name="There is nothing at this address")).to_be_visible()
            await page.get_by_role("link", name="Go to the documents").click()
            await expect(page.get_by_role("heading", name="Documents", level=1)).to_be_visible()


async def test_a_first_visit_while_the_server_is_down(meet_at_own: Meeting, own_site: Site) -> None:
    """The application is at hand from an earlier visit, the document is not."""
    person = await meet_at_own("Alice")
    person.expects(NETWORK)
    visited = await person.opens(await own_site.new_document())
    await visited.can_be_reopened_offline()
    unread = await own_site.new_document("Not read yet")
    await own_site.kill()

    page = await person.visits(f"/d/{unread}")
    await expect(page.get_by_role("heading", name="You are offline, and this device has no copy yet")).to_be_visible()
    await suits_everybody(page, "an offline document without a copy")
    await page.get_by_role("button", name="Try again").click()
    await own_site.start()
    editor = EditorPage("Alice", page)
    await editor.is_ready()
    await expect(editor.title).to_have_value("Not read yet")


async def test_a_page_that_breaks_says_so_and_lets_its_words_out(meet: Meeting, shared_site: Site) -> None:
    """Code that was damaged on its way: a module without what it should export."""
    person = await meet("Alice", anew=True)
    await person.context.add_init_script("delete Navigator.prototype.serviceWorker")
    person.expects("Minified React error", "#306")
    alice = await person.opens(await shared_site.new_document("Whole"))
    await alice.goes_to_start()
    await alice.types("still whole")
    await alice.shows("Saved")
    await person.context.route(
        re.compile("/assets/(FindPanel|DocumentsPage)-[^/]*[.]js"),
        lambda route: route.fulfill(content_type="text/javascript", body="export {};"),
    )
    await alice.press("Control+f")
    await expect(alice.page.get_by_role("heading", name="The editor has stopped working")).to_be_visible()
    await suits_everybody(alice.page, "an editor that broke")
    async with alice.page.expect_download() as download:
        await alice.page.get_by_role("button", name="Download a copy").click()
    assert "still whole" in (await (await download.value).path()).read_text()

    page = await person.visits("/")
    await expect(page.get_by_role("heading", name="This page has stopped working")).to_be_visible()
    await suits_everybody(page, "a page that broke")


async def test_a_document_in_the_trash_is_read_not_written(meet: Meeting, shared_site: Site) -> None:
    document_id = await shared_site.new_document("Thrown away")
    person = await meet("Alice")
    alice = await person.opens(document_id)
    await alice.goes_to_start()
    await alice.types("still legible")
    await alice.shows("Saved")
    await alice.page.close()
    await shared_site.trash(document_id)

    page = await person.visits(f"/d/{document_id}")
    await expect(page.get_by_text("This document is in the trash.")).to_be_visible()
    sheet = page.get_by_role("textbox", name="Document, read-only")
    await expect(sheet).to_have_text("still legible")
    await expect(page.get_by_role("toolbar", name="Formatting")).to_have_count(0)
    await expect(page.get_by_role("textbox", name="Title of the document")).not_to_be_editable()
    await suits_everybody(page, "a document in the trash")


async def test_every_tool_can_be_reached_on_a_phone(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice", **PHONE)).opens(await shared_site.new_document("Pocket"))
    await alice.sheet.tap()
    await alice.types("small")
    await alice.selects("small")
    await alice.toolbar.get_by_role("button", name="Bold", exact=True).tap()
    await expect(alice.sheet.get_by_role("strong")).to_have_text("small")
    last = alice.toolbar.get_by_role("button", name="Clear formatting")
    await last.tap()
    await expect(alice.sheet.get_by_role("strong")).to_have_count(0)
    await expect(last).to_be_in_viewport()
    assert await alice.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await alice.shows("Saved")


async def test_the_documents_page_fits_a_phone(meet: Meeting, shared_site: Site) -> None:
    title = "A title that is rather longer than the screen of a telephone is wide, which titles may well be"
    await shared_site.new_document(title)
    documents = await (await meet("Alice", **PHONE)).opens_documents()
    await expect(documents.page.get_by_role("button", name="New document")).to_be_in_viewport()
    await expect(documents.document(title)).to_be_visible()
    assert await documents.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_theme_follows_the_system_until_one_is_chosen(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice", anew=True, color_scheme="dark")).opens(await shared_site.new_document())
    assert await alice.page.evaluate(BRIGHTNESS, ".page-sheet") < 80
    await alice.page.get_by_role("button", name="More about this document").click()
    theme = alice.page.get_by_role("menuitem", name="Theme")
    light = alice.page.get_by_role("menuitemradio", name="Light")
    await theme.click()
    await light.hover()
    await alice.page.get_by_role("menuitem", name="Make a copy").hover()
    await light.wait_for(state="detached")
    await theme.hover()
    await light.click()
    await alice.page.wait_for_function(f"() => ({BRIGHTNESS})('.page-sheet') > 200")
    await alice.reloads()
    assert await alice.page.evaluate(BRIGHTNESS, ".page-sheet") > 200


async def test_a_finger_that_rests_beside_words_opens_the_menu_of_their_block(meet: Meeting, shared_site: Site) -> None:
    person = await meet("Alice", **PHONE)
    alice = await person.opens(await shared_site.new_document("On the way"))
    await alice.goes_to_start()
    await alice.types("First", "Second")
    second = alice.sheet.get_by_text("Second")
    box = await second.bounding_box()
    assert box is not None
    finger = await person.context.new_cdp_session(alice.page)

    async def presses(x: float, *, until: Locator) -> None:
        point = {"x": x, "y": box["y"] + box["height"] / 2}
        await finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
        await expect(until).to_be_attached()
        await finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    menu = alice.page.get_by_role("menu")
    await presses(box["x"] + box["width"] - 20, until=menu)
    await expect(menu).to_be_visible()
    await alice.page.get_by_role("menuitem", name="Move up").tap()
    await expect(menu).to_have_count(0)
    await expect(alice.sheet.locator("p")).to_have_text(["Second", "First"])


PREVENTED = """(kinds) => {
    window.prevented = [];
    const note = (event) => { if (event.defaultPrevented) window.prevented.push(event.type); };
    for (const kind of kinds) window.addEventListener(kind, note);
}"""


async def test_a_finger_that_rests_on_a_word_is_left_to_the_system(meet: Meeting, shared_site: Site) -> None:
    """The page opens nothing, and prevents nothing by which a system selects the word."""
    person = await meet("Alice", **PHONE)
    alice = await person.opens(await shared_site.new_document("On the way"))
    await alice.goes_to_start()
    await alice.types("Unmistakable")
    kinds = ["touchstart", "touchend", "contextmenu", "selectstart", "pointerdown", "mousedown"]
    await alice.page.evaluate(PREVENTED, kinds)
    box = await alice.sheet.get_by_text("Unmistakable").bounding_box()
    assert box is not None
    finger = await person.context.new_cdp_session(alice.page)
    y = box["y"] + box["height"] / 2
    rest = {"y": y, "duration": 1000, "gestureSourceType": "touch"}
    await finger.send("Input.synthesizeTapGesture", {"x": box["x"] + 20, **rest})
    await expect(alice.page.get_by_role("menu")).to_have_count(0)
    assert await alice.page.evaluate("window.prevented") == []
    await finger.send("Input.synthesizeTapGesture", {"x": box["x"] + box["width"] - 20, **rest})
    await expect(alice.page.get_by_role("menu")).to_be_visible()
    assert await alice.page.evaluate("window.prevented") == ["touchend"]
    assert await alice.page.evaluate("getSelection().toString()") == ""
