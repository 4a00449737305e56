/**
 * How long to wait before the next try: exponential with full jitter.
 *
 * The pause is uniform in [0, ceiling of this try], so that the clients of a server that comes back spread out over
 * the whole interval instead of arriving in waves.
 */

const FIRST_CEILING = 500;
/** Long enough to spare a server that is down for hours, short enough that nobody wonders. */
export const LAST_CEILING = 30_000;

/** Milliseconds before try number `tries` (0 is the first after a failure), given `random` in [0, 1). */
export function pauseBefore(tries: number, random: number): number {
  const ceiling = Math.min(LAST_CEILING, FIRST_CEILING * 2 ** Math.min(tries, 16));
  return Math.round(random * ceiling);
}
