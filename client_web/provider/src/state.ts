/** What the sync core knows of one document, what it can ask of its shell, and the small moves from state to state. */

import { type Change, type Changes, countOf, inOrder, listOf, sealed, sorted } from "./changes.js";
import type { Heirs } from "./heirs.js";
import type {
  DocumentInfo,
  Durability,
  ErrorCode,
  Format,
  ReadOnly,
  Refusal,
  Role,
  ServerError,
} from "./types.js";
import type { JoinAnswer, Limits, PresenceChange } from "./wire.js";

export type LinkStatus = "offline" | "connecting" | "connected";

/** One `update` event: its place in the document's log, the batch's updates, and the characters that live on elsewhere. */
export interface Row {
  readonly seq: number;
  readonly updates: readonly Uint8Array[];
  readonly heirs: Heirs;
}

/** Whether local changes leave: `offering` while the shell computes what the server lacks. */
export type Sending = "offering" | "open" | "paused";

export type Phase =
  | { readonly kind: "apart" }
  | { readonly kind: "joining"; readonly held: readonly Row[] }
  | {
      readonly kind: "fetching";
      readonly answer: JoinAnswer;
      readonly total: number;
      readonly parts: readonly Uint8Array[];
      readonly held: readonly Row[];
    }
  | {
      readonly kind: "joined";
      /** Every row up to this one was received or is acknowledged. */
      readonly seq: number;
      /** Rows beyond it that were acknowledged to us before their predecessors arrived. */
      readonly ahead: ReadonlySet<number>;
      readonly sending: Sending;
      readonly serverVector: Uint8Array;
    };

export type Joined = Extract<Phase, { kind: "joined" }>;

/** A batch that was sent and is neither acknowledged nor refused. */
export interface InFlight {
  readonly id: number;
  readonly changes: readonly Change[];
  /** How many local changes it holds. */
  readonly count: number;
  readonly bytes: number;
}

export interface SyncState {
  readonly link: LinkStatus;
  readonly turnedAway: ServerError | null;
  /** Whether the offline copy has been read, or there is none. */
  readonly ready: boolean;
  readonly phase: Phase;
  /** Number of the latest join; answers to earlier ones mean nothing any more. */
  readonly attempt: number;
  /** Life of the document that the local content belongs to; null before the first join. */
  readonly epoch: number | null;
  /** What the page's editor knows; null if it does not say. */
  readonly format: Format | null;
  /** Why nothing of this page is sent or kept; see format.ts. */
  readonly readOnly: ReadOnly | null;
  /** Every row of that life up to this one is in the document, deletions included; null when that is not certain. */
  readonly complete: number | null;
  /** Local changes that are in no list: the next offer covers them by the document's state. */
  readonly adrift: number;
  /** Local changes that wait: for the gathering window to end, for a join, or for a refusal to be lifted. */
  readonly pending: Changes | null;
  readonly nextChange: number;
  readonly inFlight: readonly InFlight[];
  readonly nextBatch: number;
  /** The server holds somebody else's words under a client id of this page: its own must be moved to another one. */
  readonly moving: boolean;
  /** The refusal of suggestions that are put right by the next offer; see mending.ts. */
  readonly mending: Refusal | null;
  /** The same failure, how often in a row: nothing is tried for ever that cannot succeed. */
  readonly strikes: { readonly of: ErrorCode | "apply"; readonly count: number } | null;
  /** Pauses in a row without a success between them; the back-off grows with it. */
  readonly tries: number;
  readonly limits: Limits;
  readonly loaded: boolean;
  readonly role: Role | null;
  readonly durability: Durability;
  readonly document: DocumentInfo | null;
  readonly quarantined: boolean;
  readonly setAside: number;
  readonly accessChanges: number;
  readonly discussion: number;
  readonly inboxChanges: number;
  readonly refusal: Refusal | null;
  readonly closed: ServerError | null;
  /** Why a join or a change has to wait for a while, if the server said so. */
  readonly delay: ServerError | null;
  readonly lastSavedAt: number | null;
}

/** What the shell has to do, in this order, at once. */
export type Effect =
  /** Send `join` with the document's state vector; answer with `joined`, `joinRefused` or `joinLost`. */
  | {
      readonly kind: "join";
      readonly attempt: number;
      readonly epoch: number | null;
      readonly complete: number | null;
    }
  /** Fetch one part; answer with `fetched`, or as for a join. */
  | { readonly kind: "fetch"; readonly attempt: number; readonly index: number }
  /** Bring a fresh token; answer with `authenticated`, `authenticationRefused` (passing `error`) or `authenticationLost`. */
  | { readonly kind: "authenticate"; readonly attempt: number; readonly error: ServerError }
  /**
   * Apply to the document in one transaction, which is then complete up to row `seq`. An exception drops the step's other
   * effects and is told by `applyFailed`.
   */
  | {
      readonly kind: "apply";
      readonly seq: number;
      readonly updates: readonly Uint8Array[];
      readonly heirs: Heirs;
    }
  /** Make sure that the document reaches as far as this state vector; if it doesn't, that is told as by `apply`. */
  | { readonly kind: "compare"; readonly seq: number; readonly stateVector: Uint8Array }
  /**
   * Compare what the document holds with what the server has, by its state vector and later rows, and tell by `offered`.
   * `salvage`: give up what cannot be encoded.
   */
  | {
      readonly kind: "offer";
      readonly attempt: number;
      readonly stateVector: Uint8Array;
      readonly rows: readonly Row[];
      readonly salvage: boolean;
    }
  /** Send a batch after all earlier ones; answer with `acknowledged` or `refused`. `after`: null for a state. */
  | { readonly kind: "send"; readonly id: number; readonly after: number | null; readonly batch: Uint8Array }
  /** Call `gathered` when the gathering window ends. */
  | { readonly kind: "gather" }
  /** Call `retry` with `attempt` after the back-off's pause. */
  | { readonly kind: "retry"; readonly attempt: number; readonly tries: number }
  /** Everybody else, as of this join. */
  | { readonly kind: "presence"; readonly changes: readonly PresenceChange[]; readonly presenceId: number }
  /** Go on writing under a fresh client id. */
  | { readonly kind: "renew_client_id" }
  /**
   * Move this page's words that the server does not hold to an id that is free, in the copy on the device too; answer
   * with `wordsMoved`. `foreign`: also those that came from elsewhere, such as an earlier visit or an import.
   */
  | {
      readonly kind: "move_words";
      readonly attempt: number;
      readonly stateVector: Uint8Array;
      readonly foreign: boolean;
    }
  /** Keep nothing more on the device: what the editor does from now on is not the person's. */
  | { readonly kind: "only_read" }
  /** Keep the offline copy apart: it belongs to an earlier life of the document. */
  | { readonly kind: "set_aside"; readonly epoch: number };

