/** Stories of changes on their way: the server hears each as it was made, and what the document had applied by then. */

import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { MOST_CHANGES } from "../src/changes.js";
import { HEIRS, SERVER_CLIENT_ID } from "../src/heirs.js";
import { type Person, Room } from "./harness/room.js";

/** Whatever this person changes from now on, as Yjs told it. */
function listen(person: Person): Uint8Array[] {
  const made: Uint8Array[] = [];
  person.doc.on("update", (update, _origin, _doc, { local }) => {
    if (local) made.push(update);
  });
  return made;
}

function heard(room: Room): readonly (readonly [Uint8Array, number | null])[] {
  return room.server.heard.map(({ update, after }) => [Uint8Array.from(update), after]);
}

/** Delete the words and write them anew, as an editor that makes a heading of a paragraph. */
function rebuild(person: Person): void {
  const words = person.says();
  person.doc.transact(() => person.deletes(0, words.length).types(words));
}

describe("without a network", () => {
  it("each change is kept, and sent as it was made", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    bob.types("one two");
    room.settle();
    alice.line.drop();
    bob.types(" three");
    room.settle();
    const made = listen(alice);
    rebuild(alice);
    alice.deletes(0, 4);
    rebuild(alice);
    room.recover();
    expect(heard(room).slice(2)).toEqual(made.map((update) => [update, 1]));
    expect([room.words().length, alice.unsaved]).toEqual([1, 0]);
  });

  it("typing in one place becomes one change, and nothing else does", () => {
    const room = new Room();
    const alice = room.joins();
    alice.line.drop();
    for (const letter of "Hello") alice.types(letter);
    alice.deletes(4, 1);
    for (const letter of "☂ok") alice.types(letter);
    for (const letter of "ab") alice.types(letter, 0);
    expect([alice.state.pending?.length, alice.unsaved]).toEqual([5, 11]);
    room.recover();
    expect(room.server.heard.map(({ after }) => after)).toEqual([0, 0, 0, 0, 0]);
    expect([room.words(), alice.unsaved]).toEqual([["baHell☂ok"], 0]);
  });

  it("a hundred thousand keystrokes are a short list", () => {
    const room = new Room();
    const alice = room.joins();
    alice.line.drop();
    for (let key = 0; key < 100_000; key++) alice.text.insert(alice.text.length, "x");
    expect([alice.state.pending?.length, alice.unsaved]).toEqual([100, 100_000]);
    room.recover();
    expect([room.server.text().length, alice.unsaved, room.server.heard.length]).toEqual([100_000, 0, 100]);
  });

  it("more changes than are kept one by one leave as the document's state", () => {
    const room = new Room();
    const alice = room.joins();
    alice.line.drop();
    for (let key = 0; key <= MOST_CHANGES; key++) alice.text.insert(0, "x");
    expect([alice.state.pending, alice.unsaved]).toEqual([null, MOST_CHANGES + 1]);
    alice.types("!");
    room.recover();
    expect([room.server.text().length, alice.unsaved]).toEqual([MOST_CHANGES + 2, 0]);
    expect(room.server.heard.map(({ after }) => after)).toEqual([null]);
  });
});

describe("what the document had applied", () => {
  it("is said of each change, in a batch of its own", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    bob.types("a");
    room.settle();
    alice.types("b");
    room.server.hearFromElsewhere(encodeFresh("x"));
    room.deliver();
    alice.types("c");
    room.settle();
    expect(room.server.heard.map(({ after }) => after)).toEqual([0, 1, 2]);
    expect(room.server.updatesTaken).toBe(3);
  });

  it("holds one's own rows, also when the link is lost", () => {
    const room = new Room();
    const alice = room.joins();
    for (const word of ["one ", "two "]) {
      alice.types(word);
      room.settle();
    }
    alice.line.drop();
    alice.types("three");
    room.recover();
    expect(room.server.heard.map(({ after }) => after)).toEqual([0, 1, 2]);
  });

  it("holds no row that the connection was too slow for", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    room.server.behind.add(alice.line);
    alice.types("a");
    bob.types("b");
    room.clock.advance(30);
    room.deliver();
    room.server.commit();
    room.deliver();
    expect([alice.applied, alice.says()]).toEqual([1, "a"]);
    alice.line.tell("resync");
    alice.line.arriveDown();
    expect(alice.applied).toBe(0);
    room.recover();
    expect([alice.applied, room.words().length]).toEqual([1, 1]);
  });

  it("is said with a join, once there are rows", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    expect(room.server.joins.map((join) => "after" in join)).toEqual([false, false]);
    bob.types("a");
    room.settle();
    const again = room.reloads(alice);
    again.line.connect();
    room.settle();
    expect(room.server.joins.at(-1)).toMatchObject({ epoch: 1, after: 1 });
  });

  it("is not raised by a row that could not be applied", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    bob.types("a");
    room.settle();
    alice.line.tell("update", 2, Uint8Array.of(3, 9, 9, 9));
    room.deliver();
    expect(alice.applied).toBe(1);
    room.recover();
    expect([alice.applied, alice.state.closed]).toEqual([1, null]);
  });
});

describe("after a lost acknowledgement", () => {
  it("what the server has is not sent again", () => {
    const room = new Room();
    const alice = room.joins();
    alice.types("kept ");
    room.clock.advance(30);
    alice.line.arriveUp();
    room.server.commit();
    alice.line.drop();
    const made = listen(alice);
    rebuild(alice);
    room.recover();
    expect(heard(room).slice(1)).toEqual(made.map((update) => [update, 0]));
    expect([room.words(), alice.unsaved]).toEqual([["kept "], 0]);
  });

  it("typing goes on in a change of its own", () => {
    const room = new Room();
    const alice = room.joins();
    alice.types("ab");
    room.clock.advance(30);
    alice.line.arriveUp();
    room.server.commit();
    alice.line.drop();
    const made = listen(alice);
    alice.types("c");
    room.recover();
    expect(heard(room).slice(1)).toEqual(made.map((update) => [update, 0]));
  });
});

