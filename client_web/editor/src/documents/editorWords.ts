/** Words for who has made the last edit of a document. */

import type { DocumentEntry } from "../api/api";
import { t } from "../i18n/t";

/** Returns null when nobody is known to have made the last edit. */
export function editorWords({ editedBy }: Pick<DocumentEntry, "editedBy">, ownId?: string): string | null {
  if (editedBy === null) return null;
  return editedBy.id === ownId ? t("by you") : t("by {name}", { name: editedBy.name });
}
