/** Stories of people who come back after a lost link: whoever is known to lack nothing is sent nothing, and nobody else. */

import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { encodeBatch } from "../src/batch.js";
import { type Person, Room } from "./harness/room.js";

/** What the last join said of the rows that it has. */
function said(room: Room): unknown {
  return room.server.joins.at(-1)?.seq;
}

/** A room in which Bob has written, deleted and left; Alice has heard all of it. */
function afterMuchWork(): { readonly room: Room; readonly alice: Person; readonly bob: Person } {
  const room = new Room();
  const [alice, bob] = [room.joins(), room.joins()];
  for (const word of ["one ", "two ", "three "]) {
    bob.types(word);
    room.settle();
  }
  bob.deletes(4, 4);
  room.settle();
  return { room, alice, bob };
}

describe("whoever has everything", () => {
  it("is told that nothing is missing, and goes on as before", () => {
    const { room, alice, bob } = afterMuchWork();
    alice.line.drop();
    room.recover();
    expect(room.server.joins.at(-1)).toMatchObject({ epoch: 1, seq: 4 });
    expect(room.server.briefly).toHaveLength(1);
    alice.types("four");
    bob.types("five ", 0);
    room.settle();
    expect([...room.words(), alice.unsaved]).toEqual(["five one three four", 0]);
  });

  it("may say so after several lost links, and joins that came to nothing", () => {
    const { room, alice } = afterMuchWork();
    alice.line.drop();
    alice.line.connect();
    alice.line.arriveUp();
    alice.line.drop();
    room.server.refuseJoins.push("unavailable");
    room.recover();
    expect([said(room), room.server.briefly.length]).toEqual([4, 2]);
  });

  it("sends what it wrote meanwhile, deletions included", () => {
    const { room, alice } = afterMuchWork();
    alice.line.drop();
    alice.deletes(0, 4);
    room.recover();
    expect([...room.words(), alice.unsaved, room.server.briefly.length]).toEqual(["three ", 0, 1]);
    alice.line.drop();
    alice.types("four");
    room.recover();
    expect([...room.words(), alice.unsaved]).toEqual(["three four", 0]);
  });

  it("sends again what was in flight, whether the server has it or not", () => {
    const { room, alice } = afterMuchWork();
    alice.types("four");
    room.settle();
    alice.types(" five");
    room.clock.advance(30);
    alice.line.arriveUp();
    room.server.crash();
    room.recover();
    expect([...room.words(), alice.unsaved, room.server.briefly.length]).toEqual([
      "one three four five",
      0,
      1,
    ]);
  });

  it("is told of its first words, to see that they are its own", () => {
    const { room, alice } = afterMuchWork();
    alice.types("four");
    room.clock.advance(30);
    alice.line.arriveUp();
    room.server.commit();
    alice.line.drop();
    room.recover();
    expect([...room.words(), alice.unsaved, room.server.briefly.length]).toEqual(["one three four", 0, 0]);
  });

  it("sends what it writes while the answer is under way", () => {
    const { room, alice } = afterMuchWork();
    alice.line.drop();
    alice.line.connect();
    alice.line.arriveUp();
    alice.types("four");
    room.settle();
    expect([...room.words(), alice.unsaved]).toEqual(["one three four", 0]);
  });

  it("hears what was told while the answer was under way", () => {
    const { room, alice, bob } = afterMuchWork();
    alice.line.drop();
    alice.line.connect();
    alice.line.arriveUp();
    bob.types("four");
    room.settle();
    expect([...room.words(), room.server.joins.length]).toEqual(["one three four", 3]);
  });
});

