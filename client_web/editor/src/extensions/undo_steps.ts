/** Cuts one's own writing into undo steps of a sensible size.
 *
 * The shared document's undo joins changes that follow each other within half a second, so that fast writing, however long, would
 * be one step. Here a step ends with every change of structure or formatting, and with a word once it is long enough.
 */

import { isChangeOrigin, yUndoPluginKey } from "@manyhands/binding";
import { Extension } from "@tiptap/core";
import { Plugin, PluginKey, type Transaction } from "@tiptap/pm/state";
import { ReplaceStep } from "@tiptap/pm/transform";

/** Characters after which the next space ends a step. */
const LONG_ENOUGH = 24;

interface Writing {
  /** Characters typed since the step began. */
  readonly typed: number;
  readonly isStepOver: boolean;
}

const BEGUN: Writing = { typed: 0, isStepOver: false };

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
        view: () => ({
          update: (view, before) => {
            const isNew = key.getState(view.state) !== key.getState(before);
            if (isNew && key.getState(view.state)?.isStepOver) {
              yUndoPluginKey.getState(view.state)?.undoManager.stopCapturing();
            }
          },
        }),
      }),
    ];
  },
});

function follow(transaction: Transaction, before: Writing): Writing {
  if (!transaction.docChanged || isChangeOrigin(transaction)) return before;
  const written = typedText(transaction);
  if (written === null) return { typed: 0, isStepOver: true };
  const typed = before.typed + Math.max(1, written.length);
  return { typed, isStepOver: typed >= LONG_ENOUGH && /\s$/.test(written) };
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
