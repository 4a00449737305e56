/** The marks of comment threads: they stay with their words through everything that people do to a text. */

import { annotate, ySyncPluginKey, yUndoPluginKey } from "@manyhands/binding";
import type { Editor } from "@tiptap/core";
import type { Slice } from "@tiptap/pm/model";
import { beforeEach, expect, test } from "vitest";
import { anchorsIn, CommentLooks, piecesOf, threadsAt } from "../../src/extensions/comment_marks";
import { mirrorOf } from "../../src/extensions/mirror";
import { type Person, person, sync, textOf } from "../page/editors";

const QUOTE = "brave new";
let ann: Person;
let ben: Person;

beforeEach(() => {
  [ann, ben] = [person(1), person(2)];
  ann.editor.commands.setContent("<p>first</p><p>Oh brave new world</p><p>last</p>");
  sync(ann, ben);
  comments(ann, QUOTE, "t1");
  yUndoPluginKey.getState(ann.editor.state)?.undoManager.stopCapturing();
  sync(ann, ben);
});

function find({ editor }: Person, words: string): { from: number; to: number } {
  let from = -1;
  editor.state.doc.descendants((node, at) => {
    const index = node.isTextblock ? node.textContent.indexOf(words) : -1;
    if (index >= 0 && from < 0) from = at + 1 + index;
  });
  if (from < 0) throw new Error(`The words “${words}” are not there`);
  return { from, to: from + words.length };
}

function select(who: Person, words: string): Editor {
  who.editor.commands.setTextSelection(find(who, words));
  return who.editor;
}

function comments(who: Person, words: string, id: string): number {
  const { schema } = who.editor;
  const mark = schema.mark("comment", { id, user: "ann" });
  const letters = annotate(who.editor.state, { ...find(who, words), mark });
  ySyncPluginKey.getState(who.editor.state)?.binding.flush();
  return letters;
}

function marked({ editor }: Person, id = "t1"): string {
  return piecesOf(editor.state, id)
    .map(({ from, to }) => editor.state.doc.textBetween(from, to))
    .join("");
}

const at = (who: Person, words: string) => find(who, words).from;

/** Cuts or copies what is selected, and returns what the clipboard holds. */
function puts({ editor }: Person, way: "cut" | "copy"): Slice {
  const { view, state } = editor;
  const { slice } = view.serializeForClipboard(state.selection.content());
  if (way === "cut") view.dispatch(state.tr.deleteSelection().setMeta("uiEvent", "cut"));
  return slice;
}

function pastes({ editor }: Person, slice: Slice): void {
  const html = editor.view.serializeForClipboard(slice).dom.innerHTML;
  editor.view.pasteHTML(html);
}

const OPERATIONS: Readonly<Record<string, readonly [(who: Person) => unknown, string]>> = {
  "words before": [(who) => who.editor.commands.insertContentAt(at(who, "Oh"), "X"), QUOTE],
  "words inside": [(who) => who.editor.commands.insertContentAt(at(who, "ve new"), "X"), "braXve new"],
  "words at the end": [(who) => who.editor.commands.insertContentAt(find(who, QUOTE).to, "X"), QUOTE],
  "bold over all": [(who) => select(who, "Oh brave new world").commands.setBold(), QUOTE],
  "code over all": [(who) => select(who, "Oh brave new world").commands.setCode(), QUOTE],
  "a split inside": [
    (who) => select(who, "new").chain().setTextSelection(at(who, "new")).splitBlock().run(),
    QUOTE,
  ],
  "a split before": [(who) => who.editor.chain().setTextSelection(at(who, QUOTE)).splitBlock().run(), QUOTE],
  "a split, taken back": [
    (who) => {
      who.editor.chain().setTextSelection(at(who, QUOTE)).splitBlock().run();
      who.editor.commands.joinBackward();
    },
    QUOTE,
  ],
  "a heading": [(who) => select(who, QUOTE).commands.setHeading({ level: 2 }), QUOTE],
  "a code block": [(who) => select(who, QUOTE).commands.setCodeBlock(), QUOTE],
  "a list": [(who) => select(who, QUOTE).commands.toggleBulletList(), QUOTE],
  "a list, and out of it": [
    (who) => {
      select(who, QUOTE).commands.toggleBulletList();
      who.editor.commands.toggleBulletList();
    },
    QUOTE,
  ],
  "a quote": [(who) => select(who, QUOTE).commands.toggleBlockquote(), QUOTE],
  "joined to the line above": [
    (who) => who.editor.chain().setTextSelection(at(who, "Oh")).joinBackward().run(),
    QUOTE,
  ],
  "deleted, undone": [
    (who) => {
      select(who, QUOTE).commands.deleteSelection();
      who.editor.commands.undo();
    },
    QUOTE,
  ],
  "the block deleted, undone": [
    (who) => {
      select(who, QUOTE).commands.deleteBlocks();
      who.editor.commands.undo();
    },
    QUOTE,
  ],
  "a heading, undone": [
    (who) => {
      select(who, QUOTE).commands.setHeading({ level: 2 });
      who.editor.commands.undo();
    },
    QUOTE,
  ],
  "the block moved": [(who) => select(who, QUOTE).commands.moveBlocks("down"), QUOTE],
  "cut and pasted": [
    (who) => {
      select(who, QUOTE);
      const cut = puts(who, "cut");
      who.editor.commands.setTextSelection(at(who, "last"));
      pastes(who, cut);
    },
    QUOTE,
  ],
  "copied and pasted": [
    (who) => {
      select(who, QUOTE);
      const copied = puts(who, "copy");
      who.editor.commands.setTextSelection(at(who, "last"));
      pastes(who, copied);
    },
    QUOTE,
  ],
  "the block doubled": [(who) => select(who, QUOTE).commands.duplicateBlocks(), QUOTE],
  "half deleted": [(who) => select(who, "brave ").commands.deleteSelection(), "new"],
};

