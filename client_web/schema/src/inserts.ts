/** What stands for itself: mentions of people among words, and page breaks between blocks. */

import { mergeAttributes, Node } from "@tiptap/core";
import type { Node as PmNode } from "@tiptap/pm/model";

/** A person who is named, stored as stock Tiptap does. */
export const Mention = Node.create({
  name: "mention",
  group: "inline",
  inline: true,
  atom: true,
  selectable: false,
  addAttributes() {
    return {
      id: textAttribute("data-id"),
      label: textAttribute("data-label"),
    };
  },
  parseHTML() {
    return [{ tag: 'span[data-type="mention"]' }];
  },
  renderHTML({ node, HTMLAttributes }) {
    return ["span", mergeAttributes({ "data-type": "mention" }, HTMLAttributes), mentionText(node.attrs)];
  },
  renderText({ node }) {
    return mentionText(node.attrs);
  },
  // What a mention adds to the words of its line, such as a heading's in the outline.
  extendNodeSchema: ({ name }) =>
    name === "mention" ? { leafText: ({ attrs }: PmNode) => mentionText(attrs) } : {},
});

/** How a mention reads among words. */
export function mentionText({ id, label }: Readonly<Record<string, unknown>>): string {
  const name = [label, id].find((each) => typeof each === "string" && each.trim() !== "");
  return `@${typeof name === "string" ? name : "somebody"}`;
}

declare module "@tiptap/core" {
  interface Commands<ReturnType> {
    pageBreak: {
      /** Begins a new page on paper behind the block with the cursor. */
      setPageBreak: () => ReturnType;
    };
  }
}

export interface PageBreakOptions {
  /** What a screen reader says. */
  readonly label: string;
}

export const PageBreak = Node.create<PageBreakOptions>({
  name: "pageBreak",
  group: "block",
  addOptions() {
    return { label: "Page break" };
  },
  parseHTML() {
    return [{ tag: 'div[data-type="pageBreak"]' }];
  },
  renderHTML({ HTMLAttributes }) {
    const drawn = {
      "data-type": "pageBreak",
      role: "separator",
      "aria-label": this.options.label,
      style: "break-after: page",
    };
    return ["div", mergeAttributes(drawn, HTMLAttributes)];
  },
  addCommands() {
    return {
      setPageBreak:
        () =>
        ({ chain }) =>
          // The cursor goes on behind the break, on a line that is made where there is none.
          chain()
            .insertContent([{ type: this.name }, { type: "paragraph" }])
            .run(),
    };
  },
});

export const inserts = [Mention, PageBreak] as const;

function textAttribute(name: string) {
  return {
    default: null,
    parseHTML: (element: HTMLElement) => element.getAttribute(name),
    renderHTML: (attributes: Record<string, unknown>) => {
      const value = attributes[name.slice("data-".length)];
      return typeof value === "string" ? { [name]: value } : {};
    },
  };
}
