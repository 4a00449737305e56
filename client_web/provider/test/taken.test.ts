/** Somebody else writes under a person's client id: the person's words go on under another one, once, in order. */

import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { type Person, Room } from "./harness/room.js";

/** What Mallory writes on another node under somebody's id. */
function forged(clientId: number, words: string): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = clientId;
  doc.getText("t").insert(0, words);
  return Y.encodeStateAsUpdate(doc);
}

/** Mallory's words are durable before the person's first ones; the person may or may not have heard of them. */
function hijack(room: Room, person: Person, words: string): void {
  const { clientID } = person.doc;
  room.server.taken.add(clientID);
  room.server.hearFromElsewhere(forged(clientID, words));
}

function parts(words: string): readonly string[] {
  return [...words.matchAll(/[a-z]+|[A-Z]+/g)].map(([part]) => part).sort();
}

describe("words whose client id is somebody else's", () => {
  it.each([["M"], ["MALLORY WAS HERE FIRST"]])("go on when %s is heard after they were typed", (forgery) => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    const taken = alice.doc.clientID;
    alice.types("first").types("words");
    hijack(room, alice, forgery);
    room.recover();
    alice.types("later");
    room.recover();
    expect(room.words()).toHaveLength(1);
    expect(bob.says().replace(forgery, "")).toBe("firstwordslater");
    expect([alice.unsaved, alice.state.refusal, alice.state.closed]).toEqual([0, null, null]);
    expect(alice.doc.clientID).not.toBe(taken);
    expect(room.server.joins.at(-1)?.client_id).toBe(alice.doc.clientID);
  });

  it("go on when they are refused before anything is heard", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.types("words");
    room.clock.advance(30);
    room.server.forgetToTell(alice.line, () => hijack(room, alice, "M"));
    room.recover();
    expect(room.words()).toHaveLength(1);
    expect(parts(bob.says())).toEqual(["M", "words"]);
    expect([alice.unsaved, alice.state.refusal]).toEqual([0, null]);
  });

  it("go on when they were typed without a connection, deletions too", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    bob.types("old");
    room.settle();
    alice.line.drop();
    alice.types("offline").deletes(0, 3).deletes(0, 3);
    hijack(room, alice, "MMMMMMMMMMMMM");
    room.recover();
    expect(room.words()).toHaveLength(1);
    expect(parts(bob.says())).toEqual(["MMMMMMMMMMMMM", "line"]);
    expect(alice.unsaved).toBe(0);
  });

  it("go on when they are of an earlier visit, under an id that an import has claimed", () => {
    const room = new Room();
    const [alice, bob] = [room.joins(), room.joins()];
    alice.types("saved");
    room.settle();
    alice.line.drop();
    alice.types("offline");
    room.server.taken.add(alice.doc.clientID);
    const again = room.reloads(alice);
    again.line.connect();
    room.recover();
    expect(room.words()).toEqual(["savedoffline"]);
    expect([again.unsaved, bob.says()]).toEqual([0, "savedoffline"]);
  });

  it("are not doubled when the server had taken them and the answer was lost", () => {
    const room = new Room();
    const alice = room.joins();
    alice.types("words");
    room.clock.advance(30);
    while (alice.line.arriveUp());
    room.server.commit();
    alice.line.drop();
    room.recover();
    alice.types("more");
    room.server.refuseUpdates.push("client_id_taken");
    room.recover();
    expect(room.words()).toEqual(["wordsmore"]);
    expect([alice.unsaved, alice.state.refusal]).toEqual([0, null]);
  });

  it("wait for what is in flight before them, which the server may take", () => {
    const room = new Room();
    const alice = room.joins();
    alice.types("taken");
    room.clock.advance(30);
    while (alice.line.arriveUp());
    room.server.refuseUpdates.push("client_id_taken");
    alice.types("refused");
    room.clock.advance(30);
    room.deliver();
    expect(alice.state.phase).toMatchObject({ kind: "joined", sending: "paused" });
    room.recover();
    expect([room.server.text(), alice.unsaved]).toEqual(["takenrefused", 0]);
  });

  it("stay with a refusal when the server will not have them under any id", () => {
    const room = new Room();
    const alice = room.joins();
    room.server.refuseUpdates.push(...Array.from({ length: 9 }, () => "client_id_taken" as const));
    alice.types("words");
    room.recover();
    expect(alice.state.refusal).toMatchObject({ code: "client_id_taken" });
    expect([alice.says(), alice.unsaved]).toEqual(["words", 1]);
  });
});

it("a page under whose id somebody else writes before it has written goes on under another", () => {
  const room = new Room();
  const [alice, bob] = [room.joins(), room.joins()];
  const taken = alice.doc.clientID;
  hijack(room, alice, "M");
  room.settle();
  alice.types("words");
  room.recover();
  expect([...room.words()].map(parts)).toEqual([["M", "words"]]);
  expect(parts(bob.says())).toEqual(["M", "words"]);
  expect(room.server.joins.at(-1)?.client_id).toBe(alice.doc.clientID);
  expect(alice.doc.clientID).not.toBe(taken);
});
