/** y-tiptap under this package's names: what the benchmark compares this package with. */

import { ySyncPluginKey, yUndoPluginKey } from "@tiptap/y-tiptap";
import type { EditorState, Transaction } from "prosemirror-state";

export * from "@tiptap/y-tiptap";

export function isChangeOrigin(transaction: Transaction): boolean {
  return Boolean(transaction.getMeta(ySyncPluginKey));
}

/** What y-tiptap cannot say. */
export function placeOfStep(): null {
  return null;
}

/** Nobody suggests in the benchmark. */
export const PROPOSALS = "proposals";

export function proposalsIn(): null {
  return null;
}

export function nextStep(state: EditorState, way: "undo" | "redo") {
  const manager = yUndoPluginKey.getState(state)?.undoManager;
  return (way === "undo" ? manager?.undoStack : manager?.redoStack)?.at(-1) ?? null;
}

/** y-tiptap guesses which element a node was. */
export function goesOn(): void {}

/** Nobody loses the right to write in the benchmark. */
export function passOver(): () => void {
  return () => undefined;
}

/** Nobody comments in the benchmark. */
export function annotate(): number {
  return 0;
}

/** y-tiptap knows no order of marks of one kind. */
export function inOrder<Marks>(marks: Marks): Marks {
  return marks;
}

/** y-tiptap keeps nothing on a picture. */
export const ANNOTATIONS = "annotations";

export function annotationsIn(): readonly never[] {
  return [];
}

export function isObject(): boolean {
  return false;
}
