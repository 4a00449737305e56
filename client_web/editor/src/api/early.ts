/** Answers that public/early.js has asked the server for before this code was there. */
import type { Fetch } from "./rest";

interface Early {
  me?: Promise<Response>;
  /** The page's path at that time. */
  readonly path: string;
  /** The first blocks of the document of this address, as the server writes them. */
  words?: HTMLElement;
}

declare global {
  interface Window {
    manyhandsEarly?: Early;
    /** Kept when a style sheet that public/theme.js has put in is there, or cannot be had. */
    manyhandsStyles?: readonly Promise<unknown>[];
  }
}

/** Answers the first question who this is from what has come. A question that failed is asked again. */
export function withEarly(fetch: Fetch): Fetch {
  return async (url, init) => {
    const early = window.manyhandsEarly?.me;
    if (early === undefined || url !== "/api/me" || init.method !== "GET") return fetch(url, init);
    delete window.manyhandsEarly?.me;
    return early.catch(() => fetch(url, init));
  };
}

/** Returns the words that are shown until the editor is there; null once the page shows another document. */
export function earlyWords(): HTMLElement | null {
  const early = window.manyhandsEarly;
  return early?.path === window.location.pathname ? (early.words ?? null) : null;
}
