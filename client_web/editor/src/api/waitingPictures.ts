/** Pictures that wait on this device for the server: shown from the browser's cache, and sent later under the address that they have already.
 *
 * An attachment's address is derived from its bytes. So the address stands in the document at once, and the service worker answers it
 * from the cache of attachments, as it does for pictures that came from the server.
 */
import { t } from "../i18n/t";
import type { Api } from "./api";
import { ApiError } from "./rest";
import { keepPictures, waitingFor } from "./waiting";

/** The service worker's cache, from which pictures are shown. It forgets old ones. */
const SHOWN = "attachments";
/** The bytes until they are sent. */
const WAITING = "manyhands-waiting-pictures";

export interface KeptPicture {
  readonly url: string;
  readonly width: number;
  readonly height: number;
}

/** Returns null where the browser cannot keep a picture, or could not show it. Throws for what is no picture. */
export async function keepPicture(id: string, file: Blob): Promise<KeptPicture | null> {
  const isShown = navigator.serviceWorker?.controller != null;
  if (!isShown || !globalThis.caches || !globalThis.crypto?.subtle) return null;
  const { width, height } = await createImageBitmap(file);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const url = `/api/documents/${id}/attachments/${sha256}`;
  for (const name of [WAITING, SHOWN]) {
    const cache = await caches.open(name);
    await cache.put(url, new Response(file, { headers: { "Content-Type": file.type } }));
  }
  const waiting = waitingFor(id)?.pictures ?? [];
  return keepPictures(id, [...waiting.filter((other) => other !== url), url]) ? { url, width, height } : null;
}

const underWay = new Map<string, Promise<void>>();

/** Sends the pictures that wait for a document. `onRefused` hears why the server does not take one; that one waits no more. */
export function deliverPictures(
  api: Pick<Api, "uploadAttachment">,
  id: string,
  onRefused: (reason: unknown) => void,
): Promise<void> {
  const delivery =
    underWay.get(id) ??
    send(api, id, onRefused).finally(() => {
      underWay.delete(id);
    });
  underWay.set(id, delivery);
  return delivery;
}

async function send(
  api: Pick<Api, "uploadAttachment">,
  id: string,
  onRefused: (reason: unknown) => void,
): Promise<void> {
  for (const url of waitingFor(id)?.pictures ?? []) {
    const cache = await caches.open(WAITING);
    const kept = await cache.match(url);
    try {
      if (kept) await api.uploadAttachment(id, await kept.blob());
      else onRefused(new Error(t("The browser has thrown it away.")));
    } catch (error) {
      if (!(error instanceof ApiError) || PASSING.has(error.status)) throw error;
      onRefused(error);
    }
    await cache.delete(url);
    keepPictures(
      id,
      (waitingFor(id)?.pictures ?? []).filter((other) => other !== url),
    );
  }
}

/** Answers after which the same request may succeed: signed out, too many requests, no store. */
const PASSING: ReadonlySet<number> = new Set([401, 429, 503]);
