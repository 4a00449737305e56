/** What a change costs, and what happens when something cannot be shown. */

import type { Node } from "prosemirror-model";
import { Plugin, TextSelection } from "prosemirror-state";
import type { EditorView } from "prosemirror-view";
import { expect, test } from "vitest";
import * as Y from "yjs";
import { differenceOf } from "../src/difference.js";
import { goesOn, prosemirrorToYXmlFragment, undo, yXmlFragmentToProseMirrorRootNode } from "../src/index.js";
import { bindingOf, book, bound, changesOf, copyOf, line, nextFrame, schema, textAt } from "./views.js";

const LINES = 3_000;

test("a remote key makes the nodes of its line anew and no other", () => {
  const far = book(LINES);
  const near = bound(copyOf(far));
  const before = near.view.state.doc;
  const { made } = bindingOf(near);
  const changes = changesOf(far);
  textAt({ doc: far }, 1_500).insert(4, "!");
  for (const change of changes) Y.applyUpdate(near.doc, change);
  const after = near.view.state.doc;
  expect(after.child(1_500).textContent).toBe("Line! 1500 of a book.");
  // The text, its line and the document.
  expect(bindingOf(near).made - made).toBe(3);
  const kept = Array.from({ length: LINES }, (_, at) => before.child(at) === after.child(at));
  expect(kept.filter((isKept) => !isKept)).toHaveLength(1);
});

test.each([0, 1])(
  "a remote key goes into its own one of two lines that are one node in the editor: %i",
  (at) => {
    const near = bound(book(2));
    const { tr, doc } = near.view.state;
    near.view.dispatch(tr.insert(0, doc.child(0)));
    expect(near.view.state.doc.child(0)).toBe(near.view.state.doc.child(1));
    const far = copyOf(near.doc);
    textAt({ doc: far }, at).insert(0, "> ");
    Y.applyUpdate(near.doc, Y.encodeStateAsUpdate(far));
    const words = near.view.state.doc.content.content.map(({ textContent }) => textContent);
    expect(words).toEqual(
      ["Line 0 of a book.", "Line 0 of a book.", "Line 1 of a book."].with(at, "> Line 0 of a book."),
    );
  },
);

test("keys in lines within others, and in what holds them, are all shown", async () => {
  const quote = new Y.XmlElement("quote");
  quote.insert(0, [line("one"), line("two")]);
  const far = book(3);
  far.getXmlFragment("default").insert(1, [quote]);
  const near = bound(copyOf(far));
  const shows = async (...expected: readonly string[]) => {
    Y.applyUpdate(near.doc, Y.encodeStateAsUpdate(far));
    await nextFrame();
    expect(near.view.state.doc.textBetween(0, near.view.state.doc.content.size, "|").split("|")).toEqual(
      expected,
    );
  };
  const lineIn = (at: number) => (quote.get(at) as Y.XmlElement).get(0) as Y.XmlText;
  lineIn(1).insert(3, "!");
  await shows("Line 0 of a book.", "one", "two!", "Line 1 of a book.", "Line 2 of a book.");
  far.transact(() => {
    lineIn(0).insert(3, "?");
    quote.insert(1, [line("new")]);
    lineIn(2).delete(0, 2);
    textAt({ doc: far }, 2).delete(0, 5);
  });
  await shows("Line 0 of a book.", "one?", "new", "o!", "1 of a book.", "Line 2 of a book.");
  far.transact(() => {
    lineIn(0).insert(0, "x");
    far.getXmlFragment("default").delete(0, 1);
    far.getXmlFragment("default").push([line("end")]);
  });
  await shows("xone?", "new", "o!", "1 of a book.", "Line 2 of a book.", "end");
});

test("a line that comes makes itself anew, and a line that goes makes nothing", () => {
  const far = book(LINES);
  const near = bound(copyOf(far));
  const { made } = bindingOf(near);
  const root = far.getXmlFragment("default");
  const changes = changesOf(far);
  root.insert(10, [line("New.")]);
  root.delete(20, 1);
  for (const change of changes) Y.applyUpdate(near.doc, change);
  bindingOf(near).flush();
  expect(near.view.state.doc.childCount).toBe(LINES);
  expect(bindingOf(near).made - made).toBe(4);
});

test("one's own key makes no node, and writes one letter", () => {
  const near = bound(book(LINES));
  const { made } = bindingOf(near);
  const changes = changesOf(near.doc);
  near.view.dispatch(near.view.state.tr.insertText("x", 2));
  expect(bindingOf(near).made).toBe(made);
  expect(changes.map(({ length }) => length < 40)).toEqual([true]);
  expect(textAt(near, 0).toString()).toBe("Lxine 0 of a book.");
});

