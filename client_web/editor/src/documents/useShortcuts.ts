/** The documents page's keys: Alt+N makes a document, / goes to the search field. */
import { useEffect } from "react";

export const NEW_DOCUMENT_KEYS = "Alt+N";

export interface Shortcuts {
  readonly onCreate: () => void;
  readonly onSearch: () => void;
}

export function useShortcuts({ onCreate, onSearch }: Shortcuts): void {
  useEffect(() => {
    const whenPressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || isBusy(event.target)) return;
      // By `code`: with Alt held, `key` is a special character on a Mac.
      if (event.altKey && event.code === "KeyN") {
        event.preventDefault();
        onCreate();
      } else if (!event.altKey && event.key === "/") {
        event.preventDefault();
        onSearch();
      }
    };
    window.addEventListener("keydown", whenPressed);
    return () => window.removeEventListener("keydown", whenPressed);
  }, [onCreate, onSearch]);
}

/** Keys belong to the field, menu or dialog that has the focus. */
function isBusy(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    target.closest("input, textarea, [contenteditable], [role=menu], [role=dialog]") !== null
  );
}
