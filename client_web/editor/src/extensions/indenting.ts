/** Indent of lines and nesting of list items, by Tab and by Ctrl+]; Shift+Tab and Ctrl+[ go back.
 *
 * Tab would be a trap for those who go through a page by it: behind Escape it leads out of the text.
 */

import { indentOf, MOST_INDENT } from "@manyhands/schema";
import { Extension } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import { type EditorState, Plugin, PluginKey } from "@tiptap/pm/state";

declare module "@tiptap/core" {
  interface Commands<ReturnType> {
    indenting: {
      /** Nests the list items of the selection, or moves its lines in by a level. */
      indent: () => ReturnType;
      outdent: () => ReturnType;
    };
  }
}

const LINES: readonly string[] = ["paragraph", "heading"];

export const Indenting = Extension.create({
  name: "indenting",
  // Lists, tables and code come first: what they leave to Tab is left to lines.
  priority: 50,
  addCommands() {
    return {
      indent:
        () =>
        ({ state, tr, dispatch, commands }) => {
          const item = itemAt(state);
          return item ? commands.sinkListItem(item) : moveLines(state, tr, dispatch !== undefined, 1);
        },
      outdent:
        () =>
        ({ state, tr, dispatch, commands }) => {
          const item = itemAt(state);
          return item ? commands.liftListItem(item) : moveLines(state, tr, dispatch !== undefined, -1);
        },
    };
  },
  addKeyboardShortcuts() {
    const { editor } = this;
    return {
      Tab: () => editor.commands.indent() || isLine(editor.state),
      "Shift-Tab": () => editor.commands.outdent() || itemAt(editor.state) !== null,
      "Mod-]": () => editor.commands.indent() || isLine(editor.state),
      "Mod-[": () => editor.commands.outdent() || isLine(editor.state),
    };
  },
  addProseMirrorPlugins() {
    let isLeaving = false;
    return [
      new Plugin({
        key: new PluginKey("indenting"),
        props: {
          handleDOMEvents: {
            // The browser has the key then, and goes to what follows the text.
            keydown: (_view, { key, shiftKey }) => {
              const leaves = isLeaving && key === "Tab";
              if (key !== "Shift" && !shiftKey) isLeaving = key === "Escape";
              return leaves;
            },
          },
        },
      }),
    ];
  },
});

/** Takes an indent back before the line is joined to the one above. */
export const IndentBackspace = Extension.create({
  name: "indentBackspace",
  priority: 1_000,
  addKeyboardShortcuts() {
    return {
      Backspace: ({ editor }) => {
        const { empty, $from } = editor.state.selection;
        const isAtStart = empty && $from.parentOffset === 0 && indentOf($from.parent.attrs.indent) !== null;
        return isAtStart && editor.commands.outdent();
      },
    };
  },
});

/** Returns the kind of the innermost list item with the cursor; null outside of lists. */
function itemAt({ selection: { $from } }: EditorState): "taskItem" | "listItem" | null {
  for (let depth = $from.depth; depth > 0; depth -= 1) {
    const { name } = $from.node(depth).type;
    if (name === "taskItem" || name === "listItem") return name;
  }
  return null;
}

function isLine({ selection: { $from } }: EditorState): boolean {
  return LINES.includes($from.parent.type.name);
}

function moveLines(
  { selection: { from, to }, doc }: EditorState,
  tr: EditorState["tr"],
  isMeant: boolean,
  by: 1 | -1,
): boolean {
  let found = false;
  doc.nodesBetween(from, to, (node: Node, at: number) => {
    if (!LINES.includes(node.type.name)) return;
    const levels = indentOf(node.attrs.indent) ?? 0;
    const wanted = Math.min(Math.max(levels + by, 0), MOST_INDENT);
    if (wanted === levels) return;
    found = true;
    if (isMeant) tr.setNodeAttribute(at, "indent", wanted === 0 ? null : wanted);
  });
  return found;
}
