/**
 * What an update says to be deleted, less what the server has deleted already.
 *
 * Yjs puts every deletion that the document has ever seen into a state. To a server that looks for words to save, an old
 * deletion that is said again reads like a new one.
 */

import * as encoding from "lib0/encoding";
import * as Y from "yjs";
import { concatenate } from "./bytes.js";

interface Range {
  readonly clock: number;
  readonly len: number;
}

type Ranges = ReadonlyMap<number, readonly Range[]>;

/** The update without the deletions that the others say too; null when it brings nothing then. */
export function withoutKnown(update: Uint8Array, known: readonly Uint8Array[]): Uint8Array | null {
  const { structs, ds } = Y.decodeUpdate(update);
  const said = encodeDeletions(ds.clients);
  const end = update.length - said.length;
  // Deletions stand at the end. If these are not they, the update is left as it is.
  if (!said.every((byte, index) => update[end + index] === byte)) return update;
  const told = known.map((other) => Y.decodeUpdate(other).ds.clients);
  const rest = new Map<number, readonly Range[]>();
  for (const [client, ranges] of ds.clients) {
    const left = subtract(
      ranges,
      told.flatMap((clients) => clients.get(client) ?? []),
    );
    if (left.length > 0) rest.set(client, left);
  }
  if (rest.size === 0 && structs.length === 0) return null;
  return concatenate([update.subarray(0, end), encodeDeletions(rest)]);
}

function encodeDeletions(clients: Ranges): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, clients.size);
  for (const [client, ranges] of clients) {
    encoding.writeVarUint(encoder, client);
    encoding.writeVarUint(encoder, ranges.length);
    for (const { clock, len } of ranges) {
      encoding.writeVarUint(encoder, clock);
      encoding.writeVarUint(encoder, len);
    }
  }
  return encoding.toUint8Array(encoder);
}

function subtract(ranges: readonly Range[], known: readonly Range[]): readonly Range[] {
  const sorted = known.toSorted((one, other) => one.clock - other.clock);
  const left: Range[] = [];
  let next = 0;
  for (const { clock, len } of ranges) {
    let at = clock;
    while (next < sorted.length && end(sorted[next]) <= at) next += 1;
    for (let index = next; at < clock + len; index += 1) {
      const stop = Math.min(sorted[index]?.clock ?? Number.POSITIVE_INFINITY, clock + len);
      if (stop > at) left.push({ clock: at, len: stop - at });
      at = Math.max(at, stop, Math.min(end(sorted[index]), clock + len));
    }
  }
  return left;
}

function end(range: Range | undefined): number {
  return range === undefined ? Number.POSITIVE_INFINITY : range.clock + range.len;
}
