/** Words that move to another client id: what everybody else reads is what the page shows, in the same order. */

import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { moveWords, OwnWords } from "../src/renaming.js";
import { seeded } from "./harness/clock.js";

/** Seeds 1 to MOST, in blocks. */
const MOST = Number(process.env.RENAMING_SEEDS ?? 400);
const BLOCK = 100;

function replica(clientID: number, ...updates: readonly Uint8Array[]): Y.Doc {
  const doc = new Y.Doc();
  doc.clientID = clientID;
  for (const update of updates) Y.applyUpdate(doc, update);
  return doc;
}

function clocks(doc: Y.Doc): ReadonlyMap<number, number> {
  return Y.decodeStateVector(Y.encodeStateVector(doc));
}

/** One person's random edit: text, formats, embeds, a map, lists in lists, deletions, undone deletions. */
function edit(doc: Y.Doc, chance: () => number): void {
  const text = doc.getText("text");
  const at = Math.floor(chance() * (text.length + 1));
  const list = doc.getArray<unknown>("list");
  const act = chance();
  if (act < 0.45) text.insert(at, String.fromCharCode(97 + Math.floor(chance() * 26)).repeat(1 + (at % 3)));
  else if (act < 0.65 && at < text.length) text.delete(at, 1 + Math.floor(chance() * (text.length - at)));
  else if (act < 0.75 && at < text.length) text.format(at, 1, { bold: true });
  else if (act < 0.8) text.insertEmbed(at, { image: at });
  else if (act < 0.9) doc.getMap("map").set("abc"[at % 3] ?? "a", at);
  else if (list.length > 2) list.delete(0, 2);
  else list.insert(Math.min(1, list.length), [new Y.Array(), at]);
}

function edits(doc: Y.Doc, chance: () => number, count: number): void {
  const undo = new Y.UndoManager([doc.getText("text"), doc.getArray("list")], { captureTimeout: 0 });
  for (; count > 0; count--) {
    const act = chance();
    if (act < 0.12) undo.undo();
    else if (act < 0.2) undo.redo();
    else edit(doc, chance);
  }
  undo.destroy();
}

function content(doc: Y.Doc): unknown {
  return [
    doc.getText("text").toDelta(),
    doc.getArray("list").toJSON(),
    doc.getMap("map").toJSON(),
    [...clocks(doc)].sort(([one], [other]) => one - other),
  ];
}

/** Alice and Bob write at the same time; what Alice has not saved moves; both go on. Returns what each of three replicas reads. */
function story(seed: number): readonly unknown[] {
  const chance = seeded(seed);
  const [aliceId, bobId] = chance() < 0.5 ? [1000, 1002] : [1002, 1000];
  const alice = replica(aliceId);
  edits(alice, chance, Math.floor(chance() * 8));
  const saved = Y.encodeStateAsUpdate(alice);
  const bob = replica(bobId, saved);
  edits(bob, chance, 6);
  const before = clocks(replica(0, saved)).get(aliceId) ?? 0;
  edits(alice, chance, 3);
  Y.applyUpdate(alice, Y.encodeStateAsUpdate(bob));
  edits(alice, chance, 5);
  const shown = alice.getText("text").toDelta();

  if (Y.getState(alice.store, aliceId) > before)
    expect(moveWords(alice, new Map([[aliceId, before]]))).toBe(true);
  alice.clientID = 77;

  expect(alice.getText("text").toDelta()).toEqual(shown);
  expect(Y.getState(alice.store, aliceId)).toBe(before);
  edits(bob, chance, 3);
  edits(alice, chance, 3);
  const [ofAlice, ofBob] = [Y.encodeStateAsUpdate(alice), Y.encodeStateAsUpdate(bob)];
  Y.applyUpdate(bob, ofAlice);
  Y.applyUpdate(alice, ofBob);
  return [alice, bob, replica(5, ofBob, ofAlice)].map(content);
}

const blocks = Array.from({ length: Math.ceil(MOST / BLOCK) }, (_, block) => 1 + block * BLOCK);

it.each(blocks)("everybody reads the same after a move: seed %i and those after it", (first) => {
  for (let seed = first; seed < first + BLOCK; seed++) {
    const [alice, ...others] = story(seed);
    for (const other of others) expect({ seed, content: other }).toEqual({ seed, content: alice });
  }
});

