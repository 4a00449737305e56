/** Stories of the open document's menu. */
import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as Y from "yjs";
import { chooseLanguageOf } from "../../src/page/documentLanguage";
import { anyDocument, openDocument, type Request } from "./openDocument";

beforeEach(() => localStorage.clear());
afterEach(cleanup);

const open = async () =>
  fireEvent.keyDown(await screen.findByRole("button", { name: "More about this document" }), {
    key: "Enter",
  });
const pick = async (name: string) => fireEvent.click(await screen.findByRole("menuitem", { name }));

test("moves the document to the trash, leads home, and takes it back", async () => {
  window.history.replaceState(null, "", "/d/abcdefgh#link=secret_secret");
  const { requests } = openDocument({ state: { role: "owner" } });
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
  openDocument({ state: { role: "viewer" } });
  await open();
  expect((await screen.findAllByRole("menuitem")).map((item) => item.textContent)).toEqual([
    "Make a copy",
    "Download as a web page",
    "Print or save as PDF…",
    "Theme",
  ]);
});

test("the language of the text is chosen by one, and heard by all", async () => {
  const { provider } = openDocument({ state: { role: "editor" } });
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
  openDocument({ state: { role: "owner" }, answer });
  await open();
  await screen.findByText("Last edit just now by Bob");
  await pick("Rename");
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText("Title of the document")));
});
