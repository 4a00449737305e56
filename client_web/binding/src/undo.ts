/** The plugin that takes back one's own edits, in their order.
 *
 * 1. What somebody else has restructured since is followed to the heirs of its characters: words
 *    that are taken back, and words that come back.
 * 2. A word that an input method composes is one step, however long it takes.
 * 3. A step leads back to the selection that was there before it.
 */

import { type EditorState, Plugin } from "prosemirror-state";
import * as Y from "yjs";
import { type HeirRun, heirsIn, livingOf } from "./heirs.js";
import { type UndoState, ySyncPluginKey, yUndoPluginKey } from "./keys.js";
import { relativePositionToAbsolutePosition } from "./positions.js";

export interface UndoOptions {
  /** Elements that an undo leaves when somebody else has written in them since. */
  readonly protectedNodes?: ReadonlySet<string>;
  readonly trackedOrigins?: readonly unknown[];
  readonly undoManager?: Y.UndoManager | null;
}

/** The last of a composed word comes so long after the input method is done, in milliseconds. */
const LAST_OF_WORD = 60;

export const defaultProtectedNodes: ReadonlySet<string> = new Set(["paragraph"]);

/** Whether an undo may delete an item: texts and protected elements only while they are empty. */
export function defaultDeleteFilter(item: unknown, protectedNodes: ReadonlySet<string>): boolean {
  if (!(item instanceof Y.Item) || !(item.content instanceof Y.ContentType)) return true;
  const { type } = item.content;
  const isHolder =
    type instanceof Y.Text || (type instanceof Y.XmlElement && protectedNodes.has(type.nodeName));
  return !isHolder || type._length === 0;
}

export function yUndoPlugin(options: UndoOptions = {}): Plugin<UndoState> {
  return new Plugin<UndoState>({
    key: yUndoPluginKey,
    state: {
      init: (_config, state) => stateOf(options.undoManager ?? managerFor(state, options)),
      apply: (_transaction, before) => {
        const now = stateOf(before.undoManager);
        const isSame = now.hasUndoOps === before.hasUndoOps && now.hasRedoOps === before.hasRedoOps;
        return isSame ? before : now;
      },
    },
    props: {
      handleDOMEvents: {
        compositionstart: (view) => {
          beginWord(yUndoPluginKey.getState(view.state)?.undoManager);
          return false;
        },
        compositionend: (view) => {
          const manager = yUndoPluginKey.getState(view.state)?.undoManager;
          setTimeout(() => !view.composing && endWord(manager), LAST_OF_WORD);
          return false;
        },
      },
    },
    view: (view) => {
      const state = yUndoPluginKey.getState(view.state);
      const binding = ySyncPluginKey.getState(view.state)?.binding;
      if (!state || !binding) return {};
      const { undoManager } = state;
      const follow = (transaction: Y.Transaction) => followHeirs(undoManager, heirsIn(transaction));
      const remember = ({ stackItem }: { stackItem: { meta: Map<unknown, unknown> } }) =>
        stackItem.meta.set(binding, binding.selectionBefore);
      attach(undoManager);
      undoManager.on("stack-item-added", remember);
      binding.doc.on("beforeObserverCalls", follow);
      return {
        destroy: () => {
          undoManager.off("stack-item-added", remember);
          binding.doc.off("beforeObserverCalls", follow);
          if (!options.undoManager) detach(undoManager);
        },
      };
    },
  });
}

function stateOf(undoManager: Y.UndoManager): UndoState {
  return {
    undoManager,
    hasUndoOps: undoManager.undoStack.length > 0,
    hasRedoOps: undoManager.redoStack.length > 0,
  };
}

function managerFor(state: EditorState, options: UndoOptions): Y.UndoManager {
  const type = ySyncPluginKey.getState(state)?.type;
  if (!type) throw new Error("The undo plugin stands behind the sync plugin");
  const { protectedNodes = defaultProtectedNodes, trackedOrigins = [] } = options;
  return new Y.UndoManager(type, {
    trackedOrigins: new Set([ySyncPluginKey, ...trackedOrigins]),
    deleteFilter: (item) => defaultDeleteFilter(item, protectedNodes),
    captureTransaction: ({ meta }) => meta.get("addToHistory") !== false,
  });
}

