/** A word that an input method composes comes out whole and once, whatever others do to its line meanwhile. */

import { ySyncPluginKey } from "@manyhands/binding";
import type { Editor } from "@tiptap/core";
import { afterEach, expect, test } from "vitest";
import { type Person, person, seesAll, sync } from "./editors";

let people: Person[] = [];

function together(html: string): [Person, Person] {
  people = [person(10), person(20)];
  const [alice, bob] = people as [Person, Person];
  alice.editor.commands.setContent(html);
  sync(alice, bob);
  return [alice, bob];
}

afterEach(() => {
  for (const { editor } of people.splice(0)) editor.destroy();
});

const words = ({ editor }: Person) => editor.getText({ blockSeparator: "|" });

/** The word as the input method shows it, from the key that begins it to the end. */
class Word {
  readonly #editor: Editor;
  readonly #from: number;
  #length = 0;

  constructor({ editor }: Person, from: number) {
    this.#editor = editor;
    this.#from = from;
    editor.commands.setTextSelection(from);
    editor.view.dom.dispatchEvent(new CompositionEvent("compositionstart", { bubbles: true }));
  }

  /** Others may have moved the word; `moved` is how far. */
  becomes(letters: string, moved = 0): void {
    const from = this.#from + moved;
    const { tr } = this.#editor.state;
    this.#editor.view.dispatch(tr.insertText(letters, from, from + this.#length).setMeta("composition", 1));
    this.#length = letters.length;
  }

  /** The next key comes at once. */
  ends(): void {
    const { dom } = this.#editor.view;
    dom.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true }));
    dom.dispatchEvent(new KeyboardEvent("keydown", { key: "Shift", bubbles: true }));
  }
}

test("what others type at the same place waits, and stands beside the word", () => {
  const [alice, bob] = together("<p>one two</p>");
  const word = new Word(alice, 5);
  word.becomes("ㅎ");
  bob.editor.commands.insertContentAt(5, "x");
  sync(alice, bob);
  expect(words(alice)).toBe("one ㅎtwo");
  word.becomes("하");
  word.becomes("한");
  word.ends();
  sync(alice, bob);
  expect(words(alice)).toMatch(/^one (x한|한x)two$/);
  expect(words(bob)).toBe(words(alice));
});

test("what others type before and behind the beginnings of a word stays", () => {
  const [alice, bob] = together("<p>one two</p>");
  const word = new Word(alice, 5);
  word.becomes("か");
  sync(alice, bob);
  bob.editor.commands.insertContentAt(5, "x");
  bob.editor.commands.insertContentAt(7, "y");
  sync(alice, bob);
  word.becomes("感");
  word.ends();
  sync(alice, bob);
  expect(words(alice)).toBe("one x感ytwo");
  expect(words(bob)).toBe(words(alice));
});

const DEEDS: readonly (readonly [string, (bob: Editor) => unknown])[] = [
  ["splits the line before it", (bob) => bob.chain().setTextSelection(11).splitBlock().run()],
  ["puts a line above", (bob) => bob.chain().setTextSelection(7).splitBlock().run()],
  ["makes the line a heading", (bob) => bob.chain().setTextSelection(11).toggleHeading({ level: 1 }).run()],
  ["makes the line a list item", (bob) => bob.chain().setTextSelection(11).toggleBulletList().run()],
  ["quotes the line", (bob) => bob.chain().setTextSelection(11).toggleBlockquote().run()],
  ["joins the line to the one before", (bob) => bob.chain().setTextSelection(7).joinBackward().run()],
  ["deletes a word of the line", (bob) => bob.commands.deleteRange({ from: 7, to: 11 })],
];

test.each(DEEDS)("a colleague %s", (_name, act) => {
  const [alice, bob] = together("<p>zero</p><p>one two three</p><p>four</p>");
  const word = new Word(alice, 20);
  word.becomes("か");
  word.becomes("かん");
  sync(alice, bob);
  act(bob.editor);
  const size = alice.editor.state.doc.content.size;
  sync(alice, bob);
  const moved = ySyncPluginKey.getState(alice.editor.state)?.binding.isHeld ? 0 : growth(alice, size);
  word.becomes("かんじ", moved);
  word.becomes("漢字", moved);
  word.ends();
  sync(alice, bob);
  expect(words(alice).replaceAll("|", "")).toMatch(/^zero(one )?two three漢字four$/);
  expect(words(alice)).toContain("three漢字|four");
  expect(words(bob)).toBe(words(alice));
});

function growth({ editor }: Person, size: number): number {
  return editor.state.doc.content.size - size;
}

test("what others write elsewhere is shown while a word is composed", () => {
  const [alice, bob] = together("<p>one</p><p>two</p>");
  const word = new Word(alice, 4);
  word.becomes("か");
  bob.editor.commands.insertContentAt(4, "!");
  sync(alice, bob);
  bob.editor.commands.insertContentAt(bob.editor.state.doc.content.size - 1, " more");
  sync(alice, bob);
  expect(words(alice)).toBe("oneか|two more");
  word.becomes("火");
  word.ends();
  sync(alice, bob);
  expect(words(alice)).toMatch(/^one(火!|!火)\|two more$/);
  expect(words(bob)).toBe(words(alice));
});

test("a composed word is one step of undo, however long it takes", async () => {
  const [alice] = together("<p>one</p>");
  const manager = alice.editor;
  const word = new Word(alice, 4);
  word.becomes("か");
  word.becomes("かん");
  word.becomes("感");
  word.ends();
  seesAll(alice);
  manager.commands.undo();
  expect(words(alice)).toBe("one");
  manager.commands.redo();
  expect(words(alice)).toBe("one感");
});
