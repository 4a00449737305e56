/**
 * The sync core: the native protocol's client for one document, without network, timers or document.
 *
 * A state and verbs; each verb returns the next state and the effects that the shell (session.ts) carries out in order.
 * 1. Local changes are kept as they were made (changes.ts) until they are acknowledged. After each join the shell *offers* them:
 *    those that the server lacks leave in their order, each with the row up to which the document was complete.
 * 2. What no change tells of leaves behind them as a state of the document. A state vector does not tell deletions. Hence there
 *    is a number of such changes (`adrift`), and while that is more than 0 a state is sent, reach or no reach.
 *    The changes and the number outlive the page beside the offline copy.
 * 3. While `joined` and `open`, local changes are gathered and sent at once, many batches in flight, acknowledged in any order.
 * 4. Rows apply in log order: a gap means that something was missed, and joining again brings it. An acknowledged row
 *    counts as seen; a row that was seen may come again (it was shared with other people's batches) and is applied again.
 * 5. A refused batch is never taken back and nothing is sent after it: later changes would build on it. One kind is mended,
 *    once nothing is in flight: words under somebody else's client id move to a free one (renaming.ts), between two joins.
 * 6. Who joins again after a lost link says up to which row the document is complete, and is not sent it once more. An
 *    acknowledged row proves nothing: a slow connection is not told what others have in it. The next row's event does,
 *    for events come in order or not at all. Whatever failed, and whatever else ended a session, leaves it uncertain.
 * 7. A page that does not know the document's format sends nothing; see format.ts.
 * 8. Refused suggestions are compared with the whole document of the server, put right, and offered as a state. Where that
 *    does not do, the document becomes the server's again, and the page's editor suggests anew what was meant (anew.ts).
 * 9. When the document changed without telling (watch.ts), its state is offered, with every deletion. So it is when the
 *    server misses the past of a change, and when words have moved to another client id.
 */

import { encodeBatch } from "./batch.js";
import { concatenate } from "./bytes.js";
import {
  areTooMany,
  batchesOf,
  type Change,
  countOf,
  inOrder,
  joined as joinedChange,
  type KeptChange,
  keptChange,
  listOf,
  newChange,
  push,
  type Sorted,
  sorted,
} from "./changes.js";
import { mayWriteFormat, OTHER_FORMAT, readOnlyFor, readOnlyWithout } from "./format.js";
import { remedyForSession, remedyForUpdate } from "./remedy.js";
import {
  allAdrift,
  apart,
  type Effect,
  forgive,
  type InFlight,
  type Joined,
  type LinkStatus,
  type Phase,
  type Row,
  type Step,
  type SyncState,
  seen,
  stay,
  strike,
  unsaved,
} from "./state.js";
import type { Heard } from "./tab_messages.js";
import type { DocumentInfo, Durability, ErrorCode, ReadOnly, Role, ServerError } from "./types.js";
import type { JoinAnswer } from "./wire.js";

const NO_ID = {
  code: "client_id_taken",
  message: "No client id was free for what was written here.",
} as const;

const NO_ANSWER = { code: "unavailable", message: "The server has not answered in time." } as const;

const NO_TOKEN = { code: "unauthenticated", message: "No fresh token could be had." } as const;

/** Join, or join again; without a link, or before the offline copy is read, just wait for them. */
function join(state: SyncState): Step {
  const waiting = apart(state);
  if (state.link !== "connected" || !state.ready || state.closed !== null) return stay(waiting);
  const attempt = state.attempt + 1;
  return stay(
    { ...waiting, attempt, phase: { kind: "joining", held: [] } },
    { kind: "join", attempt, epoch: state.epoch, complete: waiting.complete },
  );
}

/** Go on under another client id: the next join learns which words have to be moved to it. */
function moveWords(state: SyncState): Step {
  const step = join({ ...state, moving: unsaved(state) > 0 && state.readOnly === null, complete: null });
  return stay(step.state, { kind: "renew_client_id" }, ...step.effects);
}

function close(state: SyncState, error: ServerError): Step {
  return stay({ ...apart(state), closed: error, delay: null });
}

/** Refusals of the person: whoever asks again may have been let in meanwhile. */
const REOPENED: readonly ErrorCode[] = ["unauthenticated", "forbidden", "not_found"];

