/** A transaction that was made before others' changes were shown, made again after them. */

import type { EditorState, Selection, Transaction } from "prosemirror-state";
import { Mapping, type Step, StepMap } from "prosemirror-transform";
import { commonEnd, commonStart, textOf } from "./selection.js";
import { rangeBetween } from "./showing.js";

/**
 * What is left of `transaction`, made in `before`, in `state`, which the steps of `maps` have led to meanwhile.
 *
 * What is done beside the selection goes where the selection has gone. The steps would lead it elsewhere: a line that somebody
 * has rebuilt or moved is new to them.
 */
export function rebased(
  transaction: Transaction,
  before: EditorState,
  state: EditorState,
  maps: readonly StepMap[],
): Transaction {
  const next = state.tr;
  const own = transaction.mapping.maps;
  const way = withSelection(transaction, before, state) ?? maps;
  const mapping = new Mapping([...own.map((map) => map.invert()).reverse(), ...way]);
  let from = own.length;
  for (const step of transaction.steps) {
    const mapped = step.map(mapping.slice(from));
    from -= 1;
    if (!mapped || !isTaken(next, mapped)) continue;
    const map = next.mapping.maps.at(-1);
    if (map) mapping.appendMap(map, from);
  }
  if (transaction.selectionSet) next.setSelection(transaction.selection.map(next.doc, mapping));
  if (transaction.storedMarksSet) next.setStoredMarks(transaction.storedMarks);
  if (transaction.scrolledIntoView) next.scrollIntoView();
  Object.assign(metaOf(next), metaOf(transaction));
  return next;
}

/** The way of the selection, if the transaction changes nothing but what stands beside it in both documents. */
function withSelection(
  transaction: Transaction,
  { doc, selection: old }: EditorState,
  { selection: now }: EditorState,
): readonly StepMap[] | null {
  const range = rangeOf(transaction) ?? rangeBetween(doc, transaction.doc);
  if (range === null || old.empty !== now.empty) return null;
  const { left, right } = alikeAround(old, now);
  if (range.start < old.from - left || range.oldEnd > old.to + right) return null;
  const within = new StepMap([now.from, old.to - old.from, now.to - now.from]);
  return [StepMap.offset(now.from - old.from), within];
}

/** What the steps of a transaction replace; null if they replace nothing. Letters alike leave open where one was inserted. */
function rangeOf({ mapping }: Transaction): { readonly start: number; readonly oldEnd: number } | null {
  let [start, oldEnd] = [Number.POSITIVE_INFINITY, -1];
  for (const [index, map] of mapping.maps.entries()) {
    const back = mapping.slice(0, index).invert();
    map.forEach((from, to) => {
      start = Math.min(start, back.map(from, -1));
      oldEnd = Math.max(oldEnd, back.map(to, 1));
    });
  }
  return oldEnd < 0 ? null : { start, oldEnd };
}

/** How many characters beside two selections are the same, each in its line. */
function alikeAround(one: Selection, other: Selection): { readonly left: number; readonly right: number } {
  const [{ $from, $to }, before] = [one, textOf(one.$from.parent)];
  const left = commonEnd(
    before.slice(0, $from.parentOffset),
    textOf(other.$from.parent),
    other.$from.parentOffset,
  );
  const behind = textOf($to.parent).slice($to.parentOffset);
  return { left, right: commonStart(behind, textOf(other.$to.parent), other.$to.parentOffset) };
}

/** What the step changed may be gone. */
function isTaken(transaction: Transaction, step: Step): boolean {
  try {
    return transaction.maybeStep(step).failed === null;
  } catch {
    return false;
  }
}

/** ProseMirror has no public way to list what a transaction carries. */
function metaOf(transaction: Transaction): Record<string, unknown> {
  return (transaction as unknown as { meta: Record<string, unknown> }).meta;
}