describe("the new id", () => {
  it("is not one that somebody else has", () => {
    const alice = replica(10);
    alice.getText("text").insert(0, "words");
    Y.applyUpdate(alice, Y.encodeStateAsUpdate(written(9, "lower")));
    expect(moveWords(alice, new Map([[10, 0]]))).toBe(true);
    expect([...clocks(alice).keys()].sort()).toEqual([11, 9]);
  });

  it("is refused, and nothing changes, when both neighbours are somebody's", () => {
    const alice = replica(10);
    alice.getText("text").insert(0, "words");
    for (const id of [9, 11]) Y.applyUpdate(alice, Y.encodeStateAsUpdate(written(id, "x")));
    const before = Y.encodeStateAsUpdate(alice);
    expect(moveWords(alice, new Map([[10, 0]]))).toBe(false);
    expect(Y.encodeStateAsUpdate(alice)).toEqual(before);
  });

  it("is the same in two tabs that move the same words", () => {
    const words = Y.encodeStateAsUpdate(written(10, "words"));
    const [one, other] = [replica(1, words), replica(2, words)];
    for (const tab of [one, other]) moveWords(tab, new Map([[10, 2]]));
    Y.applyUpdate(one, Y.encodeStateAsUpdate(other));
    expect(one.getText("text").toString()).toBe("words");
  });
});

describe("what has to move", () => {
  it("is what this page wrote, whatever the server holds there", () => {
    const { doc, own } = page(10);
    doc.getText("text").insert(0, "mine");
    expect(own.toMove(doc, new Map([[10, 99]]), false)).toEqual(new Map([[10, 0]]));
  });

  it("is nothing that the server was found to hold, or has taken", () => {
    const { doc, own } = page(10);
    doc.getText("text").insert(0, "mine");
    const lost = Y.encodeStateAsUpdate(doc);
    doc.getText("text").insert(4, ", too");
    expect(own.isContradictedBy(lost, doc)).toBe(false);
    expect(own.toMove(doc, new Map([[10, 4]]), false)).toEqual(new Map([[10, 4]]));
    own.sending(1);
    own.acknowledged(1);
    expect(own.toMove(doc, new Map([[10, 9]]), true)).toEqual(new Map());
  });

  it("is what came from elsewhere only when that is asked for", () => {
    const { doc, own } = page(10);
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(written(20, "imported")));
    expect(own.toMove(doc, new Map([[20, 5]]), false)).toEqual(new Map());
    expect(own.toMove(doc, new Map([[20, 5]]), true)).toEqual(new Map([[20, 5]]));
  });

  it.each([
    ["longer", "somebody's", 0],
    ["shorter", "so", 0],
    ["as long", "MINE", 0],
    ["the same, elsewhere", "mine", 1],
  ])("shows in words that are %s", (_what, words, at) => {
    const { doc, own } = page(10);
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(written(20, "base")));
    const forger = replica(10, Y.encodeStateAsUpdate(doc));
    doc.getText("text").insert(0, "mine");
    forger.getText("text").insert(at, words);
    expect(own.isContradictedBy(Y.encodeStateAsUpdate(forger), doc)).toBe(true);
    expect(own.isContradictedBy(Y.encodeStateAsUpdate(written(11, words)), doc)).toBe(false);
  });

  it("does not show in the page's own words, cut, joined or deleted meanwhile", () => {
    const { doc, own } = page(10);
    const text = doc.getText("text");
    const updates: Uint8Array[] = [];
    doc.on("update", (update) => updates.push(update));
    for (const letter of "words") text.insert(text.length, letter);
    text.insertEmbed(2, { image: 1 });
    text.format(0, 2, { bold: true });
    const whole = Y.encodeStateAsUpdate(doc);
    text.delete(1, 2);
    text.insert(3, "x");
    for (const update of [...updates, Y.mergeUpdates(updates), whole]) {
      expect(own.isContradictedBy(update, doc)).toBe(false);
    }
  });
});

function written(clientID: number, words: string): Y.Doc {
  const doc = replica(clientID);
  doc.getText("text").insert(0, words);
  return doc;
}

function page(clientID: number): { readonly doc: Y.Doc; readonly own: OwnWords } {
  const doc = replica(clientID);
  const own = new OwnWords();
  doc.on("update", (_update, _origin, _doc, transaction) => own.wrote(transaction));
  return { doc, own };
}