/** Join again after a refusal, because the page asks for it. */
export function reopened(state: SyncState): Step {
  const mayBeLifted = state.closed !== null && REOPENED.includes(state.closed.code);
  return mayBeLifted ? join({ ...state, closed: null, strikes: null }) : stay(state);
}

/** Try again after a pause, which grows from time to time. */
function rest(state: SyncState, delay: ServerError): Step {
  return stay(
    { ...state, delay, tries: state.tries + 1 },
    { kind: "retry", attempt: state.attempt, tries: state.tries },
  );
}

// ---- the link and the offline copy

export function linkChanged(before: SyncState, link: LinkStatus, turnedAway: ServerError | null): Step {
  const state = { ...before, turnedAway };
  if (link === state.link) return stay(state);
  if (link === "connected") return join({ ...state, link });
  return stay(apart({ ...state, link }));
}

/** The offline copy is in the document, or it is known that there is none. */
export function copyRead(
  state: SyncState,
  copy: {
    readonly filled: boolean;
    readonly dirty: boolean;
    readonly epoch: number | null;
    readonly document: DocumentInfo | null;
    readonly changes: readonly KeptChange[];
  },
): Step {
  const kept = copy.changes.map((change, index) => keptChange(state.nextChange + index, change));
  const next = {
    ...state,
    pending: kept.reduce(push, state.pending),
    nextChange: state.nextChange + kept.length,
    ready: true,
    loaded: copy.filled,
    epoch: copy.epoch,
    document: copy.document,
    adrift: state.adrift + (copy.dirty ? 1 : 0),
  };
  return join(next.readOnly === null ? next : onlyReading(next, next.readOnly));
}

// ---- formats

/** Send nothing from now on. Changes that wait, on the device too, wait for a page that knows the format. */
function onlyReading(state: SyncState, readOnly: ReadOnly): SyncState {
  const refusal = { code: "other_format", message: readOnly.message, bytes: 0 } as const;
  return { ...state, readOnly, refusal: unsaved(state) > 0 ? refusal : state.refusal };
}

/** Decide whether this page writes, or is over, by what the server has said of the document's format. */
function byFormat(state: SyncState): Step {
  const { document, format, readOnly, loaded } = state;
  if (readOnly !== null || mayWriteFormat(format, document)) return stay(state);
  if (loaded) return close(state, OTHER_FORMAT);
  return stay(onlyReading(state, readOnlyFor(document?.format, [])), { kind: "only_read" });
}

/** The document holds what the editor does not know, and nobody has shown it to the editor yet. */
export function onlyRead(state: SyncState, readOnly: ReadOnly): Step {
  return stay(onlyReading(state, readOnly));
}

/** What has come holds what the editor does not know: take in nothing more. */
export function isStrange(state: SyncState, unknown: readonly string[]): Step {
  return close(state, { code: "other_format", message: readOnlyWithout(unknown).message });
}

// ---- joining

export function joined(state: SyncState, attempt: number, answer: JoinAnswer): Step {
  if (state.phase.kind !== "joining" || attempt !== state.attempt) return stay(state);
  const { role, document, durability, quarantined, setAside, discussion, limits, epoch } = answer;
  const told = { role, document, durability, quarantined, setAside, discussion, limits, epoch };
  const delay = unsaved(state) > 0 ? state.delay : null;
  const heard = forgive(state, {
    ...state,
    ...told,
    delay,
    complete: epoch === state.epoch ? state.complete : null,
  });
  const { state: next, effects: first } = byFormat(heard);
  if (next.closed !== null) return stay(next);
  if (state.moving) {
    const foreign = (state.strikes?.count ?? 0) > 1;
    const effect: Effect = { kind: "move_words", attempt, stateVector: answer.stateVector, foreign };
    return stay({ ...apart(next), moving: false }, effect);
  }
  const presence: Effect = { kind: "presence", changes: answer.presence, presenceId: answer.presenceId };
  if (answer.missing.kind !== "parts") {
    const missing = answer.missing.kind === "whole" ? answer.missing.update : null;
    const step = settle(next, answer, missing, state.phase.held);
    return stay(step.state, ...first, presence, ...step.effects);
  }
  const { bytes } = answer.missing;
  const phase: Phase = { kind: "fetching", answer, total: bytes, parts: [], held: state.phase.held };
  return stay({ ...next, phase }, ...first, presence, { kind: "fetch", attempt, index: 0 });
}

