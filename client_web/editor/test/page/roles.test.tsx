/** What the page offers a person is what the protocol's table of roles says that they may do, and nothing else. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cleanup, fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test } from "vitest";
import type * as Y from "yjs";
import { element, words, written } from "./editors";
import { known, openDocument } from "./openDocument";
import { SharingServer, shared } from "./sharingServer";

type Role = "viewer" | "commenter" | "editor" | "owner";

/** By action: the roles that include it. */
const TABLE: ReadonlyMap<string, readonly Role[]> = readTable();

/** The discussion's own tests tell who may what in it; what is deleted for ever is deleted on the documents page. */
const NOT_HERE = ["comment", "broadcast", "resolve", "moderate", "delete"];

beforeEach(() => localStorage.clear());
afterEach(cleanup);

function readTable(): ReadonlyMap<string, readonly Role[]> {
  const protocol = readFileSync(join(import.meta.dirname, "../../../../server/PROTOCOL.md"), "utf8");
  const section = protocol.split("### Who may what")[1]?.split("## From the server")[0] ?? "";
  const [header = [], , ...rows] = section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const roles = header.slice(2) as Role[];
  return new Map(
    rows.map(([action = "", , ...cells]) => [
      action.replaceAll("`", ""),
      roles.filter((_, place) => cells[place] === "yes"),
    ]),
  );
}

/** Looks for everything that somebody could do here. */
async function offered(role: Role): Promise<Readonly<Record<string, boolean>>> {
  const server = new SharingServer(shared("ann", role), shared("bob", "viewer"));
  const doc = written((fragment) => fragment.insert(0, [element("paragraph", [words("Hello")])]));
  const modes = await modesOffered(role, doc);
  openDocument({ doc, answer: server.answer, state: { role }, who: await known() });
  const sheet = await screen.findByRole("textbox", { name: /^Document/ });
  const title = screen.getByRole<HTMLInputElement>("textbox", { name: "Title of the document" });
  const canWrite = sheet.getAttribute("contenteditable") === "true" && screen.queryByRole("toolbar") !== null;
  const onThePage = {
    read: sheet.textContent === "Hello",
    suggest: canWrite && modes.includes("Suggesting"),
    write: canWrite && modes.includes("Editing"),
    rename: !title.readOnly,
  };
  fireEvent.click(screen.getByRole("button", { name: "Share" }));
  await screen.findByRole("dialog", { name: /^Share/ });
  if (role === "owner" || role === "editor") await screen.findByText("bob");
  const inTheDialog = {
    see_people: screen.queryByRole("list", { name: "People with access" }) !== null,
    share: screen.queryByRole("button", { name: /^Link: / }) !== null && screen.queryByText("Add") !== null,
    transfer: await isOfferedFor("bob: Viewer", /Make the owner…/),
  };
  cleanup();
  const trashed = { title: "Minutes", trashedAt: "2027-01-01T00:00:00Z" };
  openDocument({ doc, state: { role, document: trashed } });
  await screen.findByRole("textbox", { name: "Document, read-only" });
  return { ...onThePage, ...inTheDialog, trash: screen.queryByText("Restore") !== null };
}

async function isOfferedFor(menu: string, command: RegExp): Promise<boolean> {
  const button = screen.queryByRole("button", { name: menu });
  if (!button) return false;
  fireEvent.keyDown(button, { key: "Enter" });
  return (await screen.findByRole("menuitem", { name: command })) !== null;
}

/** The ways to work in the document that this person may choose. */
async function modesOffered(role: Role, doc: Y.Doc): Promise<readonly string[]> {
  openDocument({ doc, state: { role }, who: await known() });
  await screen.findByRole("textbox", { name: /^Document/ });
  const button = screen.queryByRole("button", { name: /^Mode: / });
  if (button) fireEvent.keyDown(button, { key: "Enter" });
  const modes = screen.queryAllByRole("menuitemradio").map(({ textContent }) => textContent);
  cleanup();
  return modes;
}

test.each(["viewer", "commenter", "editor", "owner"] as const)("to one who is %s", async (role) => {
  const actions = [...TABLE.keys()].filter((action) => !NOT_HERE.includes(action));
  const included = actions.map((action) => [action, TABLE.get(action)?.includes(role)]);
  expect(included.length).toBe(8);
  expect(await offered(role)).toEqual(Object.fromEntries(included));
});
