/** Keys within code: Tab indents the lines of the selection, Shift+Tab takes an indent back; Esc, then Tab, leaves. */

import { Extension } from "@tiptap/core";
import type { EditorState, Transaction } from "@tiptap/pm/state";

const INDENT = "  ";

export const CodeKeys = Extension.create({
  name: "codeKeys",
  // Before lists and tables that the code stands in.
  priority: 1_000,
  addKeyboardShortcuts() {
    const { editor } = this;
    const apply = (change: (state: EditorState) => Transaction | null) => () => {
      if (!isInCode(editor.state)) return false;
      const made = change(editor.state);
      if (made) editor.view.dispatch(made);
      return true;
    };
    return {
      Tab: apply(indented),
      "Shift-Tab": apply(outdented),
      "Mod-]": apply(indented),
      "Mod-[": apply(outdented),
    };
  },
});

function isInCode({ selection: { $from, $to } }: EditorState): boolean {
  return $from.parent.type.spec.code === true && $from.sameParent($to);
}

function indented({ tr, selection: { empty }, selection, doc }: EditorState): Transaction {
  if (empty) return tr.insertText(INDENT);
  for (const start of linesIn(selection.from, selection.to, doc).reverse()) tr.insertText(INDENT, start);
  return tr;
}

function outdented({ tr, selection, doc }: EditorState): Transaction | null {
  for (const start of linesIn(selection.from, selection.to, doc).reverse()) {
    const $start = doc.resolve(start);
    const line = $start.parent.textContent.slice($start.parentOffset);
    const [blanks = ""] = /^(\t| {1,2})/.exec(line) ?? [];
    if (blanks) tr.delete(start, start + blanks.length);
  }
  return tr.docChanged ? tr : null;
}

/** Where the lines of code begin that are selected, or hold the cursor. */
function linesIn(from: number, to: number, doc: EditorState["doc"]): number[] {
  const $from = doc.resolve(from);
  const code = $from.parent.textContent;
  const [first, last] = [$from.parentOffset, $from.parentOffset + to - from];
  const starts = [code.lastIndexOf("\n", first - 1) + 1];
  for (
    let at = code.indexOf("\n", first);
    at >= 0 && at + 1 < Math.max(last, first + 1);
    at = code.indexOf("\n", at + 1)
  )
    starts.push(at + 1);
  return starts.map((offset) => $from.start() + offset);
}
