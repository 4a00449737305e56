/** Sections of the sheet: elements around some thirty blocks each, which exist on the screen only.
 *
 * A browser asked to leave out what is out of sight (`content-visibility` in sheet.css) does so for
 * a whole section: the text is not laid out, not painted, and not handed to the input method with
 * every key. One element for each block would cost more than it saves, because a browser looks in
 * each frame at every such element.
 *
 * 1. The editor's document has no sections. Only the view's tree has: between the view of the
 *    document and the views of its blocks stands a view of a section, which holds a part of both.
 * 2. A block keeps its section, whatever comes, goes or changes around it. So elements stay, and
 *    with them a word that is being composed.
 * 3. A section that grows too long is cut. The part with the cursor stays in its element.
 *
 * The names used here are internal to prosemirror-view: `docView` and its class, and the two lists
 * in a `DecorationSet`. The tests of this file fail when another release has them changed.
 */

import { Extension } from "@tiptap/core";
import { Fragment, type Node } from "@tiptap/pm/model";
import { Plugin, PluginKey } from "@tiptap/pm/state";
import { type Decoration, DecorationSet, type DecorationSource, type EditorView } from "@tiptap/pm/view";
import { revealElement } from "./collapsibles";

/** Blocks in a new section. */
const BLOCKS = 32;
/** Blocks after which a section is cut. */
const MOST_BLOCKS = 64;
/** Letters in a new section of long blocks: a few screens full. */
const LETTERS = 16_000;

export const Sections = Extension.create({
  name: "sections",
  // Before the binding fills the view.
  priority: 1_100,
  addProseMirrorPlugins: () => [sections()],
});

export function sections(): Plugin {
  let isSettling = false;
  return new Plugin({
    key: new PluginKey("sections"),
    props: {
      handleScrollToSelection: (view) => {
        const { selection } = view.state;
        if (isSettling || !isLeftOut(view.domAtPos(selection.head).node)) return false;
        againWhenDrawn(() => {
          if (view.isDestroyed || !view.state.selection.eq(selection)) return;
          isSettling = true;
          try {
            view.dispatch(view.state.tr.scrollIntoView());
          } finally {
            isSettling = false;
          }
        });
        return false;
      },
    },
    view: (view) => {
      divide(view as unknown as View);
      return {};
    },
  });
}

/** Scrolls to an element, smoothly when it is near. */
export function bringIntoView(element: Element, block: ScrollLogicalPosition): void {
  revealElement(element);
  const isCalm = window.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;
  const behavior = isCalm || isLeftOut(element) ? "instant" : "smooth";
  goTo(element, () => element.scrollIntoView({ block, behavior }));
}

/**
 * Goes to an element, which may be far away. How high is what lies around it is estimated until it
 * is drawn: so the way is gone again when it is.
 */
export function goTo(element: Element, go: () => void): void {
  const isFar = isLeftOut(element);
  go();
  if (isFar) againWhenDrawn(go);
}

/** Whether a browser has left out what a node is in, because that is out of sight. */
function isLeftOut(node: globalThis.Node): boolean {
  const element = node instanceof Element ? node : node.parentElement;
  return element?.checkVisibility?.() === true && !element.checkVisibility({ contentVisibilityAuto: true });
}

/** What comes into view is drawn in the next frame, and what then comes into view in the one after. */
function againWhenDrawn(act: () => void, times = 3): void {
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      act();
      if (times > 1) againWhenDrawn(act, times - 1);
    }),
  );
}

/** The view of a part of a document, as prosemirror-view has it. */
interface Desc {
  parent: Desc | undefined;
  children: Desc[];
  node: Node | null;
  innerDeco: Decorated;
  dirty: number;
  readonly dom: HTMLElement;
  readonly contentDOM: HTMLElement;
  update(node: Node, outer: readonly Decoration[], inner: DecorationSource, view: View): boolean;
  updateChildren(view: View, at: number): void;
  destroy(): void;
}

interface Decorated extends DecorationSource {
  eq(other: DecorationSource): boolean;
}

interface DocDesc extends Desc {
  node: Node;
  readonly constructor: DescClass;
}

type DescClass = new (
  parent: Desc | undefined,
  node: Node,
  outer: readonly Decoration[],
  inner: DecorationSource,
  dom: HTMLElement,
  contentDOM: HTMLElement,
  nodeDOM: HTMLElement,
) => DocDesc;

