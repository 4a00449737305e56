/** What a refusal's code asks of the client: the one place that knows. */

import type { ErrorCode, Todo } from "./types.js";

/**
 * - `later`: nothing is wrong with the message; send it again after a pause.
 * - `rejoin`: the two sides disagree about the past; joining again settles that. Once; when a client id is somebody
 *   else's, a few times, each under a fresh one.
 * - `authenticate`: the person's token has run out; a fresh one, then joining again, settles that. Once.
 * - `stop`: the same message will be refused for ever.
 */
export type Remedy = "later" | "rejoin" | "authenticate" | "stop";

/** For refused updates; for refused joins and fetches, and sessions that the server closed; for the page. */
type Remedies = `${Remedy} ${Remedy} ${Todo}`;

const REMEDIES: Readonly<Record<ErrorCode, Remedies>> = {
  malformed: "stop stop report",
  unknown_event: "stop stop report",
  not_joined: "rejoin rejoin report",
  unauthenticated: "authenticate authenticate sign_in",
  not_found: "stop stop ask_owner",
  forbidden: "stop stop ask_owner",
  not_a_suggestion: "rejoin rejoin keep_copy",
  wrong_origin: "stop stop tell_operator",
  wrong_host: "stop stop tell_operator",
  bad_update: "stop rejoin report",
  unsupported_content: "stop rejoin report",
  missing_past: "rejoin rejoin report",
  client_id_taken: "rejoin rejoin report",
  too_large: "stop rejoin report",
  too_costly: "stop later wait",
  document_full: "stop later wait",
  too_many: "later later wait",
  rate_limited: "later later wait",
  conflict: "stop rejoin report",
  epoch_changed: "rejoin rejoin open_anew",
  quarantined: "stop later tell_operator",
  unavailable: "later later wait",
  other_format: "stop stop open_anew",
  deleted: "stop stop keep_copy",
  draining: "later later wait",
  internal: "rejoin later report",
};

export function isCode(word: string): word is ErrorCode {
  return Object.hasOwn(REMEDIES, word);
}

export function remedyForUpdate(code: ErrorCode): Remedy {
  return REMEDIES[code].split(" ")[0] as Remedy;
}

export function remedyForSession(code: ErrorCode): Remedy {
  return REMEDIES[code].split(" ")[1] as Remedy;
}

/** What the page may do when it was not let in, or its session is over. */
export function todoFor(code: ErrorCode): Todo {
  return REMEDIES[code].split(" ")[2] as Todo;
}
