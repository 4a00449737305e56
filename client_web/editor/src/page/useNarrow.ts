/** Whether the window is as narrow as a phone's; the style sheets use the same width. */

import { useSyncExternalStore } from "react";

const NARROW = "(max-width: 720px)";

export function useNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => window.matchMedia(NARROW).matches);
}

function subscribe(listener: () => void): () => void {
  const query = window.matchMedia(NARROW);
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}
