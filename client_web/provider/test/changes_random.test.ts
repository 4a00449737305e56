/**
 * Random schedules from printed seeds, with typing and structure, lost links and acknowledgements, reloads and second tabs.
 * The server hears exactly the changes that were made, each page's in their order, each with what its document had applied.
 */

import { expect, it } from "vitest";
import * as Y from "yjs";
import { decodeBatch } from "../src/batch.js";
import { seeded } from "./harness/clock.js";
import { type Person, Room } from "./harness/room.js";

/** Seeds 1 to BLOCKS × BLOCK. */
const BLOCKS = 8;
const BLOCK = 40;
const STEPS = 150;

interface Made {
  readonly page: number;
  readonly update: Uint8Array;
  readonly after: number | null;
}

type Act = (story: Story, person: Person, chance: () => number) => void;

class Story {
  readonly made: Made[] = [];
  private pages = 0;

  constructor(readonly room: Room) {}

  /** Note what this page changes, and that it never says to have applied what it has not. */
  watches(person: Person): void {
    const page = this.pages++;
    person.doc.on("update", (update, _origin, doc, { local }) => {
      if (!local) return;
      const after = person.applied;
      this.made.push({ page, update, after });
      for (const row of this.room.server.rows.slice(0, after ?? 0)) {
        for (const applied of decodeBatch(row)) expect(holds(doc, applied)).toBe(true);
      }
    });
  }

  opens(before?: Person): void {
    this.watches(this.room.opens(before));
  }

  reloads(person: Person): void {
    this.watches(this.room.reloads(person));
  }
}

function holds(doc: Y.Doc, update: Uint8Array): boolean {
  const { structs, ds } = Y.decodeUpdate(update);
  return (
    structs.every(({ id, length }) => Y.getState(doc.store, id.client) >= id.clock + length) &&
    [...ds.clients].every(([client, ranges]) =>
      ranges.every(({ clock, len }) =>
        Array.from({ length: len }, (_, at) => Y.createID(client, clock + at)).every((id) =>
          isDeleted(doc, id),
        ),
      ),
    )
  );
}

function isDeleted(doc: Y.Doc, id: Y.ID): boolean {
  return Y.getItem(doc.store, id).deleted;
}

function blocksOf({ doc }: Person): Y.Array<Y.Text> {
  return doc.getArray("blocks");
}

/** Delete a block and write its words anew, as an editor that makes a heading of a paragraph. */
function rebuild(person: Person, chance: () => number): void {
  const blocks = blocksOf(person);
  const at = Math.floor(chance() * (blocks.length + 1));
  person.doc.transact(() => {
    const words = at < blocks.length ? blocks.get(at).toString() : "new";
    if (at < blocks.length) blocks.delete(at);
    blocks.insert(at, [new Y.Text(words)]);
  });
}

function typesOn(person: Person, chance: () => number): void {
  const blocks = blocksOf(person);
  const text = blocks.length > 0 && chance() < 0.7 ? blocks.get(0) : person.text;
  text.insert(text.length, String.fromCharCode(97 + Math.floor(chance() * 26)));
}

function removes(person: Person, chance: () => number): void {
  const length = person.says().length;
  if (length > 0) person.deletes(Math.floor(chance() * length), 1);
}

const acts: readonly (readonly [number, Act])[] = [
  [16, (_story, person, chance) => typesOn(person, chance)],
  [4, (_story, person, chance) => person.types("!", Math.floor(chance() * (person.says().length + 1)))],
  [4, (_story, person, chance) => removes(person, chance)],
  [4, (_story, person, chance) => rebuild(person, chance)],
  [14, (_story, person) => person.line.arriveUp()],
  [16, (_story, person) => person.line.arriveDown()],
  [8, ({ room }) => room.clock.advance(15)],
  [6, ({ room }, _person, chance) => room.server.commit(1 + Math.floor(chance() * 3))],
  [3, (_story, person) => person.line.connect()],
  [1.5, (_story, person) => person.line.drop()],
  [0.5, ({ room }, person) => room.server.forgetToTell(person.line, () => room.server.commit(1))],
  [0.3, ({ room }) => room.server.say("resync")],
  [0.3, ({ room }) => room.server.crash()],
  [0.6, (story, person) => story.reloads(person)],
  [0.3, (story, person) => story.opens(person)],
  [0.4, ({ room }) => room.server.refuseUpdates.push("unavailable")],
  [0.4, ({ room }) => room.server.refuseJoins.push("unavailable")],
  [0.5, ({ room }) => room.clock.advance(2_000)],
];

