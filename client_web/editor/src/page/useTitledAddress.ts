/** The document's title in the page's address, behind the id: for people who read addresses. Only the id counts. */
import { useEffect } from "react";
import { isUntitled } from "../documents/titles";

const LONGEST = 60;

export function useTitledAddress(documentId: string, title: string): void {
  useEffect(() => {
    const { pathname, search, hash } = window.location;
    const bare = `/d/${documentId}`;
    if (pathname !== bare && !pathname.startsWith(`${bare}/`)) return;
    const slug = slugOf(title);
    const wanted = slug === "" ? bare : `${bare}/${encodeURIComponent(slug)}`;
    if (wanted !== pathname) window.history.replaceState(window.history.state, "", wanted + search + hash);
  }, [documentId, title]);
}

/** Returns a title's letters and digits, small and without accents, with hyphens in between; "" for a document without a title. */
export function slugOf(title: string): string {
  if (isUntitled(title)) return "";
  const plain = title.normalize("NFKD").replace(/\p{M}/gu, "").normalize("NFC").toLowerCase();
  const words = plain.replace(/[^\p{L}\p{N}]+/gu, "-");
  return Array.from(words).slice(0, LONGEST).join("").replace(/^-|-$/g, "");
}
