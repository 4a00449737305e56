/** A typist's own page while somebody else rebuilds the line again and again, with a slow network between the page and the server.
 *
 * After each key and each row the page shows all that was typed, in one stretch, with the caret behind the last letter.
 * `SEEDS` and `FROM` make a longer run.
 */

import { env } from "node:process";
import { ySyncPluginKey } from "@manyhands/binding";
import type { EditorState } from "@tiptap/pm/state";
import { afterAll, expect, test } from "vitest";
import * as Y from "yjs";
import { seesAll } from "../page/editors";
import { Nodes, type Row } from "./nodes";
import { type Random, randomOf } from "./random";
import { type Act, at, HEARD, inside, type Writer, writer } from "./writers";

const SEEDS = Number(env.SEEDS ?? 5);
const FROM = Number(env.FROM ?? 1);
const STEPS = 60;

const nodes = new Nodes();
afterAll(() => nodes.end());

const ACTS: readonly Act[] = [
  (who) => inside(who, "Hello").toggleHeading({ level: 1 }).run(),
  (who) => inside(who, "Hello").toggleHeading({ level: 2 }).run(),
  (who) => inside(who, "Hello").toggleBulletList().run(),
  (who) => inside(who, "Hello").toggleOrderedList().run(),
  (who) => inside(who, "Hello").toggleTaskList().run(),
  (who) => inside(who, "Hello").toggleBlockquote().run(),
  (who) => inside(who, "Hello").toggleCodeBlock().run(),
  (who) => inside(who, "Hello").setParagraph().run(),
];

/** What the page shows before the caret, words that will come back among it. */
function shownBeforeCaret(state: EditorState): string {
  const { doc, selection } = state;
  const words = ySyncPluginKey.getState(state)?.pending.find(0, selection.head) ?? [];
  let [shown, from] = ["", 0];
  for (const { from: place, spec } of words.toSorted((one, other) => one.from - other.from)) {
    shown += doc.textBetween(from, place, "|") + spec.text;
    from = place;
  }
  return shown + doc.textBetween(from, selection.head, "|");
}

class Typist {
  readonly who: Writer;
  typed = "";
  private readonly waiting: { update: Uint8Array; after: number }[] = [];
  private readonly log: Row[] = [];
  private heard = 1;
  private readonly bob: Writer;
  private bobHeard = 1;
  private bobSays: Uint8Array[] = [];
  private unsaved = new Map<number, number>();

  constructor(base: Uint8Array, rows: readonly Row[]) {
    this.log.push(...rows);
    this.who = writer(20, [base]);
    this.bob = writer(500, [base]);
    this.who.doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin === HEARD) return;
      this.waiting.push({ update, after: this.heard });
    });
    this.bob.doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin !== HEARD) this.bobSays.push(update);
    });
    this.who.editor.commands.setTextSelection(at(this.who, "tail"));
  }

  types(letter: string): void {
    this.who.editor.view.dispatch(this.who.editor.state.tr.insertText(letter));
    this.typed += letter;
  }

  async restructures(random: Random): Promise<void> {
    this.bobHeard = pull(this.bob, this.log, this.bobHeard, this.log.length, new Map());
    ACTS[random(ACTS.length)]?.(this.bob);
    for (const update of this.bobSays.splice(0)) {
      this.log.push(...(await nodes.say({ update, after: this.bobHeard, client: 500 })));
    }
  }

  async says(): Promise<void> {
    const said = this.waiting.shift();
    if (said) this.log.push(...(await nodes.say({ ...said, client: 20 })));
  }

  hears(most: number): void {
    this.unsaved = new Map([[20, this.firstUnheard()]]);
    this.heard = pull(
      this.who,
      this.log,
      this.heard,
      Math.min(this.heard + most, this.log.length),
      this.unsaved,
    );
  }

  /** The first clock of what no row that was heard holds. */
  private firstUnheard(): number {
    const later = [
      ...this.log.slice(this.heard).flatMap(({ updates }) => updates),
      ...this.waiting.map(({ update }) => update),
    ];
    const clocks = later.flatMap((update) => Y.parseUpdateMeta(update).from.get(20) ?? []);
    return Math.min(...clocks, Number.MAX_SAFE_INTEGER);
  }

  get isDone(): boolean {
    return this.waiting.length === 0 && this.heard === this.log.length;
  }

  fault(): string | null {
    const shown = shownBeforeCaret(this.who.editor.state);
    return shown.endsWith(`Hello ${this.typed}`)
      ? null
      : `“Hello ${this.typed}^tail” is shown as “${shown}^”`;
  }

  end(): void {
    this.who.editor.destroy();
    this.bob.editor.destroy();
  }
}

function pull(
  { doc, editor }: Writer,
  log: readonly Row[],
  from: number,
  to: number,
  unsaved: ReadonlyMap<number, number>,
): number {
  for (const { updates, heirs } of log.slice(from, to)) {
    const apply = (transaction: Y.Transaction) => {
      transaction.meta.set("heirs", heirs);
      transaction.meta.set("unsaved", () => unsaved);
      for (const update of updates) Y.applyUpdate(doc, update, HEARD);
    };
    Y.transact(doc, apply, HEARD, false);
    seesAll({ doc, editor });
  }
  return to;
}

async function story(seed: number): Promise<string | null> {
  const random = randomOf(seed);
  await nodes.begin();
  const first = writer(1000);
  first.editor.commands.setContent("<p>first</p><p>Hello tail</p><p>last</p>");
  const base = Y.encodeStateAsUpdate(first.doc);
  first.editor.destroy();
  const typist = new Typist(base, await nodes.say({ update: base, after: null, client: 1000 }));
  const told: string[] = [];
  try {
    for (let step = 0; step < STEPS || !typist.isDone; step += 1) {
      const what = random(10);
      if (what < 4 && step < STEPS) typist.types(String.fromCharCode(97 + random(26)));
      else if (what < 5 && step < STEPS) await typist.restructures(random);
      else if (what < 8) await typist.says();
      else typist.hears(1 + random(2));
      told.push(what < 4 ? "types" : what < 5 ? "restructures" : what < 8 ? "says" : "hears");
      const fault = typist.fault();
      if (fault) return `seed ${seed}, step ${step}, ${told.slice(-6).join()}: ${fault}`;
    }
    return null;
  } finally {
    typist.end();
  }
}

test("a typist sees all own letters at all times, with the caret behind them", async () => {
  const faults: string[] = [];
  for (let seed = FROM; seed < FROM + SEEDS; seed += 1) {
    const fault = await story(seed);
    if (fault) faults.push(fault);
  }
  expect(faults).toEqual([]);
});
