/** A person who suggests beside one who edits: what is typed, composed, taken back and accepted. */

import { placeOfStep } from "@manyhands/binding";
import { FRAGMENT, proposalsOf } from "@manyhands/schema";
import type { Node } from "@tiptap/pm/model";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as Y from "yjs";
import { kindOfStep } from "../../src/extensions/undo_steps";
import { type Part, suggestionsIn } from "../../src/features/suggesting/list";
import { acceptAll, isItem, settled } from "../../src/features/suggesting/settle";
import { settleIn } from "../../src/features/suggesting/settling";
import { type Person, sync } from "../page/editors";
import { joins, judged, randomOf, type Suggesting, seesAll, started, suggestsAs } from "./sessions";

const clock = { now: 1_000 };
let eve: Person;
let ann: Suggesting;

beforeEach(() => {
  eve = started("<p>Hello brave new world</p><p>Second line</p>");
  ann = suggestsAs(joins(eve, 7), "ann", randomOf(1), clock);
});

afterEach(() => {
  for (const { editor } of [eve, ann]) editor.destroy();
});

/** The pieces of the first line, each with the names of its marks. */
function pieces({ editor }: Person): string[] {
  return (editor.state.doc.firstChild as Node).children.map(
    ({ text, marks }) => `${text}${marks.map(({ type }) => `:${type.name}`).join("")}`,
  );
}

function types({ editor }: Person, at: number, text: string): void {
  editor.commands.setTextSelection(at);
  editor.view.dispatch(editor.state.tr.insertText(text));
}

function runs({ editor }: Person): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  editor.state.doc.descendants(({ text, marks }) => {
    for (const { type, attrs } of marks) if (type.name === "insertion") found.set(String(text), attrs.run);
  });
  return found;
}

test("what an editor types among struck words is plain", () => {
  ann.editor.commands.deleteRange({ from: 7, to: 12 });
  sync(eve, ann);
  types(eve, 10, "x");
  types(eve, 11, "y");
  expect(pieces(eve)).toEqual(["Hello ", "bra:deletion", "xy", "ve:deletion", " new world"]);
  eve.editor.chain().setTextSelection({ from: 7, to: 8 }).insertContent("B").run();
  sync(eve, ann);
  expect(pieces(ann)).toEqual(["Hello B", "ra:deletion", "xy", "ve:deletion", " new world"]);
});

test("a struck line that an editor moves stays struck", () => {
  ann.editor.commands.deleteRange({ from: 1, to: 22 });
  sync(eve, ann);
  eve.editor.chain().setTextSelection(3).moveBlocks("down").run();
  expect(eve.editor.state.doc.lastChild?.firstChild?.marks.map(({ type }) => type.name)).toEqual([
    "deletion",
  ]);
});

test("what an editor types in somebody's pending words belongs to them, and what stands beside them does not", () => {
  types(ann, 7, "big ");
  sync(eve, ann);
  types(eve, 9, "x");
  types(eve, 7, "(");
  types(eve, 13, ")");
  sync(eve, ann);
  expect(pieces(ann)).toEqual(["Hello (", "bixg :insertion", ")brave new world"]);
});

test("a run of typing goes on for two seconds, and never after a rest", () => {
  types(ann, 7, "ab");
  clock.now += 1_900;
  types(ann, 9, "cd");
  expect([...runs(ann).keys()]).toEqual(["abcd"]);
  clock.now += 2_000;
  types(ann, 11, "ef");
  expect([...runs(ann).keys()]).toEqual(["abcd", "ef"]);
  expect(new Set(runs(ann).values()).size).toBe(2);
});