test("one's own key after a remote one in another line reads that line no more", () => {
  const far = book(LINES);
  const near = bound(copyOf(far));
  textAt({ doc: far }, 1_500).insert(4, "!");
  Y.applyUpdate(near.doc, Y.encodeStateAsUpdate(far));
  const { made } = bindingOf(near);
  const changes = changesOf(near.doc);
  near.view.dispatch(near.view.state.tr.insertText("x", 2));
  expect(bindingOf(near).made).toBe(made);
  expect(changes).toHaveLength(1);
});

test("remote changes are shown at once, and then once per frame", async () => {
  const far = book(10);
  let shown = 0;
  const counting = new Plugin({ state: { init: () => 0, apply: () => (shown += 1) } });
  const near = bound(copyOf(far), { plugins: [counting] });
  await nextFrame();
  shown = 0;
  far.on("update", (update: Uint8Array) => Y.applyUpdate(near.doc, update));
  for (const letter of "abcde") textAt({ doc: far }, 5).insert(0, letter);
  expect(shown).toBe(1);
  expect(near.view.state.doc.child(5).textContent).toMatch(/^aLine/);
  await nextFrame();
  expect(shown).toBe(2);
  expect(near.view.state.doc.child(5).textContent).toMatch(/^edcbaLine/);
});

test("what the schema lacks is not shown, and stays in the document whatever is written beside it", () => {
  const doc = book(3);
  const root = doc.getXmlFragment("default");
  const poll = line("Yes or no?", "poll");
  root.insert(1, [poll]);
  (root.get(0) as Y.XmlElement).setAttribute("mood", "good");
  const errors: unknown[] = [];
  const near = bound(doc, { onError: (error) => errors.push(error) });
  expect(near.view.state.doc.childCount).toBe(3);
  expect(String(errors[0])).toContain("poll");
  near.view.dispatch(near.view.state.tr.insertText("x", 1).split(5));
  near.view.dispatch(near.view.state.tr.delete(0, near.view.state.doc.child(0).nodeSize));
  near.view.dispatch(near.view.state.tr.insertText("end", near.view.state.doc.content.size - 1));
  expect(root.toString()).toContain("<poll>Yes or no?</poll>");
});

test("an attribute that the schema lacks outlives an edit of its element", () => {
  const doc = book(1);
  const element = doc.getXmlFragment("default").get(0) as Y.XmlElement;
  element.setAttribute("mood", "good");
  const near = bound(doc);
  near.view.dispatch(near.view.state.tr.insertText("x", 1));
  expect(element.getAttribute("mood")).toBe("good");
});

test("an editor that threw while a change was shown is filled anew, and says so", () => {
  const far = book(3);
  let isThrowing = false;
  const failing = new Plugin({
    state: {
      init: () => null,
      apply: (transaction) => {
        if (!isThrowing || !transaction.docChanged) return null;
        isThrowing = false;
        throw new RangeError("Position 7 out of range");
      },
    },
  });
  const errors: unknown[] = [];
  const near = bound(copyOf(far), { plugins: [failing], onError: (error) => errors.push(error) });
  isThrowing = true;
  textAt({ doc: far }, 1).insert(0, "Whole. ");
  expect(() => Y.applyUpdate(near.doc, Y.encodeStateAsUpdate(far))).not.toThrow();
  expect(errors.map(String)).toEqual(["RangeError: Position 7 out of range"]);
  expect(near.view.state.doc.child(1).textContent).toBe("Whole. Line 1 of a book.");
  near.view.dispatch(near.view.state.tr.insertText("x", 1));
  expect(textAt(near, 0).toString()).toBe("xLine 0 of a book.");
});

test("an editor that cannot be filled writes nothing over the document", () => {
  const far = book(2);
  let isThrowing = false;
  const failing = new Plugin({
    filterTransaction: (transaction) => {
      if (isThrowing && transaction.docChanged) throw new Error("always");
      return true;
    },
  });
  const near = bound(copyOf(far), { plugins: [failing], onError: () => undefined });
  isThrowing = true;
  textAt({ doc: far }, 1).insert(0, "Kept. ");
  Y.applyUpdate(near.doc, Y.encodeStateAsUpdate(far));
  isThrowing = false;
  near.view.dispatch(near.view.state.tr.insertText("x", 1));
  expect(textAt(near, 1).toString()).toBe("Kept. Line 1 of a book.");
});

