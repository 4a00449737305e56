"""Editors that people have, on the pages in examples/: written in by two people of another site, and read again."""

import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from tests.e2e.marks import BROWSER
from tests.harness.processes import mortal
from tests.server.server_process import ServerProcess, new_document, server_process

pytestmark = BROWSER

EXAMPLES = Path(__file__).parents[2] / "examples"
SITE = "http://cms.example"
"""The pages are of this origin, which the server knows."""
STRANGER = "http://stranger.example"

SHEETS = {
    "tiptap": ".ProseMirror",
    "cms": ".ProseMirror",
    "codemirror": ".cm-content",
    "quill": ".ql-editor",
    "blocknote": ".ProseMirror",
    "lexical": "[contenteditable=true]",
    "monaco": ".view-lines",
    "types": "ul",
}
"""Where the words of each page stand."""


@pytest.fixture(scope="module")
def built_examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("examples")
    command = mortal(
        "npx", "vite", "build", "--outDir", str(out), "--emptyOutDir", "--minify", "false", "--logLevel", "error"
    )
    done = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    data = tmp_path_factory.mktemp("data")
    async with server_process(data, "--allowed-origins", SITE, "--log-level", "error") as server:
        yield server


Pair = tuple[BrowserContext, BrowserContext]
"""Two people's browsers."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair(chromium: Browser, built_examples: Path) -> AsyncIterator[Pair]:
    """Ada and Bo, in whose browsers the two sites have the built pages."""

    async def answer(route: Route) -> None:
        await route.fulfill(path=built_examples / urlsplit(route.request.url).path.lstrip("/"))

    ada, bo = await chromium.new_context(), await chromium.new_context()
    for context in (ada, bo):
        await context.route(re.compile(r"^http://(cms|stranger)\.example/"), answer)
    yield ada, bo
    for context in (ada, bo):
        await context.close()


async def visit(who: BrowserContext, server: ServerProcess, example: str, document_id: str, site: str = SITE) -> Page:
    page = await who.new_page()
    await page.goto(f"{site}/{example}.html?{urlencode({'server': server.url, 'document': document_id})}")
    return page


async def write(page: Page, example: str, words: str) -> None:
    """Write at the end."""
    if example == "types":
        await page.get_by_label("What to buy").fill(words)
        await page.keyboard.press("Enter")
        return
    await page.locator(SHEETS[example]).click()
    await page.keyboard.press("ControlOrMeta+End")
    await page.keyboard.type(words)


async def reads(page: Page, example: str, *words: str) -> None:
    for each in words:
        await expect(page.locator(SHEETS[example])).to_contain_text(each)


async def words_of(page: Page, example: str) -> list[str]:
    """The words of the story, in their order; names at carets are none of them."""
    return re.findall("apples|bread|corn", await page.locator(SHEETS[example]).inner_text())


@pytest.mark.parametrize("example", SHEETS)
async def test_two_people_write_in_an_example_and_find_it_again(
    pair: Pair, server: ServerProcess, example: str
) -> None:
    document_id = await new_document(server)
    alice = await visit(pair[0], server, example, document_id)
    await write(alice, example, "apples")
    await expect(alice.locator("#status")).to_have_text("Saved")
    bob = await visit(pair[1], server, example, document_id)
    await reads(bob, example, "apples")
    await write(bob, example, " bread")
    await reads(alice, example, "bread")
    await write(alice, example, " corn")
    await reads(bob, example, "corn")
    await expect(bob.locator("#status")).to_have_text("Saved")
    await expect(alice.locator("#status")).to_have_text("Saved")
    for page in (alice, bob):
        assert await words_of(page, example) == ["apples", "bread", "corn"]
    await bob.reload()
    await reads(bob, example, "apples", "bread", "corn")
    for page in (alice, bob):
        await page.close()


async def test_a_page_of_an_unknown_site_says_why_it_does_not_connect(pair: Pair, server: ServerProcess) -> None:
    page = await visit(pair[0], server, "cms", await new_document(server), STRANGER)
    await expect(page.locator("#status")).to_contain_text("MANYHANDS_ALLOWED_ORIGINS")
    await page.close()
