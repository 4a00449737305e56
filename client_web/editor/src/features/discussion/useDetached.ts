/** The threads whose words are gone from the text. */

import type { Editor } from "@tiptap/core";
import { useEffect, useState } from "react";
import { type Anchored, Anchoring } from "../../extensions/anchoring";
import { threadsInBlock } from "../../extensions/comment_marks";
import type { ShownThread } from "./threads";

const NONE: ReadonlySet<string> = new Set();
/** Words that are cut are often pasted in a moment. */
const PAUSE_MS = 400;

export function useDetached(editor: Editor, threads: readonly ShownThread[]): ReadonlySet<string> {
  const [detached, setDetached] = useState(NONE);
  useEffect(() => {
    const anchoring = new Anchoring(threadsInBlock);
    let seen: readonly Anchored[] | null = null;
    const look = () => {
      if (editor.isDestroyed) return;
      const there = anchoring.firsts(editor.state.doc);
      // Words come and go beside the marks, and the marks stay.
      if (there === seen) return;
      seen = there;
      const anchors = new Set(there.map(({ id }) => id));
      const gone = threads
        .filter(({ id, kind }) => kind === "comment" && !anchors.has(id))
        .map(({ id }) => id);
      setDetached((before) =>
        gone.length === before.size && gone.every((id) => before.has(id)) ? before : new Set(gone),
      );
    };
    look();
    let pause: ReturnType<typeof setTimeout> | null = null;
    const later = ({ transaction }: { transaction: { docChanged: boolean } }) => {
      if (!transaction.docChanged) return;
      pause ??= setTimeout(() => {
        pause = null;
        look();
      }, PAUSE_MS);
    };
    editor.on("transaction", later);
    return () => {
      editor.off("transaction", later);
      if (pause !== null) clearTimeout(pause);
    };
  }, [editor, threads]);
  return detached;
}