function pick(chance: () => number): Act {
  let left = chance() * acts.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, act] of acts) {
    left -= weight;
    if (left < 0) return act;
  }
  return () => {};
}

function run(seed: number): Story {
  const chance = seeded(seed);
  const room = new Room(chance);
  const story = new Story(room);
  room.server.partBytes = chance() < 0.2 ? 60 : 256 * 1024;
  for (let count = 2 + Math.floor(chance() * 2); count > 0; count--) story.opens();
  for (let step = 0; step < STEPS; step++) {
    const person = room.people[Math.floor(chance() * room.people.length)];
    if (person !== undefined) pick(chance)(story, person, chance);
  }
  room.server.refuseUpdates.length = 0;
  room.server.refuseJoins.length = 0;
  room.recover();
  return story;
}

/** The updates that were typed one by one and are in this one, or just this one. */
function piecesOf(update: Uint8Array, made: ReadonlyMap<string, Made>): readonly (Made | undefined)[] {
  const whole = made.get(nameOf(update));
  const [item, ...more] = Y.decodeUpdate(update).structs;
  if (whole !== undefined || more.length > 0 || !(item instanceof Y.Item)) return [whole];
  const { content } = item;
  if (!(content instanceof Y.ContentString)) return [undefined];
  const pieces: (Made | undefined)[] = [];
  const { client, clock } = item.id;
  for (let at = 0; at < item.length; ) {
    const piece = [...made.values()].find(
      (one) => Y.parseUpdateMeta(one.update).from.get(client) === clock + at,
    );
    const [struct] = piece === undefined ? [] : Y.decodeUpdate(piece.update).structs;
    const typed =
      struct instanceof Y.Item && struct.content instanceof Y.ContentString ? struct.content : null;
    pieces.push(typed !== null && content.str.startsWith(typed.str, at) ? piece : undefined);
    at += Math.max(1, struct?.length ?? 1);
  }
  return pieces;
}

function nameOf(update: Uint8Array): string {
  return String(update);
}

function bringsItems({ update }: Made): boolean {
  return Y.parseUpdateMeta(update).to.size > 0;
}

function block(first: number): readonly number[] {
  return Array.from({ length: BLOCK }, (_, index) => first + index);
}

const blocks = Array.from({ length: BLOCKS }, (_, index) => block(1 + index * BLOCK));

it.each(blocks)("the server hears what was made: seed %i and those after it", (...seeds) => {
  for (const seed of seeds) {
    const { room, made } = run(seed);
    const byName = new Map(made.map((one) => [nameOf(one.update), one]));
    const heard = room.server.heard.flatMap(({ update, after }) =>
      piecesOf(update, byName).map((piece) => ({ piece, after })),
    );
    expect({ seed, strange: heard.filter(({ piece }) => piece === undefined) }).toEqual({
      seed,
      strange: [],
    });
    for (const { piece, after } of heard) {
      // Several pages may delete the same.
      if (piece !== undefined && bringsItems(piece))
        expect({ seed, after }).toEqual({ seed, after: piece.after });
    }
    const first = [...new Set(heard.map(({ piece }) => piece))];
    expect({ seed, count: first.length }).toEqual({ seed, count: byName.size });
    for (const page of new Set(made.map((one) => one.page))) {
      const mine = (one: Made | undefined): one is Made => one?.page === page && bringsItems(one);
      expect(first.filter(mine)).toEqual(made.filter(mine));
    }
    const everywhere = new Set(room.people.map(({ doc }) => JSON.stringify(doc.getArray("blocks"))));
    expect({ seed, words: room.words().length, blocks: everywhere.size }).toEqual({
      seed,
      words: 1,
      blocks: 1,
    });
    expect(room.people.map(({ unsaved }) => unsaved)).toEqual(room.people.map(() => 0));
  }
});
