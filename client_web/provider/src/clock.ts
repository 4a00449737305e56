/** Time and randomness as arguments, so that tests decide both. */

export type Timer = ReturnType<typeof setTimeout> | number;

/** Milliseconds throughout; `random` is uniform in [0, 1). */
export interface Clock {
  now(): number;
  setTimeout(callback: () => void, delay: number): Timer;
  clearTimeout(timer: Timer): void;
  random(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (timer) => clearTimeout(timer),
  random: () => Math.random(),
};