test("a run that has rested is not typed on when something in it is taken back, or when another one was begun", () => {
  types(ann, 7, "abcd");
  const [first] = runs(ann).values();
  clock.now += 5_000;
  ann.editor.commands.deleteRange({ from: 10, to: 11 });
  types(ann, 10, "x");
  expect(runs(ann).get("abc")).toBe(first);
  expect(runs(ann).get("x")).not.toBe(first);
  types(ann, 26, "far");
  types(ann, 8, "y");
  expect(runs(ann).get("y")).not.toBe(first);
  expect(runs(ann).size).toBe(5);
});

test("a run whose paragraph somebody else has changed is not typed on", () => {
  types(ann, 7, "ab");
  sync(eve, ann);
  types(eve, 1, "!");
  sync(eve, ann);
  types(ann, 10, "cd");
  expect([...runs(ann).keys()]).toEqual(["ab", "cd"]);
});

test("undo goes on before what somebody has accepted meanwhile", () => {
  const before = judged(eve.doc, "ann");
  types(ann, 33, "one");
  ann.editor.commands.deleteRange({ from: 7, to: 13 });
  sync(eve, ann);
  expect(judged(ann.doc, "ann")).toBe(before);
  types(ann, 1, "two ");
  sync(eve, ann);
  settleIn(eve.editor, ({ at, run }) =>
    run !== undefined && at > 0 && isOf("two ", run) ? "accept" : "keep",
  );
  sync(eve, ann);
  expect(pieces(ann)[0]).toBe("two Hello ");
  const accepted = judged(ann.doc, "ann");
  for (let times = 0; times < 5 && ann.editor.can().undo(); times += 1) ann.editor.commands.undo();
  expect(judged(ann.doc, "ann")).toBe(accepted);
  expect(pieces(ann)).toEqual(["two Hello brave new world"]);
  expect(ann.editor.getText()).toContain("Second line");
});

test.each<[string, (who: Person) => void]>([
  ["typed", (who) => types(who, 7, "very ")],
  ["deleted", ({ editor }) => editor.commands.deleteRange({ from: 7, to: 13 })],
  ["made bold", ({ editor }) => editor.chain().setTextSelection({ from: 7, to: 12 }).toggleBold().run()],
  ["made a heading", ({ editor }) => editor.chain().setTextSelection(3).setHeading({ level: 2 }).run()],
  ["split", ({ editor }) => editor.chain().setTextSelection(7).splitBlock().run()],
  ["taken back", ({ editor }) => editor.chain().insertContentAt(1, "Oh ").undo().run()],
])(
  "who may only suggest any more undoes what they suggest, and not what they have %s before",
  (_what, edit) => {
    const former = joins(eve, 8);
    edit(former);
    suggestsAs(former, "fay", randomOf(2), clock, true);
    const before = judged(former.doc, "fay");
    types(former, 3, "new");
    for (let times = 0; times < 9 && former.editor.can().undo(); times += 1) former.editor.commands.undo();
    expect(judged(former.doc, "fay")).toBe(before);
    expect(suggestionsIn(former.editor.state.doc)).toEqual([]);
    for (let times = 0; times < 9 && former.editor.can().redo(); times += 1) former.editor.commands.redo();
    expect(judged(former.doc, "fay")).toBe(before);
    expect(suggestionsIn(former.editor.state.doc).map(({ parts }) => parts)).toEqual([
      [{ kind: "add", words: "new" }],
    ]);
    former.editor.destroy();
  },
);

test("whoever may only suggest any more is not offered to undo what they have typed before", () => {
  const former = joins(eve, 8);
  const offered = () => [former.editor.can().undo(), kindOfStep(former.editor.state, "undo")];
  types(former, 7, "very ");
  former.editor.commands.deleteRange({ from: 1, to: 3 });
  expect(offered()).toEqual([true, "typing"]);
  suggestsAs(former, "fay", randomOf(2), clock, true);
  expect(offered()).toEqual([false, null]);
  expect(placeOfStep(former.editor.state, "undo")).toBeNull();
  former.editor.chain().setTextSelection({ from: 1, to: 4 }).toggleBold().run();
  expect(offered()).toEqual([true, "formatting"]);
  former.editor.commands.undo();
  expect(offered()).toEqual([false, null]);
  former.editor.destroy();
});

