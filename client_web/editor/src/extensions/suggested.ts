/** How suggestions stand in the page: as insertions and deletions, with whose they are. */

import { Deletion, drawnSuggestion, Formatting, Insertion } from "@manyhands/schema";
import type { AnyExtension, Mark } from "@tiptap/core";
import { TableView } from "@tiptap/extension-table";
import type { Node } from "@tiptap/pm/model";
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

const DRAWN = ["data-suggestion", "data-suggested", "data-by"] as const;

/** Shows what is suggested for a node on an element that the node's own view makes; other nodes' elements have it from the schema. */
export function drawSuggestion(element: HTMLElement, { attrs }: Node): void {
  const drawn = drawnSuggestion(attrs);
  for (const name of DRAWN) {
    if (drawn) element.setAttribute(name, drawn[name]);
    else element.removeAttribute(name);
  }
}

/** A table that shows what is suggested for it. */
export class SuggestedTable extends TableView {
  constructor(...made: ConstructorParameters<typeof TableView>) {
    super(...made);
    drawSuggestion(this.table, this.node);
  }

  override update(node: Node): boolean {
    const isDrawn = super.update(node);
    if (isDrawn) drawSuggestion(this.table, node);
    return isDrawn;
  }
}
