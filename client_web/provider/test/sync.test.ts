/** Stories of people in one document, told to the sync core through its shell, on a clock that stands still. */

import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { encodeBatch } from "../src/batch.js";
import { Room } from "./harness/room.js";

describe("typing together", () => {
  it("brings two people to the same words, durable on the server", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.types("Hello ");
    bob.types("world");
    room.settle();
    expect(room.words()).toHaveLength(1);
    expect(room.server.text()).toContain("Hello ");
    expect([alice.unsaved, bob.unsaved]).toEqual([0, 0]);
    expect(room.server.joins).toHaveLength(2);
  });

  it("gathers a burst of changes into one message", () => {
    const room = new Room();
    const alice = room.joins();
    for (const letter of "burst") alice.types(letter);
    room.settle();
    expect(room.server.updatesTaken).toBe(1);
    expect(room.server.text()).toBe("burst");
  });

  it("counts changes as unsaved until the server says that they are durable", () => {
    const room = new Room();
    const alice = room.joins();
    alice.types("a");
    expect(alice.unsaved).toBe(1);
    room.clock.advance(30);
    room.deliver();
    expect(alice.unsaved).toBe(1);
    room.server.commit();
    room.deliver();
    expect(alice.unsaved).toBe(0);
    expect(alice.state.lastSavedAt).toBe(room.clock.now());
  });

  it("keeps many batches in flight while the store is slow", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    for (const letter of "slow") {
      alice.types(letter);
      room.clock.advance(30);
    }
    room.deliver();
    expect(alice.state.inFlight).toHaveLength(4);
    expect(bob.says()).toBe("");
    room.server.say("durability", "waiting");
    room.deliver();
    expect(alice.state.durability).toBe("waiting");
    room.server.commit();
    room.deliver();
    expect([bob.says(), alice.unsaved]).toEqual(["slow", 0]);
  });

  it("takes in a row that it shares with others although it was acknowledged", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.types("A");
    bob.types("B");
    room.clock.advance(30);
    room.deliver();
    room.server.commit();
    room.settle();
    expect(room.words()).toHaveLength(1);
    expect(alice.says()).toHaveLength(2);
    expect(room.server.joins).toHaveLength(2);
  });
});

describe("a lost link", () => {
  it("covers what was in flight by the next join's offer", () => {
    const room = new Room();
    const alice = room.joins();
    alice.types("in flight");
    room.clock.advance(30);
    alice.line.drop();
    expect(alice.unsaved).toBe(1);
    alice.types(", and more");
    room.recover();
    expect(room.words()).toEqual(["in flight, and more"]);
    expect(alice.unsaved).toBe(0);
  });

  it("changes nothing when the server took the batch and only the ack was lost", () => {
    const room = new Room();
    const alice = room.joins();
    alice.types("once");
    room.clock.advance(30);
    alice.line.arriveUp();
    room.server.commit();
    alice.line.drop();
    room.recover();
    expect(room.words()).toEqual(["once"]);
    expect(alice.unsaved).toBe(0);
  });

  it("sends deletions made meanwhile, which no state vector tells", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.types("keep this, drop that");
    room.settle();
    alice.line.drop();
    alice.deletes(9, 11);
    room.recover();
    expect([bob.says(), alice.unsaved]).toEqual(["keep this", 0]);
  });

  it("sends deletions made offline before the page was reloaded", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.types("keep this, drop that");
    room.settle();
    alice.line.drop();
    alice.deletes(9, 11);
    const again = room.reloads(alice);
    expect([again.says(), again.unsaved]).toEqual(["keep this", 1]);
    room.recover();
    expect([bob.says(), again.unsaved]).toEqual(["keep this", 0]);
  });

  it("joins again when the state vector is too long for a message", () => {
    const room = new Room();
    room.server.partBytes = 100;
    const authors = Array.from({ length: 30 }, () => room.joins());
    for (const author of authors) author.types("x");
    room.settle();
    const [alice] = authors as [(typeof authors)[0]];
    alice.line.drop();
    alice.types("kept");
    room.recover();
    expect(room.server.joins.at(-1)?.state_vector).toEqual(Uint8Array.of(0));
    expect([room.server.text().includes("kept"), alice.unsaved, room.words().length]).toEqual([true, 0, 1]);
  });

  it("offers nothing when there is nothing", () => {
    const room = new Room();
    const alice = room.joins();
    alice.types("known");
    room.settle();
    alice.line.drop();
    room.recover();
    expect(room.server.updatesTaken).toBe(1);
  });

  it("waits for the offline copy before it joins", () => {
    const room = new Room();
    const alice = room.joins();
    alice.types("copy");
    room.settle();
    const again = room.reloads(alice);
    again.line.connect();
    room.settle();
    expect(room.server.joins.at(-1)?.state_vector).toEqual(Y.encodeStateVector(alice.doc));
  });

  it("loses nothing that was acknowledged when the server dies", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.types("durable");
    room.settle();
    bob.types(" and not yet");
    room.clock.advance(30);
    room.deliver();
    room.server.crash();
    expect([room.server.text(), bob.unsaved]).toEqual(["durable", 1]);
    room.recover();
    expect(room.words()).toEqual(["durable and not yet"]);
  });
});

