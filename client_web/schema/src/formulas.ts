/** Formulas in LaTeX, among words and as blocks, stored as stock Tiptap does. */

import { mergeAttributes, Node } from "@tiptap/core";
import type { Node as PmNode } from "@tiptap/pm/model";

/** Characters of a formula. */
export const LONGEST_FORMULA = 5_000;

export const FORMULAS = ["inlineMath", "blockMath"];

/** The LaTeX of a formula's attributes. */
export function latexOf({ latex }: Readonly<Record<string, unknown>>): string {
  return typeof latex === "string" ? latex.slice(0, LONGEST_FORMULA) : "";
}

/** A formula as plain text has it. */
export function formulaText({ type, attrs }: PmNode): string {
  const sign = type.name === "blockMath" ? "$$" : "$";
  return `${sign}${latexOf(attrs)}${sign}`;
}

const latex = {
  latex: {
    default: "",
    parseHTML: ({ dataset }: HTMLElement) => latexOf({ latex: dataset.latex }),
    renderHTML: (attributes: Readonly<Record<string, unknown>>) => ({ "data-latex": latexOf(attributes) }),
  },
};

export const InlineMath = Node.create({
  name: "inlineMath",
  group: "inline",
  inline: true,
  atom: true,
  marks: "",
  addAttributes: () => latex,
  parseHTML: () => [{ tag: 'span[data-type="inline-math"]' }],
  renderHTML: ({ node, HTMLAttributes }) => [
    "span",
    mergeAttributes({ "data-type": "inline-math" }, HTMLAttributes),
    formulaText(node),
  ],
  renderText: ({ node }) => formulaText(node),
  // Also in the words of its line, such as a heading's in the outline.
  extendNodeSchema: ({ name }) => (FORMULAS.includes(name) ? { leafText: formulaText } : {}),
});

export const BlockMath = Node.create({
  name: "blockMath",
  group: "block",
  atom: true,
  addAttributes: () => latex,
  parseHTML: () => [{ tag: 'div[data-type="block-math"]' }],
  renderHTML: ({ node, HTMLAttributes }) => [
    "div",
    mergeAttributes({ "data-type": "block-math" }, HTMLAttributes),
    formulaText(node),
  ],
  renderText: ({ node }) => formulaText(node),
});
