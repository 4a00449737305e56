/**
 * Sections are on the screen only: a view with them shows, finds and reads the same as one without.
 */

import { documentSchema } from "@manyhands/schema";
import type { Node } from "@tiptap/pm/model";
import { EditorState, Plugin, TextSelection, type Transaction } from "@tiptap/pm/state";
import { Decoration, DecorationSet, EditorView } from "@tiptap/pm/view";
import { expect, test } from "vitest";
import { assigned, sections } from "../../src/extensions/sections";

const schema = documentSchema();
const line = (text: string): Node => schema.node("paragraph", null, text ? [schema.text(text)] : []);
const linesOf = (count: number, name = "line"): Node[] =>
  Array.from({ length: count }, (_, at) => line(`${name} ${at}`));

function viewOf(blocks: readonly Node[], plugins: readonly Plugin[] = []): EditorView {
  const place = document.body.appendChild(document.createElement("div"));
  const state = EditorState.create({ doc: schema.node("doc", null, [...blocks]), plugins: [...plugins] });
  return new EditorView(place, { state });
}

const divided = (blocks: readonly Node[], plugins: readonly Plugin[] = []) =>
  viewOf(blocks, [sections(), ...plugins]);

function lengthsOf({ dom }: EditorView): readonly number[] {
  return [...dom.children].map((section) => {
    expect(section.className).toBe("page-section");
    return section.children.length;
  });
}

function change(view: EditorView, make: (tr: Transaction) => Transaction): void {
  view.dispatch(make(view.state.tr));
}

const startOf = ({ state: { doc } }: EditorView, index: number) =>
  doc.content.content.slice(0, index).reduce((at, { nodeSize }) => at + nodeSize, 0);

test("a long document stands in sections, a short one in one", () => {
  expect(lengthsOf(divided(linesOf(3)))).toEqual([3]);
  const lengths = lengthsOf(divided(linesOf(300)));
  expect(lengths.length).toBeGreaterThan(5);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(64);
});

test("a section of long blocks is short", () => {
  const lengths = lengthsOf(divided(Array.from({ length: 20 }, () => line("word ".repeat(1_000)))));
  expect(Math.max(...lengths)).toBeLessThan(10);
});

test("typing in the first line of a section, and in the last one of another, moves no element", () => {
  const view = divided(linesOf(200));
  const before = [...view.dom.querySelectorAll("p")];
  const [first = 0, second = 0] = lengthsOf(view);
  change(view, (tr) =>
    tr.insertText("x", startOf(view, first + second) - 1).insertText("y", startOf(view, first) + 1),
  );
  expect([...view.dom.querySelectorAll("p")]).toEqual(before);
  expect(before[first]?.textContent).toBe(`yline ${first}`);
  expect(before[first + second - 1]?.textContent).toBe(`line ${first + second - 1}x`);
});

test("lines that come with every Enter cut a section, and the line with the cursor stays", () => {
  const view = divided(linesOf(40));
  change(view, (tr) => tr.setSelection(TextSelection.create(tr.doc, 3)));
  const own = view.dom.querySelector("p");
  for (let times = 0; times < 60; times += 1) change(view, (tr) => tr.insert(startOf(view, 1), line("new")));
  expect(lengthsOf(view).reduce((sum, length) => sum + length)).toBe(100);
  expect(Math.max(...lengthsOf(view))).toBeLessThanOrEqual(64);
  expect(view.dom.querySelector("p")).toBe(own);
});

test("a document that is replaced or emptied has the sections that it needs", () => {
  const view = divided(linesOf(200));
  change(view, (tr) => tr.delete(0, tr.doc.content.size));
  expect(lengthsOf(view)).toEqual([1]);
  change(view, (tr) => tr.replaceWith(0, tr.doc.content.size, linesOf(100, "other")));
  expect(lengthsOf(view).reduce((sum, length) => sum + length)).toBe(100);
});

test("a view that is made anew, because a plugin draws nodes in another way, is divided", () => {
  const view = divided(linesOf(100));
  const drawing = new Plugin({
    props: { nodeViews: { heading: () => ({ dom: document.createElement("h1") }) } },
  });
  view.updateState(view.state.reconfigure({ plugins: [...view.state.plugins, drawing] }));
  expect(lengthsOf(view).reduce((sum, length) => sum + length)).toBe(100);
});

test("what a browser has put between the sections goes, and what it has taken out comes back", () => {
  const view = divided(linesOf(100));
  const [stray] = [document.createElement("div")];
  const [, second] = view.dom.children;
  view.dom.insertBefore(stray, second ?? null);
  second?.children[3]?.remove();
  read(view);
  expect(view.dom.contains(stray)).toBe(false);
  const shown = [...view.dom.querySelectorAll("p")].map(({ textContent }) => textContent);
  expect(shown).toEqual(view.state.doc.content.content.map(({ textContent }) => textContent));
});

test("words that are deleted over the border of two sections are gone, and nothing else", () => {
  const view = divided(linesOf(100));
  const [first, second] = view.dom.children;
  const kept = view.state.doc.content.content.map(({ textContent }) => textContent);
  const at = first?.children.length ?? 0;
  // As a phone's keyboard does it: into the last line of one section comes the first line of the next.
  first?.lastElementChild?.append(...(second?.firstElementChild?.childNodes ?? []));
  second?.firstElementChild?.remove();
  read(view);
  expect(view.state.doc.content.content.map(({ textContent }) => textContent)).toEqual([
    ...kept.slice(0, at - 1),
    `${kept[at - 1]}${kept[at]}`,
    ...kept.slice(at + 1),
  ]);
});

