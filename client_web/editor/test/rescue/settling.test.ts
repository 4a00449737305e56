/** Somebody accepts or rejects what two people suggest, while somebody else types, live or without a network.
 *
 * In the end every word stands once, in its line or in the line that its line has become: where it would be had all been typed
 * first. Of a line whose own words all go the typed word alone is left, somewhere near. `SEEDS` and `FROM` make a longer run.
 */

import { env } from "node:process";
import type { Mark, Node } from "@tiptap/pm/model";
import { afterAll, describe, expect, test } from "vitest";
import * as Y from "yjs";
import { acceptAll, type Judge, rejectAll, settled } from "../../src/features/suggesting/settle";
import { settleIn } from "../../src/features/suggesting/settling";
import { seesAll, sync } from "../page/editors";
import {
  ACTS,
  type Act,
  joins,
  KINDS,
  SELECTS_NEAR,
  type Suggesting,
  started,
  suggestsAs,
} from "../suggesting/sessions";
import { Nodes, type Row } from "./nodes";
import { PART, type Random, randomOf } from "./random";
import { at, endWriting, HEARD, type Writer, writer } from "./writers";

// Of a few seeds, not of all, is known that words stay: the rescue takes two or three struck letters for a copy where the same
// letters come into a new line at that moment, and lets the words behind them follow.
const SEEDS = Number(env.SEEDS ?? 1);
const FROM = Number(env.FROM ?? 3 + SEEDS * PART);
/** What people propose in each story. */
const PROPOSALS = 8;

const nodes = new Nodes();
afterAll(() => {
  nodes.end();
  endWriting();
});

const VERDICTS: Readonly<Record<string, Judge>> = {
  "accepts all": acceptAll,
  "rejects all": rejectAll,
  "accepts ann's": ({ user }) => (user === "ann" ? "accept" : "keep"),
  "rejects ann's": ({ user }) => (user === "ann" ? "reject" : "keep"),
  "accepts ann's, rejects ben's": ({ user }) => (user === "ann" ? "accept" : "reject"),
};

const WAYS = ["settles first", "types first", "live"] as const;
type Way = (typeof WAYS)[number];

/** A page that says what it does, and hears rows. */
class Page {
  readonly who: Writer;
  #heard = 0;
  readonly #waiting: { update: Uint8Array; after: number }[] = [];

  constructor(
    readonly client: number,
    base: Uint8Array,
    readonly log: Row[],
  ) {
    this.who = writer(client, [base]);
    this.who.doc.on("update", (update: Uint8Array, origin: unknown) => {
      // The first row is the document.
      if (origin !== HEARD) this.#waiting.push({ update, after: this.#heard + 1 });
    });
  }

