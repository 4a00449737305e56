/** A person at the page who suggests, decides, and looks at the document with and without suggestions. */

import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import type { Editor } from "@tiptap/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { element, words, written } from "../page/editors";
import { known, openDocument } from "../page/openDocument";

beforeEach(() => localStorage.clear());
afterEach(cleanup);

const TABLE = [element("table", [element("tableRow", [cell("a"), cell("b")])])];

function cell(text: string) {
  return element("tableCell", [element("paragraph", [words(text)])]);
}

async function opened(children = [element("paragraph", [words("Hello world")])]) {
  const doc = written((fragment) => fragment.insert(0, children));
  openDocument({ doc, who: await known() });
  return sheet();
}

async function sheet() {
  const found = await screen.findByRole("textbox", { name: /^Document/ });
  return { found, editor: (found as HTMLElement & { editor: Editor }).editor };
}

async function choose(item: string): Promise<void> {
  fireEvent.keyDown(screen.getByRole("button", { name: /^Mode: / }), { key: "Enter" });
  fireEvent.click(await screen.findByRole("menuitemradio", { name: item }));
}

/** The code of the mode comes when the mode is chosen first. */
async function suggests(editor: Editor, text: string): Promise<void> {
  await waitFor(() => {
    act(() => editor.view.dispatch(editor.state.tr.insertText(text, 6)));
    expect(editor.getHTML()).toContain("<ins");
  });
}

test("what is typed in suggesting mode is a suggestion, which is decided on its card", async () => {
  const { editor } = await opened();
  await choose("Suggesting");
  await suggests(editor, " new");
  expect(editor.getText()).toBe("Hello new world");

  const card = await screen.findByRole("article", { name: "Suggestion by Ann" });
  expect(card.textContent).toContain("Add: “ new”");
  fireEvent.click(screen.getByRole("button", { name: "Accept the suggestion" }));
  expect(editor.getHTML()).not.toContain("<ins");
  act(() => void editor.commands.undo());
  expect(editor.getHTML()).toContain("<ins");
  fireEvent.click(await screen.findByRole("button", { name: "Withdraw the suggestion" }));
  expect(editor.getText()).toBe("Hello world");
});

test("the document is shown as if all were accepted, and without suggestions, and the mode is kept", async () => {
  const { editor } = await opened();
  await choose("Suggesting");
  await suggests(editor, " new");
  await choose("Without suggestions");
  await waitFor(async () => expect((await sheet()).found.textContent).toBe("Hello world"));
  await choose("As if all were accepted");
  await waitFor(async () => expect((await sheet()).found.innerHTML).toContain("Hello new world"));
  cleanup();
  await opened();
  expect(screen.getByRole("button", { name: "Mode: Suggesting" })).toBeTruthy();
});

test("what cannot be suggested is refused in a sentence, and not done", async () => {
  const { editor } = await opened(TABLE);
  await choose("Suggesting");
  await waitFor(() => {
    act(() => void editor.chain().setTextSelection(4).addRowAfter().run());
    expect(screen.queryAllByText(/^Rows, columns and cells cannot be suggested yet/).length).toBeGreaterThan(
      0,
    );
  });
  expect(editor.getHTML().match(/<tr/g)?.length).toBe(1);
});

test("a copy has no suggestions in it", async () => {
  const { editor } = await opened();
  await choose("Suggesting");
  await suggests(editor, " new");
  act(() => void editor.chain().selectAll().run());
  const { dom, text } = editor.view.serializeForClipboard(editor.state.selection.content());
  expect(dom.innerHTML).not.toContain("<ins");
  expect(text).toBe("Hello new world");
});
