/** The thread that is in front: the one at the cursor, or the one whose card was chosen. */

import type { Editor } from "@tiptap/core";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { anchorsIn, type Look, threadsAt } from "../../extensions/comment_marks";
import { bringIntoView } from "../../extensions/sections";
import type { ShownThread } from "./threads";
import type { DiscussionSwitch } from "./useDiscussion";

export interface ActiveThread {
  readonly active: string | null;
  readonly activate: (id: string | null) => void;
  /** Activates a thread, and shows its words. */
  readonly goTo: (id: string) => void;
  /** Goes to the next thread in the text, or the one before. */
  readonly step: (by: 1 | -1) => void;
}

export function useActive(
  editor: Editor,
  threads: readonly ShownThread[],
  detached: ReadonlySet<string>,
  { isListOpen, setListOpen }: DiscussionSwitch,
): ActiveThread {
  const [active, activate] = useState<string | null>(null);
  const open = useMemo(
    () =>
      threads.filter(({ id, state, kind }) => state === "open" && kind === "comment" && !detached.has(id)),
    [threads, detached],
  );
  const latest = useRef({ open, active, isListOpen });
  latest.current = { open, active, isListOpen };

  const goTo = useCallback(
    (id: string) => {
      if (latest.current.active === id) return;
      activate(id);
      showWords(editor, id);
    },
    [editor],
  );

  useEffect(() => {
    const look = () => {
      if (!editor.isFocused) return;
      const here = threadsAt(editor.state, editor.state.selection.head);
      const { open: all, active: before } = latest.current;
      if (before !== null && here.includes(before)) return;
      activate(all.find(({ id }) => here.includes(id))?.id ?? null);
    };
    editor.on("selectionUpdate", look);
    editor.on("focus", look);
    return () => {
      editor.off("selectionUpdate", look);
      editor.off("focus", look);
    };
  }, [editor]);

  useEffect(() => {
    const looks = new Map<string, Look>(open.map(({ id }) => [id, "open"]));
    if (active !== null) looks.set(active, "active");
    editor.storage.comment.looks.show(looks);
  }, [editor, open, active]);

  const step = useCallback(
    (by: 1 | -1) => {
      const { open: all, active: before } = latest.current;
      const known = new Set(all.map(({ id }) => id));
      const line = [...anchorsIn(editor.state)]
        .filter(([id]) => known.has(id))
        .sort(([, one], [, other]) => one - other);
      if (line.length === 0) return setListOpen(true);
      const at = line.findIndex(([id]) => id === before);
      const { head } = editor.state.selection;
      const behind = line.findIndex(([, place]) => place > head);
      const next =
        at >= 0 ? at + by : by > 0 ? (behind < 0 ? 0 : behind) : (behind < 0 ? line.length : behind) - 1;
      const [id] = line[(next + line.length) % line.length] ?? [];
      if (id === undefined) return;
      goTo(id);
      focusCard(id);
    },
    [editor, goTo, setListOpen],
  );

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      // With Shift the same keys lead to suggestions.
      const isStep =
        event.altKey &&
        !event.shiftKey &&
        (event.ctrlKey || event.metaKey) &&
        !event.getModifierState("AltGraph");
      if (!isStep || (event.code !== "Period" && event.code !== "Comma")) return;
      event.preventDefault();
      step(event.code === "Period" ? 1 : -1);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [step]);

  return { active, activate, goTo, step };
}

/** Scrolls the text to the words of a thread. */
function showWords(editor: Editor, id: string): void {
  const at = anchorsIn(editor.state).get(id);
  if (at === undefined || editor.isDestroyed) return;
  const { node } = editor.view.domAtPos(at, 1);
  const element = node instanceof Element ? node : node.parentElement;
  const scroller = element?.closest(".page-desk");
  if (!element || !scroller) return;
  const [words, window] = [element.getBoundingClientRect(), scroller.getBoundingClientRect()];
  if (words.height > 0 && words.top >= window.top && words.bottom <= window.bottom) return;
  bringIntoView(element, "center");
}

/** The card may come with the next frames. */
function focusCard(id: string, tries = 20): void {
  const card = document.querySelector<HTMLElement>(`[data-card="${CSS.escape(id)}"] .thread`);
  if (card) card.focus({ preventScroll: true });
  else if (tries > 0) requestAnimationFrame(() => focusCard(id, tries - 1));
}
