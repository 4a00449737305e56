/** A state that repeats no deletion that the server knows. */

import { expect, it } from "vitest";
import * as Y from "yjs";
import { withoutKnown } from "../src/deletions.js";
import { seeded } from "./harness/clock.js";
import { Room } from "./harness/room.js";

it("brings the same document to whoever has the rest, and repeats nothing", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const chance = seeded(seed);
    const [mine, theirs] = [new Y.Doc(), new Y.Doc()];
    for (let step = 0; step < 40; step++) {
      const text = mine.getText("t");
      if (chance() < 0.5 || text.length < 3) text.insert(Math.floor(chance() * (text.length + 1)), "abc");
      else text.delete(Math.floor(chance() * (text.length - 2)), 1 + Math.floor(chance() * 2));
      if (step === 20) Y.applyUpdate(theirs, Y.encodeStateAsUpdate(mine));
    }
    const known = [Y.encodeStateAsUpdate(theirs), Y.encodeStateAsUpdate(theirs, Y.encodeStateVector(theirs))];
    const update = withoutKnown(Y.encodeStateAsUpdate(mine, Y.encodeStateVector(theirs)), known);
    const before = Y.createDeleteSetFromStructStore(theirs.store);
    if (update === null) throw new Error(`Seed ${seed} brings nothing.`);
    for (const [client, ranges] of Y.decodeUpdate(update).ds.clients) {
      for (const { clock, len } of ranges) {
        for (let at = clock; at < clock + len; at++) {
          expect({ seed, at, said: Y.isDeleted(before, Y.createID(client, at)) }).toEqual({
            seed,
            at,
            said: false,
          });
        }
      }
    }
    Y.applyUpdate(theirs, update);
    expect(theirs.getText("t").toString()).toBe(mine.getText("t").toString());
    expect(
      Y.equalDeleteSets(
        Y.createDeleteSetFromStructStore(theirs.store),
        Y.createDeleteSetFromStructStore(mine.store),
      ),
    ).toBe(true);
    expect(
      withoutKnown(Y.encodeStateAsUpdate(mine, Y.encodeStateVector(mine)), [Y.encodeStateAsUpdate(mine)]),
    ).toBeNull();
  }
});

it("leaves the page of an earlier release without deletions that were acknowledged", () => {
  const room = new Room();
  const [alice, bob] = [room.joins(), room.joins()];
  alice.types("one two three");
  room.settle();
  bob.deletes(0, 4);
  room.settle();
  alice.line.drop();
  alice.deletes(0, 4).types("!");
  const again = room.reloads(alice, true);
  room.recover();
  expect([room.words(), again.unsaved]).toEqual([["three!"], 0]);
  const state = room.server.heard.at(-1);
  expect(state?.after).toBeNull();
  const deleted = [...Y.decodeUpdate(state?.update ?? new Uint8Array()).ds.clients.values()];
  expect(deleted.flat().map(({ clock, len }) => [clock, len])).toEqual([[4, 4]]);
});
