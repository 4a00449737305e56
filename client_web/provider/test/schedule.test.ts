/**
 * Random schedules from printed seeds: typing, deleting, lost links, crashes, reloads, refusals, slow commits, in any order.
 * In the end every replica and the log agree, and whatever was acknowledged is in the log.
 */

import { expect, it } from "vitest";
import * as Y from "yjs";
import { seeded } from "./harness/clock.js";
import { type Person, Room } from "./harness/room.js";

/** Seeds that have failed once: a page did not see from an acknowledgement that a row before it had not come. */
const KEPT = [4942, 5679];

/** Seeds 1 to BLOCKS × BLOCK. */
const BLOCKS = 6;
const BLOCK = 50;
const STEPS = 100;

type Act = (room: Room, person: Person, chance: () => number) => void;

const acts: readonly (readonly [number, Act])[] = [
  [
    12,
    (_room, person, chance) =>
      person.types(letter(chance), Math.floor(chance() * (person.says().length + 1))),
  ],
  [5, (_room, person, chance) => remove(person, chance)],
  [14, (_room, person) => person.line.arriveUp()],
  [16, (_room, person) => person.line.arriveDown()],
  [8, (room) => room.clock.advance(15)],
  [6, (room, _person, chance) => room.server.commit(1 + Math.floor(chance() * 3))],
  [3, (_room, person) => person.line.connect()],
  [1, (_room, person) => person.line.drop()],
  [0.5, (room, person) => room.server.forgetToTell(person.line, () => room.server.commit(1))],
  [0.3, (room) => room.server.say("resync")],
  [0.4, (room, person) => room.server.behind.add(person.line)],
  [1, (room, person) => room.server.drained(person.line)],
  [0.3, (room) => room.server.crash()],
  [0.4, (room, person) => reload(room, person)],
  [
    0.5,
    (room, _person, chance) =>
      room.server.refuseUpdates.push(chance() < 0.5 ? "unavailable" : "rate_limited"),
  ],
  [0.2, (room) => room.server.refuseJoins.push("unavailable")],
  [0.5, (room) => room.clock.advance(2_000)],
  [0.3, (room, person, chance) => hijack(room, person.doc.clientID, chance)],
];

/** A page that is gone cannot tell its own unsaved words from a forger's under the same id. */
function reload(room: Room, person: Person): void {
  if (person.unsaved === 0 || room.server.taken.size === 0) room.reloads(person);
}

/** Somebody on another node writes under an id that nobody has used on the server yet. */
function hijack(room: Room, clientId: number, chance: () => number): void {
  if (room.server.knows(clientId)) return;
  const forger = new Y.Doc();
  forger.clientID = clientId;
  forger.getText("t").insert(0, "#".repeat(1 + Math.floor(chance() * 20)));
  room.server.taken.add(clientId);
  room.server.hearFromElsewhere(Y.encodeStateAsUpdate(forger));
}

function letter(chance: () => number): string {
  return String.fromCharCode(97 + Math.floor(chance() * 26));
}

function remove(person: Person, chance: () => number): void {
  const length = person.says().length;
  if (length > 0) person.deletes(Math.floor(chance() * length), 1);
}

function pick(chance: () => number): Act {
  const total = acts.reduce((sum, [weight]) => sum + weight, 0);
  let left = chance() * total;
  for (const [weight, act] of acts) {
    left -= weight;
    if (left < 0) return act;
  }
  return acts[0]?.[1] ?? (() => {});
}

function run(seed: number): Room {
  const chance = seeded(seed);
  const room = new Room(chance);
  room.server.partBytes = chance() < 0.3 ? 40 : 256 * 1024;
  for (let count = 2 + Math.floor(chance() * 3); count > 0; count--) room.opens();
  for (let step = 0; step < STEPS; step++) {
    const person = room.people[Math.floor(chance() * room.people.length)];
    if (person !== undefined) pick(chance)(room, person, chance);
  }
  room.server.refuseUpdates.length = 0;
  room.server.refuseJoins.length = 0;
  for (const { line } of room.people) room.server.drained(line);
  room.recover();
  return room;
}

function block(first: number): readonly number[] {
  return Array.from({ length: BLOCK }, (_, index) => first + index);
}

const blocks = Array.from({ length: BLOCKS }, (_, index) => block(1 + index * BLOCK));

it.each([...blocks, KEPT])("brings everybody together: seed %i and those after it", (...seeds) => {
  for (const seed of seeds) {
    const room = run(seed);
    const each = <T>(look: (person: Person) => T): readonly T[] => [...new Set(room.people.map(look))];
    expect({
      seed,
      words: room.words().length,
      unsaved: each((person) => person.unsaved),
      refusals: each((person) => person.state.refusal),
      closed: each((person) => person.state.closed),
    }).toEqual({ seed, words: 1, unsaved: [0], refusals: [null], closed: [null] });
  }
});
