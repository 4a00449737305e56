/** What a document without a title is called. */
export function shownTitle(title: string): string {
  return title.trim() || "Untitled document";
}

/** The server's limit, in characters. */
export const LONGEST_TITLE = 300;