test("what somebody had suggested while they might edit is undone as well", () => {
  const former = suggestsAs(joins(eve, 8), "fay", randomOf(2), clock);
  const before = former.editor.getHTML();
  former.editor.commands.deleteRange({ from: 7, to: 12 });
  types(former, 3, "new");
  former.editor.chain().setTextSelection(3).setHeading({ level: 2 }).run();
  suggestsAs(former, "fay", randomOf(3), clock, true);
  for (let times = 0; times < 9 && former.editor.can().undo(); times += 1) former.editor.commands.undo();
  expect(former.editor.getHTML()).toBe(before);
  former.editor.destroy();
});

/** What a person deletes that others have written. */
function goneOf(who: Person, deed: () => void): readonly string[] {
  const gone: string[] = [];
  const look = (transaction: Y.Transaction) =>
    Y.iterateDeletedStructs(transaction, transaction.deleteSet, (struct) => {
      if (!(struct instanceof Y.Item) || struct.id.client === who.doc.clientID || !struct.countable) return;
      if (struct.parentSub === null) gone.push(String(struct.content.getContent()));
    });
  who.doc.on("afterTransaction", look);
  deed();
  who.doc.off("afterTransaction", look);
  return gone;
}

test.each([
  [
    "words at two places of a line",
    () => {
      types(ann, 3, "xx");
      types(ann, 12, "yy");
    },
    () => ann.editor.commands.deleteRange({ from: 1, to: 20 }),
  ],
  [
    "a line break among words",
    () => {
      eve.editor.chain().setTextSelection(7).setHardBreak().run();
      sync(eve, ann);
      ann.editor.chain().setTextSelection(14).setHardBreak().run();
    },
    () => ann.editor.commands.deleteRange({ from: 3, to: 18 }),
  ],
  [
    "lines above others",
    () => ann.editor.commands.insertContentAt(0, "<p>one</p><p>two</p>"),
    () => ann.editor.chain().setTextSelection({ from: 2, to: 25 }).deleteSelection().run(),
  ],
])("taking back what one has proposed leaves what others have written: %s", (_what, propose, takeBack) => {
  propose();
  sync(eve, ann);
  const before = judged(ann.doc, "ann");
  expect(goneOf(ann, takeBack)).toEqual([]);
  expect(judged(ann.doc, "ann")).toBe(before);
});

function isOf(words: string, run: number): boolean {
  return runs(ann).get(words) === run;
}

test("undo is not offered for a block that somebody has accepted, and what is done again is no more", () => {
  ann.editor.chain().setTextSelection(22).insertContent("<p>third</p>").run();
  types(ann, 1, "so ");
  ann.editor.commands.undo();
  sync(eve, ann);
  settleIn(eve.editor, acceptAll);
  sync(eve, ann);
  const accepted = judged(ann.doc, "ann");
  expect(accepted).toContain("d");
  expect(ann.editor.can().undo()).toBe(false);
  ann.editor.commands.redo();
  expect(pieces(ann)[0]).toBe("so :insertion");
  expect(judged(ann.doc, "ann")).toBe(accepted);
});

/** A word that an input method composes: its letters replace one another. */
function composes({ editor }: Person, at: number, ...states: readonly string[]): void {
  editor.commands.setTextSelection(at);
  const { dom } = editor.view;
  dom.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
  let from = at;
  let length = 0;
  for (const letters of states) {
    editor.view.dispatch(editor.state.tr.insertText(letters, from, from + length).setMeta("composition", 1));
    length = letters.length;
    from = editor.state.selection.head - length;
  }
  dom.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true }));
  dom.dispatchEvent(new KeyboardEvent("keydown", { key: "Shift", bubbles: true }));
}

