/** The words that a thread is about, kept beside the mark: they find the place again when the mark is gone. */

import { isObject } from "@manyhands/binding";
import { captionOf, latexOf } from "@manyhands/schema";
import type { Node } from "@tiptap/pm/model";
import type { Span } from "../../extensions/comment_marks";
import { leafText } from "../../extensions/copying";
import { t } from "../../i18n/t";

export interface Quote {
  readonly quote: string;
  readonly before: string;
  readonly after: string;
}

export const LONGEST_QUOTE = 500;
const LONGEST_CONTEXT = 64;

/** The quote of words in one piece, or of several pieces in their order. */
export function quoteOf(doc: Node, ...spans: readonly [Span, ...Span[]]): Quote {
  const [{ from }, { to }] = [spans[0], spans.at(-1) ?? spans[0]];
  const [start, end] = [doc.resolve(from), doc.resolve(to)];
  const between = (one: number, other: number) => doc.textBetween(one, other, "\n", wordsOf);
  // Around a picture stand other blocks, and not words of its line.
  const isInLine = start.parent.inlineContent && end.parent.inlineContent;
  return {
    quote: spans
      .map((span) => between(span.from, span.to))
      .join("\n")
      .slice(0, LONGEST_QUOTE),
    before: isInLine ? between(start.start(), from).slice(-LONGEST_CONTEXT) : "",
    after: isInLine ? between(to, end.end()).slice(0, LONGEST_CONTEXT) : "",
  };
}

/** The words by which people know what stands among words or blocks. */
function wordsOf(node: Node): string {
  switch (node.type.name) {
    case "image":
      return captionOf(node.attrs) || String(node.attrs.alt ?? "") || t("Picture");
    case "blockMath":
    case "inlineMath":
      return latexOf(node.attrs) || t("Formula");
    case "horizontalRule":
      return t("Horizontal line");
    case "pageBreak":
      return t("Page break");
    default:
      return leafText(node);
  }
}

/**
 * The place of a quote: where its words stand exactly once together with the words around them, or
 * else exactly once by themselves. Null if that is nowhere, or not certain.
 */
export function placeOf(doc: Node, { quote, before, after }: Quote): Span | null {
  if (quote.trim() === "") return null;
  const words = new Words(doc);
  const around = words.only(before + quote + after);
  if (around !== null) return words.span(around + before.length, quote.length);
  const alone = words.only(quote);
  return alone === null ? null : words.span(alone, quote.length);
}

/** The words of a document, and where each stands. */
class Words {
  #text = "";
  readonly #pieces: { readonly offset: number; readonly at: number; readonly length: number }[] = [];

  constructor(doc: Node) {
    doc.descendants((node, at) => {
      if (node.isTextblock && this.#text !== "") this.#text += "\n";
      if (!node.isInline && isObject(node) && this.#text !== "") this.#text += "\n";
      const text = node.isText ? (node.text ?? "") : node.isLeaf ? wordsOf(node) : "";
      if (text === "") return;
      this.#pieces.push({ offset: this.#text.length, at, length: node.isText ? text.length : 0 });
      this.#text += text;
    });
  }

  only(words: string): number | null {
    const found = this.#text.indexOf(words);
    return found >= 0 && this.#text.indexOf(words, found + 1) < 0 ? found : null;
  }

  span(offset: number, length: number): Span | null {
    const [from, to] = [this.#place(offset), this.#place(offset + length - 1)];
    return from === null || to === null ? null : { from, to: to + 1 };
  }

  #place(offset: number): number | null {
    const piece = this.#pieces.findLast((each) => each.offset <= offset);
    return piece ? piece.at + Math.min(offset - piece.offset, Math.max(piece.length - 1, 0)) : null;
  }
}
