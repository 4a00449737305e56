/** The smallest step from what the editor shows to what it should show. */

import { type Node, Slice } from "prosemirror-model";
import type { Transaction } from "prosemirror-state";
import { ReplaceStep, StepMap } from "prosemirror-transform";
import type { Change } from "./selection.js";

/** The way of positions from one document to another; null if the two are the same. */
export function mapBetween(old: Node, doc: Node): StepMap | null {
  const range = rangeBetween(old, doc);
  return range && new StepMap([range.start, range.oldEnd - range.start, range.newEnd - range.start]);
}

interface Range {
  readonly start: number;
  readonly oldEnd: number;
  readonly newEnd: number;
}

/**
 * The part in which two documents differ. Nodes that are the same in both stay out of the part, even
 * if their neighbours begin with the same words: a word may be being composed in one of them.
 */
export function rangeBetween(old: Node, doc: Node): Range | null {
  const [before, after] = [old.content.content, doc.content.content];
  const most = Math.min(before.length, after.length);
  let [left, start] = [0, 0];
  while (left < most && before[left] === after[left]) {
    start += before[left]?.nodeSize ?? 0;
    left += 1;
  }
  let [right, behind] = [0, 0];
  while (right < most - left && before.at(-1 - right) === after.at(-1 - right)) {
    behind += before.at(-1 - right)?.nodeSize ?? 0;
    right += 1;
  }
  const [gone, come] = [before.length - left - right, after.length - left - right];
  const ends = { start, oldEnd: old.content.size - behind, newEnd: doc.content.size - behind };
  if (gone === 0 || come === 0) return gone + come > 0 ? ends : null;
  const [first, firstNow] = [before[left], after[left]];
  if (gone === 1 && come === 1 && first && firstNow?.sameMarkup(first) && !first.isText) {
    const inner = rangeBetween(first, firstNow);
    const at = start + 1;
    return inner && { start: at + inner.start, oldEnd: at + inner.oldEnd, newEnd: at + inner.newEnd };
  }
  return differingWordsIn(old, doc);
}

function differingWordsIn(old: Node, doc: Node): Range | null {
  const start = old.content.findDiffStart(doc.content);
  const ends = old.content.findDiffEnd(doc.content);
  if (start === null || ends === null) return null;
  const overlap = Math.max(start - Math.min(ends.a, ends.b), 0);
  return { start, oldEnd: ends.a + overlap, newEnd: ends.b + overlap };
}

/** Adds one step to `transaction` after which its document equals `doc`; null if it did before. */
export function showIn(transaction: Transaction, doc: Node): Change | null {
  const old = transaction.doc;
  const range = rangeBetween(old, doc);
  if (range === null) return null;
  const { start, oldEnd, newEnd } = range;
  const smallest = new ReplaceStep(start, oldEnd, doc.slice(start, newEnd));
  if (leadsTo(smallest, old, doc)) {
    transaction.step(smallest);
    return { start, oldEnd, newEnd, old, doc: transaction.doc, mapping: transaction.mapping };
  }
  transaction.step(new ReplaceStep(0, old.content.size, new Slice(doc.content, 0, 0)));
  return {
    start: 0,
    oldEnd: old.content.size,
    newEnd: doc.content.size,
    old,
    doc: transaction.doc,
    mapping: transaction.mapping,
  };
}

/** Ends may be open in ways that ProseMirror cannot join. */
function leadsTo(step: ReplaceStep, from: Node, to: Node): boolean {
  try {
    return step.apply(from).doc?.eq(to) ?? false;
  } catch {
    return false;
  }
}
