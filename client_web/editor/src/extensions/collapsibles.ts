/** Collapsibles on the page: each reader opens and closes them for themselves. */

import { Details as DetailsOfSchema } from "@manyhands/schema";
import type { Editor } from "@tiptap/core";
import { TextSelection } from "@tiptap/pm/state";
import { t } from "../i18n/t";

export const Details = DetailsOfSchema.extend({
  addKeyboardShortcuts() {
    const inherited = this.parent?.() ?? {};
    return {
      ...inherited,
      Enter: (props) => {
        const { $from, $to } = props.editor.state.selection;
        // Words of several lines would stay: such a selection is no matter of the summary in which it ends.
        if (!$from.sameParent($to)) return false;
        return intoEmptyContent(props.editor) || (inherited.Enter?.(props) ?? false);
      },
    };
  },
}).configure({
  renderToggleButton: ({ element, isOpen, node }) => {
    const summary = node.firstChild?.textContent.trim() ?? "";
    element.setAttribute("aria-label", summary === "" ? t("Collapsible section") : summary);
    element.setAttribute("aria-expanded", String(isOpen));
  },
});

/** Goes from a summary to the line below it that waits to be written, where another one would be put before it. */
function intoEmptyContent({ view, state }: Editor): boolean {
  const { $head, empty } = state.selection;
  const content = $head.parent.type.name === "detailsSummary" ? state.doc.nodeAt($head.after()) : null;
  const first = content?.firstChild;
  if (!empty || !first?.isTextblock || first.content.size > 0) return false;
  const isHidden = view.nodeDOM($head.after());
  if (isHidden instanceof HTMLElement && isHidden.hidden) return false;
  view.dispatch(state.tr.setSelection(TextSelection.create(state.doc, $head.after() + 2)).scrollIntoView());
  return true;
}

/** Opens the collapsible that the cursor is in. */
export function openCollapsible({ view, state }: Editor): void {
  const { $from } = state.selection;
  for (let depth = $from.depth; depth > 0; depth -= 1) {
    if ($from.node(depth).type.name !== "details") continue;
    open(view.nodeDOM($from.before(depth)));
    return;
  }
}

/** Opens every collapsible around a place, so that the place can be seen. */
export function reveal({ view }: Pick<Editor, "view">, at: number): void {
  const { node } = view.domAtPos(at);
  const element = node instanceof Element ? node : node.parentElement;
  if (element) revealElement(element);
}

export function revealElement(element: Element): void {
  for (let at = element.closest(HIDDEN); at; at = at.parentElement?.closest(HIDDEN) ?? null) {
    open(at.closest('[data-type="details"]'));
  }
}

const HIDDEN = '[data-type="detailsContent"][hidden]';

/** As a press on its button does, but for the focus. */
function open(collapsible: globalThis.Node | null): void {
  if (!(collapsible instanceof HTMLElement) || collapsible.classList.contains("is-open")) return;
  collapsible.classList.add("is-open");
  collapsible.querySelector(":scope > button")?.setAttribute("aria-expanded", "true");
  const parts = collapsible.querySelectorAll(':scope > div > [data-type="detailsContent"]');
  for (const part of parts) part.dispatchEvent(new Event("toggleDetailsContent"));
}
