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

function past({ client, clock }: Y.ID, by: number): Y.ID {
  return Y.createID(client, clock + by);
}
