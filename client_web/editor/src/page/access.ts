/** Whether the page may write to the document, and if not, why. */

import type { ProviderState, Role, ServerError } from "@manyhands/provider";
import type { Foreign } from "../extensions/foreign";

export type ReadOnly =
  | { readonly reason: "closed"; readonly error: ServerError }
  | { readonly reason: "signed out" }
  | { readonly reason: "quarantined" }
  | { readonly reason: "trashed" }
  | { readonly reason: "role"; readonly role: "viewer" }
  /** The page is older than the document, or the document is another editor's; `isOver`: this page cannot go on. */
  | { readonly reason: "format"; readonly message: string; readonly isOver: boolean }
  | { readonly reason: "foreign"; readonly foreign: readonly Foreign[] };

/** Returns the most serious reason, or null when the person may write or suggest. Without a role (offline, and never known) writing is allowed. */
export function readOnlyFor(state: ProviderState, foreign: readonly Foreign[]): ReadOnly | null {
  if (state.closed?.code === "unauthenticated") return { reason: "signed out" };
  if (state.closed?.code === "other_format") {
    return { reason: "format", message: state.closed.message, isOver: true };
  }
  if (state.closed) return { reason: "closed", error: state.closed };
  if (state.quarantined) return { reason: "quarantined" };
  if (state.document?.trashedAt) return { reason: "trashed" };
  if (state.role === "viewer") return { reason: "role", role: state.role };
  if (state.readOnly) return { reason: "format", message: state.readOnly.message, isOver: false };
  if (foreign.length > 0) return { reason: "foreign", foreign };
  return null;
}

/** Whether the role includes throwing the document away and taking it back. */
export function mayTrash(role: Role | null): boolean {
  return role === "owner";
}

/** Whether the server has shut this person out of the document, or knows nothing of it any more. */
export function isShutOut({ closed }: Pick<ProviderState, "closed">): boolean {
  return closed?.code === "forbidden" || closed?.code === "not_found";
}
