/** One search in one editor: what is looked for, where it stands, which hit is the present one, and what replaces it.
 *
 * 1. Hits follow every change of the document, others' changes too, once per frame. Only blocks that have changed are searched.
 * 2. The present hit moves with its words. When they go, the search goes on from their place.
 * 3. Whatever replaces is one step of undo. Many replacements are written with pauses, in which others may write. A key that is
 *    pressed meanwhile waits until they are all there, so that it is no part of the step.
 */

import { ySyncPluginKey, yUndoPluginKey } from "@manyhands/binding";
import type { Editor } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import type { Transaction } from "@tiptap/pm/state";
import { STEP_KIND } from "../../extensions/undo_steps";
import { LANGUAGE } from "../../i18n/language";
import { t } from "../../i18n/t";
import type { Span } from "../../page/highlights";
import { Hits, textOf } from "./hits";
import { type Matcher, matcherFor, type Query } from "./matching";
import { NoScan, type Scanner } from "./scanning";

export interface Found {
  readonly query: Query;
  readonly spans: readonly Span[];
  /** The number of the present hit, from 0; -1 for none. */
  readonly current: number;
  /** How often a person was led to a hit. */
  readonly led: number;
  readonly isSearching: boolean;
  /** What is wrong with the query; null if nothing is. */
  readonly problem: string | null;
  /** How many the last "Replace all" has replaced; null when something else came after it. */
  readonly replaced: number | null;
}

export const NO_QUERY: Query = {
  text: "",
  isCaseKept: false,
  isWord: false,
  isExpression: false,
  isFolded: false,
};

const NOTHING: Found = {
  query: NO_QUERY,
  spans: [],
  current: -1,
  led: 0,
  isSearching: false,
  problem: null,
  replaced: null,
};

/** Rounds after which what is left in a block is written at once. Few blocks have so many hits. */
const MOST_ROUNDS = 20;
/** Replacements in one transaction. What plugins do for each grows with their number. */
const AT_ONCE = 100;
/** Milliseconds of writing after which the page draws and hears what has come. */
const PAUSE_AFTER_MS = 50;

/** Before these a person's own changes come. */
const HURRYING = ["keydown", "beforeinput", "paste", "drop", "cut"] as const;

/** Returns a wait when it is time for one. */
export type Pausing = () => Promise<void> | null;

function pausing(): Pausing {
  let since = performance.now();
  return () => {
    if (performance.now() - since < PAUSE_AFTER_MS) return null;
    return new Promise((resolve) =>
      setTimeout(() => {
        since = performance.now();
        resolve();
      }),
    );
  };
}

const PROBLEMS: Readonly<Record<NoScan["reason"], string>> = {
  "too long": t("This expression takes too long. Try a simpler one."),
  "no worker": t("Expressions cannot be searched for here at the moment. Reload the page."),
  stopped: t("The search was stopped."),
};

export class Finder {
  readonly #editor: Editor;
  readonly #scanner: Scanner;
  readonly #listeners = new Set<() => void>();
  readonly #pausing: () => Pausing;
  /** What a "Replace all" has still to write, where it is now; null when none is under way. */
  #left: Left | null = null;
  #isWriting = false;
  #found = NOTHING;
  #matcher: Matcher | null = null;
  #hits: Hits | null = null;
  /** Where the search goes on from. */
  #from: number;
  #present: Span | null = null;
  #frame = 0;
  #isScanning = false;