/** Part `index` of the missing update has come; parts are fetched one after the other. */
export function fetched(state: SyncState, attempt: number, index: number, part: Uint8Array): Step {
  const { phase } = state;
  if (phase.kind !== "fetching" || attempt !== state.attempt || index !== phase.parts.length)
    return stay(state);
  const parts = [...phase.parts, part];
  const { missing } = phase.answer;
  if (missing.kind === "parts" && parts.length < missing.count) {
    return stay({ ...state, phase: { ...phase, parts } }, { kind: "fetch", attempt, index: parts.length });
  }
  return settle(state, phase.answer, concatenate(parts), phase.held);
}

/** Everything announced is here, or nothing is missing: apply it and the rows that came meanwhile, then offer. */
function settle(
  state: SyncState,
  answer: JoinAnswer,
  missing: Uint8Array | null,
  held: readonly Row[],
): Step {
  const sending = state.refusal === null && state.readOnly === null ? "offering" : "paused";
  const phase: Joined = {
    kind: "joined",
    seq: answer.seq,
    ahead: new Set(),
    sending,
    serverVector: answer.stateVector,
  };
  const { seq, stateVector, heirs } = answer;
  const arrival: Effect =
    missing === null
      ? { kind: "compare", seq, stateVector }
      : { kind: "apply", seq, updates: [missing], heirs };
  let step = stay({ ...state, phase, complete: answer.seq, loaded: true }, arrival);
  for (const row of held) {
    if (row.seq <= answer.seq || step.state.phase.kind !== "joined") continue;
    const next = received(step.state, row);
    step = stay(next.state, ...step.effects, ...next.effects);
  }
  return step.state.phase.kind === "joined" && sending === "offering"
    ? stay(step.state, ...step.effects, offer(step.state, answer.stateVector, held))
    : step;
}

function offer(state: SyncState, stateVector: Uint8Array, rows: readonly Row[]): Effect {
  const salvage = state.strikes?.of === "apply";
  return { kind: "offer", attempt: state.attempt, stateVector, rows, salvage };
}

/** The shell's answer to `offer`: the waiting changes, sorted, and a state with what the server lacks besides, or null. */
export function offered(
  state: SyncState,
  attempt: number,
  { ready, left }: Pick<Sorted, "ready" | "left">,
  rest: Uint8Array | null,
): Step {
  const { phase } = state;
  if (phase.kind !== "joined" || phase.sending !== "offering" || attempt !== state.attempt)
    return stay(state);
  if (state.readOnly !== null) return stay(hold(state, phase));
  const open: SyncState = {
    ...state,
    phase: { ...phase, sending: "open" },
    adrift: 0,
    pending: null,
    mending: null,
  };
  if (ready.length === 0 && rest === null) return stay({ ...open, tries: 0, strikes: null, delay: null });
  const step = sendChanges(open, ready);
  if (rest === null) return step;
  const next = send(step.state, [rest], null, [], Math.max(1, state.adrift + countOf(left)));
  return stay(next.state, ...step.effects, ...next.effects);
}

/** What was refused is out of the document, and what was meant is suggested anew by changes of their own. */
export function begunAnew(state: SyncState): Step {
  const { phase } = state;
  if (phase.kind !== "joined") return stay(state);
  return stay({ ...state, phase: { ...phase, sending: "open" }, adrift: 0, pending: null, mending: null });
}

/** There is somebody now who can put right what was refused. */
export function mendAgain(state: SyncState): Step {
  const { refusal } = state;
  if (refusal?.code !== "not_a_suggestion") return stay(state);
  return join({ ...allAdrift(state), refusal: null, mending: refusal, strikes: null });
}

/** What was refused is not put right by this page. */
export function notMended(state: SyncState): Step {
  const { phase, mending } = state;
  if (phase.kind !== "joined" || mending === null) return stay(state);
  return stay({ ...hold(state, phase), refusal: mending, mending: null });
}

