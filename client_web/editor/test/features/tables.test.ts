/** Rows and columns of tables, alone and with a colleague who types in them. */

import type { Command } from "@tiptap/core";
import { NodeSelection } from "@tiptap/pm/state";
import type { CellSelection } from "@tiptap/pm/tables";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  headersIn,
  move,
  paint,
  selectAll,
  sort,
  switchHeader,
} from "../../src/features/tables/table_commands";
import { type Person, person, sync } from "../page/editors";

let alice: Person;
let bob: Person;

beforeEach(() => {
  [alice, bob] = [person(1), person(2)];
  alice.editor.commands.setContent(tableOf("H Name Age", "- Zoe 9", "- Ann 10", "-  7"));
  sync(alice, bob);
});

afterEach(() => {
  for (const { editor } of [alice, bob]) editor.destroy();
});

/** Rows of three cells; the first row is a header. */
function tableOf(...rows: readonly string[]): string {
  const cells = rows.map((row, at) =>
    row.split(" ").map((words) => (at ? `<td><p>${words}</p></td>` : `<th><p>${words}</p></th>`)),
  );
  return `<table>${cells.map((row) => `<tr>${row.join("")}</tr>`).join("")}</table>`;
}

/** What each row holds; headers are capitals of their own. */
function rowsOf({ editor }: Person): readonly string[] {
  const rows = [...editor.view.dom.querySelectorAll("tr")];
  return rows.map((row) =>
    Array.from(row.cells, (cell) => `${cell.textContent}${cell.tagName === "TH" ? "!" : ""}`).join(" "),
  );
}

function goTo({ editor }: Person, words: string): void {
  editor.state.doc.descendants((node, at) => {
    if (node.text === words) editor.commands.setTextSelection(at + words.length);
  });
}

function does(who: Person, command: Command): boolean {
  return who.editor.chain().command(command).run();
}

const START = ["H! Name! Age!", "- Zoe 9", "- Ann 10", "-  7"];

test.each([
  ["up", "Ann", ["H! Name! Age!", "- Ann 10", "- Zoe 9", "-  7"]],
  ["down", "Zoe", ["H! Name! Age!", "- Ann 10", "- Zoe 9", "-  7"]],
  ["down", "Name", ["-! Zoe! 9!", "H Name Age", "- Ann 10", "-  7"]],
  ["left", "Ann", ["Name! H! Age!", "Zoe - 9", "Ann - 10", " - 7"]],
  ["right", "Zoe", ["H! Age! Name!", "- 9 Zoe", "- 10 Ann", "- 7 "]],
] as const)(
  "moves %s with the cursor in “%s”; places keep their kind, and undo brings it back",
  (way, words, rows) => {
    goTo(alice, words);
    expect(does(alice, move(way))).toBe(true);
    expect(rowsOf(alice)).toEqual(rows);
    expect(alice.editor.state.selection.$from.parent.textContent).toBe(words);
    alice.editor.commands.undo();
    expect(rowsOf(alice)).toEqual(START);
  },
);

test.each([
  ["up", "Name"],
  ["down", "7"],
  ["left", "H"],
  ["right", "Age"],
] as const)("does not move %s from the edge, at “%s”", (way, words) => {
  goTo(alice, words);
  expect(alice.editor.can().chain().command(move(way)).run()).toBe(false);
});

test("sorts below the header: numbers as numbers, empty cells last", () => {
  goTo(alice, "Zoe");
  does(alice, sort(false));
  expect(rowsOf(alice)).toEqual(["H! Name! Age!", "- Ann 10", "- Zoe 9", "-  7"]);
  does(alice, sort(true));
  expect(rowsOf(alice)).toEqual(START);
  expect(alice.editor.state.selection.$from.parent.textContent).toBe("Zoe");
  goTo(alice, "9");
  does(alice, sort(false));
  expect(rowsOf(alice)).toEqual(["H! Name! Age!", "-  7", "- Zoe 9", "- Ann 10"]);
});

