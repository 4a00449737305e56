"""Two people write into one document at once, and what each sees is what the other sees."""

import asyncio
import re

from playwright.async_api import expect

from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage, agree
from tests.e2e.person import Meeting
from tests.e2e.site import Site

pytestmark = SEATED


async def two_in_one_document(meet: Meeting, site: Site, *lines: str) -> tuple[EditorPage, EditorPage, str]:
    """Alice has written the lines, Bob sees them; the document's id is the third."""
    document_id = await site.new_document()
    alice = await (await meet("Alice")).opens(document_id)
    bob = await (await meet("Bob")).opens(document_id)
    if lines:
        await alice.goes_to_start()
        await alice.writes(*lines)
        await bob.sees(*lines)
    return alice, bob, document_id


async def test_both_type_at_once_in_different_paragraphs_and_in_the_same(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "first line", "second line")

    await alice.goes_after("first line")
    await bob.goes_after("second line")
    await asyncio.gather(alice.types(" of Alice", delay=10), bob.types(" of Bob", delay=10))
    await agree(alice, bob)
    assert await bob.text() == "first line of Alice\nsecond line of Bob"

    await bob.goes_after("first line of Alice")
    await bob.press("Home")
    await asyncio.gather(alice.types(" and her thoughts", delay=10), bob.types("It is the ", delay=10))
    await agree(alice, bob)
    assert (await alice.text()).startswith("It is the first line of Alice and her thoughts\n")

    await asyncio.gather(alice.goes_to_end(), bob.goes_to_end())
    await asyncio.gather(alice.types("aaaaaaaaaa", delay=10), bob.types("bbbbbbbbbb", delay=10))
    await agree(alice, bob)
    last = (await alice.text()).splitlines()[-1].removeprefix("second line of Bob")
    assert sorted(last) == list("aaaaaaaaaabbbbbbbbbb")


async def test_both_begin_an_empty_line_at_the_same_moment(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "first line")
    for _ in range(3):
        await alice.goes_to_end()
        await alice.press("Enter")
        await agree(alice, bob)
        await bob.goes_to_end()
        await asyncio.gather(alice.types("one and the same", delay=10), bob.types("ANOTHER OF MINE", delay=10))
        await agree(alice, bob)
        last = (await alice.text()).splitlines()[-1]
        assert last in {"one and the sameANOTHER OF MINE", "ANOTHER OF MINEone and the same"}


async def test_one_formats_what_the_other_writes_in(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "The plan", "make it bold")

    await alice.goes_after("The plan")
    await alice.chooses_style("Heading 1")
    await alice.selects("bold")
    await bob.goes_after("make it bold")
    await asyncio.gather(alice.uses("Bold"), bob.types(" and brave", delay=10))
    await expect(bob.sheet.get_by_role("heading", name="The plan", level=1)).to_be_visible()
    await expect(bob.sheet.get_by_role("strong")).to_contain_text("bold")

    await bob.goes_after("The plan")
    await bob.types(" of ours")
    await expect(alice.sheet.get_by_role("heading", name="The plan of ours", level=1)).to_be_visible()
    await agree(alice, bob)


async def test_a_nested_list_and_a_table_are_made_by_two(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "Groceries", "Prices")

    await alice.goes_after("Groceries")
    await alice.press("Enter")
    await alice.uses("Bulleted list")
    await alice.types("fruit", "apples")
    await alice.press("Tab")
    await bob.goes_after("Prices")
    await bob.press("Enter")
    await bob.uses("Insert a table")
    await bob.page.get_by_role("button", name="2 by 2", exact=True).click()
    await asyncio.gather(alice.types(" and pears", "plums", delay=10), bob.types("item", delay=10))
    await bob.press("Tab")
    await bob.types("price")
    await bob.press("Tab")
    await bob.types("apple")

    await agree(alice, bob)
    await expect(bob.sheet.locator("ul ul li").first).to_have_text("apples and pears")
    await expect(bob.sheet.locator("ul ul li").nth(1)).to_contain_text("plums")
    await expect(alice.sheet.get_by_role("columnheader")).to_have_text(["item", "price"])
    await expect(alice.sheet.get_by_role("cell").first).to_contain_text("apple")

    await alice.sheet.get_by_role("cell").first.click()
    await alice.page.get_by_role("toolbar", name="Table").get_by_role("button", name="Row").click()
    await asyncio.gather(alice.page.get_by_role("menuitem", name="Insert below").click(), bob.types(" tree", delay=10))
    await expect(bob.sheet.get_by_role("row")).to_have_count(3)
    await agree(alice, bob)


async def test_arrow_keys_are_obeyed_while_the_other_types_fast(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "up", "down", "chatter")
    await alice.goes_after("up")
    await bob.goes_after("chatter")

    async def walks_to_and_fro() -> None:
        for _ in range(8):
            await alice.press("ArrowDown", "End")
            await alice.types("d")
            await alice.press("ArrowUp", "End")
            await alice.types("u")

    await asyncio.gather(walks_to_and_fro(), bob.types(" and more chatter" * 5, delay=10))
    await agree(alice, bob)
    assert (await alice.text()).splitlines()[:2] == ["up" + 8 * "u", "down" + 8 * "d"]


