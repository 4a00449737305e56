/** The cards that are in the page: those whose words are near the window, as many as have room there. */

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

export interface Near {
  readonly cards: readonly Anchored[];
  /** The first card whose words are in the window or below. */
  readonly seen: string | null;
  readonly isActiveSeen: boolean;
  /** Whether more cards are near than have room. */
  readonly isCrowded: boolean;
}

/** Pixels above and below the window within which cards are in the page. */
export const NEAR = 600;
/** The same where cards are crowded: each pixel costs cards that are gone with the next turn of the wheel. */
const NEAR_CROWDED = 160;
/** A low card, with the gap below, in pixels. */
const LOW = 90;
/** Cards that are in the page while nobody knows where the window is. */
export const MOST = 40;

/** `all` stand in the order of their words. The active card is in the page wherever it is near. */
export function nearOf(
  all: readonly Anchored[],
  active: string | null,
  window: Edges,
  { section, line }: Geometry,
): Near {
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
  const seenAt = firstWhere(near, ({ at }) => line(at) >= window.top);
  const seen = near[seenAt]?.id ?? null;
  const activeAt = near.findIndex(({ id }) => id === active);
  const activeLine = activeAt < 0 ? window.bottom : line(near[activeAt]?.at ?? 0);
  const isActiveSeen = activeLine >= window.top && activeLine < window.bottom;
  if (near.length * LOW <= bottom - top) return { cards: near, seen, isActiveSeen, isCrowded: false };
  // Around this one the others find their places.
  const [pivot, pivotLine] = isActiveSeen ? [activeAt, activeLine] : [seenAt, window.top];
  const from = pivot - Math.ceil((pivotLine - window.top + NEAR_CROWDED) / LOW);
  const to = pivot + Math.ceil((window.bottom - pivotLine + NEAR_CROWDED) / LOW);
  const cards = near.filter((_, index) => (index >= from && index < to) || index === activeAt);
  return { cards, seen, isActiveSeen, isCrowded: true };
}
