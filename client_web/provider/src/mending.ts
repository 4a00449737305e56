/**
 * Mending of suggestions that the server has refused, because somebody else changed the same words at the same moment.
 *
 * Whoever may only suggest marks each word that they add. Yjs keeps a mark as two ends around words. When somebody accepts
 * a suggestion while its author types on in it, or types at its very end, the ends may come to stand around other words
 * than they stood around here. So the document is compared with the server's, and put right by formats alone:
 *
 * 1. What the server has looks as it does there, but for the strikes, formats and comments that this person has added.
 * 2. What the server lacks is this person's, and gets an own mark of insertion if it has none any more: one that
 *    stands near, or else the last one that was made here. A mark that was accepted stands nowhere.
 * 3. What cannot be put right so is left to the person: accepted words that were deleted here, a block without a mark.
 */

import { equalityDeep } from "lib0/function";
import * as Y from "yjs";

/** A mark's name and the hash of its attributes, as the keys of formats have them. */
const MARK = /^(insertion|deletion|formatting|comment)--[a-zA-Z0-9+/=]{8}$/;
const ATTRIBUTE = "suggestion";
/** The key of what somebody proposes for a block. */
const PROPOSAL = /^suggestion--[a-zA-Z0-9+/=]{8}$/;

type Attributes = ReadonlyMap<string, unknown>;

/** A mark as a format: its key and its value. */
type Mark = readonly [string, unknown];

/** Characters of one item that look alike. */
interface Run {
  readonly client: number;
  readonly clock: number;
  readonly length: number;
  readonly attributes: Attributes;
}

/** Items of one transaction among which a mark is looked for. */
const MOST_NEW = 64;

/** Returns what tells the last mark of insertion that is made in a document from now on. */
export function lastInsertion(doc: Y.Doc): () => Mark | null {
  let last: Mark | null = null;
  doc.on("afterTransaction", ({ beforeState }: Y.Transaction) => {
    for (const { content, id } of (doc.store.clients.get(doc.clientID) ?? []).slice(-MOST_NEW) as Y.Item[]) {
      const isNew = id.clock >= (beforeState.get(doc.clientID) ?? 0) && content instanceof Y.ContentFormat;
      if (isNew && content.key.startsWith("insertion") && userOf(content.value))
        last = [content.key, content.value];
    }
  });
  return () => last;
}

/** Put the document right; false if that cannot be done. `server`: updates that make the whole of the server's document. */
export function mend(
  doc: Y.Doc,
  server: readonly Uint8Array[],
  origin: unknown,
  last: Mark | null = null,
): boolean {
  const theirs = new Y.Doc({ gc: false });
  for (const update of server) Y.applyUpdate(theirs, update);
  const added = [...addedTo(doc, theirs)];
  const person = personIn(added) ?? userOf(last?.[1]);
  if (person === null || !keepsWords(doc, theirs, person)) return false;
  const texts = new Set<Y.Text>();
  for (const { parent } of added) if (parent instanceof Y.Text) texts.add(parent);
  const blocks = added.filter((item) => item.content instanceof Y.ContentType && !item.deleted);
  if (!blocks.every((block) => isProposed(block, person, theirs))) return false;
  let isMended = true;
  doc.transact(() => {
    for (const text of texts) isMended = mendText(text, theirs, person, last) && isMended;
    for (const item of added) mendAttribute(item, theirs, person);
  }, origin);
  return isMended;
}

/** Items that the server lacks. */
function* addedTo(doc: Y.Doc, theirs: Y.Doc): Generator<Y.Item> {
  for (const [client, structs] of doc.store.clients) {
    const known = Y.getState(theirs.store, client);
    for (const struct of structs) {
      if (struct instanceof Y.Item && struct.id.clock + struct.length > known) yield struct;
    }
  }
}

/** Whose suggestions these are: the person whom most of the added marks and blocks name. */
function personIn(added: readonly Y.Item[]): string | null {
  const counts = new Map<string, number>();
  for (const { content, parentSub } of added) {
    const isMark = content instanceof Y.ContentFormat && MARK.test(content.key);
    const values: readonly unknown[] = isMark
      ? [content.value]
      : isOfSuggestion(parentSub)
        ? content.getContent()
        : [];
    for (const value of values) {
      const user = userOf(value);
      if (user !== null) counts.set(user, (counts.get(user) ?? 0) + 1);
    }
  }
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0] ?? null;
}

