/** The discussion of one document: follows the server, and brings it what this person does.
 *
 * 1. `follow` reads what has changed since the version that is known. One reading is under way at a
 *    time; who asks meanwhile is answered by another one behind it.
 * 2. An act is shown at once and kept on the device. Acts leave one by one, in their order. What the
 *    server cannot take now is sent again later, also by the next visit. What the server refuses stays
 *    with its words, and says why, until the person tries again or drops it. A refused deletion or
 *    decision is shown as not done.
 */

import { ApiError } from "../../api/rest";
import type * as wire from "../../api/wire";
import type { DiscussionCalls } from "./calls";
import type { KeptActs } from "./kept_acts";
import { type Act, type ActOf, type Author, type ShownThread, shown } from "./threads";

export interface DiscussionState {
  readonly threads: readonly ShownThread[];
  /** Whether the server has answered once. */
  readonly isRead: boolean;
  /** null until the server has said whether this person may read. */
  readonly mayRead: boolean | null;
  /** Whether viewers may. */
  readonly viewers: boolean;
}

const NOTHING: DiscussionState = { threads: [], isRead: false, mayRead: null, viewers: false };

/** Answers after which the same request may succeed: signed out, too many requests, no store. */
const PASSING: ReadonlySet<number> = new Set([401, 429, 502, 503, 504]);

export class Discussion {
  readonly #calls: DiscussionCalls;
  readonly #kept: KeptActs;
  readonly #explain: (error: unknown) => string;
  readonly #listeners = new Set<() => void>();
  #known = new Map<string, wire.Thread>();
  #version = 0;
  #acts: readonly Act[] = [];
  #state = NOTHING;
  #reading: Promise<void> | null = null;
  #isAskedAgain = false;
  #isBehind = false;
  #sending: Promise<void> | null = null;
  /** Acts are kept one after the other. */
  #keeping: Promise<void> = Promise.resolve();

  /** Told of each thread that this person has deleted, once the server has done so. */
  onEnded: (thread: string) => void = () => undefined;

  constructor(calls: DiscussionCalls, kept: KeptActs, explain: (error: unknown) => string) {
    this.#calls = calls;
    this.#kept = kept;
    this.#explain = explain;
  }

  readonly snapshot = (): DiscussionState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get calls(): DiscussionCalls {
    return this.#calls;
  }

  /** Shows what this person has done at an earlier visit and the server does not know. */
  async recall(userId: string): Promise<void> {
    const kept = (await this.#kept.all()).filter(({ by }) => by.user_id === userId);
    const here = new Set(this.#acts.map(({ id }) => id));
    this.#acts = [...kept.filter(({ id }) => !here.has(id)), ...this.#acts];
    this.#show();
  }

  get isWaiting(): boolean {
    return this.#acts.some(({ refusal }) => refusal === undefined);
  }

  /** Whether the last reading failed, and is worth another one. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Reads what is new. `version`: the one that the server has told of, if it has; nothing is read for a known one. */
  follow(version?: number): Promise<void> {
    if (version !== undefined && this.#state.isRead && version <= this.#version) return Promise.resolve();
    if (this.#reading) {
      this.#isAskedAgain = true;
      return this.#reading;
    }
    this.#reading = this.#readAll().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    do {
      this.#isAskedAgain = false;
      await this.#read();
    } while (this.#isAskedAgain);
  }

  async #read(): Promise<void> {
    try {
      for (let isMore = true; isMore; ) {
        const answer = await this.#calls.threads(this.#version);
        if (answer.whole) this.#known = new Map();
        for (const thread of answer.threads) this.#take(thread);
        for (const id of answer.gone) this.#known.delete(id);
        this.#version = answer.version;
        isMore = answer.more;
        this.#show({ isRead: !isMore || this.#state.isRead, mayRead: true, viewers: answer.viewers });
      }
      this.#isBehind = false;
    } catch (error) {
      const isRefused = error instanceof ApiError && error.status === 403;
      this.#isBehind = !isRefused;
      if (isRefused) {
        this.#known = new Map();
        this.#version = 0;
        this.#show({ isRead: true, mayRead: false });
      }
    }
  }

  #take(thread: wire.Thread): void {
    const known = this.#known.get(thread.id);
    if (!known || known.version <= thread.version) this.#known.set(thread.id, thread);
  }

  /** Does something as `by`, at once for the eye; returns when it is kept on the device. */
  async act(of: ActOf, by: Author): Promise<void> {
    const act: Act = { id: crypto.randomUUID(), by, at: new Date().toISOString(), of };
    this.#acts = [...this.#acts, act];
    // First: whoever is shown the act may send it at once, and what is not kept counts as sent.
    const kept = this.#keep(act);
    this.#show();
    await kept;
  }

  #keep(act: Act): Promise<void> {
    this.#keeping = this.#keeping.then(() => this.#kept.keep(act));
    return this.#keeping;
  }

