/** The selected words, shown while a form beside them has the focus: browsers hide a selection without it. */

import { type Editor, Extension } from "@tiptap/core";
import { Plugin, PluginKey, type Transaction } from "@tiptap/pm/state";
import { Decoration, DecorationSet } from "@tiptap/pm/view";

const key = new PluginKey<boolean>("heldSelection");

export const HeldSelection = Extension.create({
  name: "heldSelection",
  addProseMirrorPlugins() {
    return [
      new Plugin<boolean>({
        key,
        state: {
          init: () => false,
          apply: (transaction: Transaction, isHeld) => transaction.getMeta(key) ?? isHeld,
        },
        props: {
          decorations: (state) => {
            const { from, to, empty } = state.selection;
            if (!key.getState(state) || empty) return null;
            return DecorationSet.create(state.doc, [
              Decoration.inline(from, to, { class: "page-held-selection" }),
            ]);
          },
        },
      }),
    ];
  },
});

export function holdSelection({ state, view, isDestroyed }: Editor, isHeld: boolean): void {
  if (!isDestroyed && key.getState(state) !== isHeld) view.dispatch(state.tr.setMeta(key, isHeld));
}
