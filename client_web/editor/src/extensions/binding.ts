/** Binds the editor to the shared document, and keeps it from writing the blank line that it shows for an empty one.
 *
 * An editor always shows a line to begin in. After a document was emptied by undo, y-tiptap writes that line into it with the next
 * turn of the editor, on every page: as many blank lines as there are people, and one more than there was after redo.
 */

import { Collaboration } from "@tiptap/extension-collaboration";
import type { Plugin } from "@tiptap/pm/state";
import type { EditorView } from "@tiptap/pm/view";
import { ySyncPluginKey } from "@tiptap/y-tiptap";

export const Binding = Collaboration.extend({
  addProseMirrorPlugins() {
    return (this.parent?.() ?? []).map((plugin) =>
      plugin.spec.key === ySyncPluginKey ? withoutBlankLines(plugin) : plugin,
    );
  },
});

function withoutBlankLines(plugin: Plugin): Plugin {
  const make = plugin.spec.view?.bind(plugin);
  if (!make) return plugin;
  plugin.spec.view = (view) => {
    const bound = make(view);
    const update: typeof bound.update = (shown, before) => {
      if (!isBlankOf(shown)) bound.update?.(shown, before);
    };
    return { ...bound, update };
  };
  return plugin;
}

/** Whether the document is empty and the editor shows no more than the line to begin in. */
function isBlankOf({ state }: EditorView): boolean {
  if (ySyncPluginKey.getState(state)?.type.length > 0) return false;
  return state.doc.type.createAndFill()?.eq(state.doc) ?? false;
}
