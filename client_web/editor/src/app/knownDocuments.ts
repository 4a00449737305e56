/** The documents that were opened in this browser, newest first: what the documents page shows without a server.
 *
 * Titles only; the text lies in the provider's offline copy. Another tab's changes arrive as `storage` events.
 */
import { useSyncExternalStore } from "react";

export interface KnownDocument {
  readonly id: string;
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
}

const KEY = "manyhands:known-documents";
const MOST_KEPT = 100;
const NONE: readonly KnownDocument[] = [];

const listeners = new Set<() => void>();
let cache: { readonly text: string | null; readonly documents: readonly KnownDocument[] } = {
  text: null,
  documents: NONE,
};

/** Puts a document on top of the list, or renames it there. */
export function rememberDocument(id: string, title: string, now: number = Date.now()): void {
  write([{ id, title, openedAt: now }, ...knownDocuments().filter((known) => known.id !== id)]);
}

/** Takes a document off the list, for instance because it was deleted for ever. */
export function forgetDocument(id: string): void {
  write(knownDocuments().filter((known) => known.id !== id));
}

export function forgetEveryDocument(): void {
  write(NONE);
}

/** Returns the same array until the list changes. */
export function knownDocuments(): readonly KnownDocument[] {
  const text = readText();
  if (text !== cache.text) cache = { text, documents: parse(text) };
  return cache.documents;
}

export function useKnownDocuments(): readonly KnownDocument[] {
  return useSyncExternalStore(subscribe, knownDocuments);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", listener);
  };
}

function readText(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function write(documents: readonly KnownDocument[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(documents.slice(0, MOST_KEPT)));
  } catch {
    // Storage may be full or forbidden: the page then has no list without a server, and loses nothing else.
  }
  for (const listener of listeners) listener();
}

function parse(text: string | null): readonly KnownDocument[] {
  try {
    const stored: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(stored) ? stored.filter(isKnownDocument) : NONE;
  } catch {
    return NONE;
  }
}

function isKnownDocument(value: unknown): value is KnownDocument {
  if (typeof value !== "object" || value === null) return false;
  const { id, title, openedAt } = value as Partial<KnownDocument>;
  return typeof id === "string" && typeof title === "string" && typeof openedAt === "number";
}
