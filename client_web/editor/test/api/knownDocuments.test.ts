/** The list of documents that this browser has opened. */
import { afterEach, expect, test } from "vitest";
import {
  forgetDocument,
  knownDocuments,
  rememberDocument,
  rememberedRole,
} from "../../src/api/knownDocuments";

afterEach(() => localStorage.clear());

const titles = () => knownDocuments().map((known) => known.title);

test("the last one opened is on top, once, under its newest title", () => {
  rememberDocument("document-1", "Plan", null, 1);
  rememberDocument("document-2", "Notes", null, 2);
  rememberDocument("document-1", "Better plan", null, 3);
  expect(titles()).toEqual(["Better plan", "Notes"]);
});

test("a forgotten document is gone", () => {
  rememberDocument("document-1", "Plan", null, 1);
  forgetDocument("document-1");
  expect(titles()).toEqual([]);
});

test("the list stays small", () => {
  for (let number = 0; number < 120; number += 1) rememberDocument(`document-${number}`, "", null, number);
  expect(knownDocuments()).toHaveLength(100);
  expect(knownDocuments()[0]?.id).toBe("document-119");
});

test("the same list is the same object, as React asks", () => {
  rememberDocument("document-1", "Plan", null, 1);
  expect(knownDocuments()).toBe(knownDocuments());
});

test.each(["{", '{"a": 1}', '[null, 3, {"id": 5}]'])(
  "what somebody else stored there is ignored: %s",
  (text) => {
    localStorage.setItem("manyhands:known-documents", text);
    expect(titles()).toEqual([]);
  },
);

test("a role is kept until another is known", () => {
  rememberDocument("document-1", "Plan", "viewer");
  rememberDocument("document-1", "Better plan", null);
  expect([rememberedRole("document-1"), rememberedRole("document-2")]).toEqual(["viewer", null]);
  rememberDocument("document-1", "Better plan", "editor");
  expect(rememberedRole("document-1")).toBe("editor");
});
