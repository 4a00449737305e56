/** Acts that wait on this device for the server, in a database of the browser, document by document.
 *
 * Where the browser keeps nothing they live as long as the page. Another tab may have sent an act
 * meanwhile: `holds` says whether an act still waits.
 */

import type { Act } from "./threads";

export interface KeptActs {
  /** In the order in which they were kept. */
  readonly all: () => Promise<readonly Act[]>;
  readonly keep: (act: Act) => Promise<void>;
  readonly holds: (act: Act) => Promise<boolean>;
  readonly drop: (act: Act) => Promise<void>;
}

const DATABASE = "manyhands-discussion";
const STORE = "acts";
const BY_DOCUMENT = "document";

interface Row {
  readonly id: string;
  readonly document: string;
  /** Milliseconds, and a count within one: the order of one page's acts. */
  readonly order: number;
  readonly act: Act;
}

export function keptActs(documentId: string): KeptActs {
  const inMemory = new Map<string, Act>();
  let last = 0;
  const within = async <T>(
    mode: IDBTransactionMode,
    ask: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T | null> => {
    try {
      const database = await opened();
      const asked = ask(database.transaction(STORE, mode).objectStore(STORE));
      return await resultOf(asked).finally(() => database.close());
    } catch {
      return null;
    }
  };
  return {
    all: async () => {
      const rows = await within<Row[]>("readonly", (store) => store.index(BY_DOCUMENT).getAll(documentId));
      const kept = (rows ?? []).sort((one, other) => one.order - other.order).map(({ act }) => act);
      return [...kept, ...[...inMemory.values()].filter(({ id }) => !kept.some((act) => act.id === id))];
    },
    keep: async (act) => {
      last = Math.max(last + 1, Date.now() * 1_000);
      const row: Row = { id: act.id, document: documentId, order: last, act };
      const before = await within<Row | undefined>("readonly", (store) => store.get(act.id));
      const isKept = await within("readwrite", (store) =>
        store.put(before ? { ...row, order: before.order } : row),
      );
      if (isKept === null) inMemory.set(act.id, act);
    },
    holds: async ({ id }) => {
      const key = await within("readonly", (store) => store.getKey(id));
      return inMemory.has(id) || (key !== null && key !== undefined);
    },
    drop: async ({ id }) => {
      inMemory.delete(id);
      await within("readwrite", (store) => store.delete(id));
    },
  };
}

function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE);
  request.onupgradeneeded = () => {
    const store = request.result.createObjectStore(STORE, { keyPath: "id" });
    store.createIndex(BY_DOCUMENT, "document");
  };
  return resultOf(request).then((database) => {
    database.onversionchange = () => database.close();
    return database;
  });
}

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
