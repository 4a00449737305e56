/** Documents that stop telling of their changes: what is in them is sent all the same, and never passes for saved before. */

import { describe, expect, it, onTestFinished, vi } from "vitest";
import * as Y from "yjs";
import { encodeDespite } from "../src/salvage.js";
import { type Person, Room } from "./harness/room.js";

/** Until whoever watches the document has looked. */
const look = (): Promise<void> => Promise.resolve();

function ouch(): never {
  throw new Error("Somebody else's mistake.");
}

/** Ways to throw in the middle of a document's transaction; each returns the way to mend it. */
const mistakes: readonly (readonly [string, (doc: Y.Doc) => () => void])[] = [
  ["an observer", (doc) => planted(doc.getText("t"))],
  ["a deep observer", (doc) => plantedDeep(doc.getText("t"))],
  ["a listener of beforeObserverCalls", (doc) => listening(doc, "beforeObserverCalls")],
  ["a listener of afterTransaction", (doc) => listening(doc, "afterTransaction")],
  ["a listener of afterTransactionCleanup", (doc) => listening(doc, "afterTransactionCleanup")],
  ["a listener of update", (doc) => listening(doc, "update")],
  ["a listener of update that came first", (doc) => listeningFirst(doc)],
  ["a listener of afterAllTransactions", (doc) => listening(doc, "afterAllTransactions")],
];

function planted(text: Y.Text): () => void {
  text.observe(ouch);
  return () => text.unobserve(ouch);
}

function plantedDeep(text: Y.Text): () => void {
  text.observeDeep(ouch);
  return () => text.unobserveDeep(ouch);
}

function listening(doc: Y.Doc, event: "update"): () => void;
function listening(doc: Y.Doc, event: string): () => void;
function listening(doc: Y.Doc, event: string): () => void {
  doc.on(event as "update", ouch);
  return () => doc.off(event as "update", ouch);
}

function listeningFirst(doc: Y.Doc): () => void {
  const others = [...(doc._observers.get("update") ?? [])];
  doc._observers.set("update", new Set([ouch, ...others]));
  return () => doc.off("update", ouch);
}

function typesDespite(person: Person, words: string, at?: number): void {
  try {
    person.types(words, at);
  } catch {
    // told to whoever typed
  }
}

/** What one reports and does not throw. */
function reported(): readonly unknown[] {
  const errors: unknown[] = [];
  vi.stubGlobal("reportError", (error: unknown) => errors.push(error));
  onTestFinished(() => void vi.unstubAllGlobals());
  return errors;
}

describe.each(mistakes)("%s that throws", (_name, plant) => {
  it("keeps nothing that is typed from the server, and nothing passes for saved before", async () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.types("before ");
    room.settle();
    const mend = plant(alice.doc);
    typesDespite(alice, "within ");
    await look();
    room.clock.advance(1_000);
    expect(alice.unsaved).toBeGreaterThan(0);
    mend();
    alice.types("after");
    room.recover();
    expect(room.words()).toEqual(["before within after"]);
    expect([alice.unsaved, alice.state.closed, bob.says()]).toEqual([0, null, "before within after"]);
  });

  it("keeps no deletion from the server", async () => {
    const room = new Room();
    const alice = room.joins();
    alice.types("keep this, drop that");
    room.settle();
    const mend = plant(alice.doc);
    try {
      alice.deletes(9, 11);
    } catch {
      // told to whoever deleted
    }
    await look();
    room.clock.advance(1_000);
    expect(alice.unsaved).toBeGreaterThan(0);
    room.recover();
    expect(room.words()).toEqual(["keep this"]);
    mend();
  });

  it("ends nothing while it goes on throwing", async () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    reported();
    plant(alice.doc);
    for (const letter of "abcd") {
      typesDespite(alice, letter);
      await look();
      bob.types(letter.toUpperCase());
      room.settle();
    }
    room.recover();
    expect(room.words()).toHaveLength(1);
    expect([alice.says().length, alice.unsaved, alice.state.closed]).toEqual([8, 0, null]);
  });

  it("throws while the document opens, which goes on", async () => {
    const room = new Room();
    const bob = room.joins();
    bob.types("of the others");
    room.settle();
    reported();
    const alice = room.opens();
    const mend = plant(alice.doc);
    alice.line.connect();
    room.settle();
    await look();
    mend();
    alice.types("own ", 0);
    room.recover();
    expect(room.words()).toEqual(["own of the others"]);
    expect([alice.unsaved, alice.state.closed]).toEqual([0, null]);
  });
});

