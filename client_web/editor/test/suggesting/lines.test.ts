/** What people suggest over the real provider arrives, whatever others do meanwhile, and nobody is stopped. */

import { env } from "node:process";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { acceptAll, rejectAll } from "../../src/features/suggesting/settle";
import { settleIn } from "../../src/features/suggesting/settling";
import { overLines, type Seated, type Seating, seatedAll, settles, suggests } from "./lines";
import { judged, randomOf } from "./sessions";

const SESSIONS = Number(env.SESSIONS ?? 1);
const FIRST = Number(env.FIRST ?? 0);

/** Seeds that have failed: an editor accepted in one line while somebody typed in another one, and both at the same moment. */
const FAILED = [14, 17];

let seated: readonly Seated[] = [];

afterEach(() => {
  for (const { who } of seated) who.editor.destroy();
  seated = [];
});

function everybodyIsInStep({ room }: Pick<Seating, "room">, why = ""): void {
  for (const { user, page } of seated) {
    const { refusal, closed } = page.state;
    expect([user, refusal, closed, page.unsaved], why).toEqual([user, null, null, 0]);
  }
  const [first, ...others] = seated.map(({ who }) => who.editor.getJSON());
  for (const other of others) expect(other, why).toEqual(first);
  expect(room.server.page(), why).toBe(seated[0]?.who.doc.getXmlFragment("default").toString());
}

const seeds = new Set([...Array.from({ length: SESSIONS }, (_, seed) => FIRST + seed), ...FAILED]);

test.each([...seeds])("session %i", async (seed) => {
  const told = await overLines(seed);
  ({ seated } = told);
  const why = told.acts.join(", ");
  everybodyIsInStep(told, why);
  expect(told.lost, why).toEqual([]);
});

describe("a commenter", () => {
  const random = randomOf(1);
  const clock = { now: 1_000 };
  let seating: Seating;
  let eve: Seated;
  let ann: Seated;

  beforeEach(async () => {
    seating = await seatedAll(random, clock, "<p>Hello brave world</p><p>Second line</p>");
    ({ seated } = seating);
    [eve, ann] = seated as [Seated, Seated];
  });

  const types = ({ who: { editor } }: Seated, at: number, words: string) =>
    editor.view.dispatch(editor.state.tr.insertText(words, at));

  const without = ({ who }: Seated, user: string) => judged(who.doc, user).replace(/<[^>]*>/g, "|");

  test("goes on in another line while an editor accepts, and takes back what is accepted by then", () => {
    const { room } = seating;
    types(ann, 7, "very ");
    room.settle();
    settleIn(eve.who.editor, acceptAll);
    ann.who.editor.commands.deleteRange({ from: 10, to: 12 });
    types(ann, 30, "!");
    settles(room, seated);
    everybodyIsInStep(seating);
    expect(without(eve, "ann")).toBe("|Hello very brave world||Second line|");
    expect(ann.page.anew).toBeGreaterThan(0);
    settleIn(eve.who.editor, acceptAll);
    settles(room, seated);
    expect(ann.who.editor.getText()).toBe("Hello verbrave world\n\nSecond! line");
  });

  test("was an editor when the words were typed: they are suggestions, and typing goes on", async () => {
    const { room } = seating;
    types(eve, 7, "very ");
    eve.who.editor.commands.deleteRange({ from: 1, to: 7 });
    room.server.give(eve.page.line, "commenter");
    room.settle();
    expect(eve.page.state.refusal).toMatchObject({ code: "not_a_suggestion" });
    types(eve, 1, "so ");
    suggests(eve.who, eve.page, "eve", random, clock, seating.lost);
    types(eve, 1, "and ");
    await vi.dynamicImportSettled();
    settles(room, seated);
    everybodyIsInStep(seating);
    expect(seating.lost).toEqual([]);
    expect(without(ann, "eve")).toBe("|Hello brave world||Second line|");
    settleIn(ann.who.editor, rejectAll);
    expect(ann.who.editor.getText()).toBe("Hello brave world\n\nSecond line");
  });
});
