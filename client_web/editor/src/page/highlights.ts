/** Highlights of places in the text, drawn by the browser without a change of the text's elements.
 *
 * Firefox draws them from version 140 on. Nothing may depend on them alone.
 */

import type { Editor } from "@tiptap/core";

/** Positions in the editor's document. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Lights up places under a name that a style sheet knows as `::highlight(name)`. An empty place lights up its neighbours. */
export function paint(name: string, editor: Editor, spans: readonly Span[]): void {
  if (typeof CSS === "undefined" || !("highlights" in CSS)) return;
  const ranges = spans.map((span) =>
    rangeOf(editor, span.from === span.to ? around(editor, span.from) : span),
  );
  CSS.highlights.set(name, new Highlight(...ranges));
}

export function clear(name: string): void {
  if (typeof CSS !== "undefined" && "highlights" in CSS) CSS.highlights.delete(name);
}

export function rangeOf({ view }: Editor, { from, to }: Span): Range {
  const [start, end] = [view.domAtPos(from, 1), view.domAtPos(to, -1)];
  const range = document.createRange();
  range.setStart(start.node, start.offset);
  range.setEnd(end.node, end.offset);
  return range;
}

function around({ state }: Editor, at: number): Span {
  const place = state.doc.resolve(at);
  return { from: Math.max(at - 1, place.start()), to: Math.min(at + 1, place.end()) };
}
