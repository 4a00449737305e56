"""A document of 300 pages in a browser: opened, read while somebody types, and typed in meanwhile.

The same pages are built twice: with this project's binding, and with y-tiptap in its place. A row
shows what Chromium itself needs for the same text without an editor, and the last row the bounds.
What counts is the work of the page's main thread, in processor time, because other processes share
the core. Opening and "key to frame" are measured as a person waits, and are worth something on an
idle machine only.
"""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from playwright.async_api import CDPSession, Page, async_playwright
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from tests.bench.dialects import Member
from tests.bench.fleet import join, leave
from tests.bench.meter import Meter, now
from tests.bench.processes import cpu_between, cpu_seconds, resident_bytes
from tests.bench.scenario import Pace, Scenario
from tests.bench.servers import OURS, Kind, Running
from tests.bench.table import Figures
from tests.e2e.browser import CHROMIUM, SWITCHES

HOUSE = Path(__file__).parents[3]
WEB = HOUSE / "client_web"
OUR_PAGES = WEB / "editor" / "dist"
STOCK_PAGES = HOUSE / "build" / "stock-pages"

PARAGRAPHS = 2_000
"""Of 560 characters: 300 pages of 3,700 characters."""

SENTENCE = "The quick brown fox jumps over the lazy dog. "
IN_ONE_UPDATE = 50
KEYS = 100
"""Keys that are measured in each of the two parts."""

PAUSE = 0.1
"""Seconds between two keys: ten a second."""

WARM_UP = 20
"""Keys before those that count."""

VIEWPORT = {"width": 1280, "height": 800}
PATIENCE_MS = 120_000.0

SCRIPT = {"FunctionCall", "v8.callFunction", "EvaluateScript", "RunMicrotasks", "v8.run"}
"""What Chromium calls the spans in which scripts run."""

WORDS_SHOWN = """() => {
    const line = document.querySelector("#document p");
    return line !== null && line.textContent.startsWith("0 The quick") && line.getBoundingClientRect().top < innerHeight;
}"""
SEEN_AT = """() => new Promise((seen) => requestAnimationFrame(() => setTimeout(() => seen(performance.now()))))"""
AT_REST = """() => new Promise((rest) => requestIdleCallback(() => rest(performance.now())))"""
ALL_THERE = f"""() => document.querySelector("#document").textContent.includes("{PARAGRAPHS - 1} The quick")"""

WATCH_KEYS = """() => {
    let pressed = null;
    window.keyToFrame = [];
    document.addEventListener("keydown", ({ timeStamp }) => { pressed = timeStamp; }, true);
    new MutationObserver(() => {
        if (pressed === null) return;
        const began = pressed;
        pressed = null;
        requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => window.keyToFrame.push(performance.now() - began);
            port2.postMessage(null);
        });
    }).observe(document.querySelector("#document"), { subtree: true, characterData: true, childList: true });
}"""
"""From a key's own time to the end of the frame that shows its letter."""

BARE_PAGE = f"""<!doctype html><style>
    main {{ height: 100vh; overflow: auto }}
    #document {{ width: 640px; margin: auto; font: 17px/1.6 sans-serif; white-space: break-spaces }}
    section {{ content-visibility: auto; contain-intrinsic-height: auto 5600px }}
</style><main><div id="document" contenteditable="true"></div></main><script>
    const sheet = document.querySelector("#document");
    for (let first = 0; first < {PARAGRAPHS}; first += 32) {{
        const section = sheet.appendChild(document.createElement("section"));
        for (let at = first; at < Math.min(first + 32, {PARAGRAPHS}); at += 1) {{
            section.appendChild(document.createElement("p")).textContent = `${{at}} ${{"{SENTENCE}".repeat(12)}}`;
        }}
    }}
    const line = sheet.querySelectorAll("p")[{PARAGRAPHS // 2}].firstChild;
    let keys = 0;
    const typeKey = () => line.insertData(10 + keys++, "x");
</script>"""
"""The same text in the same sections, in an element that can be written in, and a line that grows as the colleague's does."""


