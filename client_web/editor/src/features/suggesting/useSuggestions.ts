/** The suggestions of a document, looked up again when the document has changed and the screen is drawn. */

import type { Editor } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import type { Transaction } from "@tiptap/pm/state";
import { useEffect, useState } from "react";
import { changedBlocks } from "../../extensions/anchoring";
import { suggestingKey } from "../../extensions/suggesting";
import { hasSameWords, type Suggestion, suggestionsIn } from "./list";
import { hasSuggestions } from "./present";

/** Milliseconds for which writing pauses before the cards follow, and for which they wait at most. */
const PAUSE = 150;
const LONGEST = 1_000;

export function useSuggestions(editor: Editor): readonly Suggestion[] {
  const [found, setFound] = useState(() => suggestionsIn(editor.state.doc));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let since: number | null = null;
    let seen: Node | null = null;
    const gather = () => {
      since = null;
      if (editor.isDestroyed) return;
      const { doc } = editor.state;
      const isTouched = seen === null || isSuggestedAmong(seen, doc);
      seen = doc;
      if (!isTouched) return;
      const now = suggestionsIn(doc);
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

/** Whether anything is suggested in blocks that differ. */
function isSuggestedAmong(before: Node, after: Node): boolean {
  const { gone, come } = changedBlocks(before.children, after.children);
  return gone.some(hasSuggestions) || come.some(hasSuggestions);
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