interface View extends Pick<EditorView, "state" | "isDestroyed"> {
  docView: DocDesc | null;
  trackWrites: unknown;
  readonly domObserver: { start(): void; stop(): void };
}

const CONTENT_DIRTY = 2;
const NODE_DIRTY = 3;

/** Divides what a view shows now, and whatever it will show. */
function divide(view: View): void {
  let docView = view.docView;
  if (!docView) return;
  const newSection = sectionClass(docView.constructor);
  view.domObserver.stop();
  divideDoc(docView, view, newSection);
  view.domObserver.start();
  // A view makes a new one when its plugins bring other ways to draw nodes.
  Object.defineProperty(view, "docView", {
    configurable: true,
    get: () => docView,
    set: (next: DocDesc | null) => {
      docView = next;
      if (next) divideDoc(next, view, newSection);
    },
  });
}

type NewSection = (doc: DocDesc) => DocDesc;

function sectionClass(NodeDesc: DescClass): NewSection {
  class Section extends NodeDesc {
    /** A section is no node: nothing stands for its ends. */
    get size(): number {
      return this.node.content.size;
    }
    get border(): number {
      return 0;
    }
    parseRule() {
      return { skip: true };
    }
    ignoreMutation({ type }: { readonly type: string }): boolean {
      return type === "attributes";
    }
  }
  return (doc) => {
    const dom = document.createElement("div");
    dom.className = "page-section";
    return new Section(doc, doc.node.copy(Fragment.empty), [], DecorationSet.empty, dom, dom, dom);
  };
}

function divideDoc(doc: DocDesc, view: View, newSection: NewSection): void {
  for (const block of doc.children) block.destroy();
  doc.children = [];
  doc.contentDOM.replaceChildren();
  doc.updateChildren = () => updateSections(doc, view, newSection);
  doc.updateChildren(view, 0);
}

interface Planned {
  readonly section: DocDesc;
  readonly blocks: readonly Node[];
}

function updateSections(doc: DocDesc, view: View, newSection: NewSection): void {
  const before = doc.children as DocDesc[];
  const now = doc.node.content.content;
  const { first, end, from, to } = changedAmong(before, now);
  const planned: Planned[] = before.slice(0, first).map(asItWas);
  let rest = view.state.selection.head - sizeOf(planned);
  const lists = assigned(before.slice(first, end).map(blocksOf), now.slice(from, to));
  for (const [index, list] of lists.entries()) {
    const old = first + index < end ? before[first + index] : undefined;
    const parts = cut(list);
    const own = partWith(parts, rest);
    const isKept = old !== undefined && old.dirty !== NODE_DIRTY && parts.length > 0;
    for (const [at, blocks] of parts.entries()) {
      const section = isKept && at === own ? old : newSection(doc);
      if (isKept && section !== old) moveBlocks(old, section, blocks);
      planned.push({ section, blocks });
    }
    if (!isKept) old?.destroy();
    rest -= sizeOfBlocks(list);
  }
  planned.push(...before.slice(end).map(asItWas));
  doc.children = planned.map(({ section }) => section);
  const decorations = divided(
    doc.innerDeco,
    planned.map((each) => sizeOf([each])),
  );
  for (const [index, { section, blocks }] of planned.entries()) {
    updateSection(doc, section, blocks, decorations[index] ?? DecorationSet.empty, view);
  }
  place(doc, view);
}

function asItWas(section: DocDesc): Planned {
  return { section, blocks: blocksOf(section) };
}

/** The size of sections as they will be: that of one that stays is known. */
function sizeOf(planned: readonly Planned[]): number {
  return planned.reduce(
    (size, { section, blocks }) =>
      size + (blocks === blocksOf(section) ? section.node.content.size : sizeOfBlocks(blocks)),
    0,
  );
}

/** Which sections, and which blocks, have changed: those between the ones that are the same at both ends. */
function changedAmong(sections: readonly DocDesc[], now: readonly Node[]) {
  let [first, end, from, to] = [0, sections.length, 0, now.length];
  const lengthOf = (index: number) => sections[index]?.node.childCount ?? 0;
  const isAt = (index: number, start: number) => {
    const section = sections[index];
    const isInside = start >= from && start + lengthOf(index) <= to;
    if (!section || section.dirty === NODE_DIRTY || !isInside) return false;
    return blocksOf(section).every((block, at) => block === now[start + at]);
  };
  while (first < end && isAt(first, from)) {
    from += lengthOf(first);
    first += 1;
  }
  while (end > first && isAt(end - 1, to - lengthOf(end - 1))) {
    end -= 1;
    to -= lengthOf(end);
  }
  // What comes between two sections goes into the one before.
  if (first === end && from < to && first > 0) {
    first -= 1;
    from -= lengthOf(first);
  }
  return { first, end, from, to };
}

