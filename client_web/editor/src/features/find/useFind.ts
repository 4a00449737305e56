/** Opens the search: Ctrl+F to find, Ctrl+H to replace. A second Ctrl+F is left to the browser's own search. */

import type { Editor } from "@tiptap/core";
import { useCallback, useEffect, useState } from "react";
import { isCommand } from "../../page/keys";

export interface FindSwitch {
  /** What is open, with the words to begin with; null for nothing. `times` counts how often it was asked for. */
  readonly open: { readonly words: string; readonly isReplacing: boolean; readonly times: number } | null;
  readonly show: (isReplacing: boolean) => void;
  readonly close: () => void;
}

export const loadFindPanel = () => import("./FindPanel");

/** Longer selections are something to read rather than to look for. */
const LONGEST_WORDS = 100;

export function useFind(editor: Editor | null): FindSwitch {
  const [open, setOpen] = useState<FindSwitch["open"]>(null);
  const show = useCallback(
    (isReplacing: boolean) => {
      if (!editor) return;
      // What is typed before the panel's code has come must not go into the text.
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      setOpen((before) => ({
        words: wordsSelected(editor),
        isReplacing: isReplacing || (before?.isReplacing ?? false),
        times: (before?.times ?? 0) + 1,
      }));
    },
    [editor],
  );
  const close = useCallback(() => setOpen(null), []);
  useEffect(() => {
    if (!editor) return;
    const onKeyDown = (event: KeyboardEvent) => {
      const isFind = isCommand(event, "f");
      if (event.shiftKey || (!isFind && !isCommand(event, "h"))) return;
      const isInPanel = event.target instanceof Element && event.target.closest(".find") !== null;
      if (isFind && isInPanel) return;
      event.preventDefault();
      show(!isFind);
    };
    window.addEventListener("keydown", onKeyDown);
    const soon = setTimeout(() => void loadFindPanel().catch(() => undefined), PRELOAD_MS);
    return () => {
      clearTimeout(soon);
      window.removeEventListener("keydown", onKeyDown);
    };
  }, [editor, show]);
  return { open, show, close };
}

/** Behind what a page needs to be seen. */
const PRELOAD_MS = 5_000;

function wordsSelected({ state }: Editor): string {
  const { from, to } = state.selection;
  const words = state.doc.textBetween(from, to, "\n");
  return words.includes("\n") || words.length > LONGEST_WORDS ? "" : words;
}
