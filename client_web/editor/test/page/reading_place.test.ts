/**
 * A line is found again after a change of somebody else's: by its place, or by its words where the
 * change is around it.
 */

import { documentSchema } from "@manyhands/schema";
import { createDocument } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import { expect, test } from "vitest";
import { changeBetween } from "../../src/extensions/reading_place";

const schema = documentSchema();

const lines = (...texts: readonly string[]) =>
  createDocument(texts.map((text) => `<p>${text}</p>`).join(""), schema);

function placeOf(doc: Node, text: string): number {
  let found = -1;
  doc.forEach((node, at) => {
    if (node.textContent === text) found = at;
  });
  return found;
}

test.each([
  ["lines come above", ["a", "b", "read"], ["a", "new", "b", "new", "read"]],
  ["a line grows above", ["a", "b", "read"], ["a longer", "b", "read"]],
  ["lines go above", ["a", "b", "c", "read"], ["a", "read"]],
  ["lines come and go on both sides", ["a", "b", "read", "c", "d"], ["b", "x", "read", "y", "c"]],
  ["it changes below", ["a", "read", "b"], ["a", "read", "b", "c"]],
  ["nothing changes", ["a", "read"], ["a", "read"]],
])("where %s", (_name, before, after) => {
  const [old, now] = [lines(...before), lines(...after)];
  expect(changeBetween(old, now).find(placeOf(old, "read"))).toBe(placeOf(now, "read"));
});

test("a line that somebody writes in is found, from wherever they write", () => {
  const old = lines("a", "read", "b");
  for (const text of ["reader", "I read", "re-ad", "red"]) {
    const now = lines("a", text, "b");
    expect(changeBetween(old, now).find(placeOf(old, "read"))).toBe(placeOf(now, text));
  }
});

test("a line that is gone, or there twice, is not found", () => {
  const old = lines("a", "read", "b");
  expect(changeBetween(old, lines("x", "y", "z")).find(placeOf(old, "read"))).toBeNull();
  expect(changeBetween(old, lines("x", "read", "y", "read", "z")).find(placeOf(old, "read"))).toBeNull();
});

test("a change begins where it begins", () => {
  const old = lines("read", "b");
  expect(changeBetween(old, lines("read", "b", "c")).start).toBeGreaterThan(placeOf(old, "b"));
});
