"""An inspection finds a fault wherever the page has changed since the last look, and whatever the change does elsewhere."""

import pytest
from playwright.async_api import Browser

from tests.e2e.axe import Inspection
from tests.e2e.marks import BROWSER

pytestmark = BROWSER

PAGE = """<!doctype html><html lang="en"><title>Page</title><style>:root { color-scheme: light dark } a { color: inherit }</style>
<body><header><a href="/">Home</a></header><main><h1>Words</h1><ul><li>one</li></ul><p>more</p></main>"""

FAULTS = {
    "image-alt": "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"x.png\">')",
    "list": "document.querySelector('ul').insertAdjacentHTML('beforeend', '<div>two</div>')",
    "light: color-contrast": "document.querySelector('p').style = 'color: #ccc; background: #fff'",
    "dark: color-contrast": "document.querySelector('p').style = 'color: light-dark(#000, #333); background: light-dark(#fff, #222)'",
    "aria-hidden-focus": "document.querySelector('header').setAttribute('aria-hidden', 'true')",
    "moves": "document.querySelector('p').animate({ rotate: ['0turn', '1turn'] }, { duration: 1000, iterations: Infinity })",
    "landmark-no-duplicate-main": "document.body.insertAdjacentHTML('beforeend', '<main>second</main>')",
}


async def test_a_fault_that_comes_with_a_change_is_found(chromium: Browser, subtests: pytest.Subtests) -> None:
    context = await chromium.new_context(reduced_motion="reduce")
    page = await context.new_page()
    for rule, change in FAULTS.items():
        with subtests.test(rule):
            await page.goto("about:blank")  # a look remembers a page
            await page.set_content(PAGE)
            seen = Inspection()
            await seen.look(page, "before")
            await seen.look(page, "unchanged")
            seen.finds_nothing()
            await page.evaluate(f"() => {{ {change}; }}")
            await seen.look(page, "after")
            with pytest.raises(AssertionError, match=f"after.*{rule}"):
                seen.finds_nothing()
    await context.close()
