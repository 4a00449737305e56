"""Words survive structure: what one person types lives on whatever another makes of the block meanwhile."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.e2e.line import Line
from tests.e2e.marks import SEATED
from tests.e2e.pages import KEPT, EditorPage
from tests.e2e.person import NETWORK, Meeting, finds_the_network, loses_the_network
from tests.e2e.restructuring import (
    KINDS_OF_BLOCK,
    LINES,
    Act,
    all_is_saved,
    begin,
    changes_table,
    presses,
    said,
    types_under,
    uses,
)
from tests.e2e.site import Site
from tests.harness.ports import quiet_port
from tests.harness.relay import Relay

pytestmark = SEATED

FAST, SLOW = 50, 140
"""Milliseconds between keys: 20 and 7 keys a second."""

LATE = 0.06
"""Seconds by which the server's words are late: more than a key of a fast typist."""

LONGEST_STEP = 40
"""Letters that one press of Undo may take."""

MOST_STEPS = 60
"""Undo steps that the words of one story may be."""


@dataclass(frozen=True)
class Story:
    """What is there at first, what Bob does, and what is there in the end, with Alice's words at `{}`."""

    before: str
    acts: Sequence[Act]
    after: str


def table_of(*rows: Sequence[str]) -> str:
    """A table as the sheet shows it, of rows with the tags of the cells in front; and the line under it."""
    columns = len(rows[0]) - 1
    frame = "".join('<col style="min-width: 48px;">' for _ in range(columns))
    shown = ""
    for tags, *cells in rows:
        kinds = tags.split() if " " in tags else [tags] * columns
        pairs = zip(kinds, cells, strict=True)
        inner = "".join(f'<{kind} colspan="1" rowspan="1"><p>{words}</p></{kind}>' for kind, words in pairs)
        shown += f"<tr>{inner}</tr>"
    table = f'<table style="min-width: {48 * columns}px;"><colgroup>{frame}</colgroup><tbody>{shown}</tbody></table>'
    return f'<div class="tableWrapper">{table}</div><p>under</p>'


