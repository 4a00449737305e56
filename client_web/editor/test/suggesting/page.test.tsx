/** A person at the page who suggests, decides, and looks at the document with and without suggestions. */

import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import type { Editor } from "@tiptap/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { element, words, written } from "../page/editors";
import { anyDocument, known, openDocument, type Request } from "../page/openDocument";

beforeEach(() => localStorage.clear());
afterEach(cleanup);

const table = () => [element("table", [element("tableRow", [cell("a"), cell("b")])])];

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
  // Whoever has chosen a mode writes on.
  await waitFor(() => expect(document.activeElement).toBe(editor.view.dom));
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

test("comments and suggestions stand in one margin, by their places, and a suggestion is discussed on its card", async () => {
  const lines = ["Hello world", "Second line"].map((text) => element("paragraph", [words(text)]));
  const doc = written((fragment) => fragment.insert(0, lines));
  const { requests } = openDocument({
    doc,
    who: await known(),
    state: { discussion: 1 },
    answer: discussing,
  });
  const { editor } = await sheet();
  act(() => {
    const { tr, schema } = editor.state;
    const insertion = schema.mark("insertion", { id: "s1", user: CLEO.user_id, at: 1, run: 1, break: null });
    const comment = schema.mark("comment", { id: THREAD.id, user: CLEO.user_id });
    editor.view.dispatch(tr.addMark(14, 20, comment).insert(6, schema.text(" new", [insertion])));
  });
  const cards = () => screen.queryAllByRole("article").map((card) => card.getAttribute("aria-label"));
  // Nobody of that name is here: the thread says what its author is called.
  await waitFor(() => expect(cards()).toEqual(["Suggestion by Cleo", "Comment of Cleo on “Second”"]));
  const card = screen.getByRole("article", { name: "Suggestion by Cleo" });
  expect(card.closest("section")?.getAttribute("aria-label")).toBe("Comments");

  fireEvent.click(card);
  fireEvent.click(await screen.findByRole("button", { name: "Discuss" }));
  const field = await screen.findByRole("textbox", { name: "Comment" });
  act(() => void (field as HTMLElement & { editor: Editor }).editor.commands.insertContent("Why?"));
  fireEvent.click(screen.getByRole("button", { name: "Comment" }));
  const acts = () => requests.filter(({ method, path }) => method !== "GET" && /thread|outcome/.test(path));
  await waitFor(() => expect(acts()).toHaveLength(1));
  expect(acts()[0]?.body).toMatchObject({ kind: "suggestion", suggestion: "s1", quote: "new" });
  expect(card.textContent).toContain("Why?");
  expect(cards()).toHaveLength(3);

  fireEvent.click(screen.getByRole("button", { name: "Accept the suggestion" }));
  await waitFor(() => expect(acts()).toHaveLength(2));
  expect(acts()[1]).toEqual({
    method: "POST",
    path: "/api/documents/abcdefgh/suggestions/s1/outcome",
    body: { outcome: "accepted", author: "cleo" },
  });
  await waitFor(() => expect(cards()).toEqual(["Comment of Cleo on “Second”"]));
});

test("the card of somebody whom the page has never met has the name and the colour that the server knows", async () => {
  const { requests } = openDocument({
    doc: written((fragment) => fragment.insert(0, [element("paragraph", [words("Hello world")])])),
    who: await known(),
    answer: (request) =>
      request.path.endsWith("/authors/dora")
        ? Response.json({ person: { id: "dora", name: "Dora", color: "#be123c" } })
        : anyDocument(request),
  });
  const { editor } = await sheet();
  const suggest = (id: string, user: string, at: number) =>
    act(() => {
      const { tr, schema } = editor.state;
      const mark = schema.mark("insertion", { id, user, at: 1, run: 1, break: null });
      editor.view.dispatch(tr.insert(at, schema.text(` ${user}`, [mark])));
    });
  suggest("s1", "dora", 6);
  const card = await screen.findByRole("article", { name: "Suggestion by Dora" });
  expect(card.querySelector(".ui-avatar")?.getAttribute("style")).toContain("#be123c");
  suggest("s2", "eric", 1);
  const asked = () => requests.flatMap(({ path }) => /authors\/(.*)/.exec(path)?.[1] ?? []);
  await waitFor(() => expect(asked()).toEqual(["dora", "eric"]));
  expect(screen.getByRole("article", { name: "Suggestion by Somebody" })).toBeTruthy();
  suggest("s3", "eric", 3);
  await waitFor(() => expect(screen.getAllByRole("article")).toHaveLength(3));
  expect(asked()).toEqual(["dora", "eric"]);
});

const CLEO = { user_id: "cleo", name: "Cleo", kind: "person" };
const SAID = { by: CLEO, at: "2027-01-01T00:00:00Z", edited_at: null, reactions: [], deleted: false };
const THREAD = {
  ...{ id: "5f0d5f0d-0000-4000-8000-000000000001", kind: "comment", suggestion: null, quote: "Second" },
  ...{ before: "", after: " line", version: 1, state: "open", by: CLEO, at: SAID.at },
  ...{ changed_by: null, changed_at: null, assignee: null, comments: [{ ...SAID, id: "c1", body: [] }] },
};

