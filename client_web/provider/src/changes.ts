/**
 * Local changes as they were made, one update for each transaction, until the server has acknowledged them.
 *
 * The server saves words from structure that was changed at the same time. It compares what an update deletes with what the
 * update brings, so an update must be one change of one person. A state of the document would not do: it says all deletions
 * again, old ones too. Hence the rules:
 *
 * 1. Each change keeps its own update, and the last row that the document had applied by then (`after`).
 * 2. Plain typing in one place may become one change while it cannot be sent. Nothing else is ever joined.
 * 3. Changes of one page leave in their order. Changes of several pages of a device leave in an order in which each finds
 *    what it builds on.
 * 4. A state follows them if something is in no change that the server can take: words that no change tells of, and changes
 *    that build on such words.
 */

import * as encoding from "lib0/encoding";
import * as Y from "yjs";
import { shareOut } from "./batch.js";

/** Characters of one typing run; each write to the device writes the last run again. */
const LONGEST_RUN = 1_000;
/** Changes and bytes that are kept one by one: weeks of writing without a network. Beyond them the document's state is sent. */
export const MOST_CHANGES = 50_000;
const MOST_BYTES = 32 * 2 ** 20;

/** A change as the device keeps it. */
export interface KeptChange {
  readonly key: string;
  readonly after: number | null;
  readonly count: number;
  readonly update: Uint8Array;
}

export interface Change {
  /** Place among the changes of this page, from 1. */
  readonly id: number;
  /** Name on the device if another page, or this one before a reload, made the change; null for this page's own. */
  readonly key: string | null;
  /** The last row that the document had applied when the change was made; null when that is not known. */
  readonly after: number | null;
  /** How many changes of the document it holds. */
  readonly count: number;
  /** The first of them, or all. Use `updateOf`. */
  readonly update: Uint8Array;
  /** The typing that it is, as long as more may join it. */
  readonly run: Run | null;
}

interface Run {
  readonly first: Y.ID;
  readonly origin: Y.ID | null;
  readonly rightOrigin: Y.ID | null;
  readonly text: string;
}

/** Changes in their order, from the last one back: a list that grows without being copied. Empty is null. */
export interface Changes {
  readonly last: Change;
  readonly before: Changes | null;
  readonly length: number;
  /** How many changes of the document they hold. */
  readonly count: number;
  readonly bytes: number;
}

type Clocks = ReadonlyMap<number, number>;

export function push(before: Changes | null, last: Change): Changes {
  return {
    last,
    before,
    length: (before?.length ?? 0) + 1,
    count: (before?.count ?? 0) + last.count,
    bytes: (before?.bytes ?? 0) + last.update.length + (last.run?.text.length ?? 0),
  };
}

export function sorted(changes: readonly Change[]): readonly Change[] {
  return changes.toSorted((one, other) => one.id - other.id);
}

export function listOf(changes: readonly Change[]): Changes | null {
  return changes.reduce<Changes | null>(push, null);
}

export function inOrder(changes: Changes | null): readonly Change[] {
  const found: Change[] = [];
  for (let rest = changes; rest !== null; rest = rest.before) found.push(rest.last);
  return found.reverse();
}

/** Whether so many are better not kept one by one. */
export function areTooMany({ length, bytes }: Changes): boolean {
  return length > MOST_CHANGES || bytes > MOST_BYTES;
}

/** A change of this page; `joinable`: typing that follows may join it. */
export function newChange(id: number, update: Uint8Array, after: number | null, joinable: boolean): Change {
  return { id, key: null, after, count: 1, update, run: joinable ? runOf(update) : null };
}

export function keptChange(id: number, kept: KeptChange): Change {
  return { id, ...kept, run: null };
}

/** The change with one more update, if that goes on typing where the change ends; otherwise null. */
export function joined(change: Change, update: Uint8Array, after: number | null): Change | null {
  if (change.run === null || change.after !== after) return null;
  const next = runOf(update);
  if (next === null || !follows(change.run, next)) return null;
  const text = change.run.text + next.text;
  if (text.length > LONGEST_RUN) return null;
  return { ...change, count: change.count + 1, run: { ...change.run, text } };
}

/** A change that may have been sent is joined no more. */
export function sealed(change: Change): Change {
  return change.run === null ? change : { ...change, update: updateOf(change), run: null };
}

export function updateOf({ update, run, count }: Change): Uint8Array {
  if (run === null || count === 1) return update;
  const [item] = Y.decodeUpdate(update).structs;
  if (!(item instanceof Y.Item)) return update;
  item.content = new Y.ContentString(run.text);
  item.length = run.text.length;
  const encoder = new Y.UpdateEncoderV1();
  encoding.writeVarUint(encoder.restEncoder, 1); // authors
  encoding.writeVarUint(encoder.restEncoder, 1); // structs
  encoder.writeClient(item.id.client);
  encoding.writeVarUint(encoder.restEncoder, item.id.clock);
  item.write(encoder, 0);
  encoding.writeVarUint(encoder.restEncoder, 0); // authors with deletions
  return encoder.toUint8Array();
}

