/** Lines that are cut, joined and pasted. */

import type { Node } from "@tiptap/pm/model";
import type { Gap } from "./aligning";
import { deletes, inserts } from "./blocks";
import { hasSameMarkup } from "./comparing";
import type { Draft, Op } from "./draft";
import { insertTokens, insertWords, strike } from "./inline";
import { isCutOf, isSameToken, type Line, lineAt, linesIn, placeOf, sameRest, type Token } from "./lines";

/** Plans lines that become others by cuts, joins and words; null if other blocks are needed. */
export function cuts(draft: Draft, { olds, news, oldAt, nowAt }: Gap): Op[] | null {
  const [before, after] = [linesIn(olds, oldAt), linesIn(news, nowAt)];
  if (!before || !after || before.depth !== after.depth) return null;
  const { depth } = before;
  if (!sameRest(olds.at(-1), news.at(-1), depth)) return null;
  const [old, now] = [before.tokens, after.tokens];
  if (!hasSameMarkup(before.lines[0]?.line, after.lines[0]?.line)) return null;
  let left = 0;
  while (left < Math.min(old.length, now.length) && isSameToken(old[left], now[left])) left += 1;
  let right = 0;
  const most = Math.min(old.length, now.length) - left;
  while (right < most && isSameToken(old.at(-1 - right), now.at(-1 - right))) right += 1;
  const removed = old.slice(left, old.length - right);
  const inserted = now.slice(left, now.length - right);
  const next = old[old.length - right];
  const previous = old[left - 1];
  const endsLine = right === 0 || next?.edge !== undefined;
  const beginsLine = left === 0 || previous?.edge !== undefined;
  const edges = inserted.flatMap((token, at) => (token.edge === undefined ? [] : [{ at, line: token.edge }]));
  const ops: Op[] = [];
  const firstLine = lineAt(before, left);
  const lastLine = lineAt(before, old.length - right);
  const firstNow = lineAt(after, left);
  let inline = inserted;
  let ahead: readonly number[] = [];
  let behind: readonly number[] = [];
  if (edges.length > 0 && endsLine) {
    inline = inserted.slice(0, edges[0]?.at);
    behind = edges.map((_, index) => firstNow + 1 + index);
  } else if (edges.length > 0 && beginsLine && removed.length === 0) {
    inline = inserted.slice((edges.at(-1)?.at ?? -1) + 1);
    ahead = edges.map((_, index) => firstNow + index);
  } else {
    for (const [index] of edges.entries()) {
      const [one, other] = [after.lines[firstNow + index], after.lines[firstNow + index + 1]];
      if (!one || !other || !isCutOf(one, other)) return null;
    }
  }
  const first = before.lines[firstLine];
  if (!first) return null;
  if (ahead.length > 0) {
    const nodes = ahead.map((line) => news[line] as Node);
    ops.push(...inserts(draft, nodes, first.at, after.lines[ahead[0] ?? 0]?.at ?? nowAt));
  }
  const from = placeOf(before, left);
  // The lines in the middle go as wholes, and the last one is joined to the first.
  for (let line = firstLine; line <= lastLine; line += 1) {
    const each = before.lines[line];
    if (!each) return null;
    const start = line === firstLine ? from : each.inner;
    const end = line === lastLine ? placeOf(before, old.length - right) : each.inner + each.line.content.size;
    if (line === firstLine) {
      ops.push(...exchanges(draft, start, end, inline, depth));
      continue;
    }
    const isWhole = end === each.inner + each.line.content.size;
    if (isWhole && (line < lastLine || depth === 1)) ops.push(...deletes(draft, each.node, each.at));
    else {
      const joined = joins(draft, each, end, before.lines[firstLine] as Line);
      if (!joined) return null;
      ops.push(...joined);
    }
  }
  if (removed.length > 0 && inserted.length === 0)
    ops.push(() => draft.leave(draft.map(from, -1), from, placeOf(before, old.length - right)));
  if (behind.length > 0) {
    const nodes = behind.map((line) => news[line] as Node);
    const last = before.lines[lastLine] as Line;
    ops.push(
      ...inserts(draft, nodes, last.at + last.node.nodeSize, after.lines[behind[0] ?? 0]?.at ?? nowAt),
    );
  }
  return ops;
}

/** A line goes to the end of the first one, without its words up to `end`. */
function joins(draft: Draft, { node, at, inner, line }: Line, end: number, first: Line): Op[] | null {
  if (draft.isMine(node)) {
    const kept = line.content.cut(end - inner);
    const target = first.inner + first.line.content.size;
    return [
      () => {
        draft.tr.delete(draft.map(at), draft.map(at + node.nodeSize, -1));
        if (kept.size > 0) insertWords(draft, target, kept, null);
      },
    ];
  }
  const own = draft.ownOn(node);
  if (own && own.kind !== "join") return null;
  return [
    () => {
      strike(draft, inner, end);
      if (!own) draft.suggestOn(at, draft.suggestion("join"));
    },
  ];
}

/** In a line, words go and others come. */
function exchanges(draft: Draft, from: number, to: number, inserted: readonly Token[], depth: number): Op[] {
  if (from === to && inserted.length === 0) return [];
  return [
    () => {
      const nodes = inserted.map(({ node, edge }) => ({ node, depth: edge === undefined ? null : depth }));
      strike(draft, from, to);
      if (nodes.length === 0) return;
      const caret = inserted.findIndex(({ at }) => at >= draft.after.selection.head);
      insertTokens(draft, to, nodes, caret === -1 ? nodes.length : caret);
    },
  ];
}
