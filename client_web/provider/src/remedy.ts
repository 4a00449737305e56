/** What a refusal's code asks of the client: the one place that knows. */

import type { SyncState } from "./state.js";
import type { ErrorCode } from "./types.js";

/**
 * - `later`: nothing is wrong with the message; send it again after a pause.
 * - `rejoin`: the two sides disagree about the past; joining again settles that. Once; when a client id is somebody
 *   else's, a few times, each under a fresh one.
 * - `authenticate`: the person's token has run out; a fresh one, then joining again, settles that. Once.
 * - `stop`: the same message will be refused for ever.
 */
export type Remedy = "later" | "rejoin" | "authenticate" | "stop";

export function remedyForUpdate(code: ErrorCode): Remedy {
  switch (code) {
    case "unavailable":
    case "rate_limited":
    case "draining":
    case "too_many":
      return "later";
    case "missing_past":
    case "not_joined":
    case "internal":
    case "epoch_changed":
    case "client_id_taken":
      return "rejoin";
    case "unauthenticated":
      return "authenticate";
    case "malformed":
    case "unknown_event":
    case "not_found":
    case "forbidden":
    case "bad_update":
    case "unsupported_content":
    case "too_large":
    case "too_costly":
    case "document_full":
    case "quarantined":
    case "other_format":
    case "deleted":
      return "stop";
  }
}

/** For refused joins and fetches, and for sessions that the server closed. */
export function remedyForSession(code: ErrorCode): Remedy {
  switch (code) {
    case "unavailable":
    case "rate_limited":
    case "draining":
    case "too_many":
    case "internal":
    case "quarantined":
    case "too_costly":
    case "document_full":
      return "later";
    case "not_joined":
    case "missing_past":
    case "client_id_taken":
    case "epoch_changed":
    case "too_large":
    case "bad_update":
    case "unsupported_content":
      return "rejoin";
    case "unauthenticated":
      return "authenticate";
    case "malformed":
    case "unknown_event":
    case "not_found":
    case "forbidden":
    case "other_format":
    case "deleted":
      return "stop";
  }
}

/** Whether writing is allowed now as far as the client can know. */
function mayWrite(state: SyncState): boolean {
  const trashed = state.document?.trashedAt != null;
  return (state.role === "owner" || state.role === "editor") && !trashed && !state.quarantined;
}

/** Drop a refusal whose reason has gone away, so that its changes are offered again. */
export function forgive(state: SyncState): SyncState {
  const code = state.refusal?.code;
  const lifted = (code === "forbidden" || code === "quarantined") && mayWrite(state);
  return lifted ? { ...state, refusal: null, strikes: null } : state;
}
