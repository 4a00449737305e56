/** The places of what stands in a document, kept from one document to the next.
 *
 * A key changes one block. So only the blocks are read that are others than before, and what stands
 * behind them is moved.
 */

import type { Node } from "@tiptap/pm/model";

/** The place of a thread's or a suggestion's words, or of an object. */
export interface Anchored {
  readonly id: string;
  /** A position in a document. */
  readonly at: number;
}

/** Anchors in a block, in order. Places count from the one before the block. */
export type ReadBlock = (block: Node) => readonly Anchored[];

interface Movable {
  readonly id: string;
  at: number;
}

/** The blocks that differ between two documents: those between the ones that are the same at both ends. */
export function changedBlocks(
  before: readonly Node[],
  after: readonly Node[],
): { readonly left: number; readonly gone: readonly Node[]; readonly come: readonly Node[] } {
  const most = Math.min(before.length, after.length);
  let left = 0;
  while (left < most && before[left] === after[left]) left += 1;
  let right = 0;
  while (right < most - left && before[before.length - 1 - right] === after[after.length - 1 - right])
    right += 1;
  return {
    left,
    gone: before.slice(left, before.length - right),
    come: after.slice(left, after.length - right),
  };
}

export class Anchoring {
  readonly #read: ReadBlock;
  #doc: Node | null = null;
  #all: readonly Movable[] = [];
  #firsts: readonly Movable[] = [];

  constructor(read: ReadBlock) {
    this.#read = read;
  }

  /** Everything in a document, in order. The places hold until another document is asked for. */
  all(doc: Node): readonly Anchored[] {
    if (doc !== this.#doc) this.#follow(doc);
    return this.#all;
  }

  /** The first place of each id, in order. It is the same list as long as the same ids stand in the same order. */
  firsts(doc: Node): readonly Anchored[] {
    if (doc !== this.#doc) this.#follow(doc);
    return this.#firsts;
  }

  #follow(doc: Node): void {
    const before = this.#doc;
    this.#doc = doc;
    const { left, gone, come } = changedBlocks(before?.children ?? [], doc.children);
    let from = 0;
    for (let index = 0; index < left; index += 1) from += doc.child(index).nodeSize;
    const first = indexOf(this.#all, from);
    const end = indexOf(this.#all, from + sizeOf(gone));
    const here: Movable[] = [];
    for (const block of come) {
      for (const { id, at } of this.#read(block)) here.push({ id, at: from + at });
      from += block.nodeSize;
    }
    const by = doc.content.size - (before?.content.size ?? 0);
    for (const each of this.#all.slice(end)) each.at += by;
    const isSame =
      here.length === end - first && here.every(({ id }, index) => id === this.#all[first + index]?.id);
    if (isSame) {
      for (const [index, { at }] of here.entries()) (this.#all[first + index] as Movable).at = at;
      return;
    }
    this.#all = [...this.#all.slice(0, first), ...here, ...this.#all.slice(end)];
    const seen = new Set<string>();
    this.#firsts = this.#all.filter(({ id }) => !seen.has(id) && seen.add(id));
  }
}

function sizeOf(blocks: readonly Node[]): number {
  return blocks.reduce((sum, { nodeSize }) => sum + nodeSize, 0);
}

/** The index of the first that stands at a place or behind it. */
function indexOf(all: readonly Anchored[], place: number): number {
  return firstWhere(all, ({ at }) => at >= place);
}

/** The index of the first that a condition holds for, which holds for all behind it as well. */
export function firstWhere(all: readonly Anchored[], holds: (each: Anchored) => boolean): number {
  let [first, end] = [0, all.length];
  while (first < end) {
    const middle = (first + end) >> 1;
    const each = all[middle];
    if (each && holds(each)) end = middle;
    else first = middle + 1;
  }
  return first;
}
