/**
 * Formats that are switched on with nothing selected stay on when somebody else's change arrives
 * before the first letter.
 */

import { Extension } from "@tiptap/core";
import { isChangeOrigin } from "@tiptap/extension-collaboration";
import { Plugin, PluginKey, type Transaction } from "@tiptap/pm/state";
import { ySyncPluginKey } from "@tiptap/y-tiptap";

export const KeptFormats = Extension.create({
  name: "keptFormats",
  addProseMirrorPlugins() {
    return [
      new Plugin({
        key: new PluginKey("keptFormats"),
        appendTransaction: (transactions, before, after) => {
          // y-tiptap shows a remote change as a replacement of the whole document, which ends what
          // was switched on.
          const isKept = before.storedMarks && !after.storedMarks && after.selection.empty;
          return isKept && transactions.every(isFromOthers)
            ? after.tr.setStoredMarks(before.storedMarks)
            : null;
        },
      }),
    ];
  },
});

/** Undo is a change of one's own that comes the same way. */
function isFromOthers(transaction: Transaction): boolean {
  const isOwnUndo = transaction.getMeta(ySyncPluginKey)?.isUndoRedoOperation === true;
  return isChangeOrigin(transaction) && !isOwnUndo;
}