async def test_clicks_are_obeyed_while_the_other_types_fast(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "first", "second", "chatter")
    await bob.goes_after("chatter")

    async def clicks_to_and_fro() -> None:
        for _ in range(8):
            for line in ("first", "second"):
                await alice.sheet.get_by_text(line).click(position={"x": 200, "y": 8})  # beside the words: at their end
                await alice.types(line[0])

    await asyncio.gather(clicks_to_and_fro(), bob.types(" and more chatter" * 5, delay=10))
    await agree(alice, bob)
    assert (await alice.text()).splitlines()[:2] == ["first" + 8 * "f", "second" + 8 * "s"]


async def test_undo_takes_back_only_ones_own_change(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "Common ground.")
    await bob.goes_to_end()
    await bob.page.keyboard.insert_text(" Bob's words.")
    await alice.sees("Bob's words.")
    await alice.press("Control+End", "Enter")
    await alice.types("Alice again")
    await bob.sees("Alice again")

    await bob.uses("Undo your typing")
    await expect(alice.sheet).not_to_contain_text("Bob's words.")
    await agree(alice, bob)
    assert await alice.text() == "Common ground.\nAlice again"
    await expect(bob.toolbar.get_by_role("button", name="Undo your last change")).to_be_disabled()

    await bob.press("Control+y")
    await alice.sees("Bob's words.")
    await agree(alice, bob)
    assert await alice.text() == "Common ground. Bob's words.\nAlice again"


async def test_each_sees_the_others_cursor_with_their_name(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "Where are you?")
    await bob.goes_to_end()
    await bob.types(" Here")

    await expect(alice.caret_of("Bob")).to_be_visible()
    await expect(bob.caret_of("Alice")).to_be_visible()
    await expect(alice.caret_of("Alice")).to_have_count(0)
    await expect(alice.page.get_by_role("list", name="Also here").get_by_role("button")).to_have_accessible_name(
        "Follow Bob"
    )

    await bob.page.get_by_role("button", name=re.compile("^You are Bob")).click()
    await bob.page.get_by_role("textbox", name="Your name").fill("Robert")
    await bob.press("Enter", "Escape")
    await expect(alice.page.get_by_role("button", name="Follow Robert")).to_be_visible()

    await bob.page.close()
    await expect(alice.sheet.locator(".page-caret")).to_have_count(0)
    await expect(alice.page.get_by_role("list", name="Also here")).to_have_count(0)


async def test_one_follows_another_until_they_scroll(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site)
    await alice.goes_to_start()
    await alice.pastes("text/html", "".join(f"<p>Line {number}</p>" for number in range(60)))
    await bob.sees("Line 59")
    await bob.goes_to_start()
    await alice.goes_to_end()
    await alice.page.get_by_role("button", name="Follow Bob").click()
    await expect(alice.page.get_by_text("Following Bob", exact=True)).to_be_visible()
    await expect(alice.caret_of("Bob")).to_be_in_viewport()
    await bob.goes_to_end()
    await expect(alice.sheet.get_by_text("Line 59")).to_be_in_viewport()
    await expect(alice.sheet.get_by_text("Line 0", exact=True)).not_to_be_in_viewport()
    await alice.sheet.hover()
    await alice.page.mouse.wheel(0, -10_000)
    await expect(alice.page.get_by_text("Following Bob", exact=True)).to_have_count(0)
    await bob.types(" is the last")
    await alice.sees("Line 59 is the last")
    await expect(alice.sheet.get_by_text("Line 0", exact=True)).to_be_in_viewport()


async def test_who_comes_later_and_who_reloads_see_all_of_it(meet: Meeting, shared_site: Site) -> None:
    alice, bob, document_id = await two_in_one_document(meet, shared_site, "Written by Alice")
    await bob.goes_to_end()
    await bob.press("Enter")
    await bob.types("and by Bob, ")
    await bob.press("Control+b")
    await bob.types("boldly")
    written = await agree(alice, bob)
    await asyncio.gather(alice.shows("Saved"), bob.shows("Saved"))

    carol = await (await meet("Carol")).opens(document_id)
    assert await agree(alice, bob, carol) == written
    await carol.shows("Saved")

    await bob.reloads()
    assert await agree(alice, bob, carol) == written
    await bob.shows("Saved")

    await bob.goes_to_end()
    await bob.types(" once more")
    await asyncio.gather(alice.sees("boldly once more"), carol.sees("boldly once more"))


async def test_two_tabs_of_one_browser_are_two_places_in_the_document(meet: Meeting, shared_site: Site) -> None:
    document_id = await shared_site.new_document()
    person = await meet("Alice")
    left, right = await person.opens(document_id), await person.opens(document_id)
    await left.goes_to_end()
    await left.types("left")
    await right.sees("left")
    await right.goes_to_end()
    await asyncio.gather(left.types("LLLLL", delay=10), right.types("RRRRR", delay=10))
    await agree(left, right)
    assert sorted(await left.text()) == sorted("leftLLLLLRRRRR")
    await asyncio.gather(left.shows("Saved"), right.shows("Saved"))
