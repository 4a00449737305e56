/** Documents that no schema foresees: the page opens each, shows its healthy words, and takes nothing out of it. */

import { documentSchema, FRAGMENT } from "@manyhands/schema";
import { act, cleanup, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as Y from "yjs";
import { foreignContent } from "../../src/extensions/foreign";
import { readDocument } from "../../src/extensions/reading";
import { readingSchema } from "../../src/extensions/schema";
import { copyOf } from "../../src/page/copies";
import { bindingFor } from "../../src/page/useDocumentEditor";
import { element, person, words, written } from "./editors";
import { MemoryProvider, openDocument, SAVED } from "./openDocument";

beforeEach(() => localStorage.clear());
afterEach(cleanup);

/** Documents from generated seeds; more with ODD_DOCUMENTS. */
const MOST = Number(process.env.ODD_DOCUMENTS ?? 48);
const BLOCK = 12;
const HEALTHY = "Healthy words.";

type Chance = () => number;
type Any = Y.XmlElement | Y.XmlText;

/** Numbers in [0, 1) that are the same for the same seed. */
function seeded(seed: number): Chance {
  let state = seed;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

function pick<T>(chance: Chance, choices: readonly T[]): T {
  return choices[Math.floor(chance() * choices.length)] as T;
}

const NAMES = [
  ...[
    "paragraph",
    "heading",
    "bulletList",
    "listItem",
    "taskItem",
    "table",
    "tableRow",
    "tableCell",
    "codeBlock",
  ],
  ...[
    "image",
    "horizontalRule",
    "hardBreak",
    "blockquote",
    "doc",
    "text",
    "__proto__",
    "constructor",
    "toString",
  ],
  ...["", " ", "poll", "<script>", "ä ö", "UNDEFINED", "x".repeat(100_000), "elsewhere", "elsewhereInline"],
];
const ATTRIBUTES = [
  "level",
  "src",
  "colspan",
  "rowspan",
  "colwidth",
  "textAlign",
  "checked",
  "start",
  "language",
];
const ODD_ATTRIBUTES = ["__proto__", "constructor", "toString", "", "label", "ychange", "style", "onclick"];
const MARKS = [
  "bold",
  "link",
  "textStyle",
  "highlight",
  "code",
  "comment",
  "ychange",
  "__proto__x",
  "link--A1b2C3d4",
  "",
];

function value(chance: Chance): unknown {
  return pick<() => unknown>(chance, [
    () => "",
    () => "javascript:alert(1)",
    () => "y".repeat(50_000),
    () => chance() * 1e9,
    () => -1,
    () => 1e308,
    () => true,
    () => ({}),
    () => ({ deep: [{ er: null }] }),
    () => [1, "two"],
    () => Uint8Array.of(1, 2, 3),
    () => undefined,
    () => new Y.Map(),
    () => new Y.Text("shared"),
    () => new Y.XmlElement("paragraph"),
  ])();
}

function plain(chance: Chance): unknown {
  const odd = value(chance);
  return odd instanceof Y.AbstractType || odd instanceof Uint8Array || odd === undefined ? null : odd;
}

function oddText(chance: Chance): Y.XmlText {
  const text = new Y.XmlText();
  text.insert(0, pick(chance, ["odd", "\u0000\uFFFF", "😀", "a\nb", " "]));
  if (chance() < 0.5)
    text.insert(0, "marked", { [pick(chance, MARKS)]: pick(chance, [plain(chance), true, "x", {}]) });
  if (chance() < 0.2)
    text.insertEmbed(0, pick<object>(chance, [{ a: 1 }, new Y.Map(), new Y.XmlElement("poll")]));
  return text;
}

function oddElement(chance: Chance, depth: number): Y.XmlElement {
  const made = new Y.XmlElement(pick(chance, NAMES));
  for (const names of [ATTRIBUTES, ODD_ATTRIBUTES]) {
    if (chance() < 0.4) made.setAttribute(pick(chance, names), value(chance) as string);
  }
  const count = depth > 4 ? 0 : Math.floor(chance() * 3);
  for (let at = 0; at < count; at++) made.insert(at, [oddChild(chance, depth + 1)]);
  return made;
}

function oddChild(chance: Chance, depth: number): Any {
  return pick<() => unknown>(chance, [
    () => oddElement(chance, depth),
    () => oddElement(chance, depth),
    () => oddText(chance),
    () => element("paragraph", [words("inner")]),
    () => new Y.Map([["k", "v"]]),
    () => Y.Array.from([1, "two"]),
    () => new Y.Text("a text"),
    () => new Y.XmlHook("hook"),
    () => new Y.XmlFragment(),
  ])() as Any;
}

/** What a program may have stored in the root that is meant for elements: bare words, values. */
function bareRoot(chance: Chance): Y.Doc {
  const doc = new Y.Doc();
  if (chance() < 0.5) doc.getText(FRAGMENT).insert(0, "bare words", { bold: true });
  else doc.getArray(FRAGMENT).insert(0, [1, "two", { three: 3 }, new Y.Map()]);
  const opened = new Y.Doc();
  Y.applyUpdate(opened, Y.encodeStateAsUpdate(doc));
  opened.getXmlFragment(FRAGMENT).push([element("paragraph", [words(HEALTHY)])]);
  return opened;
}

function oddDocument(seed: number): Y.Doc {
  const chance = seeded(seed);
  if (chance() < 0.05) return bareRoot(chance);
  return written((fragment) => {
    fragment.insert(0, [element("paragraph", [words(HEALTHY)])]);
    const count = 1 + Math.floor(chance() * 3);
    for (let at = 0; at < count; at++) fragment.insert(Math.floor(chance() * 2), [oddChild(chance, 0)]);
  });
}

function bytesOf(doc: Y.Doc): string {
  return Y.encodeStateAsUpdate(doc).join();
}

/** Open a document as the page does: with an editor or a reader's mirror, or else without a binding. */
function opened(doc: Y.Doc, readOnly: boolean) {
  const place = document.body.appendChild(document.createElement("div"));
  const provider = new MemoryProvider(
    { documentId: "abcdefgh", user: { name: "A", color: "#0369a1" }, doc },
    SAVED,
  );
  const options = {
    provider,
    place,
    readOnly,
    mended: 0,
    uploads: { documentId: null, store: null, onFailure: () => {}, tell: () => {} },
  };
  const never = (error: unknown) => expect.fail(String(error));
  const open = (isForeign: boolean) =>
    bindingFor({ ...options, isForeign, onForeign: () => {}, onCrash: never }, place);
  const binding = open(false) ?? open(true) ?? expect.fail("not opened");
  return {
    place,
    release: () => {
      binding.release();
      void provider.destroy();
      place.remove();
    },
  };
}

const blocks = Array.from({ length: Math.ceil(MOST / BLOCK) }, (_, block) => 1 + block * BLOCK);

test.each(blocks)(
  "a document of odd content opens and is left as it is: seed %i and those after it",
  async (first) => {
    for (let seed = first; seed < first + BLOCK; seed++) {
      const doc = oddDocument(seed);
      const before = bytesOf(doc);
      const { place, release } = opened(doc, seed % 3 === 0);
      expect({ seed, shown: place.textContent?.includes(HEALTHY) }).toEqual({ seed, shown: true });
      expect({ seed, same: bytesOf(doc) === before }).toEqual({ seed, same: true });
      expect((await copyOf(Y.encodeStateAsUpdate(doc), "Copy")).filename).toBe("Copy.html");
      release();
    }
  },
);

test.each(blocks)(
  "what an editor takes for its own it keeps while somebody types: seed %i and those after it",
  async (first) => {
    const schema = documentSchema();
    let bound = 0;
    for (let seed = first; seed < first + BLOCK * 10; seed++) {
      const doc = oddDocument(seed);
      const fragment = doc.getXmlFragment(FRAGMENT);
      if (foreignContent(fragment, schema).length > 0) continue;
      bound += 1;
      const kept = elementsOf(fragment);
      const { editor } = person(7, doc);
      let at = 0;
      editor.state.doc.descendants((node, position) => {
        if (node.isText && node.text === HEALTHY) at = position;
      });
      editor.commands.insertContentAt(at + 1, "typed");
      expect({ seed, words: fragment.toString().includes("typed") }).toEqual({ seed, words: true });
      expect({ seed, gone: kept.filter(({ _item }) => _item?.deleted).length }).toEqual({ seed, gone: 0 });
      editor.destroy();
    }
    expect(bound).toBeGreaterThan(0);
  },
);

function elementsOf(fragment: Y.XmlFragment): readonly Y.XmlElement[] {
  return fragment
    .toArray()
    .flatMap((child) => (child instanceof Y.XmlElement ? [child, ...elementsOf(child)] : []));
}

describe("what an editor cannot show", () => {
  test("is marked where it stands, and the rest is read", async () => {
    const doc = written((fragment) =>
      fragment.insert(0, [
        element("paragraph", [words("before")]),
        element("poll", []),
        new Y.Map() as unknown as Y.XmlElement,
        element("bulletList", [
          element("listItem", [element("paragraph", [words("in a list")]), element("poll", [])]),
        ]),
      ]),
    );
    openDocument({ doc });
    const sheet = await screen.findByRole("textbox", { name: "Document, read-only" });
    expect([...sheet.querySelectorAll(".page-elsewhere")].map((mark) => mark.textContent)).toEqual([
      "Not shown here: poll",
      "Not shown here: shared data",
      "Not shown here: poll",
    ]);
    expect(sheet.querySelector("li")?.textContent).toContain("in a list");
  });

  test("may come while somebody types, also where only a reader looks", async () => {
    for (const role of ["editor", "viewer"] as const) {
      const doc = written((fragment) => fragment.insert(0, [element("paragraph", [words(HEALTHY)])]));
      openDocument({ doc, state: { role } });
      await screen.findByText(HEALTHY);
      const others = new Y.Doc();
      Y.applyUpdate(others, Y.encodeStateAsUpdate(doc));
      others.getXmlFragment(FRAGMENT).insert(0, [new Y.Map() as unknown as Y.XmlElement]);
      others.getXmlFragment(FRAGMENT).insert(0, [element("paragraph", [words("more")])]);
      act(() => Y.applyUpdate(doc, Y.encodeStateAsUpdate(others)));
      await screen.findByText("Not shown here: shared data");
      expect(screen.getByText(HEALTHY)).toBeTruthy();
      act(() => others.getXmlFragment(FRAGMENT).insert(0, [element("paragraph", [words("and more")])]));
      act(() => Y.applyUpdate(doc, Y.encodeStateAsUpdate(others)));
      await waitFor(() => expect(screen.getByText("and more")).toBeTruthy());
      expect(bytesOf(doc)).toBe(bytesOf(others));
      cleanup();
    }
  });

  test("is bounded: many parts, deep ones, and tables whose spans multiply", () => {
    const row = (cells: number, spans: object) =>
      element(
        "tableRow",
        Array.from({ length: cells }, () => element("tableCell", [element("paragraph", [])], spans)),
      );
    const table = (rows: number, cells: number, spans: object) =>
      element(
        "table",
        Array.from({ length: rows }, () => row(cells, spans)),
      );
    let deep = element("blockquote", [element("paragraph", [words("deep")])]);
    for (let level = 0; level < 250; level++) deep = element("blockquote", [deep]);
    const kinds: readonly (readonly [string, readonly Y.XmlElement[]])[] = [
      ["too large a table", [table(1, 1000, { colspan: 1000 })]],
      ["too large a table", [table(400, 12, { colspan: 64, rowspan: 64 })]],
      ["too many levels", [deep]],
      ["too many parts", Array.from({ length: 120_000 }, () => element("paragraph", []))],
    ];
    for (const [name, parts] of kinds) {
      const fragment = written((root) => root.insert(0, [...parts])).getXmlFragment(FRAGMENT);
      expect(foreignContent(fragment, documentSchema())).toContainEqual({ kind: "structure", name });
      expect(readDocument(fragment, readingSchema()).nodeSize).toBeLessThan(20_000);
    }
    const honest = written((root) => root.insert(0, [table(200, 12, { colspan: 2 })]));
    expect(foreignContent(honest.getXmlFragment(FRAGMENT), documentSchema())).toEqual([]);
  });
});
