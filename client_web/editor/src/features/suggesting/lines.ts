/** Lines as rows of tokens: characters, other inline nodes and ends of lines, so that cut and joined lines can be compared. */

import { Fragment, type Node } from "@tiptap/pm/model";
import { hasSameMarkup, isSameAttributes } from "./comparing";
import { copied, isItem } from "./settle";

export interface Token {
  readonly node: Node;
  readonly at: number;
  /** For a line end: the number of the line behind it. */
  readonly edge?: number;
  /** The line behind a line end. */
  readonly next?: Node;
}

export interface Line {
  /** The block or the list item. */
  readonly node: Node;
  readonly at: number;
  readonly line: Node;
  /** Where the words of the line begin. */
  readonly inner: number;
}

export interface Lines {
  readonly lines: readonly Line[];
  readonly tokens: readonly Token[];
  readonly starts: readonly number[];
  readonly depth: number;
}

export const isList = ({ type }: Node) => ["bulletList", "orderedList", "taskList"].includes(type.name);

export function linesIn(nodes: readonly Node[], from: number): Lines | null {
  const depth = nodes.every(isItem) ? 2 : 1;
  const lines: Line[] = [];
  let at = from;
  for (const [index, node] of nodes.entries()) {
    const line = depth === 2 ? node.firstChild : node;
    if (!line?.inlineContent || line.type.spec.marks === "") return null;
    if (depth === 2 && node.childCount > 1 && index < nodes.length - 1) return null;
    lines.push({ node, at, line, inner: at + depth });
    at += node.nodeSize;
  }
  const tokens: Token[] = [];
  const starts: number[] = [];
  for (const [index, { line, inner, at: before }] of lines.entries()) {
    const last = lines[index - 1];
    if (last) tokens.push({ node: line, at: last.inner + last.line.content.size, edge: index, next: line });
    starts.push(tokens.length);
    void before;
    tokens.push(...tokensOf(line.content, inner));
  }
  return { lines, tokens, starts, depth };
}

export function tokensOf(content: Fragment, from: number): Token[] {
  const tokens: Token[] = [];
  content.forEach((node, offset) => {
    if (!node.isText) tokens.push({ node, at: from + offset });
    else {
      // Two halves of one character stay together.
      let at = 0;
      for (const character of node.text ?? "") {
        tokens.push({ node: node.cut(at, at + character.length), at: from + offset + at });
        at += character.length;
      }
    }
  });
  return tokens;
}

export function isSameToken(one: Token | undefined, other: Token | undefined): boolean {
  if (!one || !other || (one.edge === undefined) !== (other.edge === undefined)) return false;
  return one.edge === undefined ? one.node.eq(other.node) : hasSameMarkup(one.next, other.next);
}

/** The line in which a token stands; the end of a line belongs to the line before it. */
export function lineAt({ starts }: Lines, token: number): number {
  let line = 0;
  while (line + 1 < starts.length && (starts[line + 1] ?? 0) <= token) line += 1;
  return line;
}

export function placeOf(lines: Lines, token: number): number {
  const line = lines.lines[lineAt(lines, token)] as Line;
  const found = lines.tokens[token];
  return found && lines.lines[lineAt(lines, token)] === line ? found.at : line.inner + line.line.content.size;
}

export function isCutOf(one: Line, other: Line): boolean {
  const isLine =
    one.line.type === other.line.type && isSameAttributes(copied(one.line.attrs), other.line.attrs);
  const isNode =
    one.node.type === other.node.type && isSameAttributes(copied(one.node.attrs), other.node.attrs);
  return isLine && isNode;
}

export function sameRest(old: Node | undefined, now: Node | undefined, depth: number): boolean {
  if (depth === 1 || !old || !now) return true;
  return Fragment.from(old.children.slice(1)).eq(Fragment.from(now.children.slice(1)));
}
