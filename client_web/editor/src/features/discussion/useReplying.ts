/** Who is writing a reply in which thread, as their pages say in their presence. */

import { useCallback, useEffect, useState } from "react";
import type { Awareness } from "y-protocols/awareness";

/** The field of a presence that holds the thread's id. */
export const REPLYING = "replying";
const NOBODY: readonly string[] = [];
const MOST_NAMES = 3;

export function useReplying(awareness: Awareness): (thread: string) => readonly string[] {
  const [names, setNames] = useState<Readonly<Record<string, readonly string[]>>>({});
  useEffect(() => {
    const look = () => {
      const found = repliersIn(awareness);
      setNames((before) => (JSON.stringify(before) === JSON.stringify(found) ? before : found));
    };
    look();
    awareness.on("change", look);
    return () => awareness.off("change", look);
  }, [awareness]);
  return useCallback((thread) => names[thread] ?? NOBODY, [names]);
}

function repliersIn({ clientID, states }: Awareness): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, string[]> = Object.create(null);
  for (const [client, state] of states) {
    const thread: unknown = state[REPLYING];
    const name: unknown = state.user?.name;
    if (client === clientID || typeof thread !== "string" || typeof name !== "string") continue;
    const names = found[thread] ?? [];
    if (names.length < MOST_NAMES && !names.includes(name)) found[thread] = [...names, name];
  }
  return found;
}
