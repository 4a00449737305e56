/** Two people who suggest beside one who edits: random acts, and updates that arrive late. */

import * as Y from "yjs";
import { lastInsertion, mend } from "../../../provider/src/mending";
import { settleIn } from "../../src/features/suggesting/settling";
import type { Person } from "../page/editors";
import {
  ACTS,
  type Act,
  joins,
  judged,
  KINDS,
  randomOf,
  SELECTS_NEAR,
  type Suggesting,
  seesAll,
  started,
  suggestsAs,
  TABLE,
  TABLES,
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
  /** What the server refused, and took when it was mended. */
  readonly mended: readonly string[];
  /** What the server refused twice: the page says so, and that person's session is over. */
  readonly refused: readonly string[];
  readonly stuck: readonly Y.Doc[];
  readonly acts: readonly string[];
}

const fromBase64 = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const toBase64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));

/** Commands for blocks, of which two people select the same ones again and again. */
const AT_ONE_PLACE = [SELECTS_NEAR, ...KINDS.filter(({ name }) => name !== "undoes"), SELECTS_NEAR];

/** Decides on about half of what is suggested. */
const decides: Act = {
  name: "decides",
  run: ({ editor }, random) => {
    const [verdict, odd] = [random(2) ? ("accept" as const) : ("reject" as const), random(2)];
    settleIn(editor, ({ id }) => ((id.codePointAt(0) ?? 0) % 2 === odd ? verdict : "keep"));
  },
};

export function session(
  seed: number,
  long = 24,
  suggesting: readonly Act[] = ACTS,
  editing: readonly Act[] = TYPING,
  html?: string,
): Told {
  const random = randomOf(seed);
  const clock = { now: 1_000_000 };
  const eve = started(html);
  const flip = seed % 2 === 1;
  const ann = suggestsAs(joins(eve, flip ? 40 : 4), "ann", random, clock);
  const ben = suggestsAs(joins(eve, flip ? 30 : 3), "ben", random, clock);
  const people = [eve, ann, ben];
  const lastOf = new Map(people.map(({ doc }) => [doc, lastInsertion(doc)]));
  const start = Y.encodeStateAsUpdate(eve.doc);
  const server = new Server(start);
  const mended: string[] = [];
  const refused: string[] = [];
  const acts: string[] = [];
  const stuck: Y.Doc[] = [];
  for (let times = 0; times < long; times += 1) {
    const who = people[random(3)] ?? eve;
    if (stuck.includes(who.doc)) continue;
    const user = "user" in who ? (who as Suggesting).user : "eve";
    const kinds = user === "eve" ? editing : suggesting;
    const act = kinds[random(kinds.length)];
    if (!act) continue;
    const updates: Uint8Array[] = [];
    const hear = (update: Uint8Array, origin: unknown) => void (origin === "others" || updates.push(update));
    who.doc.on("update", hear);
    act.run(who, random);
    who.doc.off("update", hear);
    acts.push(`${user} ${act.name}`);
    clock.now += random(3) * 1_000;
    if (!updates.every((update) => server.takes(update, user, act.name))) {
      if (server.takesMended(who, user, act.name, lastOf.get(who.doc)?.() ?? null))
        mended.push(`${user} ${act.name}`);
      else {
        refused.push(`${user} ${act.name}`);
        stuck.push(who.doc);
      }
    }
    // One of them hears what the server has; what they write before is concurrent.
    if (random(2)) hears(people[random(3)] ?? eve, server.doc);
  }
  for (const who of people) if (!stuck.includes(who.doc)) hears(who, server.doc);
  return {
    session: { seed, start: toBase64(start), steps: server.steps },
    people,
    suggesters: [ann, ben],
    mended,
    refused,
    stuck,
    acts,
  };
}

/** Two people who propose something for the same few lines. */
export function sessionAtOnePlace(seed: number): Told {
  return session(seed, 24, AT_ONE_PLACE);
}

export function sessionAtATable(seed: number): Told {
  return session(seed, 24, [...TABLES, ...TYPING], [...TYPING, ...TABLES, decides], TABLE);
}

/** The last mark of insertion that a person has made. */
type Last = ReturnType<ReturnType<typeof lastInsertion>>;

/** Takes of suggesters nothing but suggestions. */
class Server {
  readonly #start: Uint8Array;
  readonly steps: Step[] = [];
  doc: Y.Doc;

  constructor(start: Uint8Array) {
    this.#start = start;
    this.doc = this.#replayed();
  }

  /** Yjs takes nothing back. */
  #replayed(): Y.Doc {
    const doc = new Y.Doc();
    Y.applyUpdate(doc, this.#start);
    for (const { update } of this.steps) Y.applyUpdate(doc, fromBase64(update));
    return doc;
  }

  takes(update: Uint8Array, user: string, act: string): boolean {
    const isEditor = user === "eve";
    const before = isEditor ? "" : judged(this.doc, user);
    Y.applyUpdate(this.doc, update);
    if (!isEditor && judged(this.doc, user) !== before) {
      this.doc = this.#replayed();
      return false;
    }
    this.steps.push({ user, isEditor, act, update: toBase64(update) });
    return true;
  }

  /** What is refused is put right as the page does, and sent once more with all that the server lacks. */
  takesMended(who: Person, user: string, act: string, last: Last): boolean {
    hears(who, this.doc);
    const isMended = mend(who.doc, [Y.encodeStateAsUpdate(this.doc)], "mended", last);
    seesAll(who);
    return isMended && this.takes(Y.encodeStateAsUpdate(who.doc, Y.encodeStateVector(this.doc)), user, act);
  }
}

function hears(who: Person, server: Y.Doc): void {
  Y.applyUpdate(who.doc, Y.encodeStateAsUpdate(server, Y.encodeStateVector(who.doc)), "others");
  seesAll(who);
}
