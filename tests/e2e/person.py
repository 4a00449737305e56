"""A person at a browser of their own: a name, a colour, and everything that the browser complained about."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page

from tests.e2e.line import Line
from tests.e2e.pages import PATIENCE_MS, DocumentsPage, EditorPage

COLORS = {"Alice": "#1d4ed8", "Bob": "#c2410c", "Carol": "#047857"}

REMEMBER_PERSON = """(person) => {
    if (!location.protocol.startsWith("http")) return; // a new tab is blank at first, and has no storage
    const key = "manyhands:person";
    if (localStorage.getItem(key) === null) localStorage.setItem(key, JSON.stringify(person));
    // What is typed in a story stands in the document as it is written there.
    const typing = "manyhands:smart-typing";
    if (localStorage.getItem(typing) === null) localStorage.setItem(typing, "off");
}"""

NETWORK = re.compile(
    r"net::ERR_|Failed to fetch|WebSocket (connection|is closed|is already in CLOSING)|status of 503|ServiceWorker"
)
"""What a browser prints when a server or the network is away; our pages cannot keep it from that."""


class Person:
    """One browser context; nothing is shared with other people but the server."""

    def __init__(self, name: str, context: BrowserContext, url: str) -> None:
        self.name = name
        self.context = context
        self.url = url
        self.complaints: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(f"uncaught: {error.error}"))

    def expects(self, *complaints: str | re.Pattern[str]) -> None:
        """Say what the browser may print in this story: its own words about an answer that the story asks for."""
        self._expected += [re.compile(complaint) for complaint in complaints]

    async def opens(self, document_id: str) -> EditorPage:
        """Open a document in a new tab and wait until it can be written in."""
        editor = EditorPage(self.name, await self.visits(f"/d/{document_id}"))
        await editor.is_ready()
        return editor

    async def opens_documents(self) -> DocumentsPage:
        return DocumentsPage(await self.visits("/"))

    async def visits(self, path: str) -> Page:
        """Go to an address in a new tab."""
        page = await self.context.new_page()
        await page.goto(self.url + path)
        return page

    def unexpected_complaints(self) -> list[str]:
        return [words for words in self.complaints if not any(known.search(words) for known in self._expected)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{self.name}'s browser: {message.text} ({message.location['url']})")


Meeting = Callable[..., Awaitable[Person]]


@asynccontextmanager
async def people_at(chromium: Browser, url: str) -> AsyncIterator[Meeting]:
    """Give a function that seats a person at a fresh browser; in the end nobody's browser may have complained."""
    met: list[Person] = []
    async with AsyncExitStack() as contexts:

        async def meet(name: str, at: str | None = None, **options: Any) -> Person:
            context = await chromium.new_context(
                **{"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **options}
            )
            contexts.push_async_callback(_close, context)
            context.set_default_timeout(PATIENCE_MS)
            remembered = json.dumps({"name": name, "color": COLORS.get(name, "#6d28d9")})
            await context.add_init_script(f"({REMEMBER_PERSON})({remembered})")
            person = Person(name, context, at or url)
            met.append(person)
            return person

        yield meet
        complaints = [words for person in met for words in person.unexpected_complaints()]
    assert not complaints, "\n".join(complaints)


async def _close(context: BrowserContext) -> None:
    """Leave; what a page says while it goes is nobody's complaint."""
    try:
        await context.close()
    except Error as error:
        if "closed" not in error.message:
            raise


async def loses_the_network(person: Person, line: Line) -> None:
    line.cut()
    await person.context.set_offline(True)


async def finds_the_network(person: Person, line: Line) -> None:
    line.mend()
    await person.context.set_offline(False)
