/** Refusals of the server in the interface's language: by their code, and in the server's words where the page has none. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";

beforeEach(() => vi.resetModules());
afterEach(() => localStorage.clear());

async function wordsIn(language: string, code: string) {
  localStorage.setItem("manyhands:language", language);
  const { refusalWords } = await import("../../src/api/refusals");
  return refusalWords({ code, message: "Three pages are too many." });
}

it("are the server's own words in English, which are more exact", async () => {
  expect(await wordsIn("en", "too_many")).toBe("Three pages are too many.");
});

it("are said by their code in German", async () => {
  expect(await wordsIn("de", "too_many")).toMatch(/^Es ist zu viel auf einmal geöffnet/);
});

it("are the server's own words for a code that this page does not know", async () => {
  expect(await wordsIn("de", "toString")).toBe("Three pages are too many.");
});
