/** Acts of one person, who restructures the line “Hello brave new world”, and typing of another person in that line. */

import type { Command } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import { Fragment } from "@tiptap/pm/model";
import { CellSelection, TableMap } from "@tiptap/pm/tables";
import { move, sort } from "../../src/features/tables/table_commands";
import {
  type Act,
  at,
  blockOf,
  composes,
  deletes,
  inside,
  presses,
  selected,
  type Traits,
  types,
  writes,
} from "./writers";

const LINE = "<p>Hello brave new world</p>";
const PLAIN = `<p>first</p>${LINE}<p>last</p>`;
const BOLD = "<p>first</p><p>Hello <strong>brave</strong> new <em>wor</em>ld</p><p>last</p>";
const CENTRED = PLAIN.replace("<p>Hello", '<p style="text-align: center">Hello');
const HEADING = "<p>first</p><h2>Hello brave new world</h2><p>last</p>";
const TWO_LINES = `<p>first</p>${LINE}<p>second line</p><p>last</p>`;
const LIST = `<p>first</p><ul><li><p>one</p></li><li>${LINE}</li><li><p>three</p></li></ul><p>last</p>`;
const NESTED = `<p>first</p><ul><li><p>one</p><ul><li>${LINE}</li><li><p>inner</p></li></ul></li></ul><p>last</p>`;
const TASKS = `<p>first</p><ul data-type="taskList"><li data-type="taskItem"><p>one</p></li><li data-type="taskItem">${LINE}</li></ul><p>last</p>`;
const QUOTE = `<p>first</p><blockquote>${LINE}</blockquote><p>last</p>`;
const TABLE = `<p>first</p><table><tr><td>${LINE}</td><td><p>b</p></td></tr><tr><td><p>c</p></td><td><p>delta</p></td></tr></table><p>last</p>`;
const MERGED = `<p>first</p><table><tr><td colspan="2">${LINE}</td></tr><tr><td><p>c</p></td><td><p>delta</p></td></tr></table><p>last</p>`;
const GRID = `<p>first</p><table><tr><td>${LINE}</td><td><p>one</p></td></tr><tr><td><p>alpha</p></td><td><p>two</p></td></tr><tr><td><p>beta</p></td><td><p></p></td></tr></table><p>last</p>`;
const HEADED = GRID.replace("<tr>", "<tr><th><p>words</p></th><th><p>numbers</p></th></tr><tr>");
const PICTURE = '<img src="/api/attachments/p" alt="a picture">';
const CALLOUT = `<p>first</p><div data-type="callout" data-kind="tip">${LINE}</div><p>last</p>`;
const SUMMARY =
  '<p>first</p><details><summary>Hello brave new world</summary><div data-type="detailsContent"><p>inner</p></div></details><p>last</p>';
const WITH_PICTURE = `<p>first</p><blockquote>${LINE}${PICTURE}</blockquote><p>last</p>`;
const WITH_INLINE_PICTURE = `<p>first</p><p>Hello brave ${PICTURE}new world</p><p>last</p>`;

export interface Structure {
  readonly base?: string;
  readonly acts: readonly Act[];
  readonly traits?: Traits;
  /** Whether the line is deleted on purpose, so that its new words may stand in a paragraph of their own. */
  readonly takesAway?: boolean;
}

const moves =
  (down: boolean): Act =>
  (who) => {
    const { from, node } = blockOf(who, "world");
    const { tr } = who.editor.state;
    tr.delete(from, from + node.nodeSize);
    who.editor.view.dispatch(tr.insert(down ? tr.doc.content.size : 0, node));
  };

let cut: Node | null = null;

const cuts: Act = (who) => {
  const { from, node } = blockOf(who, "world");
  cut = node;
  who.editor.view.dispatch(who.editor.state.tr.delete(from, from + node.nodeSize));
};

const pastesAtEnd: Act = ({ editor }) => {
  if (cut) editor.view.dispatch(editor.state.tr.insert(editor.state.doc.content.size, cut));
};

/** Selects everything, and pastes the same lines over it with one more. */
const pastesOverAll: Act = ({ editor: { state, view } }) => {
  const { doc, tr, schema } = state;
  const more = schema.node("paragraph", null, schema.text("pasted"));
  view.dispatch(tr.replaceWith(0, doc.content.size, Fragment.from([...childrenOf(doc), more])));
};

function childrenOf(node: Node): Node[] {
  // Made anew, as from the clipboard: the binding must not recognise them.
  return node.children.map((child) => child.type.schema.nodeFromJSON(child.toJSON()));
}

const selectsCells =
  (from: number, to: number): Act =>
  ({ editor: { state, view } }) => {
    state.doc.descendants((node, position) => {
      if (node.type.name !== "table") return true;
      const { map } = TableMap.get(node);
      const cell = (index: number) => position + 1 + (map[index] ?? 0);
      view.dispatch(state.tr.setSelection(CellSelection.create(state.doc, cell(from), cell(to))));
      return false;
    });
  };

