/** What a browser is told before the application runs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import page from "../../index.html?raw";
import early from "../../public/early.js?raw";
import { earlyWords, withEarly } from "../../src/api/early";
import { LANGUAGES } from "../../src/i18n/language";

const FILES = "/assets/EditorPage.css /assets/EditorPage.js /assets/writing.js";
const CATALOGUES = "de=/assets/de.js fr=/assets/fr.js";

// Vitest gives no styles to tests.
const styles = readFileSync(join(import.meta.dirname, "../../src/app/early.css"), "utf8");

beforeEach(() => {
  document.head.replaceChildren();
  vi.stubGlobal("fetch", vi.fn().mockRejectedValue(new TypeError("There is no server")));
});
afterEach(() => {
  vi.unstubAllGlobals();
  document.body.replaceChildren();
  delete window.manyhandsEarly;
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
  return fetched();
}

function fetched(): readonly (string | null)[] {
  return [...document.head.querySelectorAll("link")].map(
    (link) => `${link.rel} ${link.getAttribute("href")}`,
  );
}

const EDITOR = [
  "preload /assets/EditorPage.css",
  "modulepreload /assets/EditorPage.js",
  "modulepreload /assets/writing.js",
];

test("the editor's code is fetched at once for a document whose words nobody asks for", async () => {
  arriveAt("/d/abcdefgh", FILES);
  await vi.waitFor(() => expect(fetched()).toEqual(EDITOR));
  document.head.replaceChildren();
  Object.defineProperty(navigator, "serviceWorker", { configurable: true, value: { controller: {} } });
  expect(arriveAt("/d/abcdefgh", FILES)).toEqual(EDITOR);
  Reflect.deleteProperty(navigator, "serviceWorker");
});

test("the editor's code comes behind the words, and does not wait long for them", async () => {
  vi.useFakeTimers();
  const answers: ((answer: Response) => void)[] = [];
  vi.stubGlobal("fetch", () => new Promise((answer) => answers.push(answer)));
  document.body.innerHTML = '<div class="early-sheet"><span></span></div>';
  expect(arriveAt("/d/abcdefgh", FILES)).toEqual([]);
  answers[0]?.(Response.json({ kind: "guest" }));
  await vi.advanceTimersByTimeAsync(0);
  expect(fetched()).toEqual([]);
  answers[1]?.(new Response(CONTENT));
  await vi.advanceTimersByTimeAsync(0);
  expect(document.querySelector(".early-sheet")?.textContent).toContain("and cake");
  expect(fetched()).toEqual(EDITOR);

  document.head.replaceChildren();
  expect(arriveAt("/d/abcdefgh", FILES)).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(fetched()).toEqual(EDITOR);
  vi.useRealTimers();
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

const CONTENT = `<!doctype html><title>T</title><body><h1>Tea</h1><script>document.title = "run"</script>
<figure><img src="/api/documents/abcdefgh/attachments/0"></figure><p>and <b>cake</b></p></body>`;

/** Answers as a server that knows who asks, and lets them read or not. */
function serverThatLetsRead(isLet: boolean) {
  const asked: string[] = [];
  const answer = (url: string) => {
    asked.push(url);
    if (url === "/api/me") return Response.json({ kind: "guest" });
    return isLet ? new Response(CONTENT) : Response.json({ error: { code: "not_found" } }, { status: 404 });
  };
  vi.stubGlobal(
    "fetch",
    vi.fn(async (url: string) => answer(url)),
  );
  return asked;
}

test("a first visit shows the document's words before the editor's code is there, without what could run or load", async () => {
  const asked = serverThatLetsRead(true);
  document.body.innerHTML = '<div class="early-sheet"><span></span></div>';
  arriveAt("/d/abcdefgh/tea", FILES);
  await vi.waitFor(() => expect(document.querySelector(".early-sheet")?.textContent).toContain("and cake"));
  expect(asked).toEqual(["/api/me", "/api/documents/abcdefgh/content?as=html&blocks=60"]);
  expect(document.querySelector(".early-sheet :is(img, script, span)")).toBeNull();
  expect(earlyWords()?.querySelector("h1")?.textContent).toBe("Tea");
  window.history.replaceState(null, "", "/d/another-one");
  expect(earlyWords(), "another document has none").toBeNull();
});

test("the page's shape has its styles in the page, and no script holds it up but the one that knows the theme", () => {
  const seen = new DOMParser().parseFromString(page, "text/html");
  const blocking = [...seen.querySelectorAll("script:not([async]):not([type=module])")];
  expect(blocking.map((script) => script.getAttribute("src"))).toEqual(["/theme.js"]);
  expect(seen.querySelectorAll("head link[rel=stylesheet]")).toHaveLength(0);
});

test("whoever may not read sees the shape of a page", async () => {
  const asked = serverThatLetsRead(false);
  document.body.innerHTML = '<div class="early-sheet"><span></span></div>';
  arriveAt("/d/abcdefgh", FILES);
  await vi.waitFor(() => expect(asked).toHaveLength(2));
  await new Promise((resolve) => setTimeout(resolve));
  expect(document.querySelector(".early-sheet span")).not.toBeNull();
  expect(earlyWords()).toBeNull();
});

test("the list, and a page that works offline already, ask nothing early", () => {
  arriveAt("/", FILES);
  Object.defineProperty(navigator, "serviceWorker", { configurable: true, value: { controller: {} } });
  arriveAt("/d/abcdefgh", FILES);
  Reflect.deleteProperty(navigator, "serviceWorker");
  expect(fetch).not.toHaveBeenCalled();
});

test("who this is, is asked once, and again if there was no answer", async () => {
  serverThatLetsRead(true);
  arriveAt("/d/abcdefgh", FILES);
  const network = vi.fn(async () => Response.json({ kind: "asked again" }));
  const call = withEarly(network);
  expect(await (await call("/api/me", { method: "GET" })).json()).toEqual({ kind: "guest" });
  expect(await (await call("/api/me", { method: "GET" })).json()).toEqual({ kind: "asked again" });
  window.manyhandsEarly = { path: "/", me: Promise.reject(new TypeError("cut off")) };
  expect(await (await call("/api/me", { method: "GET" })).json()).toEqual({ kind: "asked again" });
});
