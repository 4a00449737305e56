/** Names and colours of authors whom this page has not met, asked of the server once. */

import { useEffect, useMemo, useState } from "react";
import type { Suggestion } from "../suggesting/list";
import { isUnmet, learnTold } from "../suggesting/people";
import type { DiscussionCalls } from "./calls";
import type { ShownThread } from "./threads";

/** People of one document who are asked for. A document with more is nothing that people read by name. */
const MOST = 100;
/** Milliseconds in which those who are here have said who they are. */
const INTRODUCED = 500;

export function useAuthors(
  calls: Pick<DiscussionCalls, "author">,
  isSynced: boolean,
  suggestions: readonly Suggestion[],
  threads: readonly ShownThread[],
): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: in another document others are known
  const asked = useMemo(() => new Set<string>(), [calls]);
  const [, setTold] = useState(0);
  useEffect(() => {
    if (!isSynced) return;
    let isHere = true;
    const ask = async () => {
      const authors = new Set([
        ...suggestions.map(({ user }) => user),
        ...threads.flatMap(({ comments }) => comments.map(({ by }) => by.user_id)),
      ]);
      for (const user of authors) {
        if (asked.size >= MOST || !isHere) return;
        if (asked.has(user) || !isUnmet(user)) continue;
        asked.add(user);
        try {
          const author = await calls.author(user);
          if (!author) continue;
          learnTold(user, author.name, author.color);
          setTold((count) => count + 1);
        } catch {
          // Who could not be asked for now is asked for when something comes or the server is back.
          asked.delete(user);
          return;
        }
      }
    };
    const timer = setTimeout(() => void ask(), INTRODUCED);
    return () => {
      isHere = false;
      clearTimeout(timer);
    };
  }, [calls, isSynced, suggestions, threads, asked]);
}
