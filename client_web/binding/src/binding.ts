/** The binding of one editor to one shared document.
 *
 * 1. `nodes` has the node of each Yjs type that the editor shows. An edit of one's own is the
 *    difference between those nodes and the editor's document, and is written as that.
 * 2. Others' changes only mark types as stale. They are read and shown once per frame at most.
 * 3. Nothing of one's own is computed against a stale state: whatever is dispatched, typed, undone
 *    or pasted shows what waits first.
 * 4. Whatever throws, the editor is filled anew from the shared document, and the log says so. An
 *    editor that cannot be filled writes nothing any more.
 */

import type { Node } from "prosemirror-model";
import { type EditorState, type Selection, TextSelection, type Transaction } from "prosemirror-state";
import type { StepMap } from "prosemirror-transform";
import { DecorationSet, type EditorView } from "prosemirror-view";
import * as Y from "yjs";
import {
  type ComposedLine,
  composedIn,
  composedLine,
  lettersOf,
  memoryOf,
  replacedBy,
  withoutComposed,
} from "./composing.js";
import { withNextFrame } from "./frames.js";
import { heirsIn, heirsOf, livingOf, withReturned } from "./heirs.js";
import { type SyncMeta, yCursorPluginKey, ySyncPluginKey, yUndoPluginKey } from "./keys.js";
import { Pending, unsavedIn } from "./pending.js";
import { type Nodes, positionOf, type YType } from "./positions.js";
import { Reader, type Stale } from "./reading.js";
import { rebased } from "./rebasing.js";
import { atUndone, awaited, isOrphaned, type Memory, remember, restored, type Shown } from "./selection.js";
import { mapBetween, showIn } from "./showing.js";
import { wordsOf } from "./undo.js";
import { Writer } from "./writing.js";

/** A line waits so long for its composed word, in milliseconds: an input method may be left in the middle of a word. */
const LONGEST_HOLD = 10_000;
/** ProseMirror reads the last of a composed word up to 20 ms after the input method is done. */
const LAST_OF_WORD = 60;

interface Hold {
  readonly line: ComposedLine;
  /** Where the line begins in the editor. */
  at: number;
  /** The others changed more than the text of the line: everything waits. */
  isWhole: boolean;
  readonly stop: () => void;
}

const NO_NODES: Nodes = { get: () => undefined };

export class Binding {
  readonly type: Y.XmlFragment;
  readonly doc: Y.Doc;
  readonly #report: (error: unknown) => void;
  #view: EditorView | null = null;
  #reader: Reader | null = null;
  /** What others have changed and the editor does not show yet. */
  readonly #stale = new Set<YType>();
  /** Lines that the shared document keeps in another form than the editor shows them. */
  readonly #altered = new Set<YType>();
  #isRedrawn = false;
  /** A step that was taken back or done again: the selection before it, and the words in it. */
  #undoing: { readonly memory: Memory | null; readonly words: readonly Y.ID[] } | null = null;
  #memory: Memory | null = null;
  /** The selection before the last change, whoever made it. */
  #last: Memory | null = null;
  /** A selection whose neighbours may come back with their heirs. */
  #awaited: Memory | null = null;
  #composed: ComposedLine | null = null;
  #hold: Hold | null = null;
  /** Parts of a composed word that may come back with their heirs. */
  #unwanted: readonly Y.ID[] = [];
  /** One's own words that died with their block, and will come back. */
  readonly #pending: Pending;
  #isWriting = false;
  #isShowing = false;
  #isApart = false;
  #maps: StepMap[] | null = null;
  #frame: (() => void) | null = null;
  #release: () => void = () => undefined;

  constructor(type: Y.XmlFragment, report: (error: unknown) => void) {
    if (!type.doc) throw new Error("The fragment belongs to no document");
    this.type = type;
    this.doc = type.doc;
    this.#pending = new Pending(type.doc);
    this.#report = report;
  }

  /** The node of each type, under the name that y-tiptap gives it. */
  get mapping(): Nodes {
    return this.#reader?.nodes ?? NO_NODES;
  }

  /** How many nodes were made since the editor was bound. */
  get made(): number {
    return this.#reader?.made ?? 0;
  }

  /** Whether a line waits for a composed word. */
  get isHeld(): boolean {
    return this.#hold !== null;
  }

  /** The selection before the last change, for an undo step. */
  get selectionBefore(): Memory | null {
    return this.#last;
  }

