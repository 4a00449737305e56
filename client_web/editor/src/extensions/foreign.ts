/** Content that this editor does not know, found before an editor is bound to a document.
 *
 * A document may have been written by another application, or by a newer version of this one: nodes,
 * marks, embeds and attributes that the schema lacks. The binding leaves them where they are and does
 * not show them; who writes around what cannot be seen may delete it. So a document that holds any
 * of it is not bound to an editor at all (the page shows what reading.ts makes of it, read-only).
 * When foreign content arrives later, the editor is let go before the binding hears of the change.
 * Content that would take an editor minutes to draw counts as foreign too.
 */

import { PROPOSALS } from "@manyhands/binding";
import { canHold, MOST_SPAN, wholeNumber } from "@manyhands/schema";
import type { Node, NodeType, Schema } from "@tiptap/pm/model";
import * as Y from "yjs";
import { t } from "../i18n/t";

export interface Foreign {
  readonly kind: "node" | "mark" | "embed" | "attribute" | "structure";
  readonly name: string;
}

/** Beyond these an editor would be busy for longer than a person waits: parts, levels, columns, and what a table's map costs. */
export const LARGEST = { parts: 100_000, depth: 200, columns: 1_000, tableWork: 2_000_000 };
/** Characters of a foreign name that are shown. */
const LONGEST_NAME = 40;

/** Returns what the editor of `schema` cannot keep unharmed in `fragment`, each kind and name once. */
export function foreignContent(fragment: Y.XmlFragment, schema: Schema): readonly Foreign[] {
  const survey = new Survey(schema);
  try {
    survey.readRoot(fragment);
    for (const child of fragment.toArray()) survey.readWhole(child, 1);
  } catch {
    return [...survey.found(), { kind: "structure", name: t("something that cannot be read") }];
  }
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
  readonly #answers = new Map<string, boolean>();
  /** A node of each kind. */
  readonly #samples = new Map<string, Node>();
  #parts = 0;

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  found(): readonly Foreign[] {
    return [...this.#found.values()];
  }

  readRoot(fragment: Y.XmlFragment): void {
    const { topNodeType } = this.#schema;
    const children = fragment.toArray();
    if (children.length > LARGEST.parts) this.#note("structure", t("too many parts"));
    else if (children.some((child) => child instanceof Y.XmlText)) this.#note("structure", topNodeType.name);
    else if (children.length > 0) this.#checkChildren(topNodeType, children);
  }

  readChange(event: Y.YEvent<Y.AbstractType<unknown>>, root: Y.XmlFragment): void {
    const target: unknown = event.target;
    if (target === root) this.readRoot(root);
    else if (target instanceof Y.XmlElement) this.#readElement(target);
    else if (target instanceof Y.XmlText) this.#readText(target);
    if (target instanceof Y.XmlText) return;
    for (const item of event.changes.added) {
      if (item.content instanceof Y.ContentType)
        this.readWhole(item.content.type, levelOf(item.content.type));
    }
    for (let at: unknown = target; at instanceof Y.XmlElement; at = at.parent) {
      if (tooLargeTable(at)) this.#note("structure", t("too large a table"));
    }
  }

  readWhole(type: unknown, level: number): void {
    this.#parts += 1;
    if (this.#parts > LARGEST.parts) this.#note("structure", t("too many parts"));
    else if (level > LARGEST.depth) this.#note("structure", t("too many levels"));
    else if (type instanceof Y.XmlText) this.#readText(type);
    else if (type instanceof Y.XmlElement) {
      this.#readElement(type);
      if (tooLargeTable(type)) this.#note("structure", t("too large a table"));
      for (const child of type.toArray()) this.readWhole(child, level + 1);
    } else this.#note("node", t("shared data"));
  }

  #readElement(element: Y.XmlElement): void {
    const type = this.#schema.nodes[element.nodeName];
    if (!type) {
      this.#note("node", element.nodeName);
      return;
    }
    for (const [name, value] of ownAttributes(element)) {
      // Marks of an element are read by the binding, or left where they are.
      const isKept =
        (Object.hasOwn(type.spec.attrs ?? {}, name) && isHeld(name, value)) ||
        this.#isMark(name) ||
        (PROPOSALS in (type.spec.attrs ?? {}) && isProposal(name, value));
      if (value !== null && value !== undefined && !isKept) this.#note("attribute", `${type.name}.${name}`);
    }
    this.#checkChildren(type, element.toArray());
  }

  #isMark(key: string): boolean {
    const name = markNameOf(key);
    return name !== key && Object.hasOwn(this.#schema.marks, name);
  }

  #readText(text: Y.XmlText): void {
    for (const { insert, attributes } of text.toDelta() as readonly Delta[]) {
      if (typeof insert !== "string") this.#note("embed", "embed");
      for (const [key, value] of Object.entries(attributes ?? {})) this.#readMark(key, value);
    }
  }

  #readMark(key: string, value: unknown): void {
    const name = markNameOf(key);
    const type = this.#schema.marks[name];
    if (!type) {
      this.#note("mark", name);
      return;
    }
    if (typeof value !== "object" || value === null) return;
    for (const [attribute, held] of Object.entries(value)) {
      const isKept = Object.hasOwn(type.spec.attrs ?? {}, attribute) && isHeld(attribute, held);
      if (held !== null && !isKept) this.#note("attribute", `${name}.${attribute}`);
    }
  }

  #checkChildren(type: NodeType, children: readonly unknown[]): void {
    const kinds: string[] = [];
    for (const child of children) {
      if (child instanceof Y.XmlText && child.length > 0) kinds.push("text");
      if (!(child instanceof Y.XmlText || child instanceof Y.XmlElement))
        this.#note("node", t("shared data"));
      const known = child instanceof Y.XmlElement ? this.#schema.nodes[child.nodeName] : undefined;
      if (known?.isText) this.#note("node", known.name);
      else if (known) kinds.push(known.name);
    }
    if (!this.#fits(type, kinds)) this.#note("structure", type.name);
  }

  /** Whether such children can stand in a node. The blocks of a document are alike: one question answers for all that are. */
  #fits(type: NodeType, kinds: readonly string[]): boolean {
    const question = `${type.name} ${kinds.join(" ")}`;
    const known = this.#answers.get(question);
    if (known !== undefined) return known;
    const answer = canHold(
      type,
      kinds.flatMap((kind) => this.#sampleOf(kind)),
    );
    this.#answers.set(question, answer);
    return answer;
  }

  #sampleOf(kind: string): Node | readonly Node[] {
    const known = this.#samples.get(kind);
    if (known) return known;
    const made = kind === "text" ? this.#schema.text("-") : this.#schema.nodes[kind]?.create();
    if (!made) return [];
    this.#samples.set(kind, made);
    return made;
  }

  #note(kind: Foreign["kind"], name: string): void {
    const shown = shortName(name);
    this.#found.set(`${kind} ${shown}`, { kind, name: shown });
  }
}