test("does not take merged cells apart", () => {
  alice.editor.commands.setContent(
    '<table><tr><td colspan="2"><p>wide</p></td></tr><tr><td><p>a</p></td><td><p>b</p></td></tr></table>',
  );
  goTo(alice, "a");
  for (const command of [move("up"), move("right"), sort(false)])
    expect(alice.editor.can().chain().command(command).run()).toBe(false);
});

test("switches the table's own header, wherever the cursor is", () => {
  goTo(alice, "Ann");
  expect(headersIn(alice.editor.state)).toEqual({ row: true, column: false });
  does(alice, switchHeader("row"));
  expect(rowsOf(alice)[0]).toBe("H Name Age");
  does(alice, switchHeader("column"));
  expect(headersIn(alice.editor.state)).toEqual({ row: false, column: true });
  expect(rowsOf(alice)).toEqual(["H! Name Age", "-! Zoe 9", "-! Ann 10", "-!  7"]);
});

test.each([
  ["cells", 1],
  ["row", 3],
  ["column", 4],
] as const)("colours %s, and others see the colour", (part, count) => {
  goTo(alice, "Zoe");
  does(alice, paint(part, "#fff3a3"));
  sync(alice, bob);
  expect(bob.editor.view.dom.querySelectorAll('[data-background="#fff3a3"]')).toHaveLength(count);
  does(alice, paint(part, null));
  expect(alice.editor.view.dom.querySelectorAll("[data-background]")).toHaveLength(0);
});

test("a cell's colour that is no colour is kept, and not drawn", () => {
  goTo(alice, "Zoe");
  does(alice, paint("cells", "red; position: fixed"));
  expect(alice.editor.getHTML()).not.toContain("position");
});

test("selects a row or a column from edge to edge", () => {
  goTo(alice, "Ann");
  does(alice, selectAll("row"));
  expect((alice.editor.state.selection as CellSelection).isRowSelection()).toBe(true);
  goTo(alice, "Ann");
  does(alice, selectAll("column"));
  expect((alice.editor.state.selection as CellSelection).isColSelection()).toBe(true);
});

test("Tab in the last cell adds a row", () => {
  goTo(alice, "7");
  alice.editor.commands.keyboardShortcut("Tab");
  expect(rowsOf(alice)).toEqual([...START, "  "]);
});

describe("while a colleague types", () => {
  test.each([
    ["moves the row above", () => move("up"), "Ann"],
    ["moves the column beside", () => move("left"), "Zoe"],
  ] as const)("who %s, the words and the caret stay in their cell", (_, command, words) => {
    goTo(bob, words);
    goTo(alice, words);
    does(alice, command());
    bob.editor.commands.insertContent("!");
    sync(alice, bob);
    bob.editor.commands.insertContent("?");
    sync(alice, bob);
    expect(rowsOf(alice).join(" ")).toContain(`${words}!?`);
    expect(rowsOf(bob)).toEqual(rowsOf(alice));
  });
});

test.each<[string, readonly number[]]>([
  ["no cell at all", [0]],
  ["no cell in its first row", [0, 2]],
  ["a last row that is too short", [2, 1]],
])("a table with %s can be selected as a whole, and so can its rows", (_what, widths) => {
  const { editor } = alice;
  const { table, tableRow, tableCell, paragraph } = editor.schema.nodes;
  const rows = widths.map((width) =>
    tableRow?.create(
      null,
      Array.from({ length: width }, () => tableCell?.createAndFill()).flatMap((cell) => cell ?? []),
    ),
  );
  const made = table?.create(
    null,
    rows.flatMap((row) => row ?? []),
  );
  if (!made || !paragraph) throw new Error("There is no such table");
  editor.view.dispatch(
    editor.state.tr.replaceWith(0, editor.state.doc.content.size, [made, paragraph.create()]),
  );
  const places: number[] = [];
  editor.state.doc.descendants(
    (node, at) => void (/table|row/.test(node.type.spec.tableRole) && places.push(at)),
  );
  expect(places.length).toBe(1 + widths.length);
  for (const at of places) {
    editor.view.dispatch(editor.state.tr.setSelection(NodeSelection.create(editor.state.doc, at)));
    expect(editor.state.selection.from).toBeGreaterThanOrEqual(at);
  }
});
