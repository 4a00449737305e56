/** Selections that stay between the same letters while others change what is around them.
 *
 * Before a change, each end of the selection remembers the characters on its left and right. After
 * the change an end is, in this order of trust:
 *
 * 0. behind the heir of the nearest character that has moved to a new block, if only words of one's
 *    own stand between them, of this page or of the one before it: they were not known to whoever
 *    moved the rest, and the server sends them after it;
 * 1. behind its left neighbour, if the neighbour lives, came back by undo, or has an heir; and behind
 *    words of one's own that the server has brought back there;
 * 2. at the start of its text, if it was there; or before its right neighbour or the heir of that;
 * 3. behind the nearest character on the left that has an heir;
 * 4. where the change in the editor leaves the position, if the change did not replace it;
 * 5. between the same words in what is new;
 * 6. beside the nearest character that lives; or at the same place in the same one of the new lines.
 */

import type { Node } from "prosemirror-model";
import {
  AllSelection,
  type EditorState,
  NodeSelection,
  type Selection,
  TextSelection,
} from "prosemirror-state";
import type { Mappable } from "prosemirror-transform";
import * as Y from "yjs";
import { type Living, lastReturned, livingOf, type Returned, SERVER } from "./heirs.js";
import type { Pending, Run } from "./pending.js";
import {
  absolutePositionToRelativePosition,
  type Nodes,
  positionOf,
  relativePositionToAbsolutePosition,
} from "./positions.js";

interface End {
  readonly position: number;
  readonly place: Y.RelativePosition;
  /** Neighbours in the same text, the nearest run first. */
  readonly left: readonly Run[];
  readonly right: readonly Run[];
}

export interface Memory {
  readonly selection: Selection;
  readonly doc: Node;
  readonly anchor: End;
  readonly head: End;
  /** How far each client's items went before the first change since that brought heirs. */
  readonly clocks?: ReadonlyMap<number, number>;
  /** From where on each client's items were not acknowledged then: words of a former session of this page, too. */
  readonly unsaved?: ReadonlyMap<number, number>;
  /** One's own words that have come back since. */
  readonly returned?: Returned;
}

/** The shared document and how the editor shows it. */
export interface Shown {
  readonly doc: Y.Doc;
  readonly root: Y.XmlFragment;
  readonly nodes: Nodes;
  readonly pending: Pending;
}

/** What a change put where: positions of the old and the new document. */
export interface Change {
  readonly start: number;
  readonly oldEnd: number;
  readonly newEnd: number;
  readonly old: Node;
  readonly doc: Node;
  readonly mapping: Mappable;
}

/** So many characters on each side are remembered, in so many runs. */
const MOST_REMEMBERED = 2_000;
const MOST_RUNS = 200;
/** So many characters on each side tell one place from another. */
const MOST_COMPARED = 64;
/** Text that is searched for the words around a caret. */
const MOST_SEARCHED = 20_000;
/** Words that agree by chance have fewer characters in common. */
const LEAST_ALIKE = 4;

export function remember({ selection, doc }: EditorState, shown: Shown): Memory {
  const anchor = endAt(selection.anchor, shown);
  const head = selection.empty ? anchor : endAt(selection.head, shown);
  return { selection, doc, anchor, head };
}

function endAt(position: number, { doc, root, nodes, pending }: Shown): End {
  const place = absolutePositionToRelativePosition(position, root, nodes);
  const { item: id, type, assoc } = place;
  if (id === null) {
    const text = type && typeOf(doc, type);
    return { position, place, left: [], right: text instanceof Y.XmlText ? runsFrom(text._start, 0) : [] };
  }
  const item: unknown = Y.getItem(doc.store, id);
  if (!(item instanceof Y.Item) || assoc >= 0) return { position, place, left: [], right: [] };
  const offset = id.clock - item.id.clock + 1;
  const isWhole = offset === item.length;
  return {
    position,
    place,
    left: pending.behindWords(runsTo(item, offset)),
    right: isWhole ? runsFrom(item.right, 0) : runsFrom(item, offset),
  };
}

/** An end at an offset among the characters of a line. */
export function endIn(
  runs: readonly Run[],
  offset: number,
  position: number,
  start: Y.RelativePosition,
): End {
  const left: Run[] = [];
  const right: Run[] = [];
  let at = 0;
  for (const { client, clock, length } of runs) {
    const before = Math.min(Math.max(offset - at, 0), length);
    if (before > 0) left.unshift({ client, clock, length: before });
    if (before < length) right.push({ client, clock: clock + before, length: length - before });
    at += length;
  }
  return { position, place: start, left, right };
}

