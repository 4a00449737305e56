/** Documents that are made from templates and from one another. */
import { documentSchema } from "@manyhands/schema";
import { expect, test } from "vitest";
import { createApi } from "../../src/api/api";
import { TEMPLATES } from "../../src/documents/templates";
import { chooseLanguageOf, languageOf } from "../../src/page/documentLanguage";
import { duplicate, makeFromTemplate } from "../../src/page/making";
import { templateText } from "../../src/page/templateTexts";
import type { Opening } from "../../src/page/useProvider";
import { element, words, written } from "./editors";
import { MemoryProvider, SAVED } from "./openDocument";

/** A server on which the document "original" has words, and each new one is called "new-one". */
function house() {
  const opened: MemoryProvider[] = [];
  const titles: string[] = [];
  const api = createApi(async (_path, { body }) => {
    titles.push((JSON.parse(String(body)) as { title: string }).title);
    return new Response(JSON.stringify({ id: "new-one", title: "" }), { status: 201 });
  });
  const original = written((fragment) => fragment.insert(0, [element("paragraph", [words("Hello")])]));
  chooseLanguageOf(original, "fr");
  const open = (opening: Opening) => {
    const isOriginal = opening.documentId === "original";
    const provider = new MemoryProvider(isOriginal ? { ...opening, doc: original } : opening, SAVED);
    opened.push(provider);
    return provider;
  };
  const newOne = () => opened.find(({ documentId }) => documentId === "new-one");
  return { api, open, titles, newOne };
}

test.each(TEMPLATES)(
  "a document from the template “$title” is sound, and has its title",
  async ({ name, title }) => {
    documentSchema().nodeFromJSON(templateText(name)).check();
    const { api, open, titles, newOne } = house();
    expect(await makeFromTemplate(api, name, open)).toEqual({ id: "new-one" });
    expect(titles).toEqual([title]);
    expect(newOne()?.doc.getXmlFragment("default").length).toBeGreaterThan(5);
  },
);

test("a copy has the words and the language of the original, and says of what it is one", async () => {
  const { api, open, titles, newOne } = house();
  expect(await duplicate(api, { id: "original", title: "Plan" }, open)).toEqual({ id: "new-one", loss: "" });
  expect(titles).toEqual(["Plan (copy)"]);
  expect(newOne()?.doc.getXmlFragment("default").toString()).toContain("Hello");
  const copy = newOne()?.doc;
  expect(copy && languageOf(copy)).toBe("fr");
});
