/** Hits in a document: each block is searched once, and again when it has changed. */

import type { Node } from "@tiptap/pm/model";
import type { Span } from "../../page/highlights";
import { type Hit, hitsIn, type Matcher, THING } from "./matching";

/** The text of a block. Each place in it is one in the block, because whatever stands among words has the size of a letter. */
export function textOf(block: Node): string {
  return block.textBetween(0, block.content.size, undefined, ({ type }) =>
    type.name === "hardBreak" ? "\n" : THING,
  );
}

export class Hits {
  readonly #matcher: Matcher;
  /** Whether blocks are searched elsewhere, and `learn` is told. */
  readonly #isSlow: boolean;
  /** Hits in blocks and in what holds blocks, counted from where their content begins. */
  readonly #known = new WeakMap<Node, readonly Hit[]>();

  constructor(matcher: Matcher, isSlow: boolean) {
    this.#matcher = matcher;
    this.#isSlow = isSlow;
  }

  /** Returns all hits in order, and the blocks that have not been searched yet. */
  in(doc: Node): { readonly spans: readonly Span[]; readonly unknown: readonly Node[] } {
    const unknown: Node[] = [];
    return { spans: this.#in(doc, unknown), unknown };
  }

  learn(block: Node, hits: readonly Hit[]): void {
    this.#known.set(block, hits);
  }

  #in(node: Node, unknown: Node[]): readonly Hit[] {
    const known = this.#known.get(node);
    if (known) return known;
    if (node.isTextblock) {
      if (this.#isSlow) {
        unknown.push(node);
        return [];
      }
      const hits = hitsIn(textOf(node), this.#matcher);
      this.learn(node, hits);
      return hits;
    }
    const before = unknown.length;
    const hits: Hit[] = [];
    node.forEach((child, offset) => {
      for (const { from, to } of this.#in(child, unknown)) {
        hits.push({ from: offset + 1 + from, to: offset + 1 + to });
      }
    });
    if (unknown.length === before) this.learn(node, hits);
    return hits;
  }
}
