/** Rows and columns that somebody proposes, beside others who change the table meanwhile. */

import { proposalsOf } from "@manyhands/schema";
import type { Node } from "@tiptap/pm/model";
import { CellSelection, TableMap } from "@tiptap/pm/tables";
import { afterEach, beforeEach, expect, test } from "vitest";
import { suggestionsIn } from "../../src/features/suggesting/list";
import { acceptAll, type Judge, rejectAll, settled } from "../../src/features/suggesting/settle";
import { settleIn } from "../../src/features/suggesting/settling";
import { linesOf } from "../../src/features/suggesting/words";
import { move } from "../../src/features/tables/table_commands";
import { type Person, sync } from "../page/editors";
import { joins, judged, randomOf, type Suggesting, started, suggestsAs } from "./sessions";

const TABLE =
  "<p>before</p><table><tr><th><p>a</p></th><th><p>b</p></th></tr><tr><td><p>c</p></td><td><p></p></td></tr><tr><td><p></p></td><td><p></p></td></tr></table><p>after</p>";
const clock = { now: 1_000 };
let eve: Person;
let ann: Suggesting;
let plain: string;

function begins(html: string): void {
  eve = started(html);
  ann = suggestsAs(joins(eve, 7), "ann", randomOf(1), clock);
  plain = judged(eve.doc, "ann");
}

beforeEach(() => begins(TABLE));

afterEach(() => {
  for (const { editor } of [eve, ann]) editor.destroy();
});

/** The words of each cell by rows, with what is proposed for rows and cells. */
function cells(doc: Node): readonly string[] {
  const sign = ({ attrs }: Node) =>
    proposalsOf(attrs)
      .map(({ kind }) => (kind === "insert" ? "+" : "-"))
      .join("");
  return doc.children.flatMap((table) =>
    table.type.name === "table"
      ? table.children.map(
          (row) => sign(row) + row.children.map((cell) => sign(cell) + (cell.textContent || "·")).join(" "),
        )
      : [],
  );
}

/** Puts a person's cursor into the cell of a row and a column. */
function goesTo({ editor }: Person, row: number, column: number): Person["editor"] {
  const { doc } = editor.state;
  let at = 0;
  doc.forEach((node, offset) => {
    if (node.type.name === "table") at = offset + 1;
  });
  const table = doc.nodeAt(at - 1) as Node;
  const map = TableMap.get(table);
  editor.commands.setTextSelection(at + (map.map[row * map.width + column] ?? 0) + 2);
  return editor;
}

function types(who: Person, row: number, column: number, text: string): void {
  const { view } = goesTo(who, row, column);
  view.dispatch(view.state.tr.insertText(text));
}

/** What has been suggested changes nothing, and is what was meant. */
function isSuggested(): void {
  const { doc } = ann.editor.state;
  doc.check();
  expect(ann.refused).toEqual([]);
  expect(ann.wrong).toEqual([]);
  expect(judged(ann.doc, "ann")).toBe(plain);
}

const accepted = ({ editor }: Person) => settled(editor.state.doc, acceptAll);
const rejected = ({ editor }: Person) => settled(editor.state.doc, rejectAll);

function saidOf({ editor }: Person): readonly (readonly string[])[] {
  return suggestionsIn(editor.state.doc).map((each) =>
    linesOf(each).map(({ act, words }) => `${act} ${words}`),
  );
}

test("a row comes, above and below", () => {
  goesTo(ann, 1, 0).commands.addRowAfter();
  goesTo(ann, 0, 1).commands.addRowBefore();
  isSuggested();
  expect(cells(ann.editor.state.doc)).toEqual(["+· ·", "a b", "c ·", "+· ·", "· ·"]);
  expect(saidOf(ann)).toEqual([["Add: Row"], ["Add: Row"]]);
  expect(cells(accepted(ann))).toEqual(["· ·", "a b", "c ·", "· ·", "· ·"]);
  expect(cells(rejected(ann))).toEqual(["a b", "c ·", "· ·"]);
});