  async says(): Promise<void> {
    for (const said of this.#waiting.splice(0))
      this.log.push(...(await nodes.say({ ...said, client: this.client })));
  }

  /** Applies rows, each with its rescue in one transaction, as the provider does. */
  hears(): void {
    for (const { updates, heirs } of this.log.slice(this.#heard)) {
      this.#heard += 1;
      this.who.doc.transact((transaction) => {
        if (heirs.length > 0) transaction.meta.set("heirs", heirs);
        for (const update of updates) Y.applyUpdate(this.who.doc, update, HEARD);
      }, HEARD);
    }
    seesAll(this.who);
  }
}

/** Words typed at places of the document before, the last place first. */
interface Typing {
  readonly at: number;
  readonly word: string;
}

function types({ editor: { view } }: Writer, typing: readonly Typing[]): void {
  for (const { at, word } of typing) view.dispatch(view.state.tr.insertText(word, at));
}

interface Told {
  /** What all see in the end. */
  readonly doc: Node;
  /** What they would see had all been typed first. */
  readonly wanted: Node;
}

/** Settles, while somebody else types; `half` is how many words have arrived when it is settled live. */
async function told(
  base: Uint8Array,
  judge: Judge,
  way: Way,
  typing: readonly Typing[],
  half: number,
): Promise<Told> {
  await nodes.begin();
  await nodes.say({ update: base, after: null, client: 1000 });
  const log: Row[] = [];
  const [alice, bob] = [new Page(11, base, log), new Page(22, base, log)];
  const typed = writer(33, [base]);
  types(typed, typing);
  const wanted = settled(typed.editor.state.doc, judge);
  settleIn(alice.who.editor, judge);
  if (way === "settles first") await alice.says();
  types(bob.who, way === "live" ? typing.slice(0, half) : typing);
  await bob.says();
  await alice.says();
  if (way === "live") types(bob.who, typing.slice(half));
  await bob.says();
  for (const each of [alice, bob]) each.hears();
  const { doc } = alice.who.editor.state;
  expect(bob.who.editor.getJSON()).toEqual(doc.toJSON());
  for (const who of [alice.who, bob.who, typed]) who.leave();
  return { doc, wanted };
}

/** The lines of a document, each with what it stands in. */
function linesOf(doc: Node): string[] {
  const lines: string[] = [];
  doc.descendants((node, at) => {
    if (!node.isTextblock) return true;
    const place = doc.resolve(at);
    const around = Array.from({ length: place.depth }, (_, depth) => `${place.node(depth + 1).type.name} `);
    lines.push(`${around.join("")}${node.type.name}: ${node.textContent}`);
    return false;
  });
  return lines;
}

describe("a change of each kind, one below the other", () => {
  /** The blocks of the document, all suggested by one person. */
  function blocksOf({ editor: { schema } }: Writer): Node[] {
    const made = (name: string, attrs: object | null, ...content: Node[]) =>
      schema.node(name, attrs, content);
    let count = 0;
    const suggestion = (more: object = {}) => {
      count += 1;
      return { id: `s${count}`, user: "ann", at: 1, ...more };
    };
    const mark = (name: string, more: object = {}) => schema.mark(name, suggestion(more));
    const text = (words: string, ...marks: Mark[]) => schema.text(words, marks);
    const inserted = (words: string) => text(words, mark("insertion", { run: 1, break: null }));
    const end = () => text("\u00b6", mark("insertion", { run: 1, break: 1 }));
    const line = (proposed: object | null, ...words: Node[]) =>
      made("paragraph", { suggestion: proposed && suggestion(proposed) }, ...words);
    const heading = { kind: "set", type: "heading", attrs: { level: 2 } };
    return [
      line(
        null,
        inserted("New "),
        text("alpha beta "),
        text("gamma ", mark("deletion")),
        text("delta "),
        inserted("eta"),
      ),
      line(heading, text("Heading to be of many words")),
      line(null, text("Split here "), end(), text("and there again")),
      line({ kind: "join" }, text("Joined to the one before")),
      line({ kind: "wrap", type: "bulletList" }, text("An item of a list to be")),
      line({ kind: "delete" }, text("This line is to go away")),
      line({ kind: "insert" }, inserted("A line that is proposed")),
      made(
        "bulletList",
        null,
        made("listItem", null, line(null, text("one item "), end(), text("two items"))),
        made("listItem", null, line(null, text("three "), inserted("four"))),
      ),
      line(null, text("The end of it")),
    ];
  }

  const PLACES = [
    "alpha beta",
    "delta",
    "to be of",
    "Split",
    "and there",
    "Joined to",
    "An item",
    "line is",
    "one item",
  ];
  const MORE = ["two items", "three", "end of"];

  function begins(): { base: Uint8Array; typing: Typing[] } {
    const first = writer(1000);
    const { view, state } = first.editor;
    view.dispatch(state.tr.replaceWith(0, state.doc.content.size, blocksOf(first)));
    const typing = [...PLACES, ...MORE].map((words, index) => ({
      at: at(first, words, true),
      word: `<${index}>`,
    }));
    const base = Y.encodeStateAsUpdate(first.doc);
    first.leave();
    return { base, typing: typing.reverse() };
  }

  for (const name of ["accepts all", "rejects all"]) {
    test.each(WAYS)(`${name}, %s`, async (way) => {
      const { base, typing } = begins();
      const { doc, wanted } = await told(base, VERDICTS[name] as Judge, way, typing, 5);
      expect(linesOf(doc)).toEqual(linesOf(wanted));
    });
  }
});

describe("random suggestions", () => {
  const LINES =
    "<p>Plan of the house</p><p>Split here and there</p><p>Joined to the one</p><p>An item to be</p>" +
    "<ul><li><p>milk and bread</p></li><li><p>rye or oats</p></li><li><p>tea of the hills</p></li></ul><p>said once more</p><p>last words</p>";

  /** Words that a story proposes to move stand there twice, and are told apart by nobody. */
  const MOVES = ["moves here", "paste", "break", "picture", "undoes"];
  /** What cuts and joins lines, or makes them others. */
  const OF_LINES = KINDS.filter(({ name }) => !MOVES.includes(name));
  const ANY = [...ACTS, ...KINDS].filter(({ name }) => !MOVES.includes(name));

  /** Puts the caret among the words of its line, and not near their ends. */
  function moveIn({ editor }: Suggesting, random: Random): void {
    const { $head } = editor.state.selection;
    const { size } = $head.parent.content;
    if (size > 9) editor.commands.setTextSelection($head.start() + 4 + random(size - 8));
  }

  function suggested(acts: readonly Act[], random: Random): Uint8Array {
    const eve = started(LINES);
    const clock = { now: 1_000 };
    const [ann, ben] = ["ann", "ben"].map((user, index) =>
      suggestsAs(joins(eve, 2 + index), user, random, clock),
    ) as [Suggesting, Suggesting];
    for (let times = 0; times < PROPOSALS; times += 1) {
      const who = random(2) ? ann : ben;
      SELECTS_NEAR.run(who, random);
      if (random(2)) moveIn(who, random);
      acts[random(acts.length)]?.run(who, random);
      sync(eve, ann, ben);
    }
    const update = Y.encodeStateAsUpdate(eve.doc);
    for (const { editor } of [eve, ann, ben]) editor.destroy();
    return update;
  }

  /** The documents of the stories, by seed: a story is told with each verdict, in each way. */
  const bases = new Map<number, Uint8Array>();

  function baseOf(seed: number): Uint8Array {
    const base = bases.get(seed) ?? suggested(seed % 2 ? OF_LINES : ANY, randomOf(seed));
    bases.set(seed, base);
    return base;
  }

  /** A word in each line, and whether words of that line are left beside it. */
  function typingIn(doc: Node, judge: Judge, random: Random): (Typing & { isLeft: boolean })[] {
    const typing: (Typing & { isLeft: boolean })[] = [];
    doc.descendants((node, place) => {
      if (!node.isTextblock) return true;
      const { paragraph } = doc.type.schema.nodes;
      const alone = settled(doc.type.create(null, paragraph?.create(null, node.content)), judge);
      const at = place + 1 + random(node.content.size + 1);
      typing.unshift({ at, word: `<${typing.length}>`, isLeft: alone.textContent.trim() !== "" });
      return false;
    });
    return typing;
  }

  const withoutTyped = (line: string | undefined) => line?.replace(/<\d+>/g, "");

  async function faultsOf(seed: number, name: string, way: Way): Promise<string[]> {
    const random = randomOf(seed);
    const judge = VERDICTS[name] as Judge;
    const base = baseOf(seed);
    const before = writer(44, [base]);
    const typing = typingIn(before.editor.state.doc, judge, random);
    before.leave();
    const { doc, wanted } = await told(base, judge, way, typing, random(typing.length));
    const [there, should] = [linesOf(doc), linesOf(wanted)];
    return typing.flatMap(({ word, isLeft }) => {
      const [found, expected] = [there, should].map((lines) =>
        lines.filter((line) => line.includes(word)),
      ) as [string[], string[]];
      const isRight =
        !isLeft || expected.length === 0 || withoutTyped(found[0]) === withoutTyped(expected[0]);
      if (found.length === 1 && isRight) return [];
      return [`seed ${seed} ${name}, ${way}: ${word} of “${expected}” in “${found}”`];
    });
  }

  const seeds = Array.from({ length: SEEDS }, (_, index) => FROM + index);

  test.each(WAYS)("words stay in their lines: %s", async (way) => {
    const faults: string[] = [];
    for (const seed of seeds)
      for (const name of Object.keys(VERDICTS)) faults.push(...(await faultsOf(seed, name, way)));
    expect(faults).toEqual([]);
  });
});
