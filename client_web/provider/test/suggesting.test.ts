/** A person who may only suggest: what the page is told, and what it does when a suggestion is refused. */

import { describe, expect, it, vi } from "vitest";
import * as Y from "yjs";
import { Room } from "./harness/room.js";

const MARK = { "insertion--00000001": { id: "s1", user: "u", at: 1, run: 1 } };

/** A commenter whose code for such cases has come. */
async function commenter(room: Room) {
  room.server.role = "commenter";
  const person = room.joins();
  await vi.dynamicImportSettled();
  return person;
}

function textOf(doc: Y.Doc): Y.XmlText {
  const block = doc.getXmlFragment("default").get(0) as Y.XmlElement;
  return block.get(0) as Y.XmlText;
}

function wordsOf(doc: Y.Doc): string {
  return textOf(doc)
    .toDelta()
    .map(({ insert }: { insert: string }) => insert)
    .join("");
}

function begins(doc: Y.Doc): void {
  const block = new Y.XmlElement("paragraph");
  block.insert(0, [new Y.XmlText("Hello world")]);
  doc.getXmlFragment("default").insert(0, [block]);
}

/** Alice, who has begun a document, and Bob, who may only suggest in it. */
async function twoInOneDocument() {
  const room = new Room();
  const alice = room.joins();
  begins(alice.doc);
  room.settle();
  return { room, alice, bob: await commenter(room) };
}

describe("a commenter", () => {
  it("may suggest, and not write", async () => {
    const room = new Room();
    const bob = await commenter(room);
    expect([bob.state.role, bob.state.refusal]).toEqual(["commenter", null]);
  });

  it("sends a suggestion anew when it is refused, and notices nothing", async () => {
    const { room, alice, bob } = await twoInOneDocument();
    room.server.refuseUpdates.push("not_a_suggestion");
    textOf(bob.doc).insert(5, " brave", MARK);
    room.settle();
    expect([bob.unsaved, bob.state.refusal, bob.state.mending]).toEqual([0, null, null]);
    expect(textOf(alice.doc).toDelta()[1]).toEqual({ insert: " brave", attributes: MARK });
    expect(room.server.joins).toHaveLength(3);
  });

  it("sends it once more after a pause: what somebody else has just done is told when it is durable", async () => {
    const { room, alice, bob } = await twoInOneDocument();
    room.server.refuseUpdates.push("not_a_suggestion", "not_a_suggestion");
    textOf(bob.doc).insert(5, " brave", MARK);
    room.settle();
    expect([bob.unsaved, bob.state.refusal]).toEqual([1, null]);
    room.recover();
    expect([bob.unsaved, bob.state.refusal, bob.state.mending]).toEqual([0, null, null]);
    expect(wordsOf(alice.doc)).toBe("Hello brave world");
  });

  it("is told when it is refused again and again, and keeps the words", async () => {
    const { room, alice, bob } = await twoInOneDocument();
    room.server.refuseUpdates.push(...Array.from({ length: 6 }, () => "not_a_suggestion" as const));
    textOf(bob.doc).insert(5, " brave", MARK);
    room.recover();
    room.recover();
    expect(bob.state.refusal).toMatchObject({ code: "not_a_suggestion" });
    expect(textOf(bob.doc).toString()).toContain("brave");
    expect(textOf(alice.doc).toString()).not.toContain("brave");
  });

  it("lets the page suggest anew what cannot be put right, in the document as the server has it", async () => {
    const { room, alice, bob } = await twoInOneDocument();
    const { clientID } = bob.doc;
    bob.leavesMendingTo((begin) => {
      const meant = wordsOf(bob.doc);
      begin();
      textOf(bob.doc).insert(0, `${meant} `, MARK);
      return true;
    });
    room.server.refuseUpdates.push("not_a_suggestion");
    textOf(bob.doc).delete(0, 6);
    room.settle();
    expect([bob.unsaved, bob.state.refusal, bob.anew]).toEqual([0, null, 1]);
    expect([alice, bob].map(({ doc }) => wordsOf(doc))).toEqual(["world Hello world", "world Hello world"]);
    expect(bob.doc.clientID).not.toBe(clientID);
  });

  it("was refused before there was anybody who suggests anew", async () => {
    const { room, alice, bob } = await twoInOneDocument();
    room.server.refuseUpdates.push("not_a_suggestion");
    textOf(bob.doc).delete(0, 6);
    room.settle();
    expect(bob.state.refusal).toMatchObject({ code: "not_a_suggestion" });
    bob.leavesMendingTo((begin) => {
      begin();
      return true;
    });
    room.settle();
    expect([bob.unsaved, bob.state.refusal]).toEqual([0, null]);
    expect(textOf(bob.doc).toString()).toBe(textOf(alice.doc).toString());
  });

  it("is told at once of a change that is no suggestion", async () => {
    const { room, alice, bob } = await twoInOneDocument();
    room.server.refuseUpdates.push("not_a_suggestion");
    textOf(bob.doc).insert(5, " brave");
    room.settle();
    expect(bob.state.refusal).toMatchObject({ code: "not_a_suggestion" });
    expect(room.server.joins).toHaveLength(3);
    room.server.say("role", "editor");
    room.settle();
    expect([bob.unsaved, bob.state.refusal]).toEqual([0, null]);
    expect(textOf(alice.doc).toString()).toContain("brave");
  });
});
