/** Trouble: the one thing that is not as it should be, by name, with what to do. */

import { todoFor } from "./remedy.js";
import type { SyncState } from "./state.js";
import type { ServerError, Trouble } from "./types.js";

/** The gravest trouble of a session, or null. `isWanted`: whether the document is to be kept in step at all. */
export function troubleOf(state: SyncState, isWanted: boolean): Trouble | null {
  const { link, turnedAway, closed, refusal, delay } = state;
  if (closed !== null) return { ...named(closed), concerns: "document", retries: false };
  if (refusal !== null) {
    const { code, message } = refusal;
    const todo = code === "other_format" ? "open_anew" : "keep_copy";
    return { reason: code, message, todo, concerns: "changes", retries: false };
  }
  if (!isWanted) return null;
  if (turnedAway !== null) return { ...named(turnedAway), concerns: "connection", retries: true };
  if (link === "offline") return { ...UNREACHABLE, concerns: "connection", retries: true };
  if (delay === null) return null;
  const concerns = state.phase.kind === "joined" ? "changes" : "document";
  return { ...named(delay), concerns, retries: true };
}

const UNREACHABLE = {
  reason: "unreachable",
  message: "The server cannot be reached.",
  todo: "wait",
} as const;

function named({ code, message }: ServerError) {
  return { reason: code, message, todo: todoFor(code) };
}
