/** The suggestions in a document, each with its places and with what it says. */

import {
  BREAK,
  type FormattingAttributes,
  formatsIn,
  type NodeSuggestion,
  proposalsOf,
  type Suggested,
} from "@manyhands/schema";
import type { Mark, Node } from "@tiptap/pm/model";
import type { Anchored } from "../../extensions/anchoring";
import { hasSuggestions, suggestionsOn } from "./present";
import { isSpent } from "./settle";

export type Part =
  | { readonly kind: "add" | "delete"; readonly words: string }
  | { readonly kind: "format"; readonly add: FormattingAttributes["add"]; readonly remove: readonly string[] }
  | {
      readonly kind: "block";
      readonly suggestion: NodeSuggestion;
      readonly node: Node;
      /** Whether nothing would change any more if it were accepted: others have been faster. */
      readonly isSpent: boolean;
    };

export interface Suggestion extends Suggested {
  /** Where it begins and ends in the document. */
  readonly from: number;
  readonly to: number;
  readonly parts: readonly Part[];
  /** The runs of typing that it holds. */
  readonly runs: ReadonlySet<number>;
  /** What it was made of: the same objects as long as its blocks have not changed. */
  readonly finds: readonly object[];
}

/** Whether two suggestions say the same, wherever they are. */
export function hasSameWords(one: Suggestion, other: Suggestion): boolean {
  if (one.id !== other.id || one.user !== other.user || one.finds.length !== other.finds.length) return false;
  if (one.finds.every((find, at) => find === other.finds[at])) return true;
  // Somebody writes beside them.
  return (
    one.runs.size === other.runs.size &&
    [...one.runs].every((run) => other.runs.has(run)) &&
    one.parts.length === other.parts.length &&
    one.parts.every((part, at) => saysSame(part, other.parts[at]))
  );
}

