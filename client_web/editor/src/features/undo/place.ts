/** The place at which the next undo or redo acts, lit while somebody points at its button. */

import { placeOfStep } from "@manyhands/binding";
import type { Editor } from "@tiptap/core";
import { clear, paint } from "../../page/highlights";

/** The name of the highlight in the style sheet. */
export const UNDO_PLACE = "undo-place";

export function showStep(editor: Editor, way: "undo" | "redo"): void {
  const place = placeOfStep(editor.state, way);
  if (place) paint(UNDO_PLACE, editor, [place]);
}

export function hideStep(): void {
  clear(UNDO_PLACE);
}
