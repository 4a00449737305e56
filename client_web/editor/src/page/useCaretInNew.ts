/** The caret in an empty document: who opens it can write at once, unless they have gone somewhere already. */

import type { Editor } from "@tiptap/core";
import { useEffect, useRef } from "react";

export function useCaretInNew(editor: Editor | null): void {
  const isDone = useRef(false);
  useEffect(() => {
    if (!editor?.isEditable || isDone.current) return;
    isDone.current = true;
    const { activeElement, body } = document;
    if (isBlank(editor) && (activeElement === null || activeElement === body)) {
      editor.commands.focus("start", { scrollIntoView: false });
    }
  }, [editor]);
}

function isBlank({ state: { doc } }: Editor): boolean {
  const { firstChild } = doc;
  return doc.childCount <= 1 && (!firstChild || (firstChild.isTextblock && firstChild.content.size === 0));
}
