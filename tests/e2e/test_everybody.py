"""Every view in every state, for people who hear it, press keys, see little, or read it on paper."""

import io
import re
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Locator, Page, expect

from tests.e2e.axe import Inspection
from tests.e2e.marks import BROWSER
from tests.e2e.pages import DocumentsPage, EditorPage
from tests.e2e.person import NETWORK, Meeting
from tests.e2e.site import Site
from tests.e2e.test_objects import inserts_a_picture
from tests.e2e.test_page_states import PHONE

pytestmark = BROWSER

# Without motion nothing is half transparent when it is looked at.
DESKTOP: dict[str, Any] = {"reduced_motion": "reduce"}
DEVICES = {"desktop": DESKTOP, "phone": {**PHONE, **DESKTOP}}

TEXT = """<h1>Everything</h1><p>Plain words, <strong>strong</strong> and <code>code</code>,
<a href="https://example.org/">a link</a>, <mark style="background-color: #fff3a3">marked</mark> and
<span style="color: #c0262d">red</span>.</p><h2>Lists</h2>
<ul data-type="taskList"><li data-type="taskItem" data-checked="true"><p>Done</p></li>
<li data-type="taskItem" data-checked="false"><p>Open</p></li></ul>
<blockquote><p>A quote</p></blockquote>
<div data-type="callout" data-kind="warning"><p>Careful</p></div>
<div data-type="details"><summary>More</summary><div data-type="detailsContent"><p>Hidden</p></div></div>
<div data-type="pageBreak"></div>
<table><tr><th><p>Bed</p></th><th><p>Sown</p></th></tr><tr><td><p>Beans</p></td><td><p>May</p></td></tr></table>
<pre><code class="language-javascript">return 1; // one</code></pre><hr><p>The end</p>"""


async def _closes(page: Page) -> None:
    """Press Escape until no menu and no dialog is open; the focus is in a control or in the text then."""
    layers = page.locator("[role=menu], [role=dialog]")
    while (open_before := await layers.count()) > 0:
        await page.keyboard.press("Escape")
        await expect(layers).not_to_have_count(open_before)
    await expect(page.locator(":focus")).to_have_count(1)


async def _inspects(
    page: Page, seen: Inspection, state: str, opener: str | re.Pattern[str], kind: Any = "dialog"
) -> None:
    """Look at what a button opens, and close it."""
    await page.get_by_role("button", name=opener, exact=True).first.click()
    await expect(page.get_by_role(kind).first).to_be_visible()
    await seen.look(page, state)
    await _closes(page)


@pytest.mark.parametrize("device", DEVICES)
async def test_the_list_in_every_state(meet_at_empty: Meeting, empty_site: Site, device: str) -> None:
    seen = Inspection()
    person = await meet_at_empty("Alice", **DEVICES[device])
    person.expects("status of 404", NETWORK)
    page = (documents := await person.opens_documents()).page
    await expect(page.get_by_role("heading", name="Write something together")).to_be_visible()
    await seen.look(page, "the empty list")
    await _walks_a_list(documents, empty_site, seen)
    await documents.goes_to("Starred")
    await seen.look(page, "the starred")
    await documents.goes_to("Trash")
    await expect(documents.document("Pears")).to_be_visible()
    await seen.look(page, "the trash")
    await _inspects(page, seen, "the question before deleting", "Delete Pears for ever")
    await page.goto(f"{empty_site.url}/nowhere")
    await expect(page.get_by_role("heading", name="There is nothing at this address")).to_be_visible()
    await seen.look(page, "an address of nothing")
    await page.goto(f"{empty_site.url}/d/there-is-no-such-document")
    await expect(page.get_by_role("button", name="Ask for access")).to_be_visible()
    await seen.look(page, "a document of nobody")
    seen.finds_nothing()


