/** What this person may do with a document in the list; where the server says nothing, it is left to the server's refusal. */
import type { DocumentEntry } from "../api/api";

export function mayRename({ role }: DocumentEntry): boolean {
  return role === null || role === "owner" || role === "editor";
}

export function mayTrash({ role }: DocumentEntry): boolean {
  return role === null || role === "owner";
}

/** Whether it belongs to somebody else, so that this person can only leave it. */
export function isOthers({ role, owner }: DocumentEntry): boolean {
  return owner !== null && role !== null && role !== "owner";
}
