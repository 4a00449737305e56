/** Marks of the editor as formats of a Yjs text, named as y-tiptap names them. */

import { encodeAny, toBase64 } from "lib0/buffer";
import { digest } from "lib0/hash/sha256";
import { Mark, type MarkType, type Schema } from "prosemirror-model";
import type * as Y from "yjs";

/** A mark and the key of the format that holds it. */
export interface Format {
  readonly key: string;
  readonly mark: Mark;
}

export type Attributes = Readonly<Record<string, unknown>>;

/** The marks of a piece of text; formats that the schema does not know are left alone. */
export function formatsOf(attributes: Attributes | undefined, schema: Schema): readonly Format[] {
  const found = Object.entries(attributes ?? {}).flatMap(([key, value]) => {
    const type = schema.marks[markNameOf(key)];
    return type && value !== null ? [{ key, mark: type.create(value as Attributes) }] : [];
  });
  // Marks of one kind have no order of their own. Without one here, replicas would show different ones.
  return found.length < 2
    ? found
    : found.sort((one, other) => (sayingOf(one.mark) < sayingOf(other.mark) ? -1 : 1));
}

/** Whether marks of one kind stand in the order in which all replicas read them. */
export function isInOrder(marks: readonly Mark[]): boolean {
  return marks.every((mark, at) => {
    const before = marks[at - 1];
    return before?.type !== mark.type || sayingOf(before) < sayingOf(mark);
  });
}

/** A set of marks in the order in which all replicas read them. */
export function inOrder(marks: readonly Mark[]): readonly Mark[] {
  return isInOrder(marks)
    ? marks
    : Mark.setFrom([...marks].sort((one, other) => (sayingOf(one) < sayingOf(other) ? -1 : 1)));
}

function sayingOf({ attrs }: Mark): string {
  return JSON.stringify(attrs, (_name, value) => (typeof value === "bigint" ? String(value) : value));
}

/**
 * The attribute of a node that holds marks of its element, as JSON: the marks of comments on a picture.
 * Each is an attribute of the element under the key of the mark, so that several people's never
 * overwrite one another. Nodes whose type has no such attribute do not show them.
 */
export const ANNOTATIONS = "annotations";

/** The marks of an element that may stand beside others of their type. */
function annotationsOf(attributes: Attributes, schema: Schema): readonly Format[] {
  const hashed = Object.entries(attributes).filter(([key]) => HASHED.test(key));
  return hashed.length === 0
    ? []
    : formatsOf(Object.fromEntries(hashed), schema).filter(({ mark }) => overlapsItself(mark.type));
}

/** The attributes of an element's node. */
export function readAttributes(element: Y.XmlElement, schema: Schema): Attributes {
  const attributes = element.getAttributes() as Attributes;
  const known = schema.nodes[element.nodeName]?.spec.attrs ?? {};
  const read = PROPOSALS in known ? { ...attributes, [PROPOSALS]: proposalsIn(attributes) } : attributes;
  if (!(ANNOTATIONS in known)) return read;
  const found = annotationsOf(attributes, schema).map(({ mark }) => mark.toJSON());
  return { ...read, [ANNOTATIONS]: found.length > 0 ? found : null };
}

/**
 * The attribute of a node that holds what people propose for it. Each proposal is an attribute of the element under a key made of its
 * author's id: each person has one, and several people's never overwrite one another.
 */
export const PROPOSALS = "proposals";

const PROPOSAL = "suggestion--";

interface Proposal {
  readonly user: string;
}

/** The key of one person's proposal among the attributes of an element. */
export function proposalKeyOf(user: string): string {
  return `${PROPOSAL}${hashOf({ type: "suggestion", attrs: { user } })}`;
}

/** Proposals for an element, in the order of their ids; null for none. Another's key is nobody's. */
export function proposalsIn(attributes: Attributes): readonly Proposal[] | null {
  const found = Object.entries(attributes).flatMap(([key, value]) => {
    const proposal = key.startsWith(PROPOSAL) ? proposalFrom(value) : null;
    return proposal && key === proposalKeyOf(proposal.user) ? [proposal] : [];
  });
  return found.length > 0 ? found.sort(({ user }, other) => (user < other.user ? -1 : 1)) : null;
}

function proposalFrom(value: unknown): Proposal | null {
  if (typeof value !== "object" || value === null || !("user" in value)) return null;
  return typeof value.user === "string" ? (value as Proposal) : null;
}

/** Writes what has come and gone among the proposals of an element; what others have proposed stays. */
export function writeProposals(element: Y.XmlElement, before: unknown, after: unknown): void {
  const byUser = (value: unknown) =>
    new Map((Array.isArray(value) ? value : []).map((each: Proposal) => [each.user, JSON.stringify(each)]));
  const [old, now] = [byUser(before), byUser(after)];
  for (const user of old.keys()) if (!now.has(user)) element.removeAttribute(proposalKeyOf(user));
  for (const [user, written] of now) {
    if (old.get(user) !== written) element.setAttribute(proposalKeyOf(user), JSON.parse(written));
  }
}

/** Writes what has come and gone among the marks of an element; what others have put stays. */
export function writeAnnotations(
  element: Y.XmlElement,
  before: unknown,
  after: unknown,
  schema: Schema,
): void {
  const [old, now] = [annotationsIn(before, schema), annotationsIn(after, schema)];
  const gone = old.filter((mark) => !mark.isInSet(now));
  for (const { key, mark } of gone.length === 0 ? [] : annotationsOf(element.getAttributes(), schema)) {
    if (mark.isInSet(gone)) element.removeAttribute(key);
  }
  for (const mark of now) {
    if (!mark.isInSet(old)) element.setAttribute(keyOf(mark), storedIn(mark));
  }
}

/** A mark as an attribute of an element. Yjs takes no object without a prototype, and its declared type no object at all. */
export function storedIn({ attrs }: Mark): string {
  return { ...attrs } as unknown as string;
}

/** The marks in the attribute of a node, which may come from elsewhere. */
export function annotationsIn(value: unknown, schema: Schema): readonly Mark[] {
  return (Array.isArray(value) ? value : []).flatMap((json: { type?: unknown; attrs?: unknown } | null) => {
    const type = schema.marks[String(json?.type)];
    return type && overlapsItself(type) ? [type.create(json?.attrs as Attributes)] : [];
  });
}

/** A mark that may stand beside others of its type carries a hash: `comment--A1b2C3d4`. */
const HASHED = /^(.*)--[a-zA-Z0-9+/=]{8}$/;

function markNameOf(key: string): string {
  return HASHED.exec(key)?.[1] ?? key;
}

export function keyOf(mark: Mark): string {
  const { name } = mark.type;
  return overlapsItself(mark.type) ? `${name}--${hashOf(mark.toJSON())}` : name;
}

/** True for a type of which several marks may stand on the same words: comments and suggestions. */
export function overlapsItself(type: MarkType): boolean {
  return !type.excludes(type);
}

const HASH_BYTES = 6;

function hashOf(json: unknown): string {
  const bytes = digest(encodeAny(json as Parameters<typeof encodeAny>[0]));
  for (let at = HASH_BYTES; at < bytes.length; at += 1) {
    const folded = at % HASH_BYTES;
    bytes[folded] = (bytes[folded] ?? 0) ^ (bytes[at] ?? 0);
  }
  return toBase64(bytes.slice(0, HASH_BYTES));
}

export function attributesOf(marks: readonly Mark[]): Record<string, unknown> {
  return Object.fromEntries(marks.map((mark) => [keyOf(mark), mark.attrs]));
}
