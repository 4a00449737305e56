/** Two people who suggest beside one who edits: random acts, and updates that arrive late. */

import * as Y from "yjs";
import type { Person } from "../page/editors";
import {
  ACTS,
  joins,
  judged,
  randomOf,
  type Suggesting,
  seesAll,
  started,
  suggestsAs,
  TYPING,
} from "./sessions";

export interface Step {
  readonly user: string;
  readonly isEditor: boolean;
  readonly act: string;
  /** In base64. */
  readonly update: string;
}

export interface Session {
  readonly seed: number;
  /** The document before, in base64. */
  readonly start: string;
  /** In the order in which the server gets them. */
  readonly steps: readonly Step[];
}

export interface Told {
  readonly session: Session;
  readonly people: readonly Person[];
  readonly suggesters: readonly Suggesting[];
  /** Updates of suggesters that changed more than what they have pending, as the server would see it. */
  readonly races: readonly string[];
  readonly acts: readonly string[];
}

const toBase64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));

export function session(seed: number, long = 24): Told {
  const random = randomOf(seed);
  const clock = { now: 1_000_000 };
  const eve = started();
  const flip = seed % 2 === 1;
  const ann = suggestsAs(joins(eve, flip ? 40 : 4), "ann", random, clock);
  const ben = suggestsAs(joins(eve, flip ? 30 : 3), "ben", random, clock);
  const people = [eve, ann, ben];
  const server = new Y.Doc();
  const start = Y.encodeStateAsUpdate(eve.doc);
  Y.applyUpdate(server, start);
  const steps: Step[] = [];
  const races: string[] = [];
  const acts: string[] = [];
  for (let times = 0; times < long; times += 1) {
    const who = people[random(3)] ?? eve;
    const user = "user" in who ? (who as Suggesting).user : "eve";
    const kinds = user === "eve" ? TYPING : ACTS;
    const act = kinds[random(kinds.length)];
    if (!act) continue;
    const updates: Uint8Array[] = [];
    const hear = (update: Uint8Array, origin: unknown) => void (origin === "others" || updates.push(update));
    who.doc.on("update", hear);
    act.run(who, random);
    who.doc.off("update", hear);
    acts.push(`${user} ${act.name}`);
    clock.now += random(3) * 1_000;
    for (const update of updates) {
      const before = user === "eve" ? "" : judged(server, user);
      Y.applyUpdate(server, update);
      if (user !== "eve" && judged(server, user) !== before) races.push(`${user} ${act.name}`);
      steps.push({ user, isEditor: user === "eve", act: act.name, update: toBase64(update) });
    }
    // One of them hears what the server has; what they write before is concurrent.
    if (random(2)) hears(people[random(3)] ?? eve, server);
  }
  for (const who of people) hears(who, server);
  return { session: { seed, start: toBase64(start), steps }, people, suggesters: [ann, ben], races, acts };
}

function hears(who: Person, server: Y.Doc): void {
  Y.applyUpdate(who.doc, Y.encodeStateAsUpdate(server, Y.encodeStateVector(who.doc)), "others");
  seesAll(who);
}
