/** The plugin that binds an editor to a fragment of a shared document. */

import { type NodeSelection, Plugin } from "prosemirror-state";
import { DecorationSet, type EditorView } from "prosemirror-view";
import type * as Y from "yjs";
import { Binding } from "./binding.js";
import { type SyncState, yCursorPluginKey, ySyncPluginKey, yUndoPluginKey } from "./keys.js";

export interface SyncOptions {
  /** Told once the editor shows the shared document. */
  readonly onFirstRender?: (() => void) | undefined;
  /** Told of what cannot be shown, and of what went wrong; the editor was filled anew then. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export function ySyncPlugin(fragment: Y.XmlFragment, options: SyncOptions = {}): Plugin<SyncState> {
  const binding = new Binding(fragment, options.onError ?? log);
  // What others have written is shown before the browser or a plugin looks at the editor.
  const showFirst = (view: EditorView) => {
    // In the middle of a word the browser would take any change for the end of the word.
    if (!view.composing) binding.flush();
    return false;
  };
  return new Plugin<SyncState>({
    key: ySyncPluginKey,
    state: {
      init: () => ({
        type: fragment,
        doc: binding.doc,
        binding,
        isChangeOrigin: false,
        isUndoRedoOperation: false,
        addToHistory: true,
        pending: DecorationSet.empty,
      }),
      apply: (transaction, before) => {
        const meta = transaction.getMeta(ySyncPluginKey);
        binding.follow(transaction);
        const isChangeOrigin = meta?.isChangeOrigin === true;
        const isDrawn = isChangeOrigin || transaction.getMeta(yCursorPluginKey)?.awarenessUpdated;
        return {
          ...before,
          isChangeOrigin,
          isUndoRedoOperation: isChangeOrigin && meta.isUndoRedoOperation === true,
          addToHistory: transaction.docChanged
            ? transaction.getMeta("addToHistory") !== false
            : before.addToHistory,
          pending: isDrawn
            ? binding.drawPending(transaction.doc)
            : before.pending.map(transaction.mapping, transaction.doc),
        };
      },
    },
    props: {
      decorations: (state) => ySyncPluginKey.getState(state)?.pending,
      handleKeyDown: (view, { key }) => key === "Backspace" && binding.takeBack(view.state),
      handleDOMEvents: {
        keydown: (view) => {
          if (!view.composing) binding.endHold();
          return showFirst(view);
        },
        compositionstart: showFirst,
        compositionend: () => {
          binding.endComposition();
          return false;
        },
        mousedown: showFirst,
        paste: showFirst,
        cut: showFirst,
        drop: (view) => {
          showFirst(view);
          dragWhatIsThere(view);
          return false;
        },
      },
    },
    view: (view) => {
      binding.bind(view);
      options.onFirstRender?.();
      return {
        update: (_view, before) => {
          const { addToHistory, isChangeOrigin } = ySyncPluginKey.getState(view.state) ?? {};
          if (addToHistory === false && !isChangeOrigin && view.state.doc !== before.doc) {
            yUndoPluginKey.getState(view.state)?.undoManager.stopCapturing();
          }
          binding.write(before);
        },
        destroy: () => binding.release(),
      };
    },
  });
}

/**
 * What is dragged as it is now. ProseMirror puts down what was there when the drag began, but takes
 * away the selection with everything that others have written into it since.
 */
function dragWhatIsThere(view: EditorView): void {
  const dragged: (NonNullable<EditorView["dragging"]> & { node?: NodeSelection }) | null = view.dragging;
  const selection = dragged?.node ?? view.state.selection;
  if (!dragged?.move || selection.empty) return;
  view.dragging = { ...dragged, slice: view.serializeForClipboard(selection.content()).slice };
}

function log(error: unknown): void {
  // biome-ignore lint/suspicious/noConsole: the editor goes on, and nothing else says so
  console.error("Binding:", error);
}
