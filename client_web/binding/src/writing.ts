/** Writes one's own edits into the shared document, and reads no more of it than the edit touches.
 *
 * A node that is the very node of its Yjs type is passed over. So is everything that the schema
 * does not show. An element is kept wherever a node of its kind still stands in its place, because
 * what others write in an element that was made anew would be lost.
 */

import { Mark, type Node } from "prosemirror-model";
import * as Y from "yjs";
import { differenceOf } from "./difference.js";
import {
  ANNOTATIONS,
  attributesOf,
  formatsOf,
  isInOrder,
  keyOf,
  overlapsItself,
  PROPOSALS,
  readAttributes,
  writeAnnotations,
  writeProposals,
} from "./marks.js";
import { typeIn, type YType } from "./positions.js";
import { piecesOf, type Reader } from "./reading.js";

export class Writer {
  readonly #reader: Reader;
  readonly #transaction: Y.Transaction;
  /** The one line that holds the caret, and the caret's offset in it. */
  readonly #caret: Caret | null;
  /** Lines that the shared document keeps in another form than the editor shows them. */
  readonly altered = new Set<YType>();

  constructor(reader: Reader, transaction: Y.Transaction, caret: Caret | null) {
    this.#reader = reader;
    this.#transaction = transaction;
    this.#caret = caret;
  }

  /** Makes what an element holds what `node` holds. */
  write(element: YType, node: Node): void {
    const before = this.#reader.nodes.get(element);
    if (before === node) return;
    if (element instanceof Y.XmlElement) this.#writeAttributes(element, before ?? null, node);
    if (node.inlineContent) this.#writeLine(element as Y.XmlElement, node);
    else this.#writeChildren(element as Y.XmlFragment, node);
    this.#know(element, node);
  }

