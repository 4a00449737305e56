/** Places of cards in a margin, and of quotes in a text. */

import { CellSelection } from "@tiptap/pm/tables";
import { expect, test } from "vitest";
import { placeOf, quoteOf } from "../../src/features/discussion/quotes";
import { wordsAt } from "../../src/features/discussion/useDraft";
import { type Near, nearOf } from "../../src/features/margin/near";
import { arranged, DRIFT, type Placed, placesOf, type Wish } from "../../src/features/margin/places";
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

test("at the upper edge, an active card among many stays near its words", () => {
  const many = cards(...Array.from({ length: 12 }, (_, at) => at * 10));
  const placed = placesOf(many, "9", GAP);
  expect(placed.get("9")).toBe(90 + DRIFT);
  expect(placed.get("8")).toBe(90 + DRIFT - GAP - 100);
  expect(placed.get("0")).toBe(90 + DRIFT - 9 * (GAP + 100));
  expect(placed.get("10")).toBe(90 + DRIFT + GAP + 100);
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
    const first = some.findIndex(({ id }) => id === active);
    const own = some[first]?.top ?? 0;
    const room = some.slice(0, first).reduce((sum, { height }) => sum + height + GAP, 0);
    const here = Math.max(own, Math.min(room, own + DRIFT));
    expect(placed.get(active ?? "")).toBe(here);
    let edge = Math.min(0, here - room);
    for (const { id, height } of some) {
      const top = placed.get(id) ?? edge - 1;
      expect(top).toBeGreaterThanOrEqual(edge);
      edge = top + height + GAP;
    }
  }
});

const WINDOW = { top: 100, bottom: 800 };

/** Lines of 20 pixels, 32 in a section, of which every `each`th has a card; scrolled down by so many pixels. */
function near(lines: number, each: number, scrolled: number, active: string | null = null): Near {
  const all = Array.from({ length: Math.ceil(lines / each) }, (_, at) => ({ id: String(at), at: at * each }));
  const line = (at: number) => WINDOW.top + at * 20 - scrolled;
  const section = (at: number) => {
    const first = at - (at % 32);
    return { top: line(first), bottom: line(first + 32) };
  };
  return nearOf(all, active, WINDOW, { line, section });
}

function placesNear(lines: number, each: number, scrolled: number): readonly number[] {
  return near(lines, each, scrolled).cards.map(({ at }) => at);
}

test("the cards near the window are in the page, wherever it is", () => {
  expect(placesNear(100, 5, 0)).toEqual(Array.from({ length: 13 }, (_, at) => at * 5));
  const far = placesNear(10_000, 5, 100_000);
  expect([far[0], far.at(-1)]).toEqual([4_970, 5_060]);
  expect(placesNear(10, 1, 0)).toHaveLength(10);
  expect(placesNear(0, 1, 0)).toEqual([]);
});

test("of very many, as many are in the page as have room at the window", () => {
  for (const each of [1, 2, 3]) {
    const { cards: dense, seen, isCrowded } = near(10_000, each, 60_000);
    expect(isCrowded).toBe(true);
    expect(dense.length).toBeLessThanOrEqual(16);
    expect(dense.map(({ id }) => id)).toContain(seen);
    expect(dense.find(({ id }) => id === seen)?.at).toBe(3_000);
  }
});

test("the active card is in the page wherever it is near, and others around it if it is seen", () => {
  const { cards: around, isActiveSeen } = near(10_000, 1, 100_000, "5020");
  expect(isActiveSeen).toBe(true);
  expect(around.findIndex(({ id }) => id === "5020")).toBeGreaterThanOrEqual(4);
  expect(around.findIndex(({ id }) => id === "5020")).toBeLessThan(around.length - 4);
  const above = near(10_000, 1, 100_000, "4980");
  expect(above.isActiveSeen).toBe(false);
  expect(above.cards[0]?.id).toBe("4980");
  expect(above.cards.map(({ id }) => id)).toContain("5000");
  expect(near(10_000, 1, 100_000, "10").cards.map(({ id }) => id)).not.toContain("10");
});

const NOBODY: Wish = { active: null, isActiveSeen: false, seen: null, before: null };

test("crowded cards stand around the first that is seen, and not below cards of words out of sight", () => {
  // Ten cards for words above the window, which begins at 500.
  const crowd = cards(...Array.from({ length: 20 }, (_, at) => at * 50));
  const { places, beside } = arranged(crowd, { ...NOBODY, seen: "10" }, GAP);
  expect([beside, places.get("10")]).toEqual(["10", 500 + DRIFT]);
  const later = arranged(crowd, { ...NOBODY, seen: "11", before: beside }, GAP);
  expect(later.places).not.toEqual(places);
});

test("crowded cards stay where they are while the words that are seen are near", () => {
  const crowd = cards(...Array.from({ length: 20 }, (_, at) => 3_000 + at * 50));
  const first = arranged(crowd, { ...NOBODY, seen: "5" }, GAP);
  expect([first.beside, first.places.get("5")]).toEqual(["5", 3_250]);
  const second = arranged(crowd, { ...NOBODY, seen: "8", before: "5" }, GAP);
  expect(second).toEqual(first);
  const third = arranged(crowd, { ...NOBODY, seen: "10", before: "5" }, GAP);
  expect([third.beside, third.places.get("10")]).toEqual(["10", 3_500]);
});

test("the active card stands beside its words whatever the first one that is seen does", () => {
  const crowd = cards(...Array.from({ length: 20 }, (_, at) => 3_000 + at * 50));
  const { places } = arranged(crowd, { active: "12", isActiveSeen: true, seen: "5", before: "5" }, GAP);
  expect(places.get("12")).toBe(3_600);
});

test("cards with room stand as they would without a window", () => {
  const few = cards(0, 50, 400);
  expect(arranged(few, { ...NOBODY, seen: "1" }, GAP)).toEqual({
    places: placesOf(few, null, GAP),
    beside: null,
  });
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