test("words in one's own row belong to the row", () => {
  goesTo(ann, 1, 0).commands.addRowAfter();
  types(ann, 2, 1, "new");
  isSuggested();
  expect(saidOf(ann)).toEqual([["Add: Row", "Add: “new”"]]);
  expect(cells(rejected(ann))).toEqual(["a b", "c ·", "· ·"]);
  goesTo(ann, 2, 1).commands.deleteRow();
  expect(cells(ann.editor.state.doc)).toEqual(["a b", "c ·", "· ·"]);
});

test("a tabulator at the end of the table proposes a row, and writes in it", () => {
  const { view } = goesTo(ann, 2, 1);
  const event = new KeyboardEvent("keydown", { key: "Tab" });
  view.someProp("handleKeyDown", (handle) => handle(view, event));
  view.dispatch(view.state.tr.insertText("new"));
  isSuggested();
  expect(cells(ann.editor.state.doc)).toEqual(["a b", "c ·", "· ·", "+new ·"]);
});

test("a row goes, and stays if somebody writes in it meanwhile", () => {
  goesTo(ann, 1, 0).commands.deleteRow();
  isSuggested();
  expect(cells(ann.editor.state.doc)).toEqual(["a b", "-c ·", "· ·"]);
  expect(saidOf(ann)).toEqual([["Delete: Row", "Delete: “c”"]]);
  expect(cells(accepted(ann))).toEqual(["a b", "· ·"]);
  expect(cells(rejected(ann))).toEqual(["a b", "c ·", "· ·"]);
  types(eve, 1, 1, "stays");
  sync(eve, ann);
  expect(cells(accepted(eve))).toEqual(["a b", "· stays", "· ·"]);
});

test("a table goes with its last row", () => {
  for (const row of [0, 1]) goesTo(ann, row, 0).commands.deleteRow();
  goesTo(ann, 2, 0).commands.addRowAfter();
  goesTo(ann, 2, 0).commands.deleteRow();
  isSuggested();
  goesTo(ann, 3, 0).commands.deleteRow();
  expect(cells(ann.editor.state.doc)).toEqual(["-a b", "-c ·", "-· ·"]);
  expect(accepted(ann).children.map(({ type }) => type.name)).toEqual(["paragraph", "paragraph"]);
  expect(cells(rejected(ann))).toEqual(["a b", "c ·", "· ·"]);
});

test("a column comes, at an edge and in the middle", () => {
  goesTo(ann, 0, 0).commands.addColumnAfter();
  goesTo(ann, 1, 2).commands.addColumnAfter();
  isSuggested();
  expect(cells(ann.editor.state.doc)).toEqual(["a +· b +·", "c +· · +·", "· +· · +·"]);
  expect(
    accepted(ann)
      .child(1)
      .firstChild?.children.map(({ type }) => type.name),
  ).toEqual(["tableHeader", "tableHeader", "tableHeader", "tableHeader"]);
  expect(saidOf(ann)).toEqual([["Add: Column"], ["Add: Column"]]);
  expect(cells(accepted(ann))).toEqual(["a · b ·", "c · · ·", "· · · ·"]);
  expect(cells(rejected(ann))).toEqual(["a b", "c ·", "· ·"]);
  types(ann, 1, 1, "new");
  goesTo(ann, 0, 3).commands.deleteColumn();
  isSuggested();
  expect(cells(ann.editor.state.doc)).toEqual(["a +· b", "c +new ·", "· +· ·"]);
  expect(saidOf(ann)).toEqual([["Add: Column", "Add: “new”"]]);
});

