/** The question for a day at the cursor: whether it is open, and how the answer is written. */

import { isChangeOrigin } from "@manyhands/binding";
import { type Editor, Extension } from "@tiptap/core";
import { Plugin, PluginKey, type Selection, type Transaction } from "@tiptap/pm/state";
import { LOCALE } from "../../i18n/language";
import { dateIn } from "./days";

const key = new PluginKey<boolean>("dayAsking");

export const DayAsking = Extension.create({
  name: "dayAsking",
  addProseMirrorPlugins() {
    return [
      new Plugin<boolean>({
        key,
        state: {
          init: () => false,
          apply: (transaction, isOpen, { selection }) =>
            (transaction.getMeta(key) as boolean | undefined) ?? (isOpen && stays(transaction, selection)),
        },
      }),
    ];
  },
});

/** The test that keeps the question open: the cursor is where it was, moved perhaps by what others write. */
function stays(transaction: Transaction, before: Selection): boolean {
  if (!transaction.selectionSet || isChangeOrigin(transaction)) return true;
  return transaction.selection.eq(before.map(transaction.doc, transaction.mapping));
}

export function isDayAsked({ state }: Editor): boolean {
  return key.getState(state) ?? false;
}

export function askForDay({ state, view }: Editor): void {
  view.dispatch(state.tr.setMeta(key, true));
}

export function closeDay(editor: Editor): void {
  editor.view.dispatch(editor.state.tr.setMeta(key, false));
  editor.commands.focus();
}

/** Writes a day at the cursor, as "@" does; the question is closed afterwards. */
export function writeDay(editor: Editor, day: Date): void {
  editor.commands.insertContent({ type: "text", text: `${dateIn(day, LOCALE)} ` });
  closeDay(editor);
}
