/** What is derived from the document's text, brought up to date when the writing pauses. */

import type { Editor } from "@tiptap/core";
import { useEffect, useState } from "react";
import { type Counts, countsOf, countsOfDocument, textBetween } from "./counts";
import { type Heading, outlineOf } from "./outline";

export interface Facts {
  readonly outline: readonly Heading[];
  /** null until the words are counted, a moment after the document is opened. */
  readonly whole: Counts | null;
  /** null without a selection. */
  readonly selected: Counts | null;
}

/** Counting and drawing the numbers would cost more than a keystroke does. */
const PAUSE_MS = 250;

const NOTHING: Facts = { outline: [], whole: null, selected: null };

export function useFacts(editor: Editor | null): Facts {
  const [facts, setFacts] = useState(NOTHING);
  useEffect(() => {
    if (!editor) return;
    let doc: unknown = null;
    // The first words on the screen do not wait for the count of all.
    setFacts({ ...NOTHING, outline: outlineOf(editor.state.doc) });
    const gather = () => {
      const isSame = doc === editor.state.doc;
      doc = editor.state.doc;
      setFacts((before) => ({
        outline: isSame ? before.outline : outlineOf(editor.state.doc),
        whole: isSame ? before.whole : countsOfDocument(editor.state.doc),
        selected: countSelection(editor),
      }));
    };
    let pause = setTimeout(gather, PAUSE_MS);
    const later = () => {
      // Others who write all the time must not put off the first count for ever.
      if (doc === null) return;
      clearTimeout(pause);
      pause = setTimeout(gather, PAUSE_MS);
    };
    editor.on("transaction", later);
    return () => {
      clearTimeout(pause);
      editor.off("transaction", later);
    };
  }, [editor]);
  return facts;
}

function countSelection({ state }: Editor): Counts | null {
  const { empty, from, to } = state.selection;
  return empty ? null : countsOf(textBetween(state.doc, from, to));
}
