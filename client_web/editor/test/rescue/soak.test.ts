/** Three people with real editors, offline now and then, write unique words and restructure at random, over several nodes.
 *
 * In the end each word stands there once, and everybody sees the same document. A run has `SEEDS` documents of `STEPS` steps,
 * beginning with the seed `FROM`: other ones each day, five days long.
 */

import { env } from "node:process";
import { afterAll, expect, test } from "vitest";
import * as Y from "yjs";
import { move, sort, type Way } from "../../src/features/tables/table_commands";
import { seesAll } from "../page/editors";
import { Nodes, type Row, type Setting } from "./nodes";
import { PART, type Random, randomOf } from "./random";
import { endWriting, HEARD, type Writer, writer } from "./writers";

const SEEDS = Number(env.SEEDS ?? 60);
const FROM = Number(env.FROM ?? 1 + SEEDS * PART);
const STEPS = Number(env.STEPS ?? 24);
const WAYS: readonly Way[] = ["up", "down", "left", "right"];
const WORD = /[\u4e00-\u9fff]\d+/g;

const SETTINGS: readonly Setting[] = [{}, { nodes: 2, fold: 5 }, { nodes: 3 }, { fold: 3 }];

interface Said {
  readonly update: Uint8Array;
  readonly after: number;
}

interface Person extends Writer {
  readonly client: number;
  readonly waiting: Said[];
  /** How many rows this person has applied. */
  at: number;
}

interface Outcome {
  readonly words: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly isDiverged: boolean;
  readonly text: string;
}

const nodes = new Nodes();
afterAll(() => {
  nodes.end();
  endWriting();
});

const STRUCTURE: Readonly<Record<string, (who: Writer, at: number, random: Random) => unknown>> = {
  heading: ({ editor }, at, random) =>
    editor
      .chain()
      .setTextSelection(at)
      .toggleHeading({ level: (1 + random(3)) as 1 })
      .run(),
  paragraph: ({ editor }, at) => editor.chain().setTextSelection(at).setParagraph().run(),
  bullet: ({ editor }, at) => editor.chain().setTextSelection(at).toggleBulletList().run(),
  ordered: ({ editor }, at) => editor.chain().setTextSelection(at).toggleOrderedList().run(),
  tasks: ({ editor }, at) => editor.chain().setTextSelection(at).toggleTaskList().run(),
  quote: ({ editor }, at) => editor.chain().setTextSelection(at).toggleBlockquote().run(),
  code: ({ editor }, at) => editor.chain().setTextSelection(at).toggleCodeBlock().run(),
  join: ({ editor }, at) =>
    editor.chain().setTextSelection(editor.state.doc.resolve(at).start()).joinBackward().run(),
  split: ({ editor }, at) => editor.chain().setTextSelection(at).splitBlock().run(),
  sink: ({ editor }, at) => editor.chain().setTextSelection(at).sinkListItem("listItem").run(),
  lift: ({ editor }, at) => editor.chain().setTextSelection(at).liftListItem("listItem").run(),
  enter: (who, at) => {
    who.editor.commands.setTextSelection(at);
    who.editor.commands.keyboardShortcut("Enter");
  },
  bold: ({ editor }, at) => {
    const to = Math.min(at + 5, editor.state.doc.resolve(at).end());
    editor.chain().setTextSelection({ from: at, to }).toggleBold().run();
  },
  align: ({ editor }, at) => editor.chain().setTextSelection(at).setTextAlign("center").run(),
  "line break": ({ editor }, at) => editor.chain().setTextSelection(at).setHardBreak().run(),
  header: ({ editor }, at) => editor.chain().setTextSelection(at).toggleHeaderRow().run(),
  row: ({ editor }, at) => editor.chain().setTextSelection(at).addRowAfter().run(),
  column: ({ editor }, at) => editor.chain().setTextSelection(at).addColumnAfter().run(),
  sort: ({ editor }, at, random) =>
    editor
      .chain()
      .setTextSelection(at)
      .command(sort(random(2) === 0))
      .run(),
  "row or column moved": ({ editor }, at, random) =>
    editor
      .chain()
      .setTextSelection(at)
      .command(move(WAYS[random(4)] ?? "up"))
      .run(),
  move: ({ editor: { state, view } }, at, random) => {
    const place = state.doc.resolve(at);
    const node = place.node(1);
    const tr = state.tr.delete(place.before(1), place.after(1));
    const spots: number[] = [0];
    tr.doc.forEach((child, offset) => {
      spots.push(offset + child.nodeSize);
    });
    view.dispatch(tr.insert(spots[random(spots.length)] ?? 0, node));
  },
};

const wordsIn = (text: string) => text.match(WORD) ?? [];
const textOf = ({ editor }: Writer) => editor.getText({ blockSeparator: "|" });

let base: Uint8Array | null = null;

/** What all stories begin with. */
function baseOf(html: string): Uint8Array {
  const first = writer(1000);
  first.editor.commands.setContent(html);
  const update = Y.encodeStateAsUpdate(first.doc);
  first.leave();
  return update;
}

class Story {
  readonly words = new Set<string>();
  /** Words that their own author has taken back by undo. */
  readonly taken = new Set<string>();
  private readonly writers = new Map<string, number>();
  private readonly random: Random;
  private readonly log: Row[] = [];
  private people: Person[] = [];

  constructor(
    seed: number,
    private readonly setting: Setting,
  ) {
    this.random = randomOf(seed);
  }

