/** Suggestions: changes that somebody proposes, and that are not made before an editor accepts them.
 *
 * Whoever suggests only adds: words with the mark `insertion`, the marks `deletion` and `formatting` on words that are there,
 * and the attribute `suggestion` on nodes. All three marks may stand beside others of their kind, so that the suggestions
 * of several people never overwrite one another.
 */

import { type AnyExtension, type Attributes, Extension, Mark } from "@tiptap/core";
import { ANNOTATION } from "./annotations.js";

/** The character that stands for a proposed end of a line; its mark `insertion` says `break`. */
export const BREAK = "\u00b6";

export const SUGGESTION_MARKS = ["insertion", "deletion", "formatting"] as const;

/** What is proposed for a node. `set` gives the node another type or other attributes, `join` adds it to the one before. */
export const SUGGESTION_KINDS = ["insert", "delete", "set", "join", "wrap", "lift"] as const;
export type SuggestionKind = (typeof SUGGESTION_KINDS)[number];

/** Who suggests, and since when, in milliseconds since 1970. Everything of one `id` is one suggestion. */
export interface Suggested {
  readonly id: string;
  readonly user: string;
  readonly at: number;
}

export interface InsertionAttributes extends Suggested {
  /** A number for each burst of typing: a suggestion is accepted as far as somebody has seen it. */
  readonly run: number;
  /** How many levels a proposed end of a line cuts: 1 for a paragraph, 2 for an item of a list; null for words. */
  readonly break: number | null;
}

export interface FormattingAttributes extends Suggested {
  readonly add: readonly { readonly type: string; readonly attrs?: Readonly<Record<string, unknown>> }[];
  readonly remove: readonly string[];
}

/** The formats that a mark proposes; values come from other people, and only sound ones count. */
export function formatsIn({
  add,
  remove,
}: Readonly<Record<string, unknown>>): Omit<FormattingAttributes, keyof Suggested> {
  const isFormat = (each: unknown): each is FormattingAttributes["add"][number] =>
    typeof each === "object" && each !== null && typeof (each as { type?: unknown }).type === "string";
  return {
    add: Array.isArray(add) ? add.filter(isFormat) : [],
    remove: Array.isArray(remove) ? remove.filter((each) => typeof each === "string") : [],
  };
}

/** The attribute `suggestion` of a node. */
export interface NodeSuggestion extends Suggested {
  readonly kind: SuggestionKind;
  readonly type?: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
}

/** Reads the attribute of a node; null for what this release does not know. */
export function suggestionOf({ suggestion }: Readonly<Record<string, unknown>>): NodeSuggestion | null {
  if (typeof suggestion !== "object" || suggestion === null) return null;
  const { kind, id, user } = suggestion as Partial<NodeSuggestion>;
  const isKnown = SUGGESTION_KINDS.some((each) => each === kind);
  return isKnown && typeof id === "string" && typeof user === "string"
    ? (suggestion as NodeSuggestion)
    : null;
}

const proposed = (own: readonly string[]): Attributes =>
  Object.fromEntries(
    ["id", "user", "at", ...own].map((name) => [
      name,
      { default: null, parseHTML: () => null, renderHTML: () => ({}) },
    ]),
  );

/** A mark of suggestions. Nothing that is pasted brings one. */
function suggestionMark(name: string, own: readonly string[], tag: string): Mark {
  return Mark.create({
    name,
    // Outermost, so that one suggestion is one element around all the formats in it.
    priority: 1100,
    group: ANNOTATION,
    excludes: "",
    inclusive: false,
    addAttributes: () => proposed(own),
    parseHTML: () => [],
    renderHTML: ({ mark: { attrs } }) => [
      tag,
      {
        class: `suggested-${name}`,
        "data-suggestion": String(attrs.id),
        "data-by": String(attrs.user),
        ...(attrs.break ? { "data-break": String(attrs.break) } : {}),
      },
      0,
    ],
  });
}

export const Insertion = suggestionMark("insertion", ["run", "break"], "ins");
export const Deletion = suggestionMark("deletion", [], "del");
export const Formatting = suggestionMark("formatting", ["add", "remove"], "span");

/** How the suggestion of a node stands on the node's element. */
export function drawnSuggestion({ id, kind, user }: NodeSuggestion) {
  return { "data-suggestion": id, "data-suggested": kind, "data-by": user };
}

/** Every node but the root and the words may have a suggestion of its own. */
export const NodeSuggestions = Extension.create({
  name: "nodeSuggestions",
  addGlobalAttributes() {
    return [
      {
        types: [...SUGGESTED_NODES],
        attributes: {
          suggestion: {
            default: null,
            keepOnSplit: false,
            parseHTML: () => null,
            renderHTML: (attributes) => {
              const suggestion = suggestionOf(attributes);
              return suggestion === null ? {} : drawnSuggestion(suggestion);
            },
          },
        },
      },
    ];
  },
});

export const SUGGESTED_NODES = [
  "paragraph",
  "heading",
  "codeBlock",
  "blockquote",
  "bulletList",
  "orderedList",
  "listItem",
  "taskList",
  "taskItem",
  "horizontalRule",
  "hardBreak",
  "table",
  "tableRow",
  "tableCell",
  "tableHeader",
  "image",
  "inlineMath",
  "blockMath",
  "callout",
  "details",
  "detailsSummary",
  "detailsContent",
  "mention",
  "pageBreak",
] as const;

export const suggestions: readonly AnyExtension[] = [Insertion, Deletion, Formatting, NodeSuggestions];
