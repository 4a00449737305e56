/** What a person does in suggesting mode, as suggestions: pure, from one document and what direct editing would make of it.
 *
 * 1. Whoever suggests only adds. Words of others, their formats and their blocks stay; one's own pending words and blocks are really changed.
 * 2. What is new gets the mark `insertion`, or the attribute `suggestion` of kind `insert`. What is gone gets `deletion`, or kind `delete`.
 * 3. Accepting everything gives what accepting everything in the directly edited document would give. Changes of structure are checked
 *    for that. Where no smaller suggestion does, a block is suggested to be deleted, and a copy of it to be inserted.
 * 4. What cannot be suggested is refused, and the document stays as it is.
 */

import { proposalsOf, withProposals } from "@manyhands/schema";
import { Fragment, type Node } from "@tiptap/pm/model";
import type { EditorState, Transaction } from "@tiptap/pm/state";
import { type Gap, gapsOf } from "./aligning";
import { type Author, type Refusal, Refused } from "./author";
import { deletions, exchangesOwn, insertions } from "./blocks";
import { changedAttributes, isAlike } from "./comparing";
import { cuts } from "./cuts";
import { Draft, type Op } from "./draft";
import { inlineOps } from "./inline";
import { indents, lifts, outdents, wraps } from "./nesting";
import { overtaken } from "./overtaking";
import { hasSuggestions } from "./present";
import { isVoid, settled, settledIn } from "./settle";
import { isOfTable, isTable, rows, shapes } from "./tables";

/** Returns a transaction of suggestions on `before`, or why there is none. */
export function translate(before: EditorState, after: EditorState, author: Author): Transaction | Refusal {
  const now = meaningOf(before.doc, after.doc, author);
  try {
    const draft = new Draft(before, after, author);
    const smallest = new Translation(draft, now);
    smallest.run();
    if (!draft.isStructural || smallest.isRight()) return draft.finished();
    if (draft.isShaping) return "table";
    const redraft = new Draft(before, after, author);
    const coarse = new Translation(redraft, now, true);
    coarse.run();
    return coarse.isRight() ? redraft.finished() : "structure";
  } catch (error) {
    if (error instanceof Refused) return error.reason;
    throw error;
  }
}

/** The document after as it is meant. */
export function meaningOf(before: Node, after: Node, author: Author): Node {
  return withoutVoid(overtaken(before, wholeLetters(before, after), author), author.user);
}

/** The document after, in which letters beyond U+FFFF are not cut in two by marks: such a letter has the marks of its first half. */
function wholeLetters(before: Node | undefined, now: Node): Node {
  if (before === now || now.isLeaf) return now;
  if (now.inlineContent) return now.children.some(isHalf) ? now.copy(lettersIn(now)) : now;
  const known = new Set(before?.children);
  const children = now.children.map((child, index) =>
    known.has(child) ? child : wholeLetters(before?.children[index], child),
  );
  return children.every((child, index) => child === now.child(index))
    ? now
    : now.copy(Fragment.from(children));
}

function isHalf({ text }: Node): boolean {
  return text !== undefined && SECOND_HALF.test(text);
}

const SECOND_HALF = /^[\udc00-\udfff]/;

function lettersIn({ children }: Node): Fragment {
  const pieces = children.flatMap((child, index) => {
    const [half, last] = [isHalf(child) ? child.cut(0, 1) : null, children[index - 1]];
    if (!half?.text || !last?.isText) return [child];
    const rest = child.nodeSize > 1 ? [child.cut(1)] : [];
    return [half.mark(last.marks), ...rest];
  });
  return Fragment.fromArray(pieces);
}

class Translation {
  readonly #draft: Draft;
  readonly #now: Node;
  readonly #isCoarse: boolean;

  /** `now`: the document after, as it is meant. */
  constructor(draft: Draft, now: Node, isCoarse = false) {
    this.#draft = draft;
    this.#now = now;
    this.#isCoarse = isCoarse;
  }

  run(): void {
    const ops = this.#blocks(this.#draft.before.doc, 0, this.#now, 0, false);
    if (!ops) throw new Refused("structure");
    for (const op of ops) op();
  }

