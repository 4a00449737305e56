/** The suggestions of a document, looked up again when the document has changed and the screen is drawn. */

import type { Editor } from "@tiptap/core";
import { useEffect, useState } from "react";
import { type Suggestion, suggestionsIn } from "./list";

export interface Suggestions {
  readonly all: readonly Suggestion[];
  /** The one at the cursor. */
  readonly active: Suggestion | null;
}

export function useSuggestions(editor: Editor): Suggestions {
  const [found, setFound] = useState(() => look(editor));
  useEffect(() => {
    let frame = 0;
    const later = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        if (!editor.isDestroyed) setFound(look(editor));
      });
    };
    later();
    editor.on("transaction", later);
    return () => {
      cancelAnimationFrame(frame);
      editor.off("transaction", later);
    };
  }, [editor]);
  return found;
}

function look({ state }: Editor): Suggestions {
  const all = suggestionsIn(state.doc);
  const { head } = state.selection;
  const around = all.filter(({ from, to }) => from <= head && head <= to);
  const active = around.reduce<Suggestion | null>(
    (best, each) => (best === null || each.to - each.from < best.to - best.from ? each : best),
    null,
  );
  return { all, active };
}
