/** The shortcuts of the page itself: help, link, clear formatting, the way to the toolbar. */

import type { Editor } from "@tiptap/core";
import { useEffect, useRef, useState } from "react";
import { clearFormatting } from "./commands";
import { isCommand } from "./keys";

export interface Help {
  readonly isOpen: boolean;
  readonly setOpen: (isOpen: boolean) => void;
}

export function usePageKeys(editor: Editor | null, editLink: () => void): Help {
  const [isOpen, setOpen] = useState(false);
  const latest = useRef(editLink);
  latest.current = editLink;
  useEffect(() => {
    const commands: readonly (readonly [string, () => void])[] = [
      ["/", () => setOpen(true)],
      ["k", () => editor?.isEditable && latest.current()],
      ["\\", () => editor?.isEditable && clearFormatting.run(editor)],
      // The habit of saving: the browser would offer to save the page as a file.
      ["s", () => undefined],
    ];
    const onKeyDown = (event: KeyboardEvent) => {
      const command = commands.find(([key]) => isCommand(event, key) && !event.shiftKey)?.[1];
      if (command) {
        event.preventDefault();
        command();
      } else if (event.key === "?" && !isTyping(event.target)) setOpen(true);
      else if (event.key === "F10" && event.altKey) focusToolbar(event);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [editor]);
  return { isOpen, setOpen };
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** First to the tools of what the cursor is at, and pressed again to the next ones, last to those of the page. */
function focusToolbar(event: KeyboardEvent): void {
  const { activeElement } = document;
  const here = TOOLS.findIndex((tools) => activeElement?.closest(tools));
  const next = [...TOOLS.slice(here + 1), ...TOOLS].map(firstButton).find((found) => found !== null);
  if (!next) return;
  event.preventDefault();
  next.focus();
}

const TOOLS = [".page-object-tools", ".page-link-card", ".page-toolbar"];

function firstButton(tools: string): HTMLElement | null {
  const found = document.querySelectorAll<HTMLElement>(
    `${tools} :is(select, button, a[href]):not(:disabled)`,
  );
  return [...found].find(({ tabIndex }) => tabIndex === 0) ?? found[0] ?? null;
}
