"""A crowd of suggestions: as many cards as have room are in the page, and the active one is beside its words."""

from playwright.async_api import expect

from tests.e2e.marks import SEATED
from tests.e2e.person import Meeting

pytestmark = SEATED

CROWD = """() => {
    const { schema, state, view } = document.getElementById("document").editor;
    const line = (_, at) => schema.nodes.paragraph.create(null, [
        schema.text("some plain words "),
        schema.text(`struck ${at}`, [schema.marks.deletion.create({ id: `s${at}`, user: "zoe", at: 1 })]),
    ]);
    view.dispatch(state.tr.insert(0, Array.from({ length: 400 }, line)));
}"""
"""Writes 400 lines, each of which has a suggestion, a third as high as its card."""

IS_BESIDE = """(most) => {
    const edges = (element) => element.getBoundingClientRect();
    const cards = [...document.querySelectorAll(".margin-card")].map(edges).sort((one, other) => one.top - other.top);
    const active = document.querySelector(".margin-card[data-active]");
    const words = document.querySelector(`del[data-suggestion="${active.dataset.card}"]`);
    const isClear = cards.slice(1).every(({ top }, at) => top >= cards[at].bottom);
    return isClear && Math.abs(edges(active).top - edges(words).top) <= most;
}"""
"""Whether no card covers another one, and the active one is at most so many pixels from its words."""

MOST_CARDS = 20
"""In a window of 720 pixels, of which each card takes 84."""

FIRST = 2
"""A suggestion near the upper edge of the margin."""


async def test_of_many_cards_the_active_one_is_beside_its_words(meet: Meeting) -> None:
    alice = await (await (await meet("Alice")).opens_documents()).makes_document()
    await expect(alice.sheet).to_be_focused()
    await alice.page.evaluate(CROWD)
    for number in (200, 207, FIRST, 395):
        words = alice.page.locator(f'del[data-suggestion="s{number}"]')
        await words.scroll_into_view_if_needed()
        await words.click()
        active = alice.page.locator(f'.margin-card[data-card="s{number}"][data-active]')
        await expect(active).to_be_visible()
        # A card glides to its place. At the upper edge those above have room, up to a bound.
        await alice.page.wait_for_function(IS_BESIDE, arg=240 if number == FIRST else 4)
        assert await alice.page.locator(".margin-card").count() <= MOST_CARDS
