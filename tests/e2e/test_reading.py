"""Documents as they are read: aloud, searched, from right to left, and while others write above."""

from typing import Any

from playwright.async_api import expect

from tests.e2e.marks import BROWSER
from tests.e2e.pages import EditorPage, until
from tests.e2e.person import Meeting
from tests.e2e.site import Site
from tests.e2e.test_together import two_in_one_document

pytestmark = BROWSER


async def spoken(editor: EditorPage) -> list[str]:
    """The texts that the browser gives to screen readers, in order."""
    tree: dict[str, Any] = await (await editor.page.context.new_cdp_session(editor.page)).send(
        "Accessibility.getFullAXTree"
    )
    words = (node for node in tree["nodes"] if not node["ignored"] and node["role"]["value"] == "StaticText")
    return [node["name"]["value"] for node in words]


async def test_the_name_on_a_caret_is_for_the_eyes_alone(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "Hello world")
    await bob.goes("Control+End", *["ArrowLeft"] * len("rld"))
    await expect(alice.caret_of("Bob")).to_be_visible()

    async def is_drawn_in_the_word() -> bool:
        return "rld" in await spoken(alice)

    await until(is_drawn_in_the_word)
    heard = await spoken(alice)
    assert heard[heard.index("Hello wo") :][:2] == ["Hello wo", "rld"]
    assert "Bob" not in heard
    assert await alice.sheet.evaluate("(sheet) => sheet.textContent") == "Hello world"
    assert await alice.page.evaluate("find('Hello world', false, false, true)"), (
        "a search finds the word around the caret"
    )
    assert not await alice.page.evaluate("find('Bob', false, false, true)"), "a search does not find the name"