  constructor(editor: Editor, scanner: Scanner, pauses: () => Pausing = pausing) {
    this.#pausing = pauses;
    this.#editor = editor;
    this.#scanner = scanner;
    this.#from = editor.state.selection.from;
    editor.on("transaction", this.#follow);
  }

  readonly snapshot = (): Found => this.#found;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  destroy(): void {
    this.#editor.off("transaction", this.#follow);
    this.#scanner.stop();
    cancelAnimationFrame(this.#frame);
  }

  get present(): Span | null {
    return this.#present;
  }

  /** Looks for something else; the first hit behind the cursor becomes the present one. */
  ask(query: Query): void {
    this.#scanner.stop();
    this.#isScanning = false;
    this.#present = null;
    [this.#matcher, this.#hits] = [null, null];
    this.#found = { ...NOTHING, query, led: this.#found.led };
    try {
      this.#matcher = matcherFor(query);
    } catch (error) {
      this.#tell({ problem: problemOf(error) });
      return;
    }
    if (this.#matcher) this.#hits = new Hits(this.#matcher, query.isExpression);
    this.#search(true);
  }

  /** Goes to the next hit or the one before, round and round. */
  go(step: 1 | -1): void {
    const { spans, current } = this.#found;
    if (spans.length === 0) return;
    const at = current >= 0 ? current + step : this.#firstFrom(this.#from) - (step < 0 ? 1 : 0);
    this.#choose((at + spans.length) % spans.length);
  }

  /** Replaces the present hit, and goes to the next one. */
  async replace(words: string): Promise<void> {
    const span = this.#present;
    if (span === null) return this.go(1);
    const [change] = await this.#changesOf([span], words);
    if (!change || this.#left || !this.#editor.isEditable) return;
    await this.#write([change]);
    this.#from = change.from + change.words.length;
    this.#present = null;
    this.#search(true);
  }

  async replaceAll(words: string): Promise<void> {
    const changes = await this.#changesOf(this.#found.spans, words);
    if (changes.length === 0 || this.#left || !this.#editor.isEditable) return;
    const replaced = await this.#write(changes);
    this.#present = null;
    this.#search(false);
    this.#tell({ replaced });
  }

  readonly #follow = ({ transaction }: { readonly transaction: Transaction }): void => {
    if (!transaction.docChanged) return;
    const { mapping } = transaction;
    if (this.#left && !this.#isWriting) {
      const follow = (change: Seen) => ({
        ...change,
        from: mapping.map(change.from, 1),
        to: mapping.map(change.to, -1),
      });
      const { now, later } = this.#left;
      this.#left = { ...this.#left, now: now.map(follow), later: later.map(follow) };
    }
    this.#from = mapping.map(this.#from);
    if (this.#present) {
      const [from, to] = [mapping.map(this.#present.from, 1), mapping.map(this.#present.to, -1)];
      this.#present = from < to ? { from, to } : null;
      if (this.#present) this.#from = from;
    }
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#search(false);
    });
  };

  /** Brings the hits up to date. `isAsked`: a person asks for a hit, and is led to one. */
  #search(isAsked: boolean): void {
    if (this.#editor.isDestroyed) return;
    const { spans, unknown } = this.#hits?.in(this.#editor.state.doc) ?? { spans: [], unknown: [] };
    const isSearching = unknown.length > 0 && this.#found.problem === null;
    const same = this.#present && spans[this.#firstFrom(this.#present.from, spans)];
    const stays = same?.from === this.#present?.from ? (same ?? null) : null;
    this.#present = stays;
    this.#tell({ spans, current: stays ? spans.indexOf(stays) : -1, isSearching });
    if (isSearching) void this.#scan(unknown, isAsked);
    else if (isAsked && spans.length > 0) this.#choose(this.#firstFrom(this.#from) % spans.length);
  }

  async #scan(unknown: readonly Node[], isAsked: boolean): Promise<void> {
    const [hits, matcher] = [this.#hits, this.#matcher];
    if (this.#isScanning || !hits || !matcher) return;
    this.#isScanning = true;
    try {
      const found = await this.#scanner.scan(unknown.map(textOf), matcher);
      if (hits !== this.#hits) return;
      this.#isScanning = false;
      unknown.forEach((block, index) => {
        hits.learn(block, found[index] ?? []);
      });
      this.#search(isAsked);
    } catch (error) {
      if (hits !== this.#hits || isStopped(error)) return;
      this.#isScanning = false;
      this.#hits = null;
      this.#tell({ spans: [], current: -1, isSearching: false, problem: problemOf(error) });
    }
  }

  #choose(index: number): void {
    const span = this.#found.spans[index];
    if (!span) return;
    this.#present = span;
    this.#from = span.from;
    this.#tell({ current: index, led: this.#found.led + 1, replaced: null });
  }

  /** The number of the first hit that begins at a place or behind it. */
  #firstFrom(at: number, spans = this.#found.spans): number {
    let [first, end] = [0, spans.length];
    while (first < end) {
      const middle = (first + end) >> 1;
      if ((spans[middle]?.from ?? 0) < at) first = middle + 1;
      else end = middle;
    }
    return first;
  }

  /** What is to be written in place of hits. An expression's parts are known only to its scan. */
  async #changesOf(spans: readonly Span[], words: string): Promise<readonly Change[]> {
    const matcher = this.#matcher;
    ySyncPluginKey.getState(this.#editor.state)?.binding.flush();
    if (!matcher || !this.#found.query.isExpression) return spans.map((span) => ({ ...span, words }));
    const { doc } = this.#editor.state;
    const blocks = [
      ...new Map(spans.map(({ from }) => [doc.resolve(from).start(), doc.resolve(from).parent])),
    ];
    try {
      const found = await this.#scanner.scan(
        blocks.map(([, block]) => textOf(block)),
        matcher,
        words,
      );
      // Somebody has perhaps written meanwhile: what is not where it was is left alone.
      if (this.#matcher !== matcher || this.#editor.state.doc !== doc) return [];
      const wanted = new Set(spans.map(({ from }) => from));
      return blocks.flatMap(([start], index) =>
        (found[index] ?? [])
          .map(({ from, to, replacement }) => ({
            from: start + from,
            to: start + to,
            words: replacement ?? "",
          }))
          .filter(({ from }) => wanted.has(from)),
      );
    } catch (error) {
      if (!isStopped(error)) this.#tell({ problem: problemOf(error) });
      return [];
    }
  }

  /**
   * Writes in rounds, one hit of each block in each: what stands between two hits of a block would be
   * written anew otherwise, with everything that others have put there. Returns how many were written.
   */
  async #write(changes: readonly Change[]): Promise<number> {
    const { dom } = this.#editor.view;
    const pause = this.#pausing();
    let written = 0;
    const endStep = this.#beginStep();
    const hurry = () => {
      while (this.#left) written += this.#writeSome(this.#left);
      endStep();
    };
    const later = changes.map((change) => ({ ...change, seen: this.#textAt(change) }));
    this.#left = { now: [], later, round: 0 };
    for (const event of HURRYING) dom.addEventListener(event, hurry, true);
    try {
      while (this.#left && !this.#editor.isDestroyed && this.#editor.isEditable) {
        written += this.#writeSome(this.#left);
        const rest = this.#left && pause();
        if (rest) await rest;
      }
      return written;
    } finally {
      this.#left = null;
      endStep();
      for (const event of HURRYING) dom.removeEventListener(event, hurry, true);
    }
  }

  /** Writes some of what is left, from the end on, so that what comes next stands where it stood. */
  #writeSome(left: Left): number {
    const { now, later, round } = left.now.length > 0 ? left : this.#nextRound(left);
    const those = now.slice(0, AT_ONCE);
    this.#isWriting = true;
    try {
      return this.#writeAtOnce(those);
    } finally {
      this.#isWriting = false;
      const rest = { now: now.slice(AT_ONCE), later: moved(later, those.toReversed()), round };
      this.#left = rest.now.length + rest.later.length > 0 ? rest : null;
    }
  }

  #nextRound(left: Left): Left {
    const { doc } = this.#editor.state;
    const round = left.round + 1;
    const blocks = new Set<number>();
    const [now, later]: [Seen[], Seen[]] = [[], []];
    for (const change of left.later.toReversed()) {
      const start = doc.resolve(change.from).start();
      (blocks.has(start) && round < MOST_ROUNDS ? later : now).push(change);
      blocks.add(start);
    }
    return { now, later: later.toReversed(), round };
  }

  #writeAtOnce(changes: readonly Seen[]): number {
    const { state, view } = this.#editor;
    const { tr, doc, schema } = state;
    let written = 0;
    for (const change of changes) {
      // A plugin may have answered to what was written before.
      if (this.#textAt(change) !== change.seen) continue;
      written += 1;
      const { from, to, words } = change;
      if (words === "") tr.delete(from, to);
      else tr.replaceWith(from, to, schema.text(words, doc.nodeAt(from)?.marks ?? []));
    }
    // Looking for addresses to link would take a fifth of the time.
    if (written > 0) view.dispatch(tr.setMeta(STEP_KIND, "replacement").setMeta("preventAutolink", true));
    return written;
  }

  #textAt({ from, to }: Span): string {
    const { doc } = this.#editor.state;
    return to <= doc.content.size ? doc.textBetween(from, to, "\n", "\n") : "";
  }

  /** Takes what is written from now on as one step of undo, until the function that it returns is called. */
  #beginStep(): () => void {
    const manager = yUndoPluginKey.getState(this.#editor.state)?.undoManager;
    if (!manager) return () => undefined;
    const { captureTimeout } = manager;
    manager.stopCapturing();
    manager.captureTimeout = Number.POSITIVE_INFINITY;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      manager.captureTimeout = captureTimeout;
      manager.stopCapturing();
    };
  }

  #tell(change: Partial<Found>): void {
    this.#found = { ...this.#found, ...change };
    for (const listener of this.#listeners) listener();
  }
}

interface Change extends Span {
  readonly words: string;
}

interface Seen extends Change {
  /** What is replaced. */
  readonly seen: string;
}

/** Hits that are still to be written: one of each block from the end on, and the others in order. */
interface Left {
  readonly now: readonly Seen[];
  readonly later: readonly Seen[];
  readonly round: number;
}

/** Where changes stand after others have been written; both are in order. */
function moved(left: readonly Seen[], written: readonly Seen[]): Seen[] {
  let [by, at] = [0, 0];
  return left.map((change) => {
    for (let before = written[at]; before && before.from < change.from; before = written[at]) {
      by += before.words.length - (before.to - before.from);
      at += 1;
    }
    return { ...change, from: change.from + by, to: change.to + by };
  });
}

function isStopped(error: unknown): boolean {
  return error instanceof NoScan && error.reason === "stopped";
}

function problemOf(error: unknown): string {
  if (error instanceof NoScan) return PROBLEMS[error.reason];
  if (!(error instanceof SyntaxError)) throw error;
  // Browsers say why in English alone.
  if (LANGUAGE !== "en") return t("This expression cannot be read.");
  const reason = error.message.split(": ").at(-1) ?? "";
  return t("This expression cannot be read: {reason}.", {
    reason: `${reason.charAt(0).toLowerCase()}${reason.slice(1)}`,
  });
}
