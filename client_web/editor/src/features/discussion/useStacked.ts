/** Whether there is no room beside the sheet: threads come in a sheet from below then. margin.css has the same width. */

import { useSyncExternalStore } from "react";

const STACKED = "(max-width: 900px)";

export function useStacked(): boolean {
  return useSyncExternalStore(subscribe, () => window.matchMedia(STACKED).matches);
}

function subscribe(listener: () => void): () => void {
  const query = window.matchMedia(STACKED);
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}
