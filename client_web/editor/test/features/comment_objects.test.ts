/** Comments on what has no words: they stay with a picture, a formula or a line through everything that people do. */

import { annotate, ySyncPluginKey } from "@manyhands/binding";
import { FRAGMENT } from "@manyhands/schema";
import type { JSONContent } from "@tiptap/core";
import type { Slice } from "@tiptap/pm/model";
import { NodeSelection } from "@tiptap/pm/state";
import { describe, expect, test } from "vitest";
import * as Y from "yjs";
import { anchorsIn, piecesOf, threadsAt } from "../../src/extensions/comment_marks";
import { foreignContent } from "../../src/extensions/foreign";
import { mirrorOf } from "../../src/extensions/mirror";
import { quoteOf } from "../../src/features/discussion/quotes";
import { wordsAt } from "../../src/features/discussion/useDraft";
import { translate } from "../../src/features/suggesting/translate";
import { type Person, person, seesAll, sync } from "../page/editors";

const BLOCKS: Readonly<Record<string, JSONContent["attrs"]>> = {
  image: { src: `/api/documents/${"d".repeat(22)}/attachments/${"a".repeat(64)}`, alt: "A cat" },
  horizontalRule: {},
  blockMath: { latex: "x^2" },
  pageBreak: {},
};
const IN_LINES: Readonly<Record<string, JSONContent["attrs"]>> = {
  inlineMath: { latex: "x" },
  mention: { id: "u1", label: "Carl" },
};

const line = (...content: readonly (string | JSONContent)[]): JSONContent => ({
  type: "paragraph",
  content: content.map((each) => (typeof each === "string" ? { type: "text", text: each } : each)),
});

const doc = (...content: JSONContent[]): JSONContent => ({ type: "doc", content });

const KINDS = [
  ...Object.entries(BLOCKS).map(([name, attrs = {}]) => ({
    name,
    content: doc(line("first"), line("Oh brave"), { type: name, attrs }, line("new world"), line("last")),
  })),
  ...Object.entries(IN_LINES).map(([name, attrs = {}]) => ({
    name,
    content: doc(line("first"), line("Oh brave ", { type: name, attrs }, " new world"), line("last")),
  })),
];

interface Story {
  readonly name: string;
  readonly ann: Person;
  readonly ben: Person;
}

function begun(name: string, content: JSONContent): Story {
  const [ann, ben] = [person(1), person(2)];
  ann.editor.commands.setContent(content);
  sync(ann, ben);
  comments(ann, name, "t1");
  sync(ann, ben);
  return { name, ann, ben };
}

function objectsOf({ editor }: Person, name: string): readonly number[] {
  const found: number[] = [];
  editor.state.doc.descendants((node, at) => {
    if (node.type.name === name) found.push(at);
  });
  return found;
}

const placeOf = (who: Person, name: string) => objectsOf(who, name)[0] ?? -1;

function comments(who: Person, name: string, id: string, isRemoved = false): number {
  const from = placeOf(who, name);
  const mark = who.editor.schema.mark("comment", { id, user: "ann" });
  const marked = annotate(who.editor.state, { from, to: from + 1, mark, isRemoved });
  seesAll(who);
  return marked;
}

function select(who: Person, name: string) {
  const { state, view } = who.editor;
  view.dispatch(state.tr.setSelection(NodeSelection.create(state.doc, placeOf(who, name))));
  return who.editor;
}

function puts({ editor }: Person, way: "cut" | "copy"): Slice {
  const { view, state } = editor;
  const { slice } = view.serializeForClipboard(state.selection.content());
  if (way === "cut") view.dispatch(state.tr.deleteSelection().setMeta("uiEvent", "cut"));
  return slice;
}

function pastesAtEnd({ editor }: Person, slice: Slice): void {
  editor.commands.setTextSelection(editor.state.doc.content.size - 1);
  editor.view.pasteHTML(editor.view.serializeForClipboard(slice).dom.innerHTML);
}

