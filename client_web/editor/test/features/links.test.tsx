/** Links: addresses that are checked, headings and documents that are found, and the card. */

import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import type { Editor } from "@tiptap/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { anchorIn, documentIn, problemOf } from "../../src/features/links/address";
import { element, words, written } from "../page/editors";
import { anyDocument, openDocument, type Request } from "../page/openDocument";

test.each([
  ["", null],
  ["example.org/a?b#c", null],
  ["https://example.org", null],
  ["ann@example.org", null],
  ["mailto:ann@example.org", null],
  ["/d/abcdefgh", null],
  ["#h-12345678", null],
  ["javascript:alert(1)", /run a program/],
  [" java\tscript:alert(1)", /run a program/],
  ["data:text/html,<b>", /run a program/],
  ["ftp://example.org", /Links can lead to/],
  ["the plan", /whole address/],
  ["plan", /whole address/],
  ["https://", /Links can lead to|whole address/],
])("of “%s” the page says %s", (typed, said) => {
  if (said === null) expect(problemOf(typed)).toBeNull();
  else expect(problemOf(typed)).toMatch(said);
});

test("addresses of this server are told from others", () => {
  expect(documentIn("/d/abcdefgh")).toBe("abcdefgh");
  expect(documentIn(`${location.origin}/d/abcdefgh/a-title#link=x`)).toBe("abcdefgh");
  expect(documentIn("https://example.org/d/abcdefgh")).toBeNull();
  expect(anchorIn("#h-12345678")).toBe("12345678");
  expect(anchorIn("#link=12345678")).toBeNull();
});

describe("at the page", () => {
  beforeEach(() => localStorage.clear());
  afterEach(cleanup);

  const doc = () =>
    written((fragment) =>
      fragment.insert(0, [
        element("paragraph", [words("see there")]),
        element("heading", [words("Open questions")], { level: 2 }),
      ]),
    );

  function answer(request: Request): Response {
    if (!request.path.startsWith("/api/documents?")) return anyDocument();
    const entry = { created_at: TIME, updated_at: TIME, trashed_at: null, size: 1 };
    const documents = [
      { ...entry, id: "abcdefgh", title: "Minutes" },
      { ...entry, id: "otherdoc", title: "The plan" },
    ];
    return new Response(JSON.stringify({ documents, next_cursor: null }), { status: 200 });
  }
  const TIME = "2027-01-01T00:00:00Z";

  async function editing(): Promise<Editor> {
    openDocument({ doc: doc(), answer });
    const sheet = await screen.findByRole<HTMLElement & { editor: Editor }>("textbox", { name: /^Document/ });
    act(() => void sheet.editor.commands.setTextSelection({ from: 5, to: 10 }));
    fireEvent.keyDown(window, { key: "k", ctrlKey: true });
    await screen.findByLabelText("Address");
    return sheet.editor;
  }

  const field = () => screen.getByLabelText<HTMLInputElement>("Address");
  const type = (value: string) => fireEvent.change(field(), { target: { value } });
  const linkIn = (editor: Editor) => editor.view.dom.querySelector("a");

  test("what is selected stays visible while one types the address, which is checked at once", async () => {
    const editor = await editing();
    expect(editor.view.dom.querySelector(".page-held-selection")?.textContent).toBe("there");
    type("javascript:alert(1)");
    expect(await screen.findByText(/could run a program/)).toBeTruthy();
    fireEvent.submit(field());
    expect(linkIn(editor)).toBeNull();
    type("example.org/there");
    expect(screen.queryByText(/could run a program/)).toBeNull();
    fireEvent.submit(field());
    expect(linkIn(editor)?.getAttribute("href")).toBe("https://example.org/there");
    expect(editor.view.dom.querySelector(".page-held-selection")).toBeNull();
  });

  test("a heading is chosen with the keys, gets an anchor, and the card leads there", async () => {
    const editor = await editing();
    type("open");
    await screen.findByText("Open questions", { selector: ".page-link-place span" });
    fireEvent.keyDown(field(), { key: "ArrowDown" });
    expect(field().getAttribute("aria-activedescendant")).toBeTruthy();
    fireEvent.submit(field());
    const href = linkIn(editor)?.getAttribute("href") ?? "";
    expect(`#${editor.view.dom.querySelector("h2")?.id}`).toBe(href);
    expect(anchorIn(href)).toMatch(/^[\da-f]{8}$/);
    act(() => void editor.commands.setTextSelection(7));
    fireEvent.focus(editor.view.dom);
    fireEvent.click(await screen.findByText("Open questions", { selector: ".page-link-address span" }));
    expect(editor.state.selection.$from.parent.type.name).toBe("heading");
    expect(editor.getHTML()).toContain(`<h2 id="${href.slice(1)}"`);
  });

  test("another document is found by its title; the open one is not offered", async () => {
    const editor = await editing();
    type("plan");
    fireEvent.click(await screen.findByText("The plan"));
    expect(linkIn(editor)?.getAttribute("href")).toBe("/d/otherdoc");
    await waitFor(() => expect(screen.queryByLabelText("Address")).toBeNull());
  });

  test("Esc closes the form and changes nothing", async () => {
    const editor = await editing();
    type("example.org");
    fireEvent.keyDown(field(), { key: "Escape" });
    await waitFor(() => expect(screen.queryByLabelText("Address")).toBeNull());
    expect(linkIn(editor)).toBeNull();
  });
});
