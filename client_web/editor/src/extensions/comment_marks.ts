/** Marks of comment threads in the text: how they look, and what becomes of them when words are moved.
 *
 * 1. A mark is drawn only where somebody says how (`CommentLooks`): a resolved thread's mark stays in
 *    the document and is not seen. A look changes elements, and nothing of the editor's state.
 * 2. Words that are copied leave their marks behind. Words that are cut, or dragged, take them along:
 *    a mark comes in with a paste if this page has copied the mark, and no word has the mark any more.
 */

import { Comment } from "@manyhands/schema";
import { Fragment, type Mark, type Node, Slice } from "@tiptap/pm/model";
import { type EditorState, Plugin, PluginKey, type Transaction } from "@tiptap/pm/state";
import { Decoration, DecorationSet, type EditorView } from "@tiptap/pm/view";

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

  /** Threads that are absent are not drawn. */
  show(looks: ReadonlyMap<string, Look>): void {
    const before = this.#looks;
    this.#looks = looks;
    for (const id of new Set([...before.keys(), ...looks.keys()])) {
      const look = looks.get(id);
      if (before.get(id) === look) continue;
      for (const element of this.#elements.get(id) ?? []) dress(element, look);
    }
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
    state: { init: () => NO_DRAFT, apply: (transaction, draft) => followed(draft, transaction) },
    props: {
      decorations: (state) => {
        const draft = draftIn(state);
        if (draft.length === 0) return null;
        return DecorationSet.create(
          state.doc,
          draft.map(({ from, to }) => Decoration.inline(from, to, { class: "page-comment-draft" })),
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

/** The threads whose marks stand in a content, in its order. */
export function threadsIn(content: Fragment): readonly string[] {
  const found = new Set<string>();
  content.descendants(({ marks: all }) => {
    for (const mark of all)
      if (isComment(mark) && typeof mark.attrs.id === "string") found.add(mark.attrs.id);
  });
  return [...found];
}

function isComment({ type }: Mark): boolean {
  return type.name === Comment.name;
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
    const inner = node.content.size > 0 ? node.copy(cleaned(node.content, isKept)) : node;
    nodes.push(kept.length === node.marks.length ? inner : inner.mark(kept));
  });
  return Fragment.fromArray(nodes);
}

/** Where each thread's first marked word stands. */
export type Anchors = ReadonlyMap<string, number>;

interface Found {
  readonly id: string;
  /** From the beginning of the block. */
  readonly at: number;
}

const NONE: readonly Found[] = [];
/** What stands in a block is looked up once: the editor makes another node of a block that changes. */
const foundIn = new WeakMap<Node, readonly Found[]>();

export function anchorsIn({ doc }: Pick<EditorState, "doc">): Anchors {
  const anchors = new Map<string, number>();
  doc.forEach((block, offset) => {
    for (const { id, at } of inBlock(block)) if (!anchors.has(id)) anchors.set(id, offset + at);
  });
  return anchors;
}

function inBlock(block: Node): readonly Found[] {
  const known = foundIn.get(block);
  if (known) return known;
  const found = new Map<string, number>();
  block.descendants((node, at) => {
    for (const mark of node.marks) {
      const { id } = mark.attrs;
      if (isComment(mark) && typeof id === "string" && !found.has(id)) found.set(id, at + 1);
    }
  });
  const list = found.size === 0 ? NONE : [...found].map(([id, at]) => ({ id, at }));
  foundIn.set(block, list);
  return list;
}

/** The threads that the words at a position belong to. */
export function threadsAt({ doc }: Pick<EditorState, "doc">, at: number): readonly string[] {
  const place = doc.resolve(at);
  const beside = [place.nodeAfter, place.nodeBefore].flatMap((node) => node?.marks ?? []);
  return [...new Set(beside.filter(isComment).map(({ attrs }) => String(attrs.id)))];
}

/** The words of a thread, piece by piece, with the mark of each. */
export function piecesOf({ doc }: Pick<EditorState, "doc">, id: string): readonly (Span & { mark: Mark })[] {
  const found: (Span & { mark: Mark })[] = [];
  doc.descendants((node, from) => {
    const mark = node.marks.find((each) => isComment(each) && each.attrs.id === id);
    if (mark) found.push({ from, to: from + node.nodeSize, mark });
  });
  return found;
}
