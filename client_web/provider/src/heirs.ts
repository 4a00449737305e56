/** Characters that live on under another id, because the server has saved them from structure changed at the same time. */

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

/** The id under which the server itself writes; a document never does. */
export const SERVER_CLIENT_ID = 0;
