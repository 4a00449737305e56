/**
 * Who is here, as a y-protocols Awareness: the server's presence table mirrored into it, the local state sent out.
 *
 * The server owns expiry and says who people are; y-protocols' own 30 s expiry is kept from remote states. Sending is thinned: one
 * message at a time, at most ten a second, and always the latest state.
 */

import type { Awareness } from "y-protocols/awareness";
import type { Clock, Timer } from "./clock.js";
import { Premature } from "./premature.js";
import type { ErrorCode, LocalUser, ServerError } from "./types.js";
import { decodePresence, type PresenceChange, sentence } from "./wire.js";

/** Milliseconds between two messages; fast enough for a cursor, and a tenth of what a server should bear. */
const PAUSE = 100;
/** Milliseconds to leave a server alone that could not take a message. */
const LONG_PAUSE = 2_000;

/** Levels of objects and lists that the server takes in a state. */
const DEPTH = 16;
/** No key of a state: Socket.IO puts binary values in its place. */
const PLACEHOLDER = "_placeholder";

export type PresenceState = Readonly<Record<string, unknown>> | null;

/** What came of the local state: `again` is to be sent again after a while. */
export type PresenceOutcome = "taken" | "again" | ServerError;

/** Send the local state; call `answered` in the end. */
export type SendPresence = (state: PresenceState, answered: (outcome: PresenceOutcome) => void) => void;

export class Presence {
  readonly awareness: Awareness;
  private readonly clock: Clock;
  private readonly send: SendPresence;
  private readonly onRefused: (error: ServerError) => void;
  /** The colour that the server has been told for this person; it need not be said again. */
  color: string | null = null;
  /** Each other session, as shown. A person who reconnects has two under one client id for a moment. */
  private readonly sessions = new Map<number, PresenceChange>();
  private live = false;
  private ownPresenceId: number | null = null;
  private limitBytes = 0;
  private unsent = false;
  private underWay = false;
  private timer: Timer | null = null;
  private lastSent = Number.NEGATIVE_INFINITY;
  private readonly premature: Premature;

  /** `onRefused`: others go on seeing the last state that was taken. */
  constructor(
    awareness: Awareness,
    clock: Clock,
    send: SendPresence,
    onRefused: (error: ServerError) => void = () => {},
  ) {
    this.awareness = awareness;
    this.clock = clock;
    this.send = send;
    this.onRefused = onRefused;
    this.premature = new Premature(awareness.doc, clock, (changes) => this.merge(changes, []));
    awareness.on("change", this.onChange);
  }

  /** Begin, or begin again: exactly these others are here. */
  joined(changes: readonly PresenceChange[], ownPresenceId: number, limitBytes: number): void {
    this.ownPresenceId = ownPresenceId;
    this.limitBytes = limitBytes;
    this.live = true;
    this.underWay = false;
    this.premature.clear();
    const here = new Set(changes.map((change) => change.presenceId));
    const gone = [...this.sessions.keys()].filter((presenceId) => !here.has(presenceId));
    this.merge(changes, gone);
    this.unsent = true;
    this.schedule();
  }

  /** Take the server's word, which says again only what has changed. */
  hear(told: unknown): void {
    const { held } = this.premature;
    this.changed(decodePresence(told, (id) => held.get(id)?.change ?? this.sessions.get(id)));
  }

  changed(changes: readonly PresenceChange[]): void {
    if (!this.live) return;
    this.merge(
      this.premature.sift(changes, (presenceId) => this.sessions.has(presenceId)),
      [],
    );
  }

  /** Somebody at another tab of the device, while the server says nothing; `null`: not there any more. */
  heardTab(clientId: number, state: PresenceState): void {
    if (this.live) return;
    const said = isRecord(state?.user) ? state.user : {};
    const user = { id: "", name: String(said.name ?? ""), color: "#808080" };
    // No session has a number below 0.
    this.merge([{ presenceId: -1 - clientId, clientId, user, state }], []);
  }

  /** The link is gone: nobody is known to be here. */
  left(): void {
    if (this.live) this.clear();
  }

  private clear(): void {
    this.live = false;
    this.underWay = false;
    this.stopTimer();
    this.premature.clear();
    this.merge([], [...this.sessions.keys()]);
  }

  /** Follow the document to another client id. */
  renew(clientId: number): void {
    const state = this.awareness.getLocalState();
    this.awareness.setLocalState(null);
    this.awareness.clientID = clientId;
    this.awareness.setLocalState(state);
  }

  destroy(): void {
    this.awareness.off("change", this.onChange);
    this.clear();
    this.awareness.destroy();
  }

  private readonly onChange = (_changes: unknown, origin: unknown): void => {
    if (origin !== "local") return;
    this.unsent = true;
    this.schedule();
  };

  private schedule(): void {
    if (!this.live || !this.unsent || this.underWay || this.timer !== null) return;
    const delay = Math.max(0, this.lastSent + PAUSE - this.clock.now());
    this.timer = this.clock.setTimeout(() => {
      this.timer = null;
      this.sendNow();
    }, delay);
  }

  private sendNow(): void {
    this.unsent = false;
    const { state, refusal } = fit(this.ownState(), this.limitBytes);
    if (refusal !== null) {
      this.onRefused(refusal);
      return;
    }
    this.lastSent = this.clock.now();
    this.underWay = true;
    this.send(state, (outcome) => {
      this.underWay = false;
      if (outcome === "again") {
        this.unsent = true;
        this.lastSent = this.clock.now() + LONG_PAUSE;
      } else if (outcome !== "taken") this.onRefused(outcome);
      this.schedule();
    });
  }

