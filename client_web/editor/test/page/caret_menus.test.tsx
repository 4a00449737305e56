/** Menus at the caret: what “/”, “@” and “:” find, by keys alone, and how they are left. */

import { act, cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import type { Editor } from "@tiptap/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { XmlElement, XmlText } from "yjs";
import { daysFor, isoOf, ofIso } from "../../src/features/inserting/days";
import { EMOJI, emojiFor } from "../../src/features/inserting/emojiChoices";
import { element, words, written } from "./editors";
import { anyDocument, type OpenPage, openDocument } from "./openDocument";

let page: OpenPage;
let sheet: HTMLElement & { readonly editor?: Editor };

beforeEach(async () => {
  localStorage.clear();
  const doc = written((fragment) => fragment.insert(0, [element("paragraph", [words("and/or")])]));
  page = openDocument({ doc, answer: answering });
  sheet = await screen.findByRole("textbox", { name: "Document" });
});

afterEach(cleanup);

/** Ben has access, and there is a document with a title of two words. */
function answering({ path }: { readonly path: string }): Response {
  const user = { id: "ben", name: "Ben Okri", color: "#0369a1" };
  if (path.endsWith("/people")) {
    const people = [{ user, email: null, role: "editor", via: "grant" }];
    return Response.json({ people, link: { role: null, address_alone: false, url: null } });
  }
  if (path.includes("query=")) {
    const entry = {
      id: "boatplan",
      title: "Boat plan",
      created_at: "",
      updated_at: "",
      trashed_at: null,
      size: 1,
    };
    return Response.json({ documents: [entry], cursor: null });
  }
  return anyDocument();
}

function editor(): Editor {
  if (!sheet.editor) throw new Error("The sheet has no editor");
  return sheet.editor;
}

/** Types letter by letter at the end of the text. */
function types(letters: string): void {
  act(() => {
    editor().commands.focus("end");
    for (const letter of letters) editor().commands.insertContent({ type: "text", text: letter });
  });
}

const press = (key: string) => act(() => fireEvent.keyDown(sheet, { key }));
const labels = () => screen.queryAllByRole("option").map((option) => option.textContent);
const shown = () =>
  editor()
    .getHTML()
    .replaceAll(/ (target|rel|dir)="[^"]*"/g, "");

test("“/” behind a blank finds blocks by other words, too, and takes what was typed away", async () => {
  types(" /toggle");
  const list = await screen.findByRole("listbox", { name: "Insert" });
  expect(labels()).toEqual(["Collapsible section"]);
  expect(sheet.getAttribute("aria-controls")).toBe(list.id);
  expect(sheet.getAttribute("aria-activedescendant")).toBe(screen.getByRole("option").id);
  press("Escape");
  expect(screen.queryByRole("listbox")).toBeNull();
  expect(sheet.hasAttribute("aria-activedescendant")).toBe(false);
  expect(editor().getText()).toBe("and/or /toggle");
  types(" /head 2");
  await screen.findByRole("listbox");
  press("Enter");
  expect(shown()).toBe("<h2>and/or /toggle </h2>");
});

test("“/” opens no menu within words, in words that were there, nor in code", async () => {
  types("/h");
  act(() => {
    editor().commands.setContent("<p>either / or</p><pre><code>x</code></pre>");
    editor().commands.setTextSelection(9);
  });
  types(" /");
  expect(screen.queryByRole("listbox")).toBeNull();
  act(() => {
    editor().commands.setTextSelection(12);
    editor().commands.insertContent(" /");
  });
  expect(await screen.findByRole("listbox", { name: "Insert" })).toBeDefined();
});

test("the arrow keys go around, and letters that find nothing close the menu", async () => {
  types(" /call");
  await screen.findByRole("listbox");
  expect(labels()).toEqual(["Note", "Tip", "Warning"]);
  press("ArrowUp");
  expect(screen.getByRole("option", { selected: true }).textContent).toBe("Warning");
  press("Tab");
  expect(shown()).toBe(
    '<div data-type="callout" data-kind="warning" role="note" aria-label="Warning"><p>and/or </p></div>',
  );
  types(" /nothing of this name");
  await waitFor(() => expect(screen.queryByRole("listbox")).toBeNull());
});

test("“@” finds who has access, documents by their title, and days", async () => {
  types(" @be");
  const ben = await screen.findByRole("option", { name: "Ben Okri" });
  fireEvent.click(ben);
  expect(editor().getText()).toBe("and/or @Ben Okri ");
  types("@boat p");
  fireEvent.click(await screen.findByRole("option", { name: "Boat plan" }));
  expect(shown()).toContain('<a href="/d/boatplan">Boat plan</a> </p>');
  types("@today");
  fireEvent.click(await screen.findByRole("option", { name: /^Today/ }));
  expect(editor().getText()).toContain(
    `Boat plan ${daysFor("today", new Date(), navigator.language)[0]?.text} `,
  );
  expect(page.requests.some(({ path }) => path.endsWith("/abcdefgh/people"))).toBe(true);
});

test("days are understood by name and as dates", () => {
  const monday = new Date(2027, 0, 4, 12);
  const found = (query: string) => daysFor(query, monday, "en-GB").map(({ text }) => text);
  expect(found("tom")).toEqual(["5 January 2027"]);
  expect(found("monday")).toEqual(["11 January 2027"]);
  expect(found("next tue")).toEqual(["5 January 2027"]);
  expect(found("2027-02-28")).toEqual(["28 February 2027"]);
  expect(found("24.12.")).toEqual(["24 December 2027"]);
  expect(found("2027-02-30")).toEqual([]);
  for (const day of ["2027-01-31", "0099-12-01"]) expect(isoOf(ofIso(day) ?? monday)).toBe(day);
});

test("a day is chosen in the browser's own calendar, from “@” and from “/”", async () => {
  const field = () => screen.findByLabelText<HTMLInputElement>("Date");
  types(" @choo");
  fireEvent.click(await screen.findByRole("option", { name: /Choose a date…/ }));
  const first = await field();
  await waitFor(() => expect(document.activeElement === first).toBe(true));
  expect((await field()).value).toBe(isoOf(new Date()));
  fireEvent.change(await field(), { target: { value: "" } });
  expect((await field()).form?.querySelector("button")?.disabled).toBe(true);
  fireEvent.change(await field(), { target: { value: "2027-01-31" } });
  fireEvent.submit(await field());
  await waitFor(() => expect(screen.queryByLabelText("Date")).toBeNull());
  const written = new Date(2027, 0, 31).toLocaleDateString(navigator.language, { dateStyle: "long" });
  expect(editor().getText()).toBe(`and/or ${written} `);
  types("/calendar");
  press("Enter");
  fireEvent.keyDown(await field(), { key: "Escape" });
  await waitFor(() => expect(screen.queryByLabelText("Date")).toBeNull());
  expect(editor().getText()).toBe(`and/or ${written} `);
});

test("the question for a day stays while others write, and goes with the cursor", async () => {
  types(" /calendar");
  press("Enter");
  await screen.findByLabelText("Date");
  act(() => {
    const paragraph = page.provider().doc.getXmlFragment("default").get(0) as XmlElement;
    (paragraph.get(0) as XmlText).insert(0, "ab ");
  });
  expect(screen.getByLabelText("Date")).toBeTruthy();
  act(() => void editor().commands.setTextSelection(1));
  await waitFor(() => expect(screen.queryByLabelText("Date")).toBeNull());
});

test("“:” finds emoji by name and by words for them", async () => {
  types(" :tada");
  fireEvent.click(await screen.findByRole("option", { name: "party popper" }));
  expect(editor().getText()).toBe("and/or 🎉");
  const all = [
    { sign: "🐈", name: "cat", words: ["cat", "animal", "meow"] },
    { sign: "😺", name: "grinning cat", words: ["grinning_cat", "animal", "cat"] },
    { sign: "🚋", name: "tram car", words: ["tram_car", "catenary"] },
  ];
  expect(emojiFor("cat", all).map(({ sign }) => sign)).toEqual(["🐈", "😺", "🚋"]);
});

test("German emoji are found by German words, and by English ones as well", async () => {
  const all = await EMOJI.de();
  const found = (query: string) => emojiFor(query, all).map(({ name }) => name);
  expect(found("rotes_herz")).toEqual(["rotes Herz"]);
  expect(found("red_heart")).toEqual(["rotes Herz"]);
  expect(found("katzengesicht")).toContain("Katzengesicht");
  expect(found("deutschland")).toEqual(["Flagge: Deutschland"]);
  expect(found("hö").length).toBeGreaterThan(0);
});