  #know(element: YType, node: Node): void {
    this.#reader.nodes.set(element, node);
    if (node.inlineContent ? !isKeptAsItIs(node) : node.isInline && node.marks.length > 0) {
      this.altered.add(element);
    }
  }

  #writeAttributes(element: Y.XmlElement, before: Node | null, { attrs }: Node): void {
    const known: Record<string, unknown> = before?.attrs ?? readAttributes(element, this.#schema);
    for (const [name, value] of Object.entries(attrs)) {
      if (isSame(known[name] ?? null, value)) continue;
      if (name === ANNOTATIONS) writeAnnotations(element, known[name], value, this.#schema);
      else if (name === PROPOSALS) writeProposals(element, known[name], value);
      else if (value === null || value === undefined) element.removeAttribute(name);
      else element.setAttribute(name, value);
    }
  }

  #writeChildren(parent: Y.XmlFragment, node: Node): void {
    const elements = shownIn(parent, this.#reader);
    const nodes = [...node.content.content];
    let left = 0;
    const most = Math.min(elements.length, nodes.length);
    while (left < most && this.#nodeOf(elements[left]) === nodes[left]) left += 1;
    let right = 0;
    while (right < most - left && this.#nodeOf(elements.at(-1 - right)) === nodes.at(-1 - right)) right += 1;
    const changed = elements.slice(left, elements.length - right);
    const wanted = nodes.slice(left, nodes.length - right);
    let behind = elements[left - 1]?._item ?? null;
    let [element, at] = [0, 0];
    for (const kept of stayingOf(changed, wanted, this.#reader)) {
      this.#writeStretch(parent, behind, changed.slice(element, kept.element), wanted.slice(at, kept.at));
      behind = changed[kept.element]?._item ?? behind;
      [element, at] = [kept.element + 1, kept.at + 1];
    }
    this.#writeStretch(parent, behind, changed.slice(element), wanted.slice(at));
  }

  /** Writes children between two that stay. */
  #writeStretch(
    parent: Y.XmlFragment,
    before: Y.Item | null,
    elements: readonly Y.XmlElement[],
    wanted: readonly Node[],
  ): void {
    const holdsProposed = [...elements.map((element) => this.#nodeOf(element)), ...wanted].some(proposedIn);
    const isPaired = holdsProposed || wanted.some((node) => sources.has(node));
    if (isPaired && elements.length * wanted.length <= MOST_PAIRS) {
      this.#writePairs(parent, before, elements, wanted);
      return;
    }
    let behind = before;
    let [left, right] = [0, 0];
    const isExchanged = this.#exchanges(elements, wanted);
    while (left + right < elements.length && left + right < wanted.length) {
      const [first, firstNode] = [elements[left], wanted[left]] as [Y.XmlElement, Node];
      const [last, lastNode] = [elements.at(-1 - right), wanted.at(-1 - right)] as [Y.XmlElement, Node];
      const likeFirst = isExchanged(first, firstNode) ? -1 : this.#likeness(first, firstNode);
      const likeLast = isExchanged(last, lastNode) ? -1 : this.#likeness(last, lastNode);
      if (likeFirst < 0 && likeLast < 0) {
        this.#remove(first);
        behind = this.#insert(parent, behind, [firstNode]);
        left += 1;
      } else if (likeFirst >= likeLast) {
        this.write(first, firstNode);
        behind = first._item;
        left += 1;
      } else {
        this.write(last, lastNode);
        right += 1;
      }
    }
    for (const element of elements.slice(left, elements.length - right)) this.#remove(element);
    this.#insert(parent, behind, wanted.slice(left, wanted.length - right));
  }

  /**
   * Writes a stretch in which somebody proposes blocks, or of which is known what its blocks were. No element becomes a block that is proposed beside it, and a proposed one
   * that goes becomes no other: what others write in an element belongs to its words.
   */
  #writePairs(
    parent: Y.XmlFragment,
    before: Y.Item | null,
    elements: readonly Y.XmlElement[],
    wanted: readonly Node[],
  ): void {
    const there = new Set(elements.map((each) => this.#nodeOf(each)));
    const pairs = pairsOf(elements.length, wanted.length, (one, other) => {
      const [kept, node] = [elements[one] as Y.XmlElement, wanted[other] as Node];
      const source = sources.get(node);
      // What is not here any more says nothing.
      const isSaid = source === null || (source !== undefined && there.has(source));
      return this.#fitness(kept, node, isSaid ? source : undefined);
    });
    let behind = before;
    let [element, at] = [0, 0];
    for (const [one, other] of [...pairs, [elements.length, wanted.length] as const]) {
      for (const gone of elements.slice(element, one)) this.#remove(gone);
      behind = this.#insert(parent, behind, wanted.slice(at, other));
      const [kept, node] = [elements[one], wanted[other]];
      if (kept && node) {
        this.write(kept, node);
        behind = kept._item;
      }
      [element, at] = [one + 1, other + 1];
    }
  }

  /** How well an element may become a node: 0 if it may not, and the more, the more words stay where they are. */
  #fitness(element: Y.XmlElement, node: Node, source: Node | null | undefined): number {
    const before = this.#nodeOf(element);
    if (!before || element.nodeName !== node.type.name) return 0;
    if (source !== undefined) return source === before ? 2 + MOST_SHARED : 0;
    const [was, is] = [proposedIn(before), proposedIn(node)];
    const shared = Math.min(sharedBy(before, node), MOST_SHARED);
    if (was === is) return 2 + shared;
    // Accepted.
    return is === null ? 1 + shared : 0;
  }

  /**
   * Tells elements whose words go to another node, and get those of another element. Each is made anew, so that what others
   * write in it can be brought after its words.
   */
  #exchanges(
    elements: readonly Y.XmlElement[],
    wanted: readonly Node[],
  ): (element: Y.XmlElement, node: Node) => boolean {
    if (elements.length < 2 || wanted.length < 2) return () => false;
    const wordsOf = (element: Y.XmlElement) => this.#nodeOf(element)?.textContent ?? "";
    const [before, after] = [
      new Set(elements.map(wordsOf)),
      new Set(wanted.map(({ textContent }) => textContent)),
    ];
    return (element, { textContent }) => {
      const words = wordsOf(element);
      const areWords = words !== "" && textContent !== "" && words !== textContent;
      return areWords && after.has(words) && before.has(textContent);
    };
  }

  /** How much of a node its element holds already; below 0 if the element cannot become the node. */
  #likeness(element: Y.XmlElement, node: Node): number {
    if (element.nodeName !== node.type.name) return -1;
    const before = this.#nodeOf(element);
    if (!before) return 0;
    if (node.inlineContent) return before.content.size > 0 && before.content.eq(node.content) ? 2 : 0;
    const [old, now] = [before.content.content, node.content.content];
    const most = Math.min(old.length, now.length);
    let left = 0;
    while (left < most && isAlike(old[left], now[left])) left += 1;
    let right = 0;
    while (right < most - left && isAlike(old.at(-1 - right), now.at(-1 - right))) right += 1;
    return left + right;
  }

  #nodeOf(element: Y.XmlElement | undefined): Node | null {
    return (element && this.#reader.nodes.get(element)) ?? null;
  }

  #remove(element: YType): void {
    element._item?.delete(this.#transaction);
  }

  #insert(parent: Y.XmlFragment, behind: Y.Item | null, nodes: readonly Node[]): Y.Item | null {
    if (nodes.length === 0) return behind;
    const made = nodes.map((node) => this.#elementFor(node));
    // The declared type leaves out that a place may be an item, or the beginning.
    parent.insertAfter(behind as unknown as Y.XmlElement, made);
    return made.at(-1)?._item ?? behind;
  }

  #elementFor(node: Node): Y.XmlElement {
    return elementFor(node, (element, made) => this.#know(element, made));
  }

  #writeLine(element: Y.XmlElement, node: Node): void {
    const line = lineOf(element, this.#reader);
    const wanted = wantedLine(node);
    const caret = this.#caret?.node === node ? this.#caret.offset : null;
    const most = Math.min(line.elements.length, wanted.elements.length);
    const isSameAt = (at: number, wantedAt: number) =>
      this.#nodeOf(line.elements[at]) === wanted.elements[wantedAt];
    let left = 0;
    while (left < most && isSameAt(left, left) && this.#isSameText(line.texts[left], wanted.texts[left]))
      left += 1;
    let right = 0;
    const [last, lastWanted] = [line.elements.length - 1, wanted.elements.length - 1];
    while (
      right < most - left &&
      isSameAt(last - right, lastWanted - right) &&
      this.#isSameText(line.texts[last + 1 - right], wanted.texts[lastWanted + 1 - right])
    ) {
      right += 1;
    }
    const [end, wantedEnd] = [line.elements.length - right, wanted.elements.length - right];
    const pairs = pairsOf(end - left, wantedEnd - left, (one, other) => {
      const [kept, node] = [line.elements[left + one], wanted.elements[left + other]];
      if (kept?.nodeName !== node?.type.name) return 0;
      return this.#nodeOf(kept) === node ? 3 : 2;
    });
    const offset = (at: number) => (caret === null ? undefined : caret - (wanted.starts[at] ?? 0));
    let [from, at] = [left, left];
    for (const [one, other] of [...pairs, [end - left, wantedEnd - left] as const]) {
      const [until, wantedUntil] = [left + one, left + other];
      this.#writeLineStretch(element, line, wanted, { from, until, at, wantedUntil, offset });
      const [kept, node] = [line.elements[until], wanted.elements[wantedUntil]];
      if (until < end && kept && node) this.write(kept, node);
      [from, at] = [until + 1, wantedUntil + 1];
    }
  }

  /** Writes the words between two elements that stay, and the elements among them. */
  #writeLineStretch(
    element: Y.XmlElement,
    line: ReturnType<typeof lineOf>,
    wanted: ReturnType<typeof wantedLine>,
    { from, until, at, wantedUntil, offset }: LineStretch,
  ): void {
    const places = line.texts.slice(from, until + 1);
    for (const gone of line.elements.slice(from, until)) this.#remove(gone);
    if (at === wantedUntil) {
      // Words on both sides of an element that goes stay what they are.
      const texts = places.flatMap((place) => place.texts);
      this.#writeText(
        element,
        { texts, behind: places[0]?.behind ?? null },
        wanted.texts[at] ?? [],
        offset(at),
      );
      return;
    }
    for (const text of places.slice(1).flatMap(({ texts }) => texts)) this.#remove(text);
    const behind = this.#writeText(element, places[0], wanted.texts[at] ?? [], offset(at));
    const made: (Y.XmlElement | Y.XmlText)[] = [];
    for (let index = at; index < wantedUntil; index += 1) {
      made.push(this.#elementFor(wanted.elements[index] as Node));
      const text = wanted.texts[index + 1] ?? [];
      if (text.length > 0) made.push(textFor(text));
    }
    element.insertAfter(behind as unknown as Y.XmlElement, made);
  }

  #isSameText(text: LineText | undefined, wanted: readonly Node[] | undefined): boolean {
    if (!text || !wanted) return false;
    const runs = this.#runsOf(text);
    let at = 0;
    for (const { insert, formats } of runs) {
      const end = at + insert.length;
      if (textBetween(wanted, at, end) !== insert) return false;
      const marks = Mark.setFrom(formats.map(({ mark }) => mark));
      if (!marksIn(wanted, at, end).every((each) => Mark.sameSet(each.marks, marks))) return false;
      at = end;
    }
    return at === lengthOf(wanted);
  }

  #runsOf({ texts }: LineText) {
    return texts.flatMap((text) =>
      piecesOf(text).map(({ insert, attributes }) => ({
        insert: String(insert),
        formats: formatsOf(attributes, this.#schema),
      })),
    );
  }

  get #schema() {
    return this.#reader.schema;
  }

  /** Makes the text at a place what it should be; returns the last item of the place. */
  #writeText(
    parent: Y.XmlElement,
    place: LineText | undefined,
    wanted: readonly Node[],
    caret?: number,
  ): Y.Item | null {
    const texts = place?.texts ?? [];
    const after = wholeLetters(textBetween(wanted, 0, lengthOf(wanted)));
    if (texts.length === 0) {
      if (after === "") return place?.behind ?? null;
      const text = textFor(wanted);
      parent.insertAfter((place?.behind ?? null) as unknown as Y.XmlElement, [text]);
      return text._item;
    }
    const before = texts.map(plainText).join("");
    const isTyped = caret !== undefined && caret >= 0 && caret <= after.length;
    const { index, removed, inserted } = differenceOf(before, after, isTyped ? caret : undefined);
    const settled = removed > 0 ? this.#settledIn(texts, wanted, after) : null;
    const pieces =
      !settled && removed > 0 && inserted !== "" ? this.#keptOf(texts, index, removed, inserted) : null;
    for (const { at, length } of settled?.gone ?? pieces?.gone ?? [{ at: index, length: removed }])
      removeFrom(texts, at, length);
    const from = settled?.left ?? index + (pieces?.kept ?? 0);
    insertInto(texts, from, settled ? after.slice(from) : inserted.slice(from - index), wanted);
    let at = 0;
    for (const text of texts) {
      this.#writeFormats(text, wanted, at);
      at += text.length;
    }
    return texts.at(-1)?._item ?? null;
  }

  /**
   * Which pieces of a text go, the last one first, and how many letters are left, where suggestions are settled: annotated
   * pieces go whole, and others stay, up to where the line is cut, or another one comes to its end. Null for another change.
   */
  #settledIn(texts: readonly Y.XmlText[], wanted: readonly Node[], after: string) {
    let start = 0;
    const runs = this.#runsOf({ texts, behind: null }).map(({ insert, formats }) => {
      const run = { insert, at: start, isAnnotated: formats.some(({ mark }) => overlapsItself(mark.type)) };
      start += insert.length;
      return run;
    });
    if (!runs.some(({ isAnnotated }) => isAnnotated)) return null;
    const isAnnotatedIn = (from: number, to: number) =>
      marksIn(wanted, from, to).some(({ marks }) => marks.some(({ type }) => overlapsItself(type)));
    const stays: boolean[] = [];
    let left = 0;
    for (let tries = runs.length * 4 + 100; tries > 0; tries -= 1) {
      const run = runs[stays.length];
      if (!run || (left === after.length && run.isAnnotated)) {
        const gone = runs
          .filter((_, index) => !stays[index])
          .map(({ at, insert: { length } }) => ({ at, length }));
        return { gone: gone.reverse(), left };
      }
      const end = left + run.insert.length;
      const isThere = after.startsWith(run.insert, left) && (run.isAnnotated || !isAnnotatedIn(left, end));
      if (isThere || run.isAnnotated) {
        stays.push(isThere);
        if (isThere) left = end;
        continue;
      }
      // The last annotated piece that has stayed goes instead.
      let isMoved = false;
      while (stays.length > 0 && !isMoved) {
        if (!stays.pop()) continue;
        const last = runs[stays.length];
        left -= last?.insert.length ?? 0;
        isMoved = last?.isAnnotated === true;
      }
      if (!isMoved) return null;
      stays.push(false);
    }
    return null;
  }

  /**
   * Which annotated pieces go from a part of a text, the last one first, and how many letters stay: whoever takes back several
   * suggestions in a line leaves the words between them. Null if nothing of the part stays.
   */
  #keptOf(texts: readonly Y.XmlText[], index: number, removed: number, inserted: string) {
    const gone: { at: number; length: number }[] = [];
    let [at, kept, isAnnotated] = [0, 0, false];
    for (const { insert, formats } of this.#runsOf({ texts, behind: null })) {
      const from = Math.max(at, index);
      const words = insert.slice(from - at, Math.max(index + removed - at, 0));
      at += insert.length;
      if (from >= at || words === "") continue;
      if (inserted.startsWith(words, kept)) kept += words.length;
      else {
        gone.unshift({ at: from, length: words.length });
        isAnnotated ||= formats.some(({ mark }) => overlapsItself(mark.type));
      }
    }
    return isAnnotated && kept > 0 ? { gone, kept } : null;
  }

  #writeFormats(text: Y.XmlText, wanted: readonly Node[], start: number): void {
    let at = 0;
    const changes: { at: number; length: number; attributes: Record<string, unknown> }[] = [];
    for (const { insert, attributes } of piecesOf(text)) {
      const { length } = String(insert);
      const formats = formatsOf(attributes, this.#schema);
      for (const { from, to, marks } of marksIn(wanted, start + at, start + at + length)) {
        const gone = formats.filter(({ mark }) => !mark.isInSet(marks)).map(({ key }) => [key, null]);
        const come = marks
          .filter((mark) => !formats.some((format) => format.mark.eq(mark)))
          .map((mark) => [keyOf(mark), mark.attrs]);
        if (gone.length + come.length > 0) {
          changes.push({
            at: from - start,
            length: to - from,
            attributes: Object.fromEntries([...gone, ...come]),
          });
        }
      }
      at += length;
    }
    for (const change of changes) text.format(change.at, change.length, change.attributes);
  }
}

