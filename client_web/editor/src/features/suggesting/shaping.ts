/** Tables in which rows or columns are settled that somebody has proposed to insert or to delete.
 *
 * The cells are laid into a grid, rows and columns leave it or are filled up, and the table is made of what is left. So a table of one
 * width stays one, also when somebody else has added a row or merged cells meanwhile:
 *
 * 1. A row that lacks the cell of a proposed column gets an empty one when the column is accepted.
 * 2. A column goes when nothing is left in it. A cell that somebody has added to it without a proposal goes with it if it is empty.
 *    Otherwise the column stays, and only what was proposed is gone from it.
 * 3. Cells that go over several rows or columns become smaller.
 *
 * The server reads tables by the same rules (crdt/content/shaping.py).
 */

import { type NodeSuggestion, proposalsOf, suggestionOf, withProposals } from "@manyhands/schema";
import { Fragment, type Node } from "@tiptap/pm/model";
import type { Judge } from "./settle";

/** A cell, with what becomes of it. */
interface Cell {
  readonly before: Node;
  readonly fate: Fate;
  /** As it is when all that is decided is settled. */
  readonly node: Node;
  readonly isEmpty: boolean;
}

/** What is decided on a row or a cell. */
interface Fate {
  readonly attrs: Node["attrs"];
  /** The suggestion by which it comes. */
  readonly coming: NodeSuggestion | null;
  readonly isIn: boolean;
  readonly isOut: boolean;
  readonly isStruck: boolean;
}

/** The cell at each place of a row; a place without one is a gap. */
type Slots = (Cell | null)[];

export interface Shaping {
  readonly judge: Judge;
  /** A cell without what is settled in it. */
  readonly settle: (cell: Node, attrs: Node["attrs"]) => Node;
  readonly isEmpty: (cell: Node) => boolean;
}

const roleOf = ({ type }: Node): unknown => type.spec.tableRole;

/** Whether anything is decided on rows or columns of a node, which is a table then. */
export function isShaped(node: Node, judge: Judge): boolean {
  const isDecided = ({ attrs }: Node) =>
    proposalsOf(attrs).some((each) => ["accept", "reject"].includes(judge(each)));
  return (
    roleOf(node) === "table" && node.children.some((row) => isDecided(row) || row.children.some(isDecided))
  );
}

/** The rows of a table in which something is decided; none if the table has to go. */
export function shapedRows(table: Node, shaping: Shaping): Fragment {
  const grid = gridOf(table, shaping);
  const rows = table.children.flatMap((row, at) => {
    const { attrs, isOut, isStruck } = fateOf(row, shaping.judge);
    const slots = grid[at] ?? [];
    const isLeft = (cell: Cell | null) => cell !== null && !cell.isEmpty && !cell.fate.isOut;
    if (isOut || (isStruck && !slots.some(isLeft))) return [];
    return [{ row, attrs, slots }];
  });
  const width = Math.max(0, ...rows.map(({ slots }) => slots.length));
  for (let column = width - 1; column >= 0; column -= 1)
    settleColumn(
      rows.map(({ slots }) => slots),
      column,
    );
  if (rows.every(({ slots }) => slots.length === 0)) return Fragment.empty;
  return Fragment.from(
    rows.map(({ row, attrs, slots }, at) => {
      const cells = slots.flatMap((cell, column) => {
        const isFirst = cell !== null && slots[column - 1] !== cell && rows[at - 1]?.slots[column] !== cell;
        return isFirst ? [spanning(cell, rows, at, column)] : [];
      });
      return row.type.create(attrs, cells, row.marks);
    }),
  );
}

function fateOf({ attrs }: Node, judge: Judge): Fate {
  const all = proposalsOf(attrs).map((each) => ({ each, verdict: judge(each) }));
  const left = all.flatMap(({ each, verdict }) => (verdict === "keep" ? [each] : []));
  const has = (kind: NodeSuggestion["kind"], wanted: string) =>
    all.some(({ each, verdict }) => each.kind === kind && verdict === wanted);
  return {
    attrs: left.length < all.length ? withProposals(attrs, left) : attrs,
    coming: all.find(({ each }) => each.kind === "insert")?.each ?? null,
    isIn: has("insert", "accept"),
    isOut: has("insert", "reject"),
    isStruck: has("delete", "accept"),
  };
}

/** Takes a column out of the grid, or fills its gaps, if something is decided on it. */
function settleColumn(grid: readonly Slots[], column: number): void {
  const own = grid.flatMap((slots) => {
    const cell = slots[column];
    return cell && (cell.fate.isOut || !isBeside(slots, column, cell)) ? [cell] : [];
  });
  const mayGo = own.some(({ fate }) => fate.isOut || fate.isStruck);
  if (mayGo && own.every(({ isEmpty, fate }) => isEmpty || fate.isOut)) {
    for (const slots of grid) slots.splice(column, 1);
    return;
  }
  if (!mayGo && !own.some(({ fate }) => fate.isIn)) return;
  const fresh = new Map<Cell, Cell>();
  const isHead = own.every(({ node }) => roleOf(node) === "header_cell");
  for (const slots of grid) {
    const cell = slots[column];
    if (cell?.fate.isOut) {
      slots[column] = fresh.get(cell) ?? emptyCell(cell.node, roleOf(cell.node) === "header_cell");
      fresh.set(cell, slots[column] as Cell);
    } else if (cell === null) {
      const like = (slots.find((each) => each !== null) ?? own[0])?.node;
      const isHeadRow = slots.every((each) => each === null || roleOf(each.node) === "header_cell");
      if (like) slots[column] = emptyCell(like, isHead || isHeadRow);
    }
  }
}