STORIES = {
    "kinds of block": Story(LINES, KINDS_OF_BLOCK, "<p>over</p><h1>head {}tail</h1><p>under</p>"),
    "items of a list": Story(
        "<ul><li><p>over</p></li><li><p>head tail</p></li><li><p>under</p></li></ul>",
        (
            presses("Tab"),
            presses("Shift+Tab"),
            uses("Increase indent"),
            presses("Control+Shift+7"),
            presses("Shift+Tab"),
            presses("Control+Shift+9"),
            presses("Shift+Tab"),
        ),
        "<ul><li><p>over</p></li></ul><p>head {}tail</p><ul><li><p>under</p></li></ul>",
    ),
    "joined and split": Story(
        LINES,
        (
            presses("Backspace"),
            presses("Enter"),
            presses("Control+ArrowRight", "Enter"),
            presses("Backspace"),
            presses("Enter"),
            presses("Control+Alt+2"),
        ),
        "<p>over</p><p>head</p><h2> {}tail</h2><p>under</p>",
    ),
    "a cell": Story(
        "<table><tr><th>head tail</th><th>side</th></tr><tr><td>foot</td><td>corner</td></tr></table><p>under</p>",
        (
            changes_table("Table", "Header row"),
            changes_table("Column", "Insert to the left"),
            changes_table("Row", "Insert above"),
            changes_table("Table", "Header column"),
            changes_table("Table", "Header row"),
            changes_table("Column", "Insert to the right"),
        ),
        table_of(
            ("th", "", "", "", ""),
            ("th td td td", "", "head {}tail", "", "side"),
            ("th td td td", "", "foot", "", "corner"),
        ),
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_late(shared_site: Site) -> AsyncIterator[Relay]:
    async with Relay(quiet_port(), shared_site.port) as relay:
        yield relay


@pytest.fixture
def late(shared_late: Relay) -> Relay:
    """Everybody's line, which can be made slow."""
    shared_late.delay = 0
    return shared_late


@pytest_asyncio.fixture(loop_scope="session")
async def pair(meet: Meeting, shared_site: Site) -> tuple[EditorPage, EditorPage]:
    """Alice's page and Bob's, with the same document."""
    document_id = await shared_site.new_document()
    return await (await meet("Alice")).opens(document_id), await (await meet("Bob")).opens(document_id)


async def goes_back(alice: EditorPage, key: str, words: str) -> None:
    """Press Undo or Redo until just these of the words are there."""
    for _ in range(MOST_STEPS):
        await alice.press(key)
        if said(await alice.text()) == said(words):
            return
    raise AssertionError(f"{key} does not lead to {words!r}: {await alice.html()}")


@pytest.mark.parametrize(("delay", "between", "lateness"), [(FAST, 2, LATE), (SLOW, 1, 0)])
async def test_alice_types_on_in_a_block_that_bob_changes(
    meet: Meeting, shared_site: Site, late: Relay, delay: float, between: int, lateness: float
) -> None:
    document_id = await shared_site.new_document()
    url = f"http://127.0.0.1:{late.port}"
    alice, bob = [await (await meet(name, at=url)).opens(document_id) for name in ("Alice", "Bob")]
    late.delay = lateness
    for name, story in STORIES.items():
        await begin(alice, bob, story.before)
        words = await types_under(alice, bob, story.acts, delay, between)
        assert await all_is_saved(alice, bob) == story.after.format(words), name

        await alice.press("Control+z")
        left = said(await alice.text())
        if left == said(words):  # a busy machine gives the last space a step of its own
            await alice.press("Control+z")
            left = said(await alice.text())
        assert 0 < len(said(words)) - len(left) <= LONGEST_STEP
        assert said(words).startswith(left)
        await goes_back(alice, "Control+z", "")
        assert await all_is_saved(alice, bob) == story.after.format(""), name
        await goes_back(alice, "Control+y", words)
        await alice.press("Control+y")  # the last space, if it has a step of its own
        assert await all_is_saved(alice, bob) == story.after.format(words), name
    assert shared_site.complaints("rescue_failed") == []


async def cuts_and_pastes(bob: EditorPage) -> None:
    await bob.press("Home", "Shift+ArrowDown", "Control+x")
    await bob.press("Control+End", "Enter", "Control+v", "Backspace")


async def drags_to_the_next_line(bob: EditorPage) -> None:
    line, under = bob.sheet.get_by_text("head"), bob.sheet.get_by_text("under")
    await line.click(click_count=3)
    await line.drag_to(under, source_position={"x": 20, "y": 12}, target_position={"x": 2, "y": 12}, steps=4)


async def pastes_over_everything(bob: EditorPage) -> None:
    await bob.press("Control+a")
    await bob.pastes("text/html", "<p>another</p><p>page</p>")


async def deletes_the_line(bob: EditorPage) -> None:
    await bob.press("Home", "Shift+ArrowDown", "Backspace")


@pytest.mark.parametrize(
    ("act", "is_put_elsewhere"),
    [
        (cuts_and_pastes, True),
        (drags_to_the_next_line, True),
        (pastes_over_everything, False),
        (deletes_the_line, False),
    ],
)
async def test_what_bob_has_not_seen_of_a_line_that_he_takes_away_stays(
    pair: tuple[EditorPage, EditorPage], act: Act, is_put_elsewhere: bool
) -> None:
    """What he has seen goes where he puts it, or is deleted. Her other words stay in their order, and she types on."""
    alice, bob = pair
    await begin(alice, bob, LINES)
    words = await types_under(alice, bob, [act], FAST, between=3)
    await all_is_saved(alice, bob)
    *stayed, last = [said(line) for line in (await alice.text()).split("\n") if said(line)]
    if is_put_elsewhere:
        assert last + "".join(stayed) == said(words)
    else:
        assert said(words).endswith("".join(stayed) + last)
        assert last.endswith("w05")
    await alice.types("w06 ")
    await bob.sees("w05 w06 ")


OFFLINE: Sequence[tuple[str, Act, str]] = (
    ("<p>head tail</p>", presses("Control+Alt+2"), "<h2>head {}tail</h2>"),
    ("<p>head tail</p>", uses("Bulleted list"), "<ul><li><p>head {}tail</p></li></ul>"),
    ("<h3>head tail</h3>", presses("Control+Alt+0"), "<p>head {}tail</p>"),
    ("<p>head tail</p>", presses("Control+Alt+c"), "<pre><code>head {}tail</code></pre>"),
    ("<p>head tail</p>", presses("Control+Shift+b"), "<blockquote><p>head {}tail</p></blockquote>"),
    ("<p>over</p><p>head tail</p>", presses("Backspace"), "<p>overhead {}tail</p>"),
    ("<p>head tail</p>", presses("Control+ArrowRight", "Enter"), "<p>head</p><p> {}tail</p>"),
)
"""Blocks that Alice writes in without a network, what Bob does to each, and what becomes of it."""


async def goes_into(editor: EditorPage, number: int, *keys: str) -> None:
    """Put the cursor at the end of the line of this number among those with “head tail”, and press keys."""
    await editor.sheet.get_by_text(re.compile("^(over)?head .*tail$")).nth(number).click()
    await editor.press("End", *keys)


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_what_alice_types_without_a_network_is_in_the_blocks_that_bob_makes(
    meet: Meeting, shared_site: Site, line: Line, is_restarted: bool
) -> None:
    document_id = await shared_site.new_document()
    person = await meet("Alice", at=line.url)
    person.expects(NETWORK)
    alice, bob = await person.opens(document_id), await (await meet("Bob")).opens(document_id)
    await begin(alice, bob, "".join(before for before, _, _ in OFFLINE))
    await alice.shows("Saved")
    await alice.can_be_reopened_offline()

    await loses_the_network(person, line)
    await alice.shows("Offline")
    for number in range(len(OFFLINE)):
        await goes_into(alice, number, "Control+ArrowLeft")
        await alice.types("w00 w01 ")
    await alice.shows(KEPT)
    for number, (_, act, _) in enumerate(OFFLINE):
        await goes_into(bob, number, "Home")
        await act(bob)
    await bob.shows("Saved")
    if is_restarted:
        await alice.reloads()
    for number in range(len(OFFLINE)):
        await goes_into(alice, number, "Control+ArrowLeft")
        await alice.types("w02 ")
    await alice.shows(KEPT)

    await finds_the_network(person, line)
    await alice.types("w03 ")
    html = "".join(after.format("w00 w01 w02 ") for _, _, after in OFFLINE[:-1])
    last = OFFLINE[-1][2].format("w00 w01 w02 w03 ")
    assert await all_is_saved(alice, bob) == html + last
    before = "w00 w01 " if is_restarted else ""  # a page that is gone took its undo steps with it
    await goes_back(alice, "Control+z", before * len(OFFLINE))
    assert await all_is_saved(alice, bob) == "".join(after.format(before) for _, _, after in OFFLINE)
    assert shared_site.complaints("rescue_failed") == []
