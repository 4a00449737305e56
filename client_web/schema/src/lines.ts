/** Lines: their look as title or subtitle, indent, the space between their lines of text, and the anchors of headings. */

import { Extension } from "@tiptap/core";

/** Levels by which a paragraph or a heading may be indented. */
export const MOST_INDENT = 8;
/** How far one level goes, in units of the line's own type size. */
const INDENT_EM = 2;

/** What a paragraph may be beside plain text. */
export const LOOKS = ["title", "subtitle"] as const;
export type Look = (typeof LOOKS)[number];

/** Spacing of a line as a factor of its type size. */
const LEAST_SPACING = 1;
const MOST_SPACING = 4;

export const Lines = Extension.create({
  name: "lines",
  addGlobalAttributes() {
    return [
      {
        types: ["paragraph", "heading"],
        attributes: {
          indent: {
            default: null,
            keepOnSplit: true,
            parseHTML: (element) => indentOf(element.getAttribute("data-indent")),
            renderHTML: ({ indent }) => {
              const levels = indentOf(indent);
              if (levels === null) return {};
              return { "data-indent": String(levels), style: `margin-inline-start: ${levels * INDENT_EM}em` };
            },
          },
          lineHeight: {
            default: null,
            keepOnSplit: true,
            parseHTML: (element) => spacingOf(element.style.lineHeight),
            renderHTML: ({ lineHeight }) => {
              const spacing = spacingOf(lineHeight);
              return spacing === null ? {} : { style: `line-height: ${spacing}` };
            },
          },
        },
      },
      {
        types: ["heading"],
        attributes: {
          anchor: {
            default: null,
            keepOnSplit: false,
            parseHTML: ({ id }) => anchorOf(/^h-(.*)$/.exec(id)?.[1]),
            renderHTML: ({ anchor }) => (anchorOf(anchor) === null ? {} : { id: `h-${anchor}` }),
          },
        },
      },
      {
        types: ["paragraph"],
        attributes: {
          look: {
            default: null,
            // A title is followed by plain text.
            keepOnSplit: false,
            parseHTML: (element) => lookOf(element.getAttribute("data-look")),
            renderHTML: ({ look }) => {
              const known = lookOf(look);
              if (known === null) return {};
              // A title is the heading above all headings.
              return known === "title"
                ? { "data-look": known, role: "heading", "aria-level": "1" }
                : { "data-look": known };
            },
          },
        },
      },
    ];
  },
});

/** Returns how many levels a line is indented; null for none. */
export function indentOf(value: unknown): number | null {
  const levels = typeof value === "string" ? Number.parseInt(value, 10) : value;
  if (typeof levels !== "number" || !(levels >= 1)) return null;
  return Math.min(Math.floor(levels), MOST_INDENT);
}

/** Returns a spacing that a line may have; null for the usual one. */
export function spacingOf(value: unknown): string | null {
  if (typeof value !== "string" || !/^\d(\.\d{1,2})?$/.test(value)) return null;
  const factor = Number(value);
  return factor >= LEAST_SPACING && factor <= MOST_SPACING ? value : null;
}

export function lookOf(value: unknown): Look | null {
  return LOOKS.find((known) => known === value) ?? null;
}

/** The name of a heading in addresses, which begin with `#h-`; null for what is none. */
function anchorOf(value: unknown): string | null {
  return typeof value === "string" && /^[\w-]{4,32}$/.test(value) ? value : null;
}
