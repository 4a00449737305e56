"""Acts that change the block under somebody's fingers, and somebody who types on meanwhile.

Alice types numbered words in the middle of the line “head tail” and never touches the mouse. Bob's
cursor is at the start of that line. He acts each time he sees the next few words, so keys of hers
are under way whenever he acts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from tests.e2e.pages import EditorPage, agree
from tests.harness.bell import PATIENCE

Act = Callable[[EditorPage], Awaitable[None]]


def presses(*keys: str) -> Act:
    return lambda bob: bob.press(*keys)


def uses(tool: str) -> Act:
    return lambda bob: bob.uses(tool)


def chooses_style(style: str) -> Act:
    return lambda bob: bob.chooses_style(style)


def changes_table(menu: str, item: str) -> Act:
    return lambda bob: bob.changes_table(menu, item)


LINES = "<p>over</p><p>head tail</p><p>under</p>"

KINDS_OF_BLOCK: Sequence[Act] = (
    presses("Control+Alt+2"),
    chooses_style("Heading 3"),
    presses("Control+Alt+0"),
    uses("Bulleted list"),
    presses("Control+Shift+7"),
    presses("Control+Shift+9"),
    uses("Decrease indent"),
    uses("Quote"),
    presses("Control+Shift+b"),
    presses("Control+Alt+c"),
    uses("Code block"),
    presses("Control+Alt+1"),
)

SOME_KINDS_OF_BLOCK: Sequence[Act] = (
    presses("Control+Alt+2"),
    uses("Bulleted list"),
    uses("Decrease indent"),
    uses("Quote"),
    presses("Control+Shift+b"),
    presses("Control+Alt+1"),
)
"""For stories in which more happens than this."""


def numbered(first: int, end: int) -> str:
    return "".join(f"w{number:02} " for number in range(first, end))


def said(text: str) -> str:
    """The numbered words of a text, without what is between them."""
    return "".join(letter for letter in text if letter == "w" or letter.isdigit())


HAVE_COME = """(sheet, words) => new Promise((come) => {
    const look = () => {
        if (!sheet.textContent.includes(words)) return;
        changes.disconnect();
        come();
    };
    const changes = new MutationObserver(look);
    changes.observe(sheet, { subtree: true, childList: true, characterData: true });
    look();
})"""


async def has_come(reader: EditorPage, words: str) -> None:
    """Wait until the sheet shows the words, looking at each change: a look with each frame makes the page draw them all."""
    async with asyncio.timeout(PATIENCE):
        await reader.sheet.evaluate(HAVE_COME, words)


async def begin(alice: EditorPage, bob: EditorPage, html: str) -> None:
    """Bob replaces the whole document, and both go where the story begins."""
    await bob.goes("Control+a", "Backspace")
    await bob.pastes("text/html", html)
    await agree(alice, bob)
    await bob.goes_after("head tail")
    await bob.press("Home")
    await alice.goes_after("head tail")
    await alice.press("Control+ArrowLeft")


async def types_under(alice: EditorPage, bob: EditorPage, acts: Sequence[Act], delay: float, between: int = 2) -> str:
    """Alice types until Bob has done all acts, one after each few words; what she has typed.

    Args:
        alice: types at her cursor.
        bob: acts at his.
        acts: in their order.
        delay: milliseconds between keys.
        between: words between acts.
    """
    words = numbered(0, between * (len(acts) + 1))
    async with asyncio.TaskGroup() as both:
        both.create_task(alice.types(words, delay=delay))
        for number, act in enumerate(acts):
            await has_come(bob, f"w{between * (number + 1) - 1:02}")
            await act(bob)
    return words


async def all_is_saved(*editors: EditorPage) -> str:
    """Wait until everybody's page says so and all sheets show the same; returns that."""
    await asyncio.gather(*(editor.shows("Saved") for editor in editors))
    return await agree(*editors)
