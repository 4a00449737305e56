/** What the page needs of a discussion at once: whether there is one, and who wants to open it.
 *
 * The threads and their code come when the document has marks, threads or suggestions, when somebody
 * comments, or when an address leads to a thread.
 */

import type { Provider } from "@manyhands/provider";
import type { Editor } from "@tiptap/core";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { anchorsIn } from "../../extensions/comment_marks";

export const loadDiscussion = () => import("./Discussion");

export interface DiscussionSwitch {
  /** Whether the threads are to be shown. */
  readonly isWanted: boolean;
  /** Grows with each wish to comment on what is selected. */
  readonly asked: number;
  /** How many of these wishes have been answered. The threads are drawn anew with each editor, and would answer again. */
  readonly answered: { current: number };
  readonly isListOpen: boolean;
  /** The thread that the address names. */
  readonly thread: string | null;
  readonly ask: () => void;
  readonly setListOpen: (isOpen: boolean) => void;
}

const FORM = /^#thread=([0-9a-f-]{36})$/;

export function threadIn(hash: string): string | null {
  return FORM.exec(hash)?.[1] ?? null;
}

/** `version`: that of the discussion, as the server tells it. Suggestions are discussed, and stand in the same margin. */
export function useDiscussion(
  editor: Editor | null,
  provider: Pick<Provider, "documentId">,
  version: number,
  hasSuggestions: boolean,
): DiscussionSwitch {
  const [asked, setAsked] = useState(0);
  const answered = useRef(0);
  const [isListOpen, setListOpen] = useState(false);
  const [thread, setThread] = useState(() => threadIn(window.location.hash));
  const [hasMarks, setMarks] = useState(false);
  const ask = useCallback(() => {
    // What is typed before the field's code has come must not go into the text.
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    setAsked((times) => times + 1);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another document has other marks
  useEffect(() => {
    if (!editor || hasMarks) return;
    const look = () => {
      if (!editor.isDestroyed && anchorsIn(editor.state).size > 0) setMarks(true);
    };
    const soon = setTimeout(look, LOOK_MS);
    const timer = setInterval(look, LOOK_AGAIN_MS);
    return () => {
      clearTimeout(soon);
      clearInterval(timer);
    };
  }, [editor, hasMarks, provider.documentId]);
  useEffect(() => {
    const follow = () => setThread(threadIn(window.location.hash));
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, []);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const isAsked = event.code === "KeyM" && event.altKey && (event.ctrlKey || event.metaKey);
      // AltGr is Ctrl+Alt on some systems, and writes a letter.
      if (!isAsked || event.getModifierState("AltGraph")) return;
      event.preventDefault();
      ask();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [ask]);
  // What becomes of the last suggestion is told when the suggestion is gone.
  if (hasSuggestions && !hasMarks) setMarks(true);
  const isWanted =
    version > 0 || asked > 0 || isListOpen || thread !== null || hasMarks || hasKept(provider.documentId);
  return useMemo(
    () => ({ isWanted, asked, answered, isListOpen, thread, ask, setListOpen }),
    [isWanted, asked, isListOpen, thread, ask],
  );
}

/** Behind what a page needs to be seen. */
const LOOK_MS = 300;
const LOOK_AGAIN_MS = 5_000;

const KEPT = "manyhands:discussed";

/** Remembers that something of a document's discussion may wait on this device. */
export function noteKept(documentId: string): void {
  try {
    const known = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    const list = Array.isArray(known) ? known.filter((each) => each !== documentId) : [];
    localStorage.setItem(KEPT, JSON.stringify([...list, documentId].slice(-MOST_NOTED)));
  } catch {
    // Then what waits is seen again with the first comment.
  }
}

const MOST_NOTED = 200;

function hasKept(documentId: string): boolean {
  try {
    return (localStorage.getItem(KEPT) ?? "").includes(JSON.stringify(documentId));
  } catch {
    return false;
  }
}
