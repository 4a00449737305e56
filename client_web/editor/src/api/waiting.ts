/** Titles, pictures and new documents that wait on this device for the server.
 *
 * A document that was made here has an id that is derived from a secret. Whoever shows the secret makes the document of that id, once.
 */
import type { Api } from "./api";
import { ApiError } from "./rest";
import { Stored, useStored } from "./stored";

export interface Waiting {
  /** Under which the document is to be made; absent when the server has it. */
  readonly secret?: string;
  /** The title that is to be sent. */
  readonly title?: string;
  /** Addresses of pictures that are to be sent (api/waitingPictures.ts). */
  readonly pictures?: readonly string[];
}

type All = Readonly<Record<string, Waiting>>;

const NOTHING: All = {};
const ID_CHARACTERS = 22;

const stored = new Stored("manyhands:waiting", parse);

/** Returns the id of a new document that waits here; null where the browser cannot keep one. */
export async function makeHere(): Promise<string | null> {
  // Absent on pages that are served over plain http from another machine, which do not open without a connection either.
  if (!globalThis.crypto?.subtle) return null;
  const secret = base64url(crypto.getRandomValues(new Uint8Array(24)));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  const id = base64url(new Uint8Array(digest)).slice(0, ID_CHARACTERS);
  return write({ ...stored.read(), [id]: { secret } }) ? id : null;
}

/** Returns whether the title is kept. */
export function keepTitle(id: string, title: string): boolean {
  return write({ ...stored.read(), [id]: { ...waitingFor(id), title } });
}

export function waitingFor(id: string): Waiting | null {
  return stored.read()[id] ?? null;
}

/** Returns the ids of the documents that were made here and wait; the same array until that changes. */
export function useMadeHere(): readonly string[] {
  return useStored(stored, madeHere);
}

let made: { readonly from: All; readonly ids: readonly string[] } = { from: NOTHING, ids: [] };

function madeHere(): readonly string[] {
  const from = stored.read();
  if (made.from !== from) {
    const ids = Object.keys(from).filter((id) => from[id]?.secret !== undefined);
    made = { from, ids };
  }
  return made.ids;
}

export function useWaiting(id: string): Waiting | null {
  return useStored(stored, () => waitingFor(id));
}

const underWay = new Map<string, Promise<void>>();

/** Sends what waits for a document. What the server refuses is dropped, but for the document itself; the error is passed on. */
export function deliver(api: Pick<Api, "createDocument" | "renameDocument">, id: string): Promise<void> {
  if (waitingFor(id) === null) return Promise.resolve();
  const delivery =
    underWay.get(id) ??
    send(api, id).finally(() => {
      underWay.delete(id);
    });
  underWay.set(id, delivery);
  return delivery;
}

async function send(api: Pick<Api, "createDocument" | "renameDocument">, id: string): Promise<void> {
  const { secret, title } = waitingFor(id) ?? {};
  if (secret !== undefined) {
    await api.createDocument(title, secret);
    settle(id, { secret, ...(title === undefined ? {} : { title }) });
  } else if (title !== undefined) {
    try {
      await api.renameDocument(id, title);
    } catch (error) {
      if (error instanceof ApiError && !PASSING.has(error.status)) settle(id, { title });
      throw error;
    }
    settle(id, { title });
  }
}

/** Answers after which the same request may succeed: signed out, too many requests, no store. */
const PASSING: ReadonlySet<number> = new Set([401, 429, 503]);

/** Takes away what was sent; a title that was changed meanwhile waits on. */
function settle(id: string, sent: Waiting): void {
  const { secret: _made, title: wanted, ...others } = waitingFor(id) ?? {};
  put(id, wanted === undefined || wanted === sent.title ? others : { ...others, title: wanted });
}

export function keepPictures(id: string, pictures: readonly string[]): boolean {
  const { pictures: _before, ...others } = waitingFor(id) ?? {};
  return put(id, pictures.length === 0 ? others : { ...others, pictures });
}

function put(id: string, waiting: Waiting): boolean {
  const { [id]: _before, ...others } = stored.read();
  return write(Object.keys(waiting).length === 0 ? others : { ...others, [id]: waiting });
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

function write(next: All): boolean {
  return stored.write(JSON.stringify(next));
}

function parse(text: string | null): All {
  try {
    const entries: unknown = JSON.parse(text ?? "{}");
    if (typeof entries !== "object" || entries === null) return NOTHING;
    return Object.fromEntries(Object.entries(entries).filter(([, each]) => isWaiting(each)));
  } catch {
    return NOTHING;
  }
}

function isWaiting(value: unknown): value is Waiting {
  if (typeof value !== "object" || value === null) return false;
  const { secret, title, pictures = [] } = value as Waiting;
  const words: readonly unknown[] = [secret, title].filter((each) => each !== undefined);
  return Array.isArray(pictures) && [...words, ...pictures].every((each) => typeof each === "string");
}
