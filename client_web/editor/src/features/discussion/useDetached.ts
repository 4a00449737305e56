/** The threads whose words are gone from the text. */

import type { Editor } from "@tiptap/core";
import { useEffect, useState } from "react";
import { anchorsIn } from "../../extensions/comment_marks";
import type { ShownThread } from "./threads";

const NONE: ReadonlySet<string> = new Set();
/** Words that are cut are often pasted in a moment. */
const PAUSE_MS = 400;

export function useDetached(editor: Editor, threads: readonly ShownThread[]): ReadonlySet<string> {
  const [detached, setDetached] = useState(NONE);
  useEffect(() => {
    const look = () => {
      if (editor.isDestroyed) return;
      const anchors = anchorsIn(editor.state);
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