test.each([
  ["among words", 7, ["Hello ", "漢字:insertion", "brave new world"]],
  ["at the beginning", 1, ["漢字:insertion", "Hello brave new world"]],
  ["at the end", 22, ["Hello brave new world", "漢字:insertion"]],
] as const)("a composed word is a suggestion, once: %s", (_where, at, expected) => {
  const before = judged(ann.doc, "ann");
  composes(ann, at, "か", "かん", "漢字");
  expect(pieces(ann)).toEqual(expected);
  expect(judged(ann.doc, "ann")).toBe(before);
  sync(eve, ann);
  expect(pieces(eve)).toEqual(expected);
});

test("a composed word goes on in a suggestion, and takes the place of selected words", () => {
  types(ann, 7, "ab");
  composes(ann, 9, "か", "火");
  expect(pieces(ann)).toEqual(["Hello ", "ab火:insertion", "brave new world"]);
  ann.editor.commands.setTextSelection({ from: 10, to: 15 });
  const { tr } = ann.editor.state;
  ann.editor.view.dispatch(tr.insertText("か", 10, 15).setMeta("composition", 1));
  expect(pieces(ann)).toEqual(["Hello ", "ab火:insertion", "brave:deletion", "か:insertion", " new world"]);
});

test("a word that is composed while others change its line is a suggestion, once", () => {
  const before = judged(ann.doc, "ann");
  const { editor } = ann;
  editor.commands.setTextSelection(7);
  const { dom } = editor.view;
  dom.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
  editor.view.dispatch(editor.state.tr.insertText("か", 7).setMeta("composition", 1));
  types(eve, 1, "Oh, ");
  sync(eve, ann);
  editor.view.dispatch(editor.state.tr.insertText("漢字", 7, 8).setMeta("composition", 1));
  dom.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true }));
  dom.dispatchEvent(new KeyboardEvent("keydown", { key: "Shift", bubbles: true }));
  sync(eve, ann);
  expect(pieces(ann)).toEqual(["Oh, Hello ", "漢字:insertion", "brave new world"]);
  expect(pieces(eve)).toEqual(pieces(ann));
  expect(judged(ann.doc, "ann")).toBe(before.replace("H", "Oh, H"));
});

test.each([
  ["heading", "list", 'Hello brave new world, bulletList(listItem(paragraph("Second line")))'],
  ["list", "heading", 'Hello brave new world, heading("Second line")'],
])("of a %s and then a %s for one line the last is proposed, in one suggestion", (...order) => {
  const expected = order[2];
  ann.editor.commands.setTextSelection(26);
  for (const kind of order.slice(0, 2)) {
    if (kind === "list") ann.editor.commands.toggleBulletList();
    else ann.editor.commands.setHeading({ level: 2 });
  }
  expect(suggestionsIn(ann.editor.state.doc)).toHaveLength(1);
  expect(settled(ann.editor.state.doc, acceptAll).toString()).toBe(
    `doc(paragraph("${expected.replace(", ", '"), ')})`,
  );
});

type Command = (who: Person) => unknown;

const COMMANDS: Readonly<Record<string, Command>> = {
  "heading 2": ({ editor }) => editor.chain().toggleHeading({ level: 2 }).run(),
  "heading 3": ({ editor }) => editor.chain().toggleHeading({ level: 3 }).run(),
  center: ({ editor }) => editor.chain().setTextAlign("center").run(),
  right: ({ editor }) => editor.chain().setTextAlign("right").run(),
  code: ({ editor }) => editor.chain().toggleCodeBlock().run(),
  dots: ({ editor }) => editor.chain().toggleBulletList().run(),
  numbers: ({ editor }) => editor.chain().toggleOrderedList().run(),
};