  isRight(): boolean {
    const { tr, meant } = this.#draft;
    return settled(tr.doc, meant).eq(settled(this.#now, meant));
  }

  /** Plans what makes one node of the other; null if that cannot be suggested within them. */
  #blocks(old: Node, oldAt: number, now: Node, nowAt: number, isMine: boolean): Op[] | null {
    const ops: Op[] = [];
    for (const gap of gapsOf(old, oldAt, now, nowAt)) {
      const planned = this.#gap(gap, old, now, isMine);
      if (!planned) return null;
      ops.push(...planned);
    }
    return ops;
  }

  #gap(gap: Gap, parent: Node, nowParent: Node, isMine: boolean): Op[] | null {
    const { olds, news } = gap;
    if (!this.#isCoarse) {
      const paired = this.#pairs(gap, isMine);
      if (paired) return paired;
    }
    if (!isMine && isTable(parent)) return rows(this.#draft, gap, nowParent);
    if (!isMine && parent.type.spec.tableRole === "row") throw new Refused("table");
    if (isMine || (olds.length > 0 && olds.every((node) => this.#draft.isMine(node))))
      return exchangesOwn(this.#draft, gap, isMine);
    if (olds.length === 0 || news.length === 0)
      return [...deletions(this.#draft, gap), ...insertions(this.#draft, gap, nowParent)];
    this.#draft.isStructural = true;
    if (!this.#isCoarse) {
      for (const plan of [cuts, wraps, lifts, indents, outdents]) {
        const planned = plan(this.#draft, gap);
        if (planned) return planned;
      }
    }
    return this.#copies(gap, parent, nowParent);
  }

  /** As many blocks as before: each one for itself. */
  #pairs({ olds, news, oldAt, nowAt }: Gap, isMine: boolean): Op[] | null {
    if (olds.length !== news.length) return null;
    const ops: Op[] = [];
    let [from, to] = [oldAt, nowAt];
    for (const [index, old] of olds.entries()) {
      const now = news[index] as Node;
      const planned = this.#pair(old, from, now, to, isMine || this.#draft.isMine(old));
      if (!planned) return null;
      ops.push(...planned);
      from += old.nodeSize;
      to += now.nodeSize;
    }
    return ops;
  }

  #pair(old: Node, oldAt: number, now: Node, nowAt: number, isMine: boolean): Op[] | null {
    const changed = changedAttributes(old, now);
    if (old.type !== now.type && (isMine || !isAlike(old, now))) return null;
    if (old.isLeaf) return old.type === now.type ? this.#sets(old, oldAt, now, changed, isMine) : null;
    const isSet = old.type !== now.type || Object.keys(changed).length > 0;
    if (isOfTable(old) && isSet && !isMine) throw new Refused("table");
    const set = isSet ? this.#sets(old, oldAt, now, changed, isMine) : this.#proposesAnew(old, oldAt, now);
    if (!set) return null;
    const shaped = isTable(old) && !isMine ? shapes(this.#draft, old, oldAt, now, nowAt) : null;
    if (shaped) return [...set, ...shaped];
    const inner = old.inlineContent
      ? inlineOps(this.#draft, old, oldAt + 1, now, nowAt + 1, isMine)
      : this.#blocks(old, oldAt + 1, now, nowAt + 1, isMine);
    return inner && [...set, ...inner];
  }

  /** Whoever does what leaves nothing of their own proposal for a block takes it back, or has another one by now. */
  #proposesAnew(old: Node, at: number, now: Node): Op[] {
    const [own, last] = [this.#draft.ownOn(old), this.#draft.ownOn(now)];
    if (!own || this.#draft.isMine(old) || own === last || JSON.stringify(own) === JSON.stringify(last))
      return [];
    this.#draft.isStructural = true;
    return [() => this.#draft.suggestOn(at, last)];
  }

  #sets(old: Node, at: number, now: Node, changed: Node["attrs"], isMine: boolean): Op[] | null {
    const { type } = now;
    if (isMine) {
      return [
        () =>
          this.#draft.tr.setNodeMarkup(this.#draft.map(at), type, { ...old.attrs, ...changed }, old.marks),
      ];
    }
    const own = this.#draft.ownOn(old);
    // Of several proposals of one person the last one counts: here both are meant.
    if (own && !["set", "wrap"].includes(own.kind) && this.#draft.ownOn(now)) return null;
    this.#draft.isStructural = true;
    return [
      () => {
        if (own) this.#draft.id ??= own.id;
        // A block that was to be put into a list is to be another one instead.
        const before = own?.kind === "set" ? own : null;
        const wanted = type === old.type ? {} : { type: type.name };
        const attrs = { ...before?.attrs, ...changed };
        this.#draft.suggestOn(
          at,
          this.#draft.suggestion("set", { ...(before?.type ? { type: before.type } : {}), ...wanted, attrs }),
        );
      },
    ];
  }

  /** The blocks as they were are to go, and those that they would become are to come. */
  #copies(gap: Gap, parent: Node, nowParent: Node): Op[] | null {
    const { olds, news } = gap;
    const index = parent.children.indexOf(olds.at(-1) as Node) + 1;
    if (!parent.canReplace(index, index, Fragment.from(settledIn(nowParent, news, this.#draft.meant))))
      return null;
    return [...deletions(this.#draft, gap), ...insertions(this.#draft, gap, nowParent)];
  }
}

/** A document without proposals of one's own for lines that cannot become so where they stand now. */
function withoutVoid(doc: Node, user: string): Node {
  if (!hasSuggestions(doc) || doc.inlineContent) return doc;
  const children = doc.children.map((child, index) => {
    const inner = withoutVoid(child, user);
    const all = proposalsOf(child.attrs);
    const left = all.filter((each) => each.user !== user || !isVoid(doc, index, each));
    if (left.length === all.length) return inner;
    return inner.type.create(withProposals(inner.attrs, left), inner.content, inner.marks);
  });
  return doc.copy(Fragment.from(children));
}
