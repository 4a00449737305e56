/** Instruments for blocks and selected words: what they do, and that nothing is offered that does not work. */

import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import type { Editor } from "@tiptap/core";
import { NodeSelection } from "@tiptap/pm/state";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { element, words, written } from "./editors";
import { openDocument } from "./openDocument";

let sheet: HTMLElement & { readonly editor?: Editor };

beforeEach(async () => {
  localStorage.clear();
  const doc = written((fragment) =>
    fragment.insert(0, [
      element("paragraph", [words("one")]),
      element("paragraph", [words("two")]),
      element("horizontalRule", []),
      element("codeBlock", [words("code")]),
    ]),
  );
  openDocument({ doc });
  sheet = await screen.findByRole("textbox", { name: "Document" });
});

afterEach(cleanup);

function editor(): Editor {
  if (!sheet.editor) throw new Error("The sheet has no editor");
  return sheet.editor;
}

const shape = () => editor().state.doc.children.map((node) => node.textContent || node.type.name);
const put = (from: number, to = from) => act(() => editor().commands.setTextSelection({ from, to }));
const open = (name: string) => fireEvent.keyDown(screen.getByRole("button", { name }), { key: "Enter" });
async function choose(name: string): Promise<void> {
  fireEvent.click(await screen.findByRole("menuitem", { name: new RegExp(`^${name}`) }));
  await waitFor(() => expect(screen.queryByRole("menu")).toBeNull());
}
const isOffered = (name: string) => !screen.getByRole<HTMLButtonElement>("button", { name }).disabled;

test("the toolbar's menu moves, doubles and deletes the block with the cursor", async () => {
  put(2);
  open("This block");
  await choose("Move down");
  expect(shape()).toEqual(["two", "one", "horizontalRule", "code"]);
  open("This block");
  await choose("Duplicate");
  expect(shape()).toEqual(["two", "one", "one", "horizontalRule", "code"]);
  open("This block");
  await choose("Delete");
  expect(shape()).toEqual(["two", "one", "horizontalRule", "code"]);
});

test("a menu stays open that is opened before the text has the focus back from the one before", async () => {
  const frames: FrameRequestCallback[] = [];
  vi.spyOn(window, "requestAnimationFrame").mockImplementation((frame) => frames.push(frame));
  put(2);
  open("This block");
  await choose("Duplicate");
  open("This block");
  await screen.findByRole("menu");
  act(() => {
    for (const frame of frames.splice(0)) frame(0);
  });
  vi.restoreAllMocks();
  expect(screen.queryByRole("menu")).not.toBeNull();
  await choose("Delete");
  expect(shape()).toEqual(["one", "two", "horizontalRule", "code"]);
});

test("the toolbar's menu inserts what “/” does", async () => {
  put(2);
  open("Insert");
  await choose("Warning");
  expect(editor().getHTML()).toContain('data-kind="warning"');
  expect(editor().isActive("callout", { kind: "warning" })).toBe(true);
});

test("what a line, a rule or code cannot have is not offered there", () => {
  put(2);
  expect(["Bold", "Align centre", "Increase indent", "Quote"].map(isOffered)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(isOffered("Decrease indent")).toBe(false);
  act(() => {
    const { state, view } = editor();
    view.dispatch(state.tr.setSelection(NodeSelection.create(state.doc, 10)));
  });
  const forWords = ["Bold", "Align centre", "Increase indent", "Quote", "Write from right to left"];
  expect(forWords.map(isOffered)).toEqual([false, false, false, false, false]);
  put(13);
  expect(["Bold", "Superscript", "Align centre", "Increase indent"].map(isOffered)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test("selected words have a bubble with marks, a cursor and code have none", () => {
  fireEvent.focusIn(sheet);
  // Hidden here, where nothing has a place on the screen.
  const bubble = () => screen.queryByRole("toolbar", { name: "Selected words", hidden: true });
  put(2);
  expect(bubble()).toBeNull();
  put(1, 4);
  expect(bubble()).not.toBeNull();
  put(13, 16);
  expect(bubble()).toBeNull();
});

test("font, size and spacing of what is selected are chosen, shown, and taken back", () => {
  put(1, 4);
  fireEvent.click(screen.getByRole("button", { name: "Font, size and spacing" }));
  const change = (name: string, value: string) =>
    fireEvent.change(screen.getByRole("combobox", { name }), { target: { value } });
  change("Font", "Georgia, serif");
  change("Size", "24pt");
  change("Line spacing", "1.5");
  expect(editor().getHTML()).toContain(
    '<p style="line-height: 1.5;"><span style="font-family: Georgia, serif; font-size: 24pt;">one</span></p>',
  );
  change("Font", "");
  change("Size", "");
  change("Line spacing", "");
  expect(editor().getHTML()).toContain("<p>one</p>");
});

test("a title is followed by plain text, and clearing the formatting makes plain text of it", () => {
  put(4);
  act(() =>
    editor().chain().setNode("paragraph", { look: "title" }).splitBlock().insertContent("next").run(),
  );
  expect(
    editor()
      .state.doc.children.map(({ attrs }) => attrs.look ?? null)
      .slice(0, 2),
  ).toEqual(["title", null]);
  put(2);
  expect(screen.getByRole("button", { name: "Paragraph style: Title" })).toBeDefined();
  fireEvent.click(screen.getByRole("button", { name: "Clear formatting" }));
  expect(editor().state.doc.child(0).attrs.look).toBeNull();
});
