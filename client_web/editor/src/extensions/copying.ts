/** Copies as plain text: list marks, ticks, tabs between cells, one line end between lines. */

import { captionOf } from "@manyhands/schema";
import { Extension } from "@tiptap/core";
import type { Fragment, Node, ResolvedPos, Slice } from "@tiptap/pm/model";
import { Plugin, PluginKey } from "@tiptap/pm/state";

export const Copying = Extension.create({
  name: "copying",
  // Before Tiptap's own way, which puts an empty line between all lines.
  priority: 1_000,
  addProseMirrorPlugins() {
    return [
      new Plugin({
        key: new PluginKey("copying"),
        props: {
          clipboardTextSerializer: (slice, { state }) => plainText(slice, state.selection.$from),
        },
      }),
    ];
  },
});

/**
 * The words of a slice that begins at `$from`; words from within one list item have no mark in
 * front.
 */
export function plainText({ content, openStart, openEnd }: Slice, $from: ResolvedPos | null = null): string {
  let [inner, depth] = [content, 0];
  while (depth < Math.min(openStart, openEnd) && inner.childCount === 1) {
    const only = inner.child(0);
    if (only.childCount !== 1 || only.isTextblock) break;
    [inner, depth] = [only.content, depth + 1];
  }
  return linesOf(inner, { $from: depth < openStart ? $from : null, depth }).join("\n");
}

/**
 * Where the first node of a fragment stands in the document; null where the whole of it is copied.
 */
interface Edge {
  readonly $from: ResolvedPos | null;
  /** Of the parent. */
  readonly depth: number;
}

const WHOLE: Edge = { $from: null, depth: 0 };

function linesOf(content: Fragment, edge: Edge): string[] {
  const lines: string[] = [];
  content.forEach((node, _offset, index) => {
    lines.push(...linesOfNode(node, index === 0 ? edge : WHOLE));
  });
  return lines;
}

function linesOfNode(node: Node, edge: Edge): string[] {
  const depth = edge.depth + 1;
  const inner = { $from: edge.$from && depth <= edge.$from.depth ? edge.$from : null, depth };
  switch (node.type.name) {
    case "text":
      return [node.text ?? ""];
    case "image":
      return [captionOf(node.attrs) || String(node.attrs.alt ?? "")];
    case "horizontalRule":
      return ["---"];
    case "tableRow":
      return [cellsOf(node).join("\t")];
    case "bulletList":
    case "orderedList":
    case "taskList":
      return itemsOf(node, inner);
    default:
      return node.isTextblock || node.isLeaf ? wordsOf(node).split("\n") : linesOf(node.content, inner);
  }
}

function wordsOf(node: Node): string {
  return node.textBetween(0, node.content.size, "\n", (leaf) => (leaf.type.name === "hardBreak" ? "\n" : ""));
}

/** Cells are told apart by tabs and rows by line ends: within a cell both become blanks. */
function cellsOf(row: Node): string[] {
  return row.children.map((cell) => linesOf(cell.content, WHOLE).join(" ").replaceAll("\t", " "));
}

function itemsOf(list: Node, edge: Edge): string[] {
  const start = Number(list.attrs.start ?? 1) + (edge.$from?.index(edge.depth) ?? 0);
  return list.children.flatMap((item, index) => {
    const mark = markOf(item, list, start + index);
    const lines = linesOf(item.content, index === 0 ? { ...edge, depth: edge.depth + 1 } : WHOLE);
    return lines.map((line, at) => (at === 0 ? mark : " ".repeat(mark.length)) + line);
  });
}

function markOf(item: Node, list: Node, number: number): string {
  if (item.type.name === "taskItem") return item.attrs.checked ? "[x] " : "[ ] ";
  return list.type.name === "orderedList" ? `${number}. ` : "- ";
}