/** The outcome of a verb. */
export interface Step {
  readonly state: SyncState;
  readonly effects: readonly Effect[];
}

export const startState: SyncState = {
  link: "offline",
  turnedAway: null,
  ready: false,
  phase: { kind: "apart" },
  attempt: 0,
  epoch: null,
  format: null,
  readOnly: null,
  complete: null,
  adrift: 0,
  pending: null,
  nextChange: 1,
  inFlight: [],
  nextBatch: 1,
  moving: false,
  mending: null,
  strikes: null,
  tries: 0,
  limits: { update_bytes: 16 * 2 ** 20, part_bytes: 256 * 2 ** 10, presence_bytes: 4096 },
  loaded: false,
  role: null,
  durability: "ok",
  document: null,
  quarantined: false,
  setAside: 0,
  accessChanges: 0,
  discussion: 0,
  inboxChanges: 0,
  refusal: null,
  closed: null,
  delay: null,
  lastSavedAt: null,
};

/** Local changes that are not known to be durable. */
export function unsaved(state: SyncState): number {
  return state.inFlight.reduce((sum, { count }) => sum + count, state.adrift + (state.pending?.count ?? 0));
}

/** The changes of which the server has not said that they are durable, in their order. */
export function unacknowledged({ inFlight, pending }: SyncState): readonly Change[] {
  return sorted([...inFlight.flatMap(({ changes }) => changes), ...inOrder(pending)]);
}

/** Local changes that are in no list, sent or not. */
export function untold({ adrift, inFlight }: SyncState): number {
  return inFlight.reduce((sum, { count, changes }) => sum + count - countOf(changes), adrift);
}

export function stay(state: SyncState, ...effects: readonly Effect[]): Step {
  return { state, effects };
}

/** Leave the session behind: what was under way waits until the next offer. */
export function apart(state: SyncState): SyncState {
  const ended = state.phase.kind === "joined" && state.link === "connected";
  const complete = ended ? null : state.complete;
  const pending = listOf(unacknowledged(state).map(sealed));
  return { ...state, complete, adrift: untold(state), pending, inFlight: [], phase: { kind: "apart" } };
}

/** Give up the list of changes: all of them leave by the document's state. */
export function allAdrift(state: SyncState): SyncState {
  return { ...state, adrift: unsaved(state), pending: null, inFlight: [] };
}

/** Count a row as seen, and those beyond it that were waiting for it. */
export function seen(phase: Joined, row: number): Joined {
  if (row <= phase.seq) return phase;
  const ahead = new Set([...phase.ahead, row]);
  let seq = phase.seq;
  while (ahead.delete(seq + 1)) seq += 1;
  return { ...phase, seq, ahead };
}

/**
 * A client id that is taken may be replaced this often in a row; random ids do not collide, so more means a fault. Suggestions
 * may meet with somebody's change again each time that they are made anew.
 */
const MOST_STRIKES: Partial<Record<ErrorCode | "apply", number>> = {
  client_id_taken: 3,
  not_a_suggestion: 5,
};

/** Note one more failure of a kind, after which what is complete is uncertain; null when there were enough of them. */
export function strike(state: SyncState, of: ErrorCode | "apply"): SyncState | null {
  const count = (state.strikes?.of === of ? state.strikes.count : 0) + 1;
  return count > (MOST_STRIKES[of] ?? 1) ? null : { ...state, complete: null, strikes: { of, count } };
}

/** Whether writing is allowed now as far as the client can know. */
function mayWrite(state: SyncState): boolean {
  return (state.role === "owner" || state.role === "editor") && takesChanges(state);
}

/** Whether suggestions are taken now as far as the client can know. Whoever may write may suggest. */
export function maySuggest(state: SyncState): boolean {
  return state.role !== null && state.role !== "viewer" && takesChanges(state);
}

function takesChanges({ document, quarantined }: SyncState): boolean {
  return document?.trashedAt == null && !quarantined;
}

/** Drop a refusal whose reason has gone away, so that its changes are offered again. */
export function forgive(before: SyncState, news: SyncState): SyncState {
  const code = news.refusal?.code;
  const isOfRole = code === "forbidden" || code === "quarantined" || code === "not_a_suggestion";
  // For those who may edit, a document is full later.
  const hasRoom = code === "document_full" && before.role === "commenter";
  const lifted = (isOfRole || hasRoom) && mayWrite(news);
  return lifted ? { ...news, refusal: null, strikes: null } : news;
}