/** Earlier forms of nodes, where somebody has said so. */
const sources = new WeakMap<Node, Node | null>();

/**
 * Says of a node of the next edit which node of the document before goes on in it: null for none. The element of that node is kept.
 * For what is not said the words decide.
 */
export function goesOn(node: Node, source: Node | null): void {
  sources.set(node, source);
}

/** Beyond so many pairs of an element and a node, elements are taken in their order. */
const MOST_PAIRS = 250_000;

/** Letters in common beyond which a pair is as good as one of the same words. */
const MOST_SHARED = 250;

/** Number of letters of a node that are in another one too: at its ends, or in pieces that came whole. */
function sharedBy(before: Node, after: Node): number {
  const [old, now] = [wordsIn(before), wordsIn(after)];
  if (old.text === now.text) return MOST_SHARED;
  const { removed } = differenceOf(old.text, now.text);
  let whole = 0;
  for (const piece of old.pieces) if (now.text.includes(piece)) whole += piece.length;
  return Math.max(old.text.length - removed, whole);
}

/** The words of a node, also piece by piece as they are marked. */
interface Words {
  readonly text: string;
  readonly pieces: readonly string[];
}

const words = new WeakMap<Node, Words>();

function wordsIn(node: Node): Words {
  const known = words.get(node);
  if (known) return known;
  const pieces: string[] = [];
  node.descendants(({ text }) => {
    if (text !== undefined) pieces.push(text);
  });
  const found = { text: pieces.join(""), pieces };
  words.set(node, found);
  return found;
}

