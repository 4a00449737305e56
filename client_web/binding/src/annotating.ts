/** Puts a mark on words of the shared document, or takes the mark away, beside the editor.
 *
 * It is no edit of the words: no undo step, and no transaction of the editor, which may be read-only
 * or show a copy of the document. The editor shows the mark as it shows what others write.
 */

import type { Mark } from "prosemirror-model";
import type { EditorState } from "prosemirror-state";
import * as Y from "yjs";
import { ySyncPluginKey } from "./keys.js";
import { keyOf } from "./marks.js";
import { absolutePositionToRelativePosition } from "./positions.js";

/** The origin of the Yjs transactions. */
export const ANNOTATION_ORIGIN = Symbol("annotation");

export interface Annotating {
  readonly from: number;
  readonly to: number;
  readonly mark: Mark;
  /** Absent: the mark is put. */
  readonly isRemoved?: boolean;
  /** The document to write to, if the editor shows a copy of it. */
  readonly doc?: Y.Doc;
}

/** Returns how many letters have the mark now, or have it no more. `state` is the editor's newest. */
export function annotate(state: EditorState, { from, to, mark, isRemoved, doc }: Annotating): number {
  const shared = ySyncPluginKey.getState(state);
  if (!shared) return 0;
  const { type, binding } = shared;
  const target = doc ?? shared.doc;
  const attributes = { [keyOf(mark)]: isRemoved ? null : mark.attrs };
  let letters = 0;
  target.transact(() => {
    state.doc.nodesBetween(from, to, (node, start) => {
      const end = Math.min(to, start + node.nodeSize);
      for (let at = Math.max(from, start); node.isText && at < end; ) {
        const place = absolutePositionToRelativePosition(at + 1, type, binding.mapping);
        const found = Y.createAbsolutePositionFromRelativePosition(place, target);
        if (!(found?.type instanceof Y.XmlText) || found.index === 0) return;
        const index = found.index - 1;
        const length = Math.min(end - at, found.type.length - index);
        found.type.format(index, length, attributes);
        letters += length;
        at += length;
      }
    });
  }, ANNOTATION_ORIGIN);
  return letters;
}
