/** IndexedDB with promises and types, as far as the offline copy needs it. */

/** Open a database whose stores have keys of their own, not in the values; it closes itself when it is to be deleted. */
export function openDatabase(name: string, stores: readonly string[]): Promise<IDBDatabase> {
  const request = indexedDB.open(name);
  request.onupgradeneeded = () => {
    for (const store of stores) request.result.createObjectStore(store);
  };
  return result(request).then((database) => {
    database.onversionchange = () => database.close();
    return database;
  });
}

export function deleteDatabase(name: string): Promise<unknown> {
  return result(indexedDB.deleteDatabase(name));
}

/** The result of a request; a transaction stays open across it as long as nothing else is awaited. */
export function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Keys and values of a store within a range, in the order of the keys. */
export async function entries(
  store: IDBObjectStore,
  range: IDBKeyRange,
): Promise<readonly [string, unknown][]> {
  const [keys, values] = await Promise.all([result(store.getAllKeys(range)), result(store.getAll(range))]);
  return keys.map((key, index) => [String(key), values[index]]);
}

/** Every key that begins with `prefix` and a slash. */
export function under(prefix: string): IDBKeyRange {
  return IDBKeyRange.bound(`${prefix}/`, `${prefix}0`, false, true); // "0" is the character after "/"
}

/** The database for what belongs beside the copies of documents. */
export const DATABASE = "manyhands";
export const STORES = ["documents", "unsaved", "copies"] as const;

/** The database of a copy's content. */
export function contentDatabase(copy: string): string {
  return `${DATABASE}:${copy}`;
}
