/** The language of a document, which its writers share. */
import { FRAGMENT, SETTINGS } from "@manyhands/schema";
import { expect, test } from "vitest";
import * as Y from "yjs";
import { copyOf } from "../../src/page/copies";
import { chooseLanguageOf, languageOf, languagesFor } from "../../src/page/documentLanguage";

function exchange(one: Y.Doc, other: Y.Doc): void {
  Y.applyUpdate(other, Y.encodeStateAsUpdate(one));
  Y.applyUpdate(one, Y.encodeStateAsUpdate(other));
}

test("two people who choose apart from one another agree when they meet", () => {
  const [alice, bob] = [new Y.Doc(), new Y.Doc()];
  expect(languageOf(alice)).toBeNull();
  chooseLanguageOf(alice, "de");
  exchange(alice, bob);
  expect(languageOf(bob)).toBe("de");

  chooseLanguageOf(alice, "fr");
  chooseLanguageOf(bob, "pt-BR");
  exchange(alice, bob);
  expect(languageOf(alice)).toBe(languageOf(bob));
  expect(["fr", "pt-BR"]).toContain(languageOf(alice));

  chooseLanguageOf(bob, null);
  exchange(alice, bob);
  expect(languageOf(alice)).toBeNull();
});

test.each([["two words"], [""], [7], [null]])("%j is no language", (value) => {
  const doc = new Y.Doc();
  doc.getMap(SETTINGS).set("language", value);
  expect(languageOf(doc)).toBeNull();
});

test("languages are offered by their own names, the browser's first, and the chosen one among them", () => {
  const offered = languagesFor("gsw-CH");
  expect(offered.slice(0, navigator.languages.length).map(({ tag }) => tag)).toEqual(navigator.languages);
  const names = new Map(offered.map(({ tag, name }) => [tag, name]));
  expect([names.get("de"), names.get("fr"), names.get("ja")]).toEqual(["Deutsch", "Français", "日本語"]);
  expect(names.has("gsw-CH")).toBe(true);
  expect(names.size).toBe(offered.length);
});

test("a downloaded copy says its language", async () => {
  const doc = new Y.Doc();
  doc.getXmlFragment(FRAGMENT).push([new Y.XmlElement("paragraph")]);
  chooseLanguageOf(doc, "fr");
  const { content } = await copyOf(Y.encodeStateAsUpdate(doc), "Lettre");
  expect(await content.text()).toContain('<html lang="fr">');
});