/** The kinds of what carries a thread, one after the other. */
function carriers({ editor }: Person, id = "t1"): readonly string[] {
  return piecesOf(editor.state, id).map(({ from }) => String(editor.state.doc.nodeAt(from)?.type.name));
}

function at({ editor }: Person, words: string): number {
  let found = -1;
  editor.state.doc.descendants((node, start) => {
    const index = node.isText ? (node.text ?? "").indexOf(words) : -1;
    if (index >= 0) found = start + index;
  });
  return found;
}

const ATTRIBUTES: Readonly<Record<string, readonly [string, unknown]>> = {
  image: ["caption", "A caption"],
  inlineMath: ["latex", "y"],
  blockMath: ["latex", "y"],
  mention: ["label", "Karl"],
};

const OPERATIONS: Readonly<Record<string, (story: Story) => unknown>> = {
  "words before": ({ ann }) => ann.editor.commands.insertContentAt(at(ann, "Oh"), "X"),
  "words beside": ({ ann }) => ann.editor.commands.insertContentAt(at(ann, "brave") + 5, "X"),
  "words behind": ({ ann }) => ann.editor.commands.insertContentAt(at(ann, "new"), "X"),
  "an attribute": ({ ann, name }) => {
    const [attribute, value] = ATTRIBUTES[name] ?? ["dir", "rtl"];
    const { state, view } = ann.editor;
    if (attribute in (state.doc.nodeAt(placeOf(ann, name))?.attrs ?? {}))
      view.dispatch(state.tr.setNodeAttribute(placeOf(ann, name), attribute, value));
  },
  "bold over all": ({ ann }) => ann.editor.chain().selectAll().setBold().run(),
  "a line before": ({ ann }) => ann.editor.chain().setTextSelection(at(ann, "Oh")).splitBlock().run(),
  "a split, taken back": ({ ann }) => {
    ann.editor.chain().setTextSelection(at(ann, "brave")).splitBlock().run();
    ann.editor.commands.joinBackward();
  },
  "a heading": ({ ann }) => ann.editor.chain().setTextSelection(at(ann, "Oh")).setHeading({ level: 2 }).run(),
  "a list": ({ ann }) => ann.editor.chain().selectAll().toggleBulletList().run(),
  "a quote": ({ ann }) => ann.editor.chain().selectAll().toggleBlockquote().run(),
  "a quote, and out of it": ({ ann }) => {
    ann.editor.chain().selectAll().toggleBlockquote().run();
    ann.editor.chain().selectAll().toggleBlockquote().run();
  },
  "joined to the line above": ({ ann }) =>
    ann.editor.chain().setTextSelection(at(ann, "Oh")).joinBackward().run(),
  "deleted, undone": ({ ann, name }) => {
    select(ann, name).commands.deleteSelection();
    ann.editor.commands.undo();
  },
  "the block deleted, undone": ({ ann, name }) => {
    select(ann, name).commands.deleteBlocks();
    ann.editor.commands.undo();
  },
  "a heading, undone": ({ ann }) => {
    ann.editor.chain().setTextSelection(at(ann, "Oh")).setHeading({ level: 2 }).run();
    ann.editor.commands.undo();
  },
  "the block moved": ({ ann, name }) => select(ann, name).commands.moveBlocks("down"),
  "cut and pasted": ({ ann, name }) => {
    select(ann, name);
    pastesAtEnd(ann, puts(ann, "cut"));
  },
  "copied and pasted": ({ ann, name }) => {
    select(ann, name);
    pastesAtEnd(ann, puts(ann, "copy"));
  },
  "the block doubled": ({ ann, name }) => select(ann, name).commands.duplicateBlocks(),
};

