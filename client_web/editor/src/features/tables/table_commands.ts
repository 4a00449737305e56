/** What is done to the rows and columns that the selection is in: move, sort, colour, headers.
 *
 * Rows and cells that stay are the very nodes that they were, so that what a colleague types in them
 * meanwhile stays in its place. A place keeps its kind: what is moved to the first row of a table
 * with a header row becomes a header.
 */

import type { Command } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import { type EditorState, TextSelection, type Transaction } from "@tiptap/pm/state";
import { CellSelection, isInTable, selectedRect, type TableRect, toggleHeader } from "@tiptap/pm/tables";

export type Way = "up" | "down" | "left" | "right";

export interface Headers {
  readonly row: boolean;
  readonly column: boolean;
}

/** Moves the rows or columns of the selection by one. */
export function move(way: Way): Command {
  return ({ state, tr, dispatch }) => {
    if (!isInTable(state)) return false;
    const rect = selectedRect(state);
    const isRow = way === "up" || way === "down";
    const [first, last, count] = isRow
      ? [rect.top, rect.bottom - 1, rect.map.height]
      : [rect.left, rect.right - 1, rect.map.width];
    const isBack = way === "up" || way === "left";
    // The neighbour changes sides: the rows of the selection, and the caret in them, stay where they are.
    const from = isBack ? first - 1 : last + 1;
    const to = isBack ? last : first;
    if (from < 0 || from >= count || hasMerged(rect)) return false;
    if (dispatch) (isRow ? moveRow : moveColumn)(tr, rect, from, to);
    return true;
  };
}

/** Sorts the rows below the header by the column that the selection is in; empty cells come last. */
export function sort(isDescending: boolean): Command {
  return ({ state, tr, dispatch }) => {
    if (!isInTable(state)) return false;
    const rect = selectedRect(state);
    const first = headersOf(rect).row ? 1 : 0;
    if (hasMerged(rect) || rect.map.height - first < 2) return false;
    const rows = rect.table.children.slice(first);
    const sorted = rows.toSorted(byColumn(rect.left, isDescending));
    if (dispatch && sorted.some((row, at) => row !== rows[at])) {
      const start = rect.tableStart + sizeOf(rect.table.children.slice(0, first));
      const { anchor, head } = tr.selection;
      tr.replaceWith(start, start + sizeOf(rows), sorted);
      const own = rows[rect.top - first];
      if (own) {
        const before = start + sizeOf(rows.slice(0, rect.top - first));
        const moved = start + sizeOf(sorted.slice(0, sorted.indexOf(own))) - before;
        const [from, to] = [tr.doc.resolve(anchor + moved), tr.doc.resolve(head + moved)];
        tr.setSelection(TextSelection.between(from, to));
      }
    }
    return true;
  };
}

/** Colours the cells of the selection, or its whole rows or columns; null takes the colour away. */
export function paint(part: "cells" | "row" | "column", color: string | null): Command {
  return ({ state, tr, dispatch }) => {
    if (!isInTable(state)) return false;
    const rect = selectedRect(state);
    const { map, tableStart } = rect;
    const all = { left: 0, top: 0, right: map.width, bottom: map.height };
    const chosen =
      part === "cells"
        ? rect
        : part === "row"
          ? { ...all, top: rect.top, bottom: rect.bottom }
          : { ...all, left: rect.left, right: rect.right };
    if (dispatch)
      for (const at of map.cellsInRect(chosen)) tr.setNodeAttribute(tableStart + at, "background", color);
    return true;
  };
}

/** Selects the rows or the columns that the selection is in, from edge to edge. */
export function selectAll(part: "row" | "column"): Command {
  return ({ state, tr, dispatch }) => {
    if (!isInTable(state)) return false;
    const { map, tableStart, left, right, top, bottom } = selectedRect(state);
    const cell = (row: number, column: number) =>
      tr.doc.resolve(tableStart + (map.map[row * map.width + column] ?? 0));
    const selection =
      part === "row"
        ? CellSelection.rowSelection(cell(top, 0), cell(bottom - 1, map.width - 1))
        : CellSelection.colSelection(cell(0, left), cell(map.height - 1, right - 1));
    if (dispatch) tr.setSelection(selection);
    return true;
  };
}

/** Makes the first row or column of the table a header, or plain again. */
export function switchHeader(part: "row" | "column"): Command {
  return ({ state, dispatch }) => toggleHeader(part)(state, dispatch);
}

/** Whether the table that the selection is in begins with a header row, with a header column. */
export function headersIn(state: EditorState): Headers {
  return isInTable(state) ? headersOf(selectedRect(state)) : { row: false, column: false };
}

/** Cells that go over several rows or columns belong to no single one that could be moved. */
function hasMerged({ table }: TableRect): boolean {
  return table.children.some((row) =>
    row.children.some(({ attrs }) => attrs.colspan > 1 || attrs.rowspan > 1),
  );
}

function headersOf({ table, map }: TableRect): Headers {
  const isHeader = (at: number | undefined) =>
    at !== undefined && table.nodeAt(at)?.type.spec.tableRole === "header_cell";
  const column = map.map.filter((_, at) => at % map.width === 0);
  return { row: map.map.slice(0, map.width).every(isHeader), column: column.every(isHeader) };
}

function moveRow(tr: Transaction, { table, tableStart }: TableRect, from: number, to: number): void {
  const rows = [...table.children];
  const start = tableStart + sizeOf(rows.slice(0, from));
  const [moved] = rows.splice(from, 1);
  if (!moved) return;
  tr.delete(start, start + moved.nodeSize);
  tr.insert(tableStart + sizeOf(rows.slice(0, to)), moved);
  keepKinds(tr, tableStart, table);
}

function moveColumn(tr: Transaction, { table, tableStart }: TableRect, from: number, to: number): void {
  let start = tableStart;
  for (const row of table.children) {
    const cells = [...row.children];
    const cellStart = start + 1 + sizeOf(cells.slice(0, from));
    const [moved] = cells.splice(from, 1);
    if (moved) {
      tr.delete(cellStart, cellStart + moved.nodeSize);
      tr.insert(start + 1 + sizeOf(cells.slice(0, to)), moved);
    }
    start += row.nodeSize;
  }
  keepKinds(tr, tableStart, table);
}

/** Gives each place of the table the kind of cell that it had before. */
function keepKinds(tr: Transaction, tableStart: number, before: Node): void {
  const table = tr.doc.nodeAt(tableStart - 1);
  let rowStart = tableStart;
  table?.forEach((row, _offset, rowAt) => {
    let cellStart = rowStart + 1;
    row.forEach((cell, _inner, cellAt) => {
      const kind = before.maybeChild(rowAt)?.maybeChild(cellAt)?.type;
      if (kind && kind !== cell.type) tr.setNodeMarkup(cellStart, kind, cell.attrs);
      cellStart += cell.nodeSize;
    });
    rowStart += row.nodeSize;
  });
}

function byColumn(column: number, isDescending: boolean): (one: Node, other: Node) => number {
  const { compare } = new Intl.Collator(undefined, { numeric: true });
  const words = (row: Node) => row.maybeChild(column)?.textContent.trim() ?? "";
  return (one, other) => {
    const [a, b] = [words(one), words(other)];
    if (a === "" || b === "") return Number(a === "") - Number(b === "");
    return isDescending ? compare(b, a) : compare(a, b);
  };
}

function sizeOf(nodes: readonly Node[]): number {
  return nodes.reduce((size, { nodeSize }) => size + nodeSize, 0);
}
