/** Suggesting mode: what a person does becomes suggestions, and nothing is done for real.
 *
 * The translator is in features/suggesting and comes when the mode is first switched on. Here is what stands between the editor and the
 * document: while somebody suggests, no transaction that changes the document gets through untranslated.
 */

import { isChangeOrigin, yUndoPluginKey } from "@manyhands/binding";
import { Extension } from "@tiptap/core";
import { type Fragment, type Node, type Schema, Slice } from "@tiptap/pm/model";
import { type EditorState, Plugin, PluginKey, type Transaction } from "@tiptap/pm/state";
import { ReplaceStep } from "@tiptap/pm/transform";
import type { Author, Refusal } from "../features/suggesting/author";
import { hasSuggestions } from "../features/suggesting/present";
import { dropSpentSteps } from "./spent_steps";
import { kindIn, MEANT_KIND, STEP_KIND } from "./undo_steps";

/** Milliseconds after which what is typed is a run of its own. */
const REST = 2_000;

export interface Suggester {
  /** The id of the person. */
  readonly user: string;
  /** Whether the person may do nothing else. What is not translated yet is refused by the server then, and suggested anew. */
  readonly isBound?: boolean;
  readonly translate: (
    before: EditorState,
    after: EditorState,
    author: Author,
  ) => Transaction | Refusal | "loading";
  /** Told why something was not suggested. */
  readonly refuse: (reason: Refusal | "loading") => void;
  readonly now?: () => number;
  /** A whole number below a bound. */
  readonly random?: (below: number) => number;
}

/** Note on a transaction: tried out, translated, to be translated later, or an act of somebody who accepts or rejects. */
export type SuggestingMeta = "trial" | "suggested" | "late" | "settled";

export interface SuggestingOptions {
  /** Who suggests at the moment; null while this page edits. */
  readonly suggester: () => Suggester | null;
}

/** Stands for the translator until its code has come. */
export const LATER: Suggester["translate"] = () => "loading";

export const suggestingKey = new PluginKey<Run>("suggesting");

type Decided = typeof import("../features/suggesting/decided");

let loaded: Decided | null = null;

/** Loads what copies and tables need where something is suggested. Until it has come, they are as the document is. */
export async function loadDecided(): Promise<void> {
  loaded ??= await import("../features/suggesting/decided");
}

/** What `loadDecided` has loaded, for a node in which something is suggested; null for others. */
export function decidedIn(node: Node): Decided | null {
  return hasSuggestions(node) ? loaded : null;
}

/** The burst of typing that goes on, and where. */
interface Run {
  readonly run: number | null;
  readonly at: number;
  readonly since: number;
}

const NO_RUN: Run = { run: null, at: 0, since: 0 };

/** How this person wrote last; a step of undo holds what was written in one way. */
interface Storage {
  way: "editing" | "suggesting" | "bound";
}

export const Suggesting = Extension.create<SuggestingOptions, Storage>({
  name: "suggesting",
  priority: 2_000,
  addOptions: () => ({ suggester: () => null }),
  addStorage: () => ({ way: "editing" }),
  dispatchTransaction({ transaction, next }) {
    const suggester = this.options.suggester();
    const way = suggester === null ? "editing" : suggester.isBound ? "bound" : "suggesting";
    if (transaction.docChanged && !isChangeOrigin(transaction) && way !== this.storage.way) {
      this.storage.way = way;
      yUndoPluginKey.getState(this.editor.state)?.undoManager.stopCapturing();
    }
    if (!suggester || !transaction.docChanged || isAllowed(transaction)) {
      if (!suggester && transaction.docChanged && !isAllowed(transaction)) takeFromStruck(transaction);
      next(transaction);
      return;
    }
    const { state, view } = this.editor;
    if (suggester.isBound && suggester.translate === LATER) {
      next(transaction.setMeta(suggestingKey, "late"));
      return;
    }
    const after = state.applyTransaction(transaction.setMeta(suggestingKey, "trial")).state;
    const made = suggester.translate(state, after, authorOf(suggester, state));
    if (typeof made === "string") {
      suggester.refuse(made);
      // What the browser has typed already goes again.
      view.updateState(state);
      return;
    }
    for (const meta of ["uiEvent", "paste", STEP_KIND]) {
      const said: unknown = transaction.getMeta(meta);
      if (said !== undefined) made.setMeta(meta, said);
    }
    // What is done to words by marks is still what the person has done.
    made.setMeta(MEANT_KIND, kindIn(transaction));
    if (transaction.scrolledIntoView) made.scrollIntoView();
    next(made.setMeta(suggestingKey, "suggested"));
  },
  addProseMirrorPlugins() {
    const { suggester } = this.options;
    const now = () => suggester()?.now?.() ?? Date.now();
    return [
      new Plugin<Run>({
        key: suggestingKey,
        state: {
          init: () => NO_RUN,
          apply: (transaction, before, _old, state) => {
            if (!transaction.docChanged) return before;
            if (transaction.getMeta(suggestingKey) === "suggested") {
              return followed(before, runAt(state, suggester()?.user, now()), transaction);
            }
            const at = transaction.mapping.map(before.at);
            // Words that are added to a run stand where its author has seen them.
            const isSame = lineAt(transaction.before, before.at) === lineAt(state.doc, at);
            return isSame ? { ...before, at } : NO_RUN;
          },
        },
        view: ({ state }) => {
          const manager = yUndoPluginKey.getState(state)?.undoManager;
          return manager ? { destroy: dropSpentSteps(manager, suggester) } : {};
        },
        props: {
          // Copies say what the words will be: nobody means to copy what is struck out, or an end of a line as a sign.
          transformCopied: (slice, { state: { schema } }) => accepted(slice, schema),
        },
        filterTransaction: (transaction) =>
          !suggester() || !transaction.docChanged || isAllowed(transaction) || isTrial(transaction),
      }),
    ];
  },
});

