/** Reads the shared document into nodes of the editor, anew only what has changed.
 *
 * Reading writes nothing. What the schema cannot build has no node: the editor does not show it,
 * and the shared document keeps it.
 */

import { Mark, type Node, type Schema } from "prosemirror-model";
import * as Y from "yjs";
import { type Attributes, formatsOf } from "./marks.js";
import { typeIn, type YType } from "./positions.js";

/** A piece of a Yjs text with one set of formats. */
export interface Piece {
  readonly insert: unknown;
  readonly attributes?: Attributes;
}

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
  read(root: Y.XmlFragment, stale: ReadonlySet<YType>): Node {
    const type = this.schema.topNodeType;
    this.made += 1;
    const children = this.#childrenOf(root, false, stale);
    const node = type.createAndFill(null, children) ?? type.createAndFill();
    if (!node) throw new RangeError(`A ${type.name} cannot be made`);
    return node;
  }

  #childrenOf(parent: YType, isInline: boolean, stale: ReadonlySet<YType>): readonly Node[] {
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

  #elementOf(element: YType | null, stale: ReadonlySet<YType>): Node | null {
    if (!(element instanceof Y.XmlElement)) return null;
    let node: Node | null = null;
    try {
      const isInline = this.schema.nodes[element.nodeName]?.inlineContent ?? false;
      const children = this.#childrenOf(element, isInline, stale);
      this.made += 1;
      node = this.schema.node(element.nodeName, element.getAttributes(), [...children]);
    } catch (error) {
      this.#report(new Error(`A ${element.nodeName} cannot be shown`, { cause: error }));
    }
    this.nodes.set(element, node);
    return node;
  }

  #textOf(text: Y.XmlText): readonly Node[] {
    return piecesOf(text).map(({ insert, attributes }) => {
      if (typeof insert !== "string") throw new RangeError("A text holds something that is no text");
      this.made += 1;
      const marks = formatsOf(attributes, this.schema).map(({ mark }) => mark);
      return this.schema.text(insert, Mark.setFrom(marks));
    });
  }

  /** Takes the nodes of a document in place of equal ones that were read. */
  adopt(element: YType, node: Node): void {
    const read = this.nodes.get(element);
    if (read === node) return;
    this.nodes.set(element, node);
    if (!read || node.inlineContent) return;
    let at = 0;
    for (let item = element._first; item; item = item.next) {
      const type = typeIn(item);
      const known = type && this.nodes.get(type);
      if (!type || !known) continue;
      while (at < read.childCount && read.child(at) !== known) at += 1;
      if (at >= Math.min(read.childCount, node.childCount)) return;
      this.adopt(type, node.child(at));
      at += 1;
    }
  }
}
