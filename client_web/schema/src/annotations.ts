/** What people say about words without changing them: marks that stand beside all other marks.
 *
 * Each excludes nothing, not even another of its kind, so that y-tiptap keeps each under a key of its
 * own and two people never overwrite one another's. A code block and inline code, which allow no other
 * mark, allow these.
 */

import { type AnyExtension, Extension, Mark } from "@tiptap/core";
import { Code as TiptapCode } from "@tiptap/extension-code";
import { CodeBlock as TiptapCodeBlock } from "@tiptap/extension-code-block";

/** The group of the marks. */
export const ANNOTATION = "annotation";

/** Words that a thread of comments is about. `id` is the thread's, `user` who set the mark. */
export const Comment = Mark.create({
  name: "comment",
  group: ANNOTATION,
  excludes: "",
  // What is typed behind the words is not what was commented on.
  inclusive: false,
  addAttributes() {
    return { id: textAttribute("id", "data-comment"), user: textAttribute("user", "data-by") };
  },
  parseHTML() {
    return [{ tag: "span[data-comment]" }];
  },
  renderHTML({ HTMLAttributes }) {
    return ["span", HTMLAttributes, 0];
  },
});

function textAttribute(name: string, inHtml: string) {
  return {
    default: null,
    parseHTML: (element: HTMLElement) => element.getAttribute(inHtml),
    renderHTML: ({ [name]: value }: Readonly<Record<string, unknown>>) =>
      typeof value === "string" ? { [inHtml]: value } : {},
  };
}

/** Inline code has no other format, and may be commented on and suggested. */
export const Code = TiptapCode.extend({
  excludes: "code link textStyle highlight subscript superscript bold italic strike underline",
});

export const CodeBlock = TiptapCodeBlock.extend({ marks: ANNOTATION });

/** Things without words that may be commented on. */
export const OBJECTS = [
  "image",
  "horizontalRule",
  "inlineMath",
  "blockMath",
  "mention",
  "pageBreak",
] as const;

/** What is said about an object: the marks of its threads, as JSON. Copies in the editor go through HTML. */
export const ObjectAnnotations = Extension.create({
  name: "objectAnnotations",
  addGlobalAttributes() {
    return [
      {
        types: [...OBJECTS],
        attributes: {
          annotations: {
            default: null,
            parseHTML: (element) => {
              const holder =
                element.closest("[data-annotations]") ?? element.querySelector("[data-annotations]");
              return annotationsFrom(holder?.getAttribute("data-annotations") ?? null);
            },
            renderHTML: ({ annotations }) =>
              Array.isArray(annotations) ? { "data-annotations": JSON.stringify(annotations) } : {},
          },
        },
      },
    ];
  },
});

function annotationsFrom(written: string | null): unknown {
  try {
    const read: unknown = JSON.parse(written ?? "null");
    return Array.isArray(read) && read.length > 0 ? read : null;
  } catch {
    return null;
  }
}

export const annotations: readonly AnyExtension[] = [Comment, ObjectAnnotations];
