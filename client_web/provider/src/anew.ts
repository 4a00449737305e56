/** Refused suggestions: put right (mending.ts), or taken out of the document and made anew by the page. */

import * as Y from "yjs";
import { lastInsertion, mend } from "./mending.js";
import { report } from "./report.js";
import type { SuggestAnew } from "./types.js";

/** Times in a row that refused suggestions are put right before they are made anew. */
const MOST_MENDED = 2;

/** `server`: updates that make the whole of the server's document. `times`: how often in a row something was refused. */
export type Settle = (
  server: readonly Uint8Array[],
  times: number,
  suggestAnew: SuggestAnew | null,
) => "mended" | "anew" | null;

/** Returns what settles refusals in a document from now on; `begun` is called when the document is the server's again. */
export function settling(doc: Y.Doc, origin: unknown, begun: () => void): Settle {
  const last = lastInsertion(doc);
  return (server, times, suggestAnew) => {
    // Where mended suggestions are refused again and again, new formats alone do not help.
    if ((suggestAnew === null || times <= MOST_MENDED) && mend(doc, server, origin, last())) return "mended";
    // Somebody's change is not over yet.
    if (doc._transaction !== null || doc._transactionCleanups.length > 0) return null;
    let isBegun = false;
    try {
      suggestAnew?.(() => {
        isBegun = true;
        fillAnew(doc, server, origin);
        begun();
      });
    } catch (error) {
      report(error);
    }
    return isBegun ? "anew" : null;
  };
}

/**
 * Fill a document with the server's updates instead of what it holds. Yjs takes nothing back, and no deletion comes undone.
 *
 * The document and its roots stay the same objects, so editors stay bound and are told of all that is new. Everything inside is
 * another object, and under the ids of what was refused there may be nothing. Only for moments without a transaction.
 */
function fillAnew(doc: Y.Doc, updates: readonly Uint8Array[], origin: unknown): void {
  // Under the old id there are words already, and what was refused went on from them.
  doc.clientID = new Y.Doc().clientID;
  doc.store = new Y.Doc().store;
  for (const root of doc.share.values()) {
    Object.assign(root, {
      _start: null,
      _map: new Map(),
      _length: 0,
      _searchMarker: root._searchMarker && [],
    });
  }
  const fill = () => void updates.forEach((update) => void Y.applyUpdate(doc, update, origin));
  Y.transact(doc, fill, origin, false);
}
