/** What a refusal's code asks of the client: the one place that knows. */

import type { ErrorCode } from "./types.js";

/**
 * - `later`: nothing is wrong with the message; send it again after a pause.
 * - `rejoin`: the two sides disagree about the past; joining again settles that. Once.
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
      return "rejoin";
    case "unauthenticated":
      return "authenticate";
    case "malformed":
    case "unknown_event":
    case "not_found":
    case "forbidden":
    case "bad_update":
    case "unsupported_content":
    case "client_id_taken":
    case "too_large":
    case "document_full":
    case "quarantined":
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
    case "deleted":
      return "stop";
  }
}
