/** The documents that were opened in this browser, newest first: what the documents page shows without a server.
 *
 * Titles only; the text lies in the provider's offline copy. Without storage the page has no list without a server, and loses
 * nothing else.
 */
import { isRole, type Role } from "./sharing";
import { Stored, useStored } from "./stored";

export interface KnownDocument {
  readonly id: string;
  readonly title: string;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  /** What this person could do when it was last open with a server; absent from entries of earlier versions. */
  readonly role?: Role;
}

const MOST_KEPT = 100;
const NONE: readonly KnownDocument[] = [];
const stored = new Stored("manyhands:known-documents", parse);

/** Puts a document on top of the list, or renames it there. Without a role the one that is known stays. */
export function rememberDocument(id: string, title: string, role: Role | null, now = Date.now()): void {
  const known = role ?? rememberedRole(id);
  const entry: KnownDocument = { id, title, openedAt: now, ...(known === null ? {} : { role: known }) };
  write([entry, ...knownDocuments().filter((other) => other.id !== id)]);
}

export function rememberedRole(id: string): Role | null {
  return knownDocuments().find((known) => known.id === id)?.role ?? null;
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
  return stored.read();
}

export function useKnownDocuments(): readonly KnownDocument[] {
  return useStored(stored, stored.read);
}

function write(documents: readonly KnownDocument[]): void {
  stored.write(JSON.stringify(documents.slice(0, MOST_KEPT)));
}

function parse(text: string | null): readonly KnownDocument[] {
  try {
    const list: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(list) ? list.filter(isKnownDocument) : NONE;
  } catch {
    return NONE;
  }
}

function isKnownDocument(value: unknown): value is KnownDocument {
  if (typeof value !== "object" || value === null) return false;
  const { id, title, openedAt, role } = value as Partial<KnownDocument>;
  const isSound = typeof id === "string" && typeof title === "string" && typeof openedAt === "number";
  return isSound && (role === undefined || isRole(role));
}