test("a column goes, and stays if somebody writes in it meanwhile", () => {
  goesTo(ann, 2, 0).commands.deleteColumn();
  isSuggested();
  expect(cells(ann.editor.state.doc)).toEqual(["-a b", "-c ·", "-· ·"]);
  expect(saidOf(ann)).toEqual([["Delete: Column", "Delete: “a ¶ c”"]]);
  expect(cells(accepted(ann))).toEqual(["b", "·", "·"]);
  expect(cells(rejected(ann))).toEqual(["a b", "c ·", "· ·"]);
  types(eve, 2, 0, "stays");
  sync(eve, ann);
  expect(cells(accepted(eve))).toEqual(["· b", "· ·", "stays ·"]);
});

/** Settles for real, as an editor does, and lets everybody hear. */
function decides(judge: Judge): void {
  settleIn(eve.editor, judge);
  sync(eve, ann);
  expect(ann.editor.state.doc.toJSON()).toEqual(eve.editor.state.doc.toJSON());
}

const accept: Judge = () => "accept";
const reject: Judge = () => "reject";

test.each<[string, Judge, readonly string[]]>([
  ["accepted", accept, ["a · b", "c · ·", "x · y", "· · ·"]],
  ["rejected", reject, ["a b", "c ·", "x y", "· ·"]],
])("a row that came without the proposed column fits when the column is %s", (_name, judge, expected) => {
  goesTo(ann, 0, 0).commands.addColumnAfter();
  goesTo(eve, 1, 0).commands.addRowAfter();
  types(eve, 2, 0, "x");
  types(eve, 2, 1, "y");
  sync(eve, ann);
  decides(judge);
  expect(cells(eve.editor.state.doc)).toEqual(expected);
});

test.each<[string, Judge, string, readonly string[]]>([
  ["accepted", accept, "", ["a · b", "c · ·", "· · ·", "· · ·"]],
  ["rejected", reject, "", ["a b", "c ·", "· ·", "· ·"]],
  ["rejected, and somebody has written in it", reject, "x", ["a · b", "c · ·", "· x ·", "· · ·"]],
])("a row that came beside a proposed column fits when the column is %s", (_name, judge, words, expected) => {
  goesTo(ann, 0, 0).commands.addColumnAfter();
  sync(eve, ann);
  // As a program does that knows of no proposals.
  const { schema, tr } = eve.editor.state;
  const row = schema.nodes.tableRow?.create(
    null,
    [0, 1, 2].map(() => schema.nodes.tableCell?.createAndFill() as Node),
  );
  const table = eve.editor.state.doc.child(1);
  const rowAt = 9 + table.child(0).nodeSize + table.child(1).nodeSize;
  eve.editor.view.dispatch(tr.insert(rowAt, row as Node));
  if (words) types(eve, 2, 1, words);
  decides(judge);
  expect(cells(eve.editor.state.doc)).toEqual(expected);
});

test.each<[string, Judge, string, readonly string[]]>([
  ["accepted", accept, "", ["b", "·", "·", "·"]],
  ["accepted, and somebody has written in it", accept, "x", ["· b", "· ·", "x ·", "· ·"]],
  ["rejected", reject, "", ["a b", "c ·", "· ·", "· ·"]],
])("a row that came beside a struck column fits when that is %s", (_name, judge, words, expected) => {
  goesTo(ann, 0, 0).commands.deleteColumn();
  goesTo(eve, 1, 0).commands.addRowAfter();
  if (words) types(eve, 2, 0, words);
  sync(eve, ann);
  decides(judge);
  expect(cells(eve.editor.state.doc)).toEqual(expected);
});

test("cells that somebody merges meanwhile become smaller", () => {
  goesTo(ann, 0, 1).commands.deleteColumn();
  sync(eve, ann);
  const { state, view } = goesTo(eve, 1, 0);
  const table = state.doc.child(1);
  const start = (state.doc.firstChild?.nodeSize ?? 0) + 1;
  const map = TableMap.get(table);
  const cell = (index: number) => state.doc.resolve(start + (map.map[index] ?? 0));
  view.dispatch(state.tr.setSelection(new CellSelection(cell(2), cell(3))));
  eve.editor.commands.mergeCells();
  sync(eve, ann);
  decides(accept);
  expect(cells(eve.editor.state.doc)).toEqual(["a", "c", "·"]);
  const merged = eve.editor.state.doc.child(1).child(1).child(0);
  expect(merged.attrs.colspan).toBe(1);
});