/** What comes from the shared document, undo, what was translated, and acts of somebody who accepts or rejects. */
function isAllowed(transaction: Transaction): boolean {
  const said: SuggestingMeta | undefined = transaction.getMeta(suggestingKey);
  return isChangeOrigin(transaction) || (said !== undefined && said !== "trial");
}

/** Also what plugins add to a transaction that is tried out, or translated later. */
function isTrial(transaction: Transaction): boolean {
  const root: Transaction | undefined = transaction.getMeta("appendedTransaction");
  return ["trial", "late"].includes((root ?? transaction).getMeta(suggestingKey));
}

/** The author of what a person suggests in this state of an editor. */
export function authorOf(
  { user, now = Date.now, random = randomBelow }: Suggester,
  state: EditorState,
): Author {
  const before = suggestingKey.getState(state) ?? NO_RUN;
  const at = now();
  return {
    user,
    now: at,
    newId: () => `${random(2 ** 30).toString(36)}${random(2 ** 30).toString(36)}`,
    newRun: () => 1 + random(2 ** 31 - 2),
    isOpen: (run) => run === before.run && !isResting(before, at),
  };
}

function randomBelow(below: number): number {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  return number % below;
}

/** The run of the words before the cursor, if they are this person's own. */
function runAt(
  { selection: { $head }, schema }: EditorState,
  user: string | undefined,
  now: number,
): Run | null {
  const beside = [$head.nodeBefore, $head.nodeAfter].flatMap((node) => node?.marks ?? []);
  const own = beside.find(({ type, attrs }) => type === schema.marks.insertion && attrs.user === user);
  return own ? { run: Number(own.attrs.run), at: $head.pos, since: now } : null;
}

/** A run goes on while it is typed. One that has rested stays closed, also when something is deleted in it. */
function followed(before: Run, found: Run | null, { steps }: Transaction): Run {
  if (found === null) return NO_RUN;
  if (found.run === before.run) return isResting(before, found.since) ? { ...before, at: found.at } : found;
  const isBegun = steps.some((step) => step instanceof ReplaceStep && hasRun(step.slice.content, found.run));
  return isBegun ? found : NO_RUN;
}

function isResting({ since }: Run, now: number): boolean {
  return now - since >= REST;
}

function hasRun(content: Fragment, run: number | null): boolean {
  return content.content.some(
    (node) => node.marks.some(({ attrs }) => attrs.run === run) || hasRun(node.content, run),
  );
}

/** ProseMirror gives words the marks around them. What somebody types among struck words is not struck. */
function takeFromStruck(transaction: Transaction): void {
  const { docs, mapping } = transaction;
  const struck = transaction.steps.flatMap((step, index) => {
    if (!(step instanceof ReplaceStep) || !step.slice.content.content.every(({ isText }) => isText))
      return [];
    const $at = docs[index]?.resolve(step.from);
    const after = mapping.slice(index + 1);
    const [from, to] = [after.map(step.from, 1), after.map(step.from + step.slice.size, -1)];
    const around = [$at?.nodeBefore, $at?.nodeAfter].flatMap((node) => node?.marks ?? []);
    const marks = around.filter(({ type }) => type.name === "deletion");
    return from < to ? marks.map((mark) => ({ from, to, mark })) : [];
  });
  for (const { from, to, mark } of struck) transaction.removeMark(from, to, mark);
}

function lineAt(doc: Node, at: number): Node | null {
  return at <= doc.content.size ? doc.resolve(at).parent : null;
}

/** A copied part of a document as if all that is suggested in it were accepted. */
function accepted({ content, openStart, openEnd }: Slice, { topNodeType }: Schema): Slice {
  const part = topNodeType.create(null, content);
  const decided = decidedIn(part);
  if (!decided) return new Slice(content, openStart, openEnd);
  const settledContent = decided.settled(part, decided.acceptAll).content;
  const most = Slice.maxOpen(settledContent);
  return new Slice(settledContent, Math.min(openStart, most.openStart), Math.min(openEnd, most.openEnd));
}