async def _walks_a_list(documents: DocumentsPage, site: Site, seen: Inspection) -> None:
    page = documents.page
    for title in ("Apples", "Pears"):
        await site.new_document(title)
    await page.reload()
    await expect(documents.document("Apples")).to_be_visible()
    await page.get_by_role("button", name="Star Apples").click()
    await seen.look(page, "the list")
    await _inspects(page, seen, "the templates", "Templates", "menu")
    await _inspects(page, seen, "the filter", re.compile("^Filter: "), "menu")
    await _inspects(page, seen, "the labels", re.compile("^Label: "), "menu")
    await _inspects(page, seen, "the order", re.compile("^Sort: "), "menu")
    await _inspects(page, seen, "a row's menu", "More about Apples", "menu")
    await documents.does("Labels…", "Apples")
    await page.get_by_role("textbox", name="New label").fill("Autumn")
    await page.get_by_role("button", name="Add").click()
    await seen.look(page, "the dialog of labels")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("list", name="Labels of Apples")).to_be_visible()
    await documents.does("Rename", "Pears")
    await seen.look(page, "a title's field")
    await page.keyboard.press("Escape")
    await page.get_by_role("checkbox", name="Select Apples").check()
    await seen.look(page, "a selection")
    await page.get_by_role("button", name="Select none").click()
    await documents.search.fill("nothing like it")
    await expect(page.get_by_role("heading", name="No results")).to_be_visible()
    await seen.look(page, "no results")
    await documents.search.fill("")
    await documents.does("Move to the trash", "Pears")
    await documents.is_told("Pears")
    await seen.look(page, "a toast")


@pytest.mark.parametrize("device", DEVICES)
async def test_a_document_in_every_state(meet: Meeting, shared_site: Site, device: str) -> None:
    seen = Inspection()
    person = await meet("Alice", **DEVICES[device])
    alice = await (await person.opens_documents()).makes_document()
    page = alice.page
    await seen.look(page, "an empty document")
    await alice.goes_to_start()
    await alice.pastes("text/html", TEXT)
    await alice.shows("Saved")
    await alice.goes_to_end()
    await seen.look(page, "a document")
    for walks in (
        _walks_panels,
        _walks_tools,
        _walks_menus_in_the_text,
        _walks_objects,
        _walks_a_formula_and_a_picture,
    ):
        await walks(alice, seen, device == "desktop")
    seen.finds_nothing()


async def _walks_panels(alice: EditorPage, seen: Inspection, is_wide: bool) -> None:
    page = alice.page
    if not is_wide:
        await page.get_by_role("button", name="Show the outline").click()
        await seen.look(page, "the outline")
        await page.get_by_role("button", name="Hide the outline").click()
    await page.get_by_role("button", name="More about this document").click()
    await page.get_by_role("menuitem", name="Theme").click()
    await expect(page.get_by_role("menuitemradio", name="Light")).to_be_visible()
    await seen.look(page, "the document's menu")
    await _closes(page)
    await _inspects(page, seen, "the status", re.compile("Details$"))
    await _inspects(page, seen, "one's own avatar", re.compile("^You are "))
    await _inspects(page, seen, "the length", re.compile("^[0-9]+ words"))
    await page.keyboard.press("Control+/")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await seen.look(page, "the shortcuts")
    await _closes(page)
    await alice.shares()
    await seen.look(page, "the share dialog")
    await page.get_by_role("button", name=re.compile("^Link: ")).click()
    await seen.look(page, "the link's choices")
    await _closes(page)
    await page.get_by_role("button", name="Find and replace").click()
    await page.get_by_role("search").get_by_label("Find", exact=True).fill("words")
    await page.get_by_role("button", name="Show replacing").click()
    await expect(page.get_by_role("search").get_by_text("1 of ").first).to_be_visible()
    await seen.look(page, "the search")
    await page.get_by_role("button", name="Close the search").click()


async def _walks_tools(alice: EditorPage, seen: Inspection, is_wide: bool) -> None:
    page = alice.page
    tools = (
        "Paragraph style",
        "Font, size and spacing",
        "Text colour",
        "Highlight",
        "Insert",
        "Insert a table",
        "This block",
    )
    for tool in tools:
        await alice.goes_after("The end")
        button = alice.toolbar.get_by_role("button", name=re.compile(f"^{tool}(: |$)"))
        if await button.count() == 0:
            await alice.toolbar.get_by_role("button", name="More formatting").click()
            button = page.get_by_role("toolbar", name="More formatting").get_by_role("button", name=tool, exact=True)
        await button.click()
        await expect(page.locator(".ui-menu, .ui-popover").last).to_be_visible()
        await seen.look(page, f"the tool “{tool}”")
        await _closes(page)


