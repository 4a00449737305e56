/** Random numbers from a seed: the same in each run. */

export type Random = (below: number) => number;

export function randomOf(seed: number): Random {
  let state = seed * 7919 + 13;
  return (below) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return Math.floor((state / 0x7fffffff) * below) % below;
  };
}
