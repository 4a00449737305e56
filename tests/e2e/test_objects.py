"""Pictures, tables and code under the pointer and the keys, with a colleague in the same document."""

import io

from PIL import Image
from playwright.async_api import FilePayload, Locator, expect

from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage, agree
from tests.e2e.person import Meeting
from tests.e2e.site import Site

pytestmark = SEATED


def picture() -> FilePayload:
    """Make a picture that is wider than the sheet."""
    bytes_of = io.BytesIO()
    Image.new("RGB", (1200, 400), "#1d4ed8").save(bytes_of, "PNG")
    return FilePayload(name="flag.png", mimeType="image/png", buffer=bytes_of.getvalue())


async def drags(handle: Locator, by: int) -> None:
    """Take a handle by its middle, and let go of it so many pixels to the right."""
    box = await handle.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = handle.page.mouse
    await mouse.move(x, y)
    await mouse.down()
    await mouse.move(x + by, y, steps=3)
    await mouse.up()


async def inserts_a_picture(editor: EditorPage) -> None:
    async with editor.page.expect_file_chooser() as chooser:
        await editor.uses("Insert an image")
    await (await chooser.value).set_files(picture())


async def test_a_picture_is_sized_and_described_while_somebody_types(meet: Meeting, shared_site: Site) -> None:
    document_id = await shared_site.new_document()
    alice = await (await meet("Alice")).opens(document_id)
    bob = await (await meet("Bob")).opens(document_id)
    await alice.goes_to_start()
    await alice.types("under")
    await alice.goes_to_start()
    await inserts_a_picture(alice)
    shown = bob.sheet.get_by_role("img")
    await expect(shown).to_have_attribute("width", "1200")
    await bob.goes_after("under")

    await alice.page.get_by_role("button", name="Describe", exact=True).click()
    await alice.page.get_by_role("textbox", name="Description").fill("A flag")
    await alice.page.get_by_role("button", name="Save", exact=True).click()
    await expect(shown).to_have_attribute("alt", "A flag")

    size = alice.page.get_by_role("slider", name="Width of the picture")
    sheet = int(await size.get_attribute("aria-valuemax") or "0")
    await size.press("End")
    await expect(shown).to_have_attribute("width", str(sheet))
    await size.press("Shift+ArrowLeft")
    await expect(shown).to_have_attribute("width", str(sheet - 50))
    await drags(size, -200)
    await expect(shown).to_have_attribute("width", str(sheet - 250))
    await expect(shown).to_have_attribute("height", str(round((sheet - 250) / 3)))
    await alice.page.get_by_role("toolbar", name="Picture").get_by_role("button", name="Caption").click()
    await alice.page.keyboard.type("Ours")
    await alice.page.keyboard.press("Enter")
    await expect(bob.sheet.get_by_role("textbox", name="Caption of the picture")).to_have_value("Ours")
    await bob.types(" it all")
    await alice.sees("under it all")
    await agree(alice, bob)


async def test_tables_and_code_have_their_tools_at_a_key_and_let_one_out(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice")).opens(await shared_site.new_document())
    page = alice.page
    await alice.goes_to_start()
    table = "<table><tr><th>n</th></tr><tr><td>10</td></tr><tr><td>9</td></tr></table>"
    await alice.pastes("text/html", f"{table}<pre><code>return 1</code></pre>")
    await alice.goes_after("10")
    await expect(page.get_by_role("toolbar", name="Table")).to_be_visible()
    await alice.press("Alt+F10", "ArrowRight", "Enter")
    await page.get_by_role("menuitem", name="Sort A to Z").press("Enter")
    await expect(alice.sheet.locator("tr")).to_have_text(["n", "9", "10"])

    await alice.goes_after("return 1")
    await page.get_by_role("combobox", name="Language of the code").select_option("JavaScript")
    await page.wait_for_function("() => String([...(CSS.highlights.get('code-keyword') ?? [])]) === 'return'")
    await alice.press("Tab")
    assert await alice.sheet.locator("pre").inner_text() == "return 1  "
    await alice.press("Escape", "Tab")
    await expect(alice.sheet).not_to_be_focused()
