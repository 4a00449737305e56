"""The rules of axe-core, and one on motion, held against what a page shows in one state after another."""

from pathlib import Path
from typing import Literal

from playwright.async_api import Page, ViewportSize

AXE = (
    (Path(__file__).parents[2] / "client_web" / "node_modules" / "axe-core" / "axe.min.js").read_text()
    + "; axe.configure({ noHtml: true });"  # copying elements is a quarter of its work
)

PHONE_SIZE = ViewportSize(width=390, height=780)

EXCEPTIONS = {
    # The focus stays in the text, whose arrow keys lead through the list and scroll it.
    "scrollable-region-focusable": ".page-caret-menu",
    # Initials are a picture of the name, which stands in the label.
    "label-content-name-mismatch": ":has(.ui-avatar)",
}
"""What may be found, by rule."""

OF_THE_WHOLE = [
    "aria-hidden-body",
    "aria-hidden-focus",
    "bypass",
    "duplicate-id-aria",
    "heading-order",
    "landmark-banner-is-top-level",
    "landmark-complementary-is-top-level",
    "landmark-contentinfo-is-top-level",
    "landmark-main-is-top-level",
    "landmark-no-duplicate-banner",
    "landmark-no-duplicate-contentinfo",
    "landmark-no-duplicate-main",
    "landmark-one-main",
    "landmark-unique",
    "page-has-heading-one",
    "region",
    "skip-link",
]
"""Rules that something may break elsewhere than where it has changed."""

LOOK = """async ([scheme, ofTheWhole, exceptions]) => {
    const [endless, ending] = [true, false].map((isEndless) =>
        document.getAnimations().filter(({ effect }) => (effect.getTiming().iterations === Infinity) === isEndless));
    // What fades in is half transparent meanwhile.
    for (const each of ending) each.finish();
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const moving = isCalm ? endless.map(({ effect }) => `moves: ${effect.target.outerHTML.slice(0, 200)}`) : [];

    const tag = (element) => element.cloneNode(false).outerHTML;
    const inside = (node) => (node.nodeType === Node.ELEMENT_NODE ? tag(node) : node.data);
    const self = (element) => [tag(element), ...Array.from(element.childNodes, inside)].join("|");
    const changed = (seen, element) => {
        if (seen.has(element.outerHTML)) return [];
        const isKnown = element === document.body || seen.has(self(element));
        return isKnown ? [...element.children].flatMap((child) => changed(seen, child)) : [element];
    };
    const places = () => {
        const size = `${innerWidth} ${innerHeight}`;
        const seen = window.lookedAt?.size === size ? window.lookedAt.seen : null;
        const found = seen ? changed(seen, document.body) : [document];
        window.lookedAt = { size, found, seen: seen ?? new Set() };
        for (const each of document.querySelectorAll("body, body *"))
            window.lookedAt.seen.add(self(each)).add(each.outerHTML);
        return found;
    };

    const at = (target) => document.querySelector(target.join(" "));
    const findings = async (include, options) => {
        if (include.length === 0) return [];
        const { violations } = await axe.run({ include }, { resultTypes: ["violations"], ...options });
        return violations.flatMap(({ id, nodes }) =>
            nodes
                .filter(({ target }) => !(id in exceptions && at(target)?.matches(exceptions[id])))
                .map(({ target, failureSummary }) => `${id}: ${at(target)?.outerHTML.slice(0, 200)}: ${failureSummary}`));
    };
    const only = (values) => ({ runOnly: { type: "rule", values } });
    if (scheme === "dark") {
        const { found } = window.lookedAt;
        return findings(found.every((each) => each.isConnected) ? found : [document], only(["color-contrast"]));
    }
    const found = places();
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const rules = { "label-content-name-mismatch": { enabled: true } };
    const here = await findings(found, { runOnly: { type: "tag", values: tags }, rules });
    const elsewhere = found[0] === document ? [] : await findings([document], only(ofTheWhole));
    return [...moving, ...here, ...elsewhere];
}"""
"""Looks at the whole page once in each size, and later where the page shows what no look has met.

Before a person who asks for less motion, nothing may move without end.
"""


class Inspection:
    """Findings over many states of many pages. A look at a whole page costs a third of a second of processor time."""

    def __init__(self) -> None:
        self._findings: list[str] = []

    async def look(self, page: Page, state: str) -> None:
        """Hold all rules against the page in light colours, as it is shown, and those of contrast in dark ones."""
        if not await page.evaluate("'axe' in window"):
            await page.evaluate(AXE)
        await self._hold(page, state, "light")
        if await page.evaluate("window.lookedAt.found.length > 0"):
            await page.emulate_media(color_scheme="dark")
            await self._hold(page, state, "dark")
            await page.emulate_media(color_scheme="light")

    async def _hold(self, page: Page, state: str, scheme: Literal["light", "dark"]) -> None:
        found: list[str] = await page.evaluate(LOOK, [scheme, OF_THE_WHOLE, EXCEPTIONS])
        self._findings += [f"{state}, {scheme}: {words}" for words in found]

    def finds_nothing(self) -> None:
        assert not self._findings, "\n".join(self._findings)


async def suits_everybody(page: Page, state: str) -> None:
    """Hold the rules against a state of a page that is open anyway: at its own size, and at a phone's."""
    seen = Inspection()
    await seen.look(page, state)
    size = page.viewport_size
    assert size is not None
    await page.set_viewport_size(PHONE_SIZE)
    await seen.look(page, f"{state}, as wide as a phone")
    await page.set_viewport_size(size)
    seen.finds_nothing()
