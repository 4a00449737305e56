/** What an undo or a redo has just done: its place lights up, and screen readers hear the kind. */

import { ySyncPluginKey, yUndoPluginKey } from "@manyhands/binding";
import type { Editor } from "@tiptap/core";
import type { Transaction } from "@tiptap/pm/state";
import { useEffect, useState } from "react";
import { kindOf } from "../../extensions/undo_steps";
import { clear, paint, type Span } from "../../page/highlights";
import { UNDO_PLACE } from "./place";
import { REDONE, UNDONE } from "./words";
import "./undo.css";

/** Milliseconds for which the place is lit. */
const SEEN = 1500;

export function UndoNews({ editor }: { readonly editor: Editor }) {
  const [said, setSaid] = useState({ sentence: "", count: 0 });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = ({ transaction }: { readonly transaction: Transaction }) => {
      if (transaction.getMeta(ySyncPluginKey)?.isUndoRedoOperation !== true) return;
      paint(UNDO_PLACE, editor, changedIn(transaction));
      clearTimeout(timer);
      timer = setTimeout(() => clear(UNDO_PLACE), SEEN);
      const manager = yUndoPluginKey.getState(editor.state)?.undoManager;
      const step = manager?.currStackItem;
      if (!step) return;
      const sentence = (manager.undoing ? UNDONE : REDONE)[kindOf(step)];
      setSaid(({ count }) => ({ sentence, count: count + 1 }));
    };
    editor.on("transaction", look);
    return () => {
      clearTimeout(timer);
      clear(UNDO_PLACE);
      editor.off("transaction", look);
    };
  }, [editor]);
  return (
    <p className="ui-hidden" role="status">
      {/* The same sentence twice is news as well. */}
      <span key={said.count}>{said.sentence}</span>
    </p>
  );
}

function changedIn({ mapping }: Transaction): readonly Span[] {
  const spans: Span[] = [];
  mapping.maps[0]?.forEach((_from, _to, from, to) => void spans.push({ from, to }));
  return spans;
}
