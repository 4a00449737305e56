/** A clock that stands still until a test moves it, and chance from a seed. */

import type { Clock, Timer } from "../../src/clock.js";

export class ManualClock implements Clock {
  private time = 1_000;
  private next = 1;
  private readonly timers = new Map<number, { readonly due: number; readonly callback: () => void }>();
  private readonly chance: () => number;

  constructor(chance: () => number = () => 0.5) {
    this.chance = chance;
  }

  now(): number {
    return this.time;
  }

  random(): number {
    return this.chance();
  }

  setTimeout(callback: () => void, delay: number): Timer {
    const timer = this.next++;
    this.timers.set(timer, { due: this.time + delay, callback });
    return timer;
  }

  clearTimeout(timer: Timer): void {
    this.timers.delete(timer as number);
  }

  /** Let time pass; what falls due runs in its order, at its own moment. */
  advance(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (;;) {
      const [first] = [...this.timers].sort(([, one], [, other]) => one.due - other.due);
      if (first === undefined || first[1].due > end) break;
      this.timers.delete(first[0]);
      this.time = Math.max(this.time, first[1].due);
      first[1].callback();
    }
    this.time = end;
  }
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32's mixing). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
