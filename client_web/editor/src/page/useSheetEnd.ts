/** A press on the empty sheet below the text goes to its end; below a table or an image it begins a paragraph there. */

import type { Editor } from "@tiptap/core";
import { type MouseEvent, useCallback } from "react";

export function useSheetEnd(editor: Editor | null): (event: MouseEvent) => void {
  return useCallback(
    (event) => {
      if (!editor?.isEditable || event.button !== 0) return;
      const last = editor.view.dom.lastElementChild?.getBoundingClientRect();
      const isBelow = event.clientY > (last?.bottom ?? 0);
      if (!isBelow || !isOnPaper(event)) return;
      event.preventDefault();
      const { doc } = editor.state;
      if (doc.lastChild?.isTextblock && !doc.lastChild.type.spec.code) editor.commands.focus("end");
      else editor.chain().insertContentAt(doc.content.size, { type: "paragraph" }).focus("end").run();
    },
    [editor],
  );
}

/** Panels stand on the sheet; menus that open from them are elsewhere in the page, and React brings their presses here as well. */
function isOnPaper({ target, currentTarget }: MouseEvent): boolean {
  return (
    target instanceof Element && currentTarget.contains(target) && target.closest(".page-floating") === null
  );
}
