/** Finds content that this editor does not know, before y-tiptap sees it: y-tiptap deletes what it cannot build.
 *
 * A document may have been written by another application, or by a newer version of this one: nodes, marks, embeds and
 * attributes that the schema lacks. An element that cannot be built is deleted from the shared document at once; an unknown
 * attribute goes with the next edit of its element. So a document that holds any of it is not bound to an editor at all (the page shows a
 * mirror of it, read-only), and when foreign content arrives later, the editor is let go before y-tiptap hears of the change.
 */

import type { Node, NodeType, Schema } from "@tiptap/pm/model";
import * as Y from "yjs";
import { canHold } from "./tolerance";

export interface Foreign {
  readonly kind: "node" | "mark" | "embed" | "attribute" | "structure";
  readonly name: string;
}

/** Returns what the editor of `schema` cannot keep unharmed in `fragment`, each kind and name once. */
export function foreignContent(fragment: Y.XmlFragment, schema: Schema): readonly Foreign[] {
  const survey = new Survey(schema);
  survey.readRoot(fragment);
  for (const child of fragment.toArray()) survey.readWhole(child);
  return survey.found();
}

/**
 * Calls `onForeign` as soon as a change brings foreign content into `fragment`; returns the way to stop. It must be called before
 * the editor is made: observers are told in the order in which they came.
 */
export function watchForForeign(
  fragment: Y.XmlFragment,
  schema: Schema,
  onForeign: (foreign: readonly Foreign[]) => void,
): () => void {
  const observe = (events: readonly Y.YEvent<Y.AbstractType<unknown>>[]) => {
    const survey = new Survey(schema);
    for (const event of events) survey.readChange(event, fragment);
    const found = survey.found();
    if (found.length > 0) onForeign(found);
  };
  fragment.observeDeep(observe as Parameters<typeof fragment.observeDeep>[0]);
  return () => fragment.unobserveDeep(observe as Parameters<typeof fragment.observeDeep>[0]);
}

class Survey {
  readonly #schema: Schema;
  readonly #found = new Map<string, Foreign>();

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  found(): readonly Foreign[] {
    return [...this.#found.values()];
  }

  readRoot(fragment: Y.XmlFragment): void {
    const { topNodeType } = this.#schema;
    const children = fragment.toArray();
    if (children.some((child) => child instanceof Y.XmlText)) this.#note("structure", topNodeType.name);
    else if (children.length > 0) this.#checkChildren(topNodeType, children);
  }

  readChange(event: Y.YEvent<Y.AbstractType<unknown>>, root: Y.XmlFragment): void {
    const target: unknown = event.target;
    if (target === root) this.readRoot(root);
    else if (target instanceof Y.XmlElement) this.#readElement(target);
    else if (target instanceof Y.XmlText) this.#readText(target);
    if (target instanceof Y.XmlText) return;
    for (const item of event.changes.added) {
      if (item.content instanceof Y.ContentType) this.readWhole(item.content.type);
    }
  }

  readWhole(type: unknown): void {
    if (type instanceof Y.XmlText) this.#readText(type);
    else if (type instanceof Y.XmlElement) {
      this.#readElement(type);
      for (const child of type.toArray()) this.readWhole(child);
    } else this.#note("node", "unknown type");
  }

  #readElement(element: Y.XmlElement): void {
    const type = this.#schema.nodes[element.nodeName];
    if (!type) {
      this.#note("node", element.nodeName);
      return;
    }
    for (const [name, value] of Object.entries(element.getAttributes())) {
      if (value !== null && value !== undefined && !(name in (type.spec.attrs ?? {}))) {
        this.#note("attribute", `${type.name}.${name}`);
      }
    }
    this.#checkChildren(type, element.toArray());
  }

  #readText(text: Y.XmlText): void {
    for (const { insert, attributes } of text.toDelta() as readonly Delta[]) {
      if (typeof insert !== "string") this.#note("embed", "embed");
      for (const [key, value] of Object.entries(attributes ?? {})) this.#readMark(key, value);
    }
  }

  #readMark(key: string, value: unknown): void {
    // Marks that may overlap themselves carry a hash: `comment--A1b2C3d4`.
    const name = /^(.*)--[a-zA-Z0-9+/=]{8}$/.exec(key)?.[1] ?? key;
    const type = this.#schema.marks[name];
    if (!type) {
      this.#note("mark", name);
      return;
    }
    if (typeof value !== "object" || value === null) return;
    for (const [attribute, held] of Object.entries(value)) {
      if (held !== null && !(attribute in (type.spec.attrs ?? {}))) {
        this.#note("attribute", `${name}.${attribute}`);
      }
    }
  }

  #checkChildren(type: NodeType, children: readonly unknown[]): void {
    const samples: Node[] = [];
    for (const child of children) {
      if (child instanceof Y.XmlText && child.length > 0) samples.push(this.#schema.text("-"));
      const known = child instanceof Y.XmlElement && this.#schema.nodes[child.nodeName];
      if (known) samples.push(known.create());
    }
    if (!canHold(type, samples)) this.#note("structure", type.name);
  }

  #note(kind: Foreign["kind"], name: string): void {
    this.#found.set(`${kind} ${name}`, { kind, name });
  }
}

interface Delta {
  readonly insert: unknown;
  readonly attributes?: Readonly<Record<string, unknown>>;
}