  async run(): Promise<Outcome> {
    await nodes.begin(this.setting);
    await this.begin();
    for (let step = 0; step < STEPS; step += 1) {
      const who = this.people[this.random(3)] as Person;
      const what = this.random(10);
      if (what < 5) this.edit(who);
      else if (what < 8) await this.push(who);
      else this.pull(who, 1 + this.random(4));
    }
    while (this.people.some(({ waiting, at }) => waiting.length || at < this.log.length)) {
      for (const who of this.people) while (who.waiting.length) await this.push(who);
      for (const who of this.people) this.pull(who, this.log.length);
    }
    return this.end();
  }

  private word(): string {
    const word = `${String.fromCharCode(0x4e00 + this.words.size)}${this.words.size}`;
    this.words.add(word);
    return word;
  }

  private async begin(): Promise<void> {
    const line = (count: number) => `<p>${Array.from({ length: count }, () => this.word()).join(" ")}</p>`;
    const html =
      `${line(4)}${line(4)}<ul><li>${line(3)}</li><li>${line(3)}</li></ul>` +
      `<table><tr><td>${line(2)}</td><td>${line(2)}</td></tr><tr><td>${line(2)}</td><td>${line(1)}</td></tr></table>${line(4)}`;
    base ??= baseOf(html);
    const update = base;
    this.keep(await nodes.say({ update, after: null, client: 1000 }));
    this.people = [11, 22, 33].map((client) => {
      const waiting: Said[] = [];
      const who = { ...writer(client, [update]), client, waiting, at: 1 };
      who.doc.on("update", (made: Uint8Array, origin: unknown) => {
        if (origin !== HEARD) waiting.push({ update: made, after: who.at });
      });
      return who;
    });
  }

  private keep(rows: readonly Row[]): void {
    this.log.push(...rows);
  }

  private async push(who: Person): Promise<void> {
    const said = who.waiting.shift();
    if (said) this.keep(await nodes.say({ ...said, client: who.client, node: who.client }));
  }

  /** Applies rows, each with its rescue in one transaction, as the provider does. */
  private pull(who: Person, most: number): void {
    for (const { updates, heirs } of this.log.slice(who.at, who.at + most)) {
      who.at += 1;
      who.doc.transact((transaction) => {
        if (heirs.length) transaction.meta.set("heirs", heirs);
        for (const update of updates) Y.applyUpdate(who.doc, update, HEARD);
      }, HEARD);
    }
    seesAll(who);
  }

  private edit(who: Person): void {
    const spots: number[] = [];
    who.editor.state.doc.descendants((node, position) => {
      if (!node.isTextblock) return true;
      for (const match of node.textBetween(0, node.content.size, "", "\ufffc").matchAll(WORD)) {
        spots.push(position + 1 + match.index, position + 1 + match.index + match[0].length);
      }
      return false;
    });
    const at = spots[this.random(spots.length || 1)];
    if (at === undefined) return;
    const what = this.random(100);
    if (what < 55) this.type(who, at);
    else if (what < 60) this.undo(who);
    else {
      const names = Object.keys(STRUCTURE);
      const name = names[this.random(names.length)] ?? "";
      STRUCTURE[name]?.(who, at, this.random);
    }
  }

  private type(who: Person, at: number): void {
    const before = who.editor.state.doc.textBetween(Math.max(0, at - 6), at, "|", "|");
    const word = this.word();
    this.writers.set(word, who.client);
    who.editor.commands.insertContentAt(at, /[\u4e00-\u9fff]\d*$/.test(before) ? ` ${word}` : `${word} `);
  }

  private undo(who: Person): void {
    const before = wordsIn(textOf(who));
    who.editor.commands.undo();
    const after = new Set(wordsIn(textOf(who)));
    const isOwn = (word: string) => this.writers.get(word) === who.client;
    for (const word of before) if (!after.has(word) && isOwn(word)) this.taken.add(word);
  }

  private end(): Outcome {
    const fresh = new Y.Doc();
    for (const { updates } of this.log) for (const update of updates) Y.applyUpdate(fresh, update);
    const document = fresh.getXmlFragment("default").toString();
    const [one] = this.people;
    const text = one ? textOf(one) : "";
    const isDiverged =
      new Set(this.people.map(({ editor }) => JSON.stringify(editor.getJSON()))).size > 1 ||
      this.people.some(({ doc }) => doc.getXmlFragment("default").toString() !== document);
    for (const who of this.people) who.leave();
    const count = new Map<string, number>();
    for (const word of wordsIn(text)) count.set(word, (count.get(word) ?? 0) + 1);
    return {
      words: this.words.size,
      lost: [...this.words].filter((word) => !count.has(word) && !this.taken.has(word)),
      doubled: [...count].filter(([, times]) => times > 1).map(([word]) => word),
      isDiverged,
      text,
    };
  }
}

test("every word stands there once, for everybody", async () => {
  const faults: string[] = [];
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    const setting = SETTINGS[seed % SETTINGS.length] ?? {};
    const { lost, doubled, isDiverged, text } = await new Story(seed, setting).run();
    if (lost.length || doubled.length || isDiverged) {
      faults.push(`seed ${seed}: lost ${lost} doubled ${doubled} ${isDiverged ? "diverged" : ""}\n  ${text}`);
    }
  }
  expect(faults).toEqual([]);
});

test("without a rescue words die: a planted fault", async () => {
  let lost = 0;
  for (let seed = 1; seed <= 10; seed += 1) {
    const outcome = await new Story(seed, { rescue: false }).run();
    lost += outcome.lost.length + outcome.doubled.length;
  }
  expect(lost).toBeGreaterThan(5);
});
