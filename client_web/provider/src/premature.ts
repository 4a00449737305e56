/**
 * Presence that is ahead of the text: a cursor travels faster than the durable edit that it stands behind.
 *
 * Shown at once, it would point at nothing and the caret would blink out. It is held until what it points at is here, or for a while.
 */

import * as Y from "yjs";
import type { Clock, Timer } from "./clock.js";
import type { PresenceChange } from "./wire.js";

/** Milliseconds after which presence is shown all the same: what it points at may never come. */
const PATIENCE = 2_000;
/** Levels of a state in which positions are looked for. */
const DEPTH = 6;

export class Premature {
  readonly held = new Map<number, { readonly change: PresenceChange; readonly until: number }>();
  private timer: Timer | null = null;

  constructor(
    private readonly doc: Y.Doc,
    private readonly clock: Clock,
    private readonly show: (changes: readonly PresenceChange[]) => void,
  ) {}

  /** Those of the changes that can be shown now; the others are shown when it is time. `known`: whose last state is on the screen. */
  sift(
    changes: readonly PresenceChange[],
    known: (presenceId: number) => boolean,
  ): readonly PresenceChange[] {
    return changes.filter((change) => {
      const early = known(change.presenceId) && pointsAhead(change.state, this.doc, DEPTH);
      if (early) this.held.set(change.presenceId, { change, until: this.clock.now() + PATIENCE });
      else this.held.delete(change.presenceId);
      if (early) this.wait();
      return !early;
    });
  }

  /** Forget what is held. */
  clear(): void {
    this.held.clear();
    this.doc.off("update", this.look);
    if (this.timer !== null) this.clock.clearTimeout(this.timer);
    this.timer = null;
  }

  private wait(): void {
    // Yjs encodes each change for whoever listens: so only now.
    this.doc.on("update", this.look);
    this.timer ??= this.clock.setTimeout(this.giveUp, PATIENCE);
  }

  private readonly look = (): void => this.release(0);

  private readonly giveUp = (): void => {
    this.timer = null;
    this.release(this.clock.now());
    if (this.held.size > 0) this.timer = this.clock.setTimeout(this.giveUp, PATIENCE);
  };

  private release(now: number): void {
    const ripe = [...this.held.values()].filter(
      ({ change, until }) => until <= now || !pointsAhead(change.state, this.doc, DEPTH),
    );
    for (const { change } of ripe) this.held.delete(change.presenceId);
    if (this.held.size === 0) this.doc.off("update", this.look);
    if (ripe.length > 0) this.show(ripe.map(({ change }) => change));
  }
}

/** Whether a value holds the id of an item that the document does not have yet, as relative positions do. */
function pointsAhead(value: unknown, doc: Y.Doc, depth: number): boolean {
  if (typeof value !== "object" || value === null || depth === 0) return false;
  const { client, clock } = value as { readonly client?: unknown; readonly clock?: unknown };
  if (typeof client === "number" && typeof clock === "number" && Y.getState(doc.store, client) <= clock) {
    return true;
  }
  return Object.values(value).some((inner) => pointsAhead(inner, doc, depth - 1));
}
