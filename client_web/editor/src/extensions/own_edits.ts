/** Keeps plugins that add to an edit from adding to other people's edits.
 *
 * y-tiptap shows a remote change as a replacement of the whole document. A plugin that answers to changes (linking a
 * web address, mending a table) would answer to it on every screen at once: each would write its own answer, each answer
 * would be a change to answer to, and a table that two screens mend has two cells too many. So such a plugin runs only where
 * the change was made.
 */

import { isChangeOrigin } from "@tiptap/extension-collaboration";
import type { Plugin, Transaction } from "@tiptap/pm/state";

/** Changes `plugin` in place and returns it. */
export function answeringOwnEditsOnly(plugin: Plugin): Plugin {
  const append = plugin.spec.appendTransaction;
  if (append) {
    plugin.spec.appendTransaction = (transactions, before, after) =>
      transactions.some(isRemote) ? null : append.call(plugin, transactions, before, after);
  }
  return plugin;
}

function isRemote(transaction: Transaction): boolean {
  return isChangeOrigin(transaction);
}