async def _walks_menus_in_the_text(alice: EditorPage, seen: Inspection, is_wide: bool) -> None:
    page = alice.page
    await alice.goes_to_end()
    for typed in ("/", "@", ":smile"):
        await alice.press("Enter")
        await alice.types(typed)
        await expect(page.get_by_role("listbox")).to_be_visible()
        await seen.look(page, f"the menu of “{typed}”")
        await alice.press("Escape", "Control+a", "ArrowRight")
    if is_wide:
        await alice.selects("Plain words")
        await expect(page.get_by_role("toolbar", name="Selected words")).to_be_visible()
        await seen.look(page, "the bubble")
        await alice.sheet.get_by_text("The end").hover()
        await page.get_by_role("button", name="Move this block").click()
        await seen.look(page, "a block's menu")
        await _closes(page)
    await alice.goes_after("a link")
    await alice.press("Home")
    await alice.sheet.get_by_role("link", name="a link").click()
    await expect(page.get_by_role("button", name="Edit the link")).to_be_visible()
    await seen.look(page, "a link's card")
    await page.get_by_role("button", name="Edit the link").click()
    await expect(
        page.get_by_role("combobox", name="Address").or_(page.get_by_role("textbox", name="Address"))
    ).to_be_visible()
    await seen.look(page, "a link's form")
    await page.keyboard.press("Escape")


async def _walks_objects(alice: EditorPage, seen: Inspection, is_wide: bool) -> None:
    page = alice.page
    await alice.goes_after("Beans")
    await expect(page.get_by_role("toolbar", name="Table")).to_be_visible()
    await seen.look(page, "a table's tools")
    for menu in ("Row", "Column", "Table"):
        await page.get_by_role("toolbar", name="Table").get_by_role("button", name=menu, exact=True).click()
        await seen.look(page, f"the table's menu “{menu}”")
        await _closes(page)
    await alice.goes_after("return 1; // one")
    await expect(page.get_by_role("combobox", name="Language of the code")).to_be_visible()
    await seen.look(page, "the tools of code")


async def _walks_a_formula_and_a_picture(alice: EditorPage, seen: Inspection, is_wide: bool) -> None:
    page = alice.page
    await alice.goes_after("The end")
    await alice.press("Enter")
    await alice.types("/formula")
    await expect(page.get_by_role("option").first).to_be_visible()
    await alice.press("Enter")
    await expect(page.get_by_role("group", name="Formula")).to_be_visible()
    done = page.get_by_role("group", name="Formula").get_by_role("button", name="Done")
    await expect(done).to_be_in_viewport(ratio=1)
    await seen.look(page, "a formula's form")
    await page.keyboard.type("x^2")
    await page.keyboard.press("Escape")
    await alice.goes_after("The end")
    await alice.press("Enter")
    await inserts_a_picture(alice)
    await alice.sheet.get_by_role("img").click()
    await expect(page.get_by_role("toolbar", name="Picture")).to_be_visible()
    await seen.look(page, "a picture's tools")
    await page.get_by_role("toolbar", name="Picture").get_by_role("button", name="Describe the picture").click()
    await expect(page.get_by_role("textbox", name="Description")).to_be_visible()
    await seen.look(page, "a picture's description")
    await _closes(page)
    await page.get_by_role("toolbar", name="Picture").get_by_role("button", name="Full size").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await seen.look(page, "a picture in full size")
    await _closes(page)


async def test_a_document_that_is_no_ordinary_one(meet_at_own: Meeting, own_site: Site) -> None:
    seen = Inspection()
    owner, visitor = (
        await meet_at_own("Alice", **DEVICES["desktop"]),
        await meet_at_own("Guest Heron", **DEVICES["phone"]),
    )
    owner.expects(NETWORK)
    visitor.expects(NETWORK)
    alice = await (await owner.opens_documents()).makes_document()
    await alice.goes_to_start()
    await alice.types("for all")
    await alice.shows("Saved")
    bob = await visitor.opens(alice.document_id)
    await expect(bob.page.get_by_role("region", name="Your name")).to_be_visible()
    await seen.look(bob.page, "the question for one's name")
    await bob.page.get_by_role("button", name="Use this name").click()
    await bob.page.get_by_role("button", name="Follow Alice").click()
    await seen.look(bob.page, "following somebody")
    sharing = await alice.shares()
    await sharing.shows_guests()
    await seen.look(alice.page, "the guests")
    await sharing.opens_link_for("Viewer")
    await bob.may("View only")
    await seen.look(bob.page, "a reader's document")
    await sharing.opens_link_for("Commenter")
    await bob.may("suggest")
    await seen.look(bob.page, "a commenter's document")
    await sharing.closes()
    await _walks_what_happens_to_a_document(alice.page, bob.page, own_site, seen)
    seen.finds_nothing()


