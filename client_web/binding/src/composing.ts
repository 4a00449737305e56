/** A line in which a word is being composed while others change the line.
 *
 * An input method loses its word when the line around the word is drawn anew. So the line stays as
 * it is, and what is composed stays out of the shared document, until the word is done. Then the
 * line is drawn as the others left it, and the word is typed into it at its place.
 */

import type { Node } from "prosemirror-model";
import { type EditorState, TextSelection, type Transaction } from "prosemirror-state";
import * as Y from "yjs";
import { type Difference, differenceOf } from "./difference.js";
import type { Run } from "./pending.js";
import { type Nodes, typeIn, type YType } from "./positions.js";
import { endIn, type Memory } from "./selection.js";

/** The line with the caret, as it was before others changed it. */
export interface ComposedLine {
  readonly element: Y.XmlElement;
  readonly node: Node;
  /** The characters and elements of the line, in order. */
  readonly runs: readonly Run[];
  readonly start: Y.RelativePosition;
}

export function composedLine(
  { selection }: EditorState,
  root: Y.XmlFragment,
  nodes: Nodes,
): ComposedLine | null {
  const { $head } = selection;
  let type: YType = root;
  for (let depth = 1; depth <= $head.depth; depth += 1) {
    const child = childWith($head.node(depth), type, nodes);
    if (!child) return null;
    type = child;
  }
  if (!(type instanceof Y.XmlElement) || !$head.parent.isTextblock) return null;
  return { element: type, node: $head.parent, runs: runsOf(type), start: startOf(type) };
}

function childWith(node: Node, parent: YType, nodes: Nodes): YType | null {
  for (let item = parent._first; item; item = item.next) {
    const type = typeIn(item);
    if (type && nodes.get(type) === node) return type;
  }
  return null;
}

function runsOf(element: Y.XmlElement): readonly Run[] {
  const runs: Run[] = [];
  for (let item = element._first; item; item = item.next) {
    const type = typeIn(item);
    if (!(type instanceof Y.XmlText)) {
      runs.push({ ...item.id, length: 1 });
      continue;
    }
    for (let text = type._start; text; text = text.right) {
      if (text.countable && !text.deleted) runs.push({ ...text.id, length: text.length });
    }
  }
  return runs.map(({ client, clock, length }) => ({ client, clock, length }));
}

function startOf(element: Y.XmlElement): Y.RelativePosition {
  const first = typeIn(element._first);
  return Y.createRelativePositionFromTypeIndex(first instanceof Y.XmlText ? first : element, 0, -1);
}

/** What was composed in a line since; null if the editor's line is another one. */
export function composedIn(line: ComposedLine, shown: Node | null, caret: number): Difference | null {
  if (!shown?.sameMarkup(line.node)) return null;
  const words = wordsOf(shown);
  return differenceOf(wordsOf(line.node), words, caret >= 0 && caret <= words.length ? caret : undefined);
}

function wordsOf(node: Node): string {
  return node.textBetween(0, node.content.size, undefined, "\ufffc");
}

/** Puts the line back as it was, and selects in it what the composed word replaced. */
export function withoutComposed(
  { node }: ComposedLine,
  word: Difference,
  at: number,
  state: EditorState,
): Transaction {
  const start = at + 1;
  const { index, inserted, removed } = word;
  const transaction = state.tr.replace(
    start + index,
    start + index + inserted.length,
    node.slice(index, index + removed),
  );
  const { doc } = transaction;
  return transaction.setSelection(TextSelection.create(doc, start + index, start + index + removed));
}

/** The selection that `withoutComposed` made, as it was in the shared document when the line was held. */
export function memoryOf(
  { runs, start }: ComposedLine,
  { index, removed }: Difference,
  state: EditorState,
): Memory {
  const { selection, doc } = state;
  return {
    selection,
    doc,
    anchor: endIn(runs, index, selection.anchor, start),
    head: endIn(runs, index + removed, selection.head, start),
  };
}

/** The characters that a composed word replaced. */
export function replacedBy({ index, removed }: Difference, { runs }: ComposedLine): readonly Y.ID[] {
  const ids = runs.flatMap(({ client, clock, length }) =>
    Array.from({ length }, (_, at) => Y.createID(client, clock + at)),
  );
  return ids.slice(index, index + removed);
}

export function lettersOf({ index, removed }: Difference, { node }: ComposedLine): string {
  return wordsOf(node).slice(index, index + removed);
}