  /** The local state without what the server says of the person: the id, the name, and the colour it was told. */
  private ownState(): PresenceState {
    const state = this.awareness.getLocalState();
    if (state === null) return null;
    const { user, ...rest } = state;
    if (!isRecord(user)) return rest;
    const { id: _id, name: _name, color, ...fields } = user;
    const said = color === undefined || color === this.color ? fields : { ...fields, color };
    return Object.keys(said).length === 0 ? rest : { ...rest, user: said };
  }

  private stopTimer(): void {
    if (this.timer !== null) this.clock.clearTimeout(this.timer);
    this.timer = null;
  }

  /** Write the server's table into the awareness, and tell its listeners once. */
  private merge(changes: readonly PresenceChange[], gone: readonly number[]): void {
    const touched = new Touched();
    for (const presenceId of gone) this.remove(presenceId, touched);
    for (const change of changes) {
      if (change.presenceId === this.ownPresenceId) continue;
      if (change.state === null) this.remove(change.presenceId, touched);
      else this.place(change, { ...change.state, user: lookOf(change) }, touched);
    }
    touched.announce(this.awareness, this);
  }

  private place(change: PresenceChange, state: Readonly<Record<string, unknown>>, touched: Touched): void {
    const { clientId, presenceId } = change;
    if (this.sessions.get(presenceId)?.clientId !== clientId) this.remove(presenceId, touched);
    this.sessions.set(presenceId, change);
    // Our own earlier connection, which the server has not given up yet.
    if (clientId === this.awareness.clientID) return;
    const known = this.awareness.states.has(clientId);
    this.awareness.states.set(clientId, state);
    this.awareness.meta.set(clientId, {
      clock: (this.awareness.meta.get(clientId)?.clock ?? 0) + 1,
      lastUpdated: Number.POSITIVE_INFINITY, // never outdated: the server says when somebody is gone
    });
    touched.note(known ? "updated" : "added", clientId);
  }

  private remove(presenceId: number, touched: Touched): void {
    const clientId = this.sessions.get(presenceId)?.clientId;
    if (clientId === undefined) return;
    this.sessions.delete(presenceId);
    if (clientId === this.awareness.clientID) return;
    if ([...this.sessions.values()].some((who) => who.clientId === clientId)) return;
    if (!this.awareness.states.delete(clientId)) return;
    this.awareness.meta.delete(clientId);
    touched.note("removed", clientId);
  }
}

/** What happened to whom in one message, in the form that awareness listeners expect. */
class Touched {
  private readonly kinds = new Map<number, "added" | "updated" | "removed">();

  note(kind: "added" | "updated" | "removed", clientId: number): void {
    const before = this.kinds.get(clientId);
    if (before === "removed" && kind === "added") this.kinds.set(clientId, "updated");
    else if (before === "added" && kind === "updated") return;
    else this.kinds.set(clientId, kind);
  }

  announce(awareness: Awareness, origin: unknown): void {
    if (this.kinds.size === 0) return;
    const of = (kind: string) =>
      [...this.kinds].filter((entry) => entry[1] === kind).map((entry) => entry[0]);
    const changes = { added: of("added"), updated: of("updated"), removed: of("removed") };
    awareness.emit("change", [changes, origin]);
    awareness.emit("update", [changes, origin]);
  }
}

/**
 * The server says who somebody is: id and name. Their page may choose another colour, so that colours differ among those
 * present, and say more of the person, such as an address of a picture.
 */
function lookOf({ user, state }: PresenceChange): PresenceChange["user"] {
  const said = isRecord(state?.user) ? state.user : {};
  const color = [state?.color, said.color, user.color].find(isColor) ?? user.color;
  return { ...said, ...user, color };
}

/** Whether the server takes this for how a guest wants to be seen. */
export function isLook(value: unknown): value is LocalUser {
  return isRecord(value) && typeof value.name === "string" && value.name.length <= 80 && isColor(value.color);
}

function isColor(value: unknown): value is string {
  return typeof value === "string" && /^#[0-9a-f]{6}$/i.test(value);
}

/** A state as JSON has it, which is what others get; or why the server would not take it. */
function fit(
  state: PresenceState,
  limitBytes: number,
): { readonly state: PresenceState; readonly refusal: ServerError | null } {
  const refused = (code: ErrorCode, message: string) => ({ state: null, refusal: { code, message } });
  try {
    const text = JSON.stringify(state);
    if (state !== null && new TextEncoder().encode(text).length > limitBytes)
      return refused("too_large", `A presence state has at most ${limitBytes} bytes as JSON.`);
    const plain = JSON.parse(text) as PresenceState;
    if (!isUnfit(plain, DEPTH)) return { state: plain, refusal: null };
    const rule = `A presence state has at most ${DEPTH} levels, no key ${PLACEHOLDER} and no half characters.`;
    return refused("malformed", rule);
  } catch (error) {
    return refused("malformed", `A presence state is JSON. ${sentence(error)}`);
  }
}

function isUnfit(value: unknown, levels: number): boolean {
  if (typeof value === "string") return /\p{Surrogate}/u.test(value);
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0 || Object.hasOwn(value, PLACEHOLDER)) return true;
  return Object.entries(value)
    .flat()
    .some((inner) => isUnfit(inner, levels - 1));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
