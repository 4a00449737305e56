/** Tasks that can be ticked from the keyboard: in a list, Tab nests, so that nobody gets to the checkbox by it. */

import { TaskItem } from "@tiptap/extension-list";
import type { EditorState, Transaction } from "@tiptap/pm/state";
import { t } from "../i18n/t";

export const Task = TaskItem.extend({
  addKeyboardShortcuts() {
    return {
      ...this.parent?.(),
      "Mod-Enter": ({ editor: { state, view } }) => {
        const ticked = tick(state);
        if (ticked) view.dispatch(ticked);
        return ticked !== null;
      },
    };
  },
}).configure({
  nested: true,
  a11y: { checkboxLabel: ({ textContent: text }) => (text ? t("Task: {text}", { text }) : t("Task: empty")) },
});

/** Ticks or unticks the innermost task that the cursor is in; null where there is none. */
function tick({ selection: { $from }, tr }: EditorState): Transaction | null {
  for (let depth = $from.depth; depth > 0; depth -= 1) {
    const { type, attrs } = $from.node(depth);
    if (type.name === "taskItem") return tr.setNodeAttribute($from.before(depth), "checked", !attrs.checked);
  }
  return null;
}
