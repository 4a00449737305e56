/** Light on the hits in view, and the way to the present one. */

import type { Editor } from "@tiptap/core";
import { reveal } from "../../extensions/collapsibles";
import { goTo } from "../../extensions/sections";
import { clear, paint, rangeOf, type Span } from "../../page/highlights";
import type { Found } from "./finder";

const HITS = "find-hit";
const PRESENT = "find-present";

/** Pixels above and below the view in which hits are lit, too. */
const MARGIN = 200;

export function light(editor: Editor, { spans, current }: Found): void {
  if (editor.isDestroyed) return;
  const view = inView(editor);
  const present = spans[current];
  paint(
    HITS,
    editor,
    spans.filter((span) => span !== present && span.to > view.from && span.from < view.to),
  );
  paint(PRESENT, editor, present ? [present] : []);
}

export function darken(): void {
  clear(HITS);
  clear(PRESENT);
}

/** Scrolls as little as need be; a hit out of view comes into its middle. */
export function lead(editor: Editor, span: Span): void {
  if (editor.isDestroyed) return;
  reveal(editor, span.from);
  const range = rangeOf(editor, span);
  const element = range.startContainer.parentElement;
  const desk = element?.closest(".page-desk");
  if (!element || !desk) return;
  const frame = desk.getBoundingClientRect();
  const isSeen = () => {
    const { top, bottom } = range.getBoundingClientRect();
    return top > frame.top + covered(frame.top) && bottom < frame.bottom;
  };
  goTo(element, () => {
    if (isSeen()) return;
    element.scrollIntoView({ block: "center" });
    // A paragraph may be longer than the view.
    if (!isSeen()) desk.scrollTop += range.getBoundingClientRect().top - (frame.top + frame.height / 2);
  });
}

/** How far the panel reaches down over the text. */
function covered(top: number): number {
  return Math.max(0, (document.querySelector(".find")?.getBoundingClientRect().bottom ?? 0) - top);
}

function inView({ view, state }: Editor): Span {
  const desk = view.dom.closest(".page-desk")?.getBoundingClientRect();
  const sheet = view.dom.getBoundingClientRect();
  if (!desk) return { from: 0, to: state.doc.content.size };
  const left = sheet.left + sheet.width / 2;
  const placeAt = (top: number) => view.posAtCoords({ left, top })?.pos;
  return {
    from: placeAt(Math.max(desk.top - MARGIN, sheet.top + 1)) ?? 0,
    to: placeAt(Math.min(desk.bottom + MARGIN, sheet.bottom - 1)) ?? state.doc.content.size,
  };
}
