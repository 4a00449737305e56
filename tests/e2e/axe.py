"""The rules of axe-core, held against what a page shows in one state after another."""

from pathlib import Path
from typing import Literal

from playwright.async_api import Page, ViewportSize

AXE = (Path(__file__).parents[2] / "client_web" / "node_modules" / "axe-core" / "axe.min.js").read_text()

PHONE_SIZE = ViewportSize(width=390, height=780)

EXCEPTIONS = {
    # The focus stays in the text, whose arrow keys lead through the list and scroll it.
    "scrollable-region-focusable": ".page-caret-menu",
    # Initials are a picture of the name, which stands in the label.
    "label-content-name-mismatch": ":has(.ui-avatar)",
}
"""What may be found, by rule."""

RUN = """async ([rules, exceptions]) => {
    // What fades in is half transparent meanwhile.
    for (const each of document.getAnimations()) if (each.effect.getTiming().iterations !== Infinity) each.finish();
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await axe.run(document, {
        resultTypes: ["violations"],
        runOnly: rules ? { type: "rule", values: rules } : { type: "tag", values: tags },
        rules: rules ? {} : { "label-content-name-mismatch": { enabled: true } },
    });
    return violations.flatMap(({ id, nodes }) =>
        nodes
            .filter(({ target }) => !(id in exceptions && document.querySelector(target.join(" "))?.matches(exceptions[id])))
            .map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}: ${failureSummary}`));
}"""


class Inspection:
    """Findings over many states of many pages."""

    def __init__(self) -> None:
        self._findings: list[str] = []

    async def look(self, page: Page, state: str) -> None:
        """Hold all rules against the page in light colours, and those of contrast in dark ones."""
        if not await page.evaluate("'axe' in window"):
            await page.evaluate(AXE)
        schemes: dict[Literal["light", "dark"], list[str] | None] = {"light": None, "dark": ["color-contrast"]}
        for scheme, rules in schemes.items():
            await page.emulate_media(color_scheme=scheme)
            found: list[str] = await page.evaluate(RUN, [rules, EXCEPTIONS])
            self._findings += [f"{state}, {scheme}: {words}" for words in found]
        await page.emulate_media(color_scheme="null")

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
