/** A transaction that was made before others' changes were shown, made again after them. */

import type { EditorState, Transaction } from "prosemirror-state";
import { Mapping, type Step, type StepMap } from "prosemirror-transform";

/** What is left of `transaction` in `state`, which the steps of `maps` have led to meanwhile. */
export function rebased(transaction: Transaction, state: EditorState, maps: readonly StepMap[]): Transaction {
  const next = state.tr;
  const own = transaction.mapping.maps;
  const mapping = new Mapping([...own.map((map) => map.invert()).reverse(), ...maps]);
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