/** Pairs in their order that fit best together: of the rows of pairs, one with the greatest sum. */
function pairsOf(
  ones: number,
  others: number,
  fitness: (one: number, other: number) => number,
): readonly (readonly [number, number])[] {
  const width = others + 1;
  const sums = new Uint32Array((ones + 1) * width);
  const sumAt = (one: number, other: number) => sums[one * width + other] ?? 0;
  const fits = new Uint8Array(ones * width);
  for (let one = ones - 1; one >= 0; one -= 1) {
    for (let other = others - 1; other >= 0; other -= 1) {
      const fit = fitness(one, other);
      fits[one * width + other] = fit;
      const paired = fit > 0 ? sumAt(one + 1, other + 1) + fit : 0;
      sums[one * width + other] = Math.max(paired, sumAt(one + 1, other), sumAt(one, other + 1));
    }
  }
  const pairs: [number, number][] = [];
  let [one, other] = [0, 0];
  while (one < ones && other < others) {
    const fit = fits[one * width + other] ?? 0;
    if (fit > 0 && sumAt(one, other) === sumAt(one + 1, other + 1) + fit) pairs.push([one++, other++]);
    else if (sumAt(one, other) === sumAt(one + 1, other)) one += 1;
    else other += 1;
  }
  return pairs;
}

