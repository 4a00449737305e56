/** Stories of the documents page. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, onTestFinished, test, vi } from "vitest";
import { rememberDocument } from "../../src/api/knownDocuments";
import { known } from "../page/openDocument";
import { CatalogueServer } from "./catalogueServer";
import { listed, openPage, pick, press, pressHere, row, search } from "./openPage";

const server = () => new CatalogueServer();

test("lists documents, last edited first, each row a link", async () => {
  openPage(server().with("Plan", "Notes", ""));
  const link = await row("Plan");
  expect(listed()).toEqual(["Untitled document", "Notes", "Plan"]);
  expect(link.getAttribute("href")).toBe("/d/document-1");
});

test("an empty list explains itself and makes the first document", async () => {
  const page = openPage(server());
  await screen.findByText("Write something together");
  fireEvent.click(screen.getByRole("button", { name: /New document/ }));
  await waitFor(() => expect(page.visited.at(-1)).toBe("/d/document-1"));
});

test("two presses make one document", async () => {
  const backend = server().with("Plan");
  const page = openPage(backend);
  await row("Plan");
  const button = screen.getByRole("button", { name: /New document/ });
  fireEvent.click(button);
  fireEvent.click(button);
  await waitFor(() => expect(page.visited.at(-1)).toBe("/d/document-2"));
  expect(backend.titles()).toHaveLength(2);
});

test("Alt+N makes a document, but not from inside a field", async () => {
  const page = openPage(server().with("Plan"));
  await row("Plan");
  fireEvent.keyDown(screen.getByRole("searchbox"), { code: "KeyN", altKey: true });
  fireEvent.keyDown(document.body, { code: "KeyN", altKey: true });
  await waitFor(() => expect(page.visited.at(-1)).toBe("/d/document-2"));
});

test("arrow keys walk through the list and stop at its ends", async () => {
  openPage(server().with("One", "Two", "Three"));
  (await row("Three")).focus();
  pressHere("ArrowUp");
  expect(document.activeElement?.textContent).toBe("Three");
  pressHere("ArrowDown");
  expect(document.activeElement?.textContent).toBe("Two");
  pressHere("End");
  expect(document.activeElement?.textContent).toBe("One");
});

test("F2 renames in place; Enter saves and the focus stays with the document", async () => {
  const backend = server().with("Plan", "Notes");
  openPage(backend);
  press(await row("Plan"), "F2");
  const field = await screen.findByRole("textbox", { name: "Title of the document" });
  fireEvent.change(field, { target: { value: "  Better plan " } });
  press(field, "Enter");
  await waitFor(() => expect(backend.titles()).toEqual(["Better plan", "Notes"]));
  await waitFor(() => expect(document.activeElement?.textContent).toBe("Better plan"));
});

test("Escape leaves the title as it was, and asks the server nothing", async () => {
  const backend = server().with("Plan");
  openPage(backend);
  await pick("Plan", "Rename");
  const field = await screen.findByRole("textbox", { name: "Title of the document" });
  fireEvent.change(field, { target: { value: "Nonsense" } });
  press(field, "Escape");
  expect((await row("Plan")).textContent).toBe("Plan");
  expect(backend.requests.filter((request) => request.startsWith("PATCH"))).toEqual([]);
});

test("a refused title goes back to what it was, and says why", async () => {
  const backend = server().with("Plan");
  openPage(backend);
  press(await row("Plan"), "F2");
  backend.refusal = [413, { error: { code: "too_large", message: "The title is too long." } }];
  const field = await screen.findByRole("textbox", { name: "Title of the document" });
  fireEvent.change(field, { target: { value: "Very long" } });
  press(field, "Enter");
  expect((await screen.findAllByText(/The title is too long/)).length).toBeGreaterThan(0);
  expect(listed()).toEqual(["Plan"]);
});

test("Delete moves to the trash, the next row gets the focus, Undo brings it back", async () => {
  const backend = server().with("One", "Two", "Three");
  openPage(backend);
  const two = await row("Two");
  two.focus();
  press(two, "Delete");
  expect(document.activeElement?.textContent).toBe("One");
  await waitFor(() => expect(backend.titles(true)).toEqual(["Two"]));
  expect(listed()).toEqual(["Three", "One"]);
  fireEvent.click(await screen.findByRole("button", { name: "Undo" }));
  await waitFor(() => expect(listed()).toEqual(["Three", "Two", "One"]));
  expect(backend.titles(true)).toEqual([]);
});

test("a document that could not be thrown away is back in the list", async () => {
  const backend = server().with("Plan");
  openPage(backend);
  await row("Plan");
  backend.reachable = false;
  await pick("Plan", "Move to the trash");
  expect((await screen.findAllByText(/was not moved/)).length).toBeGreaterThan(0);
  expect(listed()).toEqual(["Plan"]);
});

test("the trash restores", async () => {
  const backend = server().with("Plan").trash("Plan");
  openPage(backend, "trash");
  fireEvent.click(await screen.findByRole("button", { name: "Restore Plan" }));
  await waitFor(() => expect(backend.titles()).toEqual(["Plan"]));
  await screen.findByText("The trash is empty");
});

test("deleting for ever asks first, names the document and starts on the harmless answer", async () => {
  const backend = server().with("Plan").trash("Plan");
  openPage(backend, "trash");
  press(await row("Plan"), "Delete");
  const dialog = within(await screen.findByRole("dialog"));
  expect(dialog.getByText("Plan")).toBeTruthy();
  expect(document.activeElement?.textContent).toBe("Cancel");
  fireEvent.click(dialog.getByRole("button", { name: "Delete for ever" }));
  await screen.findByText("The trash is empty");
  await waitFor(() => expect(backend.titles(true)).toEqual([]));
});

test("Cancel deletes nothing", async () => {
  const backend = server().with("Plan").trash("Plan");
  openPage(backend, "trash");
  press(await row("Plan"), "Delete");
  fireEvent.click(within(await screen.findByRole("dialog")).getByRole("button", { name: "Cancel" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(backend.titles(true)).toEqual(["Plan"]);
});

test("search narrows the list, says when nothing is found, and can be cleared", async () => {
  openPage(server().with("Plan", "Notes", "Planet"));
  await row("Notes");
  search("plan");
  await waitFor(() => expect(listed()).toEqual(["Planet", "Plan"]));
  search("zebra");
  expect(await screen.findByText("No title and no first lines contain “zebra”.")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Clear the search" }));
  await waitFor(() => expect(listed()).toHaveLength(3));
});

test("a long list comes in pages", async () => {
  const titles = Array.from({ length: 60 }, (_, number) => `Document ${number}`);
  openPage(server().with(...titles));
  await row("Document 59");
  expect(listed()).toHaveLength(50);
  fireEvent.click(screen.getByRole("button", { name: "Load more" }));
  await waitFor(() => expect(listed()).toHaveLength(60));
  expect(screen.queryByRole("button", { name: "Load more" })).toBeNull();
});

test("a refusal is shown with a way to try again", async () => {
  const backend = server().with("Plan");
  backend.refusal = [503, { error: { code: "unavailable", message: "The store does not answer." } }];
  openPage(backend);
  await screen.findByText("The store does not answer.");
  backend.refusal = null;
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await row("Plan")).toBeTruthy();
});

test("without a server it lists what was opened on this device, and searches that", async () => {
  rememberDocument("document-1", "Plan", null, 1);
  rememberDocument("document-2", "Notes", null, 2);
  const backend = server().with("Plan", "Notes");
  backend.reachable = false;
  openPage(backend);
  await screen.findByText(/These documents were opened on this device/);
  expect(listed()).toEqual(["Notes", "Plan"]);
  search("plan");
  await waitFor(() => expect(listed()).toEqual(["Plan"]));
});

test.each([
  [
    "a network's sign-in page",
    (backend: CatalogueServer) => {
      backend.impostor = "<!doctype html>Sign in to the hotel's network";
    },
    /in the server's place.*These documents were opened on this device/,
  ],
  [
    "a server without its store",
    (backend: CatalogueServer) => {
      backend.refusal = [503, { error: { code: "unavailable", message: "The store does not answer." } }];
    },
    /The store does not answer\. These documents were opened on this device/,
  ],
])("behind %s it lists what was opened on this device too", async (_, spoil, says) => {
  rememberDocument("document-1", "Plan", null, 1);
  const backend = server().with("Plan", "Notes");
  spoil(backend);
  openPage(backend);
  await screen.findByText(says);
  expect(listed()).toEqual(["Plan"]);
  [backend.impostor, backend.refusal] = [null, null];
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(listed()).toEqual(["Notes", "Plan"]));
});

test("when the network returns, so does the whole list", async () => {
  const backend = server().with("Plan");
  backend.reachable = false;
  openPage(backend);
  await screen.findByText("The server cannot be reached");
  backend.reachable = true;
  fireEvent(window, new Event("online"));
  expect(await row("Plan")).toBeTruthy();
});

test("the list of what others share has their names, and its own address", async () => {
  const backend = server().with("Mine").sharing("Theirs", "editor");
  openPage(backend, "shared");
  await row("Theirs");
  expect(listed()).toEqual(["Theirs"]);
  expect(screen.getByTitle("Owned by Bob")).toBeTruthy();
  expect(backend.requests.at(-1)).toContain("shared=true");
});

test("the filter leads from list to list", async () => {
  const page = openPage(server().with("Mine"));
  await row("Mine");
  press(screen.getByRole("button", { name: "Filter: Owned by anyone" }), "Enter");
  fireEvent.click(await screen.findByRole("menuitemradio", { name: "Shared with me" }));
  expect(page.visited.at(-1)).toBe("/?shared");
});

test("nothing shared says how that changes", async () => {
  openPage(server().with("Mine"), "shared");
  expect(await screen.findByText("Nothing is shared with you yet")).toBeTruthy();
});

test.each([
  ["owner", ["Rename", "Move to the trash"]],
  ["editor", ["Rename", "Leave…"]],
  ["viewer", ["Leave…"]],
])("the menu offers what a role may do: %s", async (role, commands) => {
  openPage(server().sharing("Plan", role));
  press(await screen.findByRole("button", { name: "More about Plan" }), "Enter");
  const words = (await screen.findAllByRole("menuitem")).map((item) => item.textContent);
  for (const command of ["Rename", "Move to the trash", "Leave…"]) {
    expect(words.some((item) => item?.startsWith(command))).toBe(commands.includes(command));
  }
});

test("Delete leaves somebody else's document, after a question", async () => {
  const backend = server().sharing("Plan", "viewer");
  openPage(backend, "shared", await known());
  press(await row("Plan"), "Delete");
  const dialog = within(await screen.findByRole("dialog", { name: "Leave this document?" }));
  fireEvent.click(dialog.getByRole("button", { name: "Leave" }));
  await screen.findByText("Nothing is shared with you yet");
  expect(backend.requests).toContain("DELETE /api/documents/document-1/people/ann");
});

test("a sign-in that has run out asks for another", async () => {
  const backend = server();
  backend.refusal = [401, { error: { code: "unauthenticated", message: "Sign in." } }];
  openPage(backend, "documents", await known());
  const link = await screen.findByRole("link", { name: "Sign in" });
  expect(link.getAttribute("href")).toMatch(/^\/sign-in\?next=/);
});

test.each([
  ["owner", /\/d\/document-1#link=secret$/, /^The link is on the clipboard\. Opens for anyone who has it/],
  ["editor", /\/d\/document-1$/, /^The link is on the clipboard\.$/],
])("the copied link is what a person can know of it: %s", async (role, link, told) => {
  const copied: string[] = [];
  vi.stubGlobal("navigator", {
    userAgent: navigator.userAgent,
    clipboard: { writeText: async (text: string) => void copied.push(text) },
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  openPage(server().sharing("Plan", role));
  await pick("Plan", "Copy the link");
  await screen.findAllByText(told);
  expect(copied).toEqual([expect.stringMatching(link)]);
});

test("a document that is made without a server is kept on this device, and listed until it is sent", async () => {
  const backend = server().with("Plan");
  const page = openPage(backend);
  await row("Plan");
  backend.reachable = false;
  fireEvent.click(screen.getByRole("button", { name: /New document/ }));
  await screen.findByText(/The new document is kept on this device/);
  expect(page.visited.at(-1)).toMatch(/^\/d\/[A-Za-z0-9_-]{22}$/);
  const section = screen.getByRole("heading", { name: "On this device, not sent yet" }).parentElement;
  expect(section?.querySelector("a")?.getAttribute("href")).toBe(page.visited.at(-1));
});
