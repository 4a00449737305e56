/** Lets the editor see at once where a key or a click has moved the cursor.
 *
 * Chromium tells of a moved selection up to a frame afterwards. Somebody else's change or caret that is drawn within that frame puts the
 * selection back to where the editor believes it to be: measured beside a fast typist, one arrow key in twenty was lost, and four clicks
 * of 280, after which one goes on writing in the wrong line.
 */

import { Extension } from "@tiptap/core";
import { Plugin, PluginKey } from "@tiptap/pm/state";
import type { EditorView } from "@tiptap/pm/view";

const MOVING = /^(Arrow(Up|Down|Left|Right)|Home|End|PageUp|PageDown)$/;

export const CursorMoves = Extension.create({
  name: "cursorMoves",
  addProseMirrorPlugins() {
    return [
      new Plugin({
        key: new PluginKey("cursorMoves"),
        props: {
          handleDOMEvents: {
            keydown: (view, { key }) => {
              if (MOVING.test(key)) afterThisEvent(() => readSelection(view));
              return false;
            },
            mousedown: readSoon,
            mouseup: readSoon,
          },
        },
      }),
    ];
  },
});

function readSoon(view: EditorView): boolean {
  afterThisEvent(() => readSelection(view));
  return false;
}

/** Runs `act` when the browser has moved the selection; where a browser can be asked to, before what came over the network. */
function afterThisEvent(act: () => void): void {
  const { scheduler } = window as { readonly scheduler?: Scheduler };
  if (scheduler) void scheduler.postTask(act, { priority: "user-blocking" });
  else setTimeout(act, 0);
}

interface Scheduler {
  readonly postTask: (act: () => void, options: { readonly priority: "user-blocking" }) => Promise<void>;
}

function readSelection(view: EditorView): void {
  if (view.isDestroyed || view.composing) return;
  view.dom.ownerDocument.dispatchEvent(new Event("selectionchange"));
}