describe("missed rows", () => {
  it("is noticed from the acknowledgement of one's own next change", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.types("unheard ");
    room.clock.advance(30);
    room.deliver();
    room.server.forgetToTell(bob.line, () => room.server.commit());
    bob.types("of");
    room.settle();
    expect(room.words()).toHaveLength(1);
  });

  it("joins again when a row is out of turn", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    room.server.forgetToTell(bob.line, () => {
      alice.types("missed, ");
      room.settle();
    });
    expect(bob.says()).toBe("");
    alice.types("noticed");
    room.settle();
    expect(bob.says()).toBe("missed, noticed");
  });

  it("joins again when the server asks for it", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    room.server.forgetToTell(bob.line, () => {
      alice.types("missed");
      room.settle();
    });
    room.server.say("resync");
    room.settle();
    expect(bob.says()).toBe("missed");
    expect(alice.says()).toBe("missed");
  });

  it("joins again when a row cannot be applied", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.line.tell("update", 1, encodeBatch([new Uint8Array([9, 9, 9])]));
    room.deliver();
    bob.types("fine");
    room.settle();
    expect([alice.says(), alice.state.closed, room.server.joins.length]).toEqual(["fine", null, 3]);
  });

  it("ends the session when what a join brings cannot be applied twice in a row", () => {
    const room = new Room();
    room.server.damage = new Uint8Array([9, 9, 9]);
    const alice = room.joins();
    room.recover();
    expect(alice.state.closed?.code).toBe("internal");
    expect(room.server.joins).toHaveLength(2);
  });

  it("joins again when an event is not in the protocol's form", () => {
    const room = new Room();
    const alice = room.joins();
    alice.line.tell("update", "one", "two");
    room.settle();
    expect([alice.state.phase.kind, room.server.joins.length]).toEqual(["joined", 2]);
  });
});

describe("a large document", () => {
  it("comes in parts, and holds back what others type meanwhile", () => {
    const room = new Room();
    const bob = room.joins();
    bob.types("x".repeat(1000));
    room.settle();
    room.server.partBytes = 100;
    const alice = room.opens();
    alice.line.connect();
    alice.line.arriveUp();
    alice.line.arriveDown();
    expect(alice.state.phase).toMatchObject({ kind: "fetching", parts: [] });
    bob.types("y");
    room.settle();
    expect(alice.says()).toBe(bob.says());
    expect(alice.line.sent.filter((event) => event === "fetch").length).toBeGreaterThan(9);
  });

  it("takes up the fetching anew after a lost link", () => {
    const room = new Room();
    const bob = room.joins();
    bob.types("x".repeat(1000));
    room.settle();
    room.server.partBytes = 100;
    const alice = room.opens();
    alice.line.connect();
    for (let steps = 0; steps < 3; steps++) {
      alice.line.arriveUp();
      alice.line.arriveDown();
    }
    alice.line.drop();
    room.recover();
    expect(alice.says()).toBe(bob.says());
  });

  it("leaves in parts when a batch is larger than one, and keeps its order", () => {
    const room = new Room();
    room.server.partBytes = 100;
    const [alice, bob] = [room.joins(), room.joins()];
    alice.types("z".repeat(1000));
    room.clock.advance(30);
    alice.types("after");
    room.settle();
    expect(bob.says()).toBe(`${"z".repeat(1000)}after`);
    expect(alice.unsaved).toBe(0);
    expect(alice.line.sent.filter((event) => event === "upload").length).toBeGreaterThan(9);
  });

  it("begins an upload anew that was cut by a resync", () => {
    const room = new Room();
    room.server.partBytes = 100;
    const alice = room.joins();
    alice.types("z".repeat(1000));
    room.clock.advance(30);
    alice.line.arriveUp();
    room.server.say("resync");
    room.settle();
    expect([room.server.text().length, alice.unsaved]).toEqual([1000, 0]);
  });
});
