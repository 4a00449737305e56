"""What is inserted by keys and by the handle beside a block, while somebody else writes in the same text."""

from playwright.async_api import FloatRect, Locator, expect

from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage
from tests.e2e.person import Meeting
from tests.e2e.site import Site

pytestmark = SEATED


async def inserts(editor: EditorPage, words: str, choice: str) -> None:
    """Type "/" and words, and choose what is found by Enter."""
    await editor.types(f"/{words}")
    await expect(editor.page.get_by_role("option", name=choice, exact=True)).to_have_attribute("aria-selected", "true")
    await editor.press("Enter")
    await expect(editor.page.get_by_role("listbox")).to_have_count(0)


async def drags(editor: EditorPage, words: str, before: str) -> None:
    """Drag a block by the handle beside it, as a mouse does, to the upper edge of another one."""
    mouse = editor.page.mouse
    await editor.sheet.get_by_text(words).hover()
    grip = await _box(editor.page.get_by_role("button", name="Move this block"))
    target = await _box(editor.sheet.get_by_text(before))
    await mouse.move(grip["x"] + 8, grip["y"] + 8)
    await mouse.down()
    await mouse.move(grip["x"] + 14, grip["y"] + 4)
    await mouse.move(target["x"] + 8, target["y"] + 3, steps=4)
    await mouse.up()


async def _box(of: Locator) -> FloatRect:
    await expect(of).to_be_visible()
    box = await of.bounding_box()
    assert box is not None
    return box


async def test_blocks_are_inserted_and_moved_beside_somebody_who_writes(meet: Meeting, shared_site: Site) -> None:
    document_id = await shared_site.new_document()
    alice = await (await meet("Alice")).opens(document_id)
    await alice.goes_to_start()
    await alice.types("first", "second", "")
    await inserts(alice, "fold", "Collapsible section")
    await alice.types("more", "hidden words")
    await alice.press("Enter", "Enter")
    await inserts(alice, "caution", "Warning")
    await alice.types("careful, ")
    await alice.types("@today")
    await expect(alice.page.get_by_role("option", selected=True)).to_contain_text("Today")
    await alice.press("Escape")
    await alice.types(" is text")

    # A collapsible is closed for who comes, and opened by each for themselves.
    bob = await (await meet("Bob")).opens(document_id)
    await expect(bob.sheet.get_by_role("note", name="Warning")).to_have_text("careful, @today is text")
    await expect(bob.sheet.get_by_text("hidden words")).to_be_hidden()
    await bob.sheet.get_by_role("button", name="more").click()
    await expect(bob.sheet.get_by_text("hidden words")).to_be_visible()

    await bob.goes_after("second")
    await drags(alice, "second", before="first")
    await expect(alice.sheet.locator("p").first).to_have_text("second")
    await bob.sees("second")
    await expect(bob.sheet.locator("p").first).to_have_text("second")
    await bob.types(", too")
    await expect(alice.sheet.locator("p").first).to_have_text("second, too")
    await alice.goes_after("first")
    await alice.press("Alt+ArrowUp")
    await expect(bob.sheet.locator("p").first).to_have_text("first")
    await expect(alice.sheet.get_by_text("hidden words")).to_be_visible()