it("a change of somebody else's at which a listener throws is reported, applied, and asks for nothing", () => {
  const room = new Room();
  const [alice, bob] = [room.joins(), room.joins()];
  const errors = reported();
  planted(alice.text);
  bob.types("words");
  room.settle();
  expect([alice.says(), alice.mended, errors.length]).toEqual(["words", 0, 1]);
  expect(room.server.joins).toHaveLength(2);
});

it("a transaction that a listener kept open is ended, and what was written in it is sent", async () => {
  const room = new Room();
  const [alice, bob] = [room.joins(), room.joins()];
  const mend = listening(alice.doc, "beforeTransaction");
  typesDespite(alice, "not in the document, as whoever typed was told");
  mend();
  alice.types("in the open transaction");
  expect(alice.unsaved).toBe(0);
  room.clock.advance(1_000);
  expect(alice.unsaved).toBeGreaterThan(0);
  await look();
  bob.types("and ");
  room.recover();
  expect(room.words()).toHaveLength(1);
  expect([alice.says().length, alice.unsaved, alice.mended]).toEqual([27, 0, 1]);
});

it("a document that was destroyed and is written to again is heard again", () => {
  const room = new Room();
  const alice = room.joins();
  alice.doc.destroy();
  alice.types("words");
  room.clock.advance(1_000);
  expect(alice.unsaved).toBeGreaterThan(0);
  alice.types(" more");
  room.recover();
  expect([room.server.text(), alice.mended]).toEqual(["words more", 1]);
});

describe("a value that cannot be encoded", () => {
  /** An object whose prototype came out of the update, as lib0 reads a map with the key `__proto__`. */
  const poison = (): object => Object.setPrototypeOf({}, Uint8Array.prototype);

  it("goes alone: everything around it is saved", async () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.types("before ");
    expect(() => alice.doc.getMap("m").set("k", poison())).toThrow();
    await look();
    alice.types("after");
    room.recover();
    expect(room.words()).toEqual(["before after"]);
    expect(alice.doc.getMap("m").toJSON()).toEqual({});
    expect([alice.unsaved, alice.state.closed, bob.unsaved]).toEqual([0, null, 0]);
  });

  it("that came from the server stays, and takes nothing along", async () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    reported();
    bob.types("hello");
    room.settle();
    for (const { doc } of [alice, bob]) plantPoison(doc);
    alice.types(" by A");
    await look();
    room.recover();
    expect([alice.says(), room.server.text()]).toEqual(["hello by A", "hello by A"]);
    expect(alice.unsaved).toBe(0);
  });

  it("leaves a copy that holds everything else", () => {
    const doc = new Y.Doc();
    doc.getText("t").insert(0, "ab");
    doc.getText("t").insertEmbed(1, { n: 1n });
    expect(() => Y.encodeStateAsUpdate(doc)).toThrow();
    const { update, lost } = encodeDespite(doc);
    const copy = new Y.Doc();
    Y.applyUpdate(copy, update);
    expect([copy.getText("t").toString(), lost.length]).toEqual(["ab", 1]);
    expect(doc.getText("t").toDelta()).toEqual([{ insert: "a" }, { insert: { n: 1n } }, { insert: "b" }]);
  });

  /** The bytes that a former version let in: in the map `m`, under `k`, a map with the key `__proto__` that holds bytes. */
  function plantPoison(doc: Y.Doc): void {
    const bytes = [1, 1, 1, 0, 0x28, 1, 1, 109, 1, 107, 1, 0x76, 1, 9, ...utf8("__proto__"), 0x74, 1, 9, 0];
    try {
      Y.applyUpdate(doc, Uint8Array.from(bytes));
    } catch {
      // in the middle of the transaction
    }
  }

  function utf8(words: string): Uint8Array {
    return new TextEncoder().encode(words);
  }
});

describe("a sound document", () => {
  it("is looked at once a second and asked for nothing", async () => {
    const room = new Room();
    const alice = room.joins();
    for (const letter of "words") {
      alice.types(letter);
      await look();
    }
    alice.doc.transact(() => alice.says());
    room.recover();
    await look();
    expect([alice.mended, room.server.joins.length, alice.line.sent.length]).toEqual([0, 1, 2]);
  });

  it("is not taken for stuck by a change that an observer makes", async () => {
    const room = new Room();
    const alice = room.joins();
    const answer = (): void => void (alice.says().length < 9 && alice.text.insert(0, "."));
    alice.text.observe(answer);
    alice.types("words");
    await look();
    room.recover();
    expect([alice.mended, room.server.text()]).toEqual([0, "....words"]);
  });

  it("may be read a thousand times in one go", () => {
    const room = new Room();
    const alice = room.joins();
    for (let count = 0; count < 1_000; count++) alice.doc.transact(() => alice.says());
    alice.types("words");
    room.recover();
    expect([alice.mended, room.server.text()]).toEqual([0, "words"]);
  });
});