test("a column that goes goes from one's own row too", () => {
  goesTo(ann, 0, 0).commands.addRowAfter();
  goesTo(ann, 0, 1).commands.deleteColumn();
  isSuggested();
  expect(cells(ann.editor.state.doc)).toEqual(["a -b", "+· -·", "c -·", "· -·"]);
  expect(cells(accepted(ann))).toEqual(["a", "·", "c", "·"]);
  expect(cells(rejected(ann))).toEqual(["a b", "c ·", "· ·"]);
});

test("a row that an editor adds belongs to the columns that are proposed, so that they can be withdrawn", () => {
  goesTo(ann, 0, 0).commands.addColumnAfter();
  sync(eve, ann);
  goesTo(eve, 0, 0).commands.addRowAfter();
  sync(eve, ann);
  expect(cells(ann.editor.state.doc)).toEqual(["a +· b", "· +· ·", "c +· ·", "· +· ·"]);
  const others = judged(ann.doc, "ann");
  settleIn(ann.editor, () => "withdraw");
  expect(cells(ann.editor.state.doc)).toEqual(["a b", "· ·", "c ·", "· ·"]);
  expect(judged(ann.doc, "ann")).toBe(others);
});

test("whoever withdraws a column leaves the cells of others alone", () => {
  goesTo(ann, 0, 0).commands.addColumnAfter();
  sync(eve, ann);
  types(eve, 2, 1, "mine");
  const ben = suggestsAs(joins(eve, 9), "ben", randomOf(2), clock);
  goesTo(ben, 1, 0).commands.addRowAfter();
  sync(eve, ann, ben);
  const others = judged(ann.doc, "ann");
  settleIn(ann.editor, ({ user }) => (user === "ann" ? "withdraw" : "keep"));
  expect(judged(ann.doc, "ann")).toBe(others);
  expect(cells(ann.editor.state.doc)).toEqual(["a b", "c ·", "+· · ·", "· ·"]);
  ben.editor.destroy();
});

test.each(["addRowAfter", "addColumnAfter", "deleteRow"] as const)(
  "a table with a row that is too short is mended before %s",
  (name) => {
    goesTo(ann, 0, 0).commands.addColumnAfter();
    goesTo(eve, 1, 0).commands.addRowAfter();
    sync(eve, ann);
    expect(cells(eve.editor.state.doc)).toEqual(["a +· b", "c +· ·", "· ·", "· +· ·"]);
    goesTo(eve, 0, 0).commands[name]();
    eve.editor.state.doc.check();
    const rows = cells(eve.editor.state.doc).map((row) => row.split(" ").length);
    expect(new Set(rows).size).toBe(1);
    expect(cells(eve.editor.state.doc).every((row) => row.includes("+"))).toBe(true);
  },
);

test("whoever suggests completes their own column, and mends no other", () => {
  goesTo(ann, 0, 0).commands.addColumnAfter();
  goesTo(eve, 1, 0).commands.addRowAfter();
  sync(eve, ann);
  const ben = suggestsAs(joins(eve, 9), "ben", randomOf(2), clock);
  ben.editor.commands.fixTables();
  goesTo(ben, 0, 0).commands.addRowAfter();
  expect(ben.refused).toEqual(["table"]);
  expect(judged(ben.doc, "nobody")).toBe(judged(eve.doc, "nobody"));
  ben.editor.destroy();

  plain = judged(ann.doc, "ann");
  ann.editor.commands.fixTables();
  goesTo(ann, 0, 0).commands.deleteColumn();
  isSuggested();
  expect(cells(ann.editor.state.doc)).toEqual(["-a +· b", "-c +· ·", "-· +· ·", "-· +· ·"]);
  expect(suggestionsIn(ann.editor.state.doc)).toHaveLength(2);
});

