/** What a browser is told before the application runs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import page from "../../index.html?raw";
import early from "../../public/early.js?raw";
import { LANGUAGES } from "../../src/i18n/language";

const FILES = "/assets/EditorPage.css /assets/EditorPage.js /assets/writing.js";
const CATALOGUES = "de=/assets/de.js fr=/assets/fr.js";

// Vitest gives no styles to tests.
const styles = readFileSync(join(import.meta.dirname, "../../src/app/early.css"), "utf8");

beforeEach(() => document.head.replaceChildren());
afterEach(() => {
  Reflect.deleteProperty(document, "currentScript");
  localStorage.clear();
  vi.restoreAllMocks();
  document.documentElement.lang = "";
});

function arriveAt(address: string, editor: string | undefined): readonly (string | null)[] {
  window.history.replaceState(null, "", address);
  const dataset = editor === undefined ? {} : { editor, catalogues: CATALOGUES };
  Object.defineProperty(document, "currentScript", { configurable: true, value: { dataset } });
  new Function(early)();
  return [...document.head.querySelectorAll("link")].map(
    (link) => `${link.rel} ${link.getAttribute("href")}`,
  );
}

test("the editor's code is fetched at once for a document", () => {
  expect(arriveAt("/d/abcdefgh", FILES)).toEqual([
    "preload /assets/EditorPage.css",
    "modulepreload /assets/EditorPage.js",
    "modulepreload /assets/writing.js",
  ]);
});

test("the list of documents does not wait for the editor", () => {
  expect(arriveAt("/", FILES)).toEqual([]);
});

test("a page that no build has filled in goes without", () => {
  expect(arriveAt("/d/abcdefgh", undefined)).toEqual([]);
});

test("words of another language are fetched at once, and the page says which language it is in", () => {
  vi.spyOn(navigator, "languages", "get").mockReturnValue(["pl", "de-CH", "en"]);
  expect(arriveAt("/", FILES)).toEqual(["modulepreload /assets/de.js"]);
  expect(document.documentElement.lang).toBe("de");
});

test("a chosen language comes before the browser's", () => {
  localStorage.setItem("manyhands:language", "fr");
  expect(arriveAt("/d/abcdefgh", FILES)[0]).toBe("modulepreload /assets/fr.js");
  localStorage.setItem("manyhands:language", "en");
  document.head.replaceChildren();
  vi.spyOn(navigator, "languages", "get").mockReturnValue(["de"]);
  expect(arriveAt("/", FILES)).toEqual([]);
  expect(document.documentElement.lang).toBe("en");
});

test("something is to be seen and heard without any script, in each language", () => {
  const seen = new DOMParser().parseFromString(page, "text/html").getElementById("root");
  const heard = [...(seen?.querySelectorAll("[role=status]") ?? [])].map((each) => each.getAttribute("lang"));
  expect(heard).toEqual(Object.keys(LANGUAGES));
  for (const language of heard)
    expect(styles).toContain(`:root:not([lang="${language}"]) .early [lang="${language}"]`);
  expect(seen?.querySelectorAll(".early-sheet span").length).toBeGreaterThan(3);
});