function typeOf(doc: Y.Doc, id: Y.ID): unknown {
  const item: unknown = Y.getItem(doc.store, id);
  return item instanceof Y.Item && item.content instanceof Y.ContentType ? item.content.type : null;
}

function runsTo(item: Y.Item, end: number): readonly Run[] {
  const runs: Run[] = [];
  let left = MOST_REMEMBERED;
  let until = end;
  for (let at: Y.Item | null = item; at && left > 0 && runs.length < MOST_RUNS; at = at.prev) {
    if (at.countable)
      runs.push({ client: at.id.client, clock: at.id.clock, length: Math.min(until, at.length) });
    left -= at.length;
    until = Number.POSITIVE_INFINITY;
  }
  return runs;
}

function runsFrom(item: Y.Item | null, start: number): readonly Run[] {
  const runs: Run[] = [];
  let left = MOST_REMEMBERED;
  let from = start;
  for (let at = item; at && left > 0 && runs.length < MOST_RUNS; at = at.next) {
    const isText = at.countable && !at.deleted;
    if (isText) runs.push({ client: at.id.client, clock: at.id.clock + from, length: at.length - from });
    left -= at.length;
    from = 0;
  }
  return runs;
}

/** The selection after a change; null for kinds of selection that the change itself moves. */
export function restored(memory: Memory, shown: Shown, change: Change): Selection | null {
  const { selection } = memory;
  if (selection instanceof AllSelection) return new AllSelection(change.doc);
  if (selection instanceof NodeSelection) return restoredNode(memory, shown, change);
  if (!(selection instanceof TextSelection)) return null;
  const after = (end: End) => behindMoved(end, memory, shown) ?? positionAfter(end, memory, shown, change);
  const anchor = after(memory.anchor);
  const head = memory.head === memory.anchor ? anchor : after(memory.head);
  return between(anchor ?? head, head ?? anchor, change.doc);
}

/**
 * Where a selection belongs whose neighbours come back, or follow what has moved, the nearest ones
 * last; null as long as none does, or when the person has moved the selection since.
 */
export function awaited(memory: Memory, now: Selection, shown: Shown, { doc }: Change): Selection | null {
  if (!(now instanceof TextSelection) || !memory.selection.eq(now)) return null;
  const behind = (end: End) => behindMoved(end, memory, shown) ?? behindHeir(end, memory, shown);
  return between(behind(memory.anchor), behind(memory.head), doc);
}

function behindHeir(end: End, { returned = [] }: Memory, shown: Shown): number | null {
  const nearest = besideNearest({ ...end, right: [] }, returned, shown);
  return nearest?.isHeir ? nearest.position : null;
}

/**
 * Behind what has moved to a new block, or what the server has moved of one's own words, while others of them are still in the
 * old block.
 */
function behindMoved(
  { left, right: [behind] }: End,
  { clocks, unsaved }: Memory,
  shown: Shown,
): number | null {
  const { doc, root, nodes } = shown;
  if (!clocks || (behind && livesAsItself(Y.createID(behind.client, behind.clock), doc))) return null;
  let near: Living | null = null;
  for (const id of idsBackwards(left)) {
    const found = livingOf(doc, id);
    if (!found) return null;
    if (!near && !Y.compareIDs(found.id, id)) return null;
    near ??= found;
    const isOwn =
      id.client === doc.clientID || id.clock >= (unsaved?.get(id.client) ?? Number.POSITIVE_INFINITY);
    if (!Y.compareIDs(found.id, id)) {
      // What has come back in front of words in its own line has not left them behind.
      if (lineOf(found) === lineOf(near)) return null;
      const block = found.item.parent instanceof Y.AbstractType ? found.item.parent._item : null;
      const isNew = block && block.id.clock >= (clocks.get(block.id.client) ?? 0);
      const isRescued = isOwn && found.id.client === SERVER;
      const position = isNew || isRescued ? positionOf(found.id, doc, root, nodes) : null;
      return position === null ? null : position + 1;
    }
    if (!isOwn) return null;
  }
  return null;
}

function lineOf({ item: { parent } }: Living): unknown {
  return parent instanceof Y.XmlText ? parent.parent : parent;
}