function saysSame(one: Part, other: Part | undefined): boolean {
  if (one.kind === "block")
    return other?.kind === "block" && one.node === other.node && one.isSpent === other.isSpent;
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Something that is suggested at one place, counted from the beginning of a block. */
interface Find extends Suggested {
  readonly from: number;
  readonly to: number;
  readonly part: Part;
  readonly run: number | null;
  /** What holds it; null for the document. */
  readonly line: Node | null;
}

const found = new WeakMap<Node, readonly Find[]>();
const listed = new WeakMap<Node, readonly Suggestion[]>();

/** All suggestions in the order of their first places. Only blocks that have changed are looked through. */
export function suggestionsIn(doc: Node): readonly Suggestion[] {
  const known = listed.get(doc) ?? gathered(doc);
  listed.set(doc, known);
  return known;
}

function gathered(doc: Node): readonly Suggestion[] {
  if (!hasSuggestions(doc)) return [];
  const all = new Map<
    string,
    { first: Find; from: number; to: number; parts: Part[]; runs: Set<number>; finds: Find[]; end: number }
  >();
  doc.forEach((block, at) => {
    if (!hasSuggestions(block)) return;
    for (const find of findsIn(block)) {
      const [from, to] = [at + find.from, at + find.to];
      const known = all.get(find.id);
      if (!known) {
        const runs = new Set(find.run === null ? [] : [find.run]);
        all.set(find.id, { first: find, from, to, parts: [find.part], runs, finds: [find], end: to });
        continue;
      }
      known.to = Math.max(known.to, to);
      if (find.run !== null) known.runs.add(find.run);
      add(known.parts, find.part, seamOf(known, find, from));
      known.finds.push(find);
      known.end = to;
    }
  });
  return [...all.values()].map(({ first: { id, user, at }, end: _, ...rest }) => ({
    id,
    user,
    at: timeOf(at),
    ...rest,
  }));
}

/** The last time that a browser can show, in milliseconds since 1970. */
const LAST_TIME = 8.64e15;

/** The time that a suggestion says. Whoever may write can write anything there, and a page must show it. */
function timeOf(at: unknown): number {
  return typeof at === "number" && Math.abs(at) <= LAST_TIME ? at : 0;
}

/** The suggestions at a place: those of the words there, and those of the blocks around, the inner ones first. */
export function suggestionsAt(
  doc: Node,
  at: number,
): { readonly words: readonly string[]; readonly blocks: readonly string[] } {
  const place = doc.resolve(at);
  const idsOn = (node: Node | null): readonly string[] => {
    if (node?.isText) return suggestionsOn(node).map(({ attrs }) => String(attrs.id));
    return node ? proposalsOf(node.attrs).map(({ id }) => id) : [];
  };
  const depths = Array.from({ length: place.depth }, (_, outer) => place.depth - outer);
  return {
    words: [...idsOn(place.nodeAfter), ...idsOn(place.nodeBefore)],
    blocks: depths.flatMap((depth) => idsOn(place.node(depth))),
  };
}

/** What a suggestion is about, for when nothing is left of it: what goes and what comes. */
export function quoteOfSuggestion(doc: Node, { parts, from, to }: Suggestion): string {
  const said = (kind: "add" | "delete") =>
    parts
      .flatMap((part) => (part.kind === kind ? [part.words] : []))
      .join(" ")
      .trim();
  const words = [said("delete"), said("add")].filter((each) => each !== "").join(" → ");
  return words || doc.textBetween(from, Math.min(to, doc.content.size), " ").trim();
}

/** What stands between words of a suggestion and those before them. */
function seamOf(
  { finds, end }: { finds: readonly Find[]; end: number },
  { line }: Find,
  from: number,
): string {
  if (from === end) return "";
  return line !== null && finds.at(-1)?.line === line ? " … " : "\n";
}

/** Words of one kind that follow one another are one part, and so are the cells of a column. */
function add(parts: Part[], part: Part, seam: string): void {
  if (parts.some((one) => isSameColumn(one, part))) return;
  const last = parts.at(-1);
  const isMore = (part.kind === "add" || part.kind === "delete") && last?.kind === part.kind;
  if (isMore && last) parts[parts.length - 1] = { ...last, words: last.words + seam + part.words } as Part;
  else if (part.kind !== "format" || JSON.stringify(last) !== JSON.stringify(part)) parts.push(part);
}

function isSameColumn(one: Part, other: Part): boolean {
  if (one.kind !== "block" || other.kind !== "block") return false;
  const areCells = [one, other].every(({ node }) => /cell$/.test(String(node.type.spec.tableRole)));
  return areCells && one.suggestion.kind === other.suggestion.kind;
}

/** Where suggestions stand in a block, from the place before it. */
export function suggestionsInBlock(block: Node): readonly Anchored[] {
  return hasSuggestions(block) ? findsIn(block).map(({ id, from }) => ({ id, at: from })) : [];
}

function findsIn(block: Node): readonly Find[] {
  const before = found.get(block);
  if (before) return before;
  const finds: Find[] = [];
  const look = (node: Node, from: number, line: Node | null, at: number) => {
    const to = from + node.nodeSize;
    for (const suggestion of proposalsOf(node.attrs)) {
      const part: Part = { kind: "block", suggestion, node, isSpent: isSpent(suggestion, node, line, at) };
      finds.push({ ...suggestion, from, to, part, run: null, line });
    }
    for (const mark of node.isText ? suggestionsOn(node) : [])
      finds.push({ ...findOf(mark, node, from), line });
    if (hasSuggestions(node))
      node.forEach((child, offset, index) => void look(child, from + 1 + offset, node, index));
  };
  look(block, 0, null, 0);
  found.set(block, finds);
  return finds;
}

function findOf(mark: Mark, { text = "", nodeSize }: Node, from: number): Omit<Find, "line"> {
  const { id, user, at } = mark.attrs as Suggested;
  const place = { id, user, at, from, to: from + nodeSize, run: null };
  switch (mark.type.name) {
    case "insertion": {
      const words = mark.attrs.break === null ? text : text.replaceAll(BREAK, "\n");
      return { ...place, run: Number(mark.attrs.run), part: { kind: "add", words } };
    }
    case "deletion":
      return { ...place, part: { kind: "delete", words: text } };
    default:
      return { ...place, part: { kind: "format", ...formatsIn(mark.attrs) } };
  }
}