interface LineStretch {
  /** The elements between, and those wanted. */
  readonly from: number;
  readonly until: number;
  readonly at: number;
  readonly wantedUntil: number;
  readonly offset: (at: number) => number | undefined;
}

/** Half of a letter beyond U+FFFF is nothing that can be sent: Yjs and the wire make this sign of the half. */
function wholeLetters(text: string): string {
  return text.replace(HALVES, "\ufffd");
}

const HALVES = /\p{Surrogate}/gu;

/** Whether what is written of a line is read as the same: no halves of letters, marks in the reader's order, and only on words. */
function isKeptAsItIs({ content }: Node): boolean {
  return content.content.every(({ text, marks }) =>
    text === undefined ? marks.length === 0 : text === wholeLetters(text) && isInOrder(marks),
  );
}

/** The id under which a node is proposed; null for what is there. */
function proposedIn(node: Node | null): string | null {
  const suggestion: unknown = node?.attrs.suggestion;
  if (typeof suggestion !== "object" || suggestion === null) return null;
  const { kind, id } = suggestion as { readonly kind?: unknown; readonly id?: unknown };
  return kind === "insert" && typeof id === "string" ? id : null;
}

export interface Caret {
  readonly node: Node;
  readonly offset: number;
}

/** Children of a new element: runs of text nodes, and other nodes. */
function linePartsOf(node: Node): (Node | Node[])[] {
  const parts: (Node | Node[])[] = [];
  node.forEach((child) => {
    const last = parts.at(-1);
    if (!child.isText) parts.push(child);
    else if (Array.isArray(last)) last.push(child);
    else parts.push([child]);
  });
  return parts;
}