class Book:
    """The document, as a program holds it that types in it."""

    def __init__(self) -> None:
        self._doc = Doc[Any]()
        self._root = self._doc.get("default", type=XmlFragment)
        self._lines: list[XmlText] = []

    def write(self) -> list[bytes]:
        """Write the paragraphs; the updates."""
        updates = []
        for first in range(0, PARAGRAPHS, IN_ONE_UPDATE):
            before = self._doc.get_state()
            with self._doc.transaction():
                for number in range(first, first + IN_ONE_UPDATE):
                    line = self._root.children.append(XmlElement("paragraph"))
                    words = XmlText(f"{number} {SENTENCE * 12}")
                    line.children.append(words)
                    self._lines.append(words)
            updates.append(self._doc.get_update(before))
        return updates

    def key(self, number: int) -> bytes:
        """One key in the middle of the document; the update."""
        before = self._doc.get_state()
        self._lines[PARAGRAPHS // 2].insert(10 + number, "x")
        return self._doc.get_update(before)


class Colleague:
    """Somebody who types in the middle of the document, at a steady pace."""

    def __init__(self, member: Member, book: Book) -> None:
        self._member = member
        self._book = book
        self._keys = 0

    def types(self) -> None:
        """One key."""
        update = self._book.key(self._keys)
        self._keys += 1
        self._member.transport.write(self._member.write_update(self._member.meter.send(self._member, 0), update))

    async def types_keys(self, count: int) -> None:
        """So many keys."""
        for _ in range(count):
            self.types()
            await asyncio.sleep(PAUSE)


async def open_and_type(kind: Kind, directory: Path, _pace: Pace) -> Figures:
    """Fill a server, open the document, let a colleague type, then type alone and beside the colleague."""
    if kind is BOUNDS:
        return BOUND
    if kind is BARE:
        return await type_without_an_editor()
    if kind is STOCK:
        build_stock_pages()
    async with Running(kind, directory) as server, chromium() as page:
        (document,) = await server.new_documents(1)
        (member,) = await join(server, document, 1, Meter())
        book = Book()
        for update in book.write():
            member.transport.write(member.write_update(member.meter.send(member, 0), update))
            await asyncio.sleep(0.02)
        opened = await opening(page, f"http://127.0.0.1:{server.port}/d/{document}")
        work = await Work.of(page)
        colleague = Colleague(member, book)
        heard = await hearing(work, colleague)
        await begin_to_type(page)
        alone = await typing_alone(page, work)
        busy = asyncio.create_task(colleague.types_keys(10 * KEYS))
        beside = await typing_beside(page, work)
        busy.cancel()
        memory = await work.memory()
        leave([member])
    return {**opened, **heard, **alone, **beside, **memory}


async def type_without_an_editor() -> Figures:
    """What Chromium itself does for each key: in a sheet of the same text, without an editor."""
    async with chromium() as page:
        await page.set_content(BARE_PAGE)
        work = await Work.of(page)
        await begin_to_type(page)
        alone = await typing_alone(page, work)
        await page.evaluate(f"void setInterval(typeKey, {PAUSE * 1e3})")
        return {**alone, **await typing_beside(page, work), **await work.memory()}


async def opening(page: Page, url: str) -> Figures:
    """Milliseconds from the address to the first words, and to the whole document at rest; the program's files are known."""
    for _ in range(2):
        await page.goto(url, wait_until="commit")
        await page.wait_for_function(WORDS_SHOWN, polling="raf", timeout=PATIENCE_MS)
        seen: float = await page.evaluate(SEEN_AT)
        await page.wait_for_function(ALL_THERE, polling="raf", timeout=PATIENCE_MS)
        rest: float = await page.evaluate(AT_REST)
        await asyncio.sleep(1)
    return {"first words ms": seen, "opened ms": rest}


class Work:
    """The processor time of the page's main thread, in milliseconds."""

    def __init__(self, session: CDPSession, pids: list[int]) -> None:
        self._session = session
        self.pids = pids
        """Of the page's renderer, all threads."""

    @classmethod
    async def of(cls, page: Page) -> "Work":
        """Begin to count."""
        session = await page.context.new_cdp_session(page)
        await session.send("Performance.enable", {"timeDomain": "threadTicks"})
        assert page.context.browser is not None
        browser = await page.context.browser.new_browser_cdp_session()
        processes = (await browser.send("SystemInfo.getProcessInfo"))["processInfo"]
        return cls(session, [each["id"] for each in processes if each["type"] == "renderer"])

    async def done(self) -> float:
        """Everything: script, styles, layout and paint."""
        metrics = (await self._session.send("Performance.getMetrics"))["metrics"]
        return float({each["name"]: each["value"] for each in metrics}["TaskDuration"]) * 1e3

    async def memory(self) -> Figures:
        """What the renderer keeps."""
        await self._session.send("HeapProfiler.collectGarbage")
        return {"renderer MB": resident_bytes(self.pids) / 1e6}

    @asynccontextmanager
    async def traced(self) -> AsyncIterator[list[dict[str, Any]]]:
        """Follows what runs meanwhile; all is there at the end."""
        events: list[dict[str, Any]] = []
        complete = asyncio.Event()
        self._session.on("Tracing.dataCollected", lambda part: events.extend(part["value"]))
        self._session.on("Tracing.tracingComplete", lambda _: complete.set())
        config = {"includedCategories": ["devtools.timeline", "v8", "blink"]}
        await self._session.send("Tracing.start", {"transferMode": "ReportEvents", "traceConfig": config})
        yield events
        await self._session.send("Tracing.end")
        await complete.wait()


def _main_threads(events: Sequence[Mapping[str, Any]]) -> set[tuple[int, int]]:
    return {
        (each["pid"], each["tid"])
        for each in events
        if each["name"] == "thread_name" and each["args"]["name"] == "CrRendererMain"
    }


def frames_drawn(events: Sequence[Mapping[str, Any]]) -> int:
    """How often a main thread has handed over something new to be shown."""
    mains = _main_threads(events)
    return sum(each["name"] == "Layerize" and (each["pid"], each["tid"]) in mains for each in events)


def script_milliseconds(events: Sequence[Mapping[str, Any]]) -> float:
    """The processor time of scripts on main threads, without the layout and paint that they ask for."""
    mains = _main_threads(events)
    spans = [each for each in events if "tdur" in each and (each["pid"], each["tid"]) in mains]
    spans.sort(key=lambda each: (each["pid"], each["tts"], -each["tdur"]))
    total = 0.0
    around: list[Mapping[str, Any]] = []
    for span in spans:
        while around and not (
            around[-1]["pid"] == span["pid"] and span["tts"] < around[-1]["tts"] + around[-1]["tdur"]
        ):
            around.pop()
        if _is_script(span):
            total += span["tdur"]
        if around and _is_script(around[-1]):
            total -= span["tdur"]
        around.append(span)
    return total / 1e3


def _is_script(span: Mapping[str, Any]) -> bool:
    name: str = span["name"]
    return name in SCRIPT or name.startswith("V8.GC")


async def hearing(work: Work, colleague: Colleague) -> Figures:
    """What each of a colleague's keys costs a page in which nobody writes."""
    await colleague.types_keys(WARM_UP)
    before, began, cpu = await work.done(), now(), cpu_seconds(work.pids)
    await colleague.types_keys(KEYS)
    after, core = await work.done(), cpu_between(cpu, cpu_seconds(work.pids)) / (now() - began)
    async with work.traced() as events:
        await colleague.types_keys(KEYS)
    return {
        "remote script ms": script_milliseconds(events) / KEYS,
        "remote main thread ms": (after - before) / KEYS,
        "watching % of a core": core * 100,
    }


async def begin_to_type(page: Page) -> None:
    """Put the cursor into a line near the beginning."""
    await page.evaluate(WATCH_KEYS)
    await page.locator("#document p").nth(3).click()
    await page.keyboard.press("End")


async def typing_alone(page: Page, work: Work) -> Figures:
    """How long a key takes to the screen, and the frames that are drawn for it."""
    await works_of_keys(page, work, WARM_UP)
    await page.evaluate("keyToFrame.length = 0")
    works = await works_of_keys(page, work, KEYS)
    times: list[float] = await page.evaluate("keyToFrame")
    async with work.traced() as events:
        await works_of_keys(page, work, KEYS)
    return {
        "key alone p50 ms": median(works),
        "key to frame p50 ms": median(times),
        "frames/key": frames_drawn(events) / KEYS,
    }


async def typing_beside(page: Page, work: Work) -> Figures:
    """What the page's main thread does for each of one's own keys, the colleague's meanwhile included."""
    await works_of_keys(page, work, WARM_UP)
    ordered = sorted(await works_of_keys(page, work, KEYS))
    return {"own key p50 ms": median(ordered), "own key p95 ms": ordered[int(len(ordered) * 0.95)]}


async def works_of_keys(page: Page, work: Work, count: int) -> list[float]:
    """The milliseconds of work within each of so many keys' times."""
    works = []
    for at in range(count):
        before = await work.done()
        began = now()
        await page.keyboard.press("abcdefghij "[at % 11])
        await asyncio.sleep(max(PAUSE - (now() - began), 0))
        works.append(await work.done() - before)
    return works


@asynccontextmanager
async def chromium() -> AsyncIterator[Page]:
    """A page of a browser without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        context = await browser.new_context(viewport=VIEWPORT, service_workers="block")  # type: ignore[arg-type]
        yield await context.new_page()
        await browser.close()


def build_stock_pages() -> None:
    """The editor's pages with y-tiptap."""
    command = ["npx", "vite", "build", "--config", "binding/bench/vite.config.ts", "--logLevel", "error"]
    subprocess.run(command, cwd=WEB, check=True)


def _with_pages(kind: Kind, name: str, pages: Path) -> Kind:
    return replace(kind, name=name, command=lambda *place: [*kind.command(*place), "--pages-dir", str(pages)])


OUR_BINDING = _with_pages(OURS, "manyhands", OUR_PAGES)
STOCK = _with_pages(OURS, "y-tiptap", STOCK_PAGES)
BARE = replace(OURS, name="Chromium alone")
BOUNDS = replace(OURS, name="bound")

BOUND = {
    "first words ms": 1_000.0,
    "opened ms": 2_000.0,
    "remote script ms": 4.0,
    "watching % of a core": 10.0,
    "key to frame p50 ms": 40.0,
    "frames/key": 1.0,
    "own key p95 ms": 16.0,
    "renderer MB": 200.0,
}
"""What the figures of this binding may be at most, on an idle machine."""

SCENARIO = Scenario(
    "a document of 300 pages in a browser, with this binding and with y-tiptap",
    (OUR_BINDING, STOCK, BARE, BOUNDS),
    {"300 pages, a colleague at 10 keys/s": open_and_type},
    (*BOUND, "remote main thread ms", "key alone p50 ms", "own key p50 ms"),
)