/** How many changes of the document these hold. */
export function countOf(changes: readonly Change[]): number {
  return changes.reduce((sum, { count }) => sum + count, 0);
}

/** Share out sealed changes over batches of at most `bytes`; all changes of a batch have the same `after`. */
export function batchesOf(changes: readonly Change[], bytes: number): readonly (readonly Change[])[] {
  const groups: Change[][] = [];
  for (const change of changes) {
    const group = groups.at(-1);
    if (group?.[0]?.after === change.after) group.push(change);
    else groups.push([change]);
  }
  return groups.flatMap((group) => shareOut(group, bytes));
}

/** Changes that wait, by what the server can do with them. */
export interface Sorted {
  /** In the order in which the server can take them, without those that it has. */
  readonly ready: readonly Change[];
  /** Those that build on something that the server lacks and no change brings. */
  readonly left: readonly Change[];
  /** What the server has seen once it has taken those that are ready. */
  readonly reach: Clocks;
}

/**
 * Compare sealed changes with what the server has seen. A change whose items the server has is left out, its deletions too: the
 * server takes the whole of a change or nothing. Whether it has a change that only deletes does not show.
 */
export function sortOut(changes: readonly Change[], seen: Clocks): Sorted {
  const reach = new Map(seen);
  const ready: Change[] = [];
  let left: readonly Change[] = changes;
  for (let before = Number.POSITIVE_INFINITY; left.length > 0 && left.length < before; ) {
    before = left.length;
    const stuck = new Set<string>();
    left = left.filter((change) => {
      const page = pageOf(change);
      const past = pastOf(change.update);
      if (isSeen(past.reaches, seen)) return false;
      if (stuck.has(page) || !covers(reach, past.needs)) {
        stuck.add(page);
        return true;
      }
      for (const [client, clock] of past.reaches) reach.set(client, Math.max(clock, reach.get(client) ?? 0));
      ready.push(change);
      return false;
    });
  }
  return { ready, left, reach };
}

/** The changes of one page have names that differ behind the last slash. */
function pageOf({ key }: Change): string {
  return key === null ? "" : key.slice(0, key.lastIndexOf("/"));
}

function isSeen(reaches: Clocks, seen: Clocks): boolean {
  return reaches.size > 0 && covers(seen, reaches);
}

function covers(one: Clocks, other: Clocks): boolean {
  for (const [client, clock] of other) if ((one.get(client) ?? 0) < clock) return false;
  return true;
}

/** How far a replica must have come to take an update, and how far it then reaches. */
function pastOf(update: Uint8Array): { readonly needs: Clocks; readonly reaches: Clocks } {
  const { structs, ds } = Y.decodeUpdate(update);
  const reaches = new Map<number, number>();
  const needs = new Map<number, number>();
  const need = (client: number, clock: number): void => {
    if (clock > (needs.get(client) ?? 0)) needs.set(client, clock);
  };
  const point = (id: unknown): void => {
    if (id instanceof Y.ID && id.clock >= (reaches.get(id.client) ?? 0)) need(id.client, id.clock + 1);
  };
  const starts = new Map<number, number>();
  for (const { id, length } of structs) {
    if (!reaches.has(id.client)) starts.set(id.client, id.clock);
    reaches.set(id.client, id.clock + length);
  }
  for (const struct of structs) {
    if (!(struct instanceof Y.Item)) continue;
    for (const id of [struct.origin, struct.rightOrigin, struct.parent]) point(id);
  }
  for (const [client, ranges] of ds.clients) for (const { clock, len } of ranges) need(client, clock + len);
  // What an update brings it does not need; but it needs what lies before.
  for (const [client, start] of starts) needs.set(client, start);
  return { needs, reaches };
}

function runOf(update: Uint8Array): Run | null {
  const { structs, ds } = Y.decodeUpdate(update);
  const [item] = structs;
  if (structs.length !== 1 || ds.clients.size > 0 || !(item instanceof Y.Item)) return null;
  const { id: first, origin, rightOrigin, content } = item;
  return content instanceof Y.ContentString ? { first, origin, rightOrigin, text: content.str } : null;
}

function follows({ first, rightOrigin, text }: Run, next: Run): boolean {
  const end = first.clock + text.length;
  return (
    Y.compareIDs(Y.createID(first.client, end), next.first) &&
    Y.compareIDs(Y.createID(first.client, end - 1), next.origin) &&
    Y.compareIDs(rightOrigin, next.rightOrigin)
  );
}