/** One place for text in a line: before, between or behind the elements of the line. */
interface LineText {
  readonly texts: readonly Y.XmlText[];
  /** What stands before the place. */
  readonly behind: Y.Item | null;
}

function lineOf(element: Y.XmlElement, { nodes }: Reader) {
  const elements: Y.XmlElement[] = [];
  let texts: Y.XmlText[] = [];
  const places: LineText[] = [{ texts, behind: null }];
  for (let item = element._first; item; item = item.next) {
    const type = typeIn(item);
    if (type instanceof Y.XmlText) texts.push(type);
    else if (type instanceof Y.XmlElement && nodes.get(type)) {
      elements.push(type);
      texts = [];
      places.push({ texts, behind: item });
    }
  }
  return { elements, texts: places };
}

function wantedLine(node: Node) {
  const elements: Node[] = [];
  let text: Node[] = [];
  const texts: Node[][] = [text];
  const starts = [0];
  node.forEach((child, at) => {
    if (child.isText) {
      text.push(child);
      return;
    }
    elements.push(child);
    text = [];
    texts.push(text);
    starts.push(at + child.nodeSize);
  });
  return { elements, texts, starts };
}

function textFor(nodes: readonly Node[]): Y.XmlText {
  const text = new Y.XmlText();
  text.applyDelta(
    nodes.map(({ text: words = "", marks }) => ({
      insert: wholeLetters(words),
      attributes: attributesOf(marks),
    })),
  );
  return text;
}

function plainText(text: Y.XmlText): string {
  return piecesOf(text)
    .map(({ insert }) => (typeof insert === "string" ? insert : "\ufffc"))
    .join("");
}

