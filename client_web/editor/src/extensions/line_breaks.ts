/** Line breaks at what is selected whole: a picture, a formula, a block. A break comes behind, and takes nobody's place. */

import { type Editor, Extension, isNodeSelection } from "@tiptap/core";
import { Selection } from "@tiptap/pm/state";

export const LineBreaks = Extension.create({
  name: "lineBreaks",
  // Before the keys of the break itself, which would replace what is selected.
  priority: 110,
  addKeyboardShortcuts() {
    return {
      "Shift-Enter": ({ editor }) => breakBehind(editor),
      "Mod-Enter": ({ editor }) => !isInTask(editor) && breakBehind(editor),
    };
  },
});

/** There the same keys tick the task. */
function isInTask({ state: { selection } }: Editor): boolean {
  const { $from } = selection;
  return Array.from({ length: $from.depth }, (_, depth) => $from.node(depth + 1)).some(
    ({ type }) => type.name === "taskItem",
  );
}

function breakBehind(editor: Editor): boolean {
  const { selection, tr } = editor.state;
  if (!isNodeSelection(selection)) return false;
  const { node, $to, to } = selection;
  if (node.isInline) return editor.chain().setTextSelection(to).setHardBreak().run();
  const line = $to.parent.contentMatchAt($to.index()).defaultType;
  // Where no line may stand, as between the items of a list, the keys do nothing.
  if (!line?.isTextblock || !$to.parent.canReplaceWith($to.index(), $to.index(), line)) return true;
  const filled = tr.insert(to, line.create());
  editor.view.dispatch(filled.setSelection(Selection.near(filled.doc.resolve(to + 1))).scrollIntoView());
  return true;
}
