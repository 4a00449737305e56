/** The title in a page's address. */
import { expect, test } from "vitest";
import { slugOf } from "../../src/page/useTitledAddress";

test.each([
  ["Minutes of May 2nd", "minutes-of-may-2nd"],
  ["  Äpfel & Crème brûlée! ", "apfel-creme-brulee"],
  ["会議メモ", "会議メモ"],
  ["?!/#", ""],
  ["Untitled document", ""],
  ["x".repeat(100), "x".repeat(60)],
])("of “%s” is “%s”", (title, slug) => {
  expect(slugOf(title)).toBe(slug);
});