async def _walks_what_happens_to_a_document(page: Page, other: Page, site: Site, seen: Inspection) -> None:
    await site.kill()
    status = page.get_by_role("button", name="Offline. Details")
    await expect(status).to_be_visible()
    await seen.look(page, "an offline document")
    await site.start()
    await expect(status).to_have_count(0)
    await page.get_by_role("button", name="More about this document").click()
    await page.get_by_role("menuitem", name="Move to the trash").click()
    await expect(other.get_by_text("This document is in the trash.")).to_be_visible()
    await seen.look(other, "a document in the trash")
    await page.get_by_role("navigation", name="Lists").get_by_role("link", name="Trash").click()
    await page.get_by_role("button", name=re.compile("for ever$")).first.click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete for ever").click()
    await expect(other.get_by_text("This document was closed:")).to_be_visible()
    await seen.look(other, "a document that was closed")


OUTLINE = """(element) => {
    const { borderTopWidth, borderTopColor, outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
    return [borderTopWidth, borderTopColor, outlineStyle, outlineWidth, outlineColor].join(" ");
}"""


async def _edges(*elements: Locator) -> list[str]:
    """What is seen of each without any background."""
    return [await element.evaluate(OUTLINE) for element in elements]


async def test_forced_colours_show_by_edges_what_backgrounds_say(meet: Meeting) -> None:
    person = await meet("Alice", forced_colors="active")
    documents = await person.opens_documents()
    page = documents.page
    lists = page.get_by_role("navigation", name="Lists").get_by_role("link")
    current, other = await lists.nth(0).evaluate(BOTTOM), await lists.nth(1).evaluate(BOTTOM)
    assert current != other

    alice = await documents.makes_document()
    await alice.goes_to_start()
    await alice.pastes("text/html", TEXT)
    await alice.goes_after("and red.")
    await alice.uses("Bold")
    bold, italic = (alice.toolbar.get_by_role("button", name=name, exact=True) for name in ("Bold", "Italic"))
    await expect(bold).to_have_attribute("aria-pressed", "true")
    pressed, unpressed = await _edges(bold, italic)
    assert pressed != unpressed
    headings = page.get_by_role("navigation", name="Outline").get_by_role("button", name=re.compile("Everything|Lists"))
    read, unread = await _edges(headings.nth(0), headings.nth(1))
    assert read != unread

    await _code_does_not_look_selected(alice)

    await page.get_by_role("button", name="More about this document").click()
    items = page.get_by_role("menuitem")
    await page.keyboard.press("ArrowDown")
    chosen, unchosen = await _edges(items.nth(0), items.nth(1))
    assert chosen != unchosen
    framed = (page.get_by_role("menu"), alice.sheet.locator("pre"), alice.sheet.get_by_role("note"))
    for edge in await _edges(*framed):
        assert not edge.startswith("0px"), edge


async def _code_does_not_look_selected(alice: EditorPage) -> None:
    """Browsers draw highlights as selected words in forced colours; nothing but black on white may be seen."""
    await alice.page.wait_for_function("() => CSS.highlights.get('code-keyword')?.size === 1")
    shown = Image.open(io.BytesIO(await alice.sheet.locator("pre").screenshot())).convert("RGB").tobytes()
    assert shown[0::3] == shown[1::3] == shown[2::3], "there is a colour among the greys"


BOTTOM = "(element) => getComputedStyle(element).borderBottomColor"


async def test_a_printed_document_has_lines_a_title_and_numbers_and_nothing_of_the_page(meet: Meeting) -> None:
    alice = await (await (await meet("Alice")).opens_documents()).makes_document()
    page = alice.page
    await alice.goes_to_start()
    await alice.pastes("text/html", TEXT)
    await alice.title.fill('Say "Yes"')
    await alice.press("Enter")
    await alice.shows("Saved")
    paper = await page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 2, "the page break is kept"

    await page.emulate_media(media="print")
    printed = await page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--printed-title')")
    assert printed == '"Say \\"Yes\\""'
    await expect(alice.sheet.get_by_text("Hidden")).to_be_visible()
    for line in ("pre", "hr", "td", "th", "blockquote", "[data-type=callout]"):
        style = await alice.sheet.locator(line).first.evaluate(
            "(element) => { const style = getComputedStyle(element); return style.borderTopWidth + style.borderLeftWidth; }"
        )
        assert style != "0px0px", line
    shown = await page.evaluate(
        """() => [...document.body.querySelectorAll("button, [role=toolbar], header, nav, input:not([type=checkbox])")]
            .filter((element) => element.checkVisibility())
            .map((element) => element.outerHTML.slice(0, 100))"""
    )
    assert shown == []