interface Delta {
  readonly insert: unknown;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** An element's attributes as they are stored; Yjs' own way to read them loses one that is named `__proto__`. */
export function ownAttributes(element: Y.XmlElement): readonly (readonly [string, unknown])[] {
  return [...element._map].flatMap(([name, { deleted, content, length }]) =>
    deleted ? [] : [[name, content.getContent()[length - 1]] as const],
  );
}

/** Whether a value is what an editor's attributes hold: text, a number, a yes or no, or a list of numbers. */
export function isPlain(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((each) => typeof each === "number");
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

/** Attributes of suggestions that say what is suggested, as JSON. */
const SUGGESTED = ["suggestion", "add", "remove"];
/** Levels and parts of such an attribute. */
const DEEPEST = 6;
const LONGEST_LIST = 100;

/** Whether an attribute is one that an editor can keep. */
export function isHeld(name: string, value: unknown): boolean {
  return isPlain(value) || (SUGGESTED.includes(name) && isJson(value, DEEPEST));
}

function isJson(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return isPlain(value);
  const inner: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return levels > 0 && inner.length <= LONGEST_LIST && inner.every((each) => isJson(each, levels - 1));
}

/** Marks that may overlap themselves carry a hash: `comment--A1b2C3d4`. */
export function markNameOf(key: string): string {
  return /^(.*)--[a-zA-Z0-9+/=]{8}$/.exec(key)?.[1] ?? key;
}

/** Whether an attribute holds what somebody proposes for its element. */
export function isProposal(key: string, value: unknown): boolean {
  return markNameOf(key) === "suggestion" && key !== "suggestion" && isJson(value, DEEPEST);
}

/** A name from another application, fit to be shown. */
export function shortName(name: string): string {
  if (name.trim() === "") return t("something without a name");
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
}

/** Whether a table's columns, or the map of its cells, would keep the editor busy: cells may span, and spans multiply. */
export function tooLargeTable(element: Y.XmlElement): boolean {
  if (element.nodeName !== "table") return false;
  const rows = element.toArray().filter((row) => row instanceof Y.XmlElement);
  let [cells, columns, spans] = [0, 0, false];
  /** Columns that the cells above take from each row that follows. */
  const taken: number[] = [];
  for (const [at, row] of rows.entries()) {
    let width = taken[at] ?? 0;
    for (const cell of row.toArray()) {
      if (!(cell instanceof Y.XmlElement)) continue;
      const [across, down] = [spanOf(cell, "colspan"), spanOf(cell, "rowspan")];
      cells += 1;
      width += across;
      spans ||= down > 1;
      for (let below = 1; below < down; below++) taken[at + below] = (taken[at + below] ?? 0) + across;
    }
    columns = Math.max(columns, width);
  }
  const work = rows.length * (columns + (spans ? cells : 0));
  return columns > LARGEST.columns || work > LARGEST.tableWork;
}

function spanOf(cell: Y.XmlElement, name: "colspan" | "rowspan"): number {
  return wholeNumber(cell.getAttribute(name), 1, MOST_SPAN) ?? 1;
}

function levelOf(type: Y.AbstractType<unknown>): number {
  let level = 0;
  for (let at: Y.AbstractType<unknown> | null = type; at !== null; at = at.parent) level += 1;
  return level;
}
