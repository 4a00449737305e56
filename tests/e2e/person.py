"""A person at a browser of their own: a name, a colour, and everything that the browser complained about."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect

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

WORKER_LATER = """() => {
    if (!window.ServiceWorkerContainer) return; // a page of an address that may have none
    const { register } = ServiceWorkerContainer.prototype;
    ServiceWorkerContainer.prototype.register = function (...script) {
        if (this.controller) return register.apply(this, script);
        return new Promise((registered) => {
            window.installsWorker = () => registered(register.apply(this, script));
        });
    };
}"""
"""Lets a browser's first visit install the service worker when the story asks for it.

That takes a fifth of a page's processor time. See `EditorPage.can_be_reopened_offline`.
"""

REPLACED = """() => ["requestAnimationFrame", "cancelAnimationFrame", "setTimeout", "setInterval", "fetch", "WebSocket"]
    .filter((name) => !Function.prototype.toString.call(window[name]).includes("[native code]"))"""
"""Names of the browser's own functions that a story has replaced in its page."""

FOLLOW = "(path) => history.pushState(null, '', path)"
"""Goes to an address as a link of the application does."""

NETWORK = re.compile(
    r"net::ERR_|Failed to fetch|WebSocket (connection|is closed|is already in CLOSING)|status of 503|ServiceWorker"
)
"""What a browser prints when a server or the network is away; our pages cannot keep it from that."""


NOWHERE = "/nowhere"
"""An address of no document and no list."""


SOON = 20.0
"""Seconds that a page may take to leave a document; on a slower machine its person does not wait for the next story."""


class Person:
    """One browser context; nothing is shared with other people but the server."""

    def __init__(self, name: str, context: BrowserContext, url: str) -> None:
        self.name = name
        self.context = context
        self.url = url
        self.complaints: list[str] = []
        self.replaced: list[str] = []
        """Functions that a next story would find replaced in the page."""
        self._expected: list[re.Pattern[str]] = []
        self._waiting: Page | None = None
        """The page on which the person waits for the next story."""
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
        """Go to an address in a new tab; or from the page of the story before, as by a link."""
        page, self._waiting = self._waiting, None
        if page is None:
            page = await self.context.new_page()
            await page.goto(self.url + path)
        else:
            await page.evaluate(FOLLOW, path)
        return page

    async def waits(self) -> bool:
        """Leave everything but one page, which shows nothing; whether that works."""
        try:
            async with asyncio.timeout(SOON):
                page = await self._leaves()
                self.replaced = await page.evaluate(REPLACED)
        except (AssertionError, Error, TimeoutError, ValueError):
            return False
        if self.replaced:
            return False
        self._waiting = page
        return True

    async def _leaves(self) -> Page:
        page, *others = self.context.pages
        for other in others:
            await other.close()
        await self.context.unroute_all()
        await page.unroute_all()
        await self.context.set_offline(False)
        await page.evaluate(FOLLOW, NOWHERE)
        await expect(page.get_by_role("heading", name="There is nothing at this address")).to_be_visible()
        await page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        await page.evaluate(f"({REMEMBER_PERSON})({self.remembered})")
        return page

    def begins_anew(self) -> None:
        """Forget what the browser said in the story before, and behind its end."""
        self.complaints.clear()
        self._expected.clear()

    @property
    def remembered(self) -> str:
        """What the browser knows of its person, as JSON."""
        return json.dumps({"name": self.name, "color": COLORS.get(self.name, "#6d28d9")})

    def unexpected_complaints(self) -> list[str]:
        return [words for words in self.complaints if not any(known.search(words) for known in self._expected)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{self.name}'s browser: {message.text} ({message.location['url']})")


Meeting = Callable[..., Awaitable[Person]]

Seat = tuple[str, str, str]
"""A person's name, the address of the site, and how the browser is made."""

Waiting = dict[Seat, list[Person]]
"""People who have told a story, and wait for the next one that has the same seat for them."""

MOST_WAITING = 6
"""People; each holds a process of the browser."""


@asynccontextmanager
async def people_at(chromium: Browser, url: str, waiting: Waiting | None = None) -> AsyncIterator[Meeting]:
    """Give a function that seats a person at a browser; in the end nobody's browser may have complained.

    The function takes a name, an address other than the site's, whether the browser has to be a
    fresh one (`anew`), and Playwright's options of a browser.

    Args:
        chromium: the browser.
        url: the site's.
        waiting: for stories whose people may have told others before: a fresh browser that loads
            the application takes five times as long as a way from one document to the next.
    """
    met: list[Person] = []
    may_wait: list[tuple[Seat, Person]] = []
    async with AsyncExitStack() as contexts:

        async def meet(name: str, at: str = url, *, anew: bool = waiting is None, **options: Any) -> Person:
            seat = (name, at, repr(sorted(options.items())))
            if waiting and waiting.get(seat) and not anew:
                person = waiting[seat].pop()
                person.begins_anew()
            else:
                person = await meet_anew(name, at, options)
            met.append(person)
            if anew:
                contexts.push_async_callback(_close, person.context)
            else:
                may_wait.append((seat, person))
            return person

        async def meet_anew(name: str, at: str, options: dict[str, Any]) -> Person:
            context = await chromium.new_context(
                **{"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **options}
            )
            context.set_default_timeout(PATIENCE_MS)
            person = Person(name, context, at)
            await context.add_init_script(f"({WORKER_LATER})()")
            await context.add_init_script(f"({REMEMBER_PERSON})({person.remembered})")
            return person

        yield meet
        complaints = [words for person in met for words in person.unexpected_complaints()]
        for seat, person in may_wait:
            if waiting is not None:
                await _takes_a_seat(waiting, seat, person)
                complaints += [
                    f"This story replaces {name}: have it meet {person.name} `anew`." for name in person.replaced
                ]
    assert not complaints, "\n".join(complaints)


async def _takes_a_seat(waiting: Waiting, seat: Seat, person: Person) -> None:
    """Have a person wait; whoever has waited longest makes room."""
    if not await person.waits():
        await _close(person.context)
        return
    waiting[seat] = [*waiting.pop(seat, []), person]
    if sum(map(len, waiting.values())) > MOST_WAITING:
        longest = next(people for people in waiting.values() if people)
        await _close(longest.pop(0).context)


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
