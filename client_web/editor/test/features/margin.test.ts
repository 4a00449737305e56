/** Places of cards in a margin, and of quotes in a text. */

import { CellSelection } from "@tiptap/pm/tables";
import { expect, test } from "vitest";
import { placeOf, quoteOf } from "../../src/features/discussion/quotes";
import { wordsAt } from "../../src/features/discussion/useDraft";
import { MOST, nearOf } from "../../src/features/margin/near";
import { type Placed, placesOf } from "../../src/features/margin/places";
import { person } from "../page/editors";

const GAP = 10;

function cards(...tops: readonly number[]): readonly Placed[] {
  return tops.map((top, at) => ({ id: String(at), top, height: 100 }));
}

function tops(of: readonly Placed[], active: string | null): readonly number[] {
  return [...placesOf(of, active, GAP).values()];
}

test("cards stand at their words, and the later ones give way downwards", () => {
  expect(tops(cards(0, 50, 400), null)).toEqual([0, 110, 400]);
});

test("the active card stands at its words, and those above give way upwards", () => {
  expect(tops(cards(300, 310, 320), "2")).toEqual([100, 210, 320]);
  expect(tops(cards(300, 310, 320), "0")).toEqual([300, 410, 520]);
});

test("at the upper edge all have room, and the active card gives way", () => {
  expect(tops(cards(0, 10, 20, 30), "2")).toEqual([0, 110, 220, 330]);
});

test("no two cards lie over one another, whatever their words and heights are", () => {
  let seed = 7;
  const chance = (most: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % most;
  };
  for (let round = 0; round < 300; round += 1) {
    const some = Array.from({ length: 1 + chance(12) }, (_, at) => ({
      id: String(at),
      top: chance(1_500),
      height: 20 + chance(200),
    })).sort((one, other) => one.top - other.top);
    const active = some[chance(some.length)]?.id ?? null;
    const placed = placesOf(some, active, GAP);
    let edge = 0;
    for (const { id, height } of some) {
      const top = placed.get(id) ?? -1;
      expect(top).toBeGreaterThanOrEqual(edge);
      edge = top + height + GAP;
    }
    const first = some.findIndex(({ id }) => id === active);
    const room = some.slice(0, first).reduce((sum, { height }) => sum + height + GAP, 0);
    expect(placed.get(active ?? "")).toBe(Math.max(some[first]?.top ?? 0, room));
  }
});

/** Lines of 20 pixels, 32 in a section, of which every `each`th has a card; scrolled down by so many pixels. */
function nearIn(lines: number, each: number, scrolled: number): readonly number[] {
  const all = Array.from({ length: Math.ceil(lines / each) }, (_, at) => ({ id: String(at), at: at * each }));
  const window = { top: 100, bottom: 800 };
  const line = (at: number) => 100 + at * 20 - scrolled;
  const section = (at: number) => {
    const first = at - (at % 32);
    return { top: line(first), bottom: line(first + 32) };
  };
  return nearOf(all, window, { line, section }).map(({ at }) => at);
}

test("the cards near the window are in the page, wherever it is", () => {
  expect(nearIn(100, 3, 0)).toEqual(Array.from({ length: 22 }, (_, at) => at * 3));
  const far = nearIn(10_000, 3, 100_000);
  expect([far[0], far.at(-1)]).toEqual([4_971, 5_064]);
  expect(nearIn(10, 1, 0)).toHaveLength(10);
  expect(nearIn(0, 1, 0)).toEqual([]);
});

test("of very many, those at the window are in the page", () => {
  const dense = nearIn(10_000, 1, 100_000);
  expect(dense).toHaveLength(MOST);
  expect(dense).toContain(5_000);
  expect(dense).toContain(5_035);
});

function text(html: string) {
  const { editor } = person(1);
  editor.commands.setContent(html);
  return editor.state.doc;
}

const BRAVE = "<p>one</p><p>Oh <b>brave</b> new world</p><ul><li><p>brave</p></li></ul>";

test("a quote is found with the words around it, and across lines", () => {
  const doc = text(BRAVE);
  const from = 5 + 1 + 3;
  const quote = quoteOf(doc, { from, to: from + 5 });
  expect(quote).toEqual({ quote: "brave", before: "Oh ", after: " new world" });
  expect(placeOf(doc, quote)).toEqual({ from, to: from + 5 });
  const long = quoteOf(doc, { from: 2, to: from + 5 });
  expect(long.quote).toBe("ne\nOh brave");
  expect(placeOf(doc, long)).toEqual({ from: 2, to: from + 5 });
});

test("selected cells are commented on cell by cell, without those that are empty", () => {
  const { editor } = person(1);
  const row = (one: string, other: string) => `<tr><td><p>${one}</p></td><td><p>${other}</p></td></tr>`;
  editor.commands.setContent(`<table>${row("a", "b")}${row(" c ", "d")}${row("", "f")}</table>`);
  const cells: number[] = [];
  editor.state.doc.descendants((node, at) => void (node.type.name === "tableCell" && cells.push(at)));
  const [first = 0, second = 0, fifth = 0] = [cells[0], cells[1], cells[4]];
  const commented = (anchor: number, head: number) => {
    editor.view.dispatch(editor.state.tr.setSelection(CellSelection.create(editor.state.doc, anchor, head)));
    const [one, ...others] = wordsAt(editor);
    return one && quoteOf(editor.state.doc, one, ...others).quote;
  };
  expect(commented(first, fifth)).toBe("a\nc");
  expect(commented(fifth, second)).toBe("a\nb\nc\nd\nf");
});

test("without the words around it, a quote is found only where it is certain", () => {
  const quote = { quote: "brave", before: "gone ", after: " too" };
  expect(placeOf(text(BRAVE), quote)).toBeNull();
  expect(placeOf(text("<p>so brave</p>"), quote)).toEqual({ from: 4, to: 9 });
  expect(placeOf(text("<p>none</p>"), quote)).toBeNull();
  expect(placeOf(text("<p>none</p>"), { quote: " ", before: "", after: "" })).toBeNull();
});
