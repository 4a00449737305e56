/**
 * A document's update, even when a value in it has no bytes.
 *
 * An application may put a value into the document that Yjs cannot encode: a BigInt in an embed, an object that pretends to
 * be a Uint8Array. One of them makes `encodeStateAsUpdate` throw, and nothing else could be sent or downloaded any more.
 * Here such an item is written as a deleted one: its neighbours keep their place.
 */

import * as Y from "yjs";

export interface Salvage {
  readonly update: Uint8Array;
  /** What is in the update as if it were deleted. */
  readonly lost: readonly Y.Item[];
}

/** The items beyond the state vector and all deletions. */
export function encodeDespite(doc: Y.Doc, stateVector?: Uint8Array): Salvage {
  try {
    return { update: Y.encodeStateAsUpdate(doc, stateVector), lost: [] };
  } catch {
    const lost: Y.Item[] = [];
    for (const structs of doc.store.clients.values()) {
      for (const struct of structs) if (struct instanceof Y.Item && !canBeWritten(struct)) lost.push(struct);
    }
    return { update: without(lost, () => Y.encodeStateAsUpdate(doc, stateVector)), lost };
  }
}

/**
 * As `encodeDespite`, for sending. What has no bytes and lies beyond the state vector is nowhere but here, and cannot be kept:
 * it is deleted, so that the page shows what the server will hold.
 */
export function encodeOrDrop(doc: Y.Doc, stateVector: Uint8Array): Uint8Array {
  const { update, lost } = encodeDespite(doc, stateVector);
  const held = Y.decodeStateVector(stateVector);
  const own = lost.filter(({ id }) => id.clock >= (held.get(id.client) ?? 0));
  if (own.length > 0) {
    doc.transact((transaction) => {
      for (const item of own) item.delete(transaction);
    });
  }
  return update;
}

function canBeWritten(item: Y.Item): boolean {
  try {
    item.write(new Y.UpdateEncoderV1(), 0);
    return true;
  } catch {
    return false;
  }
}

/** Let `encode` see the items as deleted, and give them back their content. */
function without<T>(lost: readonly Y.Item[], encode: () => T): T {
  const contents = lost.map(({ content }) => content);
  for (const item of lost) item.content = new Y.ContentDeleted(item.length);
  try {
    return encode();
  } finally {
    lost.forEach((item, index) => {
      item.content = contents[index] ?? item.content;
    });
  }
}