  /** Sends what waits, as far as the server takes it; one sender at a time. */
  send(): Promise<void> {
    this.#sending ??= this.#send().finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  async #send(): Promise<void> {
    for (;;) {
      await this.#keeping;
      // Behind a refused beginning nothing of its thread can be taken.
      const stuck = new Set(
        this.#acts.flatMap(({ of, refusal }) =>
          refusal !== undefined && of.kind === "begin" ? [of.thread] : [],
        ),
      );
      const act = this.#acts.find(
        ({ of, refusal }) => refusal === undefined && (of.thread === null || !stuck.has(of.thread)),
      );
      if (!act) return;
      if (!(await this.#kept.holds(act))) {
        // Another tab has sent it.
        this.#forget(act);
        void this.follow();
        continue;
      }
      try {
        const thread = await this.#carry(act.of);
        await this.#kept.drop(act);
        if (thread) this.#take(thread);
        else await this.#follow(act);
        this.#forget(act);
      } catch (error) {
        if (!(error instanceof ApiError) || PASSING.has(error.status)) return;
        await this.#settle(act, error);
      }
    }
  }

  /** Reads what has become of a thread after an act that the server answers without the thread. */
  async #follow({ of }: Act): Promise<void> {
    if (of.kind === "delete thread") this.#known.delete(of.thread);
    else await this.follow();
    if (isDeletion(of) && !this.#known.has(of.thread)) this.onEnded(of.thread);
  }

  #carry(of: ActOf): Promise<wire.Thread | null> {
    const nothing = () => null;
    switch (of.kind) {
      case "begin":
        return this.#calls.begin(of.thread, of.begun);
      case "say":
        return this.#calls.putComment(of.thread, of.comment, { body: of.body });
      case "change":
        return this.#calls.change(of.thread, of.change);
      case "react":
        return this.#calls.react(of.thread, of.comment, of.emoji, of.isOn).then(nothing);
      case "settle":
        return this.#calls.settle(of.suggestion, of.outcome).then(nothing);
      case "delete comment":
        return this.#calls.deleteComment(of.thread, of.comment).then(nothing);
      case "delete thread":
        return this.#calls.deleteThread(of.thread).then(nothing);
    }
  }

  async #settle(act: Act, error: ApiError): Promise<void> {
    // The decision stands in the document. That nobody is told of it needs no decision of the person.
    if (act.of.kind === "settle" || (error.status === 404 && isDeletion(act.of))) {
      await this.#kept.drop(act);
      await this.#follow(act);
      this.#forget(act);
      return;
    }
    const refused = { ...act, refusal: this.#explain(error) };
    await this.#keep(refused);
    this.#acts = this.#acts.map((each) => (each.id === act.id ? refused : each));
    this.#show();
  }

  /** Sends a refused act once more. */
  async again({ id }: Act): Promise<void> {
    this.#acts = this.#acts.map((each) => (each.id === id ? withoutRefusal(each) : each));
    this.#show();
    await this.send();
  }

  /** Gives an act up. With the beginning of a thread, everything that was said in it goes. */
  async drop(act: Act): Promise<void> {
    const isBeginning = act.of.kind === "begin" && !this.#known.has(act.of.thread);
    const gone = this.#acts.filter(
      (each) => each.id === act.id || (isBeginning && each.of.thread === act.of.thread),
    );
    for (const each of gone) await this.#kept.drop(each);
    this.#acts = this.#acts.filter((each) => !gone.includes(each));
    this.#show();
  }

  #forget({ id }: Act): void {
    this.#acts = this.#acts.filter((each) => each.id !== id);
    this.#show();
  }

  #show(change: Partial<DiscussionState> = {}): void {
    const state = { ...this.#state, ...change };
    this.#state = { ...state, threads: shown(this.#known.values(), this.#acts, state.mayRead === true) };
    for (const listener of this.#listeners) listener();
  }
}

function isDeletion(of: ActOf): of is Extract<ActOf, { kind: "delete thread" | "delete comment" }> {
  return of.kind === "delete thread" || of.kind === "delete comment";
}

function withoutRefusal({ refusal: _refusal, ...act }: Act): Act {
  return act;
}
