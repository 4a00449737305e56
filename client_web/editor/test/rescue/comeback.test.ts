/** Somebody has typed without a network in a line that somebody else has changed, comes back, and types on at any moment.
 *
 * The page may have been restarted, so that its words are under two client ids. Rows may be in the document before the page
 * shows them. In the end the line has all words in order, once, and the caret stands behind the last one. `SEEDS` and `FROM`
 * make a longer run.
 */

import { env } from "node:process";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { move, sort } from "../../src/features/tables/table_commands";
import { seesAll } from "../page/editors";
import { Nodes, type Row } from "./nodes";
import { randomOf } from "./random";
import { type Act, at, blockOf, HEARD, inside, presses, type Writer, writer } from "./writers";

const SEEDS = Number(env.SEEDS ?? 2);
const FROM = Number(env.FROM ?? 1);
/** Seeds whose stories once lost the order of the letters, by kind. */
const KEPT: Readonly<Record<string, readonly number[]>> = {
  heading: [20, 29],
  "heading, then list": [210],
  split: [17, 20, 58],
  "split, then heading": [20, 205, 215, 233, 500],
  "split, then join": [203, 211, 237, 721],
};

const nodes = new Nodes();
// What the page does not show before the next frame waits until the story shows one.
beforeAll(() =>
  vi.useFakeTimers({
    toFake: ["requestAnimationFrame", "cancelAnimationFrame", "setTimeout", "clearTimeout"],
  }),
);
afterAll(() => {
  vi.useRealTimers();
  nodes.end();
});

interface Kind {
  readonly before: string;
  /** What somebody else does to the line, step by step. */
  readonly acts: readonly Act[];
}

const LINE = "<p>head tail</p>";
const ITEMS = `<ul><li><p>over</p></li><li>${LINE}</li><li><p>under</p></li></ul>`;
const CELLS = `<table><tr><td>${LINE}</td><td><p>side</p></td></tr><tr><td><p>foot</p></td><td><p>end</p></td></tr></table>`;

const toHeading: Act = (who) => inside(who, "head").toggleHeading({ level: 2 }).run();
const toList: Act = (who) => inside(who, "head").toggleBulletList().run();
const splitsBehind =
  (words: string): Act =>
  (who) =>
    who.editor
      .chain()
      .setTextSelection(at(who, words, true))
      .splitBlock()
      .run();
const joins =
  (words: string): Act =>
  (who) => {
    const start = who.editor.state.doc.resolve(at(who, words)).start();
    return who.editor.chain().setTextSelection(start).joinBackward().run();
  };
const movesDown: Act = (who) => {
  const { from, node } = blockOf(who, "head");
  const { tr } = who.editor.state;
  tr.delete(from, from + node.nodeSize);
  who.editor.view.dispatch(tr.insert(tr.doc.content.size, node));
};

const KINDS: Readonly<Record<string, Kind>> = {
  heading: { before: LINE, acts: [toHeading] },
  list: { before: LINE, acts: [toList] },
  paragraph: { before: "<h3>head tail</h3>", acts: [(who) => inside(who, "head").setParagraph().run()] },
  code: { before: LINE, acts: [(who) => inside(who, "head").toggleCodeBlock().run()] },
  quote: { before: LINE, acts: [(who) => inside(who, "head").toggleBlockquote().run()] },
  "heading, then list": { before: LINE, acts: [toHeading, toList] },
  join: { before: `<p>over</p>${LINE}`, acts: [joins("head")] },
  "join of next": { before: `${LINE}<p>under</p>`, acts: [joins("under")] },
  split: { before: LINE, acts: [splitsBehind("head")] },
  "split before": { before: LINE, acts: [splitsBehind("he")] },
  "split behind": { before: LINE, acts: [splitsBehind("ta")] },
  "split, then heading": {
    before: LINE,
    acts: [splitsBehind("head"), (who) => inside(who, "ail").toggleHeading({ level: 2 }).run()],
  },
  "split, then join": { before: LINE, acts: [splitsBehind("head"), joins("ail")] },
  "split of an item": { before: ITEMS, acts: [presses("Enter", "head", true)] },
  indent: { before: ITEMS, acts: [presses("Tab", "head")] },
  "other list": { before: ITEMS, acts: [(who) => inside(who, "head").toggleOrderedList().run()] },
  "out of a list": { before: ITEMS, acts: [presses("Shift-Tab", "head")] },
  move: { before: `${LINE}<p>under</p>`, acts: [movesDown] },
  "row passed": { before: CELLS, acts: [(who) => inside(who, "foot").command(move("up")).run()] },
  "column passed": { before: CELLS, acts: [(who) => inside(who, "side").command(move("left")).run()] },
  "rows sorted": { before: CELLS, acts: [(who) => inside(who, "end").command(sort(false)).run()] },
  "header row": { before: CELLS, acts: [(who) => inside(who, "head").toggleHeaderRow().run()] },
};

