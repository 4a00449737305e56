/** The other people in the document, each once however many tabs they have open; this person too, in other tabs. */

import { useEffect, useState } from "react";
import type { Awareness } from "y-protocols/awareness";
import { t } from "../i18n/t";

export interface Present {
  readonly id: string;
  readonly name: string;
  readonly color: string;
  /** This person, in another tab. */
  readonly isSelf: boolean;
  /** One per tab. */
  readonly clientIds: readonly number[];
}

export function usePeople(awareness: Awareness): readonly Present[] {
  const [people, setPeople] = useState(() => peopleIn(awareness));
  useEffect(() => {
    const look = () => setPeople((before) => sameOr(before, peopleIn(awareness)));
    look();
    awareness.on("change", look);
    return () => awareness.off("change", look);
  }, [awareness]);
  return people;
}

/** Returns everybody but this page, in the order in which they came. States come from other people: only sound ones count. */
export function peopleIn(awareness: Pick<Awareness, "clientID" | "getStates">): readonly Present[] {
  const people = new Map<string, Present>();
  const ownId: unknown = awareness.getStates().get(awareness.clientID)?.user?.id;
  for (const [clientId, state] of awareness.getStates()) {
    const user: unknown = state.user;
    if (clientId === awareness.clientID || typeof user !== "object" || user === null) continue;
    const { id, name, color } = user as Record<string, unknown>;
    if (typeof name !== "string" || typeof color !== "string" || !/^#[0-9a-f]{6}$/i.test(color)) continue;
    const key = typeof id === "string" ? id : String(clientId);
    const before = people.get(key);
    const clientIds = [...(before?.clientIds ?? []), clientId];
    people.set(key, { id: key, name, color, isSelf: key === ownId, clientIds });
  }
  return [...people.values()];
}

/** Returns what a person is called on this page. */
export function presentName({ name, isSelf }: Present): string {
  return isSelf ? t("{name} (you)", { name }) : name;
}

/** Cursor movements change the awareness often; the list of people they leave alone. */
function sameOr(before: readonly Present[], now: readonly Present[]): readonly Present[] {
  return JSON.stringify(before) === JSON.stringify(now) ? before : now;
}
