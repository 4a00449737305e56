/**
 * Who is here, as a y-protocols Awareness: the server's presence table mirrored into it, the local state sent out.
 *
 * The server owns expiry and says who people are; y-protocols' own 30 s expiry is kept from remote states. Sending is thinned: one
 * message at a time, at most ten a second, and always the latest state.
 */

import type { Awareness } from "y-protocols/awareness";
import type { Clock, Timer } from "./clock.js";
import { Premature } from "./premature.js";
import type { PresenceChange } from "./wire.js";

/** Milliseconds between two messages; fast enough for a cursor, and a tenth of what a server should bear. */
const PAUSE = 100;
/** Milliseconds to leave a server alone that could not take a message. */
const LONG_PAUSE = 2_000;

export type PresenceState = Readonly<Record<string, unknown>> | null;

/** Send the local state; call `answered` in the end, with whether to send it again after a while. */
export type SendPresence = (state: PresenceState, answered: (again: boolean) => void) => void;

export class Presence {
  readonly awareness: Awareness;
  private readonly clock: Clock;
  private readonly send: SendPresence;
  /** Which client id each other session's presence stands under; a person who reconnects has two for a moment. */
  private readonly sessions = new Map<number, number>();
  private live = false;
  private ownPresenceId: number | null = null;
  private limitBytes = 0;
  private unsent = false;
  private underWay = false;
  private timer: Timer | null = null;
  private lastSent = Number.NEGATIVE_INFINITY;
  private readonly premature: Premature;

  constructor(awareness: Awareness, clock: Clock, send: SendPresence) {
    this.awareness = awareness;
    this.clock = clock;
    this.send = send;
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

  changed(changes: readonly PresenceChange[]): void {
    if (!this.live) return;
    this.merge(
      this.premature.sift(changes, (presenceId) => this.sessions.has(presenceId)),
      [],
    );
  }

  /** The link is gone: nobody is known to be here. */
  left(): void {
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
    this.left();
    this.premature.destroy();
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
    const state = withoutUser(this.awareness.getLocalState());
    // A state over the limit would be refused; others keep seeing the last one that fitted.
    if (state !== null && new TextEncoder().encode(JSON.stringify(state)).length > this.limitBytes) return;
    this.lastSent = this.clock.now();
    this.underWay = true;
    this.send(state, (again) => {
      this.underWay = false;
      if (again) {
        this.unsent = true;
        this.lastSent = this.clock.now() + LONG_PAUSE;
      }
      this.schedule();
    });
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
    if (this.sessions.get(presenceId) !== clientId) this.remove(presenceId, touched);
    this.sessions.set(presenceId, clientId);
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
    const clientId = this.sessions.get(presenceId);
    if (clientId === undefined) return;
    this.sessions.delete(presenceId);
    if (clientId === this.awareness.clientID || [...this.sessions.values()].includes(clientId)) return;
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

/** The server says who somebody is. Their page may choose another colour, so that colours differ among those present. */
function lookOf({ user, state }: PresenceChange): PresenceChange["user"] {
  const color = state?.color;
  return typeof color === "string" && /^#[0-9a-f]{6}$/i.test(color) ? { ...user, color } : user;
}

/** The server fills in who somebody is; what a client claims about itself stays on its own page. */
function withoutUser(state: Readonly<Record<string, unknown>> | null): PresenceState {
  if (state === null) return null;
  const { user: _user, ...rest } = state;
  return rest;
}
