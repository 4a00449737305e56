/** The plugin that binds an editor to a fragment of a shared document. */

import { Plugin } from "prosemirror-state";
import type * as Y from "yjs";
import { Binding } from "./binding.js";
import { type SyncState, ySyncPluginKey, yUndoPluginKey } from "./keys.js";

export interface SyncOptions {
  /** Told once the editor shows the shared document. */
  readonly onFirstRender?: (() => void) | undefined;
  /** Told of what cannot be shown, and of what went wrong; the editor was filled anew then. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export function ySyncPlugin(fragment: Y.XmlFragment, options: SyncOptions = {}): Plugin<SyncState> {
  const binding = new Binding(fragment, options.onError ?? log);
  // What others have written is shown before the browser or a plugin looks at the editor.
  const showFirst = () => {
    binding.flush();
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
      }),
      apply: (transaction, before) => {
        const meta = transaction.getMeta(ySyncPluginKey);
        binding.follow(transaction);
        const isChangeOrigin = meta?.isChangeOrigin === true;
        return {
          ...before,
          isChangeOrigin,
          isUndoRedoOperation: isChangeOrigin && meta.isUndoRedoOperation === true,
          addToHistory: transaction.docChanged
            ? transaction.getMeta("addToHistory") !== false
            : before.addToHistory,
        };
      },
    },
    props: {
      handleDOMEvents: {
        keydown: (view) => {
          if (!view.composing) binding.endHold();
          return showFirst();
        },
        beforeinput: showFirst,
        compositionstart: showFirst,
        compositionend: () => {
          binding.endComposition();
          return false;
        },
        mousedown: showFirst,
        paste: showFirst,
        cut: showFirst,
        drop: showFirst,
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

function log(error: unknown): void {
  // biome-ignore lint/suspicious/noConsole: the editor goes on, and nothing else says so
  console.error("Binding:", error);
}
