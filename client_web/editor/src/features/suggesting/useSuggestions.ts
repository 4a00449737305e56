/** The suggestions of a document, looked up again when the document has changed and the screen is drawn. */

import type { Editor } from "@tiptap/core";
import type { Transaction } from "@tiptap/pm/state";
import { useEffect, useState } from "react";
import { suggestingKey } from "../../extensions/suggesting";
import { hasSameWords, type Suggestion, suggestionsIn } from "./list";

/** Milliseconds for which writing pauses before the cards follow, and for which they wait at most. */
const PAUSE = 150;
const LONGEST = 1_000;

export function useSuggestions(editor: Editor): readonly Suggestion[] {
  const [found, setFound] = useState(() => suggestionsIn(editor.state.doc));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let since: number | null = null;
    const gather = () => {
      since = null;
      if (editor.isDestroyed) return;
      const now = suggestionsIn(editor.state.doc);
      setFound((before) => (areSame(before, now) ? before : now));
    };
    const later = ({ transaction }: { readonly transaction: Transaction }) => {
      if (!transaction.docChanged) return;
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

/** Where suggestions stand, the margin asks the document itself; the cards are drawn anew for other words alone. */
function areSame(one: readonly Suggestion[], other: readonly Suggestion[]): boolean {
  return (
    one.length === other.length &&
    one.every((each, at) => {
      const same = other[at];
      return same !== undefined && hasSameWords(each, same);
    })
  );
}
