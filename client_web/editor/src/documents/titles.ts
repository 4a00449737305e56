/** What a document is called. */
import { t } from "../i18n/t";

/** Whether nobody has given a title, and there is no first line either. The server has an English word for that. */
export function isUntitled(title: string): boolean {
  return /^(untitled document)?$/i.test(title.trim()) || title.trim() === t("Untitled document");
}

export function shownTitle(title: string): string {
  return isUntitled(title) ? t("Untitled document") : title.trim();
}

/** The server's limit, in characters. */
export const LONGEST_TITLE = 300;
