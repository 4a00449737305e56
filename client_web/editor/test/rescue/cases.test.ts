/** One person restructures a line in which another one types, both from the same document, in every order of the log.
 *
 * What comes out must be what the same edits give one after the other. Where the two orders of editing differ, every word must be
 * there once, in order and with its formats.
 *
 * Each run takes a fifth of the cases, another one each day; `PART` names one. `ALL=1` runs every case in every order. `RECORD=1` runs every case, and writes the cases
 * for tests/crdt/test_rescue.py.
 */

import { writeFileSync } from "node:fs";
import { env } from "node:process";
import { gzipSync } from "node:zlib";
import type { JSONContent } from "@tiptap/core";
import { afterAll, expect, test } from "vitest";
import * as Y from "yjs";
import { fits, htmlOf, isFree, LIMITS, STRUCTURES, type Structure, TYPINGS, type Typing } from "./acts";
import { faultOf, type Level } from "./judging";
import { encoded, Nodes, ROOT, type Setting } from "./nodes";
import { PART, PARTS } from "./random";
import { type Act, endWriting, seen, type Traits, writer } from "./writers";

const RESTRUCTURER = 500;
const SETTINGS: readonly Setting[] = [{}, { nodes: 2 }, { fold: 2 }, { nodes: 3, fold: 3 }];

interface Update {
  readonly update: Uint8Array;
  readonly client: number;
}

interface Case {
  readonly op: string;
  readonly typing: string;
  readonly flip: boolean;
  readonly base: Uint8Array;
  readonly restructurer: readonly Uint8Array[];
  readonly typists: readonly (readonly Uint8Array[])[];
  readonly expected: readonly JSONContent[];
  readonly level: Level;
}

const nodes = new Nodes();
const recorded: Case[] = [];
const results = new Map<string, Result>();
const bases = new Map<string, Uint8Array>();

afterAll(() => {
  nodes.end();
  endWriting();
  if (env.RECORD) record();
});

for (const [op, structure] of Object.entries(STRUCTURES)) {
  if (env.OP && !op.match(env.OP)) continue;
  test(op, async () => {
    const faults: string[] = [];
    let number = op.length;
    for (const [index, [typing, kind]] of Object.entries(TYPINGS).entries()) {
      if (!env.ALL && !env.RECORD && (index + op.length) % PARTS !== PART) continue;
      if (!fits(typing, structure) || (env.TYPING && !typing.match(env.TYPING))) continue;
      for (const flip of env.ALL ? [false, true] : [number % 2 === 0]) {
        const made = make(op, structure, typing, kind, flip);
        if (!made) continue;
        recorded.push(made);
        const orders = ordersOf(made);
        for (const [name, order] of env.ALL ? orders : orders.slice(number % orders.length).slice(0, 1)) {
          const setting = SETTINGS[number % SETTINGS.length] ?? {};
          number += 1;
          const fault = await run(made, structure, order, setting);
          if (fault)
            faults.push(
              `${op} × ${typing}, ${flip ? "high" : "low"}, ${name}, ${JSON.stringify(setting)}: ${fault}`,
            );
        }
      }
    }
    expect(faults).toEqual([]);
  });
}

/** Lets everybody edit the same document, and both orders of editing as well. */
function make(
  op: string,
  structure: Structure,
  typing: string,
  { typists }: Typing,
  flip: boolean,
): Case | null {
  const { acts, traits, takesAway } = structure;
  const base = baseOf(structure);
  const edited = (client: number, heard: readonly Uint8Array[], edits: readonly Act[]) =>
    resultOf(client, [base, ...heard], edits, traits);
  const alone = (client: number, name: string, edits: readonly Act[]) =>
    known(`${client} ${name} ${htmlOf(structure)} ${traits?.inlinePictures}`, () =>
      edited(client, [], edits),
    );
  const restructurer = alone(RESTRUCTURER, op, acts);
  const typedBy = (client: number) =>
    typists.map((each, index) => alone(client + index, `${typing} ${index}`, each));
  const typed = typedBy(flip ? 900 : 10).map(({ updates }) => updates);
  // One after the other. Who comes second may not find their place any more.
  const expected: JSONContent[] = [];
  for (const first of [true, false]) {
    try {
      let heard = first ? [] : restructurer.updates;
      let { json } = restructurer;
      for (const [index, each] of typists.entries()) {
        const isFirst = heard.length === 0;
        const next = isFirst ? alone(20, `${typing} 0`, each) : edited(20 + index, heard, each);
        heard = [...heard, ...next.updates];
        json = next.json;
      }
      if (first) ({ json } = edited(RESTRUCTURER, heard, acts));
      if (!expected.some((each) => JSON.stringify(each) === JSON.stringify(json))) expected.push(json);
    } catch (error) {
      if (!String(error).includes("is not in")) throw error;
    }
  }
  if (expected.length === 0) return null;
  const isLimit = `${op} × ${typing}` in LIMITS;
  const level: Level = takesAway
    ? "kept"
    : isFree(op, typing) || isLimit
      ? "once"
      : expected.length === 1
        ? "same"
        : "words";
  return { op, typing, flip, base, level, expected, typists: typed, restructurer: restructurer.updates };
}

