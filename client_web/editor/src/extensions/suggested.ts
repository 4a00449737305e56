/** How suggestions stand in the page: as insertions and deletions, with whose they are. */

import { Deletion, Formatting, Insertion } from "@manyhands/schema";
import type { AnyExtension, Mark } from "@tiptap/core";
import { nameOf } from "../features/suggesting/people";
import { t } from "../i18n/t";

/** A screen reader hears an insertion or a deletion by the element, and by whom. */
function told(mark: Mark, tag: "ins" | "del" | "span", words: (name: string) => string): AnyExtension {
  return mark.extend({
    renderHTML({ mark: { attrs, type } }) {
      const said = words(nameOf(String(attrs.user)));
      const attributes = {
        class: `suggested-${type.name}`,
        "data-suggestion": String(attrs.id),
        "data-by": String(attrs.user),
        title: said,
        "aria-description": said,
        ...(attrs.break ? { "data-break": String(attrs.break) } : {}),
      };
      return [tag, attributes, 0];
    },
  });
}

export const drawnSuggestions: readonly AnyExtension[] = [
  told(Insertion, "ins", (name) => t("Suggested insertion by {name}", { name })),
  told(Deletion, "del", (name) => t("Suggested deletion by {name}", { name })),
  told(Formatting, "span", (name) => t("Suggested format by {name}", { name })),
];