function* idsBackwards(runs: readonly Run[]): Iterable<Y.ID> {
  for (const { client, clock, length } of runs) {
    for (let at = length - 1; at >= 0; at -= 1) yield Y.createID(client, clock + at);
  }
}

function livesAsItself(id: Y.ID, doc: Y.Doc): boolean {
  const found = livingOf(doc, id);
  return found !== null && Y.compareIDs(found.id, id);
}

/** Whether the characters beside a selection may yet get heirs: they are dead, or will follow others. */
export function isOrphaned(memory: Memory, shown: Shown): boolean {
  return (
    memory.selection instanceof TextSelection &&
    [memory.anchor, memory.head].some((end) => {
      const [near] = end.left;
      return near && (!livesIn(near, shown.doc) || behindMoved(end, memory, shown) !== null);
    })
  );
}

function livesIn({ client, clock, length }: Run, doc: Y.Doc): boolean {
  return livingOf(doc, Y.createID(client, clock + length - 1)) !== null;
}

function between(anchor: number | null, head: number | null, doc: Node): Selection | null {
  if (anchor === null || head === null) return null;
  const { size } = doc.content;
  return TextSelection.between(doc.resolve(Math.min(anchor, size)), doc.resolve(Math.min(head, size)));
}

function restoredNode({ anchor }: Memory, { doc, root, nodes }: Shown, change: Change): Selection | null {
  const at = relativePositionToAbsolutePosition(doc, root, anchor.place, nodes);
  const node = at === null ? null : change.doc.nodeAt(at);
  return at !== null && node && NodeSelection.isSelectable(node)
    ? NodeSelection.create(change.doc, at)
    : null;
}

function positionAfter(
  end: End,
  { doc: before, returned = [] }: Memory,
  shown: Shown,
  change: Change,
): number | null {
  const { place, left, right, position } = end;
  if (left.length === 0 && right.length === 0) {
    const found = relativePositionToAbsolutePosition(shown.doc, shown.root, place, shown.nodes);
    if (found !== null) return found;
  }
  const exact = besideNeighbour(end, returned, shown);
  if (exact !== null) return exact;
  const nearest = besideNearest(end, returned, shown);
  if (nearest?.isHeir) return nearest.position;
  // A step of undo remembers a selection in a document of long ago.
  const isCurrent = before === change.old;
  const moved = isCurrent ? change.mapping.mapResult(position, -1) : null;
  if (moved && !moved.deleted) return moved.pos;
  return (
    betweenSameWords(position, before, change) ??
    nearest?.position ??
    (isCurrent ? inSameLine(position, before, change) : null)
  );
}

/** Where the nearest neighbour is; null if nothing of it lives. */
function besideNeighbour({ left, right, place }: End, returned: Returned, shown: Shown): number | null {
  const [before, behind] = [left[0], right[0]];
  if (before) {
    const found = livingOf(shown.doc, Y.createID(before.client, before.clock + before.length - 1));
    const at = found && positionOf(lastReturned(found, returned), shown.doc, shown.root, shown.nodes);
    return at === null ? null : at + 1;
  }
  const start = relativePositionToAbsolutePosition(shown.doc, shown.root, place, shown.nodes);
  if (start !== null) return start;
  const found = behind && livingOf(shown.doc, Y.createID(behind.client, behind.clock));
  return found ? positionOf(found.id, shown.doc, shown.root, shown.nodes) : null;
}

interface Nearest {
  readonly position: number;
  /** Whether the character stands for one that was remembered, or has come back behind one. */
  readonly isHeir: boolean;
}

function besideNearest(
  { left, right }: End,
  returned: Returned,
  { doc, root, nodes }: Shown,
): Nearest | null {
  for (const [runs, isLeft] of [
    [left, true],
    [right, false],
  ] as const) {
    for (const { client, clock, length } of runs) {
      for (let at = 0; at < length; at += 1) {
        const id = Y.createID(client, isLeft ? clock + length - 1 - at : clock + at);
        const found = livingOf(doc, id);
        const place = found && (isLeft ? lastReturned(found, returned) : found.id);
        const position = place && positionOf(place, doc, root, nodes);
        if (found && position !== null) {
          return { position: isLeft ? position + 1 : position, isHeir: !Y.compareIDs(place, id) };
        }
      }
    }
  }
  return null;
}

