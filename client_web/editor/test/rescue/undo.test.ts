/** Undo of a change of a block that somebody else has changed since. The words are nobody's to take back but their author's. */

import { afterAll, expect, test } from "vitest";
import * as Y from "yjs";
import { seesAll } from "../page/editors";
import { Nodes, type Row } from "./nodes";
import { type Act, HEARD, inside, type Writer, writer, writes } from "./writers";

const nodes = new Nodes();
afterAll(() => nodes.end());

interface Person extends Writer {
  readonly client: number;
  heard: number;
}

/** Two people and a log, each act known to both before the next one. */
async function stories(html: string, acts: readonly (readonly ["alice" | "bob", Act])[]): Promise<string> {
  await nodes.begin();
  const first = writer(1000);
  first.editor.commands.setContent(html);
  const base = Y.encodeStateAsUpdate(first.doc);
  first.editor.destroy();
  const log: Row[] = await nodes.say({ update: base, after: null, client: 1000 });
  const people: Record<"alice" | "bob", Person> = {
    alice: { ...writer(20, [base]), client: 20, heard: 1 },
    bob: { ...writer(30, [base]), client: 30, heard: 1 },
  };
  for (const [name, act] of acts) {
    const who = people[name];
    const begun = who.updates.length;
    act(who);
    for (const update of who.updates.slice(begun)) {
      log.push(...(await nodes.say({ update, after: who.heard, client: who.client })));
    }
    for (const each of Object.values(people)) hear(each, log);
  }
  const [alice, bob] = [people.alice, people.bob].map(({ editor }) => {
    const shown = editor.getHTML();
    editor.destroy();
    return shown;
  });
  expect(alice).toBe(bob);
  return alice ?? "";
}

function hear(who: Person, log: readonly Row[]): void {
  for (const { updates, heirs } of log.slice(who.heard)) {
    const apply = (transaction: Y.Transaction) => {
      transaction.meta.set("heirs", heirs);
      for (const update of updates) Y.applyUpdate(who.doc, update, HEARD);
    };
    Y.transact(who.doc, apply, HEARD, false);
    who.heard += 1;
  }
  seesAll(who);
}

const toHeading: Act = (who) => inside(who, "Hello").toggleHeading({ level: 1 }).run();
const toQuote: Act = (who) => inside(who, "Hello").toggleBlockquote().run();
const toList: Act = (who) => inside(who, "Hello").toggleBulletList().run();
const toOrdered: Act = (who) => inside(who, "Hello").toggleOrderedList().run();
const undo: Act = ({ editor }) => editor.commands.undo();

test.each<[string, string, readonly (readonly ["alice" | "bob", Act])[]]>([
  [
    "a heading in a quote that is gone",
    "<blockquote><p>Hello world</p></blockquote><p>last</p>",
    [
      ["bob", toHeading],
      ["alice", writes("TYPED ", "world")],
      ["alice", toQuote],
      ["bob", undo],
    ],
  ],
  [
    "a heading that became a list item",
    "<p>Hello world</p><p>last</p>",
    [
      ["bob", toHeading],
      ["alice", writes("TYPED ", "world")],
      ["alice", toList],
      ["bob", undo],
    ],
  ],
  [
    "a list that became another one",
    "<p>Hello world</p><p>last</p>",
    [
      ["bob", toList],
      ["alice", writes("TYPED ", "world")],
      ["alice", toOrdered],
      ["bob", undo],
    ],
  ],
  [
    "a heading in a cell of a row that was made a header",
    "<table><tr><td><p>Hello world</p></td></tr></table><p>last</p>",
    [
      ["bob", toHeading],
      ["alice", writes("TYPED ", "world")],
      ["alice", (who) => inside(who, "Hello").toggleHeaderRow().run()],
      ["bob", undo],
    ],
  ],
  [
    "a quote that was lifted",
    "<p>Hello world</p><p>last</p>",
    [
      ["bob", toQuote],
      ["alice", writes("TYPED ", "world")],
      ["alice", toHeading],
      ["alice", toQuote],
      ["bob", undo],
    ],
  ],
  [
    "an item that was indented",
    "<ul><li><p>one</p></li><li><p>Hello world</p></li></ul><p>last</p>",
    [
      ["bob", (who) => inside(who, "Hello").sinkListItem("listItem").run()],
      ["alice", writes("TYPED ", "world")],
      ["alice", toOrdered],
      ["bob", undo],
    ],
  ],
])("undo of %s keeps all words", async (_name, html, acts) => {
  const shown = await stories(html, acts);
  expect(shown.replace(/<[^>]*>/g, "|").replace(/\|+/g, "|")).toContain("|Hello TYPED world|");
});