test("elements that mean nothing go, on both sides of the border of two sections", () => {
  const view = divided(linesOf(100));
  const before = view.dom.textContent;
  const [first, second] = view.dom.children;
  for (const line of [first?.lastElementChild, second?.firstElementChild]) {
    const stray = document.createElement("span");
    stray.append(...(line?.childNodes ?? []));
    line?.append(stray);
  }
  read(view);
  expect(view.dom.querySelector("span")).toBeNull();
  expect(view.dom.textContent).toBe(before);
});

/** Lets a view read what a browser has changed. */
function read(view: EditorView): void {
  (view as unknown as { readonly domObserver: { flush(): void } }).domObserver.flush();
}

/** Carets between blocks, marked blocks and selections over many, at places that move with the document. */
function decorating(): Plugin<DecorationSet> {
  const plugin: Plugin<DecorationSet> = new Plugin<DecorationSet>({
    state: {
      init: () => DecorationSet.empty,
      apply: (tr, before) => {
        const made: Decoration[] = tr.getMeta("decorations") ?? [];
        return before.map(tr.mapping, tr.doc).add(tr.doc, made);
      },
    },
    props: { decorations: (state) => plugin.getState(state) },
  });
  return plugin;
}

function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

test.each([1, 2, 3, 4])("whatever happens, both views are the same: %i", (seed) => {
  const random = randomFrom(seed * 7_919);
  const blocks = linesOf(90 + random(60));
  const plain = viewOf(blocks, [decorating()]);
  const view = divided(blocks, [decorating()]);
  for (let times = 0; times < 30; times += 1) {
    const act = randomAct(plain.state.doc, random);
    change(plain, act);
    change(view, act);
    expect([...view.dom.children].map(({ innerHTML }) => innerHTML).join("")).toBe(plain.dom.innerHTML);
  }
  for (let at = 0; at <= plain.state.doc.content.size; at += 1) {
    expect(view.nodeDOM(at)?.textContent).toBe(plain.nodeDOM(at)?.textContent);
    for (const side of [-1, 1]) {
      const [here, there] = [plain.domAtPos(at, side), view.domAtPos(at, side)];
      expect(view.posAtDOM(there.node, there.offset, side)).toBe(
        plain.posAtDOM(here.node, here.offset, side),
      );
    }
  }
});

type Random = (below: number) => number;

function randomAct(doc: Node, random: Random): (tr: Transaction) => Transaction {
  const [from, to] = [random(doc.childCount), random(doc.childCount)].sort((a, b) => a - b) as [
    number,
    number,
  ];
  const starts: number[] = [];
  doc.forEach((_, at) => {
    starts.push(at);
  });
  const come = linesOf(1 + random(3) ** 4, "new");
  const [start, end] = [starts[from] ?? 0, (starts[to] ?? 0) + doc.child(to).nodeSize];
  switch (random(8)) {
    case 0:
      return (tr) => tr.insertText("x", start + 1).insertText("y", tr.mapping.map(end - 1));
    case 1:
      return (tr) => tr.insert(start, come);
    case 2:
      return (tr) => tr.delete(start, Math.min(end, starts[from + 3] ?? end));
    case 3:
      return (tr) => tr.setNodeMarkup(start, schema.nodes.heading, { level: 2 });
    case 4:
      return (tr) => tr.split(start + 1);
    case 5:
      return (tr) => tr.setSelection(TextSelection.near(tr.doc.resolve(start)));
    case 6:
      return (tr) => tr.setMeta("decorations", [Decoration.inline(start + 1, end - 1, { class: "found" })]);
    default:
      return (tr) =>
        tr.setMeta("decorations", [
          Decoration.widget(start, () => document.createElement("i"), { side: -1 }),
          Decoration.widget(end, () => document.createElement("b"), { side: 1 }),
          Decoration.node(start, starts[from + 1] ?? tr.doc.content.size, { class: "chosen" }),
        ]);
  }
}

test.each([
  [
    "nothing changes",
    [
      ["a", "b"],
      ["c", "d"],
    ],
    ["a", "b", "c", "d"],
    [
      ["a", "b"],
      ["c", "d"],
    ],
  ],
  [
    "the first of a section changes",
    [
      ["a", "b"],
      ["c", "d"],
    ],
    ["a", "b", "C", "d"],
    [
      ["a", "b"],
      ["C", "d"],
    ],
  ],
  [
    "far ones change",
    [["a", "b"], ["c"], ["d", "e"]],
    ["A", "b", "c", "d", "E"],
    [["A", "b"], ["c"], ["d", "E"]],
  ],
  ["one comes", [["a", "b"], ["c"]], ["a", "b", "x", "c"], [["a", "b", "x"], ["c"]]],
  ["one comes before all", [["a"], ["b"]], ["x", "a", "b"], [["x", "a"], ["b"]]],
  ["a section goes", [["a"], ["b", "c"], ["d"]], ["a", "d"], [["a"], [], ["d"]]],
  ["all are others", [["a"], ["b", "c"]], ["x", "y"], [["x"], ["y"]]],
  ["there was nothing", [], ["a", "b"], [["a", "b"]]],
])("blocks keep their sections where %s", (_, before, now, after) => {
  expect(assigned(before, now)).toEqual(after);
});
