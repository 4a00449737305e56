/** Collapsibles on the page: each reader opens and closes them for themselves. */

import { Details as DetailsOfSchema } from "@manyhands/schema";
import type { Editor } from "@tiptap/core";

export const Details = DetailsOfSchema.configure({
  renderToggleButton: ({ element, isOpen, node }) => {
    const summary = node.firstChild?.textContent.trim() ?? "";
    element.setAttribute("aria-label", summary === "" ? "Collapsible section" : summary);
    element.setAttribute("aria-expanded", String(isOpen));
  },
});

/** Opens the collapsible that the cursor is in. */
export function openCollapsible({ view, state }: Editor): void {
  const { $from } = state.selection;
  for (let depth = $from.depth; depth > 0; depth -= 1) {
    if ($from.node(depth).type.name !== "details") continue;
    open(view.nodeDOM($from.before(depth)));
    return;
  }
}

/** Opens every collapsible around a place, so that the place can be seen. */
export function reveal({ view, state }: Editor, at: number): void {
  const place = state.doc.resolve(at);
  for (let depth = 1; depth <= place.depth; depth += 1) {
    if (place.node(depth).type.name === "details") open(view.nodeDOM(place.before(depth)));
  }
}

function open(collapsible: globalThis.Node | null): void {
  if (!(collapsible instanceof HTMLElement) || collapsible.classList.contains("is-open")) return;
  collapsible.querySelector<HTMLElement>(":scope > button")?.click();
}