/** Which part holds a position; the first or the last one when none does. */
function partWith(parts: readonly (readonly Node[])[], position: number): number {
  let end = 0;
  const found = parts.findIndex((part) => {
    end += sizeOfBlocks(part);
    return position < end;
  });
  return found === -1 ? parts.length - 1 : found;
}

function moveBlocks(from: DocDesc, to: DocDesc, blocks: readonly Node[]): void {
  const moving: ReadonlySet<Node | null> = new Set(blocks);
  to.children = from.children.filter(({ node }) => moving.has(node));
  from.children = from.children.filter(({ node }) => !moving.has(node));
  for (const block of to.children) block.parent = to;
  for (const section of [from, to]) section.dirty = CONTENT_DIRTY;
}

function updateSection(
  doc: DocDesc,
  section: DocDesc,
  blocks: readonly Node[],
  decorations: DecorationSource,
  view: View,
): void {
  const old = blocksOf(section);
  const isSame = section.dirty === 0 && old === blocks;
  if (isSame && section.innerDeco.eq(decorations)) return;
  if (old.length !== blocks.length) estimateHeight(section.dom, blocks);
  const last = blocks.at(-1)?.type.name ?? "";
  if (section.dom.dataset.ends !== last) section.dom.dataset.ends = last;
  section.update(doc.node.copy(Fragment.fromArray([...blocks])), [], decorations, view);
}

function blocksOf(section: DocDesc): readonly Node[] {
  return section.node.content.content;
}

function sizeOfBlocks(blocks: readonly Node[]): number {
  return blocks.reduce((size, { nodeSize }) => size + nodeSize, 0);
}

/** Tells the style sheet how much there is in a section that was never laid out. */
function estimateHeight(dom: HTMLElement, blocks: readonly Node[]): void {
  let [lines, letters] = [0, 0];
  for (const block of blocks) {
    block.descendants((node) => {
      if (node.isTextblock) lines += 1;
      return !node.isTextblock;
    });
    if (block.isTextblock) lines += 1;
    letters += block.content.size;
  }
  dom.style.setProperty("--lines", String(lines));
  dom.style.setProperty("--letters", String(letters));
}

/** Puts the elements of the sections where they belong, and takes away what a browser has put between them. */
function place({ children, contentDOM }: DocDesc, view: View): void {
  const elements = new Set<unknown>(children.map(({ dom }) => dom));
  let [next, isWritten] = [contentDOM.firstChild, false];
  const removeStrays = () => {
    while (next && !elements.has(next)) {
      const stray = next;
      next = stray.nextSibling;
      stray.remove();
      isWritten = true;
    }
  };
  for (const { dom } of children) {
    removeStrays();
    if (dom === next) {
      next = dom.nextSibling;
    } else {
      contentDOM.insertBefore(dom, next);
      isWritten = true;
    }
  }
  removeStrays();
  if (isWritten && view.trackWrites === contentDOM) view.trackWrites = null;
}

/**
 * Divides the blocks of a document among its sections: each block stays in the section that it has
 * had, one that has changed in the place of the old one, a new one behind the one before.
 */
export function assigned<T>(before: readonly (readonly T[])[], now: readonly T[]): readonly (readonly T[])[] {
  const old: T[] = [];
  const sectionOf: number[] = [];
  for (const [index, blocks] of before.entries()) {
    for (const block of blocks) {
      old.push(block);
      sectionOf.push(index);
    }
  }
  let same = 0;
  const most = Math.min(old.length, now.length);
  while (same < most && old[same] === now[same]) same += 1;
  let [oldEnd, newEnd] = [old.length, now.length];
  while (oldEnd > same && newEnd > same && old[oldEnd - 1] === now[newEnd - 1]) {
    oldEnd -= 1;
    newEnd -= 1;
  }
  const placeOf = new Map(old.slice(same, oldEnd).map((block, at) => [block, same + at]));
  const coming = new Set(now.slice(same, newEnd));
  const lists: T[][] = before.length > 0 ? before.map(() => []) : [[]];
  let [at, section] = [0, 0];
  for (const [index, block] of now.entries()) {
    const place = index < same ? index : index >= newEnd ? index - newEnd + oldEnd : placeOf.get(block);
    const isKnown = place !== undefined && place >= at;
    const replaced = at < oldEnd ? old[at] : undefined;
    if (isKnown) at = place;
    if (isKnown || (replaced !== undefined && !coming.has(replaced))) {
      section = sectionOf[at] ?? section;
      at += 1;
    }
    lists[section]?.push(block);
  }
  return lists;
}

