/** Shared documents read into nodes of the editor, whatever they hold, without writing anything.
 *
 * This reader is for documents that no editor is bound to, and for copies. What has no node in the
 * schema becomes a placeholder, which names it, or is left out where the schema has no placeholder.
 * The work has a bound: so many nodes, so deep; the rest is one placeholder.
 */

import { inOrder, PROPOSALS, proposalsIn } from "@manyhands/binding";
import { Node as NodeExtension } from "@tiptap/core";
import { Fragment, type Mark, type Node, type NodeType, type Schema } from "@tiptap/pm/model";
import * as Y from "yjs";
import { t } from "../i18n/t";
import { isHeld, isProposal, LARGEST, markNameOf, ownAttributes, shortName, tooLargeTable } from "./foreign";

/** What of a document is shown when there is more in it: enough to see what it is, and drawn within a second. */
const MOST_SHOWN = 5_000;

const PLACEHOLDER = "elsewhere";
const INLINE_PLACEHOLDER = "elsewhereInline";

/** Nodes for what cannot be shown: only in an editor that nobody writes with, never in a document. */
export const placeholders = [
  placeholder(PLACEHOLDER, "div", "block"),
  placeholder(INLINE_PLACEHOLDER, "span", "inline"),
];

function placeholder(name: string, tag: "div" | "span", group: "block" | "inline") {
  return NodeExtension.create({
    name,
    group,
    inline: group === "inline",
    atom: true,
    addAttributes: () => ({ label: { default: "" } }),
    renderHTML: ({ node }) => [tag, { class: "page-elsewhere" }, String(node.attrs.label)],
  });
}

/** Returns the document as `schema` can show it, with the rest left out after `most` parts. */
export function readDocument(fragment: Y.XmlFragment, schema: Schema, most = MOST_SHOWN): Node {
  const reader = new Reader(schema, most);
  const { topNodeType } = schema;
  const root = topNodeType.createAndFill(null, reader.readChildren(fragment, topNodeType, 0));
  return (
    root ?? topNodeType.createAndFill(null, reader.say(t("content"), topNodeType)) ?? topNodeType.create()
  );
}

class Reader {
  readonly #schema: Schema;
  #left: number;

  constructor(schema: Schema, most: number) {
    this.#schema = schema;
    this.#left = most;
  }

  readChildren(parent: Y.XmlFragment, type: NodeType, depth: number): readonly Node[] {
    const nodes: Node[] = [];
    let loose: Node[] = [];
    const closeLoose = () => {
      if (loose.length > 0) nodes.push(...this.#line(loose));
      loose = [];
    };
    for (const child of parent.toArray() as readonly unknown[]) {
      if (this.#left <= 0) {
        closeLoose();
        return [...nodes, ...this.say(t("the rest of it"), type)];
      }
      const isInline = typeof child === "string" || child instanceof Y.XmlText;
      if (isInline && !type.inlineContent) {
        loose.push(...this.#readInline(child));
        continue;
      }
      closeLoose();
      nodes.push(...(isInline ? this.#readInline(child) : this.#readElement(child, type, depth + 1)));
    }
    closeLoose();
    return nodes;
  }

  /** A placeholder that fits in `parent`; nothing where the schema has none, or none fits. */
  say(what: string, parent: NodeType): readonly Node[] {
    const type = this.#schema.nodes[parent.inlineContent ? INLINE_PLACEHOLDER : PLACEHOLDER];
    if (!type || !mayHold(parent, type)) return [];
    return [type.create({ label: t("Not shown here: {what}", { what }) })];
  }

  /** Text that stands where blocks should, as a line of its own. */
  #line(content: readonly Node[]): readonly Node[] {
    const { paragraph } = this.#schema.nodes;
    return paragraph ? [paragraph.create(null, content)] : [];
  }

  #readElement(element: unknown, parent: NodeType, depth: number): readonly Node[] {
    this.#left -= 1;
    if (!(element instanceof Y.XmlElement)) return this.say(t("shared data"), parent);
    const name = shortName(element.nodeName);
    const type = this.#schema.nodes[element.nodeName];
    const isKnown = type && !type.isText && type !== this.#schema.topNodeType;
    if (!isKnown || depth > LARGEST.depth || tooLargeTable(element)) return this.say(name, parent);
    if (!mayHold(parent, type)) {
      // In the wrong place, as a list item without a list: its words are what counts.
      const content = this.readChildren(element, parent, depth);
      return content.length > 0 ? content : this.say(name, parent);
    }
    const attributes: Record<string, unknown> = {};
    const known = type.spec.attrs ?? {};
    const proposed: Record<string, unknown> = {};
    for (const [key, value] of ownAttributes(element)) {
      if (Object.hasOwn(known, key) && isHeld(key, value)) attributes[key] = value;
      else if (isProposal(key, value)) proposed[key] = value;
    }
    if (PROPOSALS in known) attributes[PROPOSALS] = proposalsIn(proposed);
    try {
      const children = type.isLeaf ? [] : this.readChildren(element, type, depth);
      return [this.#schema.node(type, attributes, Fragment.from([...children]))];
    } catch {
      return this.say(name, parent);
    }
  }

  #readInline(text: unknown): readonly Node[] {
    this.#left -= 1;
    if (!(text instanceof Y.XmlText)) return this.#textNodes(String(text), {});
    const parts = text.toDelta() as readonly {
      insert: unknown;
      attributes?: Readonly<Record<string, unknown>>;
    }[];
    const { paragraph } = this.#schema.nodes;
    return parts.flatMap(({ insert, attributes }) => {
      if (typeof insert === "string") return this.#textNodes(insert, attributes ?? {});
      this.#left -= 1;
      return paragraph ? this.say(t("embedded content"), paragraph) : [];
    });
  }

  #textNodes(text: string, attributes: Readonly<Record<string, unknown>>): readonly Node[] {
    if (text === "") return [];
    const marks: Mark[] = [];
    for (const [key, value] of Object.entries(attributes)) {
      const type = this.#schema.marks[markNameOf(key)];
      if (!type) continue;
      const known = Object.entries(typeof value === "object" && value !== null ? value : {}).filter(
        ([name, held]) => isHeld(name, held) && Object.hasOwn(type.spec.attrs ?? {}, name),
      );
      marks.push(type.create(Object.fromEntries(known)));
    }
    return [this.#schema.text(text, inOrder(marks))];
  }
}

/** Whether a node of this type has a place somewhere in `parent`. */
function mayHold(parent: NodeType, type: NodeType): boolean {
  const seen = new Set([parent.contentMatch]);
  for (const match of seen) {
    for (let at = 0; at < match.edgeCount; at++) {
      const edge = match.edge(at);
      if (edge.type === type) return true;
      seen.add(edge.next);
    }
  }
  return false;
}
