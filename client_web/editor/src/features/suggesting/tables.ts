/** Rows and columns that come and go. A column is a proposal for each of its cells, all of one suggestion. */

import type { Node } from "@tiptap/pm/model";
import type { Gap } from "./aligning";
import { Refused } from "./author";
import { empties, insertions } from "./blocks";
import type { Draft, Op } from "./draft";

const roleOf = ({ type }: Node): unknown => type.spec.tableRole;

export const isTable = (node: Node): boolean => roleOf(node) === "table";

/** Whether a node is a table or a part of one. */
export function isOfTable(node: Node): boolean {
  return roleOf(node) !== undefined;
}

/** Plans rows that come or go at one place. */
export function rows(draft: Draft, gap: Gap, nowTable: Node): Op[] {
  if (gap.olds.length > 0 && gap.news.length > 0) throw new Refused("table");
  draft.isStructural = true;
  draft.isShaping = true;
  return [...goes(draft, gap.olds, gap.oldAt), ...insertions(draft, gap, nowTable)];
}

/** Plans rows or columns that come or go at one place of a table; null if something else has happened to the table. */
export function shapes(draft: Draft, old: Node, oldAt: number, now: Node, nowAt: number): Op[] | null {
  const more = now.childCount - old.childCount;
  if (more === 0) return columns(draft, old, oldAt, now, nowAt);
  const place = placeOf([old.children], [now.children]);
  return place === null ? null : rows(draft, gapAt(old, oldAt, now, nowAt, place), now);
}

function columns(draft: Draft, old: Node, oldAt: number, now: Node, nowAt: number): Op[] | null {
  const by = (now.firstChild?.childCount ?? 0) - (old.firstChild?.childCount ?? 0);
  if (by === 0 || now.children.some((row, at) => row.childCount - old.child(at).childCount !== by))
    return null;
  const place = placeOf(
    old.children.map(({ children }) => children),
    now.children.map(({ children }) => children),
  );
  if (place === null) throw new Refused("table");
  draft.isStructural = true;
  draft.isShaping = true;
  const ops: Op[] = [];
  let [from, to] = [oldAt + 1, nowAt + 1];
  for (const [at, row] of old.children.entries()) {
    const nowRow = now.child(at);
    const gap = gapAt(row, from, nowRow, to, place);
    const isTaken = (index: number) => draft.isMine(row) && isOwnColumn(draft, old, place + index);
    ops.push(...goes(draft, gap.olds, gap.oldAt, isTaken), ...insertions(draft, gap, nowRow));
    from += row.nodeSize;
    to += nowRow.nodeSize;
  }
  return ops;
}

function gapAt(old: Node, oldAt: number, now: Node, nowAt: number, place: number): Gap {
  const by = now.childCount - old.childCount;
  const before = 1 + sizeOf(old.children.slice(0, place));
  return {
    olds: old.children.slice(place, place + Math.max(-by, 0)),
    news: now.children.slice(place, place + Math.max(by, 0)),
    oldAt: oldAt + before,
    nowAt: nowAt + before,
  };
}

type Lines = readonly (readonly Node[])[];

/** The place at which some nodes have come into each line, or have gone from it; null if there is none. */
function placeOf(old: Lines, now: Lines): number | null {
  const by = (now[0]?.length ?? 0) - (old[0]?.length ?? 0);
  const [less, more] = by > 0 ? [old, now] : [now, old];
  let found: { place: number; same: number } | null = null;
  for (let place = 0; place <= (less[0]?.length ?? 0); place += 1) {
    let same = 0;
    const isHere = less.every((line, at) => {
      const rest = (more[at] ?? []).toSpliced(place, Math.abs(by));
      // Empty rows are alike: what stays is the very node that it was.
      same += line.filter((node, index) => node === rest[index]).length;
      return line.every((node, index) => rest[index]?.eq(node));
    });
    if (isHere && same > (found?.same ?? -1)) found = { place, same };
  }
  return found?.place ?? null;
}

/** Whether nothing of a column would be left without one's own proposals. */
function isOwnColumn(draft: Draft, { children }: Node, column: number): boolean {
  return children.every((row) => draft.isMine(row) || draft.isMine(row.child(column)));
}

/** Rows or cells that go: really if they are one's own, or `isTaken` says so. The cursor stays where it is. */
function goes(
  draft: Draft,
  olds: readonly Node[],
  oldAt: number,
  isTaken: (index: number) => boolean = () => false,
): Op[] {
  let end = oldAt;
  return olds.map((old, index) => {
    const at = end;
    end += old.nodeSize;
    if (draft.isMine(old) || isTaken(index))
      return () => void draft.tr.delete(draft.map(at), draft.map(at + old.nodeSize, -1));
    return () => {
      draft.suggestDeletion(old, at);
      empties(draft, old, at);
    };
  });
}

function sizeOf(nodes: readonly Node[]): number {
  return nodes.reduce((size, { nodeSize }) => size + nodeSize, 0);
}
