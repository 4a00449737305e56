"""Where one writes stays between the same letters, whatever others do to the line, in a browser with its own ideas."""

import asyncio

import pytest

from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage, agree
from tests.e2e.person import Meeting
from tests.e2e.site import Site
from tests.e2e.test_together import two_in_one_document

pytestmark = SEATED

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

HEADING, BULLETS, QUOTE, CODE = "Control+Alt+1", "Control+Shift+8", "Control+Shift+b", "Control+Alt+c"


async def goes_behind(someone: EditorPage, words: str) -> None:
    """Put the caret behind words in the middle of a line."""
    await someone.selects(words)
    await someone.press("ArrowRight")


class InputMethod:
    """What composes a word out of several keys, as for Chinese, Japanese and Korean."""

    def __init__(self, someone: EditorPage) -> None:
        self._page = someone.page

    async def composes(self, *stages: str) -> None:
        """Show what the word has become so far."""
        session = await self._page.context.new_cdp_session(self._page)
        for stage in stages:
            place = {"selectionStart": len(stage), "selectionEnd": len(stage)}
            await session.send("Input.imeSetComposition", {"text": stage, **place})

    async def ends(self, word: str) -> None:
        """The word is chosen."""
        session = await self._page.context.new_cdp_session(self._page)
        await session.send("Input.insertText", {"text": word})


async def test_a_caret_stays_in_its_words_when_the_line_is_split_before_it(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "It is a sentence with several words", "tail")
    await goes_behind(alice, "several")
    await goes_behind(bob, "It is")
    await bob.press("Enter")
    await agree(alice, bob)

    await alice.types("A")
    await agree(alice, bob)
    assert await bob.text() == "It is\n a sentence with severalA words\ntail"


@pytest.mark.parametrize("keys", [HEADING, BULLETS, QUOTE], ids=["heading", "list", "quote"])
async def test_who_types_goes_on_while_the_line_changes_its_kind(meet: Meeting, shared_site: Site, keys: str) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "A line", "words: ", "end")
    await goes_behind(alice, "words: ")
    await bob.goes("Control+Home", "ArrowDown")

    async def changes() -> None:
        await bob.sees("words: abc")
        await bob.press(keys)

    await asyncio.gather(alice.types(LETTERS, delay=40), changes())
    await alice.shows("Saved")
    await agree(alice, bob)
    assert f"words: {LETTERS}\n" in await bob.text()


@pytest.mark.parametrize(
    ("at", "keys"),
    [("one ", "Enter"), ("zero", "Enter"), ("one ", HEADING), ("one ", BULLETS)],
    ids=["split", "line above", "heading", "list"],
)
async def test_a_composed_word_comes_out_whole_while_its_line_changes(
    meet: Meeting, shared_site: Site, at: str, keys: str
) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "zero", "one two three", "four")
    await goes_behind(bob, at)
    await goes_behind(alice, "three")
    method = InputMethod(alice)
    await method.composes("か", "かん")
    await bob.sees("かん")
    before = await bob.html()
    await bob.press(keys)
    assert await bob.html() != before
    await bob.shows("Saved")
    await method.composes("かんじ", "漢字")
    await method.ends("漢字")
    await agree(alice, bob)
    assert (await bob.text()).replace("\n", "") == "zeroone two three漢字four"


async def test_a_word_composed_where_somebody_else_types_stands_once(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "one two")
    for each in (alice, bob):
        await each.goes("Control+Home", *["ArrowRight"] * len("one "))
    method = InputMethod(alice)
    await method.composes("ㅎ")
    await bob.sees("ㅎ")
    await bob.types("x")
    await bob.shows("Saved")
    await method.composes("하", "한")
    await method.ends("한")
    await alice.sees("x")
    await agree(alice, bob)
    assert (await bob.text()).replace("x", "") == "one 한two"


@pytest.mark.parametrize("keys", [HEADING, BULLETS, QUOTE, CODE], ids=["heading", "list", "quote", "code"])
async def test_undo_of_a_kind_of_block_keeps_the_caret_in_its_line(meet: Meeting, shared_site: Site, keys: str) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "first", "second", "third")
    await alice.shows("Saved")
    await alice.reloads()  # what was written is no step of undo then
    await goes_behind(alice, "first")
    before = await alice.html()
    await alice.press(keys)
    assert await alice.html() != before
    await alice.press("Control+z")
    await alice.types("A")
    await agree(alice, bob)
    assert await alice.text() == "firstA\nsecond\nthird"
