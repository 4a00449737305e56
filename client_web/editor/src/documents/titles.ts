/** What a document is called. */
import { t } from "../i18n/t";

export function shownTitle(title: string): string {
  return title.trim() || t("Untitled document");
}

/** The server's limit, in characters. */
export const LONGEST_TITLE = 300;