test.each([
  ["heading 2, heading 3", { type: "heading", attrs: { level: 3 } }],
  ["heading 2, center", { type: "heading", attrs: { level: 2, textAlign: "center" } }],
  ["center, heading 2", { type: "heading", attrs: { level: 2, textAlign: "center" } }],
  ["heading 2, center, right, heading 3", { type: "heading", attrs: { level: 3, textAlign: "right" } }],
  ["heading 2, code", { type: "codeBlock" }],
  ["dots, numbers", { type: "orderedList" }],
  ["dots, heading 3", { type: "heading", attrs: { level: 3 } }],
  ["heading 2, heading 2", null],
  ["dots, dots", null],
  ["center, center", null],
  ["heading 2, center, center", { type: "heading", attrs: { level: 2, textAlign: null } }],
  ["center, heading 2, heading 2", { type: "paragraph", attrs: { textAlign: "center" } }],
])(
  "what a person proposes last for a line overtakes what they have proposed before: %s",
  (commands, becomes) => {
    const before = judged(ann.doc, "ann");
    ann.editor.commands.setTextSelection(26);
    for (const name of commands.split(", ")) COMMANDS[name]?.(ann);
    const { doc } = ann.editor.state;
    expect(judged(ann.doc, "ann")).toBe(before);
    expect(doc.childCount).toBe(2);
    expect(proposalsOf((doc.lastChild as Node).attrs)).toHaveLength(becomes ? 1 : 0);
    expect(settled(doc, acceptAll).lastChild?.toJSON()).toMatchObject(becomes ?? { type: "paragraph" });
  },
);

test("who proposes a heading and then clears the line takes the proposal back", () => {
  ann.editor.chain().setTextSelection(3).setHeading({ level: 2 }).run();
  expect(suggestionsIn(ann.editor.state.doc)).toHaveLength(1);
  ann.editor.commands.clearNodes();
  expect(suggestionsIn(ann.editor.state.doc)).toEqual([]);
});

test("who deletes a line for which somebody has proposed something strikes its words, and both proposals stand", () => {
  const ben = suggestsAs(joins(eve, 9), "ben", randomOf(2), clock);
  ben.editor.chain().setTextSelection(3).setHeading({ level: 2 }).run();
  sync(eve, ann, ben);
  const before = judged(ann.doc, "ann");
  ann.editor.commands.deleteRange({ from: 1, to: 25 });
  sync(eve, ann, ben);
  expect([ann.refused, ben.refused]).toEqual([[], []]);
  expect(judged(ann.doc, "ann")).toBe(before);
  const whose = suggestionsIn(eve.editor.state.doc).map(({ user, parts }) => [
    user,
    parts.map(({ kind }) => kind),
  ]);
  expect(whose).toEqual([
    ["ben", ["block"]],
    ["ann", ["delete", "block", "delete"]],
  ]);
  settleIn(eve.editor, ({ user }) => (user === "ben" ? "accept" : "reject"));
  expect(eve.editor.getJSON().content?.[0]?.type).toBe("heading");
  expect(eve.editor.getText()).toBe("Hello brave new world\n\nSecond line");
  ben.editor.destroy();
});

/** What each person proposes for the first block. */
function proposedFirst({ editor }: Person): Record<string, string> {
  const all = proposalsOf((editor.state.doc.firstChild as Node).attrs);
  return Object.fromEntries(
    all.map(({ user, kind, type }) => [user, [kind, type].filter(Boolean).join(" ")]),
  );
}

const center: Command = ({ editor }) => editor.chain().setTextSelection(3).setTextAlign("center").run();
const heading: Command = ({ editor }) => editor.chain().setTextSelection(3).setHeading({ level: 2 }).run();
const deeper: Command = ({ editor }) => editor.chain().setTextSelection(3).setHeading({ level: 3 }).run();
const list: Command = ({ editor }) => editor.chain().setTextSelection(3).toggleBulletList().run();
const quote: Command = ({ editor }) => editor.chain().setTextSelection(3).toggleBlockquote().run();
const line = "Hello brave new world";

/** Accepts what one person proposes. */
const accept = (user: string) =>
  settleIn(eve.editor, (suggestion) => (suggestion.user === user ? "accept" : "keep"));

