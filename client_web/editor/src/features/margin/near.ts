/** The cards that are in the page: those whose words are near the window. */

import { type Anchored, firstWhere } from "../../extensions/anchoring";

export interface Edges {
  readonly top: number;
  readonly bottom: number;
}

/** Where words stand in the window, in pixels. */
export interface Geometry {
  /** The section that holds a position; null if there is none. Its edges cost nothing. */
  readonly section: (at: number) => Edges | null;
  /** The upper edge of a position's line, for which its section has to be drawn. */
  readonly line: (at: number) => number;
}

/** Cards that are in the page at once. */
export const MOST = 60;
/** Pixels above and below the window within which cards are in the page. */
const NEAR = 600;

/** `all` stand in the order of their words. */
export function nearOf(
  all: readonly Anchored[],
  window: Edges,
  { section, line }: Geometry,
): readonly Anchored[] {
  const [top, bottom] = [window.top - NEAR, window.bottom + NEAR];
  // First by sections; then by lines, in the sections that are drawn.
  const drawn = all.slice(
    firstWhere(all, ({ at }) => (section(at)?.bottom ?? top) >= top),
    firstWhere(all, ({ at }) => (section(at)?.top ?? -1) >= bottom),
  );
  const near = drawn.slice(
    firstWhere(drawn, ({ at }) => line(at) >= top),
    firstWhere(drawn, ({ at }) => line(at) >= bottom),
  );
  if (near.length <= MOST) return near;
  const seen = firstWhere(near, ({ at }) => line(at) >= window.top);
  const from = Math.max(0, Math.min(seen - MOST / 3, near.length - MOST));
  return near.slice(from, from + MOST);
}
