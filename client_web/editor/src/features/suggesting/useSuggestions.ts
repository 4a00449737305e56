/** The suggestions of a document, looked up again when the document has changed and the screen is drawn. */

import type { Editor } from "@tiptap/core";
import type { Transaction } from "@tiptap/pm/state";
import { useEffect, useState } from "react";
import { suggestingKey } from "../../extensions/suggesting";
import { hasSameWords, type Suggestion, suggestionsIn } from "./list";

export interface Suggestions {
  readonly all: readonly Suggestion[];
  /** The one at the cursor. */
  readonly active: Suggestion | null;
}

/** Milliseconds for which writing pauses before the cards follow, and for which they wait at most. */
const PAUSE = 150;
const LONGEST = 1_000;

export function useSuggestions(editor: Editor): Suggestions {
  const [found, setFound] = useState(() => look(editor, null));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let since: number | null = null;
    const gather = () => {
      since = null;
      if (!editor.isDestroyed) setFound((before) => look(editor, before));
    };
    const later = ({ transaction }: { readonly transaction: Transaction }) => {
      const now = Date.now();
      since ??= now;
      clearTimeout(timer);
      // What was decided is seen at once.
      const isDecided = transaction.getMeta(suggestingKey) === "settled";
      timer = setTimeout(gather, isDecided ? 0 : Math.max(0, Math.min(PAUSE, since + LONGEST - now)));
    };
    gather();
    editor.on("transaction", later);
    return () => {
      clearTimeout(timer);
      editor.off("transaction", later);
    };
  }, [editor]);
  return found;
}

function look({ state }: Editor, before: Suggestions | null): Suggestions {
  const all = suggestionsIn(state.doc);
  const { head } = state.selection;
  let active: Suggestion | null = null;
  for (const each of all) {
    const isAround = each.from <= head && head <= each.to;
    if (isAround && (!active || each.to - each.from < active.to - active.from)) active = each;
  }
  const isSame = before !== null && before.active?.id === active?.id && areSame(before.all, all);
  return isSame ? before : { all, active };
}

function areSame(one: readonly Suggestion[], other: readonly Suggestion[]): boolean {
  return (
    one.length === other.length &&
    one.every((each, at) => {
      const same = other[at];
      return same !== undefined && each.from === same.from && each.to === same.to && hasSameWords(each, same);
    })
  );
}