describe.each(["at the same moment", "one after the other"])(
  "proposals of two people for one block, %s",
  (when) => {
    let ben: Suggesting;

    beforeEach(() => {
      ben = suggestsAs(joins(eve, 5), "ben", randomOf(2), clock);
    });

    afterEach(() => ben.editor.destroy());

    function propose(one: Command, other: Command): void {
      const before = [judged(ann.doc, "ben"), judged(ben.doc, "ann")];
      one(ann);
      if (when !== "at the same moment") sync(eve, ann, ben);
      clock.now += 1_000;
      const untouched = judged(ben.doc, "ben");
      other(ben);
      expect(judged(ben.doc, "ben")).toBe(untouched);
      sync(eve, ann, ben);
      expect([ann.refused, ben.refused]).toEqual([[], []]);
      expect(before[0]).not.toBe(judged(ann.doc, "ben"));
      for (const { editor } of [ann, ben]) expect(editor.getJSON()).toEqual(eve.editor.getJSON());
      expect(suggestionsIn(eve.editor.state.doc).map(({ user }) => user)).toEqual(["ann", "ben"]);
    }

    test.each([
      ["another place and another kind", center, heading, `heading("${line}")`],
      ["another kind and another place", heading, center, `heading("${line}")`],
      ["two kinds", heading, deeper, `heading("${line}")`],
      ["a kind and a list", heading, list, `bulletList(listItem(paragraph("${line}")))`],
      ["the same list", list, list, `bulletList(listItem(paragraph("${line}")))`],
      ["a list and a quote", list, quote, `blockquote(paragraph("${line}"))`],
    ])("%s: both stand, one is accepted, and then the other", (_what, one, other, both) => {
      propose(one, other);
      const all = settled(eve.editor.state.doc, acceptAll);
      expect(all.firstChild?.toString()).toBe(both);
      accept("ann");
      sync(eve, ann, ben);
      expect(suggestionsIn(ben.editor.state.doc).map(({ user }) => user)).toEqual(["ben"]);
      accept("ben");
      sync(eve, ann, ben);
      expect(suggestionsIn(ben.editor.state.doc)).toEqual([]);
      eve.editor.state.doc.check();
    });

    test("each takes back the own one, and the other's stays", () => {
      propose(heading, list);
      const before = judged(ben.doc, "ben");
      ben.editor.commands.undo();
      sync(eve, ann, ben);
      expect(judged(ben.doc, "ben")).toBe(before);
      expect(proposedFirst(eve)).toEqual({ ann: "set heading" });
      settleIn(ann.editor, ({ user }) => (user === "ann" ? "reject" : "keep"));
      sync(eve, ann, ben);
      expect(proposedFirst(eve)).toEqual({});
    });

    test("of what one person proposes the last counts, and the other's stays", () => {
      propose(heading, list);
      center(ann);
      deeper(ben);
      sync(eve, ann, ben);
      expect(proposedFirst(eve)).toEqual({ ann: "set heading", ben: "set heading" });
      expect(settled(eve.editor.state.doc, acceptAll).firstChild?.attrs).toMatchObject({ level: 3 });
    });
  },
);

test("a kind that is proposed later than a list counts, also if the same kind was proposed before the list", () => {
  const { state } = eve.editor;
  const wanted = [
    { kind: "set", type: "heading", attrs: { level: 2 } },
    { kind: "wrap", type: "bulletList" },
    { kind: "set", type: "heading", attrs: { level: 3 } },
  ];
  const proposals = wanted.map((each, at) => ({ id: `s${at}`, user: `user${at}`, at, ...each }));
  const { doc } = state.tr.setNodeAttribute(0, "proposals", proposals);
  expect(settled(doc, acceptAll).firstChild?.toString()).toBe(`heading("${line}")`);
  expect(settled(doc, acceptAll).firstChild?.attrs.level).toBe(3);
});