/** A view comes again, with the same state, when a plugin is added to the editor later. */
function attach(manager: Y.UndoManager): void {
  manager.trackedOrigins.add(manager);
  manager.doc.on("afterTransaction", manager.afterTransactionHandler);
}

function detach(manager: Y.UndoManager): void {
  manager.trackedOrigins.delete(manager);
  manager.doc.off("afterTransaction", manager.afterTransactionHandler);
}

const captureTimeouts = new WeakMap<Y.UndoManager, number>();

function beginWord(manager: Y.UndoManager | undefined): void {
  if (!manager || captureTimeouts.has(manager)) return;
  captureTimeouts.set(manager, manager.captureTimeout);
  manager.stopCapturing();
  manager.captureTimeout = Number.POSITIVE_INFINITY;
}

function endWord(manager: Y.UndoManager | undefined): void {
  const before = manager && captureTimeouts.get(manager);
  if (!manager || before === undefined) return;
  captureTimeouts.delete(manager);
  manager.captureTimeout = before;
  manager.stopCapturing();
}

export type UndoStep = Y.UndoManager["undoStack"][number];

/** The words that steps have written themselves, without the heirs of those words. */
const written = new WeakMap<UndoStep, UndoStep["insertions"]>();

/** Adds to each step the heirs of the characters that the step has written. */
function followHeirs(manager: Y.UndoManager, runs: readonly HeirRun[]): void {
  if (runs.length === 0) return;
  for (const step of [...manager.undoStack, ...manager.redoStack]) {
    const added = heirsWithin(step.insertions, runs);
    if (added.clients.size === 0) continue;
    if (!written.has(step)) written.set(step, step.insertions);
    step.insertions = Y.mergeDeleteSets([step.insertions, added]);
  }
}

function heirsWithin(
  { clients }: Y.UndoManager["undoStack"][number]["insertions"],
  runs: readonly HeirRun[],
) {
  const found = Y.createDeleteSet();
  for (const [client, clock, length, heirClient, heirClock] of runs) {
    for (const range of clients.get(client) ?? []) {
      const start = Math.max(range.clock, clock);
      const end = Math.min(range.clock + range.len, clock + length);
      if (start >= end) continue;
      const known = found.clients.get(heirClient) ?? [];
      known.push({ clock: heirClock + start - clock, len: end - start });
      found.clients.set(heirClient, known);
    }
  }
  return found;
}

export function undo(state: EditorState): boolean {
  return goBack(state, "undo");
}

export function redo(state: EditorState): boolean {
  return goBack(state, "redo");
}

/** Which steps undo and redo pass over, by their manager. */
const passed = new WeakMap<Y.UndoManager, (step: UndoStep) => boolean>();

/** Has undo and redo pass over the steps for which `isPassed` holds, and forget them then. */
export function passOver(manager: Y.UndoManager, isPassed: (step: UndoStep) => boolean): () => void {
  passed.set(manager, isPassed);
  return () => void (passed.get(manager) === isPassed && passed.delete(manager));
}

/** The step that undo or redo would carry out next; null if there is none. */
export function nextStep(state: EditorState, way: "undo" | "redo"): UndoStep | null {
  const manager = yUndoPluginKey.getState(state)?.undoManager;
  if (!manager) return null;
  const isPassed = passed.get(manager);
  const steps = stepsOf(manager, way);
  return (isPassed ? steps.findLast((step) => !isPassed(step)) : steps.at(-1)) ?? null;
}

function stepsOf(manager: Y.UndoManager, way: "undo" | "redo"): UndoStep[] {
  return way === "undo" ? manager.undoStack : manager.redoStack;
}

