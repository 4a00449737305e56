/** Puts a mark on words and objects of the shared document, or takes the mark away, beside the editor.
 *
 * An object is a node whose type has the attribute `annotations`. It is no edit of the words: no undo step, and no transaction of the editor, which may be read-only
 * or show a copy of the document. The editor shows the mark as it shows what others write.
 */

import type { Mark, Node } from "prosemirror-model";
import type { EditorState } from "prosemirror-state";
import * as Y from "yjs";
import { ySyncPluginKey } from "./keys.js";
import { ANNOTATIONS, keyOf, storedIn } from "./marks.js";
import { absolutePositionToRelativePosition, typeAt } from "./positions.js";

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

/** True for a node that carries marks itself, and not by words in it. */
export function isObject({ type }: Node): boolean {
  return ANNOTATIONS in (type.spec.attrs ?? {});
}

/** Returns how many letters and objects have the mark now, or have it no more. `state` is the editor's newest. */
export function annotate(state: EditorState, { from, to, mark, isRemoved, doc }: Annotating): number {
  const shared = ySyncPluginKey.getState(state);
  if (!shared) return 0;
  const { type, binding } = shared;
  const target = doc ?? shared.doc;
  const key = keyOf(mark);
  const attributes = { [key]: isRemoved ? null : mark.attrs };
  let marked = 0;
  const annotateObject = (at: number) => {
    const id = typeAt(at, type, binding.mapping)?._item?.id;
    const place = id && new Y.RelativePosition(null, null, id);
    const found = place && Y.createAbsolutePositionFromRelativePosition(place, target);
    const element = found?.type instanceof Y.XmlFragment ? found.type.get(found.index) : null;
    if (!(element instanceof Y.XmlElement)) return;
    if (isRemoved) element.removeAttribute(key);
    else element.setAttribute(key, storedIn(mark));
    marked += 1;
  };
  target.transact(() => {
    state.doc.nodesBetween(from, to, (node, start) => {
      const end = Math.min(to, start + node.nodeSize);
      if (isObject(node) && start >= from && start + node.nodeSize <= to) annotateObject(start);
      for (let at = Math.max(from, start); node.isText && at < end; ) {
        const place = absolutePositionToRelativePosition(at + 1, type, binding.mapping);
        const found = Y.createAbsolutePositionFromRelativePosition(place, target);
        if (!(found?.type instanceof Y.XmlText) || found.index === 0) return;
        const index = found.index - 1;
        const length = Math.min(end - at, found.type.length - index);
        found.type.format(index, length, attributes);
        marked += length;
        at += length;
      }
    });
  }, ANNOTATION_ORIGIN);
  return marked;
}
