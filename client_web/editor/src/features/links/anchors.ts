/** Headings as places that links lead to: a heading gets an anchor when the first link to it is made. */

import type { Editor } from "@tiptap/core";
import { TextSelection } from "@tiptap/pm/state";
import { bringIntoView } from "../../extensions/sections";
import { type Heading, outlineOf } from "../../page/outline";

/** Headings whose text begins with the words, or has them within. */
export function headingsFor({ state: { doc } }: Editor, query: string, most: number): readonly Heading[] {
  const wanted = query.trim().replace(/^#/, "").toLowerCase();
  return outlineOf(doc)
    .filter(({ text }) => text.toLowerCase().includes(wanted))
    .slice(0, most);
}

/** Returns the address of the heading at `at`, which is given an anchor if it has none. */
export function addressOfHeading({ state, view }: Editor, at: number): string {
  const kept: unknown = state.doc.nodeAt(at)?.attrs.anchor;
  if (typeof kept === "string") return `#h-${kept}`;
  const anchor = crypto.randomUUID().slice(0, 8);
  view.dispatch(state.tr.setNodeAttribute(at, "anchor", anchor));
  return `#h-${anchor}`;
}

/** The heading with an anchor; of two copies the first one. */
export function headingAt({ state: { doc } }: Editor, anchor: string): { at: number; text: string } | null {
  let found: { at: number; text: string } | null = null;
  doc.descendants((node, at) => {
    if (found === null && node.attrs.anchor === anchor) found = { at, text: node.textContent.trim() };
    return found === null && !node.isTextblock;
  });
  return found;
}

/** Puts the cursor at the heading and the heading into view. */
export function goToHeading({ state, view }: Editor, at: number): void {
  view.dispatch(state.tr.setSelection(TextSelection.near(state.doc.resolve(at + 1))));
  const dom = view.nodeDOM(at);
  if (dom instanceof Element) bringIntoView(dom, "start");
  view.focus();
}
