/** Names under which the plugins keep their state, the same as in y-tiptap. */

import { PluginKey, type Transaction } from "prosemirror-state";
import type { DecorationSet } from "prosemirror-view";
import type * as Y from "yjs";
import type { Binding } from "./binding.js";

export interface SyncState {
  readonly type: Y.XmlFragment;
  readonly doc: Y.Doc;
  readonly binding: Binding;
  readonly isChangeOrigin: boolean;
  readonly isUndoRedoOperation: boolean;
  readonly addToHistory: boolean;
  /** One's own words that will come back. */
  readonly pending: DecorationSet;
}

/** What a transaction carries that shows a change of the shared document. */
export interface SyncMeta {
  readonly isChangeOrigin: true;
  readonly isUndoRedoOperation: boolean;
}

export interface UndoState {
  readonly undoManager: Y.UndoManager;
  readonly hasUndoOps: boolean;
  readonly hasRedoOps: boolean;
}

/** The key is the origin of the Yjs transactions that hold one's own edits, too. */
export const ySyncPluginKey = new PluginKey<SyncState>("y-sync");
export const yUndoPluginKey = new PluginKey<UndoState>("y-undo");
export const yCursorPluginKey = new PluginKey<DecorationSet>("yjs-cursor");

/** Whether a transaction shows a change of the shared document: somebody else's, or an undo. */
export function isChangeOrigin(transaction: Transaction): boolean {
  return Boolean(transaction.getMeta(ySyncPluginKey));
}
