/** Suggestions under way: the transaction that makes them, in whose name they are, and where the cursor goes. */

import { type NodeSuggestion, proposalsOf, suggestionOf, withProposals } from "@manyhands/schema";
import type { Node } from "@tiptap/pm/model";
import {
  type EditorState,
  NodeSelection,
  Selection,
  TextSelection,
  type Transaction,
} from "@tiptap/pm/state";
import type { Author } from "./author";
import { isSuggestionOf, suggestionsOn } from "./present";
import type { Judge } from "./settle";

/** A planned change, which is made when all are planned. */
export type Op = () => void;

export class Draft {
  readonly before: EditorState;
  readonly after: EditorState;
  readonly author: Author;
  readonly tr: Transaction;
  /** The name of the suggestion, once that is known. */
  id: string | null = null;
  caret: number | null = null;
  /** Whether more is planned than words and formats: then the result has to be checked. */
  isStructural = false;
  /** Whether rows or columns come or go. */
  isShaping = false;
  #run: number | null = null;
  #node: number | null = null;

  constructor(before: EditorState, after: EditorState, author: Author) {
    this.before = before;
    this.after = after;
    this.author = author;
    this.tr = before.tr;
  }

  finished(): Transaction {
    const tr = this.tr;
    if (this.#node !== null && tr.doc.nodeAt(this.#node))
      tr.setSelection(NodeSelection.create(tr.doc, this.#node));
    else if (this.caret !== null) tr.setSelection(TextSelection.near(tr.doc.resolve(this.caret), -1));
    return tr;
  }

  suggestion(kind: NodeSuggestion["kind"], more: Partial<NodeSuggestion> = {}): NodeSuggestion {
    return { id: this.ownId, user: this.author.user, at: this.author.now, kind, ...more };
  }

  get ownId(): string {
    this.id ??= this.author.newId();
    return this.id;
  }

  get ownRun(): number {
    this.#run ??= this.author.newRun();
    return this.#run;
  }

  isMine(node: Node): boolean {
    const suggestion = suggestionOf(node.attrs);
    return suggestion?.kind === "insert" && suggestion.user === this.author.user;
  }

  /** One's own suggestion on a node: that it comes, or else what one proposes for it. */
  ownOn(node: Node): NodeSuggestion | null {
    return proposalsOf(node.attrs).find(({ user }) => user === this.author.user) ?? null;
  }

  /** Accepts what is meant by a document: what others propose for blocks stands beside that, and is nothing of this person's. */
  readonly meant: Judge = (suggestion) => {
    const isTheirs = suggestion.user !== this.author.user;
    return isTheirs && "kind" in suggestion && suggestion.kind !== "insert" ? "reject" : "accept";
  };

  /** Where a place of the document before is by now. */
  map(at: number, side: 1 | -1 = 1): number {
    return this.tr.mapping.map(at, side);
  }

  /** Proposes something for a block in the place of what this person has proposed for it; null: nothing any more. */
  suggestOn(at: number, suggestion: NodeSuggestion | null): void {
    const here = this.map(at);
    const node = this.tr.doc.nodeAt(here);
    if (!node) return;
    const theirs = proposalsOf(node.attrs).filter(({ user }) => user !== this.author.user);
    const now = withProposals(node.attrs, suggestion ? [...theirs, suggestion] : theirs);
    for (const name of ["suggestion", "proposals"]) {
      if (now[name] !== node.attrs[name]) this.tr.setNodeAttribute(here, name, now[name]);
    }
  }

  suggestDeletion(node: Node, at: number): void {
    if (this.ownOn(node)?.kind !== "delete") this.suggestOn(at, this.suggestion("delete"));
  }

  /** The suggestion whose block a place is in. */
  idAround(at: number): string | null {
    const $at = this.tr.doc.resolve(at);
    for (let depth = $at.depth; depth > 0; depth -= 1) {
      const node = $at.node(depth);
      if (this.isMine(node)) return suggestionOf(node.attrs)?.id ?? null;
    }
    return null;
  }

  /** One's own suggestion that ends before a place between blocks: what follows at once belongs to it. */
  idBefore(at: number): string | null {
    const place = this.tr.doc.resolve(at);
    // Each row and each column is a suggestion of its own.
    if (["table", "row"].includes(String(place.parent.type.spec.tableRole))) return null;
    let node = place.nodeBefore;
    while (node && !node.isText) {
      if (this.isMine(node)) return suggestionOf(node.attrs)?.id ?? null;
      node = node.lastChild;
    }
    const own =
      node && suggestionsOn(node).find((mark) => isSuggestionOf(mark, "insertion", this.author.user));
    return own?.attrs.id ?? null;
  }

  // Where the cursor goes.

  /** The cursor goes where it would be among blocks that have just come. */
  follow(nowAt: number, news: readonly Node[], at: number): void {
    if (nowAt < 0) {
      this.caret = at + 1;
      return;
    }
    const size = news.reduce((sum, { nodeSize }) => sum + nodeSize, 0);
    const { selection } = this.after;
    const { head } = selection;
    if (head < nowAt || head > nowAt + size) return;
    if (selection instanceof NodeSelection) this.#node = at + selection.from - nowAt;
    else this.caret = at + head - nowAt;
  }

  /** The cursor passes what it deletes: backwards before it, forwards behind it. */
  leave(at: number, from: number, to: number): void {
    const { selection } = this.before;
    const isForwards = selection.empty && selection.head <= from;
    this.caret = isForwards ? this.map(to, 1) : at;
    if (!isForwards) return;
    const near = Selection.findFrom(this.tr.doc.resolve(this.caret), 1, true);
    if (near && !this.tr.doc.resolve(this.caret).parent.inlineContent) this.caret = near.head;
  }
}