test("a document comes back from a fragment as it was", () => {
  const doc = schema.node("doc", null, [
    schema.node("heading", { level: 2 }, [schema.text("Title")]),
    schema.node("quote", null, [
      schema.node("paragraph", null, [
        schema.text("one "),
        schema.text("two", [schema.mark("strong"), schema.mark("comment", { id: "a" })]),
        schema.node("break"),
        schema.text("three", [schema.mark("comment", { id: "a" }), schema.mark("comment", { id: "b" })]),
      ]),
      schema.node("paragraph"),
    ]),
  ]);
  const fragment = prosemirrorToYXmlFragment(doc, new Y.Doc().getXmlFragment("default"));
  expect(yXmlFragmentToProseMirrorRootNode(fragment, schema).toJSON()).toEqual(doc.toJSON());
});

test("marks that are put and taken leave the letters where they are", () => {
  const near = bound(book(1));
  const text = textAt(near, 0);
  const strong = schema.marks.strong;
  if (!strong) throw new Error("no such mark");
  near.view.dispatch(near.view.state.tr.addMark(1, 5, strong.create()));
  expect(text.toDelta()).toEqual([
    { insert: "Line", attributes: { strong: {} } },
    { insert: " 0 of a book." },
  ]);
  near.view.dispatch(near.view.state.tr.insertText("s", 5));
  near.view.dispatch(near.view.state.tr.removeMark(2, 4, strong));
  expect(text.toDelta()).toEqual([
    { insert: "L", attributes: { strong: {} } },
    { insert: "in" },
    { insert: "es", attributes: { strong: {} } },
    { insert: " 0 of a book." },
  ]);
  expect(textAt(near, 0)).toBe(text);
});

test("annotated words go whole, also where their neighbours look the same", () => {
  const near = bound(book(1));
  const text = textAt(near, 0);
  text.delete(0, text.length);
  text.insert(0, "beta ");
  text.insert(5, "gamma ", { "comment--abcdefgh": { id: "one" } });
  text.insert(11, "delta", { "comment--abcdefgh": null });
  bindingOf(near).flush();
  const far = copyOf(near.doc);
  near.view.dispatch(near.view.state.tr.delete(6, 12));
  textAt({ doc: far }, 0).insert(4, "!");
  Y.applyUpdate(near.doc, Y.encodeStateAsUpdate(far));
  expect(text.toString()).toBe("beta! delta");
});

test("the element of a node is kept for the one in which it goes on, whatever the words are", () => {
  const near = bound(book(2));
  const [first, second] = [textAt(near, 0), textAt(near, 1)];
  const { state } = near.view;
  const [made, other] = ["Line 1 of a book.", "Line 0, and Line 1 of a book."].map((words) =>
    schema.node("paragraph", null, schema.text(words)),
  ) as [Node, Node];
  goesOn(made, null);
  goesOn(other, state.doc.child(0));
  near.view.dispatch(state.tr.replaceWith(0, state.doc.content.size, [made, other]));
  expect(textAt(near, 1)).toBe(first);
  expect(second._item?.deleted).toBe(true);
  expect(near.view.state.doc.textContent).toBe(
    near.fragment
      .toArray()
      .map((line) => (line as Y.XmlElement).get(0).toString())
      .join(""),
  );
});

test("undo puts the caret back where the step began", () => {
  const near = bound(book(3));
  const { view } = near;
  const at = view.state.doc.child(0).nodeSize + 5;
  view.dispatch(view.state.tr.setSelection(TextSelection.create(view.state.doc, at)));
  view.dispatch(view.state.tr.setBlockType(at, at, schema.nodes.heading));
  undo(view.state);
  expect(view.state.selection.head).toBe(at);
  expect(view.state.doc.child(1).type.name).toBe("paragraph");
});

test.each<[string, (root: Y.XmlFragment) => void]>([
  ["an empty document", () => {}],
  ["an empty line", (root) => root.insert(0, [new Y.XmlElement("paragraph")])],
  ["a line with an empty text", (root) => root.insert(0, [line("")])],
])("a caret in %s stays at its start while somebody else writes a word in pieces", (_place, prepare) => {
  const far = new Y.Doc();
  prepare(far.getXmlFragment("default"));
  const [near, typist] = [bound(copyOf(far)), bound(copyOf(far))];
  near.view.dispatch(near.view.state.tr.setSelection(TextSelection.create(near.view.state.doc, 1)));
  for (const [at, letters] of ["fi", "rs", "t"].entries()) {
    typist.view.dispatch(typist.view.state.tr.insertText(letters, 1 + 2 * at));
    Y.applyUpdate(near.doc, Y.encodeStateAsUpdate(typist.doc));
    bindingOf(near).flush();
    expect(near.view.state.selection.head).toBe(1);
  }
  expect(near.view.state.doc.textContent).toBe("first");
});

