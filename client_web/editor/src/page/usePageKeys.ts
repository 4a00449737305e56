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

/** First to the tools of what the cursor is at, and pressed again to those of the page. */
function focusToolbar(event: KeyboardEvent): void {
  const { activeElement } = document;
  const button = [".page-object-tools", ".page-toolbar"]
    .filter((toolbar) => !activeElement?.closest(toolbar))
    .map((toolbar) => firstButton(toolbar))
    .find((found) => found !== null);
  if (!button) return;
  event.preventDefault();
  button.focus();
}

function firstButton(toolbar: string): HTMLElement | null {
  const buttons = [...document.querySelectorAll<HTMLElement>(`${toolbar} button:not(:disabled)`)];
  return buttons.find((button) => button.tabIndex === 0) ?? buttons[0] ?? null;
}
