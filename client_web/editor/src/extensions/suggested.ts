/** How suggestions stand in the page: as insertions and deletions, with whose they are. */

import { Deletion, drawnSuggestion, Formatting, Insertion, NodeSuggestions } from "@manyhands/schema";
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

/** A row or a cell that comes or goes says so, as words do: where nothing is in it there is no insertion or deletion to hear. */
const ToldSuggestions = NodeSuggestions.extend({
  addGlobalAttributes() {
    const told = {
      default: null,
      keepOnSplit: false,
      parseHTML: () => null,
      renderHTML: (attributes: Node["attrs"]) => {
        const drawn = drawnSuggestion(attributes);
        const said = drawn && SAID[drawn["data-suggested"].split(" ")[0] ?? ""]?.(nameOf(drawn["data-by"]));
        return said ? { "aria-description": said, title: said } : {};
      },
    };
    const types = ["tableRow", "tableCell", "tableHeader"];
    return [...(this.parent?.() ?? []), { types, attributes: { suggestion: told } }];
  },
});

const SAID: Readonly<Record<string, (name: string) => string>> = {
  insert: (name) => t("Suggested insertion by {name}", { name }),
  delete: (name) => t("Suggested deletion by {name}", { name }),
};

export const drawnSuggestions: readonly AnyExtension[] = [
  ToldSuggestions,
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