function removeFrom(texts: readonly Y.XmlText[], index: number, length: number): void {
  let [from, left] = [index, length];
  for (const text of texts) {
    const here = Math.min(Math.max(text.length - from, 0), left);
    const whole = text.length;
    if (here > 0) text.delete(from, here);
    from = Math.max(from - whole, 0);
    left -= here;
    if (left === 0) return;
  }
}

function insertInto(
  texts: readonly Y.XmlText[],
  index: number,
  inserted: string,
  wanted: readonly Node[],
): void {
  if (inserted === "") return;
  let from = index;
  for (const text of texts) {
    if (from > text.length) {
      from -= text.length;
      continue;
    }
    let at = index;
    for (const { from: start, to, marks } of marksIn(wanted, index, index + inserted.length)) {
      const words = wholeLetters(inserted.slice(start - index, to - index));
      text.insert(from + at - index, words, attributesOf(marks));
      at = to;
    }
    return;
  }
}

function lengthOf(nodes: readonly Node[]): number {
  return nodes.reduce((length, { nodeSize }) => length + nodeSize, 0);
}

function textBetween(nodes: readonly Node[], from: number, to: number): string {
  return marksIn(nodes, from, to)
    .map(({ text }) => text)
    .join("");
}

/** The pieces of text nodes between two offsets. */
function marksIn(nodes: readonly Node[], from: number, to: number) {
  const found: { from: number; to: number; text: string; marks: readonly Mark[] }[] = [];
  let at = 0;
  for (const { text = "", marks } of nodes) {
    const [start, end] = [Math.max(from, at), Math.min(to, at + text.length)];
    if (start < end) found.push({ from: start, to: end, text: text.slice(start - at, end - at), marks });
    at += text.length;
  }
  return found;
}

function shownIn(parent: Y.XmlFragment, { nodes }: Reader): readonly Y.XmlElement[] {
  const shown: Y.XmlElement[] = [];
  for (let item = parent._first; item; item = item.next) {
    const type = typeIn(item);
    if (type instanceof Y.XmlElement && nodes.get(type)) shown.push(type);
  }
  return shown;
}

/** Children that stay what they are, as many as keep their order: the longest increasing row. */
function stayingOf(elements: readonly Y.XmlElement[], wanted: readonly Node[], { nodes }: Reader) {
  const places = new Map<Node, number>();
  for (const [at, node] of wanted.entries()) if (!places.has(node)) places.set(node, at);
  const candidates: { element: number; at: number; before: number }[] = [];
  /** The last candidate of the best row of each length. */
  const ends: number[] = [];
  for (const [element, type] of elements.entries()) {
    const node = nodes.get(type);
    const at = node ? places.get(node) : undefined;
    if (at === undefined) continue;
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((candidates[ends[middle] ?? 0]?.at ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    candidates.push({ element, at, before: low > 0 ? (ends[low - 1] ?? -1) : -1 });
    ends[low] = candidates.length - 1;
  }
  const row: { element: number; at: number }[] = [];
  for (let at = ends.at(-1) ?? -1; at >= 0; at = candidates[at]?.before ?? -1) {
    const candidate = candidates[at];
    if (candidate) row.push(candidate);
  }
  return row.reverse();
}

function isAlike(one: Node | undefined, other: Node | undefined): boolean {
  return one !== undefined && other !== undefined && (one === other || one.eq(other));
}

function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  return (
    typeof one === "object" && typeof other === "object" && JSON.stringify(one) === JSON.stringify(other)
  );
}

/** A new element that holds what `node` holds; `tell` learns of each element within. */
export function elementFor(node: Node, tell: (element: Y.XmlElement, node: Node) => void): Y.XmlElement {
  const element = new Y.XmlElement(node.type.name);
  for (const [name, value] of Object.entries(node.attrs)) {
    if (name === ANNOTATIONS) writeAnnotations(element, null, value, node.type.schema);
    else if (name === PROPOSALS) writeProposals(element, null, value);
    else if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  const children = linePartsOf(node).map((part) =>
    Array.isArray(part) ? textFor(part) : elementFor(part, tell),
  );
  element.insert(0, children);
  tell(element, node);
  return element;
}
