/** The colour under which this page shows its person: their own, unless somebody who is here has one like it.
 *
 * Each page decides for itself, and says so in its presence (`color`). Who comes later gives way. Of two who chose at the same
 * moment, the one with the greater client id gives way. All tabs of one person follow the tab with the least client id.
 */
import type { Provider } from "@manyhands/provider";
import { useEffect, useState } from "react";
import { PERSON_COLORS } from "../ui/color";

export interface Shown {
  readonly clientId: number;
  /** null where nobody says who it is. */
  readonly userId: string | null;
  readonly color: string;
  /** Whether the page has chosen, and keeps the colour. */
  readonly isClaimed: boolean;
}

/** Colours that are closer than this in RGB are taken for the same at a glance. */
const ALIKE = 48;

/** Returns the colour for `own`; its `color` is the wanted one, or the one that it has chosen before. */
export function colorAmong(own: Shown, present: readonly Shown[]): string {
  const tabs = present.filter(({ userId }) => userId !== null && userId === own.userId);
  const first = tabs.find(({ clientId, isClaimed }) => isClaimed && clientId < own.clientId);
  if (first) return first.color;
  const others = present.filter((each) => !tabs.includes(each));
  const before = own.isClaimed
    ? others.filter(({ clientId, isClaimed }) => isClaimed && clientId < own.clientId)
    : others;
  if (nearest(own.color, before) >= ALIKE) return own.color;
  const free = PERSON_COLORS.map((color) => ({ color, distance: nearest(color, others) }));
  const best = free.reduce((one, other) => (other.distance > one.distance ? other : one));
  return best.distance > 0 ? best.color : own.color;
}

/** Returns the colour of this page's person among those who are here, and tells the others. */
export function useColorHere(
  { awareness }: Pick<Provider, "awareness">,
  wanted: string,
  isHere: boolean,
): string {
  const [color, setColor] = useState(wanted);
  useEffect(() => {
    if (!isHere) return setColor(wanted);
    let claimed: string | null = null;
    const look = () => {
      const own = shownIn(awareness.clientID, awareness.getLocalState());
      const present = [...awareness.getStates()].filter(([clientId]) => clientId !== awareness.clientID);
      const next = colorAmong(
        { ...own, color: claimed ?? wanted, isClaimed: claimed !== null },
        present.map(([clientId, state]) => shownIn(clientId, state)),
      );
      if (next === claimed) return;
      claimed = next;
      setColor(next);
      awareness.setLocalStateField("color", next);
    };
    look();
    awareness.on("change", look);
    return () => awareness.off("change", look);
  }, [awareness, wanted, isHere]);
  return color;
}

function shownIn(clientId: number, state: unknown): Shown {
  const { user, color } = (state ?? {}) as { readonly user?: unknown; readonly color?: unknown };
  const { id, color: given } = (user ?? {}) as { readonly id?: unknown; readonly color?: unknown };
  return {
    clientId,
    userId: typeof id === "string" ? id : null,
    color: String(given),
    isClaimed: color !== undefined,
  };
}

function nearest(color: string, others: readonly Shown[]): number {
  return Math.min(Number.POSITIVE_INFINITY, ...others.map((other) => distance(color, other.color)));
}

function distance(one: string, other: string): number {
  const [a, b] = [channels(one), channels(other)];
  return Math.hypot(...a.map((value, at) => value - (b[at] ?? 0)));
}

function channels(color: string): readonly number[] {
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) || 0);
}
