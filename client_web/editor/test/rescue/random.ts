/** Random numbers from a seed, the same in each run, and the part of all cases that a run takes. */

import { env } from "node:process";

/** Parts of which a run takes one. */
export const PARTS = 5;
/** The part that this run takes: another one each day. `PART` names one of them. */
export const PART = Number(env.PART ?? Math.floor(Date.now() / 86_400_000)) % PARTS;

export type Random = (below: number) => number;

export function randomOf(seed: number): Random {
  let state = seed * 7919 + 13;
  return (below) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return Math.floor((state / 0x7fffffff) * below) % below;
  };
}
