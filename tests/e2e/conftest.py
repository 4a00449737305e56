"""What browser tests stand on: one Chromium and one site for all, people with browsers of their own for each."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.e2e.browser import CHROMIUM, SWITCHES
from tests.e2e.line import Line, line_to
from tests.e2e.pages import PATIENCE_MS
from tests.e2e.person import Meeting, Waiting, people_at
from tests.e2e.site import BUILT_PAGES, Site


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark each story, whether or not its file thought of it: `make test-fast` leaves all of them out."""
    item.add_marker("e2e")
    item.add_marker("slow")


@pytest.fixture(scope="session")
def built_pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, so that a build that somebody starts meanwhile doesn't pull the pages away."""
    if not (BUILT_PAGES / "index.html").exists():
        pytest.fail(f"There are no pages in {BUILT_PAGES.relative_to(Path.cwd())}: run `make setup`.")
    copy = tmp_path_factory.mktemp("built") / "pages"
    shutil.copytree(BUILT_PAGES, copy)
    return copy


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES, timeout=PATIENCE_MS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_site(tmp_path_factory: pytest.TempPathFactory, built_pages: Path) -> AsyncIterator[Site]:
    async with Site(tmp_path_factory.mktemp("shared_site"), built_pages) as site:
        yield site


@pytest_asyncio.fixture(loop_scope="session")
async def own_site(tmp_path: Path, built_pages: Path) -> AsyncIterator[Site]:
    """For stories that stop the server, or that begin with no documents."""
    async with Site(tmp_path, built_pages) as site:
        yield site


@pytest.fixture(scope="session")
def waiting() -> Waiting:
    return {}


@pytest_asyncio.fixture(loop_scope="session")
async def meet(
    chromium: Browser, shared_site: Site, waiting: Waiting, request: pytest.FixtureRequest
) -> AsyncIterator[Meeting]:
    """Seats people before the shared site."""
    may_have_been_here = request.node.get_closest_marker("seated") is not None
    async with people_at(chromium, shared_site.url, waiting if may_have_been_here else None) as meeting:
        yield meeting


@pytest_asyncio.fixture(loop_scope="session")
async def meet_at_own(chromium: Browser, own_site: Site) -> AsyncIterator[Meeting]:
    """Seats people before the story's own site."""
    async with people_at(chromium, own_site.url) as meeting:
        yield meeting


@pytest_asyncio.fixture(loop_scope="session")
async def line(shared_site: Site) -> AsyncIterator[Line]:
    """Alice's line; Bob has another."""
    async with line_to(shared_site.port) as line:
        yield line