const inTable =
  (words: string, command: Command): Act =>
  (who) =>
    inside(who, words).command(command).run();

const setsOn =
  (name: string, attributes: Record<string, unknown>): Act =>
  (who) =>
    inside(who, "world").updateAttributes(name, attributes).run();

const toHeading: Act = (who) => inside(who, "world").toggleHeading({ level: 1 }).run();
const toList: Act = (who) => inside(who, "world").toggleBulletList().run();
const toQuote: Act = (who) => inside(who, "world").toggleBlockquote().run();
const toCode: Act = (who) => inside(who, "world").toggleCodeBlock().run();
const undo: Act = ({ editor }) => editor.commands.undo();
const redo: Act = ({ editor }) => editor.commands.redo();
const splits =
  (words: string): Act =>
  (who) =>
    who.editor.chain().setTextSelection(at(who, words)).splitBlock().run();
const joins =
  (words: string): Act =>
  (who) => {
    const start = who.editor.state.doc.resolve(at(who, words)).start();
    return who.editor.chain().setTextSelection(start).joinBackward().run();
  };

/** Puts everything between the first and the last line into a quote. */
const wrapsAll: Act = ({ editor: { state, view } }) => {
  const { doc, tr, schema } = state;
  const inner = doc.children.slice(1, -1);
  const from = doc.child(0).nodeSize;
  view.dispatch(
    tr.replaceWith(
      from,
      doc.content.size - (doc.lastChild?.nodeSize ?? 0),
      schema.node("blockquote", null, inner),
    ),
  );
};

