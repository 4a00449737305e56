/** The search as a person uses it at the page. */

import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import type { Editor } from "@tiptap/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { element, words, written } from "./editors";
import { openDocument } from "./openDocument";

beforeEach(() => localStorage.clear());
afterEach(cleanup);

const LINES = ["tea for two", "tea", "coffee"];
const text = () =>
  written((root) =>
    root.insert(
      0,
      LINES.map((line) => element("paragraph", [words(line)])),
    ),
  );

async function opened(role: "editor" | "viewer" = "editor"): Promise<Editor> {
  openDocument({ doc: text(), state: { role } });
  const sheet = await screen.findByRole("textbox", { name: /^Document/ });
  return (sheet as HTMLElement & { readonly editor: Editor }).editor;
}

const press = (
  key: string,
  on: EventTarget = document.activeElement ?? window,
  how: object = { ctrlKey: true },
) => fireEvent.keyDown(on as Element, { key, ...how });
const field = () => screen.findByLabelText<HTMLInputElement>("Find");
const status = (sentence: string) =>
  waitFor(() => expect(screen.getAllByText(sentence).length).toBeGreaterThan(0));
const type = async (sought: string) => fireEvent.change(await field(), { target: { value: sought } });

test("Ctrl+F finds, Enter goes on, and Escape leads to the hit in the text", async () => {
  const editor = await opened();
  expect(press("f", window)).toBe(false);
  await waitFor(async () => expect(document.activeElement).toBe(await field()));
  await type("tea");
  await status("1 of 2");
  press("Enter", await field(), {});
  await status("2 of 2");
  press("F3", window, { shiftKey: true });
  await status("1 of 2");
  press("F3", window, {});
  expect(press("f", await field()), "the browser's own search comes second").toBe(true);
  press("Escape", await field(), {});
  expect(screen.queryByRole("search")).toBeNull();
  const { from, to } = editor.state.selection;
  expect([from, editor.state.doc.textBetween(from, to)]).toEqual([14, "tea"]);
});

test("what is selected is looked for, and the options narrow it down", async () => {
  const editor = await opened();
  act(() => void editor.commands.setTextSelection({ from: 23, to: 24 }));
  press("f", window);
  await waitFor(async () => expect((await field()).value).toBe("e"));
  await type("TEA");
  await status("1 of 2");
  fireEvent.click(screen.getByRole("button", { name: "Match capital letters" }));
  await status("No hits");
});

test("an expression that cannot be read is explained", async () => {
  await opened();
  press("f", window);
  await type("(");
  fireEvent.click(screen.getByRole("button", { name: "Regular expression" }));
  expect(await screen.findByText(/^This expression cannot be read: /)).toBeTruthy();
  expect((await field()).getAttribute("aria-invalid")).toBe("true");
});

test("Ctrl+H replaces one hit or all", async () => {
  const editor = await opened();
  press("h", window);
  await type("tea");
  const words = await screen.findByLabelText("Replace with");
  fireEvent.change(words, { target: { value: "milk" } });
  await act(async () => void press("Enter", words, {}));
  expect(editor.getText({ blockSeparator: "|" })).toBe("milk for two|tea|coffee");
  const all = screen.getByRole("button", { name: "Replace all hits" });
  all.focus();
  await act(async () => void fireEvent.click(all));
  expect(editor.getText({ blockSeparator: "|" })).toBe("milk for two|milk|coffee");
  await status("1 hit replaced");
  expect(document.activeElement).toBe(all);
});

test("who reads only finds and does not replace", async () => {
  await opened("viewer");
  press("h", window);
  await type("tea");
  await status("1 of 2");
  expect(screen.queryByLabelText("Replace with")).toBeNull();
  expect(screen.queryByRole("button", { name: "Show replacing" })).toBeNull();
});