describe("a page that is opened again", () => {
  it("sends the changes of the one before, and then its own", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    bob.types("one two");
    room.settle();
    alice.line.drop();
    const made = listen(alice);
    rebuild(alice);
    const again = room.reloads(alice);
    const madeAgain = listen(again);
    rebuild(again);
    room.recover();
    expect(heard(room).slice(1)).toEqual([...made, ...madeAgain].map((update) => [update, 1]));
    expect([room.words(), again.unsaved]).toEqual([["one two"], 0]);
  });

  it("beside another one sends the changes of both, and the server has them once", () => {
    const room = new Room();
    const alice = room.joins();
    alice.types("text");
    room.settle();
    alice.line.drop();
    rebuild(alice);
    const tab = room.opens(alice);
    rebuild(tab);
    alice.deletes(0, 1);
    room.recover();
    expect([room.words().length, alice.unsaved, tab.unsaved]).toEqual([1, 0, 0]);
    expect(room.server.heard.filter(({ after }) => after === null)).toEqual([]);
  });

  it("sends the state of a copy of an earlier release, deletions included", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.types("keep this, drop that");
    room.settle();
    alice.line.drop();
    alice.deletes(9, 11).types("!");
    const again = room.reloads(alice, true);
    again.types("!");
    room.recover();
    expect([bob.says(), again.unsaved]).toEqual(["keep this!!", 0]);
    expect(room.server.heard.map(({ after }) => after)).toEqual([0, null]);
    again.types("?");
    room.settle();
    expect(room.server.heard.at(-1)?.after).toBe(2);
  });
});

describe("a state", () => {
  it("is sent behind the changes when words are in no change", () => {
    const room = new Room();
    const alice = room.joins();
    alice.line.drop();
    const made = listen(alice);
    rebuild(alice.types("told"));
    Y.applyUpdate(alice.doc, encodeFresh(" untold"), "copy");
    room.recover();
    expect(heard(room).slice(0, 2)).toEqual(made.map((update) => [update, 0]));
    expect(room.server.heard.map(({ after }) => after)).toEqual([0, 0, null]);
    expect([room.words().length, room.server.text().length]).toEqual([1, 11]);
  });

  it("takes the place of changes that build on what is in no change", () => {
    const room = new Room();
    const alice = room.joins();
    alice.line.drop();
    Y.applyUpdate(alice.doc, encodeFresh("untold"), "copy");
    alice.deletes(0, 1).types("!");
    room.recover();
    expect(room.server.heard.map(({ after }) => after)).toEqual([null]);
    expect([room.words(), alice.unsaved]).toEqual([["ntold!"], 0]);
  });

  it("follows when the server misses the past of a change", () => {
    const room = new Room();
    const alice = room.joins();
    room.server.refuseUpdates.push("missing_past");
    alice.types("words");
    room.settle();
    expect([room.words(), alice.unsaved]).toEqual([["words"], 0]);
    expect(room.server.heard.map(({ after }) => after)).toEqual([null]);
  });

  it("is sent at once after a silent change, with what builds on that", async () => {
    const room = new Room();
    const alice = room.joins();
    alice.doc.once("afterTransactionCleanup", () => {
      throw new Error("Somebody else's mistake.");
    });
    expect(() => alice.types("silent")).toThrow();
    await Promise.resolve();
    alice.types(", told");
    room.settle();
    expect(room.server.heard.map(({ after }) => after)).toEqual([null, 0]);
    expect([room.words(), alice.unsaved, room.server.joins.length]).toEqual([["silent, told"], 0, 1]);
  });

  it("of a document that was filled before is sent once", () => {
    const room = new Room();
    const before = room.opens().types("filled");
    before.vanishes();
    room.people.length = 0;
    const alice = room.opens();
    Y.applyUpdate(alice.doc, Y.encodeStateAsUpdate(before.doc), "copy");
    room.recover();
    expect(room.server.heard.map(({ after }) => after)).toEqual([null]);
    expect([room.words(), alice.unsaved]).toEqual([["filled"], 0]);
  });
});

describe("characters that live on under other ids", () => {
  const heirs = [[7, 0, 4, SERVER_CLIENT_ID, 12]] as const;

  function hears(person: Person): unknown[] {
    const told: unknown[] = [];
    person.doc.on("afterTransaction", ({ meta }: Y.Transaction) => {
      if (meta.has(HEIRS)) told.push(meta.get(HEIRS));
    });
    return told;
  }

  it("are told with the transaction of their row", () => {
    const room = new Room();
    const alice = room.joins();
    const told = hears(alice);
    room.server.hearFromElsewhere(encodeFresh("a"), heirs);
    room.server.hearFromElsewhere(encodeFresh("b"));
    room.deliver();
    expect(told).toEqual([heirs]);
  });

  it("are told with the missing update of a join", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.line.drop();
    bob.types("a");
    room.settle();
    room.server.heirs = heirs;
    const told = hears(alice);
    room.recover();
    expect(told).toEqual([heirs]);
  });

  it("are never written by a document itself", () => {
    const room = new Room();
    const doc = new Y.Doc();
    doc.clientID = SERVER_CLIENT_ID;
    const alice = room.opens(undefined, undefined, false, doc);
    expect(alice.doc.clientID).not.toBe(SERVER_CLIENT_ID);
  });
});

function encodeFresh(words: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText("t").insert(0, words);
  return Y.encodeStateAsUpdate(doc);
}
