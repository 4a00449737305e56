/** What the page derives from the text and from who is there. */

import { documentSchema } from "@manyhands/schema";
import { describe, expect, test } from "vitest";
import type { Catalogue } from "../../src/i18n/language";
import { readOnlyFor } from "../../src/page/access";
import { countsOf, countsOfDocument, readingMinutes, textBetween } from "../../src/page/counts";
import { isNamed, loadPerson, savePerson } from "../../src/page/identity";
import { keysFor } from "../../src/page/keys";
import { outlineOf } from "../../src/page/outline";
import { fittingIn } from "../../src/page/toolbar/useFitting";
import { peopleIn } from "../../src/page/usePeople";
import { SAVED } from "./openDocument";

const schema = documentSchema();
const catalogues = Object.values(
  import.meta.glob<Catalogue>(["../../src/i18n/*.json", "!**/refusals.*"], {
    eager: true,
    import: "default",
  }),
);
const text = (words: string) => (words ? [schema.text(words)] : []);
const paragraph = (words: string) => schema.node("paragraph", null, text(words));
const heading = (level: number, words: string) => schema.node("heading", { level }, text(words));

describe("outline", () => {
  test("names the headings that say something, wherever they are", () => {
    const quote = schema.node("blockquote", null, [heading(3, "Inner")]);
    const doc = schema.node("doc", null, [heading(1, "Top"), paragraph("x"), heading(2, "  "), quote]);
    expect(outlineOf(doc)).toEqual([
      { at: 0, text: "Top", depth: 0 },
      { at: 13, text: "Inner", depth: 1 },
    ]);
  });

  test("indents by the levels in use", () => {
    const doc = schema.node("doc", null, [heading(2, "a"), heading(4, "b"), heading(2, "c")]);
    expect(outlineOf(doc).map(({ depth }) => depth)).toEqual([0, 1, 0]);
  });
});

describe("counts", () => {
  test.each([
    ["", 0],
    ["one two  three", 3],
    ["don't re-do 3.5 km", 4],
    ["日本語", 3],
    ["Привет, мир!", 2],
    ["naïve café", 2],
    ["— … !", 0],
  ])("%j has %i words", (words, expected) => {
    expect(countsOf(words).words).toBe(expected);
  });

  test("characters are counted as people do, line ends not at all", () => {
    expect(countsOf("a 😀\nb")).toEqual({ words: 2, characters: 4, charactersWithoutSpaces: 3 });
  });

  test("blocks and line breaks part words", () => {
    const lines = schema.node("paragraph", null, [...text("c"), schema.node("hardBreak"), ...text("d")]);
    const doc = schema.node("doc", null, [paragraph("a"), paragraph("b"), lines]);
    expect(countsOf(textBetween(doc, 0, doc.content.size)).words).toBe(4);
    expect(countsOfDocument(doc)).toEqual(countsOf(textBetween(doc, 0, doc.content.size)));
  });

  test("any text takes a minute, none takes none", () => {
    expect(readingMinutes(countsOf(""))).toBe(0);
    expect(readingMinutes(countsOf("word"))).toBe(1);
    expect(readingMinutes(countsOf("word ".repeat(231)))).toBe(2);
  });
});

test("shortcuts read as on the machine", () => {
  expect(keysFor("Mod+Shift+7", false)).toBe("Ctrl+Shift+7");
  expect(keysFor("Mod+Shift+7", true)).toBe("⌘⇧7");
});

test("groups that do not fit leave room for the button that shows them", () => {
  expect(fittingIn(300, [100, 100, 100])).toBe(3);
  expect(fittingIn(299, [100, 100, 100])).toBe(2);
  expect(fittingIn(240, [100, 100, 100])).toBe(1);
  expect(fittingIn(10, [100, 100, 100])).toBe(1);
});

describe("who one is", () => {
  test("a guest at first, then whom one said", () => {
    localStorage.clear();
    const guest = loadPerson(localStorage, () => 0);
    expect(guest.name).toMatch(/^Guest /);
    expect(loadPerson(localStorage, () => 0.9)).toEqual(guest);
    savePerson(localStorage, { name: "Ann", color: "#123456" });
    expect(loadPerson(localStorage, () => 0)).toEqual({ name: "Ann", color: "#123456" });
  });

  test("damaged or absent storage makes a guest", () => {
    localStorage.setItem("manyhands:person", '{"name": 7');
    expect(loadPerson(localStorage, () => 0).name).toMatch(/^Guest /);
    expect(loadPerson(null, () => 0.5).name).toMatch(/^Guest /);
  });

  test("a guest is asked for a name, in whichever language the guest's was made", () => {
    localStorage.clear();
    const names = ["Guest {animal}", ...catalogues.map((words) => words["Guest {animal}"] ?? "")];
    for (const name of names) {
      savePerson(localStorage, { name: name.replace("{animal}", "Heron"), color: "#123456" });
      expect([name, isNamed(localStorage)]).toEqual([name, false]);
    }
    savePerson(localStorage, { name: "Ann", color: "#123456" });
    expect(isNamed(localStorage)).toBe(true);
  });
});

test("the others are told apart by person, not by tab, and malformed ones are left out", () => {
  const ann = { id: "u1", name: "Ann", color: "#112233" };
  const states = new Map<number, Record<string, unknown>>([
    [1, { user: { id: "me", name: "Me", color: "#000000" } }],
    [2, { user: ann }],
    [3, { user: ann }],
    [4, { user: { name: "Bo", color: "#445566" } }],
    [5, { user: { name: 7, color: "#445566" } }],
    [6, { user: { name: "Css", color: "red;x:y" } }],
    [7, {}],
  ]);
  expect(peopleIn({ clientID: 1, getStates: () => states })).toEqual([
    { ...ann, isSelf: false, clientIds: [2, 3] },
    { id: "4", name: "Bo", color: "#445566", isSelf: false, clientIds: [4] },
  ]);
});

test("who may write", () => {
  const foreign = [{ kind: "node", name: "poll" }] as const;
  expect(readOnlyFor(SAVED, [])).toBeNull();
  expect(readOnlyFor({ ...SAVED, role: null, status: "offline" }, [])).toBeNull();
  expect(readOnlyFor({ ...SAVED, role: "viewer" }, [])?.reason).toBe("role");
  expect(readOnlyFor({ ...SAVED, document: { title: "", trashedAt: "2027-01-01" } }, [])?.reason).toBe(
    "trashed",
  );
  expect(readOnlyFor({ ...SAVED, quarantined: true, role: "viewer" }, [])?.reason).toBe("quarantined");
  expect(readOnlyFor({ ...SAVED, closed: { code: "deleted", message: "" } }, foreign)?.reason).toBe("closed");
  expect(readOnlyFor(SAVED, foreign)?.reason).toBe("foreign");
  const readOnly = { reason: "format", message: "It can only be read here.", unknown: [] } as const;
  expect(readOnlyFor({ ...SAVED, readOnly }, foreign)).toMatchObject({ reason: "format", isOver: false });
  const closed = { code: "other_format", message: "Load the page anew." } as const;
  expect(readOnlyFor({ ...SAVED, closed }, [])).toMatchObject({ reason: "format", isOver: true });
});
