/** Whole blocks: which one a place belongs to, and the ways to move, double and delete the selected ones.
 *
 * A block is a child of the document, of a quote, a callout or a collapsible, or an item of a list. Cells keep to their table.
 */

import { type Editor, Extension } from "@tiptap/core";
import { Fragment, type Node, type NodeRange, type ResolvedPos } from "@tiptap/pm/model";
import { type EditorState, NodeSelection, TextSelection } from "@tiptap/pm/state";
import { withoutComments } from "./comment_marks";

const HOLDERS = ["doc", "blockquote", "callout", "detailsContent", "bulletList", "orderedList", "taskList"];

const holdsBlocks = ({ type }: Node): boolean => HOLDERS.includes(type.name);

export interface Block {
  readonly node: Node;
  /** The position before it. */
  readonly at: number;
}

declare module "@tiptap/core" {
  interface Commands<ReturnType> {
    blocks: {
      /** Moves the selected blocks past the next one beside them; at the edge they stay. */
      moveBlocks: (way: "up" | "down") => ReturnType;
      /** Puts a copy of the selected blocks behind them, and the cursor into it. */
      duplicateBlocks: () => ReturnType;
      deleteBlocks: () => ReturnType;
    };
  }
}

export const Blocks = Extension.create({
  name: "blocks",
  addCommands() {
    return {
      moveBlocks:
        (way) =>
        ({ state, tr, dispatch }) => {
          const range = selectedBlocks(state);
          const sibling = range && siblingOf(range, way);
          if (!range || !sibling) return false;
          if (!dispatch) return true;
          // The neighbour goes to the other side, so that the cursor stays where it is.
          const { start, end } = range;
          if (way === "up") {
            tr.delete(start - sibling.nodeSize, start).insert(end - sibling.nodeSize, sibling);
          } else {
            tr.delete(end, end + sibling.nodeSize).insert(start, sibling);
          }
          tr.scrollIntoView();
          return true;
        },
      duplicateBlocks:
        () =>
        ({ state, tr, dispatch }) => {
          const range = selectedBlocks(state);
          if (!range) return false;
          if (!dispatch) return true;
          const { start, end, parent, startIndex, endIndex } = range;
          tr.insert(end, withoutComments(Fragment.from(parent.children.slice(startIndex, endIndex))));
          const { from, to } = state.selection;
          const by = end - start;
          if (state.selection instanceof TextSelection) {
            tr.setSelection(TextSelection.create(tr.doc, from + by, to + by));
          }
          tr.scrollIntoView();
          return true;
        },
      deleteBlocks:
        () =>
        ({ state, tr, dispatch }) => {
          const range = selectedBlocks(state);
          if (!range) return false;
          if (!dispatch) return true;
          const { start, end, parent, startIndex, endIndex } = range;
          const { paragraph } = state.schema.nodes;
          const isAll = endIndex - startIndex === parent.childCount;
          if (isAll && parent.type.name === "doc" && paragraph)
            tr.replaceWith(start, end, paragraph.create());
          else tr.deleteRange(start, end);
          tr.setSelection(TextSelection.near(tr.doc.resolve(Math.min(start, tr.doc.content.size))));
          tr.scrollIntoView();
          return true;
        },
    };
  },
  addKeyboardShortcuts() {
    // At the edge, too, the key is used up: it would go to another line instead.
    const moves = (way: "up" | "down") => () => {
      this.editor.commands.moveBlocks(way);
      return true;
    };
    return {
      "Alt-ArrowUp": moves("up"),
      "Alt-ArrowDown": moves("down"),
      "Mod-Shift-d": () => this.editor.commands.duplicateBlocks(),
    };
  },
});

/** Returns the block that a place belongs to, the innermost one. */
export function blockAt(place: ResolvedPos): Block | null {
  if (place.nodeAfter?.isBlock && holdsBlocks(place.parent)) return { node: place.nodeAfter, at: place.pos };
  for (let depth = place.depth; depth > 0; depth -= 1) {
    if (holdsBlocks(place.node(depth - 1))) return { node: place.node(depth), at: place.before(depth) };
  }
  return null;
}

/** Selects a block as a whole, or puts the cursor at its beginning where it cannot be selected. */
export function selectBlock(editor: Editor, { at }: Block): void {
  const { doc, tr } = editor.state;
  const node = doc.nodeAt(at);
  if (!node) return;
  const selection = NodeSelection.isSelectable(node)
    ? NodeSelection.create(doc, at)
    : TextSelection.near(doc.resolve(at + 1));
  editor.view.dispatch(tr.setSelection(selection));
}

/** Puts the cursor into a block, unless the selection is in it already. */
export function enterBlock(editor: Editor, { at, node }: Block): void {
  const { doc, selection, tr } = editor.state;
  if (selection.from >= at && selection.to <= at + node.nodeSize) return;
  editor.view.dispatch(
    tr.setSelection(
      node.isLeaf
        ? NodeSelection.create(doc, at)
        : TextSelection.near(doc.resolve(at + node.nodeSize - 1), -1),
    ),
  );
}

function selectedBlocks({ selection: { $from, $to } }: EditorState): NodeRange | null {
  return $from.blockRange($to, holdsBlocks);
}

function siblingOf({ parent, startIndex, endIndex }: NodeRange, way: "up" | "down"): Node | null {
  return parent.maybeChild(way === "up" ? startIndex - 1 : endIndex);
}
