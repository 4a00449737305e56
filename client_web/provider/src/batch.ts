/** The bytes of a batch: Yjs updates, each with its length in front as a lib0 varUint, nothing else. */

import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import { WireError } from "./wire.js";

/** What the server takes in one batch, however small the updates are. */
const MAX_UPDATES = 10_000;

export function encodeBatch(updates: readonly Uint8Array[]): Uint8Array {
  const encoder = encoding.createEncoder();
  for (const update of updates) encoding.writeVarUint8Array(encoder, update);
  return encoding.toUint8Array(encoder);
}

/** Take a batch apart; raises WireError unless it is exactly one update or more. The updates share the batch's memory. */
export function decodeBatch(batch: Uint8Array): readonly Uint8Array[] {
  const decoder = decoding.createDecoder(batch);
  const updates: Uint8Array[] = [];
  while (decoding.hasContent(decoder)) {
    const length = readLength(decoder);
    if (length > batch.length - decoder.pos) throw new WireError("The batch ends inside an update.");
    updates.push(decoding.readUint8Array(decoder, length));
  }
  if (updates.length === 0) throw new WireError("A batch holds at least one update.");
  return updates;
}

/** lib0 reads integers of any length; the protocol's have at most 8 bytes and are exact in JavaScript. */
function readLength(decoder: decoding.Decoder): number {
  const start = decoder.pos;
  let length: number;
  try {
    length = decoding.readVarUint(decoder);
  } catch {
    throw new WireError("The batch ends inside a length.");
  }
  if (decoder.pos - start > 8 || length > Number.MAX_SAFE_INTEGER)
    throw new WireError("A length is too large.");
  return length;
}

/**
 * Share out what holds updates, in order, over batches of at most `bytes` each.
 * An update that is larger than that by itself has a batch of its own, which then has to travel in parts.
 */
export function shareOut<T extends { readonly update: Uint8Array }>(
  holders: readonly T[],
  bytes: number,
): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let room = 0;
  for (const holder of holders) {
    const size = holder.update.length + 8; // a varUint takes at most 8 bytes
    const current = batches.at(-1);
    if (current === undefined || size > room || current.length === MAX_UPDATES) {
      batches.push([holder]);
      room = bytes - size;
    } else {
      current.push(holder);
      room -= size;
    }
  }
  return batches;
}
