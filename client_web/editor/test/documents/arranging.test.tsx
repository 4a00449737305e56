/** Stories of a list that is arranged: sorted, starred, labelled, and many documents at once. */
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { CatalogueServer } from "./catalogueServer";
import { listed, openPage, pick, press, row } from "./openPage";

const server = () => new CatalogueServer();

async function choose(button: string, option: string): Promise<void> {
  press(await screen.findByRole("button", { name: button }), "Enter");
  fireEvent.click(await screen.findByRole("menuitemradio", { name: option }));
}

const box = (title: string) => screen.findByRole("checkbox", { name: `Select ${title}` });

test("the order is chosen, and remembered in this browser", async () => {
  openPage(server().with("Mouse", "Ant", "Zebra").opened("Mouse"));
  await row("Zebra");
  await choose("Sort: Last edit", "Title");
  await waitFor(() => expect(listed()).toEqual(["Ant", "Mouse", "Zebra"]));
  expect(screen.getByRole("heading", { name: "By title" })).toBeTruthy();
  await choose("Sort: Title", "Last opened by me");
  await waitFor(() => expect(listed()[0]).toBe("Mouse"));
  expect(screen.getAllByText("Not opened yet")).toHaveLength(2);
  expect(localStorage.getItem("manyhands:order")).toBe("opened");
});

test("a star is given in the row, and the starred have a list", async () => {
  const backend = server().with("Plan", "Notes");
  openPage(backend);
  const star = await screen.findByRole("button", { name: "Star Plan" });
  fireEvent.click(star);
  await waitFor(() => expect(backend.requests).toContain("PUT /api/documents/document-1/star"));
  expect(screen.getByRole("button", { name: "Star Plan" }).getAttribute("aria-pressed")).toBe("true");
});

test("the list of the starred has them alone, and explains itself while it is empty", async () => {
  openPage(server().with("Plan"), "starred");
  await screen.findByText("Nothing has your star yet");
  expect(screen.queryByRole("button", { name: /New document$/ })).toBeTruthy();
});

test("labels are given in a dialog, and choose what is listed", async () => {
  const backend = server().with("Plan", "Notes").labelled("Notes", "Autumn");
  openPage(backend);
  await pick("Plan", "Labels…");
  const dialog = within(await screen.findByRole("dialog", { name: "Labels of “Plan”" }));
  fireEvent.click(await dialog.findByRole("checkbox", { name: "Autumn" }));
  fireEvent.change(dialog.getByRole("textbox"), { target: { value: " Road  map" } });
  fireEvent.click(dialog.getByRole("button", { name: "Add" }));
  fireEvent.click(dialog.getByRole("button", { name: "Save" }));
  const labels = within(await screen.findByRole("list", { name: "Labels of Plan" }));
  expect(labels.getAllByRole("listitem").map((each) => each.textContent)).toEqual(["Autumn", "Road map"]);
  await choose("Label: Any label", "Road map");
  await waitFor(() => expect(listed()).toEqual(["Plan"]));
  await choose("Label: Road map", "Any label");
  await waitFor(() => expect(listed()).toEqual(["Notes", "Plan"]));
});

test("several are selected, a range by Shift, and go to the trash and back together", async () => {
  const backend = server().with("One", "Two", "Three", "Four");
  openPage(backend);
  fireEvent.click(await box("Four"));
  fireEvent.click(await box("Two"), { shiftKey: true });
  const bar = within(screen.getByRole("region", { name: "Selected documents" }));
  expect(bar.getByText("3 selected")).toBeTruthy();
  fireEvent.click(bar.getByRole("button", { name: "Move to the trash" }));
  await waitFor(() => expect(backend.titles()).toEqual(["One"]));
  expect(listed()).toEqual(["One"]);
  await screen.findByText("3 documents were moved to the trash.");
  fireEvent.click(screen.getByText("Undo"));
  await waitFor(() => expect(listed()).toEqual(["Four", "Three", "Two", "One"]));
  expect(screen.queryByRole("region", { name: "Selected documents" })).toBeNull();
});

test.each([
  ["the trash is asked before the server has moved anything there", "trash"],
  ["the starred are asked before the server has moved anything away", "starred"],
] as const)("%s", async (_, view) => {
  const backend = server().with("Plan", "Notes");
  for (const title of ["Plan", "Notes"]) backend.starred(title);
  const page = openPage(backend);
  let goOn = () => {};
  backend.slowly = new Promise((resolve) => {
    goOn = resolve;
  });
  await pick("Plan", "Move to the trash");
  page.goesTo(view);
  await waitFor(() => expect(listed()).toEqual(view === "trash" ? [] : ["Notes", "Plan"]));
  goOn();
  await waitFor(() => expect(listed()).toEqual(view === "trash" ? ["Plan"] : ["Notes"]));
  fireEvent.click(await screen.findByText("Undo"));
  await waitFor(() => expect(listed()).toEqual(view === "trash" ? [] : ["Notes", "Plan"]));
});

test("a document that is renamed late does not come to the list of another view", async () => {
  const backend = server().with("Plan");
  const page = openPage(backend);
  let goOn = () => {};
  backend.slowly = new Promise((resolve) => {
    goOn = resolve;
  });
  await pick("Plan", "Rename");
  const field = await screen.findByRole("textbox", { name: "Title of the document" });
  fireEvent.change(field, { target: { value: "Plan B" } });
  press(field, "Enter");
  page.goesTo("trash");
  await screen.findByText("The trash is empty");
  goOn();
  await waitFor(() => expect(backend.titles()).toEqual(["Plan B"]));
  page.goesTo("documents");
  await row("Plan B");
  page.goesTo("trash");
  await screen.findByText("The trash is empty");
  expect(listed()).toEqual([]);
});

test("Space selects the row that has the focus, and many are labelled at once", async () => {
  const backend = server().with("One", "Two").labelled("One", "Old");
  openPage(backend);
  press(await row("Two"), " ");
  press(await row("One"), " ");
  fireEvent.click(screen.getByRole("button", { name: "Label…" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Labels of 2 documents" }));
  const old = await dialog.findByRole<HTMLInputElement>("checkbox", { name: "Old" });
  expect(old.indeterminate).toBe(true);
  fireEvent.click(old);
  fireEvent.click(dialog.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.getAllByRole("list", { name: /^Labels of/ })).toHaveLength(2));
});

test("what the server refuses comes back, and is said once for all", async () => {
  const backend = server().with("One", "Two");
  openPage(backend);
  fireEvent.click(await box("One"));
  fireEvent.click(screen.getByRole("button", { name: "Select all" }));
  backend.refusal = [403, { error: { code: "forbidden", message: "You may not do that." } }];
  fireEvent.click(screen.getByRole("button", { name: "Move to the trash" }));
  await screen.findByText("2 documents were not moved. You may not do that.");
  expect(listed()).toHaveLength(2);
});

test("in the trash, several are restored, or deleted after a question", async () => {
  const backend = server().with("One", "Two", "Three").trash("One").trash("Two").trash("Three");
  openPage(backend, "trash");
  fireEvent.click(await box("One"));
  fireEvent.click(screen.getByRole("button", { name: "Restore" }));
  await waitFor(() => expect(backend.titles()).toEqual(["One"]));
  fireEvent.click(await box("Two"));
  fireEvent.click(await box("Three"));
  fireEvent.click(screen.getByRole("button", { name: "Delete for ever…" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Delete for ever?" }));
  fireEvent.click(dialog.getByRole("button", { name: "Delete for ever" }));
  await waitFor(() => expect(backend.titles(true)).toEqual([]));
  await screen.findByText("2 documents were deleted.");
});