interface Change {
  readonly update: Uint8Array;
  readonly after: number;
}

/** A page that comes back: what it sends and hears, and when it shows that. */
class Page {
  readonly who: Writer;
  readonly #client: number;
  #waiting: Change[] = [];
  #heard = 1;

  constructor(
    client: number,
    base: Uint8Array,
    before: readonly Change[],
    readonly log: Row[],
  ) {
    this.#client = client;
    this.#waiting = [...before];
    this.who = writer(client, [base, ...before.map(({ update }) => update)]);
    this.who.doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin !== HEARD) this.#waiting.push({ update, after: this.#heard });
    });
  }

  types(words: string): void {
    for (const letter of words) this.who.editor.view.dispatch(this.who.editor.state.tr.insertText(letter));
  }

  /** What was typed since the page was opened and waits, as one update. */
  joinsTyping(): void {
    const [first] = this.#waiting;
    if (first)
      this.#waiting = [{ ...first, update: Y.mergeUpdates(this.#waiting.map(({ update }) => update)) }];
  }

  get waiting(): readonly Change[] {
    return this.#waiting;
  }

  get isDone(): boolean {
    return this.#waiting.length === 0 && this.#heard === this.log.length;
  }

  async says(most: number): Promise<void> {
    const batches: { updates: Uint8Array[]; after: number }[] = [];
    for (const { update, after } of this.#waiting.splice(0, most)) {
      const last = batches.at(-1);
      if (last?.after === after) last.updates.push(update);
      else batches.push({ updates: [update], after });
    }
    if (batches.length > 0) this.log.push(...(await nodes.sayAll(batches, this.#client)));
  }

  /** Applies rows in one transaction, as the answer to a join does, or one by one. */
  hears(most: number, isJoin: boolean): void {
    const rows = this.log.slice(this.#heard, this.#heard + most);
    for (const each of isJoin ? [rows] : rows.map((row) => [row])) {
      if (each.length === 0) continue;
      const unsaved = this.#unsaved(); // a row is acknowledged after it was told
      const apply = (transaction: Y.Transaction) => {
        transaction.meta.set(
          "heirs",
          each.flatMap(({ heirs }) => heirs),
        );
        transaction.meta.set("unsaved", () => unsaved);
        for (const update of each.flatMap(({ updates }) => updates))
          Y.applyUpdate(this.who.doc, update, HEARD);
        this.#heard += each.length;
      };
      Y.transact(this.who.doc, apply, HEARD, false);
    }
  }

  /** The first clock of each client id of what no row that was heard holds. */
  #unsaved(): ReadonlyMap<number, number> {
    const later = [
      ...this.log.slice(this.#heard).flatMap(({ updates }) => updates),
      ...this.#waiting.map(({ update }) => update),
    ];
    const first = new Map<number, number>();
    for (const update of later) {
      for (const [client, clock] of Y.parseUpdateMeta(update).from) {
        if (client === 20 || client === 21) first.set(client, Math.min(clock, first.get(client) ?? clock));
      }
    }
    return first;
  }
}

const WORDS = "w00 w01 w02 w03 ";

interface Prepared {
  readonly base: Uint8Array;
  readonly acts: readonly Uint8Array[];
  /** The document in which the words were there before the acts. */
  readonly expected: string;
}

function prepared({ before, acts }: Kind): Prepared {
  const edited = (client: number, heard: readonly Uint8Array[], edits: readonly Act[]) => {
    const who = writer(client, heard);
    for (const edit of edits) edit(who);
    const found = { state: Y.encodeStateAsUpdate(who.doc), updates: who.updates, html: who.editor.getHTML() };
    who.editor.destroy();
    return found;
  };
  const begins =
    (html: string): Act =>
    ({ editor }) =>
      editor.commands.setContent(html);
  const base = edited(1000, [], [begins(before)]).state;
  return {
    base,
    acts: edited(500, [base], acts).updates,
    expected: edited(30, [], [begins(before.replace("tail", `${WORDS}tail`)), ...acts]).html,
  };
}

/** A page with words that no other page has, of this session or of the one before, too. */
function awayPage(base: Uint8Array, log: Row[], isRestarted: boolean, isJoined: boolean): Page {
  let alice = new Page(20, base, [], log);
  const goes = () => alice.who.editor.commands.setTextSelection(at(alice.who, "tail"));
  goes();
  alice.types("w00 w01 ");
  if (isJoined) alice.joinsTyping();
  if (isRestarted) {
    const before = alice.waiting;
    alice.who.editor.destroy();
    alice = new Page(21, base, before, log);
    goes();
  }
  alice.types("w02 ");
  return alice;
}

async function story(seed: number, { base, acts, expected }: Prepared): Promise<string | null> {
  const random = randomOf(seed);
  const [isRestarted, isLive, isJoined] = [random(2) === 1, random(3) === 0, random(2) === 0];
  await nodes.begin();
  const log = await nodes.say({ update: base, after: null, client: 1000 });
  const alice = awayPage(base, log, isRestarted, isJoined);
  const told = [isRestarted ? "restarted" : "stayed"];
  const left = [...acts];
  const acting = async (most: number) => {
    told.push("acts");
    for (const update of left.splice(0, most))
      log.push(...(await nodes.say({ update, after: 1, client: 500 })));
  };
  if (!isLive) await acting(left.length);
  const letters = [..."w03 "];
  const does: Readonly<Record<string, () => unknown>> = {
    types: () => alice.types(letters.shift() ?? ""),
    hears: () => alice.hears(1 + random(3), told.length < 4 && random(2) === 0),
    says: () => alice.says(1 + random(random(2) === 0 ? 2 : 12)),
    shows: () => vi.advanceTimersToNextFrame(),
  };
  const names = Object.keys(does);
  try {
    while (letters.length > 0 || left.length > 0 || !alice.isDone) {
      if (left.length > 0 && random(4) === 0) await acting(1);
      const name = names[random(names.length)] as string;
      told.push(name);
      await does[name]?.();
    }
    vi.advanceTimersToNextFrame();
    seesAll(alice.who);
    const fault = faultOf(alice.who, expected);
    return fault && `seed ${seed}, ${told.join()}: ${fault}`;
  } finally {
    alice.who.editor.destroy();
  }
}

function faultOf({ editor }: Writer, expected: string): string | null {
  const { doc, selection } = editor.state;
  const shown = doc.textBetween(0, selection.head, "|");
  if (editor.getHTML() !== expected) return editor.getHTML();
  return shown.endsWith(WORDS) ? null : `the caret stands in “${shown}^”`;
}

test.each(Object.entries(KINDS))("%s", async (name, kind) => {
  const faults: string[] = [];
  const made = prepared(kind);
  for (const seed of [...(KEPT[name] ?? []), ...Array.from({ length: SEEDS }, (_, index) => FROM + index)]) {
    const fault = await story(seed, made);
    if (fault) faults.push(fault);
  }
  expect(faults).toEqual([]);
});