describe.each(KINDS)("a comment on: $name", ({ name, content }) => {
  test.each(Object.entries(OPERATIONS))("stays after %s", (_operation, act) => {
    const { ann, ben } = begun(name, content);
    expect(carriers(ben)).toEqual([name]);
    act({ name, ann, ben });
    // Meanwhile somebody else comments on the same object, and types.
    comments(ben, name, "t2");
    ben.editor.commands.insertContentAt(at(ben, "last"), "B");
    sync(ann, ben);
    expect([carriers(ann), carriers(ben)]).toEqual([[name], [name]]);
    expect(carriers(ann, "t2")).toEqual(carriers(ben, "t2"));
    expect(ann.editor.getJSON()).toEqual(ben.editor.getJSON());
  });

  test("is put beside another's and taken away again", () => {
    const { ann, ben } = begun(name, content);
    expect([comments(ann, name, "t2"), comments(ben, name, "t3")]).toEqual([1, 1]);
    sync(ann, ben);
    for (const id of ["t1", "t2", "t3"]) expect(carriers(ann, id)).toEqual([name]);
    expect(comments(ben, name, "t1", true)).toBe(1);
    sync(ann, ben);
    expect(["t1", "t2", "t3"].map((id) => carriers(ann, id).length)).toEqual([0, 1, 1]);
    expect(foreignContent(ann.doc.getXmlFragment(FRAGMENT), ann.editor.schema)).toEqual([]);
  });

  test("is found by its place, looks as its thread does, and has words for a quote", () => {
    const { ann } = begun(name, content);
    const { state, view, storage } = select(ann, name);
    const place = placeOf(ann, name);
    expect(anchorsIn(state)).toEqual(new Map([["t1", place]]));
    expect([threadsAt(state, place), threadsAt(state, place + 1)]).toEqual([["t1"], ["t1"]]);
    expect(wordsAt(ann.editor)).toEqual([{ from: place, to: place + 1 }]);
    expect(quoteOf(state.doc, { from: place, to: place + 1 }).quote).not.toBe("");
    storage.comment.looks.show(new Map([["t1", "active"]]));
    expect(view.dom.querySelectorAll('[data-look="active"]').length).toBe(1);
    ann.editor.commands.insertContentAt(at(ann, "first"), "X");
    storage.comment.looks.show(new Map([["t1", "open"]]));
    expect(view.nodeDOM(placeOf(ann, name))).toHaveProperty("dataset.look", "open");
    comments(ann, name, "t1", true);
    expect(view.dom.querySelectorAll("[data-look]").length).toBe(0);
  });

  test("is made by somebody who sees a copy of the document", () => {
    const { ann, ben } = begun(name, content);
    const reader = person(3, mirrorOf(ann.doc).doc);
    const from = placeOf(reader, name);
    const mark = reader.editor.schema.mark("comment", { id: "t3", user: "carl" });
    annotate(reader.editor.state, { from, to: from + 1, mark, doc: ann.doc });
    sync(ann, ben);
    seesAll(reader);
    expect([ann, ben, reader].map((who) => carriers(who, "t3"))).toEqual([[name], [name], [name]]);
  });

  test("stays with the object when somebody suggests a copy of it", () => {
    const { ann, ben } = begun(name, content);
    const visitor = person(4, new Y.Doc(), () => ({ user: "dora", translate, refuse: () => undefined }));
    sync(ann, ben, visitor);
    select(visitor, name);
    const copied = puts(visitor, "copy");
    pastesAtEnd(visitor, copied);
    sync(ann, ben, visitor);
    expect(objectsOf(ann, name)).toHaveLength(2);
    expect(carriers(ann)).toEqual([name]);
    expect(ySyncPluginKey.getState(ann.editor.state)?.doc.store.pendingStructs).toBeNull();
  });
});

test("words and a picture between them are marked together", () => {
  const ann = person(1);
  const [{ content = {} } = {}] = KINDS;
  ann.editor.commands.setContent(content);
  const [from, to] = [at(ann, "brave"), at(ann, "world")];
  const mark = ann.editor.schema.mark("comment", { id: "t1", user: "ann" });
  expect(annotate(ann.editor.state, { from, to, mark })).toBe("brave".length + 1 + "new ".length);
  seesAll(ann);
  expect(carriers(ann)).toEqual(["text", "image", "text"]);
});
