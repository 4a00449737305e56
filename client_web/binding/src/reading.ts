/** Reads the shared document into nodes of the editor, anew only what has changed.
 *
 * Reading writes nothing. What the schema cannot build has no node: the editor does not show it,
 * and the shared document keeps it.
 */

import { type Fragment, Mark, type Node, type Schema } from "prosemirror-model";
import * as Y from "yjs";
import { type Attributes, formatsOf, readAttributes } from "./marks.js";
import { typeIn, type YType } from "./positions.js";

/** A piece of a Yjs text with one set of formats. */
export interface Piece {
  readonly insert: unknown;
  readonly attributes?: Attributes;
}

/** What is to be read anew: a type with all that it is, or only these of the types in it. */
export type Stale = ReadonlyMap<YType, ReadonlySet<YType> | "whole">;

export function piecesOf(text: Y.XmlText): readonly Piece[] {
  return text.toDelta() as readonly Piece[];
}

export class Reader {
  readonly schema: Schema;
  readonly #report: (error: unknown) => void;
  /** The node of each type as the editor shows the type; null for what cannot be shown. */
  readonly nodes = new WeakMap<YType, Node | null>();
  /** How many nodes were made, for benchmarks and tests. */
  made = 0;

  constructor(schema: Schema, report: (error: unknown) => void) {
    this.schema = schema;
    this.#report = report;
  }

  /** The whole document, read anew in `stale` types and in those that have no node yet. */
  read(root: Y.XmlFragment, stale: Stale): Node {
    const type = this.schema.topNodeType;
    this.made += 1;
    const patched = this.#patched(root, stale);
    if (patched) return patched;
    const children = this.#childrenOf(root, false, stale);
    const node = type.createAndFill(null, children) ?? type.createAndFill();
    if (!node) throw new RangeError(`A ${type.name} cannot be made`);
    return node;
  }

  /** The node of a type in which only inner types have changed: a document of thousands of lines is not read for one. */
  #patched(parent: YType, stale: Stale): Node | null {
    const [known, inner] = [this.nodes.get(parent), stale.get(parent)];
    if (!known || inner === undefined || inner === "whole") return null;
    let { content } = known;
    for (const type of inner) {
      const index = indexIn(content, this.nodes.get(type));
      const node = index === null ? null : this.#elementOf(type, stale);
      if (index === null || node === null) return null;
      content = content.replaceChild(index, node);
    }
    return known.copy(content);
  }

  #childrenOf(parent: YType, isInline: boolean, stale: Stale): readonly Node[] {
    const children: Node[] = [];
    for (let item = parent._first; item; item = item.next) {
      const type = typeIn(item);
      if (type instanceof Y.XmlText) {
        if (isInline) children.push(...this.#textOf(type));
        continue;
      }
      const known = type && !stale.has(type) ? this.nodes.get(type) : undefined;
      const node = known === undefined ? this.#elementOf(type, stale) : known;
      if (node) children.push(node);
    }
    return children;
  }

  #elementOf(element: YType | null, stale: Stale): Node | null {
    if (!(element instanceof Y.XmlElement)) return null;
    let node: Node | null = null;
    try {
      node = this.#patched(element, stale) ?? this.#built(element, stale);
      this.made += 1;
    } catch (error) {
      this.#report(new Error(`A ${element.nodeName} cannot be shown`, { cause: error }));
    }
    this.nodes.set(element, node);
    return node;
  }

  #built(element: Y.XmlElement, stale: Stale): Node {
    const isInline = this.schema.nodes[element.nodeName]?.inlineContent ?? false;
    const children = this.#childrenOf(element, isInline, stale);
    return this.schema.node(element.nodeName, readAttributes(element, this.schema), [...children]);
  }

  #textOf(text: Y.XmlText): readonly Node[] {
    return piecesOf(text).map(({ insert, attributes }) => {
      if (typeof insert !== "string") throw new RangeError("A text holds something that is no text");
      this.made += 1;
      const marks = formatsOf(attributes, this.schema).map(({ mark }) => mark);
      return this.schema.text(insert, Mark.setFrom(marks));
    });
  }

  /** Takes the nodes of a document in place of equal ones that were read; outside of `stale` they are the same. */
  adopt(element: YType, node: Node, stale: Stale): void {
    const read = this.nodes.get(element);
    if (read === node) return;
    this.nodes.set(element, node);
    if (!read || node.inlineContent || this.#adoptInner(element, read, node, stale)) return;
    let at = 0;
    for (let item = element._first; item; item = item.next) {
      const type = typeIn(item);
      const known = type && this.nodes.get(type);
      if (!type || !known) continue;
      while (at < read.childCount && read.child(at) !== known) at += 1;
      if (at >= Math.min(read.childCount, node.childCount)) return;
      this.adopt(type, node.child(at), stale);
      at += 1;
    }
  }

  /** Adopts those of the types in `element` that are stale; false if all are to be looked at. */
  #adoptInner(element: YType, read: Node, node: Node, stale: Stale): boolean {
    const inner = stale.get(element);
    if (inner === undefined || inner === "whole" || read.childCount !== node.childCount) return false;
    const found = [...inner].map((type) => ({ type, index: indexIn(read.content, this.nodes.get(type)) }));
    if (found.some(({ index }) => index === null)) return false;
    for (const { type, index } of found) if (index !== null) this.adopt(type, node.child(index), stale);
    return true;
  }
}

/** Where a node stands; null if it is not there, or in more than one place: what is pasted twice is one node. */
function indexIn({ content }: Fragment, node: Node | null | undefined): number | null {
  const index = node ? content.indexOf(node) : -1;
  return index === -1 || (node && content.includes(node, index + 1)) ? null : index;
}
