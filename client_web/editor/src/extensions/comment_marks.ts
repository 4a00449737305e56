/** Marks of comment threads on words and objects: how they look, and what becomes of them when either is moved.
 *
 * 0. The marks of an object (a picture, a formula) stand in its attribute `annotations`.
 * 1. A mark is drawn only where somebody says how (`CommentLooks`): a resolved thread's mark stays in
 *    the document and is not seen. A look changes elements, and nothing of the editor's state.
 * 2. Words that are copied leave their marks behind. Words that are cut, or dragged, take them along:
 *    a mark comes in with a paste if this page has copied the mark, and no word has the mark any more.
 */

import { ANNOTATIONS, annotationsIn, isObject } from "@manyhands/binding";
import { Comment } from "@manyhands/schema";
import { Fragment, type Mark, type Node, Slice } from "@tiptap/pm/model";
import { type EditorState, Plugin, PluginKey, type Transaction } from "@tiptap/pm/state";
import { Decoration, DecorationSet, type EditorView } from "@tiptap/pm/view";
import { type Anchored, Anchoring } from "./anchoring";

export interface Span {
  readonly from: number;
  readonly to: number;
}

export type Look = "open" | "active";

/** The elements of each thread's marks, and how they look. */
export class CommentLooks {
  readonly #elements = new Map<string, Set<HTMLElement>>();
  #looks: ReadonlyMap<string, Look> = new Map();

