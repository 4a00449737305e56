/** Carets and selections stay between the same letters, whatever a colleague does to the line. */

import {
  absolutePositionToRelativePosition,
  type HeirRun,
  relativePositionToAbsolutePosition,
  ySyncPluginKey,
  yUndoPluginKey,
} from "@manyhands/binding";
import { FRAGMENT } from "@manyhands/schema";
import type { Editor } from "@tiptap/core";
import { TextSelection } from "@tiptap/pm/state";
import { afterEach, describe, expect, test } from "vitest";
import * as Y from "yjs";
import { type Person, person, seesAll, sync } from "./editors";

let people: Person[] = [];

function together(...ids: readonly number[]): Person[] {
  people = ids.map((id) => person(id));
  return people;
}

afterEach(() => {
  for (const { editor } of people.splice(0)) editor.destroy();
});

/** The words of a document with `^` at both ends of the selection, without what separates lines. */
function marked({ editor }: Person): string {
  const { doc, selection } = editor.state;
  const words = (from: number, to: number) => doc.textBetween(from, to);
  const { from, to } = selection;
  const selected = from === to ? "" : `${words(from, to)}^`;
  return `${words(0, from)}^${selected}${words(to, doc.content.size)}`;
}

/** The position before some words. */
function before(words: string, { editor }: Person): number {
  let found = -1;
  editor.state.doc.descendants((node, at) => {
    const index = node.text?.indexOf(words) ?? -1;
    if (index >= 0 && found < 0) found = at + index;
  });
  if (found < 0) throw new Error(`"${words}" is not there`);
  return found;
}

function put(someone: Person, words: string): void {
  someone.editor.commands.setTextSelection(before(words, someone));
}

function type({ editor }: Person, letters: string): void {
  for (const letter of letters) editor.view.dispatch(editor.state.tr.insertText(letter));
}

const LINES = "<p>first</p><p>Hello brave new world</p><p>last</p>";
const LIST = "<ul><li><p>first</p></li><li><p>Hello brave new world</p></li></ul><p>last</p>";

interface Deed {
  readonly html: string;
  readonly at: string;
  readonly act: (editor: Editor) => unknown;
}

const DEEDS: Readonly<Record<string, Deed>> = {
  "makes it a heading": { html: LINES, at: "world", act: (e) => e.commands.toggleHeading({ level: 2 }) },
  "makes a heading a line": {
    html: LINES.replace(/p>Hello brave new world<\/p/, "h2>Hello brave new world</h2"),
    at: "world",
    act: (e) => e.commands.setParagraph(),
  },
  "makes it a list item": { html: LINES, at: "world", act: (e) => e.commands.toggleBulletList() },
  "makes it a task": { html: LINES, at: "world", act: (e) => e.commands.toggleTaskList() },
  "makes the list a numbered one": { html: LIST, at: "world", act: (e) => e.commands.toggleOrderedList() },
  "takes it out of the list": { html: LIST, at: "world", act: (e) => e.commands.liftListItem("listItem") },
  "indents it": { html: LIST, at: "world", act: (e) => e.commands.sinkListItem("listItem") },
  "quotes it": { html: LINES, at: "world", act: (e) => e.commands.toggleBlockquote() },
  "makes it code": { html: LINES, at: "world", act: (e) => e.commands.toggleCodeBlock() },
  "joins it to the line before": { html: LINES, at: "Hello", act: (e) => e.commands.joinBackward() },
  "joins the next line to it": { html: LINES, at: "last", act: (e) => e.commands.joinBackward() },
  "splits it at its first word": { html: LINES, at: " brave", act: (e) => e.commands.splitBlock() },
  "splits it at its last word": { html: LINES, at: "world", act: (e) => e.commands.splitBlock() },
  "puts a line above": { html: LINES, at: "Hello", act: (e) => e.commands.splitBlock() },
  "makes words bold": {
    html: LINES,
    at: "world",
    act: (e) => e.chain().selectParentNode().toggleBold().run(),
  },
  "makes it a heading, then a list item": {
    html: LINES,
    at: "world",
    act: (e) => [e.commands.toggleHeading({ level: 2 }), e.commands.toggleBulletList()],
  },
};