test("what one person proposes in a document of version 4 is read, and another's stands beside it", () => {
  const at = 500;
  const old = { id: "s1", user: "ben", at, kind: "set", type: "heading", attrs: { level: 2 } };
  const line = eve.doc.getXmlFragment(FRAGMENT).get(0) as Y.XmlElement;
  line.setAttribute("suggestion", old as unknown as string);
  sync(eve, ann);
  seesAll(ann);
  expect(proposedFirst(ann)).toEqual({ ben: "set heading" });
  list(ann);
  sync(eve, ann);
  expect(proposedFirst(eve)).toEqual({ ben: "set heading", ann: "wrap bulletList" });
  expect(line.getAttribute("suggestion")).toEqual(old);
  const ben = suggestsAs(joins(eve, 9), "ben", randomOf(2), clock);
  const before = judged(ben.doc, "ben");
  deeper(ben);
  sync(eve, ann, ben);
  expect(judged(ben.doc, "ben")).toBe(before);
  expect(line.getAttribute("suggestion")).toBeUndefined();
  expect(proposedFirst(eve)).toEqual({ ben: "set heading", ann: "wrap bulletList" });
  accept("ben");
  sync(eve, ann, ben);
  expect(eve.editor.getJSON().content?.[0]).toMatchObject({ type: "heading", attrs: { level: 3 } });
  expect(proposedFirst(ann)).toEqual({ ann: "wrap bulletList" });
  ben.editor.destroy();
});

test("what stands under another's key is nobody's proposal, and stays where it is", () => {
  const line = eve.doc.getXmlFragment(FRAGMENT).get(0) as Y.XmlElement;
  const forged = { id: "s1", user: "ben", at: 1, kind: "set", type: "heading", attrs: { level: 2 } };
  line.setAttribute("suggestion--AAAAAAAA", forged as unknown as string);
  sync(eve, ann);
  seesAll(ann);
  expect(proposedFirst(ann)).toEqual({});
  list(ann);
  sync(eve, ann);
  settleIn(eve.editor, ({ user }) => (user === "ann" ? "reject" : "keep"));
  expect(line.getAttribute("suggestion--AAAAAAAA")).toEqual(forged);
});

test("words typed into one's own pending list leave what others have proposed in it", () => {
  const ben = suggestsAs(joins(eve, 8), "ben", randomOf(2), clock);
  ann.editor.commands.insertContentAt(0, "<ul><li><p>milk</p></li><li><p>bread</p></li></ul>");
  sync(ann, ben);
  ben.editor.commands.setTextSelection(5);
  ben.editor.commands.setTextAlign("center");
  sync(ann, ben);
  types(ann, 7, "y");
  const proposed = () =>
    suggestionsIn(ann.editor.state.doc)
      .filter(({ user }) => user === "ben")
      .flatMap(({ parts }) => parts.map(({ kind }) => kind));
  expect(proposed()).toEqual(["block"]);
  expect(settled(ann.editor.state.doc, acceptAll).firstChild?.toString()).toBe(
    'bulletList(listItem(paragraph("milky")), listItem(paragraph("bread")))',
  );
  ben.editor.destroy();
});

test("what an editor types between two proposed ends of lines is a line", () => {
  ann.editor.commands.setTextSelection(6);
  for (let times = 0; times < 2; times += 1) ann.editor.commands.splitBlock();
  sync(eve, ann);
  types(eve, 7, "dear");
  sync(eve, ann);
  const lines = settled(ann.editor.state.doc, acceptAll).children.map(({ textContent }) => textContent);
  expect(lines).toEqual(["Hello", "dear", " brave new world", "Second line"]);
});

