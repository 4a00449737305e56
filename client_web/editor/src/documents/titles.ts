/** Names by which people know documents. */
import { t } from "../i18n/t";

/** The test for a document without a title and a first line. The server has an English word for that. */
export function isUntitled(title: string): boolean {
  return /^(untitled document)?$/i.test(title.trim()) || title.trim() === t("Untitled document");
}

export function shownTitle(title: string): string {
  return isUntitled(title) ? t("Untitled document") : title.trim();
}

/** The server's limit, in characters. */
export const LONGEST_TITLE = 300;
