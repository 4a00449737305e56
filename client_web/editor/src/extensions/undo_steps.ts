/** Cuts one's own writing into undo steps of a sensible size.
 *
 * The shared document's undo joins changes that follow each other within half a second, so that fast writing, however long, would
 * be one step. Here a step ends with every change of structure or formatting, and with a word once it is long enough. Each step knows
 * what kind of change it holds, so that a person can be told what the next undo takes back.
 */

import { isChangeOrigin, nextStep, yUndoPluginKey } from "@manyhands/binding";
import { Extension } from "@tiptap/core";
import type { Fragment, Node } from "@tiptap/pm/model";
import { type EditorState, Plugin, PluginKey, type Transaction } from "@tiptap/pm/state";
import { type Step as DocumentStep, ReplaceStep } from "@tiptap/pm/transform";
import type { UndoManager } from "yjs";

/** Characters after which the next space ends a step. */
const LONG_ENOUGH = 24;

export type StepKind = "typing" | "deletion" | "formatting" | "pasting" | "moving" | "replacement" | "change";

/** A transaction may say its kind itself, under this name. */
export const STEP_KIND = "stepKind";

/** What a suggestion would have been as an edit; under this name a transaction says only what to call it. */
export const MEANT_KIND = "meantKind";

interface Writing {
  /** Characters typed since the step began. */
  readonly typed: number;
  readonly isStepOver: boolean;
  /** Of the last change of one's own. */
  readonly kind: StepKind;
}

const BEGUN: Writing = { typed: 0, isStepOver: false, kind: "change" };

const key = new PluginKey<Writing>("undoSteps");

export const UndoSteps = Extension.create({
  name: "undoSteps",
  // After the binding's own plugins: a step may end only when its last change is in the shared document.
  priority: 10,
  addProseMirrorPlugins() {
    return [
      new Plugin<Writing>({
        key,
        state: {
          init: () => BEGUN,
          apply: (transaction, before) => follow(transaction, before.isStepOver ? BEGUN : before),
        },
        view: (view) => {
          const manager = yUndoPluginKey.getState(view.state)?.undoManager;
          manager?.on("stack-item-added", takeOver);
          return {
            update: (_view, before) => {
              const writing = key.getState(view.state);
              if (!writing || writing === key.getState(before)) return;
              nameStep(manager, writing.kind);
              if (writing.isStepOver) manager?.stopCapturing();
            },
            destroy: () => manager?.off("stack-item-added", takeOver),
          };
        },
      }),
    ];
  },
});

/** What the next undo or redo would change; null if there is none. */
export function kindOfStep(state: EditorState, way: "undo" | "redo"): StepKind | null {
  const step = nextStep(state, way);
  return step ? kindOf(step) : null;
}

type Step = UndoManager["undoStack"][number];

export function kindOf({ meta }: Step): StepKind {
  return (meta.get(STEP_KIND) as StepKind | undefined) ?? "change";
}

/** A step of several kinds is a change. */
function nameStep(manager: UndoManager | undefined, kind: StepKind): void {
  const step = manager?.undoStack.at(-1);
  const known = step?.meta.get(STEP_KIND);
  const isTyping = known === "typing" && kind === "deletion";
  if (!isTyping) step?.meta.set(STEP_KIND, known === undefined || known === kind ? kind : "change");
}

/** What is taken back can be done again, and is of the same kind. */
function takeOver({ stackItem }: { readonly stackItem: Step }, manager: UndoManager): void {
  const from = manager.currStackItem;
  if (from) stackItem.meta.set(STEP_KIND, kindOf(from));
}

function follow(transaction: Transaction, before: Writing): Writing {
  if (!transaction.docChanged || isChangeOrigin(transaction)) return before;
  const isAnswer = transaction.getMeta("appendedTransaction") !== undefined;
  const kind = isAnswer ? before.kind : kindIn(transaction);
  // Whoever names the kind sees to where the step ends.
  if (transaction.getMeta(STEP_KIND)) return { typed: 0, isStepOver: false, kind };
  const written = typedText(transaction);
  if (written === null) return { typed: 0, isStepOver: true, kind };
  const typed = before.typed + Math.max(1, written.length);
  return { typed, isStepOver: typed >= LONG_ENOUGH && /\s$/.test(written), kind };
}

export function kindIn(transaction: Transaction): StepKind {
  const said: StepKind | undefined = transaction.getMeta(STEP_KIND) ?? transaction.getMeta(MEANT_KIND);
  if (said) return said;
  const event: unknown = transaction.getMeta("uiEvent");
  if (event === "paste" || transaction.getMeta("paste") === true) return "pasting";
  if (event === "drop") return "moving";
  if (event === "cut") return "deletion";
  const { steps, docs } = transaction;
  const isOfWords = steps.some(
    (step, index) => step instanceof ReplaceStep && !keepsWords(step, docs[index]),
  );
  if (!isOfWords) return "formatting";
  return steps.every(onlyDeletes) ? "deletion" : "typing";
}

/** Whoever deletes everything gets an empty line in its place. */
function onlyDeletes(step: DocumentStep): boolean {
  if (!(step instanceof ReplaceStep)) return false;
  const { from, to, slice } = step;
  return slice.size === 0 || (to > from && !holdsAnything(slice.content));
}

/** Whether there are words or objects in a content. */
function holdsAnything(content: Fragment): boolean {
  return content.content.some((node) => node.isText || node.isAtom || holdsAnything(node.content));
}

/** A block that is made anew around its words, as for another kind or alignment. */
function keepsWords({ from, to, slice }: ReplaceStep, doc: Node | undefined): boolean {
  const before = doc?.textBetween(from, to, undefined, "\ufffc");
  return (
    slice.size > 0 &&
    to > from &&
    before === slice.content.textBetween(0, slice.content.size, undefined, "\ufffc")
  );
}

/** Returns the words that a transaction writes into one paragraph, "" when it only deletes there; null for anything else. */
function typedText({ steps, docs }: Transaction): string | null {
  const [step] = steps;
  const [doc] = docs;
  if (steps.length !== 1 || !(step instanceof ReplaceStep) || !doc) return null;
  const { from, to, slice } = step;
  const isWithinOne = doc.resolve(from).sameParent(doc.resolve(to)) && doc.resolve(from).parent.isTextblock;
  const isText = slice.openStart === 0 && slice.content.content.every((node) => node.isText);
  return isWithinOne && isText ? slice.content.textBetween(0, slice.content.size) : null;
}
