/** The card that is in front: the one at the cursor, or the one that was chosen. */

import type { Editor } from "@tiptap/core";
import type { EditorState, Transaction } from "@tiptap/pm/state";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { anchorsIn, type Look, threadsAt, threadsBetween } from "../../extensions/comment_marks";
import { bringIntoView } from "../../extensions/sections";
import { elementAt } from "../margin/Margin";
import { suggestionsAt, suggestionsIn } from "../suggesting/list";
import { focusCard } from "./focus";
import type { ShownThread } from "./threads";
import type { DiscussionSwitch } from "./useDiscussion";

export type Kind = "thread" | "suggestion";

export interface ActiveCard {
  /** The id of a thread or of a suggestion. */
  readonly active: string | null;
  readonly activate: (id: string | null) => void;
  /** Activates a card, and shows its words, or those of another card. */
  readonly goTo: (id: string, wordsOf?: string) => void;
  /** Goes to the next card in the text, or the one before; to one of a kind, if one is named. */
  readonly step: (by: 1 | -1, kind?: Kind) => void;
}

export interface ActiveOptions {
  readonly editor: Editor;
  readonly threads: readonly ShownThread[];
  readonly detached: ReadonlySet<string>;
  readonly open: DiscussionSwitch;
  /** A card lies over the text, and comes when somebody goes to its words, and not while they write. */
  readonly isStacked: boolean;
  /** This person's id; null while nobody knows. */
  readonly own: string | null;
}

export function useActive(options: ActiveOptions): ActiveCard {
  const { editor, threads, detached, open, isStacked, own } = options;
  const [active, activate] = useState<string | null>(null);
  const { setListOpen } = open;
  const marked = useMemo(
    () =>
      new Set(
        threads
          .filter(({ id, state, kind }) => state === "open" && kind === "comment" && !detached.has(id))
          .map(({ id }) => id),
      ),
    [threads, detached],
  );
  const latest = useRef({ marked, active, isStacked, own });
  latest.current = { marked, active, isStacked, own };

  const goTo = useCallback(
    (id: string, wordsOf = id) => {
      if (latest.current.active === id) return;
      activate(id);
      showWords(editor, wordsOf);
    },
    [editor],
  );

  useEffect(() => {
    const look = (transaction: Transaction | null) => {
      if (!editor.isFocused) return;
      const { marked: all, active: before, isStacked: isOver } = latest.current;
      const here = cardsAt(editor.state, all);
      if (before !== null && here.includes(before)) return;
      activate(isOver && transaction?.docChanged ? null : (here[0] ?? null));
    };
    const onSelection = ({ transaction }: { readonly transaction: Transaction }) => look(transaction);
    const onFocus = () => look(null);
    // The cursor may have been there before this code. On a phone, one's own suggestion has just been typed then.
    const [first] = cardsAt(editor.state, latest.current.marked);
    const suggestion = suggestionsIn(editor.state.doc).find(({ id }) => id === first);
    if (!latest.current.isStacked || suggestion?.user !== latest.current.own) look(null);
    editor.on("selectionUpdate", onSelection);
    editor.on("focus", onFocus);
    return () => {
      editor.off("selectionUpdate", onSelection);
      editor.off("focus", onFocus);
    };
  }, [editor]);

  useEffect(() => {
    const looks = new Map<string, Look>([...marked].map((id) => [id, "open"]));
    if (active !== null) looks.set(active, "active");
    editor.storage.comment.looks.show(looks);
  }, [editor, marked, active]);

  const step = useCallback(
    (by: 1 | -1, kind?: Kind) => {
      const { marked: all, active: before } = latest.current;
      const line = [...placesIn(editor.state, all, kind)].sort(([, one], [, other]) => one - other);
      if (line.length === 0) {
        if (kind !== "suggestion") setListOpen(true);
        return;
      }
      const at = line.findIndex(([id]) => id === before);
      const { head } = editor.state.selection;
      const behind = line.findIndex(([, place]) => place > head);
      const next =
        at >= 0 ? at + by : by > 0 ? (behind < 0 ? 0 : behind) : (behind < 0 ? line.length : behind) - 1;
      const [id] = line[(next + line.length) % line.length] ?? [];
      if (id === undefined) return;
      // The list holds threads alone.
      if (kind === "suggestion") setListOpen(false);
      goTo(id);
      focusCard(id);
    },
    [editor, goTo, setListOpen],
  );

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      // With Shift the same keys lead to suggestions.
      const isStep = event.altKey && (event.ctrlKey || event.metaKey) && !event.getModifierState("AltGraph");
      if (!isStep || (event.code !== "Period" && event.code !== "Comma")) return;
      event.preventDefault();
      step(event.code === "Period" ? 1 : -1, event.shiftKey ? "suggestion" : "thread");
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [step]);

  return { active, activate, goTo, step };
}

/** The cards at the cursor, the nearest one first: a suggestion for words is within what is commented on, one for a block around it. */
function cardsAt({ doc, selection }: EditorState, marked: ReadonlySet<string>): readonly string[] {
  const { head, ranges } = selection;
  const { words, blocks } = suggestionsAt(doc, head);
  // The head of selected cells is before a cell, and at no words.
  const threads =
    ranges.length > 1
      ? ranges.flatMap(({ $from, $to }) => threadsBetween(doc, $from.pos, $to.pos))
      : threadsAt({ doc }, head);
  return [...words, ...threads.filter((id) => marked.has(id)), ...blocks];
}

/** Where the words of the cards begin. */
function placesIn(
  state: EditorState,
  marked: ReadonlySet<string>,
  kind?: Kind,
): readonly (readonly [string, number])[] {
  const threads = kind === "suggestion" ? [] : [...anchorsIn(state)].filter(([id]) => marked.has(id));
  const suggestions = kind === "thread" ? [] : suggestionsIn(state.doc);
  return [...threads, ...suggestions.map(({ id, from }) => [id, from] as const)];
}

/** Scrolls the text to the words of a card. */
function showWords(editor: Editor, id: string): void {
  if (editor.isDestroyed) return;
  const suggestion = suggestionsIn(editor.state.doc).find((each) => each.id === id);
  const at = suggestion?.from ?? anchorsIn(editor.state).get(id);
  if (at === undefined) return;
  const element = elementAt(editor.view, at);
  const scroller = element?.closest(".page-desk");
  if (!element || !scroller) return;
  const [words, window] = [element.getBoundingClientRect(), scroller.getBoundingClientRect()];
  if (words.height > 0 && words.top >= window.top && words.bottom <= window.bottom) return;
  bringIntoView(element, "center");
}
