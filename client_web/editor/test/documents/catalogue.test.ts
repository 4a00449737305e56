/** What answers and actions make of the list. */
import { expect, test } from "vitest";
import type { DocumentEntry, DocumentPage } from "../../src/api/api";
import { afterEvent, type Catalogue } from "../../src/documents/catalogue";

/** A document whose id says at which minute it was edited. */
function edited(minute: number, title = ""): DocumentEntry {
  const time = new Date(minute * 60_000);
  return {
    id: `m${minute}`,
    title,
    createdAt: time,
    updatedAt: time,
    trashedAt: null,
    size: 0,
    role: null,
    owner: null,
    preview: "",
    editedBy: null,
    starred: false,
    openedAt: null,
    labels: [],
    requests: 0,
  };
}

const page = (cursor: string | null, ...minutes: readonly number[]): DocumentPage => ({
  documents: minutes.map((minute) => edited(minute)),
  cursor,
});

const listed = (...args: Parameters<typeof page>): Catalogue =>
  afterEvent({ status: "loading" }, { type: "listed", page: page(...args), query: "", order: "edited" });

const ids = (catalogue: Catalogue) =>
  catalogue.status === "ready" ? catalogue.documents.map((document) => document.id) : catalogue.status;

test("a question asked again keeps the shown list until it is answered", () => {
  expect(ids(afterEvent(listed(null, 2, 1), { type: "asked" }))).toEqual(["m2", "m1"]);
  expect(ids(afterEvent({ status: "failed", error: null }, { type: "asked" }))).toBe("loading");
});

test("a document is put where its last edit belongs, once", () => {
  const later = afterEvent(listed(null, 3, 1), { type: "put", document: edited(2) });
  expect(ids(later)).toEqual(["m3", "m2", "m1"]);
  expect(ids(afterEvent(later, { type: "put", document: edited(2, "again") }))).toEqual(["m3", "m2", "m1"]);
});

test("a late answer to a renaming adds nothing to a search that does not find it", () => {
  const found: Catalogue = afterEvent(
    { status: "loading" },
    {
      type: "listed",
      page: { documents: [edited(1, "Apples")], cursor: null },
      query: "apple",
      order: "edited",
    },
  );
  expect(ids(afterEvent(found, { type: "put", document: edited(2, "Quinces") }))).toEqual(["m1"]);
  expect(ids(afterEvent(found, { type: "put", document: edited(2, "Pineapples") }))).toEqual(["m2", "m1"]);
  expect(ids(afterEvent(found, { type: "put", document: edited(1, "Pears") }))).toEqual(["m1"]);
});

test("pages overlap when somebody edits between them, and nothing is listed twice", () => {
  const catalogue = afterEvent(listed("next", 4, 3), {
    type: "more listed",
    page: page(null, 3, 2),
    query: "",
    order: "edited",
  });
  expect(ids(catalogue)).toEqual(["m4", "m3", "m2"]);
});

test("a renewed first page replaces what it covers and keeps the pages after it", () => {
  const two = afterEvent(listed("next", 9, 8), {
    type: "more listed",
    page: page("after", 5, 4),
    query: "",
    order: "edited",
  });
  const renewed = afterEvent(two, {
    type: "refreshed",
    page: page("next", 10, 9),
    query: "",
    order: "edited",
  });
  expect(ids(renewed)).toEqual(["m10", "m9", "m8", "m5", "m4"]);
  expect(renewed.status === "ready" && renewed.cursor).toBe("after");
});

test("a renewed first page that is the whole list replaces everything", () => {
  expect(
    ids(
      afterEvent(listed("next", 9, 8), {
        type: "refreshed",
        page: page(null, 9),
        query: "",
        order: "edited",
      }),
    ),
  ).toEqual(["m9"]);
});

test("a late answer to an earlier search is ignored", () => {
  const catalogue = listed(null, 1);
  expect(
    afterEvent(catalogue, { type: "refreshed", page: page(null, 7), query: "old", order: "edited" }),
  ).toBe(catalogue);
});

test("a document is put where its list's order wants it", () => {
  const titled = (title: string) => edited(title.length, title);
  const byTitle = afterEvent(
    { status: "loading" },
    {
      type: "listed",
      page: { documents: [titled("ant"), titled("Zebra")], cursor: null },
      query: "",
      order: "title",
    },
  );
  const later = afterEvent(byTitle, { type: "put", document: { ...edited(9, "Mouse"), id: "new" } });
  expect(later.status === "ready" && later.documents.map(({ title }) => title)).toEqual([
    "ant",
    "Mouse",
    "Zebra",
  ]);
});
