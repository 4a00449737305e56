"""Makes the pictures of the README: `python -m tests.e2e.screenshots OUT_DIR`; the pages must have been built."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, async_playwright

from tests.e2e.browser import CHROMIUM, SWITCHES
from tests.e2e.pages import EditorPage, agree
from tests.e2e.person import people_at
from tests.e2e.site import BUILT_PAGES, Site

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 800},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}

TITLES = ["Reading list", "Garden rota 2026", "Recipes from the coast", "Letter to the council", "Notes on bees"]

REPORT = """
<h1>A shared allotment</h1>
<p>Twelve households, <strong>one acre</strong>, and a document that everybody writes in. This is what we agreed on in
<a href="https://example.org/march">the March meeting</a>, and what is <mark style="background-color: #fff3a3">still open</mark>.</p>
<h2>Who does what</h2>
<ul>
  <li><p>Water, every other evening</p>
    <ul><li><p>the long beds: Alice</p></li><li><p>the glasshouse: Bob</p></li></ul></li>
  <li><p>Compost: whoever cooks</p></li>
</ul>
<table>
  <tr><th><p>Bed</p></th><th><p>Sown</p></th><th><p>Harvest</p></th></tr>
  <tr><td><p>Broad beans</p></td><td><p>November</p></td><td><p>June</p></td></tr>
  <tr><td><p>Early potatoes</p></td><td><p>March</p></td><td><p>July</p></td></tr>
</table>
<h2>To do before May</h2>
<ul data-type="taskList">
  <li data-type="taskItem" data-checked="true"><p>Mend the water butt</p></li>
  <li data-type="taskItem" data-checked="false"><p>Order netting for the brassicas</p></li>
  <li data-type="taskItem" data-checked="false"><p>Ask the school about a shared shed</p></li>
</ul>
<blockquote><p>A garden is a letter that many hands write.</p></blockquote>
<p></p>
"""


async def main(out: Path) -> None:
    """Make every picture in a directory that is there."""
    with tempfile.TemporaryDirectory() as data_dir:
        async with Site(Path(data_dir), BUILT_PAGES) as site, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
            for title in TITLES:
                await site.new_document(title)
            document_id = await site.new_document("A shared allotment")
            await _write(browser, site, document_id)
            for theme in ("light", "dark"):
                await _look(browser, site, document_id, out, theme)
            await browser.close()


async def _write(browser: Browser, site: Site, document_id: str) -> None:
    async with people_at(browser, site.url) as meet:
        author = await (await meet("Alice")).opens(document_id)
        await author.goes_to_start()
        await author.pastes("text/html", REPORT)
        await author.sees("many hands write")
        await author.shows("Saved")


async def _look(browser: Browser, site: Site, document_id: str, out: Path, theme: Literal["light", "dark"]) -> None:
    """Take the pictures of one theme, with two other people in the document."""
    async with people_at(browser, site.url) as meet:
        others = [await (await meet(name)).opens(document_id) for name in ("Bob", "Carol")]
        desktop = await meet("Alice", color_scheme=theme)
        phone = await meet("Alice", color_scheme=theme, **PHONE)
        for device, person in (("desktop", desktop), ("phone", phone)):
            documents = await person.opens_documents()
            await documents.document("A shared allotment").wait_for()
            await documents.page.screenshot(path=out / f"documents-{device}-{theme}.png")
            await documents.page.close()
            editor = await person.opens(document_id)
            await editor.shows("Saved")
            await agree(editor, *others)
            await _others_point(others)
            for name in ("Bob", "Carol"):
                await editor.caret_of(name).wait_for()
            await editor.page.screenshot(path=out / f"editor-{device}-{theme}.png")
            await editor.page.close()


async def _others_point(others: list[EditorPage]) -> None:
    """Move the others' cursors from elsewhere, so that their names show."""
    bob, carol = others
    for other in others:
        await other.goes_to_end()
    await bob.goes_after("the glasshouse: Bob")
    await carol.selects("still open")


if __name__ == "__main__":
    out_dir = Path(sys.argv[1])
    out_dir.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(out_dir))
