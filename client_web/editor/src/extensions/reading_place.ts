/** The place of the reader: what one reads stays where it is on the screen while others write,
 * paste or undo above.
 *
 * Browsers hold on to an element in view by themselves, and Safari does not. It would be the wrong
 * one here: when a block changes its kind, ProseMirror puts other words into the elements
 * that are there. So around a change of somebody else's, a line in view is measured: the one with
 * one's own cursor if it can be seen, else the first that can. (sheet.css takes the sheet from the
 * browser.)
 */

import { isChangeOrigin, ySyncPluginKey } from "@manyhands/binding";
import { Extension } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import type { Transaction } from "@tiptap/pm/state";
import type { EditorView } from "@tiptap/pm/view";

export const ReadingPlace = Extension.create({
  name: "readingPlace",
  dispatchTransaction({ transaction, next }) {
    const { view } = this.editor;
    const scroller = isHeld(transaction) ? scrollerOf(view.dom) : null;
    const held = scroller && !beginsBelow(transaction, view, scroller) ? linesInView(view, scroller) : [];
    const before = view.state.doc;
    next(transaction);
    if (!scroller || held.length === 0 || view.isDestroyed) return;
    const { start, find } = changeBetween(before, view.state.doc);
    for (const { at, top } of held) {
      // What has changed below moves nothing, and a layout for each of a fast typist's letters is
      // dear.
      if (start > at && !transaction.scrolledIntoView) return;
      const place = find(at);
      const element = place === null ? null : view.nodeDOM(place);
      if (!(element instanceof Element)) continue;
      scrollBy(scroller, element.getBoundingClientRect().top - top);
      return;
    }
  },
});

/**
 * What is left of earlier changes: browsers scroll by whole pixels, and a line is higher by a part
 * of one.
 */
const rest = new WeakMap<Element, number>();

function scrollBy(scroller: Element, moved: number): void {
  const wanted = moved + (rest.get(scroller) ?? 0);
  const before = scroller.scrollTop;
  scroller.scrollTop = before + wanted;
  const left = wanted - (scroller.scrollTop - before);
  // More is left at the ends of the sheet only, where it cannot be scrolled.
  rest.set(scroller, Math.abs(left) < 1 ? left : 0);
}

/** The position of a line, and how far its upper edge is below that of the window. */
interface Held {
  readonly at: number;
  readonly top: number;
}

/** So many lines are held, because the change may take some of them away. */
const MOST_HELD = 12;
const LINE = "p, h1, h2, h3, h4, h5, h6, pre";

/**
 * Others' changes, and those of one's own that lead nowhere, as a picture that has arrived. Undo
 * of one's own leads to what was undone.
 */
function isHeld(transaction: Transaction): boolean {
  if (!transaction.docChanged) return false;
  if (!isChangeOrigin(transaction)) return !transaction.scrolledIntoView;
  return transaction.getMeta(ySyncPluginKey)?.isUndoRedoOperation !== true;
}

/** Whether a change begins below what can be seen, and so moves nothing: known by one measure instead of a dozen. */
function beginsBelow(
  { mapping, scrolledIntoView }: Transaction,
  view: EditorView,
  scroller: Element,
): boolean {
  if (scrolledIntoView || mapping.maps.length !== 1) return false;
  let start = view.state.doc.content.size;
  mapping.maps[0]?.forEach((from) => {
    start = Math.min(start, from);
  });
  const { node } = view.domAtPos(start);
  const element = node instanceof Element ? node : node.parentElement;
  // To measure what is in it would have the browser lay it out.
  const section = element?.closest(".page-section");
  if (!section) return false;
  return section.getBoundingClientRect().top > scroller.getBoundingClientRect().bottom;
}

function scrollerOf(sheet: HTMLElement): Element | null {
  for (let at = sheet.parentElement; at; at = at.parentElement) {
    if (at.scrollHeight > at.clientHeight && /auto|scroll/.test(getComputedStyle(at).overflowY)) return at;
  }
  return null;
}

/** The lines to hold on to, the dearest first. */
function linesInView(view: EditorView, scroller: Element): readonly Held[] {
  const frame = scroller.getBoundingClientRect();
  const held: Held[] = [];
  const own = view.hasFocus() ? lineAt(view) : null;
  const ownFrame = own?.getBoundingClientRect();
  if (own && ownFrame && ownFrame.bottom > frame.top && ownFrame.top < frame.bottom) {
    held.push({ at: placeOf(view, own), top: ownFrame.top });
  }
  // At the upper end of a document one sees what is written there.
  const lines = scroller.scrollTop > 0 ? linesFrom(view.dom, frame.top, MOST_HELD) : [];
  return [
    ...held,
    ...lines.map((line) => ({ at: placeOf(view, line), top: line.getBoundingClientRect().top })),
  ];
}

function lineAt(view: EditorView): Element | null {
  const { node } = view.domAtPos(view.state.selection.head);
  const element = node instanceof Element ? node : node.parentElement;
  const line = element?.closest(LINE) ?? null;
  return line !== null && view.dom.contains(line) ? line : null;
}

/** The position before a line. */
function placeOf(view: EditorView, line: Element): number {
  return view.posAtDOM(line, 0) - 1;
}

/** The first lines within `parent` that end below an edge of the window. */
function linesFrom(parent: Element, edge: number, most: number): readonly Element[] {
  const { children } = parent;
  // Blocks stand below each other: of ten thousand, fourteen are measured.
  let [first, end] = [0, children.length];
  while (first < end) {
    const middle = (first + end) >> 1;
    if ((children[middle]?.getBoundingClientRect().bottom ?? 0) > edge) end = middle;
    else first = middle + 1;
  }
  const found: Element[] = [];
  for (let at = first; at < children.length && found.length < most; at += 1) {
    const child = children[at] as Element;
    if (child.matches(LINE)) found.push(child);
    else found.push(...linesFrom(child, edge, most - found.length));
  }
  return found;
}

/** The place where two documents begin to differ, and the way to find a line of the first in the second. */
export interface Change {
  readonly start: number;
  /**
   * By its place outside of what has changed, by its words within; null for a line that is gone.
   */
  readonly find: (at: number) => number | null;
}

export function changeBetween(before: Node, after: Node): Change {
  const start = before.content.findDiffStart(after.content);
  const ends = before.content.findDiffEnd(after.content);
  if (start === null || ends === null) return { start: before.content.size, find: (at) => at };
  const overlap = Math.max(0, start - Math.min(ends.a, ends.b));
  const [oldEnd, newEnd] = [ends.a + overlap, ends.b + overlap];
  const find = (at: number) => {
    const line = before.nodeAt(at);
    if (!line || at < start) return at;
    if (at >= oldEnd) return at + newEnd - oldEnd;
    if (at + line.nodeSize > oldEnd) return startOfLine(after, newEnd);
    return line.content.size === 0 ? null : likeLine(after, line, start, newEnd);
  };
  return { start, find };
}

function startOfLine(doc: Node, at: number): number | null {
  const place = doc.resolve(Math.min(at, doc.content.size));
  return place.parent.isTextblock ? place.before() : null;
}

/** The one line with the same words between two positions; null where there is none, or more. */
function likeLine(doc: Node, line: Node, from: number, to: number): number | null {
  const found: number[] = [];
  doc.nodesBetween(from, Math.min(to, doc.content.size), (node, at) => {
    if (node.isTextblock && node.eq(line)) found.push(at);
    return !node.isTextblock;
  });
  return found.length === 1 ? (found[0] ?? null) : null;
}