  add(id: string, element: HTMLElement): () => void {
    const known = this.#elements.get(id) ?? new Set();
    this.#elements.set(id, known.add(element));
    dress(element, this.#looks.get(id));
    return () => {
      known.delete(element);
      if (known.size === 0 && this.#elements.get(id) === known) this.#elements.delete(id);
    };
  }

  /** Dresses the element of an object, which may have several threads: the active one counts. */
  dress(element: HTMLElement, ids: readonly string[]): void {
    const looks = ids.map((id) => this.#looks.get(id));
    dress(element, looks.includes("active") ? "active" : looks.find((look) => look !== undefined));
  }

  /** Told when looks have changed. */
  onShown: () => void = () => undefined;

  /** Threads that are absent are not drawn. */
  show(looks: ReadonlyMap<string, Look>): void {
    const before = this.#looks;
    this.#looks = looks;
    for (const id of new Set([...before.keys(), ...looks.keys()])) {
      const look = looks.get(id);
      if (before.get(id) === look) continue;
      for (const element of this.#elements.get(id) ?? []) dress(element, look);
    }
    this.onShown();
  }
}

function dress(element: HTMLElement, look: Look | undefined): void {
  if (look) element.setAttribute("data-look", look);
  else element.removeAttribute("data-look");
}

interface CommentStorage {
  readonly looks: CommentLooks;
}

declare module "@tiptap/core" {
  interface Storage {
    comment: CommentStorage;
  }
}

export const CommentMark = Comment.extend<object, CommentStorage>({
  addStorage: () => ({ looks: new CommentLooks() }),
  addProseMirrorPlugins() {
    return [marks(this.storage.looks)];
  },
});

/** Words that somebody is about to comment on: in one piece, or cell by cell. */
export type Draft = readonly Span[];

const NO_DRAFT: Draft = [];

const key = new PluginKey<Draft>("commentMarks");

export function draftIn(state: EditorState): Draft {
  return key.getState(state) ?? NO_DRAFT;
}

export function setDraft(
  { state, dispatch }: Pick<EditorView, "state" | "dispatch">,
  draft: Draft = NO_DRAFT,
): void {
  dispatch(state.tr.setMeta(key, { draft }));
}

function followed(draft: Draft, transaction: Transaction): Draft {
  const said: { readonly draft: Draft } | undefined = transaction.getMeta(key);
  if (said) return said.draft;
  if (!transaction.docChanged) return draft;
  return draft.map((span) => {
    const from = transaction.mapping.map(span.from, 1);
    return { from, to: Math.max(from, transaction.mapping.map(span.to, -1)) };
  });
}

function marks(looks: CommentLooks): Plugin<Draft> {
  /** Threads whose words this page has put on the clipboard. */
  const carried = new Set<string>();
  return new Plugin<Draft>({
    key,
    view: (view) => new ObjectLooks(view, looks),
    state: { init: () => NO_DRAFT, apply: (transaction, draft) => followed(draft, transaction) },
    props: {
      decorations: (state) => {
        const draft = draftIn(state);
        if (draft.length === 0) return null;
        return DecorationSet.create(
          state.doc,
          draft.flatMap(({ from, to }) => [
            Decoration.inline(from, to, { class: "page-comment-draft" }),
            ...objectsBetween(state.doc, from, to).map((object) =>
              Decoration.node(object.from, object.to, { class: "page-comment-draft" }),
            ),
          ]),
        );
      },
      markViews: {
        comment: (mark) => {
          const dom = document.createElement("span");
          const { id } = mark.attrs;
          if (typeof id !== "string") return { dom };
          dom.setAttribute("data-comment", id);
          const destroy = looks.add(id, dom);
          return { dom, destroy, ignoreMutation: ({ type }) => type === "attributes" };
        },
      },
      transformCopied: (slice) => {
        for (const id of threadsIn(slice.content)) carried.add(id);
        return slice;
      },
      transformPasted: (slice, view) => {
        if (view.dragging?.move) return slice;
        const there = new Set(threadsIn(view.state.doc.content));
        return withMarks(slice, ({ attrs: { id } }) => carried.has(id) && !there.has(id));
      },
    },
  });
}

/** Dresses the elements of objects that are commented on. What stands in for a node draws itself anew at will. */
class ObjectLooks {
  readonly #view: EditorView;
  readonly #looks: CommentLooks;
  readonly #objects = new Anchoring((block) => threadsInBlock(block).filter(({ isObject: is }) => is));
  #dressed = new Set<HTMLElement>();

  constructor(view: EditorView, looks: CommentLooks) {
    this.#view = view;
    this.#looks = looks;
    looks.onShown = () => this.#dress();
    this.#dress();
  }

  update(_view: EditorView, before: EditorState): void {
    if (before.doc !== this.#view.state.doc) this.#dress();
  }

  destroy(): void {
    this.#looks.onShown = () => undefined;
  }

  #dress(): void {
    const now = new Set<HTMLElement>();
    const threads = new Map<number, string[]>();
    for (const { id, at } of this.#objects.all(this.#view.state.doc)) {
      threads.set(at, [...(threads.get(at) ?? []), id]);
    }
    for (const [at, ids] of threads) {
      const element = this.#view.nodeDOM(at);
      if (!(element instanceof HTMLElement)) continue;
      this.#looks.dress(element, ids);
      now.add(element);
    }
    for (const element of this.#dressed) if (!now.has(element)) this.#looks.dress(element, []);
    this.#dressed = now;
  }
}

/** The threads whose marks stand in a content, in its order. */
export function threadsIn(content: Fragment): readonly string[] {
  const found = new Set<string>();
  content.descendants((node) => {
    for (const { attrs } of commentsOn(node)) found.add(attrs.id);
  });
  return [...found];
}

function isComment({ type }: Mark): boolean {
  return type.name === Comment.name;
}

const NO_MARKS: readonly Mark[] = [];

/** The marks of threads on a text or an object. */
function commentsOn(node: Node): readonly Mark[] {
  const held: unknown = node.attrs[ANNOTATIONS];
  const own = held ? annotationsIn(held, node.type.schema) : NO_MARKS;
  // Most nodes have none at all, and this is asked of every node.
  if (own.length === 0 && node.marks.length === 0) return NO_MARKS;
  return [...node.marks, ...own].filter((mark) => isComment(mark) && typeof mark.attrs.id === "string");
}

/** The objects between two positions: what may be commented on and has no words. */
export function objectsBetween(doc: Node, from: number, to: number): readonly Span[] {
  const found: Span[] = [];
  doc.nodesBetween(from, to, (node, at) => {
    if (isObject(node) && at >= from && at + node.nodeSize <= to)
      found.push({ from: at, to: at + node.nodeSize });
  });
  return found;
}

function withMarks({ content, openStart, openEnd }: Slice, isKept: (mark: Mark) => boolean): Slice {
  return new Slice(cleaned(content, isKept), openStart, openEnd);
}

/** A content without the marks of threads: a copy has none. */
export function withoutComments(content: Fragment): Fragment {
  return cleaned(content, () => false);
}

function cleaned(content: Fragment, isKept: (mark: Mark) => boolean): Fragment {
  const nodes: Node[] = [];
  content.forEach((node) => {
    const kept = node.marks.filter((mark) => !isComment(mark) || isKept(mark));
    const inner = node.content.size > 0 ? node.copy(cleaned(node.content, isKept)) : unsaid(node, isKept);
    nodes.push(kept.length === node.marks.length ? inner : inner.mark(kept));
  });
  return Fragment.fromArray(nodes);
}

/** An object without the marks of threads that are not kept. */
function unsaid(node: Node, isKept: (mark: Mark) => boolean): Node {
  const held: unknown = node.attrs[ANNOTATIONS];
  if (!held) return node;
  const kept = annotationsIn(held, node.type.schema).filter((mark) => !isComment(mark) || isKept(mark));
  const attrs = { ...node.attrs, [ANNOTATIONS]: kept.length > 0 ? kept.map((mark) => mark.toJSON()) : null };
  return node.type.create(attrs, null, node.marks);
}

/** Place of each thread's first marked word or object. */
export type Anchors = ReadonlyMap<string, number>;

interface Found extends Anchored {
  readonly isObject: boolean;
}

const NONE: readonly Found[] = [];
/** What stands in a block is looked up once: the editor makes another node of a block that changes. */
const foundIn = new WeakMap<Node, readonly Found[]>();

const anchored = new WeakMap<Node, Anchors>();

export function anchorsIn({ doc }: Pick<EditorState, "doc">): Anchors {
  const known = anchored.get(doc) ?? gathered(doc);
  anchored.set(doc, known);
  return known;
}

function gathered(doc: Node): Anchors {
  const anchors = new Map<string, number>();
  doc.forEach((block, offset) => {
    for (const { id, at } of threadsInBlock(block)) if (!anchors.has(id)) anchors.set(id, offset + at);
  });
  return anchors;
}

/** The threads of words and objects in a block, from the place before it. */
export function threadsInBlock(block: Node): readonly Found[] {
  const known = foundIn.get(block);
  if (known) return known;
  const list: Found[] = [];
  const words = new Set<string>();
  const look = (node: Node, at: number) => {
    const isHeld = isObject(node);
    for (const { attrs } of commentsOn(node)) {
      if (isHeld || !words.has(attrs.id)) list.push({ id: attrs.id, at, isObject: isHeld });
      words.add(attrs.id);
    }
  };
  look(block, 0);
  block.descendants((node, at) => look(node, at + 1));
  const result = list.length === 0 ? NONE : list;
  foundIn.set(block, result);
  return result;
}

/** The threads that the words or the object at a position belong to. */
export function threadsAt({ doc }: Pick<EditorState, "doc">, at: number): readonly string[] {
  const place = doc.resolve(at);
  const beside = [place.nodeAfter, place.nodeBefore].flatMap((node) => (node ? commentsOn(node) : []));
  return [...new Set(beside.map(({ attrs }) => String(attrs.id)))];
}

/** The threads of words and objects between two positions. */
export function threadsBetween(doc: Node, from: number, to: number): readonly string[] {
  const found = new Set<string>();
  doc.nodesBetween(from, to, (node) => {
    for (const { attrs } of commentsOn(node)) found.add(attrs.id);
  });
  return [...found];
}

/** The words and objects of a thread, piece by piece, with the mark of each. */
export function piecesOf({ doc }: Pick<EditorState, "doc">, id: string): readonly (Span & { mark: Mark })[] {
  const found: (Span & { mark: Mark })[] = [];
  doc.descendants((node, from) => {
    const mark = commentsOn(node).find(({ attrs }) => attrs.id === id);
    if (mark) found.push({ from, to: from + node.nodeSize, mark });
  });
  return found;
}
