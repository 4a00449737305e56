/** The secret of the link by which somebody came: `#link=…` in the page's address, which browsers send to nobody.
 *
 * It is kept for the tab, since the address loses it on the way through a sign-in, or when somebody goes to a place in the page.
 */
import { useSyncExternalStore } from "react";

const FORM = /^#link=([A-Za-z0-9_-]{8,64})$/;
const keyOf = (documentId: string) => `manyhands:link:${documentId}`;

export function linkIn(hash: string): string | null {
  return FORM.exec(hash)?.[1] ?? null;
}

export function useLink(documentId: string): string | null {
  return useSyncExternalStore(subscribe, () => currentLink(documentId));
}

export function currentLink(documentId: string): string | null {
  const link = linkIn(window.location.hash);
  try {
    if (link !== null) sessionStorage.setItem(keyOf(documentId), link);
    return link ?? sessionStorage.getItem(keyOf(documentId));
  } catch {
    return link; // storage may be forbidden: the link then lasts as long as the address has it
  }
}

/** Returns the address to send to somebody else, as far as this person knows it. */
export function addressOf(documentId: string): string {
  const link = currentLink(documentId);
  return new URL(`/d/${documentId}${link === null ? "" : `#link=${link}`}`, window.location.href).href;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}