function isOfSuggestion(name: string | null): boolean {
  return name !== null && (name === ATTRIBUTE || PROPOSAL.test(name));
}

function userOf(value: unknown): string | null {
  if (typeof value !== "object" || value === null || !("user" in value)) return null;
  return typeof value.user === "string" ? value.user : null;
}

function isOwn(key: string, value: unknown, person: string): boolean {
  return MARK.test(key) && userOf(value) === person;
}

function isInsertion(key: string, value: unknown, person: string): boolean {
  return key.startsWith("insertion--") && isOwn(key, value, person);
}

function insertionIn(attributes: Attributes, person: string): Mark | null {
  return [...attributes].find(([key, value]) => isInsertion(key, value, person)) ?? null;
}

/** Whether nothing is deleted here that the server still has and that is not this person's to take back. */
function keepsWords(doc: Y.Doc, theirs: Y.Doc, person: string): boolean {
  for (const structs of theirs.store.clients.values()) {
    for (const item of structs) {
      if (!(item instanceof Y.Item) || item.deleted || !item.countable || item.parentSub !== null) continue;
      const isHere = livesIn(doc, item.id.client, item.id.clock, item.length);
      if (!isHere && !isPending(item, person)) return false;
    }
  }
  return true;
}

function livesIn(doc: Y.Doc, client: number, clock: number, length: number): boolean {
  const structs = doc.store.clients.get(client) ?? [];
  for (let at = clock; at < clock + length; ) {
    const struct = structs[Y.findIndexSS(structs, at)];
    if (!(struct instanceof Y.Item) || struct.deleted) return false;
    at = struct.id.clock + struct.length;
  }
  return true;
}

/** Whether an item is in what a person has proposed and nobody has accepted. */
function isPending(item: Y.Item, person: string): boolean {
  const { content, id, parent } = item;
  if (parent instanceof Y.Text) {
    const run = runsOf(parent).find(({ client, clock }) => client === id.client && clock === id.clock);
    if (run && insertionIn(run.attributes, person)) return true;
  }
  const type = content instanceof Y.ContentType ? content.type : null;
  // An empty text is nothing.
  if (isOwnBlock(type, person) || (type instanceof Y.Text && type.length === 0)) return true;
  const around = parent instanceof Y.AbstractType ? parent._item : null;
  return around !== null && isPending(around, person);
}

function isOwnBlock(type: unknown, person: string): boolean {
  if (!(type instanceof Y.XmlElement)) return false;
  const suggestion: unknown = type.getAttribute(ATTRIBUTE);
  return userOf(suggestion) === person && (suggestion as { kind?: unknown }).kind === "insert";
}

/** Whether a new block says that it is only proposed, or stands in one that does. Texts are looked at word by word. */
function isProposed(item: Y.Item, person: string, theirs: Y.Doc): boolean {
  const type = item.content instanceof Y.ContentType ? item.content.type : null;
  if (type instanceof Y.Text || isOwnBlock(type, person)) return true;
  const around = item.parent instanceof Y.AbstractType ? item.parent._item : null;
  if (around === null) return false;
  return around.id.clock >= Y.getState(theirs.store, around.id.client)
    ? isProposed(around, person, theirs)
    : isPending(around, person);
}

function runsOf(text: Y.Text): Run[] {
  const runs: Run[] = [];
  let attributes: Attributes = new Map();
  for (let item = text._start; item !== null; item = item.right) {
    if (item.deleted) continue;
    const { content, id, length } = item;
    if (content instanceof Y.ContentFormat) {
      const next = new Map(attributes);
      if (content.value === null) next.delete(content.key);
      else next.set(content.key, content.value);
      attributes = next;
    } else if (item.countable) runs.push({ client: id.client, clock: id.clock, length, attributes });
  }
  return runs;
}

