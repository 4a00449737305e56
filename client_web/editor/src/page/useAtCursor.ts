/** What tools show of the place of the cursor, looked up anew when that place is another one.
 *
 * A toolbar has some thirty tools, and each asks what is on and what is possible. Typing changes none
 * of the answers while the cursor stays in the same line, among the same formats. So one watcher of
 * the editor compares the place after each transaction, and the tools ask only after another place.
 */

import type { Editor } from "@tiptap/core";
import { Mark } from "@tiptap/pm/model";
import { type EditorState, TextSelection } from "@tiptap/pm/state";
import { useCallback, useRef, useSyncExternalStore } from "react";
import { kindOfStep } from "../extensions/undo_steps";
import { isDayAsked } from "../features/inserting/day_asking";

/**
 * Returns what `read` finds at the cursor, the same object for as long as it has the same fields. `read`
 * may depend on the editor alone.
 */
export function useAtCursor<T>(editor: Editor, read: () => T): T {
  const kept = useRef<{ readonly watcher: Watcher; readonly change: number; readonly found: T } | null>(null);
  const watcher = watcherOf(editor);
  const snapshot = () => {
    const { change } = watcher;
    const before = kept.current?.watcher === watcher ? kept.current : null;
    if (before?.change === change) return before.found;
    const now = read();
    const found = before && isEqual(before.found, now) ? before.found : now;
    kept.current = { watcher, change, found };
    return found;
  };
  const subscribe = useCallback((told: () => void) => watcher.subscribe(told), [watcher]);
  return useSyncExternalStore(subscribe, snapshot);
}

const watchers = new WeakMap<Editor, Watcher>();

function watcherOf(editor: Editor): Watcher {
  const known = watchers.get(editor);
  if (known) return known;
  const made = new Watcher(editor);
  watchers.set(editor, made);
  return made;
}

class Watcher {
  /** Grows with each other place. */
  change = 0;
  #before: EditorState;
  #rest: string;
  readonly #listeners = new Set<() => void>();

  constructor(editor: Editor) {
    this.#before = editor.state;
    this.#rest = restOf(editor);
    editor.on("transaction", () => this.#look(editor));
  }

  subscribe(told: () => void): () => void {
    this.#listeners.add(told);
    return () => this.#listeners.delete(told);
  }

  #look(editor: Editor): void {
    const rest = restOf(editor);
    const isSame = rest === this.#rest && isSamePlace(this.#before, editor.state);
    this.#before = editor.state;
    this.#rest = rest;
    if (isSame) return;
    this.change += 1;
    for (const told of this.#listeners) told();
  }
}

/** What tools show beside the place: whether one may write, whether a day is asked for, and what undo and redo would do. */
function restOf(editor: Editor): string {
  const { state, isEditable } = editor;
  return `${isEditable} ${isDayAsked(editor)} ${kindOfStep(state, "undo")} ${kindOfStep(state, "redo")}`;
}

/** Whether the cursor is in a line of the same kind, in the same blocks, among the same formats. */
export function isSamePlace(one: EditorState, other: EditorState): boolean {
  if (one === other) return true;
  if (!isCursor(one) || !isCursor(other)) return false;
  const { $from: here } = one.selection;
  const { $from: there } = other.selection;
  if (here.depth !== there.depth) return false;
  for (let depth = here.depth; depth > 0; depth -= 1) {
    if (!here.node(depth).sameMarkup(there.node(depth))) return false;
    if (here.index(depth - 1) !== there.index(depth - 1)) return false;
  }
  const isEmpty = here.parent.content.size === 0;
  if (isEmpty !== (there.parent.content.size === 0)) return false;
  const behind = here.nodeAfter?.marks ?? Mark.none;
  return (
    Mark.sameSet(here.marks(), there.marks()) &&
    Mark.sameSet(behind, there.nodeAfter?.marks ?? Mark.none) &&
    Mark.sameSet(one.storedMarks ?? Mark.none, other.storedMarks ?? Mark.none)
  );
}

function isCursor({ selection }: EditorState): boolean {
  return selection instanceof TextSelection && selection.empty;
}

function isEqual(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (!isRecord(one) || !isRecord(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length && names.every((name) => Object.is(one[name], other[name]))
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