describe.each(Object.entries(DEEDS))("a colleague %s", (_name, { html, at, act }) => {
  test.each(["Hello", "llo", "new", "w world", "last", "irst"])("with the caret before “%s”", (words) => {
    const [alice, bob] = together(10, 20) as [Person, Person];
    alice.editor.commands.setContent(html);
    sync(alice, bob);
    put(alice, words);
    const expected = marked(alice);
    put(bob, at);
    act(bob.editor);
    sync(alice, bob);
    expect(marked(alice)).toBe(expected);
    type(alice, "!");
    sync(alice, bob);
    expect(bob.editor.getText({ blockSeparator: "" })).toBe(expected.replace("^", "!"));
  });

  test("with words selected", () => {
    const [alice, bob] = together(10, 20) as [Person, Person];
    alice.editor.commands.setContent(html);
    sync(alice, bob);
    const [from, to] = [before("ello", alice), before("new", alice)];
    alice.editor.commands.setTextSelection({ from, to });
    const expected = marked(alice);
    put(bob, at);
    act(bob.editor);
    sync(alice, bob);
    expect(marked(alice)).toBe(expected);
  });

  test("undone by the colleague again", () => {
    const [alice, bob] = together(10, 20) as [Person, Person];
    alice.editor.commands.setContent(html);
    sync(alice, bob);
    put(alice, "new");
    const expected = marked(alice);
    put(bob, at);
    act(bob.editor);
    sync(alice, bob);
    bob.editor.commands.undo();
    sync(alice, bob);
    expect(marked(alice)).toBe(expected);
  });
});

test.each<[string, (editor: Editor) => unknown, string]>([
  ["typed", ({ view, state }) => view.dispatch(state.tr.insertText("!")), "Hello bra!ve new world"],
  [
    "typed beside its like",
    ({ view, state }) => view.dispatch(state.tr.insertText("v")),
    "Hello bravve new world",
  ],
  [
    "deleted",
    ({ view, state: { tr, selection } }) => view.dispatch(tr.delete(selection.head - 1, selection.head)),
    "Hello brve new world",
  ],
  [
    "typed over",
    ({ view, state: { tr, selection } }) =>
      view.dispatch(tr.insertText("u", selection.head - 1, selection.head + 1)),
    "Hello brue new world",
  ],
])("what is %s before a row is shown is done where the row has led the caret", (_name, edits, expected) => {
  const [alice, bob] = together(10, 20) as [Person, Person];
  alice.editor.commands.setContent(LINES);
  sync(alice, bob);
  put(alice, "ve new");
  const seen = Y.encodeStateVector(alice.doc);
  put(bob, "last");
  bob.editor.commands.insertContent("the ");
  const first = Y.encodeStateAsUpdate(bob.doc, seen);
  put(bob, "Hello");
  bob.editor.chain().toggleHeading({ level: 2 }).toggleBulletList().run();
  Y.applyUpdate(alice.doc, first); // takes the frame, so that the next one waits
  Y.applyUpdate(alice.doc, Y.encodeStateAsUpdate(bob.doc, seen));
  expect(alice.editor.getHTML()).toContain("<p>Hello");
  edits(alice.editor);
  sync(alice, bob);
  expect(bob.editor.getHTML()).toContain(`<li><p>${expected}</p></li>`);
});

test("an empty line that becomes a heading keeps the caret", () => {
  const [alice, bob] = together(10, 20) as [Person, Person];
  alice.editor.commands.setContent("<p>first</p><p></p><p>last</p>");
  sync(alice, bob);
  for (const { editor } of [alice, bob]) editor.commands.setTextSelection(8);
  bob.editor.commands.toggleHeading({ level: 2 });
  sync(alice, bob);
  type(alice, "here");
  expect(alice.editor.getText({ blockSeparator: "|" })).toBe("first|here|last");
});