/** Cuts what is too long for one section, behind plain lines if there are any: no margins meet at a cut. */
function cut(blocks: readonly Node[]): readonly (readonly Node[])[] {
  const letters = sizeOfBlocks(blocks);
  if (blocks.length <= MOST_BLOCKS && letters <= 2 * LETTERS) return blocks.length > 0 ? [blocks] : [];
  const count = Math.max(Math.round(blocks.length / BLOCKS), 1);
  const [mostBlocks, mostLetters] = [Math.ceil(blocks.length / count), LETTERS];
  const parts: Node[][] = [];
  let part: Node[] = [];
  for (const block of blocks) {
    const size = sizeOfBlocks(part);
    const isFull = part.length >= mostBlocks || size >= mostLetters;
    const isOver = part.length >= MOST_BLOCKS || size >= 2 * mostLetters;
    if (isOver || (isFull && part.at(-1)?.type.name === "paragraph")) {
      parts.push(part);
      part = [];
    }
    part.push(block);
  }
  return [...parts, part];
}

/** A set as prosemirror-view has it: what lies between the blocks of a node or around them, and what lies in them. */
interface Decorations {
  readonly local: readonly (Decoration & { copy(from: number, to: number): Decoration })[];
  /** From, to, and the set of the block, three by three. */
  readonly children: readonly (number | DecorationSet)[];
}

type NewDecorations = new (
  local: readonly Decoration[],
  children: readonly (number | DecorationSet)[],
) => DecorationSet;

interface DecorationGroup {
  readonly members: readonly DecorationSet[];
  readonly constructor: { from(members: readonly DecorationSource[]): DecorationSource };
}

function divided(source: DecorationSource, sizes: readonly number[]): readonly DecorationSource[] {
  if (source instanceof DecorationSet) return dividedSet(source, sizes);
  const group = source as unknown as DecorationGroup;
  const members = group.members.map((set) => dividedSet(set, sizes));
  return sizes.map((_, index) =>
    group.constructor.from(
      members
        .map((parts) => parts[index] ?? DecorationSet.empty)
        .filter((part) => part !== DecorationSet.empty),
    ),
  );
}

function dividedSet(set: DecorationSet, sizes: readonly number[]): readonly DecorationSet[] {
  const { local, children } = set as unknown as Decorations;
  const ends: number[] = [];
  for (const size of sizes) ends.push((ends.at(-1) ?? 0) + size);
  const locals = new Map<number, Decoration[]>();
  const inner = new Map<number, (number | DecorationSet)[]>();
  let section = 0;
  for (let at = 0; at < children.length; at += 3) {
    const [from, to, within] = children.slice(at, at + 3) as [number, number, DecorationSet];
    while (section < ends.length && (ends[section] ?? 0) <= from) section += 1;
    const start = ends[section - 1] ?? 0;
    const list = inner.get(section) ?? [];
    list.push(from - start, to - start, within);
    inner.set(section, list);
  }
  section = 0;
  for (const each of local) {
    while (section < ends.length - 1 && (ends[section] ?? 0) <= each.from) section += 1;
    // What goes over several sections is drawn by each of them.
    for (let at = section; at === section || (at < ends.length && (ends[at - 1] ?? 0) < each.to); at += 1) {
      const start = ends[at - 1] ?? 0;
      const list = locals.get(at) ?? [];
      list.push(each.copy(each.from - start, each.to - start));
      locals.set(at, list);
    }
  }
  return sizes.map((_, at) => {
    const [own, within] = [locals.get(at), inner.get(at)];
    if (!own && !within) return DecorationSet.empty;
    return new (DecorationSet as unknown as NewDecorations)(own ?? [], within ?? []);
  });
}
