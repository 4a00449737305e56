/** Places of cards in a margin: each as near to its words as the others let it. */

export interface Placed {
  readonly id: string;
  /** Where its words stand, in pixels from the margin's upper edge. */
  readonly top: number;
  readonly height: number;
}

/**
 * Returns the upper edge of each card. The cards must come in the order of their words. The active one
 * stands at its words, and those above it give way upwards, as far as there is room.
 */
export function placesOf(
  cards: readonly Placed[],
  active: string | null,
  gap: number,
): ReadonlyMap<string, number> {
  const tops = cards.map(({ top }) => top);
  const at = cards.findIndex(({ id }) => id === active);
  if (at > 0) {
    const above = cards.slice(0, at);
    // So high that all above it fit below the edge.
    const least = above.reduce((sum, { height }) => sum + height + gap, 0);
    tops[at] = Math.max(tops[at] ?? 0, least);
    for (let index = at - 1; index >= 0; index -= 1) {
      const most = (tops[index + 1] ?? 0) - gap - (cards[index]?.height ?? 0);
      tops[index] = Math.min(tops[index] ?? 0, most);
    }
  }
  // What has been pushed above the edge comes back, and pushes what is below.
  let edge = 0;
  for (const [index, { height }] of cards.entries()) {
    const top = Math.max(tops[index] ?? 0, edge);
    tops[index] = top;
    edge = top + height + gap;
  }
  return new Map(cards.map(({ id }, index) => [id, Math.round(tops[index] ?? 0)]));
}
