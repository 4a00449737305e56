/** A network between two people whose changes arrive when a test says so, and chance that a seed repeats. */

import * as Y from "yjs";
import type { Person } from "./editors";

export interface Way {
  /** How many changes are under way. */
  readonly waiting: number;
  /** Lets the oldest of them arrive. */
  readonly deliver: () => void;
}

/** Joins two people; returns the ways from each to the other. */
export function join(one: Person, other: Person): readonly [Way, Way] {
  return [way(one, other), way(other, one)];
}

function way(from: Person, to: Person): Way {
  const underWay: Uint8Array[] = [];
  from.doc.on("update", (update: Uint8Array, origin: unknown) => {
    if (origin !== ARRIVED) underWay.push(update);
  });
  return {
    get waiting() {
      return underWay.length;
    },
    deliver: () => {
      const update = underWay.shift();
      if (update) Y.applyUpdate(to.doc, update, ARRIVED);
    },
  };
}

const ARRIVED = Symbol("arrived");

/** Returns numbers in [0, 1) that look like chance and are the same for the same seed (a linear congruential generator). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
