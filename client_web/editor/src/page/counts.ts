/** How long a text is: words, characters, minutes. */

import type { Node } from "@tiptap/pm/model";
import { leafText } from "../extensions/copying";

export interface Counts {
  readonly words: number;
  readonly characters: number;
  readonly charactersWithoutSpaces: number;
}

export const WORDS_PER_MINUTE = 230;

/** One word, or one character of a script that puts no spaces between words. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}\p{M}]+(?:['’.\-‐][\p{L}\p{N}\p{M}]+)*/gu;

/** Two code units that are one character. */
const PAIR = /[\uD800-\uDBFF][\uDC00-\uDFFF]/g;

/** Counts characters as people do: an accented letter or an emoji of one code point is one. */
export function countsOf(text: string): Counts {
  return {
    words: text.match(WORD)?.length ?? 0,
    characters: lengthOf(text.replace(/\n/g, "")),
    charactersWithoutSpaces: lengthOf(text.replace(/\s+/g, "")),
  };
}

/** The number of code points; counting would take twice as long with a list of them. */
function lengthOf(text: string): number {
  return text.length - (text.match(PAIR)?.length ?? 0);
}

/** The words of a part of a document, blocks and line breaks as line ends. */
export function textBetween(doc: Node, from: number, to: number): string {
  return doc.textBetween(from, to, "\n", leafText);
}

/** Counts of the blocks of documents: of a hundred thousand words, those of the changed line are counted anew. */
const countsOfBlock = new WeakMap<Node, Counts>();

/** Counts a whole document, block by block. */
export function countsOfDocument(doc: Node): Counts {
  const total = { words: 0, characters: 0, charactersWithoutSpaces: 0 };
  doc.forEach((block) => {
    const known = countsOfBlock.get(block) ?? countsOf(textBetween(block, 0, block.content.size));
    countsOfBlock.set(block, known);
    total.words += known.words;
    total.characters += known.characters;
    total.charactersWithoutSpaces += known.charactersWithoutSpaces;
  });
  return total;
}

/** Whole minutes at an adult's pace, at least one for any text. */
export function readingMinutes({ words }: Counts): number {
  return Math.ceil(words / WORDS_PER_MINUTE);
}
