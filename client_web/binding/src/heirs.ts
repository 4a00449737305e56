/** Heirs: which living characters stand for dead ones.
 *
 * Who turns a paragraph into a heading deletes its characters and writes copies. A server may say
 * which copy stands for which character: `transaction.meta.get("heirs")` of the Yjs transaction
 * that brings the change. Carets, selections and undo steps follow these pairs.
 */

import * as Y from "yjs";

/** From `client, clock` on, so many characters live on from `heirClient, heirClock` on. */
export type HeirRun = readonly [
  client: number,
  clock: number,
  length: number,
  heirClient: number,
  heirClock: number,
];

/** The oldest runs are forgotten beyond twice as many: who points at them has been away for long. */
const MOST_RUNS = 20_000;
/** Heirs have heirs. */
const LONGEST_CHAIN = 1_000;

class Heirs {
  #recent = new Map<number, HeirRun[]>();
  #older: ReadonlyMap<number, readonly HeirRun[]> = new Map();
  #size = 0;

  learn(runs: readonly HeirRun[]): void {
    if (this.#size > MOST_RUNS) {
      [this.#older, this.#recent, this.#size] = [this.#recent, new Map(), 0];
    }
    for (const run of runs) {
      const known = this.#recent.get(run[0]) ?? [];
      known.splice(firstAfter(known, run[1]), 0, run);
      this.#recent.set(run[0], known);
      this.#size += 1;
    }
  }

  of({ client, clock }: Y.ID): Y.ID | null {
    for (const generation of [this.#recent, this.#older]) {
      const runs = generation.get(client) ?? [];
      const run = runs[firstAfter(runs, clock) - 1];
      if (run && clock < run[1] + run[2]) return Y.createID(run[3], run[4] + clock - run[1]);
    }
    return null;
  }
}

/** The index of the first run that begins behind `clock`. */
function firstAfter(runs: readonly HeirRun[], clock: number): number {
  let [first, end] = [0, runs.length];
  while (first < end) {
    const middle = (first + end) >> 1;
    if ((runs[middle]?.[1] ?? 0) > clock) end = middle;
    else first = middle + 1;
  }
  return first;
}

const heirsOfDocuments = new WeakMap<Y.Doc, Heirs>();

export function heirsOf(doc: Y.Doc): Heirs {
  const known = heirsOfDocuments.get(doc) ?? new Heirs();
  heirsOfDocuments.set(doc, known);
  return known;
}

/** The heirs that came with a transaction; whatever else stands there is ignored. */
export function heirsIn({ meta }: Y.Transaction): readonly HeirRun[] {
  const found: unknown = meta.get("heirs");
  return Array.isArray(found) ? found.filter(isRun) : [];
}

function isRun(run: unknown): run is HeirRun {
  return (
    Array.isArray(run) && run.length === 5 && run.every((each) => Number.isSafeInteger(each) && each >= 0)
  );
}

/** A character, or a type, and the item that holds it. */
export interface Living {
  readonly item: Y.Item;
  readonly id: Y.ID;
}

/** What lives of a character: itself, what an undo made of it, or its heir; null for none. */
export function livingOf(doc: Y.Doc, id: Y.ID): Living | null {
  const heirs = heirsOf(doc);
  let at = id;
  for (let hop = 0; hop < LONGEST_CHAIN; hop += 1) {
    if (Y.getState(doc.store, at.client) <= at.clock) return null;
    const item: unknown = Y.getItem(doc.store, at);
    const isItem = item instanceof Y.Item;
    if (isItem && !item.deleted) return { item, id: at };
    const next = isItem && item.redone ? past(item.redone, at.clock - item.id.clock) : heirs.of(at);
    if (next === null) return null;
    at = next;
  }
  return null;
}

/** Heirs of one's own words: words that the server has brought back. */
export type Returned = readonly HeirRun[];

/** The client id under which a server writes words again. */
export const SERVER = 0;

/** What had come back, and what more does: words of a client id that is one's own, or of which some are not acknowledged. */
export function withReturned(
  before: Returned,
  runs: readonly HeirRun[],
  own: number,
  unsaved: ReadonlyMap<number, number>,
): Returned {
  const found = [...before];
  for (const run of runs) {
    const [client, clock, length, heir] = run;
    const isOwn = client === own || clock + length > (unsaved.get(client) ?? Number.POSITIVE_INFINITY);
    if (heir === SERVER && (isOwn || isReturned(client, clock, found))) found.push(run);
  }
  return found;
}

/** The last of the words that have come back right behind a living character; the character itself for none. */
export function lastReturned({ item, id }: Living, returned: Returned): Y.ID {
  let last = id;
  for (let at: Y.Item | null = item; at && returned.length > 0; at = at.right) {
    if (at.deleted || !at.countable) continue;
    const first = at === item ? id.clock + 1 : at.id.clock;
    for (let clock = first; clock < at.id.clock + at.length; clock += 1) {
      if (!isReturned(at.id.client, clock, returned)) return last;
      last = Y.createID(at.id.client, clock);
    }
  }
  return last;
}

function isReturned(client: number, clock: number, returned: Returned): boolean {
  return (
    client === SERVER && returned.some(([, , length, , first]) => first <= clock && clock < first + length)
  );
}

function past({ client, clock }: Y.ID, by: number): Y.ID {
  return Y.createID(client, clock + by);
}
