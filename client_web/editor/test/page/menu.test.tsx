/** Stories of the open document's menu. */
import type { ProviderState } from "@manyhands/provider";
import { FRAGMENT } from "@manyhands/schema";
import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { chooseLanguageOf } from "../../src/page/documentLanguage";
import { element, words, written } from "./editors";
import { anyDocument, openDocument, type Request } from "./openDocument";

beforeEach(() => localStorage.clear());
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** In an empty document the page puts the caret into the text, a frame later: that would close the menu. */
const withWords = () => written((fragment) => fragment.insert(0, [element("paragraph", [words("Hello")])]));
const open = async () =>
  fireEvent.keyDown(await screen.findByRole("button", { name: "More about this document" }), {
    key: "Enter",
  });
const pick = async (name: string) => fireEvent.click(await screen.findByRole("menuitem", { name }));

test("moves the document to the trash, leads home, and takes it back", async () => {
  window.history.replaceState(null, "", "/d/abcdefgh#link=secret_secret");
  const { requests } = openDocument({ doc: withWords(), state: { role: "owner" } });
  await waitFor(() => expect(window.location.pathname).toBe("/d/abcdefgh/minutes"));
  expect(window.location.hash).toBe("#link=secret_secret");
  await open();
  await pick("Move to the trash");
  await screen.findByText("“Minutes” was moved to the trash.");
  expect(window.location.pathname).toBe("/");
  fireEvent.click(screen.getByText("Undo"));
  await waitFor(() => expect(window.location.pathname).toBe("/d/abcdefgh"));
  const changes = requests.filter(({ method }) => method === "POST").map(({ path }) => path);
  expect(changes).toEqual(["/api/documents/abcdefgh/trash", "/api/documents/abcdefgh/restore"]);
});

test("offers a reader nothing that they may not do", async () => {
  openDocument({ doc: withWords(), state: { role: "viewer" } });
  await open();
  expect((await screen.findAllByRole("menuitem")).map((item) => item.textContent)).toEqual([
    "Make a copy",
    "Download",
    "Print or save as PDF…",
    "Theme",
  ]);
});

/** Chooses a form below "Download"; returns the file's name and words, once there is one. */
async function download(form: string) {
  const saved: { name: string; words: Promise<string> }[] = [];
  const contents: Blob[] = [];
  vi.stubGlobal(
    "URL",
    Object.assign(class extends URL {}, {
      createObjectURL: (content: Blob) => `blob:${contents.push(content)}`,
      revokeObjectURL: () => undefined,
    }),
  );
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    const content = contents.at(-1);
    if (this.download && content) saved.push({ name: this.download, words: content.text() });
  });
  await open();
  fireEvent.keyDown(await screen.findByRole("menuitem", { name: "Download" }), { key: "Enter" });
  await pick(form);
  return saved;
}

function openWithWords(state: Partial<ProviderState> = {}) {
  const doc = new Y.Doc();
  const line = new Y.XmlElement("paragraph");
  line.insert(0, [new Y.XmlText("Tea")]);
  doc.getXmlFragment(FRAGMENT).insert(0, [line]);
  const markdown = () =>
    new Response("*Tea*\n", { headers: { "Content-Type": "text/markdown; charset=utf-8" } });
  const answer = ({ path }: Request) => (path.includes("/content") ? markdown() : anyDocument());
  const page = openDocument({ state: { role: "viewer", ...state }, answer });
  return { ...page, write: () => act(() => Y.applyUpdate(page.provider().doc, Y.encodeStateAsUpdate(doc))) };
}

test("downloads Markdown that the server makes", async () => {
  const { requests } = openWithWords();
  const saved = await download("Markdown");
  await waitFor(() => expect(saved).toHaveLength(1));
  expect([saved[0]?.name, await saved[0]?.words]).toEqual(["Minutes.md", "*Tea*\n"]);
  expect(requests.map(({ path }) => path)).toContain("/api/documents/abcdefgh/content?as=markdown");
});

test.each([{ status: "offline" }, { unsaved: 1 }] as const)(
  "says that the server cannot make Markdown of what it does not have",
  async (state) => {
    const { requests } = openWithWords(state);
    const saved = await download("Markdown");
    await screen.findByText(/The server makes Markdown, and does not have all changes yet/);
    expect(saved).toEqual([]);
    expect(requests.filter(({ path }) => path.includes("/content"))).toEqual([]);
  },
);

test("downloads plain text without the server", async () => {
  const { write } = openWithWords({ status: "offline", role: "editor" });
  await screen.findByRole("textbox", { name: "Document" });
  write();
  const saved = await download("Plain text");
  await waitFor(() => expect(saved).toHaveLength(1));
  expect([saved[0]?.name, await saved[0]?.words]).toEqual(["Minutes.txt", "Tea\n"]);
});

test("the language of the text is chosen by one, and heard by all", async () => {
  const { provider } = openDocument({ doc: withWords(), state: { role: "editor" } });
  await open();
  fireEvent.keyDown(await screen.findByRole("menuitem", { name: "Language of the text" }), { key: "Enter" });
  fireEvent.click(await screen.findByRole("menuitemradio", { name: "Français" }));
  const sheet = screen.getByRole("textbox", { name: "Document" });
  await waitFor(() => expect(sheet.closest("[lang]")?.getAttribute("lang")).toBe("fr"));

  const other = new Y.Doc();
  Y.applyUpdate(other, provider().copy());
  chooseLanguageOf(other, "ja");
  act(() => Y.applyUpdate(provider().doc, Y.encodeStateAsUpdate(other)));
  expect(sheet.closest("[lang]")?.getAttribute("lang")).toBe("ja");
});

test("leads to the title, and says whose edit was the last one", async () => {
  const answer = (request: Request) => {
    if (request.method !== "GET") return anyDocument();
    const updated = new Date().toISOString();
    const entry = {
      id: "abcdefgh",
      title: "Minutes",
      updated_at: updated,
      edited_by: { id: "bob", name: "Bob" },
    };
    return new Response(JSON.stringify(entry), { status: 200 });
  };
  openDocument({ doc: withWords(), state: { role: "owner" }, answer });
  await open();
  await screen.findByText("Last edit just now by Bob");
  await pick("Rename");
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText("Title of the document")));
});