export function joinRefused(state: SyncState, attempt: number, error: ServerError): Step {
  if (attempt !== state.attempt || (state.phase.kind !== "joining" && state.phase.kind !== "fetching")) {
    return stay(state);
  }
  if (error.code === "epoch_changed" && state.epoch !== null) {
    const step = close(state, error);
    return stay(step.state, { kind: "set_aside", epoch: state.epoch });
  }
  return sessionFailed(state, error);
}

/** No answer to a join or a fetch within its time. */
export function joinLost(state: SyncState, attempt: number): Step {
  return attempt === state.attempt ? rest(apart(state), NO_ANSWER) : stay(state);
}

/** The server ended the session; the connection stays. */
export function closedByServer(state: SyncState, error: ServerError): Step {
  return sessionFailed(state, error);
}

function sessionFailed(state: SyncState, error: ServerError): Step {
  switch (remedyForSession(error.code)) {
    case "later": // `internal` is also an answer that could not be read
      return rest(apart(error.code === "internal" ? { ...state, complete: null } : state), error);
    case "stop":
      return close(state, error);
    case "authenticate":
      return authenticate(state, error);
    case "rejoin": {
      const struck = strike(state, error.code);
      if (struck === null) return close(state, error);
      return error.code === "client_id_taken" ? moveWords(struck) : join(struck);
    }
  }
}

/** The connection will not come about: the server refuses the person. */
export function refusedByServer(state: SyncState, error: ServerError): Step {
  return close(state, error);
}

/** Ask for a fresh token, once for all the refusals that the old one brings. */
function authenticate(state: SyncState, error: ServerError): Step {
  if (state.phase.kind === "apart" && state.strikes?.of === error.code) return stay(state);
  const struck = strike(state, error.code);
  if (struck === null) return close(state, error);
  return stay(apart(struck), { kind: "authenticate", attempt: state.attempt, error });
}

export function authenticated(state: SyncState, attempt: number): Step {
  return attempt === state.attempt ? join(state) : stay(state);
}

export function authenticationRefused(state: SyncState, attempt: number, error: ServerError): Step {
  return attempt === state.attempt ? close(state, error) : stay(state);
}

/** No fresh token could be had: that says nothing of the person. */
export function authenticationLost(state: SyncState, attempt: number): Step {
  return attempt === state.attempt ? rest({ ...state, strikes: null }, NO_TOKEN) : stay(state);
}

/** The pause that `retry` asked for is over. */
export function retry(state: SyncState, attempt: number): Step {
  return attempt === state.attempt ? join(state) : stay(state);
}

// ---- other people's changes

export function received(state: SyncState, row: Row): Step {
  const { phase } = state;
  switch (phase.kind) {
    case "apart":
      return stay(state);
    case "joining":
    case "fetching":
      return stay({ ...state, phase: { ...phase, held: [...phase.held, row] } });
    case "joined": {
      const next = seen(phase, row.seq);
      if (skips(phase, next, row.seq)) return join(state);
      const complete = state.complete === null ? null : Math.max(state.complete, row.seq);
      return stay({ ...state, phase: next, complete }, { kind: "apply", ...row });
    }
  }
}

/** What the server sent could not be applied. Once that may be chance, twice it is not. */
export function applyFailed(state: SyncState, message: string): Step {
  const struck = strike(state, "apply");
  return struck === null ? close(state, { code: "internal", message }) : join(struck);
}

export function resync(state: SyncState): Step {
  return join({ ...state, complete: null });
}

/** Somebody else has written under a client id of this page. */
export function clientIdTaken(state: SyncState): Step {
  const struck = strike(state, NO_ID.code);
  return struck === null ? close(state, NO_ID) : moveWords(struck);
}

/** The words stand under an id of their own now, in the copy on the device too; or no id was free for them. */
export function wordsMoved(state: SyncState, attempt: number, moved: boolean): Step {
  if (attempt !== state.attempt) return stay(state);
  return moved ? join(allAdrift(state)) : close(state, NO_ID);
}

// ---- local changes

