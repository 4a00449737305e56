/** The theme: chosen, kept, the same in every tab. */
import { afterEach, expect, test, vi } from "vitest";
import bootstrap from "../../public/theme.js?raw";
import { createTheme, THEME_KEY } from "../../src/ui/theme";

afterEach(() => {
  vi.restoreAllMocks();
  localStorage.clear();
  delete document.documentElement.dataset.theme;
});

const shown = () => document.documentElement.dataset.theme;

test("follows the system until somebody chooses", () => {
  const theme = createTheme(window);
  expect([theme.choice(), shown()]).toEqual(["system", undefined]);
  theme.choose("dark");
  expect([theme.choice(), shown()]).toEqual(["dark", "dark"]);
  theme.choose("system");
  expect(shown()).toBeUndefined();
});

test("a choice outlives the page", () => {
  createTheme(window).choose("light");
  delete document.documentElement.dataset.theme;
  expect(createTheme(window).choice()).toBe("light");
  expect(shown()).toBe("light");
});

test("another tab's choice arrives", () => {
  const theme = createTheme(window);
  let told = 0;
  theme.subscribe(() => {
    told += 1;
  });
  localStorage.setItem(THEME_KEY, "dark");
  window.dispatchEvent(new StorageEvent("storage", { key: THEME_KEY }));
  expect([theme.choice(), told]).toEqual(["dark", 1]);
});

test("nonsense in the storage counts as no choice", () => {
  localStorage.setItem(THEME_KEY, "<script>");
  expect(createTheme(window).choice()).toBe("system");
});

test("the file that runs before the first paint knows the same key and attribute", () => {
  expect(bootstrap).toContain(`"${THEME_KEY}"`);
  expect(bootstrap).toContain("documentElement.dataset.theme");
});

test("the same file puts in the application's styles, and says when each is there or cannot be had", async () => {
  const dataset = { styles: "/assets/base.css /assets/index.css" };
  const links: HTMLLinkElement[] = [];
  vi.spyOn(document.head, "append").mockImplementation((link) => void links.push(link as HTMLLinkElement));
  Object.defineProperty(document, "currentScript", { configurable: true, value: { dataset } });
  new Function(bootstrap)();
  Reflect.deleteProperty(document, "currentScript");
  expect(links.map((link) => `${link.rel} ${link.getAttribute("href")}`)).toEqual([
    "stylesheet /assets/base.css",
    "stylesheet /assets/index.css",
  ]);
  links[0]?.dispatchEvent(new Event("load"));
  links[1]?.dispatchEvent(new Event("error"));
  await expect(Promise.all(window.manyhandsStyles ?? [])).resolves.toHaveLength(2);
  delete window.manyhandsStyles;
});
