/** People who suggest beside one who edits: everybody ends with the same document, and what is accepted or rejected is sound.
 *
 * With `OUT=<folder>` each session is written there as JSON, for the server's judge of suggestions.
 */

import { writeFileSync } from "node:fs";
import { env } from "node:process";
import { afterEach, expect, test } from "vitest";
import { acceptAll, rejectAll, settled } from "../../src/features/suggesting/settle";
import type { Person } from "../page/editors";
import { session } from "./together";

const SESSIONS = Number(env.SESSIONS ?? 5);

let people: readonly Person[] = [];

afterEach(() => {
  for (const { editor } of people) editor.destroy();
  people = [];
});

test.each(Array.from({ length: SESSIONS }, (_, seed) => seed))("session %i", (seed) => {
  const told = session(seed);
  people = told.people;
  if (env.OUT) writeFileSync(`${env.OUT}/session-${seed}.json`, JSON.stringify(told.session));
  const why = told.acts.join(", ");
  const [first, ...others] = people;
  const doc = first?.editor.state.doc;
  if (!doc) throw new Error("Nobody is there");
  for (const { editor } of others) expect(editor.state.doc.toString(), why).toBe(doc.toString());
  for (const view of [acceptAll, rejectAll]) settled(doc, view).check();
  expect(told.races, why).toEqual([]);
});