/** The place in what is new whose words are most like those around an old position. */
function betweenSameWords(position: number, before: Node, { start, newEnd, doc }: Change): number | null {
  if (position > before.content.size || newEnd - start > MOST_SEARCHED) return null;
  const old = before.resolve(position);
  if (!old.parent.isTextblock) return null;
  const words = textOf(old.parent);
  const left = words.slice(Math.max(old.parentOffset - MOST_COMPARED, 0), old.parentOffset);
  const right = words.slice(old.parentOffset, old.parentOffset + MOST_COMPARED);
  const least = Math.min((left.length + right.length) / 2, LEAST_ALIKE * 4);
  const isWholeSide = (alike: number, side: string) => alike === side.length && alike >= LEAST_ALIKE;
  let best = { alike: 0, position: -1 };
  doc.nodesBetween(start, newEnd, (node, at) => {
    if (!node.isTextblock) return true;
    const text = textOf(node);
    for (let offset = 0; offset <= text.length; offset += 1) {
      const place = at + 1 + offset;
      const [before_, behind] = [commonEnd(left, text, offset), commonStart(right, text, offset)];
      const alike = before_ + behind;
      if (alike <= best.alike || place < start || place > newEnd) continue;
      if (alike >= least || isWholeSide(before_, left) || isWholeSide(behind, right))
        best = { alike, position: place };
    }
    return false;
  });
  return best.position < 0 ? null : best.position;
}

export function textOf(line: Node): string {
  return line.textBetween(0, line.content.size, undefined, "\ufffc");
}

export function commonEnd(words: string, text: string, end: number): number {
  let length = 0;
  while (length < words.length && length < end && words.at(-1 - length) === text[end - 1 - length])
    length += 1;
  return length;
}

export function commonStart(words: string, text: string, start: number): number {
  let length = 0;
  while (length < words.length && start + length < text.length && words[length] === text[start + length])
    length += 1;
  return length;
}

/** The same offset in the line of the same number, if as many lines were put as were taken. */
function inSameLine(position: number, before: Node, { start, oldEnd, newEnd, doc }: Change): number | null {
  if (position > before.content.size) return null;
  const [old, now] = [linesBetween(before, start, oldEnd), linesBetween(doc, start, newEnd)];
  const at = old.findIndex((line) => position > line.at && position < line.at + line.node.nodeSize);
  const line = old.length === now.length ? now[at] : undefined;
  if (!line) return null;
  return line.at + 1 + Math.min(position - (old[at]?.at ?? 0) - 1, line.node.content.size);
}

function linesBetween(doc: Node, from: number, to: number) {
  const lines: { node: Node; at: number }[] = [];
  doc.nodesBetween(from, Math.min(to, doc.content.size), (node, at) => {
    if (node.isTextblock) lines.push({ node, at });
    return !node.isTextblock;
  });
  return lines;
}

/**
 * The selection after an undo or a redo: the one before the step, if it is where the change is, else
 * behind the change. Words that come back are not left selected, because the next letter would take
 * them away again.
 *
 * @param words what the step has written or deleted: beside the same letters, the two documents do
 *   not tell where it stands.
 */
export function atUndone(
  before: Selection | null,
  words: readonly Y.ID[],
  { doc: shared, root, nodes }: Shown,
  { start, oldEnd, newEnd, old, doc }: Change,
): Selection {
  const behind = (at: number) => TextSelection.near(doc.resolve(Math.min(at, doc.content.size)), -1);
  const [$start, $end] = [doc.resolve(start), doc.resolve(newEnd)];
  const isInLine = $start.parent.isTextblock && $start.sameParent($end);
  const isThere =
    before !== null &&
    ((before.to >= start && before.from <= newEnd) || (isInLine && before.$head.sameParent($start)));
  if (isThere) {
    const isOfWords = wordsIn(old, start, oldEnd) !== wordsIn(doc, start, newEnd);
    return isOfWords && before instanceof TextSelection && !before.empty ? behind(before.to) : before;
  }
  const places = words.map((id) =>
    relativePositionToAbsolutePosition(shared, root, new Y.RelativePosition(null, null, id, -1), nodes),
  );
  const last = isInLine ? Math.max(...places.map((place) => place ?? 0)) : 0;
  return behind(last > 0 ? last : newEnd);
}

function wordsIn(doc: Node, from: number, to: number): string {
  return doc.textBetween(from, to, "\n", "\ufffc");
}
