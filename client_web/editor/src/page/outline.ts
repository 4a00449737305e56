/** The headings of a document, as a table of contents has them. */

import type { Node } from "@tiptap/pm/model";

export interface Heading {
  /** Where the heading node begins. */
  readonly at: number;
  readonly text: string;
  /** Steps of indentation: 0 for the highest level that the document uses. */
  readonly depth: number;
}

/** Returns the headings that say something, in order; levels that the document skips make no gap. */
export function outlineOf(doc: Node): readonly Heading[] {
  const found: { at: number; text: string; level: number }[] = [];
  doc.descendants((node, at) => {
    if (node.type.name === "heading") {
      const text = node.textContent.trim();
      if (text) found.push({ at, text, level: Number(node.attrs.level) });
    }
    return !node.isTextblock;
  });
  const levels = [...new Set(found.map(({ level }) => level))].sort((a, b) => a - b);
  return found.map(({ at, text, level }) => ({ at, text, depth: levels.indexOf(level) }));
}
