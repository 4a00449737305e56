/** Two people begin to write in one empty line, with the network between them: every word comes out whole, and once. */

import type { Editor } from "@tiptap/core";
import { afterEach, expect, test } from "vitest";
import { type Person, person, sharedText, sync, textOf } from "./editors";
import { join, seeded } from "./slow_network";

let people: Person[] = [];

function together(...ids: readonly number[]): Person[] {
  people = ids.map((id) => person(id));
  return people;
}

afterEach(leave);

function leave(): void {
  for (const { editor } of people.splice(0)) editor.destroy();
}

function typeLetter({ editor }: Person, letter: string): void {
  editor.view.dispatch(editor.state.tr.insertText(letter));
}

/** Both type at their own cursors while each's letters reach the other late, in an order that the seed decides; returns the outcome. */
function typeAtOnce(alice: Person, bob: Person, seed: number): string {
  const random = seeded(seed);
  const [toBob, toAlice] = join(alice, bob);
  const hers = [..."hers and more"];
  const his = [..."HIS AS WELL"];
  while (hers.length + his.length + toBob.waiting + toAlice.waiting > 0) {
    const acts = [
      () => hers.length > 0 && typeLetter(alice, String(hers.shift())),
      () => his.length > 0 && typeLetter(bob, String(his.shift())),
      toBob.deliver,
      toAlice.deliver,
    ];
    acts[Math.floor(random() * acts.length)]?.();
  }
  expect(sharedText(alice), `seed ${seed}`).toBe(sharedText(bob));
  expect(textOf(alice), `seed ${seed}`).toBe(textOf(bob));
  return textOf(alice);
}

/** Who begins a document while the other does, too, may begin a line of their own. */
const WHOLE = /(^|\|)(hers and more\|?HIS AS WELL|HIS AS WELL\|?hers and more)(\||$)/;

const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1);

const line = "<p>before</p>";
const brokenLine = "<p>some<br>words</p>";

test.each([
  ["made with Enter", line, (alice: Person) => enterAt(alice, 7)],
  ["among others", `<p></p>${line}`, (alice: Person) => alice.editor.commands.setTextSelection(1)],
  ["of a new list item", "<ul><li><p>milk</p></li></ul>", ({ editor }: Person) => splitItem(editor, 7)],
  ["in a new table", line, ({ editor }: Person) => editor.commands.insertTable({ rows: 2, cols: 2 })],
  ["that was emptied", brokenLine, ({ editor }: Person) => editor.commands.deleteRange({ from: 1, to: 11 })],
])("a line %s", (_name, before, make) => {
  for (const seed of SEEDS) {
    const [alice, bob] = together(seed, 1000 - seed * 70) as [Person, Person];
    alice.editor.commands.setContent(before);
    make(alice);
    sync(alice, bob);
    bob.editor.commands.setTextSelection(alice.editor.state.selection.head);
    const outcome = typeAtOnce(alice, bob, seed);
    expect(outcome, `seed ${seed}`).toMatch(WHOLE);
    leave();
  }
});

function enterAt({ editor }: Person, at: number): void {
  editor.chain().setTextSelection(at).splitBlock().run();
}

function splitItem(editor: Editor, at: number): void {
  editor.chain().setTextSelection(at).splitListItem("listItem").run();
}

test("a document that nobody has written in yet", () => {
  for (const seed of SEEDS) {
    const [alice, bob] = together(seed, 1000 - seed * 70) as [Person, Person];
    const outcome = typeAtOnce(alice, bob, seed);
    expect(outcome, `seed ${seed}`).toMatch(WHOLE);
    leave();
  }
});

test("whose cursor waits in an empty line stays before what the other writes there", () => {
  const [alice, bob] = together(1, 2) as [Person, Person];
  alice.editor.commands.setContent(line);
  enterAt(alice, 7);
  sync(alice, bob);
  bob.editor.commands.setTextSelection(9);

  typeLetter(alice, "h");
  sync(alice, bob);

  expect(bob.editor.state.selection.head).toBe(9);
});

test("undoing an empty line takes it away, and redo brings it back", () => {
  const [alice, bob] = together(1, 2) as [Person, Person];
  bob.editor.commands.setContent(line);
  sync(alice, bob);
  enterAt(alice, 7);
  sync(alice, bob);

  alice.editor.commands.undo();
  sync(alice, bob);
  expect(textOf(bob)).toBe("before");

  alice.editor.commands.redo();
  sync(alice, bob);
  expect(textOf(bob)).toBe("before|");
});

test("an empty line that somebody else has written in stays when it is undone", () => {
  const [alice, bob] = together(1, 2) as [Person, Person];
  bob.editor.commands.setContent(line);
  sync(alice, bob);
  enterAt(alice, 7);
  sync(alice, bob);
  bob.editor.commands.insertContentAt(9, "Bob's words");
  sync(alice, bob);

  alice.editor.commands.undo();
  sync(alice, bob);

  expect(textOf(bob)).toBe("before|Bob's words");
});