test("what another editor of the same document undoes leaves one's own caret where it is", () => {
  const doc = book(3);
  const [one, other] = [bound(doc), bound(doc)];
  const { state } = other.view;
  other.view.dispatch(state.tr.setSelection(TextSelection.create(state.doc, 8)));
  one.view.dispatch(one.view.state.tr.insertText("end", one.view.state.doc.content.size - 1));
  undo(one.view.state);
  expect(other.view.state.selection.head).toBe(8);
  expect(other.view.state.doc.eq(one.view.state.doc)).toBe(true);
});

test("a change that a plugin makes in answer to a shown one is shown, too", async () => {
  const far = book(3);
  const near = bound(copyOf(far));
  const answering = (events: readonly unknown[], transaction: Y.Transaction) => {
    if (transaction.origin === "far" && events.length > 0) textAt(near, 0).insert(0, "Answer. ");
  };
  near.fragment.observeDeep(answering);
  textAt({ doc: far }, 2).insert(0, "Question. ");
  Y.applyUpdate(near.doc, Y.encodeStateAsUpdate(far), "far");
  await nextFrame();
  expect(near.view.state.doc.child(0).textContent).toBe("Answer. Line 0 of a book.");
  expect(near.view.state.doc.child(2).textContent).toBe("Question. Line 2 of a book.");
});

test.each([
  ["all", "alll", 3, { index: 2, removed: 0, inserted: "l" }],
  ["all", "alll", 2, { index: 1, removed: 0, inserted: "l" }],
  ["all", "al", 1, { index: 1, removed: 1, inserted: "" }],
  ["a😀b", "a😁b", undefined, { index: 1, removed: 2, inserted: "😁" }],
  ["same", "same", undefined, { index: 4, removed: 0, inserted: "" }],
  ["one two", "one 2 two", 6, { index: 4, removed: 0, inserted: "2 " }],
])("the difference of %s and %s with the caret at %s", (before, after, caret, expected) => {
  expect(differenceOf(before, after, caret)).toEqual(expected);
});

test.each([
  ["half of a letter", (view: EditorView) => view.state.tr.insertText("x", 2)],
  [
    "two halves with other marks",
    ({ state: { tr } }: EditorView) =>
      tr.replaceWith(3, 4, [schema.text("\ud83d", [schema.mark("strong")]), schema.text("\ude42")]),
  ],
  ["a letter whose half is deleted", (view: EditorView) => view.state.tr.delete(2, 3)],
  ["marks of one kind in the order in which they came", (view: EditorView) => commented(view, "b", "a")],
  ["a mark on what is no word", (view: EditorView) => view.state.tr.addMark(1, 6, schema.mark("strong"))],
] as const)(
  "the author sees as everybody else what the document keeps in another form: %s",
  (_what, deed) => {
    const doc = new Y.Doc();
    const words = line("😀ab");
    words.insert(1, [new Y.XmlElement("break")]);
    doc.getXmlFragment("default").insert(0, [words]);
    const near = bound(doc);
    near.view.dispatch(deed(near.view));
    const far = bound(copyOf(doc));
    expect(near.view.state.doc.toJSON()).toEqual(far.view.state.doc.toJSON());
    expect(near.view.state.selection.head).toBeLessThanOrEqual(near.view.state.doc.content.size);
  },
);

function commented({ state }: EditorView, ...ids: readonly string[]) {
  return ids.reduce((tr, id) => tr.addMark(3, 5, schema.mark("comment", { id })), state.tr);
}

test("a word that is being composed is shown in another form when it is done", async () => {
  const near = bound(book(1));
  const { view } = near;
  view.dispatch(commented(view, "b"));
  view.dom.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
  view.dispatch(commented(view, "a").setMeta("composition", 1));
  const idsIn = () =>
    view.state.doc
      .child(0)
      .child(1)
      .marks.map(({ attrs }) => String(attrs.id));
  expect(idsIn()).toEqual(["b", "a"]);
  view.dom.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true }));
  await expect.poll(idsIn).toEqual(["a", "b"]);
});