  bind(view: EditorView): void {
    this.#view = view;
    this.#reader ??= this.#newReader(view);
    const { dispatch } = view;
    view.dispatch = (transaction) => dispatch.call(view, this.#settled(transaction));
    const observe = (events: readonly Y.YEvent<YType>[], transaction: Y.Transaction) =>
      this.#observe(events, transaction);
    this.doc.on("beforeAllTransactions", this.#before);
    this.doc.on("beforeObserverCalls", this.#learn);
    this.type.observeDeep(observe);
    this.#release = () => {
      view.dispatch = dispatch;
      this.doc.off("beforeAllTransactions", this.#before);
      this.doc.off("beforeObserverCalls", this.#learn);
      this.type.unobserveDeep(observe);
    };
    if (this.mapping.get(this.type) !== view.state.doc) this.#fill();
  }

  release(): void {
    this.#release();
    this.#frame?.();
    this.#hold?.stop();
    this.#view = null;
    this.#frame = null;
    this.#hold = null;
  }

  /** Shows what waits; carets alone may wait for their frame. */
  flush(): void {
    if (this.#stale.size > 0) this.#showStale();
  }

  /** Draws the carets of the others with the next frame, even if nothing else has changed. */
  redrawCarets(): void {
    this.#isRedrawn = true;
    this.#take();
  }

  /** Writes what the editor's document has come to differ in from `before`. */
  write(before: EditorState): void {
    const [view, reader] = [this.#view, this.#reader];
    if (!view || !reader || this.#isShowing || this.#isApart || this.#hold) return;
    const { state } = view;
    if (reader.nodes.get(this.type) === state.doc) return;
    const isKnown = reader.nodes.get(this.type) === before.doc;
    const awaits = this.#awaited?.selection.eq(before.selection) ? this.#awaited : null;
    this.#last = awaits ?? (isKnown ? remember(before, this.#shown) : null);
    const { $head } = state.selection;
    const caret = $head.parent.isTextblock ? { node: $head.parent, offset: $head.parentOffset } : null;
    this.#isWriting = true;
    try {
      this.doc.transact((transaction) => {
        transaction.meta.set("addToHistory", ySyncPluginKey.getState(state)?.addToHistory ?? true);
        const writer = new Writer(reader, transaction, caret);
        writer.write(this.type, state.doc);
        for (const line of writer.altered) this.#altered.add(line);
      }, ySyncPluginKey);
    } catch (error) {
      this.#isWriting = false;
      this.#recover(error);
      throw error;
    } finally {
      this.#isWriting = false;
    }
    this.#showAltered();
  }

  /** What the shared document keeps in another form is shown as all others see it. */
  #showAltered(): void {
    const view = this.#view;
    // An input method would lose its word.
    if (!view || view.composing || this.#altered.size === 0) return;
    for (const element of this.#altered) this.#stale.add(element);
    this.#altered.clear();
    this.#memory = remember(view.state, this.#shown);
    this.#showStale();
  }

  /** A transaction moves the line that is held. */
  follow(transaction: Transaction): void {
    if (this.#hold) this.#hold.at = transaction.mapping.map(this.#hold.at, -1);
  }

  /** The input method is done with its word. */
  endComposition(): void {
    if (!this.#hold && this.#altered.size === 0) return;
    setTimeout(() => {
      if (!this.#view || this.#view.composing) return;
      this.endHold();
      this.#showAltered();
    }, LAST_OF_WORD);
  }

  /** Shows what waited for a composed word, and types the word in its place. */
  endHold(): void {
    const [view, hold] = [this.#view, this.#hold];
    if (!view || !hold) return;
    hold.stop();
    try {
      readInput(view);
      this.#showAroundWord(view, hold);
    } catch (error) {
      this.#recover(error);
    }
  }

  get #shown(): Shown {
    return { doc: this.doc, root: this.type, nodes: this.mapping, pending: this.#pending };
  }

  #showAroundWord(view: EditorView, hold: Hold): void {
    const { line, at } = hold;
    const shown = view.state.doc.nodeAt(at);
    const word = composedIn(line, shown, view.state.selection.head - at - 1);
    const caret = view.state.selection.head - at - 1 - (word?.index ?? 0);
    const slice = word && shown ? shown.slice(word.index, word.index + word.inserted.length) : null;
    if (word) this.#dispatch(withoutComposed(line, word, at, view.state), false);
    this.#hold = null;
    this.#composed = null;
    if (word) this.#memory = memoryOf(line, word, view.state);
    this.#stale.add(line.element);
    this.#showStale();
    if (!word || !slice || this.#view === null) return;
    const replaced = replacedBy(word, line).map((id) => livingOf(this.doc, id) ?? id);
    this.#unwanted = replaced.flatMap((each) => ("item" in each ? [] : [each]));
    const places = replaced
      .flatMap((each) =>
        "item" in each ? (positionOf(each.id, this.doc, this.type, this.mapping) ?? []) : [],
      )
      .sort((one, other) => other - one);
    const { tr, selection } = view.state;
    // One by one: others may have written between them.
    for (const place of places) tr.delete(place, place + 1);
    // Without heirs, the copies that somebody else made of them are known by their letters.
    const isCopied = places.length === 0 && lettersIn(selection) === lettersOf(word, line);
    if (isCopied) tr.deleteSelection();
    const from = places.at(-1) ?? selection.from;
    tr.replace(from, from, slice);
    const end = tr.doc.resolve(Math.min(from + Math.max(caret, 0), tr.doc.content.size));
    view.dispatch(tr.setSelection(TextSelection.near(end, -1)));
  }

  #newReader({ state }: EditorView): Reader {
    return new Reader(state.schema, this.#report);
  }

  readonly #before = (): void => {
    this.#readSelection();
    const view = this.#view;
    if (!view || this.#isWriting || this.#stale.size > 0 || this.#hold) return;
    this.#memory = this.mapping.get(this.type) === view.state.doc ? remember(view.state, this.#shown) : null;
    this.#last = this.#memory;
    this.#composed = view.composing ? composedLine(view.state, this.type, this.mapping) : null;
  };

  readonly #learn = (transaction: Y.Transaction): void => {
    const runs = heirsIn(transaction);
    if (runs.length > 0) heirsOf(this.doc).learn(runs);
    this.#learnPending(transaction);
    if (runs.length === 0) return;
    const unsaved = unsavedIn(transaction);
    const noted = (memory: Memory): Memory => ({
      clocks: transaction.beforeState,
      unsaved,
      ...memory,
      returned: withReturned(memory.returned ?? [], runs, this.doc.clientID, memory.unsaved ?? unsaved),
    });
    if (this.#memory) this.#memory = noted(this.#memory);
    if (this.#awaited) this.#awaited = noted(this.#awaited);
    if (this.#unwanted.length > 0) setTimeout(() => this.#removeUnwanted(), 0);
  };

  #learnPending(transaction: Y.Transaction): void {
    if (!this.#view || (this.#pending.isEmpty && !transaction.meta.has("unsaved"))) return;
    const { schema } = this.#view.state;
    if (this.#pending.learn(transaction, schema, () => this.redrawCarets())) this.#isRedrawn = true;
  }

  /** The words that will come back, as the editor shows them in a document. */
  drawPending(doc: Node): DecorationSet {
    return this.#pending.isEmpty ? DecorationSet.empty : this.#pending.drawn(doc, this.type, this.mapping);
  }

  /** Takes back the last letter before a position, if it is still to come back; returns whether. */
  takeBack(state: EditorState): boolean {
    const { empty, head } = state.selection;
    const widget = ySyncPluginKey.getState(state)?.pending.find(head, head).at(-1);
    const letter = empty && widget ? this.#pending.takeBack(widget.spec.id) : null;
    if (letter === null) return false;
    this.#unwanted = [...this.#unwanted, letter];
    this.redrawCarets();
    return true;
  }

  /** Takes away what came back of a word that was composed to its end meanwhile. */
  #removeUnwanted(): void {
    const found = this.#unwanted.flatMap((id) => livingOf(this.doc, id) ?? []);
    this.#unwanted = this.#unwanted.filter((id) => livingOf(this.doc, id) === null);
    if (found.length === 0) return;
    this.doc.transact(() => {
      for (const { id, item } of found) {
        const place = Y.createAbsolutePositionFromRelativePosition(
          new Y.RelativePosition(null, null, id, 0),
          this.doc,
        );
        if (item.content instanceof Y.ContentString && place?.type instanceof Y.XmlText) {
          place.type.delete(place.index, 1);
        }
      }
    }, this);
  }

  #observe(events: readonly Y.YEvent<YType>[], transaction: Y.Transaction): void {
    if (!this.#view || (this.#isWriting && transaction.origin === ySyncPluginKey)) return;
    for (const { target } of events) {
      const element = target instanceof Y.XmlText ? target.parent : target;
      if (element) this.#stale.add(element);
    }
    if (this.#stale.size === 0) return;
    const { undoManager = null } = yUndoPluginKey.getState(this.#view.state) ?? {};
    if (undoManager && transaction.origin === undoManager) {
      const memory = undoManager.undoing ? selectionOfStep(undoManager, this) : null;
      this.#undoing = { memory, words: wordsOf(transaction) };
    }
    if (transaction.local) this.#showStale();
    else if (this.#frame === null) {
      this.#take();
      this.#showStale();
    }
  }

  /** Takes this frame: what comes within it waits for the next one. */
  #take(): void {
    this.#frame ??= withNextFrame(() => {
      this.#frame = null;
      if (this.#stale.size > 0 || this.#isRedrawn) {
        this.#take();
        this.#readSelection();
        this.#showStale();
      }
    });
  }

  /** Reads where a click or a key has put the selection, before a change of the view puts it back. */
  #readSelection(): void {
    if (this.#view && !this.#isWriting && !this.#isShowing) readSelection(this.#view);
  }

  #showStale(): void {
    const [view, reader] = [this.#view, this.#reader];
    if (!view || !reader) return;
    // Somebody answers what is being shown by changing the document itself.
    if (this.#isShowing) this.#take();
    if (this.#isShowing || this.#mustWait(view)) return;
    const hold = this.#hold;
    const stale = hold ? readAround(this.#stale, hold.line.element) : withAncestors(this.#stale);
    const undo = this.#undoing;
    const memory = undo ? undo.memory : this.#memory;
    this.#stale.clear();
    this.#undoing = null;
    try {
      // A held line is shown as the input method left it.
      if (hold) reader.nodes.set(hold.line.element, view.state.doc.nodeAt(hold.at));
      this.#show(view, reader, stale, hold ? null : memory, undo ?? "change");
      if (hold) reader.nodes.set(hold.line.element, hold.line.node);
    } catch (error) {
      this.#recover(error);
    }
  }

  #show(
    view: EditorView,
    reader: Reader,
    stale: Stale,
    memory: Memory | null,
    how: "change" | "fill" | { readonly words: readonly Y.ID[] },
  ): void {
    const { doc, tr, storedMarks, selection } = view.state;
    const isUndo = typeof how === "object";
    const read = stale.size > 0 || !reader.nodes.get(this.type) ? reader.read(this.type, stale) : null;
    if (read) reader.nodes.set(this.type, read);
    const change = read ? showIn(tr, read) : null;
    if (change) {
      const meta: SyncMeta = { isChangeOrigin: true, isUndoRedoOperation: isUndo };
      // Tiptap clears the formats of a document that is selected whole and has become empty.
      tr.setMeta(ySyncPluginKey, meta).setMeta("addToHistory", false).setMeta("preventClearDocument", true);
      const found =
        (this.#awaited && !isUndo && awaited(this.#awaited, selection, this.#shown, change)) ||
        (memory && restored(memory, this.#shown, change)) ||
        (how === "fill" ? clamped(selection, tr.doc) : null);
      const wanted = isUndo ? atUndone(found, how.words, this.#shown, change) : found;
      if (wanted && !wanted.eq(tr.selection)) tr.setSelection(wanted);
      if (isUndo) tr.scrollIntoView();
      else if (storedMarks && selection.empty) tr.setStoredMarks(storedMarks);
    }
    if (this.#isRedrawn) tr.setMeta(yCursorPluginKey, { awarenessUpdated: true });
    const isDrawn = change !== null || this.#isRedrawn;
    this.#isRedrawn = false;
    if (isDrawn) this.#dispatch(tr, true);
    if (this.#view === null) return;
    if (read) reader.adopt(this.type, change ? tr.doc : doc, stale);
    this.#awaitHeirs(memory, selection, view.state);
    this.#memory = null;
    // Plugins may have answered what was shown.
    if (view.state.doc !== tr.doc) this.write(view.state);
  }

  /** Dispatches past the editor's own edits: what is shown is not written. */
  #dispatch(transaction: Transaction, isWhole: boolean): void {
    const view = this.#view;
    if (!view) return;
    const { doc } = view.state;
    this.#isShowing = true;
    try {
      view.dispatch(transaction);
    } finally {
      this.#isShowing = false;
    }
    const answer = mapBetween(transaction.doc, view.state.doc);
    this.#maps?.push(...transaction.mapping.maps, ...(answer ? [answer] : []));
    // A plugin may refuse a change. What was refused must not be taken for deleted.
    if (isWhole) this.#isApart = transaction.docChanged && view.state.doc === doc;
  }

  #awaitHeirs(memory: Memory | null, before: Selection, { selection }: EditorState): void {
    const held = this.#awaited?.selection.eq(before) ? this.#awaited : null;
    const open = memory && isOrphaned(memory, this.#shown) ? memory : held;
    this.#awaited = open && isOrphaned(open, this.#shown) ? { ...open, selection } : null;
  }

  #recover(error: unknown): void {
    this.#report(error);
    if (!this.#view) return;
    try {
      this.#fill();
    } catch (again) {
      this.#isApart = true;
      this.#report(again);
    }
  }

  /** Fills the editor anew from the shared document. */
  #fill(): void {
    const view = this.#view;
    if (!view) return;
    this.#stale.clear();
    this.#altered.clear();
    this.#undoing = null;
    this.#hold?.stop();
    this.#hold = null;
    this.#isApart = false;
    this.#reader = this.#newReader(view);
    this.#show(view, this.#reader, new Map(), null, "fill");
  }

  /** The transaction as it is after everything that waited is shown. */
  #settled(transaction: Transaction): Transaction {
    const view = this.#view;
    if (!view || this.#isShowing || transaction.getMeta(ySyncPluginKey)) return transaction;
    // Made before something that is shown: ProseMirror will say so.
    if (transaction.before !== view.state.doc) return transaction;
    const isComposed = transaction.getMeta("composition") !== undefined;
    const mustShow = this.#stale.size > 0 || (this.#hold !== null && !isComposed && transaction.docChanged);
    if (!mustShow) return transaction;
    const { state } = view;
    this.#maps = [];
    if (this.#hold && !isComposed && transaction.docChanged) this.endHold();
    else this.#showStale();
    const maps = this.#maps;
    this.#maps = null;
    if (view.state === state) return transaction;
    return rebased(transaction, state, view.state, maps);
  }

  /** Whether a word that is being composed keeps everything as it is. */
  #mustWait(view: EditorView): boolean {
    const line = this.#hold?.line ?? (view.composing ? this.#composed : null);
    if (!line) return false;
    const { element } = line;
    const parent = element.parent;
    const isGone = element._item?.deleted ?? true;
    const isTouched = isGone || this.#stale.has(element);
    const isAround = isGone || (isTouched && parent !== null && this.#stale.has(parent as YType));
    if (isTouched && !this.#hold) {
      const timer = setTimeout(() => this.endHold(), LONGEST_HOLD);
      const at = view.state.selection.$head.before();
      this.#hold = { line, at, isWhole: false, stop: () => clearTimeout(timer) };
    }
    if (this.#hold && isAround) this.#hold.isWhole = true;
    return this.#hold?.isWhole ?? false;
  }
}

/** The types that are to be read anew: those that have changed, and in what holds them only those. */
function withAncestors(changed: Iterable<YType>): Stale {
  const stale = new Map<YType, Set<YType> | "whole">();
  for (const type of changed) {
    stale.set(type, "whole");
    for (let at = type; at.parent; at = at.parent as YType) {
      const parent = at.parent as YType;
      const inner = stale.get(parent);
      if (inner === "whole") break;
      if (inner) {
        inner.add(at);
        break;
      }
      stale.set(parent, new Set([at]));
    }
  }
  return stale;
}

/** The same but for a line that is held: what is around it was read with another node of that line, and is read whole. */
function readAround(changed: Iterable<YType>, held: YType): Stale {
  const others = [...changed].filter((type) => type !== held);
  return new Map([...withAncestors(others).keys()].map((type) => [type, "whole"]));
}

function clamped({ anchor, head }: Selection, doc: Node): Selection {
  const { size } = doc.content;
  return TextSelection.between(doc.resolve(Math.min(anchor, size)), doc.resolve(Math.min(head, size)));
}

function selectionOfStep(manager: Y.UndoManager, binding: Binding): Memory | null {
  return (manager.currStackItem?.meta.get(binding) as Memory | undefined) ?? null;
}

function lettersIn({ $from, $to, from, to }: Selection): string | null {
  return $from.sameParent($to) ? $from.doc.textBetween(from, to) : null;
}

/** Lets ProseMirror read what the browser has typed; it has no public way. */
function readInput(view: EditorView): void {
  (view as unknown as { domObserver?: { forceFlush(): void } }).domObserver?.forceFlush();
}

/**
 * Lets ProseMirror read the browser's selection, of which the browser tells up to a frame afterwards.
 *
 * Typed letters are left for their own turn: reading them here would write in the middle of somebody else's change.
 */
function readSelection(view: EditorView): void {
  const { domObserver } = view as unknown as { readonly domObserver?: SelectionReader };
  if (!domObserver || view.composing || domObserver.flushingSoon > -1) return;
  if (domObserver.pendingRecords().length > 0) domObserver.flushSoon();
  else domObserver.flush();
}

interface SelectionReader {
  readonly flushingSoon: number;
  readonly pendingRecords: () => readonly MutationRecord[];
  readonly flushSoon: () => void;
  readonly flush: () => void;
}