function discussing(request: Request): Response {
  const { method, path, body } = request;
  if (method === "POST" && path.endsWith("/outcome")) return new Response(null, { status: 204 });
  if (!path.includes("/threads")) return anyDocument(request);
  if (method === "GET") {
    const threads = path.endsWith("since=0") ? [THREAD] : [];
    return Response.json({ version: 1, threads, gone: [], whole: false, more: false, viewers: false });
  }
  const { comment, ...begun } = body as { readonly comment: object };
  const by = { ...CLEO, user_id: "ann", name: "Ann" };
  return Response.json({
    ...{ ...THREAD, ...begun, by, id: path.split("/").at(-1) },
    comments: [{ ...SAID, by, ...comment }],
  });
}

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

test("the views show what is suggested for rows and blocks", async () => {
  const { editor } = await opened(table());
  await choose("Suggesting");
  await waitFor(() => {
    act(() => void editor.chain().setTextSelection(4).addRowAfter().run());
    expect(editor.getHTML()).toContain('data-suggested="insert"');
  });
  const rows = async () => (await sheet()).found.querySelectorAll("tr").length;
  expect(await rows()).toBe(2);
  await choose("Without suggestions");
  await waitFor(async () => expect(await rows()).toBe(1));
  await choose("As if all were accepted");
  await waitFor(async () => expect(await rows()).toBe(2));
  expect((await sheet()).found.innerHTML).not.toContain("data-suggested");
});

test("what cannot be suggested is refused in a sentence, and not done", async () => {
  const { editor } = await opened(table());
  await choose("Suggesting");
  await waitFor(() => {
    act(() => void editor.chain().setTextSelection(4).toggleHeaderRow().run());
    expect(screen.queryAllByText(/^This change of the table cannot be suggested/).length).toBeGreaterThan(0);
  });
  expect(editor.getHTML()).not.toContain("<th");
});

test("a row and a column are suggested, each with a card, and decided on", async () => {
  const { editor } = await opened(table());
  await choose("Suggesting");
  await waitFor(() => {
    act(() => void editor.chain().setTextSelection(4).addRowAfter().run());
    expect(editor.getHTML()).toContain('data-suggested="insert"');
  });
  act(() => void editor.chain().setTextSelection(4).deleteColumn().run());
  const cards = await waitFor(() => {
    const found = screen.getAllByRole("article", { name: "Suggestion by Ann" });
    expect(found.length).toBe(2);
    return found.map((card) => card.querySelector("ul")?.textContent);
  });
  expect(cards).toEqual(["Delete: ColumnDelete: “a”", "Add: Row"]);
  for (const button of screen.getAllByRole("button", { name: "Accept the suggestion" }))
    fireEvent.click(button);
  const rows = editor.state.doc.firstChild?.children.map((row) =>
    row.children.map((cell) => cell.textContent),
  );
  expect(rows).toEqual([["b"], [""]]);
});

test("what was refused to a commenter is taken away when they may edit", async () => {
  const { provider } = openDocument({
    doc: written((fragment) => fragment.insert(0, table())),
    who: await known(),
    state: { role: "commenter", canSuggest: true },
  });
  const { editor } = await sheet();
  const refusals = () => screen.queryAllByText(/^This change of the table cannot be suggested/).length;
  await waitFor(() => {
    act(() => void editor.chain().setTextSelection(4).toggleHeaderRow().run());
    expect(refusals()).toBeGreaterThan(0);
  });
  act(() => provider().tells({ role: "editor" }));
  await waitFor(() => expect(refusals()).toBe(0));
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

test("whose role changes stays where they were, and is not asked again what they wish to comment on", async () => {
  const doc = written((fragment) => fragment.insert(0, [element("paragraph", [])]));
  const { provider } = openDocument({
    doc,
    who: await known(),
    state: { discussion: 1 },
    answer: discussing,
  });
  const { editor } = await sheet();
  fireEvent.click(screen.getByRole("button", { name: "Comment on the selected words" }));
  await screen.findByText("First select the words or the picture that your comment is about.");
  act(() => editor.view.focus());

  act(() => provider().tells({ role: "viewer", canSuggest: false }));
  const reading = await screen.findByRole("textbox", { name: "Document, read-only" });
  await waitFor(() => expect(document.activeElement).toBe(reading));
  await screen.findByRole("region", { name: "Comments" });
  expect(screen.queryByText("You can read this document, and not comment on it.")).toBe(null);
  act(() => provider().tells({ role: "editor", canSuggest: true }));
  const writing = await screen.findByRole("textbox", { name: "Document" });
  await waitFor(() => expect(document.activeElement).toBe(writing));
});

test("a card says how much it leaves out", async () => {
  const lines = Array.from({ length: 8 }, (_, at) => element("heading", [words(`line ${at}`)]));
  const { editor } = await opened(lines);
  act(() => {
    const { tr, schema } = editor.state;
    const deletion = schema.mark("deletion", { id: "s1", user: "cleo", at: 1 });
    editor.state.doc.forEach((node, at, index) => {
      if (index % 2 === 0) tr.addMark(at + 1, at + 1 + node.content.size, deletion);
      else
        tr.setNodeAttribute(at, "suggestion", {
          kind: "set",
          id: "s1",
          user: "cleo",
          at: 1,
          attrs: { level: index },
        });
    });
    editor.view.dispatch(tr);
  });
  const card = await screen.findByRole("article", { name: /^Suggestion by/ });
  expect(card.querySelectorAll("li")).toHaveLength(7);
  expect(card.textContent).toMatch(/and (one more change|\d more changes)/);
});