export const STRUCTURES: Readonly<Record<string, Structure>> = {
  heading: { acts: [toHeading] },
  "heading, centred": { base: CENTRED, acts: [toHeading] },
  "quote, centred": { base: CENTRED, acts: [toQuote] },
  "heading, with bold": { base: BOLD, acts: [toHeading] },
  "to paragraph": { base: HEADING, acts: [(who) => inside(who, "world").setParagraph().run()] },
  "code block": { acts: [toCode] },
  "code block, with bold": { base: BOLD, acts: [toCode] },
  "code block and back": { acts: [toCode, toCode] },
  "bullet list": { acts: [toList] },
  "task list": { acts: [(who) => inside(who, "world").toggleTaskList().run()] },
  "list lift": { base: LIST, acts: [toList] },
  "lift nested item": { base: NESTED, acts: [(who) => inside(who, "world").liftListItem("listItem").run()] },
  "indent item": { base: LIST, acts: [(who) => inside(who, "world").sinkListItem("listItem").run()] },
  "bullet to ordered": { base: LIST, acts: [(who) => inside(who, "world").toggleOrderedList().run()] },
  "bullet to tasks": { base: LIST, acts: [(who) => inside(who, "world").toggleTaskList().run()] },
  "tasks to bullet": { base: TASKS, acts: [toList] },
  "indent task": { base: TASKS, acts: [(who) => inside(who, "world").sinkListItem("taskItem").run()] },
  "quote around a list": { base: TASKS, acts: [wrapsAll] },
  "nested bullet to ordered": {
    base: NESTED,
    acts: [(who) => inside(who, "world").toggleOrderedList().run()],
  },
  quote: { acts: [toQuote] },
  "out of quote": { base: QUOTE, acts: [toQuote] },
  callout: { acts: [(who) => inside(who, "world").setCallout("tip").run()] },
  "out of callout": { base: CALLOUT, acts: [(who) => inside(who, "world").unsetCallout().run()] },
  collapsible: { acts: [(who) => inside(who, "world").setDetails().run()] },
  "summary to paragraph": { base: SUMMARY, acts: [(who) => inside(who, "world").unsetDetails().run()] },
  "join with previous": { acts: [joins("Hello")] },
  "join of next": { base: TWO_LINES, acts: [joins("second")] },
  "join items": { base: LIST, acts: [joins("Hello")] },
  split: { acts: [splits("brave")] },
  "split in a word": { acts: [splits("ave")] },
  "split, heading of the tail": { acts: [splits("brave"), toHeading] },
  "split, join": { acts: [splits("brave"), joins("brave")] },
  "split item": { base: LIST, acts: [presses("Enter", "brave")] },
  "cell to heading": { base: TABLE, acts: [toHeading] },
  "header row on": { base: TABLE, acts: [(who) => inside(who, "world").toggleHeaderRow().run()] },
  "header row on and off": {
    base: TABLE,
    acts: [
      (who) => inside(who, "world").toggleHeaderRow().run(),
      (who) => inside(who, "world").toggleHeaderRow().run(),
    ],
  },
  "row before": { base: TABLE, acts: [(who) => inside(who, "world").addRowBefore().run()] },
  "row after": { base: TABLE, acts: [(who) => inside(who, "world").addRowAfter().run()] },
  "column before": { base: TABLE, acts: [(who) => inside(who, "world").addColumnBefore().run()] },
  "column after": { base: TABLE, acts: [(who) => inside(who, "world").addColumnAfter().run()] },
  "other row deleted": { base: TABLE, acts: [(who) => inside(who, "delta").deleteRow().run()] },
  "other column deleted": { base: TABLE, acts: [(who) => inside(who, "delta").deleteColumn().run()] },
  "row deleted": {
    base: TABLE,
    acts: [(who) => inside(who, "world").deleteRow().run()],
    takesAway: true,
  },
  "column deleted": {
    base: TABLE,
    acts: [(who) => inside(who, "world").deleteColumn().run()],
    takesAway: true,
  },
  "table deleted": {
    base: TABLE,
    acts: [(who) => inside(who, "world").deleteTable().run()],
    takesAway: true,
  },
  "cells merged": { base: TABLE, acts: [selectsCells(0, 1), ({ editor }) => editor.commands.mergeCells()] },
  "cells merged upwards": {
    base: TABLE.replace("<p>c</p>", "<p></p>"),
    acts: [selectsCells(0, 2), ({ editor }) => editor.commands.mergeCells()],
  },
  "cell split": { base: MERGED, acts: [(who) => inside(who, "world").splitCell().run()] },
  "row moved": { base: GRID, acts: [inTable("world", move("down"))] },
  "row passed": { base: GRID, acts: [inTable("alpha", move("up"))] },
  "column moved": { base: GRID, acts: [inTable("world", move("right"))] },
  "column passed": { base: GRID, acts: [inTable("one", move("left"))] },
  "row moved into the header": { base: HEADED, acts: [inTable("world", move("up"))] },
  "rows sorted": { base: GRID, acts: [inTable("alpha", sort(false))] },
  "rows sorted downwards": { base: GRID, acts: [inTable("one", sort(true))] },
  "rows sorted below a header": { base: HEADED, acts: [inTable("words", sort(false))] },
  "rows sorted, row and column moved": {
    base: GRID,
    acts: [inTable("alpha", sort(false)), inTable("beta", move("down")), inTable("two", move("left"))],
  },
  "rows sorted, undone": { base: GRID, acts: [inTable("alpha", sort(false)), undo] },
  "move down": { acts: [moves(true)] },
  "move up": { acts: [moves(false)] },
  "move of a list": { base: LIST, acts: [moves(true)] },
  "heading, then list": { acts: [toHeading, toList] },
  "offline: heading, quote, list, words": {
    acts: [
      toHeading,
      toQuote,
      writes("OTHER ", "wor"),
      (who) => inside(who, "world").setParagraph().toggleBulletList().run(),
    ],
  },
  "heading, undone": { acts: [toHeading, undo] },
  "heading, undone, redone": { acts: [toHeading, undo, redo] },
  "list, undone": { acts: [toList, undo] },
  "paste over all": { acts: [pastesOverAll] },
  "paste over all, with bold": { base: BOLD, acts: [pastesOverAll] },
  "quote with a picture lifted": { base: WITH_PICTURE, acts: [toQuote] },
  "heading, with an inline picture": {
    base: WITH_INLINE_PICTURE,
    traits: { inlinePictures: true },
    acts: [(who) => inside(who, "Hello").toggleHeading({ level: 1 }).run()],
  },
  "cut, pasted elsewhere": { acts: [cuts, pastesAtEnd], takesAway: true },
  "delete block": { acts: [cuts], takesAway: true },
  "delete words around": { acts: [deletes("brave", "new ")], takesAway: true },
  bold: { acts: [(who) => selected(who, "Hello", "ld").toggleBold().run()] },
  comment: { acts: [(who) => selected(who, "Hello", "new").setMark("comment", { id: "c1" }).run()] },
  alignment: { acts: [(who) => inside(who, "world").setTextAlign("center").run()] },
  "heading, then alignment": {
    acts: [toHeading, (who) => inside(who, "world").setTextAlign("center").run()],
  },
  "type in block": { acts: [writes("OTHER ", "world")] },
};

export interface Typing {
  readonly typists: readonly (readonly Act[])[];
  /** Whether the typist restructures as well. */
  readonly restructures?: boolean;
}

const mark =
  (name: string, attributes: Record<string, unknown> = {}): Act =>
  (who) =>
    selected(who, "brave").setMark(name, attributes).run();

const inserts =
  (content: object, place: string): Act =>
  (who) =>
    who.editor.commands.insertContentAt(at(who, place), content);