function goBack(state: EditorState, way: "undo" | "redo"): boolean {
  const binding = ySyncPluginKey.getState(state)?.binding;
  const manager = yUndoPluginKey.getState(state)?.undoManager;
  if (!binding || !manager) return false;
  binding.endHold();
  binding.flush();
  const steps = stepsOf(manager, way);
  const step = nextStep(state, way);
  steps.length = step ? steps.indexOf(step) + 1 : 0;
  const prepare = (transaction: Y.Transaction) => {
    if (!step) return;
    cutLikeCopies(transaction, step);
    findNewPlaces(transaction, step.deletions);
    // The words have moved on, and would die without anything in their place.
    if (!comesBack(transaction, step)) step.insertions = written.get(step) ?? step.insertions;
  };
  binding.doc.once("beforeTransaction", prepare);
  const done = manager[way]();
  binding.doc.off("beforeTransaction", prepare);
  return done !== null;
}

/** More pieces than that are not looked up one by one. */
const MOST_PIECES = 50;

interface Piece {
  readonly item: Y.Item;
  readonly first: Y.ID;
  readonly last: Y.ID;
}

/** The parts of items within a span of one client's clocks. */
function piecesWithin(doc: Y.Doc, client: number, begin: number, end: number): readonly Piece[] {
  const found: Piece[] = [];
  for (let clock = begin; clock < end && found.length < MOST_PIECES; ) {
    const item: unknown = Y.getItem(doc.store, Y.createID(client, clock));
    if (!(item instanceof Y.Item)) break;
    const next = item.id.clock + item.length;
    found.push({
      item,
      first: Y.createID(client, clock),
      last: Y.createID(client, Math.min(next, end) - 1),
    });
    clock = next;
  }
  return found;
}

type DeleteSet = Y.UndoManager["undoStack"][number]["insertions"];

function piecesOf(doc: Y.Doc, { clients }: DeleteSet): readonly Piece[] {
  return [...clients].flatMap(([client, ranges]) =>
    ranges.slice(0, MOST_PIECES).flatMap(({ clock, len }) => piecesWithin(doc, client, clock, clock + len)),
  );
}

/** The last letters of the pieces of text that a transaction has written; if it only has deleted, of those. */
export function wordsOf({ doc, beforeState, afterState, deleteSet }: Y.Transaction): readonly Y.ID[] {
  const written = [...afterState]
    .flatMap(([client, end]) => piecesWithin(doc, client, beforeState.get(client) ?? 0, end))
    .filter(({ item }) => !item.deleted && isText(item));
  const pieces = written.length > 0 ? written : piecesOf(doc, deleteSet).filter(({ item }) => isText(item));
  return pieces.slice(0, MOST_PIECES).map(({ last }) => last);
}

function isText({ content }: Y.Item): boolean {
  return content instanceof Y.ContentString || content instanceof Y.ContentDeleted;
}

export interface StepPlace {
  readonly from: number;
  readonly to: number;
}

/** The place where the next undo or redo acts; null if there is none, or nothing of it is shown. */
export function placeOfStep(state: EditorState, way: "undo" | "redo"): StepPlace | null {
  const shared = ySyncPluginKey.getState(state);
  const step = nextStep(state, way);
  if (!shared || !step) return null;
  const { doc, type, binding } = shared;
  const placeOf = (id: Y.ID, assoc: number) => {
    const place = new Y.RelativePosition(null, null, id, assoc);
    const at = relativePositionToAbsolutePosition(doc, type, place, binding.mapping);
    return at === null ? [] : [Math.min(at, state.doc.content.size)];
  };
  const places = [...piecesOf(doc, step.insertions), ...piecesOf(doc, step.deletions)]
    .slice(0, MOST_PIECES)
    .flatMap(({ first, last }) => [...placeOf(first, 0), ...placeOf(last, -1)]);
  return places.length === 0 ? null : { from: Math.min(...places), to: Math.max(...places) };
}

