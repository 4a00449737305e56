"""A table is given its shape by the menus beside it, wherever on the sheet it stands."""

from playwright.async_api import expect

from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage, agree
from tests.e2e.person import Meeting
from tests.e2e.site import Site

pytestmark = SEATED


async def shape(editor: EditorPage) -> list[int]:
    """How many cells each row has."""
    cells: list[int] = await editor.sheet.evaluate(
        "(sheet) => [...sheet.querySelectorAll('tr')].map((row) => row.cells.length)"
    )
    return cells


async def inserts_a_table(editor: EditorPage) -> None:
    """Insert a table of two by two; the cursor is in its first cell then."""
    await editor.goes_to_end()
    await editor.uses("Insert a table")
    await editor.page.get_by_role("button", name="2 by 2", exact=True).click()
    await expect(editor.page.get_by_role("toolbar", name="Table")).to_be_visible()


async def test_rows_and_columns_go_and_come(meet: Meeting, shared_site: Site) -> None:
    """The table is the last thing on the sheet: its menus hang over empty paper, where a press would begin a line."""
    document_id = await shared_site.new_document()
    alice = await (await meet("Alice")).opens(document_id)
    bob = await (await meet("Bob")).opens(document_id)
    await inserts_a_table(alice)
    for menu, item, expected in (
        ("Row", "Delete row", [2]),
        ("Column", "Delete column", [1]),
        ("Row", "Insert above", [1, 1]),
        ("Column", "Insert to the left", [2, 2]),
        ("Row", "Insert below", [2, 2, 2]),
        ("Column", "Insert to the right", [3, 3, 3]),
    ):
        await alice.changes_table(menu, item)
        assert await shape(alice) == expected, item
    await expect(alice.sheet.locator("> *")).to_have_count(1)
    await agree(alice, bob)


async def test_headers_are_switched_and_cells_are_merged_and_split(meet: Meeting, shared_site: Site) -> None:
    alice = await (await meet("Alice")).opens(await shared_site.new_document())
    await inserts_a_table(alice)
    headers = alice.sheet.locator("th")
    await expect(headers).to_have_count(2)
    await alice.changes_table("Table", "Header column")
    await expect(headers).to_have_count(3)
    await alice.changes_table("Table", "Header row")
    await expect(headers).to_have_count(2)

    first, second = alice.sheet.locator("td, th").nth(0), alice.sheet.locator("td, th").nth(1)
    await first.hover()
    await alice.page.mouse.down()
    await second.hover()
    await alice.page.mouse.up()
    await alice.changes_table("Table", "Merge cells")
    await expect(first).to_have_attribute("colspan", "2")
    await alice.changes_table("Table", "Split cell")
    assert await shape(alice) == [2, 2]
    await alice.changes_table("Table", "Delete table")
    await expect(alice.sheet.locator("table")).to_have_count(0)
    await alice.shows("Saved")