export const TYPINGS: Readonly<Record<string, Typing>> = {
  start: { typists: [[writes("TYPED ", "Hello")]] },
  middle: { typists: [[writes("TYPED ", "new")]] },
  end: { typists: [[writes(" TYPED", "ld", true)]] },
  "in a word": { typists: [[writes("TYPED", "ave")]] },
  keys: { typists: [types("TYPED ", "new")] },
  "keys at the end": { typists: [types(" TYPED", "ld", true)] },
  composing: { typists: [composes(["T", "TY", "TYp", "TYPED "], "new")] },
  "bold words": {
    typists: [[inserts({ type: "text", text: "TYPED ", marks: [{ type: "bold" }] }, "new")]],
  },
  "two, two places": { typists: [[writes("TYPED ", "Hello")], [writes(" SECOND", "ld", true)]] },
  "two, same place": { typists: [[writes("TYPED ", "new")], [writes("SECOND ", "new")]] },
  "delete word": { typists: [[deletes("brave")]] },
  "type over word": {
    typists: [
      [
        (who) =>
          who.editor.view.dispatch(
            who.editor.state.tr.insertText("TYPED", at(who, "brave"), at(who, "brave", true)),
          ),
      ],
    ],
  },
  "type, take half back": { typists: [[writes("TYPEDXX ", "new"), deletes("XX")]] },
  "mark word": { typists: [[mark("italic")]] },
  "comment word": { typists: [[mark("comment", { id: "c2" })]] },
  "colour word": { typists: [[mark("textStyle", { color: "#aa0000" })]] },
  "type, mark it": {
    typists: [[writes("TYPED ", "new"), (who) => selected(who, "TYPED").setMark("italic").run()]],
  },
  "line break": { typists: [[inserts({ type: "hardBreak" }, "new"), writes("TYPED ", "new")]] },
  mention: { typists: [[inserts({ type: "mention", attrs: { label: "@TYPED" } }, "new")]] },
  "inline picture": {
    typists: [[inserts({ type: "image", attrs: { src: "/api/attachments/q", alt: "q" } }, "new")]],
  },
  "enter, words": {
    typists: [
      [
        (who) => {
          presses("Enter", "ld", true)(who);
          who.editor.commands.insertContent("TYPED");
        },
      ],
    ],
    restructures: true,
  },
  "split there": { typists: [[splits("new")]], restructures: true },
  "heading 2": {
    typists: [[(who) => inside(who, "world").toggleHeading({ level: 2 }).run()]],
    restructures: true,
  },
  "row down": { typists: [[inTable("world", move("down"))]], restructures: true },
  sort: { typists: [[inTable("world", sort(false))]], restructures: true },
  align: { typists: [[(who) => inside(who, "world").setTextAlign("right").run()]] },
  "no alignment": { typists: [[(who) => inside(who, "world").unsetTextAlign().run()]] },
  direction: { typists: [[(who) => inside(who, "world").setDirection("rtl").run()]] },
  tick: { typists: [[setsOn("taskItem", { checked: true })]] },
  "widen cell": { typists: [[setsOn("tableCell", { colwidth: [200] })]] },
};

/** Whether a kind of typing does anything in the line as it is there. */
export function fits(typing: string, { base = PLAIN, traits }: Structure): boolean {
  if (typing === "no alignment") return base === CENTRED;
  if (typing === "tick") return base === TASKS;
  if (typing === "row down" || typing === "sort") return base === GRID || base === HEADED;
  if (typing === "widen cell") return base.includes("<td");
  if (typing === "inline picture") return traits?.inlinePictures === true;
  return true;
}

export function htmlOf({ base = PLAIN }: Structure): string {
  return base;
}

/** Whether what comes out has no order of its own, because the typist changes the block as well. */
export function isFree(op: string, typing: string): boolean {
  if (typing === "split there") return !KEEPING_SPLITS.has(op);
  return TYPINGS[typing]?.restructures === true;
}

/** Changes around a block that somebody else splits. */
const KEEPING_SPLITS = new Set([
  ...["heading", "code block", "bullet list", "task list", "list lift", "lift nested item", "indent item"],
  ...["bullet to ordered", "bullet to tasks", "tasks to bullet", "indent task", "quote around a list"],
  ...["nested bullet to ordered", "quote", "out of quote", "join items", "move of a list", "move up"],
  ...["move down", "cells merged", "split", "split in a word", "split item", "split, join"],
]);

/** What comes out otherwise, and why. Every word is there once all the same; see docs/rescue.md. */
export const LIMITS: Readonly<Record<string, string>> = {
  "bold × bold words": "Yjs ends a mark where somebody else's words with the same mark end",
  "bold × two, two places": "Yjs marks what is appended behind marked words",
  "comment × start": "Yjs marks what is typed at the first of the words that somebody else marks",
  "comment × two, two places": "Yjs marks what is typed at the first of the words that somebody else marks",
};
