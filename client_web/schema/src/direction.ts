/** Writing directions: an attribute `dir` of blocks, stored as stock Tiptap does. Without one, a line's first strong letter decides. */

import { Extension } from "@tiptap/core";

/** The lines. Other applications may choose for what is around lines too, and for whole lists and tables. */
export const LINES = ["paragraph", "heading", "codeBlock", "detailsSummary"];
export const AROUND_LINES = ["listItem", "taskItem", "blockquote", "callout"];
const OTHERS = ["bulletList", "orderedList", "taskList", "table", "tableRow", "tableCell", "tableHeader"];

const DIRECTIONS: readonly unknown[] = ["ltr", "rtl", "auto"];

export const Direction = Extension.create({
  name: "direction",
  addGlobalAttributes() {
    return [
      {
        types: [...LINES, ...AROUND_LINES, ...OTHERS],
        attributes: {
          dir: {
            default: null,
            parseHTML: (element) => chosen(element.getAttribute("dir")?.toLowerCase()),
            renderHTML: ({ dir }) => (DIRECTIONS.includes(dir) ? { dir } : {}),
          },
        },
      },
    ];
  },
});

/** "auto" is what happens by itself. */
function chosen(dir: unknown): "ltr" | "rtl" | null {
  return dir === "ltr" || dir === "rtl" ? dir : null;
}
