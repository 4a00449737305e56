/** Judging: whether a document is what the same edits give one after the other, or at least holds every word once, in order. */

import type { JSONContent } from "@tiptap/core";

/** What a result must have in common with what is expected. `same`: everything. `words`: all words in order, with their
 * formats. `once`: every word, once. `kept`: every typed word, once.
 */
export type Level = "same" | "words" | "once" | "kept";

/** Returns the words of a document in order, each with its marks. Other things among words count as words. */
export function tokensOf(node: JSONContent): string[] {
  const tokens: string[] = [];
  let word = "";
  let marks = "";
  const end = () => {
    if (word) tokens.push(word + marks);
    word = "";
  };
  const visit = (each: JSONContent) => {
    if (each.type === "text") {
      const worn = (each.marks ?? []).map((mark) => `<${mark.type}${JSON.stringify(mark.attrs ?? {})}>`);
      for (const letter of each.text ?? "") {
        if (/\s/.test(letter)) end();
        else {
          const its = worn.toSorted().join("");
          if (word && its !== marks) word += `${marks}+`;
          marks = its;
          word += letter;
        }
      }
    } else if (each.content || !isLeaf(each)) {
      end();
      each.content?.forEach(visit);
      end();
    } else {
      end();
      tokens.push(`<${each.type} ${JSON.stringify(each.attrs ?? {})}>`);
    }
  };
  visit(node);
  return tokens;
}

function isLeaf({ type }: JSONContent): boolean {
  return type === "image" || type === "mention" || type === "hardBreak" || type === "horizontalRule";
}

/** Returns the words of a document without formats, sorted. */
export function wordsOf(node: JSONContent): string[] {
  return bareWords(node).toSorted();
}

function bareWords(node: JSONContent): string[] {
  return textOf(node).split(/\s+/).filter(Boolean);
}

/** Returns the text of a document, with each block in a line, and the label of a mention or a picture in its place. */
export function textOf(node: JSONContent): string {
  if (node.type === "text") return node.text ?? "";
  if (node.type === "mention") return String(node.attrs?.label);
  const inner = (node.content ?? []).map(textOf).join("");
  return node.type === "hardBreak" || isBlock(node) ? `${inner}\n` : inner;
}

function isBlock({ type }: JSONContent): boolean {
  return type === "paragraph" || type === "heading" || type === "codeBlock";
}

/** Says what is wrong with a document; null for nothing. */
export function faultOf(
  got: JSONContent,
  expected: readonly JSONContent[],
  level: Level,
  typed: readonly string[],
): string | null {
  const isAny = (of: (node: JSONContent) => unknown) =>
    expected.some((each) => JSON.stringify(of(each)) === JSON.stringify(of(got)));
  if (isAny((node) => node)) return null;
  const words = bareWords(got);
  const doubled = words.filter((word, index) => words.indexOf(word) < index);
  switch (level) {
    case "same":
      if (!isAny(wordsOf)) return "other words";
      return isAny(tokensOf) ? "other structure" : "other order or formats";
    case "words":
      if (isAny(tokensOf)) return null;
      return isAny(wordsOf) ? "other order or formats" : "other words";
    case "once":
    case "kept": {
      const must = level === "kept" ? typed : [...typed, "first", "last"];
      const lost = must.filter((word) => !words.some((each) => each.includes(word)));
      return lost.length || doubled.length ? `lost ${lost.join()} doubled ${doubled.join()}` : null;
    }
  }
}