describe("whoever lacks something", () => {
  it("is sent it as ever", () => {
    const { room, alice, bob } = afterMuchWork();
    alice.line.drop();
    bob.deletes(0, 4);
    room.settle();
    room.recover();
    expect([said(room), ...room.words(), room.server.briefly.length]).toEqual([4, "three ", 0]);
  });

  it("does not take an acknowledgement for the whole of a row that it shared", () => {
    const { room, alice, bob } = afterMuchWork();
    room.server.behind.add(alice.line);
    alice.types("four");
    bob.deletes(0, 4);
    room.clock.advance(30);
    room.deliver();
    room.server.commit();
    room.deliver();
    expect([alice.unsaved, alice.says()]).toEqual([0, "one three four"]);
    alice.line.drop();
    room.recover();
    expect([said(room), ...room.words()]).toEqual([4, "three four"]);
  });

  it("does not count to a row that was acknowledged beyond one that it was not told", () => {
    const { room, alice, bob } = afterMuchWork();
    room.server.behind.add(alice.line);
    bob.deletes(0, 4);
    room.settle();
    alice.types("four");
    bob.deletes(0, 3);
    room.clock.advance(30);
    room.deliver();
    room.server.commit();
    alice.line.tell("update", 5, room.server.rows[4]);
    room.deliver();
    expect([said(room), ...room.words()]).toEqual([undefined, "ee four"]);
  });

  it("counts its own row once a later one has come", () => {
    const { room, alice, bob } = afterMuchWork();
    alice.types("four ");
    room.settle();
    bob.types("five");
    room.settle();
    alice.line.drop();
    room.recover();
    expect([said(room), room.server.briefly.length]).toEqual([6, 1]);
  });

  it("says nothing of a row that came ahead of its turn", () => {
    const { room, alice, bob } = afterMuchWork();
    room.server.forgetToTell(alice.line, () => {
      bob.deletes(0, 4);
      room.settle();
    });
    bob.types("four");
    room.settle();
    expect([said(room), ...room.words()]).toEqual([undefined, "three four"]);
  });

  it("says nothing when the server asked it to join again, or could not be understood", () => {
    const { room, alice } = afterMuchWork();
    alice.line.tell("resync");
    room.settle();
    expect([said(room), room.server.joins.length]).toEqual([undefined, 3]);
    alice.line.tell("update", 5, encodeBatch([new Uint8Array([9, 9, 9])]));
    room.settle();
    expect([said(room), room.server.joins.length]).toEqual([undefined, 4]);
  });

  it("says nothing after a question that the server could not answer, or took back", () => {
    const { room, alice } = afterMuchWork();
    alice.line.drop();
    room.server.refuseJoins.push("internal");
    room.recover();
    expect([said(room), room.server.joins.length]).toEqual([undefined, 4]);
    alice.line.drop();
    alice.line.connect();
    alice.line.tell("resync");
    alice.line.arriveDown();
    room.settle();
    expect([said(room), room.server.joins.length]).toEqual([undefined, 6]);
  });

  it("says nothing when the link was lost over a row that could not be applied", () => {
    const { room, alice, bob } = afterMuchWork();
    alice.doc.once("beforeTransaction", () => {
      alice.line.drop();
      throw new Error("The page cannot show this.");
    });
    bob.types("four");
    room.settle();
    room.recover();
    expect([said(room), ...room.words()]).toEqual([undefined, "one three four"]);
  });

  it("has only what it had before when the parts of a missing update were cut off", () => {
    const { room, alice, bob } = afterMuchWork();
    alice.line.drop();
    bob.types("x".repeat(500));
    room.settle();
    room.server.partBytes = 100;
    alice.line.connect();
    for (let steps = 0; steps < 3; steps++) {
      alice.line.arriveUp();
      alice.line.arriveDown();
    }
    expect(alice.state.phase.kind).toBe("fetching");
    alice.line.drop();
    room.recover();
    expect([said(room), room.words().length]).toEqual([4, 1]);
  });

  it("says nothing while something waits for a past that has not come", () => {
    const { room, alice } = afterMuchWork();
    const stranger = new Y.Doc();
    stranger.getText("t").insert(0, "a");
    const before = Y.encodeStateVector(stranger);
    stranger.getText("t").insert(1, "b");
    Y.applyUpdate(alice.doc, Y.encodeStateAsUpdate(stranger, before), "copy");
    alice.line.drop();
    room.recover();
    expect([said(room), alice.state.phase.kind]).toEqual([undefined, "joined"]);
  });

  it("says nothing after a reload: the copy on the device does not tell its rows", () => {
    const { room, alice } = afterMuchWork();
    const again = room.reloads(alice);
    room.recover();
    expect([said(room), ...room.words()]).toEqual([undefined, again.says()]);
  });

  it("believes the state vector more than a server that took a step back", () => {
    const { room, alice, bob } = afterMuchWork();
    alice.line.drop();
    bob.vanishes();
    room.people.splice(room.people.indexOf(bob), 1);
    const other = new Y.Doc();
    const rows: Uint8Array[] = [];
    other.on("update", (update: Uint8Array) => rows.push(encodeBatch([update])));
    for (const word of ["other ", "words ", "than ", "those "]) other.getText("t").insert(0, word);
    room.server.rows = rows;
    room.server.crash();
    room.recover();
    expect([said(room), room.words().length, alice.state.closed]).toEqual([undefined, 1, null]);
    expect(alice.says()).toContain("those than words other ");
  });
});

describe("another life of the document", () => {
  it("keeps the rows of the one before out of it", () => {
    const { room, alice } = afterMuchWork();
    alice.line.drop();
    room.server.restore(room.server.rows);
    room.recover();
    expect([alice.state.closed?.code, alice.setAside]).toEqual(["epoch_changed", [1]]);
    expect(room.server.briefly).toEqual([]);
  });

  it("is begun with no row at all, although an empty document may come from the one before", () => {
    const room = new Room();
    const alice = room.joins();
    const other = new Y.Doc();
    other.getText("t").insert(0, "x".repeat(500));
    room.server.restore([encodeBatch([Y.encodeStateAsUpdate(other)])]);
    room.server.partBytes = 100;
    alice.line.connect();
    for (let steps = 0; steps < 3; steps++) {
      alice.line.arriveUp();
      alice.line.arriveDown();
    }
    alice.line.drop();
    alice.types("y");
    room.recover();
    expect([said(room), room.server.joins.at(-1)?.epoch, room.words().length]).toEqual([undefined, 2, 1]);
  });
});
