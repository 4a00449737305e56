/** Clears this device of the copies of documents, for when somebody signs out of a machine that others use too. */

import {
  contentDatabase,
  DATABASE,
  deleteDatabase,
  entries,
  openDatabase,
  result,
  STORES,
  under,
} from "./database.js";
import type { Entry } from "./offline.js";

/**
 * Delete the copies whose every change is durable on the server. Those with changes that are not, and those that were kept apart
 * after a restore, are all that there is of somebody's words: they stay. Returns of how many documents.
 */
export async function forgetCopies(): Promise<number> {
  const beside = await openDatabase(DATABASE, STORES);
  try {
    const kept = new Set<string>();
    for (const [documentId, entry] of await everyEntry(beside)) {
      if (await isNeeded(beside, documentId, entry)) kept.add(documentId);
      else await forget(beside, documentId, entry);
    }
    return kept.size;
  } finally {
    beside.close();
  }
}

async function everyEntry(beside: IDBDatabase): Promise<readonly (readonly [string, Entry])[]> {
  const documents = beside.transaction("documents").objectStore("documents");
  const [keys, values] = await Promise.all([result(documents.getAllKeys()), result(documents.getAll())]);
  return keys.map((key, index) => [String(key), values[index] as Entry] as const);
}

async function isNeeded(beside: IDBDatabase, documentId: string, { copy }: Entry): Promise<boolean> {
  const transaction = beside.transaction(["unsaved", "copies"]);
  const marks = entries(transaction.objectStore("unsaved"), under(copy));
  const apart = entries(transaction.objectStore("copies"), under(documentId));
  return (await marks).length + (await apart).length > 0;
}

async function forget(beside: IDBDatabase, documentId: string, { copy }: Entry): Promise<void> {
  await result(beside.transaction("documents", "readwrite").objectStore("documents").delete(documentId));
  await deleteDatabase(contentDatabase(copy));
}
