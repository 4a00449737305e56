"""What browser tests stand on: one Chromium and one site for all, people with browsers of their own for each."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.e2e.browser import CHROMIUM, SHELL, SWITCHES
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


@asynccontextmanager
async def launched(executable: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=SWITCHES, timeout=PATIENCE_MS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with launched(SHELL) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def meet_with_windows(shared_site: Site) -> AsyncIterator[Meeting]:
    """Seats people before the shared site, in the whole Chromium."""
    async with launched(CHROMIUM) as browser, people_at(browser, shared_site.url) as meeting:
        yield meeting


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_site(tmp_path_factory: pytest.TempPathFactory, built_pages: Path) -> AsyncIterator[Site]:
    async with Site(tmp_path_factory.mktemp("shared_site"), built_pages) as site:
        yield site


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stopped_site(tmp_path_factory: pytest.TempPathFactory, built_pages: Path) -> AsyncIterator[Site]:
    async with Site(tmp_path_factory.mktemp("stopped_site"), built_pages) as site:
        yield site


@pytest_asyncio.fixture(loop_scope="session")
async def own_site(stopped_site: Site) -> Site:
    """For stories that stop the server. The site runs at the beginning of each."""
    if not stopped_site.is_running:
        await stopped_site.start()
    return stopped_site


@pytest_asyncio.fixture(loop_scope="session")
async def empty_site(tmp_path: Path, built_pages: Path) -> AsyncIterator[Site]:
    """For stories that begin with no documents."""
    async with Site(tmp_path, built_pages) as site:
        yield site


@pytest.fixture(scope="session")
def all_waiting() -> Waiting:
    return {}


@pytest.fixture
def waiting(all_waiting: Waiting, request: pytest.FixtureRequest) -> Waiting | None:
    """Who may tell this story after others."""
    return all_waiting if request.node.get_closest_marker("seated") is not None else None


@pytest_asyncio.fixture(loop_scope="session")
async def meet(chromium: Browser, shared_site: Site, waiting: Waiting | None) -> AsyncIterator[Meeting]:
    """Seats people before the shared site."""
    async with people_at(chromium, shared_site.url, waiting) as meeting:
        yield meeting


@pytest_asyncio.fixture(loop_scope="session")
async def meet_at_own(chromium: Browser, own_site: Site, waiting: Waiting | None) -> AsyncIterator[Meeting]:
    """Seats people before the site that the story may stop."""
    async with people_at(chromium, own_site.url, waiting) as meeting:
        yield meeting


@pytest_asyncio.fixture(loop_scope="session")
async def meet_at_empty(chromium: Browser, empty_site: Site) -> AsyncIterator[Meeting]:
    """Seats people before the story's own site."""
    async with people_at(chromium, empty_site.url) as meeting:
        yield meeting


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_line(shared_site: Site) -> AsyncIterator[Line]:
    async with line_to(shared_site.port) as line:
        yield line


@pytest_asyncio.fixture(loop_scope="session")
async def line(shared_line: Line) -> AsyncIterator[Line]:
    """Alice's line; Bob has another."""
    yield shared_line
    shared_line.mend()
