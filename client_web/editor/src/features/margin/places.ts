/** Places of cards in a margin: each as near to its words as the others let it. */

export interface Placed {
  readonly id: string;
  /** Where its words stand, in pixels from the margin's upper edge. */
  readonly top: number;
  readonly height: number;
}

/** Pixels that a card may stand away from its words where it is to be beside them. */
export const DRIFT = 240;

/**
 * Returns the upper edge of each card. The cards must come in the order of their words. The card that is
 * `beside` its words stands there, and those above it give way upwards. At the upper edge they have room as
 * long as that moves it by no more than `DRIFT`; those that have none then are beyond the edge.
 */
export function placesOf(
  cards: readonly Placed[],
  beside: string | null,
  gap: number,
): ReadonlyMap<string, number> {
  const tops = cards.map(({ top }) => top);
  const at = cards.findIndex(({ id }) => id === beside);
  let edge = 0;
  if (at > 0) {
    const own = Math.max(tops[at] ?? 0, 0);
    // So high that all above it fit below the edge.
    const least = cards.slice(0, at).reduce((sum, { height }) => sum + height + gap, 0);
    tops[at] = Math.max(own, Math.min(least, own + DRIFT));
    edge = Math.min(0, (tops[at] ?? 0) - least);
    for (let index = at - 1; index >= 0; index -= 1) {
      const most = (tops[index + 1] ?? 0) - gap - (cards[index]?.height ?? 0);
      tops[index] = Math.min(tops[index] ?? 0, most);
    }
  }
  // What has been pushed above the edge comes back, and pushes what is below.
  for (const [index, { height }] of cards.entries()) {
    const top = Math.max(tops[index] ?? 0, edge);
    tops[index] = top;
    edge = top + height + gap;
  }
  return new Map(cards.map(({ id }, index) => [id, Math.round(tops[index] ?? 0)]));
}

/** The places of cards, and the card that is beside its words in them; null if none has to be. */
export interface Arrangement {
  readonly places: ReadonlyMap<string, number>;
  readonly beside: string | null;
}

export interface Wish {
  readonly active: string | null;
  readonly isActiveSeen: boolean;
  /** The first card whose words are in the window. */
  readonly seen: string | null;
  /** The card around which the others stand now. */
  readonly before: string | null;
}

/**
 * Arranges cards around the active one, if that is in the window. Without it all give way downwards, until
 * the first one that is seen would be too far from its words. The others stand around that one then, and
 * stay there as long as nothing drifts too far again.
 */
export function arranged(cards: readonly Placed[], wish: Wish, gap: number): Arrangement {
  const { active, isActiveSeen, seen, before } = wish;
  if (isActiveSeen) return { places: placesOf(cards, active, gap), beside: null };
  const first = cards.find(({ id }) => id === seen);
  for (const beside of [active, before, null]) {
    if (beside !== null && !cards.some(({ id }) => id === beside)) continue;
    const places = placesOf(cards, beside, gap);
    const isNear = !first || Math.abs((places.get(first.id) ?? 0) - first.top) <= DRIFT;
    if (isNear) return { places, beside: beside === active ? null : beside };
  }
  return { places: placesOf(cards, seen, gap), beside: seen };
}