/**
 * Cuts what an undo has brought back, and its copies, in the same places. Yjs follows the first
 * character of an item only, and forgets what is cut off while a step is carried out. Otherwise
 * pieces of words would stay that are taken back, and others would be lost or come back elsewhere.
 */
function cutLikeCopies(transaction: Y.Transaction, { insertions, deletions }: UndoStep): void {
  const met = new Set<unknown>();
  Y.iterateDeletedStructs(transaction, insertions, (struct) => cutLikeCopy(transaction, struct));
  Y.iterateDeletedStructs(transaction, deletions, (struct) => {
    if (!(struct instanceof Y.Item) || struct.parentSub !== null || met.has(struct.parent)) return;
    met.add(struct.parent);
    if (!(struct.parent instanceof Y.AbstractType)) return;
    for (let at = struct.parent._start; at; at = at.right) cutLikeCopy(transaction, at);
  });
}

/** Cuts an item and its copies to one length; what is cut off comes right behind the item. */
function cutLikeCopy(transaction: Y.Transaction, item: unknown): void {
  if (!(item instanceof Y.Item) || !item.redone) return;
  const same = [item];
  for (let id: Y.ID | null = item.redone; id; ) {
    const copy: unknown = Y.getItemCleanStart(transaction, id);
    if (!(copy instanceof Y.Item)) break;
    same.push(copy);
    id = copy.redone;
  }
  const length = Math.min(...same.map((each) => each.length));
  for (const { id, length: whole } of same) {
    if (length < whole) Y.getItemCleanStart(transaction, Y.createID(id.client, id.clock + length));
  }
}

/** Whether Yjs will find the places of the blocks that a step has deleted: not in what somebody else has deleted. */
function comesBack(transaction: Y.Transaction, { deletions }: UndoStep): boolean {
  let isFound = true;
  Y.iterateDeletedStructs(transaction, deletions, (struct) => {
    if (!(struct instanceof Y.Item) || !(struct.parent instanceof Y.AbstractType)) return;
    const around = struct.parent._item;
    if (!around?.deleted || around.redone || Y.isDeleted(deletions, around.id)) return;
    isFound &&= struct.parent instanceof Y.XmlText;
  });
  return isFound;
}

/**
 * Tells Yjs where deleted words belong whose text somebody else has rebuilt since: between the heirs
 * of their neighbours. Yjs asks for `redone`, which says what an undo has made of an item.
 */
function findNewPlaces(transaction: Y.Transaction, deletions: Y.Transaction["deleteSet"]): void {
  const { doc } = transaction;
  Y.iterateDeletedStructs(transaction, deletions, (struct) => {
    if (!(struct instanceof Y.Item) || !(struct.parent instanceof Y.AbstractType)) return;
    const text = struct.parent._item;
    if (!text?.deleted || text.redone || Y.isDeleted(deletions, text.id)) return;
    const left = neighbourOf(struct, "left", doc);
    const right = neighbourOf(struct, "right", doc);
    for (const { item, first } of [left, right].filter((each) => each !== null)) item.redone = first.id;
    // Yjs puts the words behind the whole item that it finds.
    const end = left && Y.createID(left.last.id.client, left.last.id.clock + 1);
    if (end && end.clock < Y.getState(doc.store, end.client)) Y.getItemCleanStart(transaction, end);
    const parent = (left?.last ?? right?.first)?.item.parent;
    if (parent instanceof Y.AbstractType && parent._item) text.redone = parent._item.id;
  });
}

/** The nearest item on one side that lives on in one piece, and the heirs of its ends. */
function neighbourOf(item: Y.Item, side: "left" | "right", doc: Y.Doc) {
  for (let at = item[side]; at; at = at[side]) {
    const { client, clock } = at.id;
    const first = at.countable && !at.redone ? livingOf(doc, at.id) : null;
    const last = first && livingOf(doc, Y.createID(client, clock + at.length - 1));
    const isWhole = last?.id.client === first?.id.client;
    if (first && last && isWhole && last.id.clock - first.id.clock === at.length - 1)
      return { item: at, first, last };
  }
  return null;
}
