/** Plugins that answer to changes, kept from answering to other people's.
 *
 * A plugin may link a web address or mend a table after a change. It would answer to a remote change
 * on every screen at once: each would write its own answer, and each answer would be a change to
 * answer to. A table that two screens mend has two cells too many. So such a plugin runs only where
 * the change was made.
 */

import { isChangeOrigin } from "@manyhands/binding";
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
