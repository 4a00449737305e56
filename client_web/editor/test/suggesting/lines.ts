/** People over the real provider: two who may only suggest beside one who edits and decides, on lines that are slow. */

import { vi } from "vitest";
import * as Y from "yjs";
import { type Person as Page, Room } from "../../../provider/test/harness/room";
import { suggestAnew } from "../../src/features/suggesting/anew";
import { acceptAll, rejectAll, settled } from "../../src/features/suggesting/settle";
import { settleIn } from "../../src/features/suggesting/settling";
import type { Person } from "../page/editors";
import {
  ACTS,
  type Act,
  able,
  differing,
  judged,
  type Random,
  randomOf,
  START,
  seesAll,
  suggesterOf,
  suggestsAs,
  TYPING,
} from "./sessions";

export interface Seated {
  readonly user: string;
  readonly who: Person;
  readonly page: Page;
}

export interface Seating {
  readonly room: Room;
  readonly seated: readonly Seated[];
  /** Words that were not suggested anew. */
  readonly lost: string[];
}

export interface Told extends Seating {
  readonly acts: readonly string[];
}

const act = (name: string, run: Act["run"]): Act => ({ name, run });

const DECIDING: readonly Act[] = [
  act("accepts all", ({ editor }) => void settleIn(editor, acceptAll)),
  act("rejects all", ({ editor }) => void settleIn(editor, rejectAll)),
  act("accepts one person's", ({ editor }, random) => {
    const user = random(2) ? "ann" : "ben";
    settleIn(editor, (suggestion) => (suggestion.user === user ? "accept" : "keep"));
  }),
];

/** An editor and two who may only suggest, in one document over slow lines. */
export async function seatedAll(random: Random, clock: { now: number }, html = START): Promise<Seating> {
  const room = new Room();
  const users = new Map<Page["line"], string>();
  room.server.judge = (line, before, after) => {
    const user = users.get(line) ?? "";
    return judged(before, user) === judged(after, user);
  };
  const lost: string[] = [];
  const seated: Seated[] = [];
  for (const [index, user] of ["eve", "ann", "ben"].entries()) {
    const doc = new Y.Doc();
    doc.clientID = 10 * index + 1;
    const page = room.opens(undefined, undefined, false, doc);
    users.set(page.line, user);
    if (user !== "eve") room.server.roles.set(page.line, "commenter");
    page.line.connect();
    room.settle();
    const who = able(doc.clientID, doc);
    if (user === "eve") who.editor.commands.setContent(html);
    else suggests(who, page, user, random, clock, lost);
    room.settle();
    seated.push({ user, who, page });
  }
  await vi.dynamicImportSettled();
  return { room, seated, lost };
}

/** Lets somebody suggest from now on, also what was refused; notes what is lost by that. */
export function suggests(
  who: Person,
  page: Page,
  user: string,
  random: Random,
  clock: { now: number },
  lost: string[],
): void {
  suggestsAs(who, user, random, clock);
  page.leavesMendingTo((begin) => {
    const suggester = suggesterOf(who);
    if (!suggester) return false;
    seesAll(who);
    const meant = settled(who.editor.state.doc, acceptAll);
    const isDone = suggestAnew(who.editor, suggester, begin);
    const made = settled(who.editor.state.doc, acceptAll);
    const missing = lettersLost(meant.textContent, made.textContent);
    if (missing) lost.push(`${missing} of ${differing(meant, made)}`);
    return isDone;
  });
}

export async function overLines(seed: number, long = 40): Promise<Told> {
  const random = randomOf(seed);
  const clock = { now: 1_000_000 };
  const { room, seated, lost } = await seatedAll(random, clock);
  const done: string[] = [];
  for (let times = 0; times < long; times += 1) {
    const one = seated[random(3)] as Seated;
    const kinds = one.user === "eve" ? [...TYPING, ...DECIDING] : ACTS;
    const chosen = kinds[random(kinds.length)] as Act;
    chosen.run(one.who, random);
    done.push(`${one.user} ${chosen.name}`);
    clock.now += random(3) * 1_000;
    for (let some = random(8); some > 0; some -= 1) {
      const { page, who } = seated[random(3)] as Seated;
      const news = [
        () => page.line.arriveUp(),
        () => page.line.arriveDown(),
        () => room.server.commit(1 + random(3)),
        () => room.clock.advance(30),
        () => seesAll(who),
      ];
      news[random(news.length)]?.();
    }
    await Promise.resolve();
  }
  settles(room, seated);
  return { room, seated, acts: done, lost };
}

/** Everybody hears everything, and sees it. */
export function settles(room: Room, seated: readonly Seated[]): void {
  for (let round = 0; round < 3; round += 1) {
    room.recover();
    for (const { who } of seated) seesAll(who);
  }
}

/** The letters of one text that the other one has not, wherever they stand. */
function lettersLost(one: string, other: string): string {
  const there = [...other];
  return [...one]
    .filter((letter) => {
      const at = there.indexOf(letter);
      if (at >= 0) there.splice(at, 1);
      return at < 0;
    })
    .join("");
}