test("words that are deleted around the caret leave it between the others", () => {
  const [alice, bob] = together(10, 20) as [Person, Person];
  alice.editor.commands.setContent(LINES);
  sync(alice, bob);
  alice.editor.commands.setTextSelection(before("ave", alice));
  const from = before("brave", bob);
  bob.editor.commands.deleteRange({ from, to: from + 6 });
  sync(alice, bob);
  expect(marked(alice)).toBe("firstHello ^new worldlast");
});

describe("with heirs from the server", () => {
  const textOf = ({ doc }: Person, line: number) =>
    (doc.getXmlFragment(FRAGMENT).get(line) as Y.XmlElement).get(0) as Y.XmlText;

  /** The characters of one text as those of another with the same words. */
  function heirs(old: readonly Y.ID[], now: readonly Y.ID[]): readonly HeirRun[] {
    return old.map(({ client, clock }, at) => {
      const heir = now[at] as Y.ID;
      return [client, clock, 1, heir.client, heir.clock];
    });
  }

  function idsIn(text: Y.XmlText): readonly Y.ID[] {
    const ids: Y.ID[] = [];
    for (let item = text._start; item; item = item.right) {
      if (item.deleted || !item.countable) continue;
      for (let at = 0; at < item.length; at += 1) ids.push(Y.createID(item.id.client, item.id.clock + at));
    }
    return ids;
  }

  /** Applies rows to somebody's document as the provider does. */
  function hear(
    someone: Person,
    rows: readonly Uint8Array[],
    runs: readonly HeirRun[],
    unsaved: ReadonlyMap<number, number> = new Map(),
  ): void {
    const apply = (transaction: Y.Transaction) => {
      transaction.meta.set("heirs", runs);
      transaction.meta.set("unsaved", () => unsaved);
      for (const row of rows) Y.applyUpdate(someone.doc, row, "server");
    };
    Y.transact(someone.doc, apply, "server", false);
    seesAll(someone);
  }

  function missing(from: Y.Doc, to: Y.Doc): Uint8Array {
    return Y.encodeStateAsUpdate(from, Y.encodeStateVector(to));
  }

  /** Alice has typed TYP before “new”, when Bob's heading arrives; the server's rescue is to come. */
  function headingOverTyping(isBold = false) {
    const [alice, bob] = together(10, 20) as [Person, Person];
    alice.editor.commands.setContent(LINES);
    sync(alice, bob);
    yUndoPluginKey.getState(alice.editor.state)?.undoManager.clear();
    const old = idsIn(textOf(bob, 1));
    put(bob, "world");
    bob.editor.commands.toggleHeading({ level: 1 });
    const row = missing(bob.doc, alice.doc);
    const copies = idsIn(textOf(bob, 1));
    put(alice, "new");
    if (isBold) alice.editor.commands.toggleBold();
    type(alice, "TYP");
    yUndoPluginKey.getState(alice.editor.state)?.undoManager.stopCapturing();
    const typed = idsIn(textOf(alice, 1)).slice(12, 15);
    const server = new Y.Doc();
    server.clientID = 0;
    for (const { doc } of [alice, bob]) Y.applyUpdate(server, Y.encodeStateAsUpdate(doc));
    const [first] = typed as [Y.ID];
    hear(alice, [row], heirs(old, copies), new Map([[first.client, first.clock]]));
    const rescue = (from = 0, to = 3) => {
      const sent = Y.encodeStateVector(server);
      const line = (server.getXmlFragment(FRAGMENT).get(1) as Y.XmlElement).get(0) as Y.XmlText;
      line.insert(12 + from, "TYP".slice(from, to));
      const saved = Y.encodeStateAsUpdate(server, sent);
      hear(alice, [saved], heirs(typed.slice(from, to), idsIn(line).slice(12 + from, 12 + to)));
    };
    return { alice, bob, rescue };
  }

  test("the caret stays where words vanish for a moment, and is behind them when they are back", () => {
    const { alice, rescue } = headingOverTyping();
    expect(marked(alice)).toBe("firstHello brave ^new worldlast");
    rescue();
    expect(marked(alice)).toBe("firstHello brave TYP^new worldlast");
  });

  /** What the page shows of the line, words that will come back among it. */
  const lineOf = ({ editor }: Person) => editor.view.dom.querySelector("h1")?.textContent;

  test("words that vanish for a moment are shown all the same, with their marks", () => {
    const { alice, rescue } = headingOverTyping(true);
    expect(lineOf(alice)).toBe("Hello brave TYPnew world");
    expect(alice.editor.view.dom.querySelector("strong")?.textContent).toBe("TYP");
    type(alice, "ED");
    expect(lineOf(alice)).toBe("Hello brave TYPEDnew world");
    rescue(0, 2);
    expect(lineOf(alice)).toBe("Hello brave TYPEDnew world");
    rescue(2, 3);
    expect(lineOf(alice)).toBe("Hello brave TYPEDnew world");
    expect(marked(alice)).toBe("firstHello brave TYPED^new worldlast");
  });

  test("Backspace takes back letters that are still to come back", async () => {
    const { alice, rescue } = headingOverTyping();
    alice.editor.commands.keyboardShortcut("Backspace");
    seesAll(alice);
    await new Promise((seen) => requestAnimationFrame(seen));
    expect(lineOf(alice)).toBe("Hello brave TYnew world");
    rescue();
    await new Promise((done) => setTimeout(done, 0));
    seesAll(alice);
    expect(marked(alice)).toBe("firstHello brave TY^new worldlast");
  });

  test("keys typed meanwhile come behind the words that come back", () => {
    const { alice, rescue } = headingOverTyping();
    type(alice, "ED");
    rescue();
    expect(marked(alice)).toBe("firstHello brave TYPED^new worldlast");
  });

  test("the caret is behind whatever is back of words that come back one after the other", () => {
    const { alice, rescue } = headingOverTyping();
    rescue(0, 1);
    expect(marked(alice)).toBe("firstHello brave T^new worldlast");
    type(alice, "ED");
    rescue(1, 2);
    rescue(2, 3);
    expect(marked(alice)).toBe("firstHello brave TYPED^new worldlast");
  });

  test("the caret goes with a part of the line that moves, before one's own last words follow", () => {
    const [alice, bob] = together(10, 20) as [Person, Person];
    alice.editor.commands.setContent(LINES);
    sync(alice, bob);
    put(alice, "new");
    type(alice, "TYP");
    const old = idsIn(textOf(bob, 1)).slice(6);
    put(bob, "brave");
    bob.editor.commands.splitBlock();
    hear(alice, [missing(bob.doc, alice.doc)], heirs(old, idsIn(textOf(bob, 2))));
    type(alice, "ED");
    expect(marked(alice)).toBe("firstHello TYPbrave ED^new worldlast");
    const server = new Y.Doc();
    server.clientID = 0;
    Y.applyUpdate(server, Y.encodeStateAsUpdate(bob.doc));
    const moved = textOf({ ...bob, doc: server }, 2);
    moved.insert(6, "TYP");
    const typed = idsIn(textOf(alice, 1)).slice(6);
    const rows = [missing(server, alice.doc)];
    alice.doc.transact((transaction) => {
      transaction.meta.set("heirs", heirs(typed, idsIn(moved).slice(6, 9)));
      for (const row of rows) Y.applyUpdate(alice.doc, row, "server");
      textOf(alice, 1).delete(6, 3);
    }, "server");
    seesAll(alice);
    expect(marked(alice)).toBe("firstHello brave TYPED^new worldlast");
  });

  test("undo goes back through one's own words, rescued ones too, in their order", () => {
    const { alice, rescue } = headingOverTyping();
    type(alice, "ED");
    rescue();
    alice.editor.commands.undo();
    expect(marked(alice)).toBe("firstHello brave TYP^new worldlast");
    alice.editor.commands.undo();
    expect(marked(alice)).toBe("firstHello brave ^new worldlast");
    alice.editor.commands.redo();
    alice.editor.commands.redo();
    expect(marked(alice)).toBe("firstHello brave TYPED^new worldlast");
  });

  test.each([
    ["brave ", "firstHello brave new worldlast"],
    ["Hello ", "firstHello brave new worldlast"],
    ["world", "firstHello brave new worldlast"],
  ])("undo brings “%s” back into the heading that its line has become", (words, expected) => {
    const [alice, bob] = together(10, 20) as [Person, Person];
    alice.editor.commands.setContent(LINES);
    sync(alice, bob);
    yUndoPluginKey.getState(alice.editor.state)?.undoManager.stopCapturing();
    const from = before(words, alice);
    alice.editor.commands.deleteRange({ from, to: from + words.length });
    sync(alice, bob);
    const old = idsIn(textOf(bob, 1));
    put(bob, "new");
    bob.editor.commands.toggleHeading({ level: 1 });
    hear(alice, [missing(bob.doc, alice.doc)], heirs(old, idsIn(textOf(bob, 1))));
    alice.editor.commands.undo();
    expect(marked(alice).replaceAll("^", "")).toBe(expected);
    expect(alice.editor.getHTML()).toContain("<h1>Hello brave new world</h1>");
    sync(alice, bob);
    expect(bob.editor.getHTML()).toBe(alice.editor.getHTML());
    alice.editor.commands.redo();
    expect(alice.editor.getText()).not.toContain(words);
  });

  test("a caret of somebody else who has not heard of the change yet follows, too", () => {
    const [alice, bob] = together(10, 20) as [Person, Person];
    alice.editor.commands.setContent(LINES);
    sync(alice, bob);
    const shared = ySyncPluginKey.getState(alice.editor.state);
    if (!shared) throw new Error("The editor is not bound");
    const { doc, type, binding } = shared;
    const told = absolutePositionToRelativePosition(before("new", alice), type, binding.mapping);
    const old = idsIn(textOf(bob, 1));
    put(bob, "world");
    bob.editor.commands.toggleHeading({ level: 1 });
    hear(alice, [missing(bob.doc, alice.doc)], heirs(old, idsIn(textOf(bob, 1))));
    const at = relativePositionToAbsolutePosition(doc, type, told, binding.mapping);
    expect(at).toBe(before("new", alice));
  });
});

test("what is dispatched while others' changes wait is made again after them", () => {
  const [alice, bob] = together(10, 20) as [Person, Person];
  alice.editor.commands.setContent(LINES);
  sync(alice, bob);
  // The first change takes the frame, the second waits for the next one.
  for (const letter of ["X", "Y"]) {
    bob.editor.commands.insertContentAt(1, letter);
    Y.applyUpdate(alice.doc, Y.encodeStateAsUpdate(bob.doc));
  }
  expect(marked(alice)).toContain("Xfirst");
  const { tr } = alice.editor.state;
  tr.insertText("!", before("last", alice)).insertText("?", tr.mapping.map(before("last", alice)) + 1);
  alice.editor.view.dispatch(tr.setSelection(TextSelection.atEnd(tr.doc)));
  sync(alice, bob);
  expect(bob.editor.getText({ blockSeparator: "|" })).toBe("YXfirst|Hello brave new world|!l?ast");
  expect(marked(alice)).toBe("YXfirstHello brave new world!l?ast^");
});
