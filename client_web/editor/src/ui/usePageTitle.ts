/** Names the browser's tab, and the pages that are printed. */
import { useEffect } from "react";

export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · Manyhands` : "Manyhands";
    document.documentElement.style.setProperty("--printed-title", quoted(title));
  }, [title]);
}

/** Returns a string of CSS. */
function quoted(words: string): string {
  return `"${words.replace(/["\\]/g, "\\$&").replace(/\s+/g, " ")}"`;
}