test("a heading is not proposed any more for a line that begins an item by now", () => {
  ann.editor.chain().setTextSelection(3).setHeading({ level: 2 }).run();
  sync(eve, ann);
  eve.editor.chain().setTextSelection(3).toggleBulletList().run();
  sync(eve, ann);
  expect(settled(ann.editor.state.doc, acceptAll).firstChild?.toString()).toBe(
    'bulletList(listItem(paragraph("Hello brave new world")))',
  );
});

test.each([
  ["one with items behind it", [14, 14], "a, [b], c, [d, e]"],
  ["two with an item behind them", [14, 19], "a, [b], c, d, [e]"],
  ["the first one", [9, 9], "a, b, [c, d, e]"],
  ["the last one", [24, 24], "a, [b, c, d], e"],
] as const)(
  "items that leave a nested list are suggested to do so in their place: %s",
  (_what, selected, becomes) => {
    const said = (node: Node): string =>
      node.children
        .map((child) =>
          child.isTextblock ? child.textContent : isItem(child) ? said(child) : `[${said(child)}]`,
        )
        .join(", ");
    const items = (words: string) => [...words].map((word) => `<li><p>${word}</p></li>`).join("");
    eve.editor.commands.setContent(`<ul><li><p>a</p><ul>${items("bcde")}</ul></li></ul>`);
    sync(eve, ann);
    const before = judged(ann.doc, "ann");
    const [from, to] = selected;
    ann.editor.chain().setTextSelection({ from, to }).liftListItem("listItem").run();
    const { doc } = ann.editor.state;
    expect(judged(ann.doc, "ann")).toBe(before);
    expect(new Set(suggestionsIn(doc).flatMap(({ parts }) => parts.map(kindOfPart)))).toEqual(
      new Set(["lift"]),
    );
    expect(said(settled(doc, acceptAll).firstChild as Node)).toBe(becomes);
    sync(eve, ann);
    settleIn(eve.editor, acceptAll);
    sync(eve, ann);
    expect(said(ann.editor.state.doc.firstChild as Node)).toBe(becomes);
  },
);

const kindOfPart = (part: Part) => (part.kind === "block" ? part.suggestion.kind : part.kind);

test("a struck word that is typed over by itself stands again", () => {
  ann.editor.commands.deleteRange({ from: 7, to: 12 });
  ann.editor.commands.setTextSelection({ from: 7, to: 12 });
  ann.editor.view.dispatch(ann.editor.state.tr.insertText("brave"));
  expect(pieces(ann)).toEqual(["Hello ", "brave:deletion", "brave:insertion", " new world"]);
});

test.each(["bulletList", "orderedList"])(
  "items of a %s are suggested to be indented in their place",
  (type) => {
    const item = (words: string, more: object[] = []) => ({
      type: "listItem",
      content: [{ type: "paragraph", content: [{ type: "text", text: words }] }, ...more],
    });
    eve.editor.commands.setContent({ type, content: [item("a"), item("b"), item("c")] });
    sync(eve, ann);
    const kinds = () => suggestionsIn(ann.editor.state.doc).flatMap(({ parts }) => parts.map(partOf));
    const partOf = (part: Part) => (part.kind === "block" ? part.suggestion.kind : part.kind);
    const accepted = () => settled(ann.editor.state.doc, acceptAll).firstChild?.toString();
    ann.editor.chain().setTextSelection({ from: 8, to: 13 }).sinkListItem("listItem").run();
    expect(kinds()).toEqual(["wrap", "wrap"]);
    expect(accepted()).toBe(
      `${type}(listItem(paragraph("a"), ${type}(listItem(paragraph("b")), listItem(paragraph("c")))))`,
    );
    sync(eve, ann);
    settleIn(eve.editor, acceptAll);
    sync(eve, ann);
    ann.editor.chain().setTextSelection(14).liftListItem("listItem").run();
    expect(kinds()).toEqual(["lift"]);
    expect(accepted()).toBe(
      `${type}(listItem(paragraph("a"), ${type}(listItem(paragraph("b")))), listItem(paragraph("c")))`,
    );
  },
);
