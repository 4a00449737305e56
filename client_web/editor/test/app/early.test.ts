/** What a browser is told before the application runs. */
import { afterEach, beforeEach, expect, test } from "vitest";
import page from "../../index.html?raw";
import early from "../../public/early.js?raw";

const FILES = "/assets/EditorPage.css /assets/EditorPage.js /assets/writing.js";

beforeEach(() => document.head.replaceChildren());
afterEach(() => Reflect.deleteProperty(document, "currentScript"));

function arriveAt(address: string, files: string | undefined): readonly (string | null)[] {
  window.history.replaceState(null, "", address);
  const dataset = files === undefined ? {} : { editor: files };
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

test("something is to be seen without any script", () => {
  const seen = new DOMParser().parseFromString(page, "text/html").getElementById("root");
  expect(seen?.querySelector("[role=status]")?.textContent).toBe("Opening Manyhands");
  expect(seen?.querySelectorAll(".early-sheet span").length).toBeGreaterThan(3);
});