/** `after`: the last row that the document had applied when it changed; null when that is not known. */
export function changed(state: SyncState, update: Uint8Array, after: number | null): Step {
  if (state.readOnly !== null) return stay(state);
  const isOpen = state.phase.kind === "joined" && state.phase.sending === "open";
  const { pending: before } = state;
  const longer = isOpen || before === null ? null : joinedChange(before.last, update, after);
  if (longer !== null) return stay({ ...state, pending: push(before?.before ?? null, longer) });
  const change = newChange(state.nextChange, update, after, !isOpen);
  const pending = push(before, change);
  const next = { ...state, nextChange: change.id + 1, pending };
  if (isOpen) return before === null ? stay(next, { kind: "gather" }) : stay(next);
  if (!areTooMany(pending)) return stay(next);
  return stay({ ...next, adrift: next.adrift + pending.count, pending: null });
}

/** Whether other tabs of the device may hear of what this page has. */
export function mayTellTabs({ ready, readOnly, closed, refusal }: SyncState): boolean {
  return ready && readOnly === null && closed === null && refusal === null;
}

/** Whether this page hears from other tabs as well, because the server is away. */
export function talksToTabs(state: SyncState): boolean {
  return state.phase.kind === "apart" && mayTellTabs(state);
}

/** Another tab of the device has made changes, which are in the document now. The server may lack them. */
export function heard(state: SyncState, { epoch, changes, whole }: Heard): Step {
  const known = new Map(inOrder(state.pending).map((change) => [change.key, change]));
  let { nextChange } = state;
  for (const kept of changes) {
    const before = known.get(kept.key);
    if (before !== undefined && before.count >= kept.count) continue;
    known.set(kept.key, keptChange(before?.id ?? nextChange++, kept));
  }
  const own = inOrder(state.pending).filter(({ key }) => key === null);
  known.delete(null);
  return stay({
    ...state,
    nextChange,
    epoch: state.epoch ?? epoch,
    loaded: state.loaded || whole?.isLoaded === true,
    adrift: Math.max(state.adrift, whole?.isAdrift === true ? 1 : 0),
    pending: listOf(sorted([...own, ...known.values()])),
  });
}

/** Another tab of the device has brought some of the waiting changes to the server. */
export function savedElsewhere(state: SyncState, isSaved: (change: Change) => boolean, now: number): Step {
  const pending = inOrder(state.pending).filter((change) => !isSaved(change));
  if (pending.length === (state.pending?.length ?? 0)) return stay(state);
  const next = { ...state, pending: listOf(pending), lastSavedAt: now };
  return unsaved(next) > 0 || next.readOnly !== null
    ? stay(next)
    : afterNews(state, { ...next, refusal: null });
}

/** The document changed and no event told how: offer its state, deletions included. */
export function changedSilently(before: SyncState): Step {
  if (before.readOnly !== null) return stay(before);
  const state = { ...before, adrift: before.adrift + 1 };
  if (state.phase.kind !== "joined" || state.phase.sending !== "open") return stay(state);
  // What waits may build on the silent change.
  const adrift = state.adrift + (state.pending?.count ?? 0);
  const phase: Joined = { ...state.phase, sending: "offering" };
  return stay({ ...state, adrift, pending: null, phase }, offer(state, phase.serverVector, []));
}

/** The gathering window has ended. */
export function gathered(state: SyncState): Step {
  if (state.phase.kind !== "joined" || state.phase.sending !== "open") return stay(state);
  return sendChanges({ ...state, pending: null }, inOrder(state.pending));
}

function sendChanges(state: SyncState, changes: readonly Change[]): Step {
  let step = stay(state);
  for (const batch of batchesOf(changes, state.limits.part_bytes)) {
    const updates = batch.map(({ update }) => update);
    const next = send(step.state, updates, batch[0]?.after ?? null, batch, countOf(batch));
    step = stay(next.state, ...step.effects, ...next.effects);
  }
  return step;
}

function send(
  state: SyncState,
  updates: readonly Uint8Array[],
  after: number | null,
  changes: readonly Change[],
  count: number,
): Step {
  const batch = encodeBatch(updates);
  const id = state.nextBatch;
  const sent: InFlight = { id, changes, count, bytes: batch.length };
  const inFlight = [...state.inFlight, sent];
  return stay({ ...state, nextBatch: id + 1, inFlight }, { kind: "send", id, after, batch });
}

