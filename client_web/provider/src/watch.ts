/**
 * The watch over a document's events: whether every change of the document was told by an `update` event.
 *
 * The provider hears of changes by `update`. Three things end these events while the document goes on changing:
 *
 * 1. Somebody throws in the last part of Yjs' `cleanupTransactions`: a listener of `update`, or content that cannot be
 *    encoded. Yjs then keeps its list of transactions, and all later ones queue behind it. Only `beforeTransaction` comes.
 * 2. A listener of `beforeTransaction` throws: the transaction stays open, all later changes belong to it, no event comes.
 * 3. `doc.destroy()` takes every listener away. The document can be written to all the same.
 *
 * A transaction ends before the call that made it returns. So a microtask or a timer that finds one open, or waiting for
 * its cleanup, has found a document that is stuck (1, 2). Setting it free is putting the two private fields back to what
 * they are between transactions. A change that was not told shows in its own transaction; what was made without one
 * shows in the state vector, which is compared once a second.
 */

import * as Y from "yjs";
import type { Clock, Timer } from "./clock.js";

/** Milliseconds between looks that wait for no event: so long a stuck document may pass for saved in case 2 and 3. */
const PAUSE = 1_000;
/** So many transactions without an update are kept for the next look before those without a change are left out. */
const MOST_UNTOLD = 100;

/** What comes behind a transaction's `update`: the beginning of the next one's end, or the end of them all. */
const NEXT = ["beforeObserverCalls", "afterAllTransactions"] as const;

type Clocks = ReadonlyMap<number, number>;
type Hear = (update: Uint8Array, origin: unknown, transaction: Y.Transaction) => void;

export class Watch {
  private readonly doc: Y.Doc;
  private readonly clock: Clock;
  private readonly isForeign: (origin: unknown) => boolean;
  private readonly hear: Hear;
  private readonly onSilence: () => void;
  private readonly untold = new Set<Y.Transaction>();
  /** The document's clocks when it last told of a change. */
  private told: Clocks = new Map();
  private timer: Timer | null = null;
  private looking = false;

  /**
   * `hear` is told each change of the document, unless its origin is foreign; `onSilence` that there were changes, or may be,
   * which it was not told.
   */
  constructor(
    doc: Y.Doc,
    clock: Clock,
    isForeign: (origin: unknown) => boolean,
    hear: Hear,
    onSilence: () => void,
  ) {
    this.doc = doc;
    this.clock = clock;
    this.isForeign = isForeign;
    this.hear = hear;
    this.onSilence = onSilence;
  }

  start(): void {
    this.accept();
    this.listen();
    this.lookLater();
  }

  stop(): void {
    this.doc.off("beforeTransaction", this.onBegin);
    this.doc.off("afterTransactionCleanup", this.onEnd);
    this.doc.off("update", this.onUpdate);
    for (const event of NEXT) this.doc.off(event, this.listen);
    if (this.timer !== null) this.clock.clearTimeout(this.timer);
    this.timer = null;
  }

  /** Take the document as it is for told. */
  accept(): void {
    this.untold.clear();
    this.told = clocksOf(this.doc);
  }

  /** Set a stuck document free, and tell of changes that were not told. Only for moments without a transaction. */
  look(thorough = false): void {
    const { doc, untold } = this;
    const isStuck = doc._transaction !== null || doc._transactionCleanups.length > 0;
    const isDeaf = doc._observers.get("update")?.has(this.onUpdate) !== true;
    const isSilent = [...untold].some(hasChanged) || (thorough && reachesBeyond(doc, this.told));
    untold.clear();
    if (!isStuck && !isDeaf && !isSilent) return;
    doc._transaction = null;
    doc._transactionCleanups = [];
    this.accept();
    this.listen();
    this.onSilence();
  }

  /** Listening twice is listening once. */
  private readonly listen = (): void => {
    this.doc.on("beforeTransaction", this.onBegin);
    this.doc.on("afterTransactionCleanup", this.onEnd);
    this.doc.on("update", this.onUpdate);
    for (const event of NEXT) this.doc.off(event, this.listen);
  };

  private readonly onBegin = (transaction: Y.Transaction): void => {
    if (this.untold.size >= MOST_UNTOLD) this.forgetUnchanged();
    this.untold.add(transaction);
    if (this.looking) return;
    this.looking = true;
    queueMicrotask(() => {
      this.looking = false;
      if (this.timer !== null) this.look();
    });
  };

  /** Where nobody listens to `update`, Yjs does not encode what was done: a whole document, when that is read from its copy. */
  private readonly onEnd = (transaction: Y.Transaction): void => {
    if (!this.isForeign(transaction.origin)) return;
    this.untold.delete(transaction);
    this.told = transaction.afterState;
    this.doc.off("update", this.onUpdate);
    for (const event of NEXT) this.doc.on(event, this.listen);
  };

  private readonly onUpdate = (
    update: Uint8Array,
    origin: unknown,
    _doc: Y.Doc,
    transaction: Y.Transaction,
  ): void => {
    this.untold.delete(transaction);
    this.told = transaction.afterState;
    this.hear(update, origin, transaction);
  };

  /** Reading takes transactions too, and they tell nothing; those under way have not yet noted their end. */
  private forgetUnchanged(): void {
    for (const transaction of this.untold) {
      if (transaction.afterState.size > 0 && !hasChanged(transaction)) this.untold.delete(transaction);
    }
  }

  private lookLater(): void {
    this.timer = this.clock.setTimeout(() => {
      this.lookLater();
      this.look(true);
    }, PAUSE);
  }
}

/** Whether Yjs has something to tell of a transaction that has ended. */
function hasChanged({ deleteSet, beforeState, afterState }: Y.Transaction): boolean {
  if (deleteSet.clients.size > 0) return true;
  for (const [client, clock] of afterState) if (beforeState.get(client) !== clock) return true;
  return false;
}

function clocksOf(doc: Y.Doc): Clocks {
  return new Map([...doc.store.clients.keys()].map((client) => [client, Y.getState(doc.store, client)]));
}

/** Whether the document holds items that a replica with these clocks has not seen. */
export function reachesBeyond(doc: Y.Doc, clocks: Clocks): boolean {
  for (const client of doc.store.clients.keys()) {
    if (Y.getState(doc.store, client) > (clocks.get(client) ?? 0)) return true;
  }
  return false;
}