interface Result {
  readonly updates: readonly Uint8Array[];
  readonly json: JSONContent;
}

function resultOf(
  client: number,
  heard: readonly Uint8Array[],
  acts: readonly Act[],
  traits?: Traits,
): Result {
  const who = writer(client, heard, traits);
  try {
    for (const act of acts) act(who);
    return { updates: who.updates, json: who.editor.getJSON() };
  } finally {
    who.leave();
  }
}

/** What somebody has done alone is the same in every case. */
function known(key: string, make: () => Result): Result {
  const found = results.get(key) ?? make();
  results.set(key, found);
  return found;
}

function baseOf(structure: Structure): Uint8Array {
  const html = htmlOf(structure);
  const known = bases.get(html);
  if (known) return known;
  const first = writer(1000, [], structure.traits);
  first.editor.commands.setContent(html);
  const base = Y.encodeStateAsUpdate(first.doc);
  first.leave();
  bases.set(html, base);
  return base;
}

/** Returns the orders in which the log may take the updates. */
function ordersOf({ flip, typists, restructurer }: Case): (readonly [string, readonly Update[]])[] {
  const typed = typists.flatMap((updates, index) =>
    updates.map((update): Update => ({ update, client: (flip ? 900 : 10) + index })),
  );
  const structure = restructurer.map((update): Update => ({ update, client: RESTRUCTURER }));
  const orders: (readonly [string, readonly Update[]])[] = [
    ["typing first", [...typed, ...structure]],
    ["structure first", [...structure, ...typed]],
  ];
  if (typed.length > 1)
    orders.push(["structure amid", [...typed.slice(0, 1), ...structure, ...typed.slice(1)]]);
  if (structure.length > 1)
    orders.push(["typing amid", [...structure.slice(0, 1), ...typed, ...structure.slice(1)]]);
  return orders;
}

async function run(
  made: Case,
  { traits }: Structure,
  order: readonly Update[],
  setting: Setting,
): Promise<string | null> {
  await nodes.begin(setting);
  const log: Uint8Array[] = [];
  const say = async (update: Uint8Array, client: number, after: number | null) => {
    for (const row of await nodes.say({ update, client, after, node: client })) log.push(...row.updates);
  };
  await say(made.base, 1000, null);
  for (const { update, client } of order) await say(update, client, 1);
  const { json, isRepaired } = seen(log, traits);
  const typed = ["TYPED", "SECOND"].filter((word) => JSON.stringify(made.expected).includes(word));
  const fault = faultOf(json, made.expected, made.level, typed);
  if (fault)
    return `${fault} (${made.level}):\n  ${JSON.stringify(json)}\n  ${made.expected.map((each) => JSON.stringify(each)).join("\n  ")}`;
  return isRepaired ? `needs repair: ${JSON.stringify(json)}` : null;
}

function record(): void {
  const cases = recorded.map(({ base, restructurer, typists, ...rest }) => ({
    ...rest,
    base: encoded(base),
    restructurer: restructurer.map(encoded),
    typists: typists.map((updates) => updates.map(encoded)),
  }));
  writeFileSync(`${ROOT}/tests/crdt/rescue_cases.json.gz`, gzipSync(JSON.stringify(cases), { level: 9 }));
}
