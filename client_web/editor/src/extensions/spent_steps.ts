/** Undo steps of a person who suggests go when somebody else has accepted what they wrote.
 *
 * Undo would delete accepted words then, which no suggestion does, and which the server refuses.
 */

import { suggestionOf } from "@manyhands/schema";
import * as Y from "yjs";

type Step = Y.UndoManager["undoStack"][number];

/** How many characters and blocks of a step were no suggestions when the step was made. */
const PLAIN = Symbol("plain");

/** Watches the steps of a person; `user` says who suggests at the moment. Returns what ends the watch. */
export function dropSpentSteps(manager: Y.UndoManager, user: () => string | null): () => void {
  const count = ({ stackItem }: { readonly stackItem: Step }) => {
    const who = user();
    if (who !== null) stackItem.meta.set(PLAIN, plainIn(stackItem, manager.doc, who));
  };
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