test.each(Object.entries(OPERATIONS))("the words have their mark after %s", (_name, [act, words]) => {
  act(ann);
  expect(marked(ann)).toBe(words);
  // Meanwhile somebody else types, and comments on the same words.
  ben.editor.commands.insertContentAt(at(ben, "last"), "B");
  comments(ben, "new", "t2");
  sync(ann, ben);
  expect([marked(ann), marked(ben)]).toEqual([words, words]);
  expect(marked(ann, "t2")).toBe(marked(ben, "t2"));
});

test("a mark is no undo step, and does not end the undo of others", () => {
  const { undoManager } = yUndoPluginKey.getState(ann.editor.state) ?? {};
  const steps = undoManager?.undoStack.length;
  comments(ann, "last", "t2");
  expect(undoManager?.undoStack.length).toBe(steps);
  ann.editor.commands.undo();
  expect([marked(ann, "t2"), undoManager?.redoStack.length]).toEqual(["", 1]);
});

test("words in several lines and formats are marked, and the mark is taken away again", () => {
  ann.editor.commands.setContent(
    "<p>a <b>b</b> <code>c</code></p><pre><code>d</code></pre><ul><li><p>e</p></li></ul>",
  );
  const { state, schema } = ann.editor;
  const mark = schema.mark("comment", { id: "t9", user: "ann" });
  const all = { from: 0, to: state.doc.content.size, mark };
  expect(annotate(state, all)).toBe(7);
  sync(ann, ben);
  expect([marked(ann, "t9"), marked(ben, "t9")]).toEqual(["a b cde", "a b cde"]);
  annotate(ann.editor.state, { ...all, isRemoved: true });
  sync(ann, ben);
  expect([marked(ann, "t9"), marked(ben, "t9")]).toEqual(["", ""]);
});

test("somebody who sees a copy of the document marks words of the document itself", () => {
  const mirror = mirrorOf(ann.doc);
  const reader = person(3, mirror.doc);
  const mark = reader.editor.schema.mark("comment", { id: "t3", user: "carl" });
  annotate(reader.editor.state, { ...find(reader, "world"), mark, doc: ann.doc });
  sync(ann, ben);
  ySyncPluginKey.getState(reader.editor.state)?.binding.flush();
  expect([ann, ben, reader].map((who) => marked(who, "t3"))).toEqual(["world", "world", "world"]);
});

test("a position knows its threads, and a thread its position", () => {
  comments(ann, "Oh brave", "t2");
  const { state } = ann.editor;
  expect(anchorsIn(state).get("t1")).toBe(at(ann, QUOTE));
  expect([...anchorsIn(state)].map(([id]) => id)).toEqual(["t2", "t1"]);
  expect(threadsAt(state, at(ann, "rave")).toSorted()).toEqual(["t1", "t2"]);
  expect(threadsAt(state, at(ann, "world") + 2)).toEqual([]);
});

test("a mark of another document, or of a page that has not copied it, does not come in", () => {
  ann.editor.commands.setTextSelection(1);
  ann.editor.view.pasteHTML('<p>strange <span data-comment="t7" data-by="eve">words</span></p>');
  expect(textOf(ann)).toContain("strange words");
  expect(marked(ann, "t7")).toBe("");
});

test("elements look as their thread does, and the text is left alone", () => {
  const { looks } = ann.editor.storage.comment;
  const drawn = () =>
    [...ann.editor.view.dom.querySelectorAll("[data-look]")].map((each) => [
      each.getAttribute("data-look"),
      each.textContent,
    ]);
  expect(drawn()).toEqual([]);
  looks.show(new Map([["t1", "open"]]));
  expect(drawn()).toEqual([["open", QUOTE]]);
  ann.editor.commands.insertContentAt(at(ann, "ve new"), "X");
  looks.show(new Map([["t1", "active"]]));
  expect(drawn()).toEqual([["active", "braXve new"]]);
  looks.show(new Map());
  expect(drawn()).toEqual([]);
});

test("elements that are gone are forgotten", () => {
  const looks = new CommentLooks();
  const element = document.createElement("span");
  looks.add("a", element)();
  looks.show(new Map([["a", "open"]]));
  expect(element.hasAttribute("data-look")).toBe(false);
});
