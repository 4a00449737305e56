/** Undo steps that a person who suggests cannot take any more.
 *
 * 1. Steps go when somebody else has accepted what they wrote: undo would delete accepted words, which
 *    no suggestion does, and which the server refuses.
 * 2. Steps from a time when the person might edit are passed over once the person only suggests. Those
 *    stay that have added nothing but what is a suggestion now.
 */

import { passOver, type UndoStep as Step } from "@manyhands/binding";
import { suggestionOf } from "@manyhands/schema";
import * as Y from "yjs";

/** How many characters and blocks of a step were no suggestions when the step was made. */
const PLAIN = Symbol("plain");

/** Mark of a step that was made by somebody who might do nothing but suggest. */
const BOUND = Symbol("bound");

/** Who suggests at the moment, and whether the person may do nothing else. */
export interface Suggesting {
  readonly user: string;
  readonly isBound?: boolean;
}

/** Watches the steps of a person; `suggesting` says who suggests at the moment. Returns what ends the watch. */
export function dropSpentSteps(manager: Y.UndoManager, suggesting: () => Suggesting | null): () => void {
  const user = () => suggesting()?.user ?? null;
  const count = ({ stackItem }: { readonly stackItem: Step }) => {
    const who = suggesting();
    if (who === null) return;
    stackItem.meta.set(PLAIN, plainIn(stackItem, manager.doc, who.user));
    if (who.isBound) stackItem.meta.set(BOUND, true);
  };
  const stopPassing = passOver(manager, (step) => {
    const who = suggesting();
    if (!who?.isBound || step.meta.has(BOUND)) return false;
    return step.deletions.clients.size > 0 || !isAllOwn(step, manager.doc, who.user);
  });
  const drop = ({ local, deleteSet }: Y.Transaction) => {
    const who = user();
    // Whoever accepts takes marks away.
    if (who === null || local || deleteSet.clients.size === 0) return;
    const isKept = (step: Step) => {
      const before = step.meta.get(PLAIN);
      return typeof before !== "number" || plainIn(step, manager.doc, who) <= before;
    };
    manager.undoStack = manager.undoStack.filter(isKept);
    manager.redoStack = manager.redoStack.filter(isKept);
  };
  manager.on("stack-item-added", count);
  manager.on("stack-item-updated", count);
  manager.doc.on("beforeObserverCalls", drop);
  return () => {
    stopPassing();
    manager.off("stack-item-added", count);
    manager.off("stack-item-updated", count);
    manager.doc.off("beforeObserverCalls", drop);
  };
}

function plainIn({ insertions }: Step, doc: Y.Doc, user: string): number {
  let plain = 0;
  for (const [client, ranges] of insertions.clients) {
    for (const { clock, len } of ranges) {
      for (const { item, length } of livingIn(doc, client, clock, clock + len)) {
        if (isContent(item) && !isPending(item, user)) plain += length;
      }
    }
  }
  return plain;
}

/** Whether everything that a step has added is what somebody suggests. */
function isAllOwn({ insertions }: Step, doc: Y.Doc, user: string): boolean {
  for (const [client, ranges] of insertions.clients) {
    for (const { clock, len } of ranges) {
      for (const { item } of livingIn(doc, client, clock, clock + len)) {
        if (!isOwnMark(item, user) && !isPending(item, user)) return false;
      }
    }
  }
  return true;
}

/** Keys of suggestions and comments: marks of words, and attributes of blocks and pictures. */
const OWN_KEY = /^(insertion|deletion|formatting|comment|suggestion)--/;

/** Whether an item is a mark of somebody's, the end of such a mark, or what somebody suggests for a block. */
function isOwnMark({ content, parentSub }: Y.Item, user: string): boolean {
  if (content instanceof Y.ContentFormat)
    return OWN_KEY.test(content.key) && (content.value === null || isOf(content.value, user));
  if (parentSub !== null)
    return (parentSub === "suggestion" || OWN_KEY.test(parentSub)) && isOf(content.getContent()[0], user);
  // The text of a line holds words, and says nothing itself.
  return content instanceof Y.ContentType && content.type instanceof Y.XmlText;
}

/** The living items of a range, and what has come back of dead ones. */
function* livingIn(doc: Y.Doc, client: number, from: number, to: number) {
  const structs = doc.store.clients.get(client) ?? [];
  for (let at = from; at < Math.min(to, Y.getState(doc.store, client)); ) {
    const struct = structs[Y.findIndexSS(structs, at)];
    if (!struct) return;
    const end = Math.min(struct.id.clock + struct.length, to);
    let item: unknown = struct;
    while (item instanceof Y.Item && item.redone) item = Y.getItem(doc.store, item.redone);
    if (item instanceof Y.Item && !item.deleted) yield { item, length: end - at };
    at = end;
  }
}

function isContent({ content }: Y.Item): boolean {
  return (
    content instanceof Y.ContentString ||
    (content instanceof Y.ContentType && content.type instanceof Y.XmlElement)
  );
}

/** Whether an item is what somebody suggests, or stands in a block that they suggest. */
function isPending(item: Y.Item, user: string): boolean {
  const { parent, content } = item;
  if (parent instanceof Y.XmlText && isInserted(parent, item, user)) return true;
  for (
    let type: unknown = content instanceof Y.ContentType ? content.type : parent;
    type instanceof Y.AbstractType;
    type = type._item?.parent
  ) {
    if (!(type instanceof Y.XmlElement)) continue;
    const suggestion = suggestionOf(type.getAttributes());
    if (suggestion?.kind === "insert" && suggestion.user === user) return true;
  }
  return false;
}

function isInserted(text: Y.XmlText, item: Y.Item, user: string): boolean {
  const marks = new Set<string>();
  for (let at = text._start; at && at !== item; at = at.right) {
    if (at.deleted || !(at.content instanceof Y.ContentFormat)) continue;
    const { key, value } = at.content;
    if (!key.startsWith("insertion")) continue;
    if (isOf(value, user)) marks.add(key);
    else marks.delete(key);
  }
  return marks.size > 0;
}

function isOf(value: unknown, user: string): boolean {
  return typeof value === "object" && value !== null && "user" in value && value.user === user;
}