test("what is undone leaves nothing", () => {
  const before = ann.editor.state.doc;
  goesTo(ann, 0, 0).commands.addColumnAfter();
  goesTo(ann, 1, 0).commands.deleteRow();
  goesTo(ann, 1, 0).commands.addRowAfter();
  goesTo(ann, 1, 2).commands.deleteColumn();
  isSuggested();
  while (ann.editor.commands.undo());
  expect(ann.editor.state.doc.toJSON()).toEqual(before.toJSON());
});

test("merged cells, headers and colours cannot be suggested", () => {
  begins(
    "<p>x</p><table><tr><td colspan='2'><p>a</p></td></tr><tr><td><p>b</p></td><td><p>c</p></td></tr></table>",
  );
  for (const act of [
    () => goesTo(ann, 1, 0).commands.addColumnAfter(),
    () => goesTo(ann, 1, 0).commands.deleteColumn(),
    () => goesTo(ann, 0, 0).commands.splitCell(),
    () => goesTo(ann, 0, 0).commands.toggleHeaderRow(),
    () => goesTo(ann, 0, 0).commands.setCellAttribute("background", "#fff59d"),
  ]) {
    ann.refused.length = 0;
    act();
    expect(ann.refused).toEqual(["table"]);
    expect(judged(ann.doc, "nobody")).toBe(judged(eve.doc, "nobody"));
  }
  goesTo(ann, 1, 0).commands.addRowAfter();
  ann.refused.length = 0;
  isSuggested();
  expect(cells(ann.editor.state.doc)).toEqual(["a", "b c", "+· ·"]);
});

test("a row is moved by a copy of it", () => {
  begins(TABLE);
  goesTo(ann, 1, 0).chain().command(move("down")).run();
  isSuggested();
  expect(cells(accepted(ann))).toEqual(["a b", "· ·", "c ·"]);
  expect(cells(rejected(ann))).toEqual(["a b", "c ·", "· ·"]);
  goesTo(ann, 0, 0).chain().command(move("right")).run();
  expect(ann.refused).toEqual(["table"]);
});

test("whole tables come and go", () => {
  goesTo(ann, 1, 0).commands.deleteTable();
  ann.editor.chain().setTextSelection(2).insertTable({ rows: 2, cols: 2, withHeaderRow: true }).run();
  isSuggested();
  expect(cells(accepted(ann))).toEqual(["· ·", "· ·"]);
  expect(cells(rejected(ann))).toEqual(["a b", "c ·", "· ·"]);
  expect(saidOf(ann)).toContainEqual(["Delete: Table", "Delete: “a ¶ b ¶ c”"]);
});

test("a row and a column of somebody else's are struck beside the proposal that they come", () => {
  goesTo(ann, 0, 0).commands.addRowAfter();
  goesTo(ann, 0, 0).commands.addColumnAfter();
  sync(eve, ann);
  const ben = suggestsAs(joins(eve, 9), "ben", randomOf(2), clock);
  const others = judged(ben.doc, "ben");
  goesTo(ben, 1, 0).commands.deleteRow();
  goesTo(ben, 0, 1).commands.deleteColumn();
  expect(ben.refused).toEqual([]);
  expect(judged(ben.doc, "ben")).toBe(others);
  expect(cells(ben.editor.state.doc)).toEqual(["a +-· b", "+-· +-· ·", "c +-· ·", "· +-· ·"]);
  sync(eve, ben);
  expect(cells(accepted(eve))).toEqual(["a b", "c ·", "· ·"]);
  settleIn(eve.editor, ({ user }) => (user === "ann" ? "accept" : "keep"));
  expect(cells(eve.editor.state.doc)).toEqual(["a -· b", "-· -· ·", "c -· ·", "· -· ·"]);
  ben.editor.destroy();
});