/** The server made a batch durable as row `seq`, at `now`. */
export function acknowledged(state: SyncState, id: number, seq: number, now: number): Step {
  if (!state.inFlight.some((batch) => batch.id === id)) return stay(state);
  const inFlight = state.inFlight.filter((batch) => batch.id !== id);
  const phase = state.phase.kind === "joined" ? seen(state.phase, seq) : state.phase;
  const isOpen = phase.kind === "joined" && phase.sending === "open";
  const delay = isOpen ? null : state.delay;
  const next = { ...state, inFlight, phase, tries: 0, delay, lastSavedAt: now };
  if (next.moving) return onceAnswered(next);
  const settled = { ...next, strikes: null };
  return skips(state.phase, phase, seq) ? join(settled) : stay(settled);
}

/** Whether a row that was told or acknowledged shows for the first time that one before it has not come. */
function skips(before: Phase, after: Phase, row: number): boolean {
  return (
    after.kind === "joined" && after.ahead.has(row) && !(before.kind === "joined" && before.ahead.has(row))
  );
}

/** What is in flight may hold words that the server takes. */
function onceAnswered(state: SyncState): Step {
  return state.inFlight.length === 0 ? moveWords(state) : stay(state);
}

/** The server holds nothing of a batch. */
export function refused(state: SyncState, id: number, error: ServerError): Step {
  const batch = state.inFlight.find((sent) => sent.id === id);
  if (batch === undefined) return stay(state);
  const inFlight = state.inFlight.filter((sent) => sent !== batch);
  const { changes, count } = batch;
  const pending = listOf(sorted([...changes, ...inOrder(state.pending)]));
  const next = { ...state, inFlight, pending, adrift: state.adrift + count - countOf(changes) };
  if (error.code === "other_format") return close(next, error);
  if (state.moving) return onceAnswered(next);
  // Those behind a refused batch are refused with it, and say nothing new.
  if (state.phase.kind !== "joined" || state.phase.sending !== "open") return stay(next);
  switch (remedyForUpdate(error.code)) {
    case "later":
      return rest(hold(next, state.phase), error);
    case "authenticate":
      return authenticate(next, error);
    case "stop":
      return giveUp(next, state.phase, error, batch.bytes);
    case "rejoin": {
      const struck = strike(next, error.code);
      if (struck === null) return giveUp(next, state.phase, error, batch.bytes);
      if (error.code === "missing_past") return join(allAdrift(struck));
      if (error.code === "not_a_suggestion") {
        return mendSoon({ ...allAdrift(struck), mending: { ...error, bytes: batch.bytes } }, state.phase);
      }
      if (error.code !== "client_id_taken") return join(struck);
      return onceAnswered({ ...hold(struck, state.phase), moving: true });
    }
  }
}

/** At once, then after pauses: what somebody else has done meanwhile is taken, and told to nobody before it is durable. */
function mendSoon(state: SyncState, phase: Joined): Step {
  if (state.strikes?.count === 1) return join(state);
  const { attempt, tries } = state;
  return stay({ ...hold(state, phase), tries: tries + 1 }, { kind: "retry", attempt, tries });
}

function hold(state: SyncState, phase: Joined): SyncState {
  return { ...state, phase: { ...phase, sending: "paused" } };
}

function giveUp(state: SyncState, phase: Joined, error: ServerError, bytes: number): Step {
  return stay({ ...hold(state, phase), refusal: { ...error, bytes } });
}

// ---- what else the server says

/** Join again if the news lifted a refusal. */
function afterNews(before: SyncState, news: SyncState): Step {
  const next = forgive(before, news);
  return before.refusal !== null && next.refusal === null ? join(next) : stay(next);
}

export function roleChanged(state: SyncState, role: Role): Step {
  return afterNews(state, { ...state, role });
}

export function discussed(state: SyncState, discussion: number): Step {
  return stay({ ...state, discussion });
}

export function inboxChanged(state: SyncState): Step {
  return stay({ ...state, inboxChanges: state.inboxChanges + 1 });
}

export function accessChanged(state: SyncState): Step {
  return stay({ ...state, accessChanges: state.accessChanges + 1 });
}

export function documentChanged(state: SyncState, document: DocumentInfo): Step {
  const decided = byFormat({ ...state, document });
  if (decided.state.closed !== null || decided.effects.length > 0) return decided;
  return afterNews(state, decided.state);
}

export function durabilityChanged(state: SyncState, durability: Durability): Step {
  return stay({ ...state, durability });
}