function isBeside(slots: Slots, column: number, cell: Cell): boolean {
  return slots[column - 1] === cell || slots[column + 1] === cell;
}

function emptyCell({ type: { schema } }: Node, isHead: boolean): Cell {
  const node = schema.nodes[isHead ? "tableHeader" : "tableCell"]?.createAndFill() as Node;
  return { before: node, fate: fateOf(node, () => "keep"), node, isEmpty: true };
}

/** A cell over as many rows and columns as it has places. */
function spanning(
  { node, before }: Cell,
  rows: readonly { readonly slots: Slots }[],
  row: number,
  column: number,
): Node {
  const cell = rows[row]?.slots[column];
  let [colspan, rowspan] = [1, 1];
  while (rows[row]?.slots[column + colspan] === cell) colspan += 1;
  while (rows[row + rowspan]?.slots[column] === cell) rowspan += 1;
  const { attrs } = node;
  if (attrs.colspan === colspan && attrs.rowspan === rowspan) return node;
  // Widths belong to columns: a cell over fewer of them has none until somebody gives it one.
  const colwidth = before.attrs.colspan === colspan ? attrs.colwidth : null;
  return node.type.create({ ...attrs, colspan, rowspan, colwidth }, node.content, node.marks);
}

/** The cells by rows and columns. Rows that lack the cell of a proposed column have a gap there. */
function gridOf(table: Node, shaping: Shaping): readonly Slots[] {
  const rows = table.children.map((row) => row.children.map((cell) => cellOf(cell, shaping)));
  const plain = laid(rows, () => false);
  const width = Math.max(0, ...plain.map(({ length }) => length));
  // Which columns are proposed is seen in rows that lack nothing.
  const proposed = Array.from({ length: width }, (_, column) => {
    const cells = plain.flatMap((slots) => (slots.length === width ? (slots[column] ?? []) : []));
    return new Set(cells.flatMap((cell) => newIdOf(cell) ?? []));
  });
  const lacking = plain.map(({ length }) => width - length);
  return laid(rows, (row, column, cell) => {
    const isGap =
      (lacking[row] ?? 0) > 0 && (proposed[column]?.size ?? 0) > 0 && !isOneOf(cell, proposed[column]);
    if (isGap) lacking[row] = (lacking[row] ?? 0) - 1;
    return isGap;
  });
}

/** A cell that belongs to a proposed column, and is no part of the proposal. */
export interface Unproposed {
  /** Where it stands, or is missing, from the beginning of the table's content. */
  readonly place: number;
  /** Null where it is missing. */
  readonly cell: Node | null;
  /** The proposal of the column. */
  readonly suggestion: NodeSuggestion;
}

/** The cells that proposed columns lack, in the order of their places: those that are missing, and those that are empty. */
export function proposedCells(table: Node): Unproposed[] {
  if (!table.children.some((row) => row.children.some(isNew))) return [];
  const grid = gridOf(table, {
    judge: () => "keep",
    settle: (cell) => cell,
    isEmpty: ({ content, firstChild }) => firstChild?.isTextblock === true && content.size === 2,
  });
  const found: Unproposed[] = [];
  let rowAt = 0;
  for (const [at, slots] of grid.entries()) {
    let place = rowAt + 1;
    for (const [column, cell] of slots.entries()) {
      const proposals = grid.flatMap((each) => each[column] ?? []).filter(({ fate }) => fate.coming);
      const suggestion = proposals[0]?.fate.coming;
      const isBare =
        cell === null ||
        (cell.isEmpty && proposalsOf(cell.before.attrs).length === 0 && !isBeside(slots, column, cell));
      if (suggestion && isBare) found.push({ place, cell: cell?.before ?? null, suggestion });
      if (cell && slots[column - 1] !== cell && grid[at - 1]?.[column] !== cell)
        place += cell.before.nodeSize;
    }
    rowAt += table.child(at).nodeSize;
  }
  return found;
}

function isNew({ attrs }: Node): boolean {
  return suggestionOf(attrs)?.kind === "insert";
}

function newIdOf({ fate }: Cell): string | null {
  return fate.coming?.id ?? null;
}

function isOneOf(cell: Cell | undefined, ids: ReadonlySet<string> | undefined): boolean {
  return cell !== undefined && ids?.has(newIdOf(cell) ?? "") === true;
}

/** Lays cells into rows of places, as browsers do. `isGap` says where a place stays empty before a cell, or behind the last one. */
function laid(
  rows: readonly (readonly Cell[])[],
  isGap: (row: number, column: number, next: Cell | undefined) => boolean,
): readonly Slots[] {
  const grid: (Cell | null | undefined)[][] = rows.map(() => []);
  for (const [row, cells] of rows.entries()) {
    const slots = grid[row] ?? [];
    let column = 0;
    const skip = () => {
      while (slots[column] !== undefined) column += 1;
    };
    for (const cell of cells) {
      skip();
      while (isGap(row, column, cell)) {
        slots[column] = null;
        skip();
      }
      const { colspan, rowspan } = cell.before.attrs as { colspan: number; rowspan: number };
      for (const below of grid.slice(row, row + rowspan))
        for (let across = 0; across < colspan; across += 1) below[column + across] = cell;
    }
    skip();
    while (isGap(row, column, undefined)) {
      slots[column] = null;
      skip();
    }
  }
  return grid.map((slots) => Array.from(slots, (cell) => cell ?? null));
}

function cellOf(before: Node, { judge, settle, isEmpty }: Shaping): Cell {
  const fate = fateOf(before, judge);
  const node = settle(before, fate.attrs);
  return { before, fate, node, isEmpty: isEmpty(node) };
}