/** Make a text look as it should; false if there is no mark for new words. */
function mendText(text: Y.Text, theirs: Y.Doc, person: string, last: Mark | null): boolean {
  if (isInOwnBlock(text, person)) return true;
  const counterpart = counterpartOf(text, theirs);
  const known = counterpart === null ? [] : runsOf(counterpart);
  const pieces = runsOf(text).flatMap((run) => cut(run, known));
  const marks = pieces.map(({ run, isNew }) => (isNew ? insertionIn(run.attributes, person) : null));
  const mark =
    marks.find(Boolean) ??
    known.map((run) => insertionIn(run.attributes, person)).find(Boolean) ??
    (userOf(last?.[1]) === person ? last : null);
  let at = 0;
  for (const { run, server, isNew } of pieces) {
    const wanted = new Map(isNew ? run.attributes : server);
    if (isNew && insertionIn(run.attributes, person) === null) {
      if (!mark) return false;
      wanted.set(...mark);
    }
    for (const [key, value] of run.attributes) {
      if (!isNew && isOwn(key, value, person) && !isInsertion(key, value, person)) wanted.set(key, value);
    }
    const changes = differences(run.attributes, wanted);
    if (Object.keys(changes).length > 0) text.format(at, run.length, changes);
    at += run.length;
  }
  return true;
}

function isInOwnBlock(text: Y.Text, person: string): boolean {
  for (let around = text._item; around !== null; ) {
    const { parent } = around;
    if (isOwnBlock(parent, person)) return true;
    around = parent instanceof Y.AbstractType ? parent._item : null;
  }
  return false;
}

function counterpartOf(text: Y.Text, theirs: Y.Doc): Y.Text | null {
  const id = text._item?.id;
  if (id === undefined || id.clock >= Y.getState(theirs.store, id.client)) return null;
  const item = Y.getItem(theirs.store, id);
  return item instanceof Y.Item &&
    item.content instanceof Y.ContentType &&
    item.content.type instanceof Y.Text
    ? item.content.type
    : null;
}

interface Piece {
  readonly run: Run;
  readonly server: Attributes;
  /** Whether the server lacks it. */
  readonly isNew: boolean;
}

/** Cut a run where the server's runs begin and end. */
function cut(run: Run, known: readonly Run[]): Piece[] {
  const pieces: Piece[] = [];
  const end = run.clock + run.length;
  for (let at = run.clock; at < end; ) {
    const there = known.find(
      (each) => each.client === run.client && each.clock <= at && at < each.clock + each.length,
    );
    const next = known
      .filter((each) => each.client === run.client && each.clock > at)
      .reduce((first, each) => Math.min(first, each.clock), end);
    const until = there === undefined ? Math.min(next, end) : Math.min(there.clock + there.length, end);
    pieces.push({
      run: { ...run, clock: at, length: until - at },
      server: there?.attributes ?? new Map(),
      isNew: there === undefined,
    });
    at = until;
  }
  return pieces;
}

function differences(now: Attributes, wanted: Attributes): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  for (const [key, value] of wanted) if (!equalityDeep(now.get(key), value)) changes[key] = value;
  for (const key of now.keys()) if (!wanted.has(key)) changes[key] = null;
  return changes;
}

/** Give a block the attribute that the server has, unless it is a suggestion of this person's. */
function mendAttribute({ parent, parentSub }: Y.Item, theirs: Y.Doc, person: string): void {
  if (parentSub === null || !(parent instanceof Y.XmlElement)) return;
  const id = parent._item?.id;
  if (id === undefined || id.clock >= Y.getState(theirs.store, id.client)) return;
  const item = Y.getItem(theirs.store, id);
  const type = item instanceof Y.Item && item.content instanceof Y.ContentType ? item.content.type : null;
  if (!(type instanceof Y.XmlElement) || isOwnBlock(type, person)) return;
  const [now, wanted]: [unknown, unknown] = [parent.getAttribute(parentSub), type.getAttribute(parentSub)];
  const mayStay = isOfSuggestion(parentSub) && (wanted === undefined || userOf(wanted) === person);
  if (mayStay || equalityDeep(now, wanted)) return;
  if (wanted === undefined) parent.removeAttribute(parentSub);
  else parent.setAttribute(parentSub, wanted as string);
}
