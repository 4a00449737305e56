/** Positions of the editor as places in the shared document, and back.
 *
 * A place in the shared document names a character, and stays between the same letters whatever
 * others write. The nodes of the editor are known by their Yjs types (`Nodes`); a type without a
 * node is not shown and takes no room.
 */

import type { Node } from "prosemirror-model";
import * as Y from "yjs";
import { livingOf } from "./heirs.js";

/** Any Yjs type that may stand in a document. */
// biome-ignore lint/suspicious/noExplicitAny: Yjs' types are invariant in what their events carry
export type YType = Y.AbstractType<any>;

/** The node that shows a type; null where the schema has none, undefined before it was read. */
export interface Nodes {
  readonly get: (type: YType) => Node | null | undefined;
}

/** The type that an item holds, if it holds one. */
export function typeIn(item: Y.Item | null | undefined): YType | null {
  return item?.content instanceof Y.ContentType ? item.content.type : null;
}

function sizeOf(item: Y.Item, isInline: boolean, nodes: Nodes): number {
  const type = typeIn(item);
  if (type instanceof Y.XmlText) return isInline ? type.length : 0;
  return (type && nodes.get(type)?.nodeSize) ?? 0;
}

/** The place in the shared document of a position of the document that `nodes` holds. */
export function absolutePositionToRelativePosition(
  position: number,
  root: Y.XmlFragment,
  nodes: Nodes,
): Y.RelativePosition {
  if (position === 0) return Y.createRelativePositionFromTypeIndex(root, 0, -1);
  let parent: YType = root;
  let left = position;
  for (;;) {
    const node = nodes.get(parent);
    if (node?.inlineContent) return placeInLine(parent, left, nodes);
    const child: Y.Item | null = childAt(parent, node, left, nodes);
    if (!child) return endOf(parent);
    const before = sizeBefore(child, false, nodes);
    if (before === left) return new Y.RelativePosition(idOf(parent), nameOf(parent), child.id);
    left -= before + 1;
    parent = typeIn(child) as YType;
  }
}

/** The type whose node begins at a position; null for words, and where nothing begins. */
export function typeAt(position: number, root: Y.XmlFragment, nodes: Nodes): YType | null {
  let [parent, left]: [YType, number] = [root, position];
  for (;;) {
    const isInline = nodes.get(parent)?.inlineContent ?? false;
    let item = parent._first;
    for (; item; item = item.next) {
      const size = sizeOf(item, isInline, nodes);
      if (left < size) break;
      left -= size;
    }
    const type = typeIn(item);
    if (!type || type instanceof Y.XmlText) return null;
    if (left === 0) return type;
    [parent, left] = [type, left - 1];
  }
}

/** The child of `parent` that begins at an offset or holds it. */
function childAt(parent: YType, node: Node | null | undefined, offset: number, nodes: Nodes): Y.Item | null {
  // The child of the same number is the right one wherever everything is shown.
  if (node && offset < node.content.size) {
    const index = indexAt(node, offset);
    let item = parent._first;
    for (let at = 0; item && at < index; at += 1) item = item.next;
    const type = typeIn(item);
    if (type && nodes.get(type) === node.child(index)) return item;
  }
  let at = 0;
  for (let item = parent._first; item; item = item.next) {
    const size = sizeOf(item, false, nodes);
    if (at === offset || offset < at + size) return item;
    at += size;
  }
  return null;
}

function indexAt(node: Node, offset: number): number {
  let [index, end] = [0, node.child(0).nodeSize];
  while (end <= offset) {
    index += 1;
    end += node.child(index).nodeSize;
  }
  return index;
}

function placeInLine(parent: YType, offset: number, nodes: Nodes): Y.RelativePosition {
  let left = offset;
  for (let item = parent._first; item; item = item.next) {
    const type = typeIn(item);
    if (type instanceof Y.XmlText && left <= type.length) {
      return Y.createRelativePositionFromTypeIndex(type, left, -1);
    }
    if (left <= 0) return new Y.RelativePosition(idOf(parent), null, item.id);
    left -= sizeOf(item, true, nodes);
  }
  return endOf(parent);
}

/** The end of a type; the start of an empty one, or the place would move with each letter that others write. */
function endOf(parent: YType): Y.RelativePosition {
  return new Y.RelativePosition(idOf(parent), nameOf(parent), null, parent._first === null ? -1 : 0);
}

function idOf({ _item: item }: YType): Y.ID | null {
  return item && Y.createID(item.id.client, item.id.clock);
}

function nameOf(type: YType): string | null {
  return type._item === null ? Y.findRootTypeKey(type) : null;
}

/** The position of a place; null if the place is in nothing that is shown. */
export function relativePositionToAbsolutePosition(
  doc: Y.Doc,
  root: Y.XmlFragment,
  place: Y.RelativePosition,
  nodes: Nodes,
): number | null {
  // Places come from other people, too.
  if (place.item === null && place.type === null && place.tname === null) return null;
  const decoded = Y.createAbsolutePositionFromRelativePosition(living(doc, place), doc);
  if (decoded === null) return null;
  const { type, index } = decoded;
  const start = startOf(type, root, nodes);
  if (start === null || type instanceof Y.XmlText) return start === null ? null : start + index;
  const isInline = nodes.get(type)?.inlineContent ?? false;
  let position = start;
  let item = type._first;
  for (let at = 0; item && at < index; at += 1) {
    position += sizeOf(item, isInline, nodes);
    item = item.next;
  }
  return position;
}

/** A place with what lives of the character, or of the type, that the place names. */
function living(doc: Y.Doc, place: Y.RelativePosition): Y.RelativePosition {
  const { item, type, tname, assoc } = place;
  if (item !== null) {
    const found = livingOf(doc, item);
    return found ? new Y.RelativePosition(null, null, found.id, assoc) : place;
  }
  const found = type && livingOf(doc, type);
  return found ? new Y.RelativePosition(found.id, tname, null, assoc) : place;
}

/** Where the content of a type begins; null if the type is not shown. */
export function startOf(type: YType, root: YType, nodes: Nodes): number | null {
  let position = 0;
  for (let at = type; at !== root; ) {
    const item: Y.Item | null = at._item;
    if (!item || item.deleted || !(item.parent instanceof Y.AbstractType)) return null;
    const isText = at instanceof Y.XmlText;
    if (!isText && !nodes.get(at)) return null;
    const parent: YType = item.parent;
    position += sizeBefore(item, nodes.get(parent)?.inlineContent ?? false, nodes) + (isText ? 0 : 1);
    at = parent;
  }
  return position;
}

function sizeBefore(item: Y.Item, isInline: boolean, nodes: Nodes): number {
  let size = 0;
  for (let left = item.prev; left; left = left.prev) size += sizeOf(left, isInline, nodes);
  return size;
}

/** The position of a living character. */
export function positionOf(id: Y.ID, doc: Y.Doc, root: Y.XmlFragment, nodes: Nodes): number | null {
  return relativePositionToAbsolutePosition(doc, root, new Y.RelativePosition(null, null, id, 0), nodes);
}
