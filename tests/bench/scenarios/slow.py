"""A document's page is opened for the first time over a slow line: until something is painted, until words can be read.

The line is Chromium's own: a wait for each request, and one width for everything that comes. What
is measured besides is the machine's; on a busy one, the least of several openings says most.
"""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from tests.bench.contents import settle
from tests.bench.fleet import join, leave
from tests.bench.meter import Meter
from tests.bench.scenario import Pace, Scenario
from tests.bench.scenarios.browser import OUR_BINDING, VIEWPORT
from tests.bench.servers import Kind, Running
from tests.bench.table import Figures
from tests.e2e.browser import CHROMIUM, SWITCHES
from tests.harness.traces import read_trace

OPENINGS = 3
"""Each in a fresh context, with nothing on the device."""

PARAGRAPHS, LENGTH = 100, 560
"""Of the end of a paper that people have typed, and characters in each: 15 pages. Alike ones would be packed to nothing."""

STEP_SECONDS = 90.0
"""That a step may take before the run goes on without it."""

BEGINNING = "The first words. "
WATCH = """() => {
    window.times = {};
    const note = (name) => { window.times[name] ??= performance.now(); };
    const shows = (selector) => {
        const line = document.querySelector(selector);
        return line !== null && line.textContent.includes("BEGINNING") && line.getBoundingClientRect().top < innerHeight;
    };
    const look = () => {
        if (shows(".early-words, #document")) setTimeout(() => note("words"));
        if (shows("#document[contenteditable=true]")) setTimeout(() => note("editable"));
        if (!("editable" in window.times)) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}""".replace("BEGINNING", BEGINNING)
"""Notes when a frame has been made that shows the first line: as words to read, and as words to write in."""

NOTED = """(name) => name in window.times"""
FIGURES = """() => ({
    "first paint ms": performance.getEntriesByName("first-contentful-paint")[0].startTime,
    "words ms": window.times.words,
    "editable ms": window.times.editable,
    "kB until editable": performance.getEntries().reduce((sum, each) => sum + (each.transferSize ?? 0), 0) / 1e3,
})"""


def prose() -> bytes:
    """The document, as one update."""
    doc, text = Doc[Any](), " ".join(read_trace("automerge-paper").end.split())
    lines = [text[at * LENGTH : (at + 1) * LENGTH] for at in range(PARAGRAPHS)]
    root = doc.get("default", type=XmlFragment)
    with doc.transaction():
        for line in (BEGINNING + lines[0], *lines[1:]):
            root.children.append(XmlElement("paragraph")).children.append(XmlText(line))
    return doc.get_update()


async def open_slowly(kind: Kind, directory: Path, _pace: Pace, *, latency: float, kilobits: float) -> Figures:
    """Open a document of 15 pages over a line of so many milliseconds a request and so many kilobits a second."""
    if kind is BOUNDS:
        return BOUND
    async with Running(kind, directory) as server, async_playwright() as playwright:
        (document,) = await server.new_documents(1)
        (member,) = await join(server, document, 1, Meter())
        member.transport.write(member.write_update(member.meter.send(member, 0), prose()))
        await settle(server)
        leave([member])
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        url = f"http://127.0.0.1:{server.port}/d/{document}"
        openings = [await _open(browser, url, latency, kilobits) for _ in range(OPENINGS)]
        await browser.close()
    return {name: min(each[name] for each in openings) for name in openings[0]}


async def _open(browser: Browser, url: str, latency: float, kilobits: float) -> Figures:
    context = await browser.new_context(viewport=VIEWPORT, service_workers="block")  # type: ignore[arg-type]
    page = await context.new_page()
    await page.add_init_script(f"({WATCH})()")
    line = await context.new_cdp_session(page)
    width = kilobits * 1000 / 8
    await line.send("Network.enable")
    await line.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": latency, "downloadThroughput": width, "uploadThroughput": width},
    )
    async with asyncio.timeout(STEP_SECONDS):
        await page.goto(url, wait_until="commit", timeout=STEP_SECONDS * 1e3)
        for name in ("words", "editable"):
            await page.wait_for_function(NOTED, arg=name, polling=100, timeout=STEP_SECONDS * 1e3)
    figures: Figures = await page.evaluate(FIGURES)
    await context.close()
    return figures


BOUNDS = replace(OUR_BINDING, name="bound")
BOUND = {"first paint ms": 1_000.0, "words ms": 3_000.0}
"""What a first visit may take over the first of the lines, on an idle machine."""

SCENARIO = Scenario(
    "a document of 15 pages is opened for the first time over a slow line",
    (OUR_BINDING, BOUNDS),
    {
        "400 ms a request, 400 kbit/s": partial(open_slowly, latency=400, kilobits=400),
        "150 ms a request, 1.6 Mbit/s": partial(open_slowly, latency=150, kilobits=1600),
    },
    ("first paint ms", "words ms", "editable ms"),
)
