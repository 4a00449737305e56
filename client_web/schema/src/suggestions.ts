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

/** The attribute `suggestion` of a node, or one of its `proposals`. */
export interface NodeSuggestion extends Suggested {
  readonly kind: SuggestionKind;
  readonly type?: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
}

type NodeAttributes = Readonly<Record<string, unknown>>;

/** Reads the attribute `suggestion` of a node; null for what this release does not know. */
export function suggestionOf({ suggestion }: NodeAttributes): NodeSuggestion | null {
  return soundIn(suggestion);
}

/**
 * All that is suggested for a node: that it comes, and what people propose for it, one proposal of each. The order is the same for
 * everybody: the later ones behind the earlier ones. Documents of version 4 hold one proposal, in `suggestion`.
 */
export function proposalsOf(attrs: NodeAttributes): readonly NodeSuggestion[] {
  const own = suggestionOf(attrs);
  const held = (Array.isArray(attrs.proposals) ? attrs.proposals : []).flatMap((each: unknown) => {
    const sound = soundIn(each);
    return sound && sound.kind !== "insert" ? [sound] : [];
  });
  if (held.length === 0) return own ? [own] : NONE;
  const isFirst = own?.kind === "insert";
  const isOld = own !== null && !isFirst && held.every(({ user }) => user !== own.user);
  return [...(isFirst ? [own] : []), ...inTime([...(isOld ? [own] : []), ...held])];
}

const NONE: readonly NodeSuggestion[] = [];

/** The attributes of a node with other proposals of the kinds that `proposalsOf` tells. */
export function withProposals<Attrs extends NodeAttributes>(
  attrs: Attrs,
  left: readonly NodeSuggestion[],
): Attrs {
  const suggestion = suggestionOf(attrs);
  // A binding reads them in this order.
  const proposals = left
    .filter((each) => each !== suggestion)
    .sort((one, { user }) => (one.user < user ? -1 : 1));
  return {
    ...attrs,
    suggestion: suggestion === null || left.includes(suggestion) ? attrs.suggestion : null,
    proposals: proposals.length > 0 ? proposals : null,
  };
}

/** Proposals by their times; those of one moment by their authors. */
export function inTime(proposals: readonly NodeSuggestion[]): readonly NodeSuggestion[] {
  const keyOf = ({ user, id }: NodeSuggestion) => `${user} ${id}`;
  return [...proposals].sort(
    (one, other) => timeOf(one) - timeOf(other) || (keyOf(one) < keyOf(other) ? -1 : 1),
  );
}

/** Anybody may write anything there. */
function timeOf({ at }: NodeSuggestion): number {
  return typeof at === "number" && Number.isFinite(at) ? at : 0;
}

function soundIn(value: unknown): NodeSuggestion | null {
  if (typeof value !== "object" || value === null) return null;
  const { kind, id, user } = value as Partial<NodeSuggestion>;
  const isKnown = SUGGESTION_KINDS.some((each) => each === kind);
  return isKnown && typeof id === "string" && typeof user === "string" ? (value as NodeSuggestion) : null;
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

/** How what is suggested for a node stands on the node's element; null if nothing is. The colour is the first author's. */
export function drawnSuggestion(attrs: NodeAttributes) {
  const all = proposalsOf(attrs);
  const [first] = all;
  return first
    ? {
        "data-suggestion": all.map(({ id }) => id).join(" "),
        "data-suggested": [...new Set(all.map(({ kind }) => kind))].join(" "),
        "data-by": first.user,
      }
    : null;
}

/**
 * Every node but the root and the words may be suggested itself, and hold proposals of several people. The proposals are attributes of
 * the shared element, each under a key of its author's, which a binding reads into `proposals`: no two people overwrite one another's.
 */
export const NodeSuggestions = Extension.create({
  name: "nodeSuggestions",
  addGlobalAttributes() {
    const held = { default: null, keepOnSplit: false, parseHTML: () => null };
    return [
      {
        types: [...SUGGESTED_NODES],
        attributes: {
          suggestion: { ...held, renderHTML: (attributes) => drawnSuggestion(attributes) ?? {} },
          proposals: { ...held, renderHTML: () => ({}) },
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
