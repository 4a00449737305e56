/** Characters that live on under another id, because the server has saved them from structure changed at the same time. */

import * as Y from "yjs";

/** `length` characters from `[client, clock]` on live on from `[heirClient, heirClock]` on. */
export type Heir = readonly [
  client: number,
  clock: number,
  length: number,
  heirClient: number,
  heirClock: number,
];

export type Heirs = readonly Heir[];

/** Where a binding finds them: `transaction.meta.get(HEIRS)`, absent if nothing has moved. */
export const HEIRS = "heirs";

/**
 * Where a binding finds a function that tells from which clock on each client id's words are not
 * acknowledged: `transaction.meta.get(UNSAVED)`. Who deleted a block did not know of these words.
 */
export const UNSAVED = "unsaved";

/** The first clock of each client id in updates. */
export function firstClocksIn(updates: readonly Uint8Array[]): ReadonlyMap<number, number> {
  const first = new Map<number, number>();
  for (const update of updates) {
    for (const [client, clock] of Y.parseUpdateMeta(update).from) {
      first.set(client, Math.min(clock, first.get(client) ?? clock));
    }
  }
  return first;
}

/** The id under which the server itself writes; a document never does. */
export const SERVER_CLIENT_ID = 0;
