/** The threads of a discussion for components, and the discussion kept in step with the server. */

import { useEffect, useSyncExternalStore } from "react";
import type { Discussion, DiscussionState } from "./discussion";

export function useThreads(discussion: Discussion): DiscussionState {
  return useSyncExternalStore(discussion.subscribe, discussion.snapshot);
}

/** What waits is sent again after so long, and what could not be read is asked for again. */
const AGAIN_MS = 10_000;

/** `version`: that of the discussion as the server has told it last. */
export function useFollowed(
  discussion: Discussion,
  isSynced: boolean,
  version: number,
  userId: string | null,
): void {
  useEffect(() => {
    if (isSynced) void discussion.follow(version);
  }, [discussion, isSynced, version]);
  useEffect(() => {
    if (userId !== null) void discussion.recall(userId);
  }, [discussion, userId]);
  useEffect(() => {
    if (!isSynced || userId === null) return;
    const send = () => {
      if (discussion.isWaiting) void discussion.send();
    };
    send();
    const stop = discussion.subscribe(send);
    const again = () => {
      send();
      if (discussion.isBehind) void discussion.follow();
    };
    const timer = setInterval(again, AGAIN_MS);
    return () => {
      stop();
      clearInterval(timer);
    };
  }, [discussion, isSynced, userId]);
}
