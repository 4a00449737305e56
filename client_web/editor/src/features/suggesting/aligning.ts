/** Which children of two nodes are the same, and what stands between those. */

import type { Node } from "@tiptap/pm/model";

/** Children that have become others. */
export interface Gap {
  readonly olds: readonly Node[];
  readonly news: readonly Node[];
  /** Where they begin in the document before, and in the one after. */
  readonly oldAt: number;
  readonly nowAt: number;
}

/** Beyond so many children on both sides they are one gap. */
const MOST = 250_000;

/** The gaps between two nodes whose contents begin at these places. */
export function gapsOf(old: Node, oldAt: number, now: Node, nowAt: number): readonly Gap[] {
  const [before, after] = [old.children, now.children];
  const most = Math.min(before.length, after.length);
  let left = 0;
  let [from, to] = [oldAt, nowAt];
  while (left < most && isSame(before[left], after[left])) {
    from += before[left]?.nodeSize ?? 0;
    to += after[left]?.nodeSize ?? 0;
    left += 1;
  }
  let right = 0;
  while (right < most - left && isSame(before.at(-1 - right), after.at(-1 - right))) right += 1;
  const olds = before.slice(left, before.length - right);
  const news = after.slice(left, after.length - right);
  const gaps: Gap[] = [];
  let [one, other] = [0, 0];
  const add = (oneEnd: number, otherEnd: number) => {
    const gap = { olds: olds.slice(one, oneEnd), news: news.slice(other, otherEnd), oldAt: from, nowAt: to };
    if (gap.olds.length + gap.news.length > 0) gaps.push(gap);
    for (const node of gap.olds) from += node.nodeSize;
    for (const node of gap.news) to += node.nodeSize;
  };
  for (const [oneEnd, otherEnd] of commonOf(olds, news)) {
    add(oneEnd, otherEnd);
    from += olds[oneEnd]?.nodeSize ?? 0;
    to += news[otherEnd]?.nodeSize ?? 0;
    [one, other] = [oneEnd + 1, otherEnd + 1];
  }
  add(olds.length, news.length);
  return gaps;
}

function isSame(one: Node | undefined, other: Node | undefined): boolean {
  return one !== undefined && other !== undefined && (one === other || one.eq(other));
}

/** The longest row of nodes that are in both, as pairs of places. */
function commonOf(one: readonly Node[], other: readonly Node[]): readonly (readonly [number, number])[] {
  if (one.length * other.length > MOST) return [];
  const width = other.length + 1;
  const lengths = new Uint16Array((one.length + 1) * width);
  const at = (row: number, column: number) => lengths[row * width + column] ?? 0;
  const same = one.map((node) => other.map((each) => node === each || (!isBlank(node) && node.eq(each))));
  for (let row = one.length - 1; row >= 0; row -= 1) {
    for (let column = other.length - 1; column >= 0; column -= 1) {
      lengths[row * width + column] = same[row]?.[column]
        ? at(row + 1, column + 1) + 1
        : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const pairs: [number, number][] = [];
  let [row, column] = [0, 0];
  while (row < one.length && column < other.length) {
    if (same[row]?.[column]) {
      pairs.push([row, column]);
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) row += 1;
    else column += 1;
  }
  return pairs;
}

/** An empty line is like every other one. */
function isBlank(node: Node): boolean {
  return node.content.size === 0;
}
