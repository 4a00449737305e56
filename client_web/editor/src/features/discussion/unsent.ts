/** Words that somebody has begun to write, and not sent. They outlive their field, whose card may go from sight. */

import { type Body, wordsOf } from "./threads";

const unsent = new Map<string, Body>();

/** `name`: the thread's id for a reply, the comment's for a change, the document's for a new thread. */
export function keepUnsent(name: string, body: Body): void {
  if (wordsOf(body).trim() === "") unsent.delete(name);
  else unsent.set(name, body);
}

export function unsentOf(name: string): Body | null {
  return unsent.get(name) ?? null;
}

export function forgetUnsent(name: string): void {
  unsent.delete(name);
}
