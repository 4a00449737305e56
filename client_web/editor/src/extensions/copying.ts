/** Copies as plain text: list marks, ticks, tabs between cells, one line end between lines. */

import { captionOf, formulaText, mentionText } from "@manyhands/schema";
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
  let [inner, depth, numbered] = [content, 0, 0];
  while (depth < Math.min(openStart, openEnd) && inner.childCount === 1) {
    const only = inner.child(0);
    if (only.childCount !== 1 || only.isTextblock) break;
    if (only.type.name === "orderedList") numbered += 1;
    [inner, depth] = [only.content, depth + 1];
  }
  return linesOf(inner, { $from: depth < openStart ? $from : null, depth, numbered }).join("\n");
}

interface Edge {
  /** Where the first node of a fragment stands in the document; null where the whole of it is copied. */
  readonly $from: ResolvedPos | null;
  /** Of the parent. */
  readonly depth: number;
  /** Numbered lists around. */
  readonly numbered: number;
}

const WHOLE: Edge = { $from: null, depth: 0, numbered: 0 };

/** The edge of what is whole within this one. */
const whole = ({ numbered }: Edge): Edge => ({ ...WHOLE, numbered });

function linesOf(content: Fragment, edge: Edge): string[] {
  const lines: string[] = [];
  content.forEach((node, _offset, index) => {
    lines.push(...linesOfNode(node, index === 0 ? edge : whole(edge)));
  });
  return lines;
}

function linesOfNode(node: Node, edge: Edge): string[] {
  const depth = edge.depth + 1;
  const inner = { ...edge, $from: edge.$from && depth <= edge.$from.depth ? edge.$from : null, depth };
  switch (node.type.name) {
    case "text":
      return [node.text ?? ""];
    case "image":
      return [captionOf(node.attrs) || String(node.attrs.alt ?? "")];
    case "blockMath":
      return formulaText(node).split("\n");
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
  return node.textBetween(0, node.content.size, "\n", leafText);
}

/** The words of what stands among words. */
export function leafText(node: Node): string {
  const { type, attrs } = node;
  if (type.name === "mention") return mentionText(attrs);
  if (type.name === "inlineMath") return formulaText(node);
  return type.name === "hardBreak" ? "\n" : "";
}

/** Cells are told apart by tabs and rows by line ends: within a cell both become blanks. */
function cellsOf(row: Node): string[] {
  return row.children.map((cell) => linesOf(cell.content, WHOLE).join(" ").replaceAll("\t", " "));
}

function itemsOf(list: Node, edge: Edge): string[] {
  const start = Number(list.attrs.start ?? 1) + (edge.$from?.index(edge.depth) ?? 0);
  return list.children.flatMap((item, index) => {
    const mark = markOf(item, list, start + index, edge.numbered);
    const inner = { ...edge, numbered: edge.numbered + (list.type.name === "orderedList" ? 1 : 0) };
    const lines = linesOf(item.content, index === 0 ? { ...inner, depth: edge.depth + 1 } : whole(inner));
    return lines.map((line, at) => (at === 0 ? mark : " ".repeat(mark.length)) + line);
  });
}

function markOf(item: Node, list: Node, number: number, numbered: number): string {
  if (item.type.name === "taskItem") return item.attrs.checked ? "[x] " : "[ ] ";
  if (list.type.name !== "orderedList") return "- ";
  return `${list.attrs.type ? number : numberOf(number, numbered)}. `;
}

/** The number of an item as the page shows it: 1, a, i by level, and 1 for all below. */
function numberOf(number: number, level: number): string {
  if (level === 1 && number > 0) return lettersOf(number);
  return level === 2 && number > 0 && number < 4_000 ? romanOf(number) : String(number);
}

function lettersOf(number: number): string {
  const rest = number - 1;
  const last = String.fromCharCode(97 + (rest % 26));
  return rest < 26 ? last : lettersOf(Math.floor(rest / 26)) + last;
}

const ROMAN: readonly (readonly [number, string])[] = [
  [1000, "m"],
  [900, "cm"],
  [500, "d"],
  [400, "cd"],
  [100, "c"],
  [90, "xc"],
  [50, "l"],
  [40, "xl"],
  [10, "x"],
  [9, "ix"],
  [5, "v"],
  [4, "iv"],
  [1, "i"],
];

function romanOf(number: number): string {
  const [value, sign] = ROMAN.find(([each]) => each <= number) ?? [number, ""];
  return number <= 0 ? "" : sign + romanOf(number - value);
}
