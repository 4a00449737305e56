/** A line runs as its words do; what a person chooses is stored, and nothing else is. */

import { documentSchema, FRAGMENT } from "@manyhands/schema";
import { afterEach, beforeEach, expect, test } from "vitest";
import { foreignContent } from "../../src/extensions/foreign";
import { element, type Person, person, sharedText, words, written } from "./editors";

let alice: Person;

beforeEach(() => {
  alice = person(1);
});

afterEach(() => alice.editor.destroy());

const BLOCKS =
  "<p>a</p><h2>b</h2><pre><code>c</code></pre><blockquote><p>d</p></blockquote><ul><li><p>e</p></li></ul>";

test("the view leaves each line to its first letter; documents, copies and exports know nothing of it", () => {
  alice.editor.commands.setContent(BLOCKS);

  const lines = [...alice.editor.view.dom.querySelectorAll("p, h2, pre")];
  expect(lines.map((line) => line.getAttribute("dir"))).toEqual(Array(5).fill("auto"));
  expect(alice.editor.getHTML()).toBe(BLOCKS);
  expect(sharedText(alice)).not.toContain("dir");
});

test("a chosen direction is stored with the line, and is gone again when it is left to the words", () => {
  alice.editor.commands.setContent("<p>one</p><h2>two</h2><p>three</p>");
  alice.editor.commands.setTextSelection({ from: 2, to: 7 });

  alice.editor.commands.setDirection("rtl");
  expect(alice.editor.getHTML()).toBe('<p dir="rtl">one</p><h2 dir="rtl">two</h2><p>three</p>');
  expect(sharedText(alice)).toContain('<paragraph dir="rtl">one');

  alice.editor.commands.setDirection(null);
  expect(alice.editor.getHTML()).toBe("<p>one</p><h2>two</h2><p>three</p>");
});

test("the next line goes on in the chosen direction", () => {
  alice.editor.commands.setContent('<p dir="rtl">one</p>');
  alice.editor.chain().setTextSelection(4).splitBlock().run();
  expect(alice.editor.getHTML()).toBe('<p dir="rtl">one</p><p dir="rtl"></p>');
});

test.each([
  ["an item", '<ul><li dir="rtl"><p>a</p></li></ul>', '<ul><li><p dir="ltr">a</p></li></ul>'],
  ["a quote", '<blockquote dir="rtl"><p>a</p></blockquote>', '<blockquote><p dir="ltr">a</p></blockquote>'],
])("%s with a direction of its own follows its first line when that gets one", (_name, before, after) => {
  alice.editor.commands.setContent(before);
  expect(alice.editor.getHTML()).toBe(before);
  alice.editor.chain().focus("start").setDirection("ltr").run();
  expect(alice.editor.getHTML()).toBe(after);
});

test.each([
  ["rtl", "rtl"],
  ["RTL", "rtl"],
  ["auto", undefined],
  ["sideways", undefined],
])("pasted with dir=%j, a line has %j", (dir, kept) => {
  alice.editor.commands.setContent(`<p dir="${dir}">a</p>`);
  expect(alice.editor.getHTML()).toBe(kept ? `<p dir="${kept}">a</p>` : "<p>a</p>");
});

test("what stock Tiptap stores on every block is kept, and nothing but a direction is drawn", () => {
  const chosen = (dir: unknown) =>
    written((fragment) =>
      fragment.insert(0, [
        element("bulletList", [element("listItem", [element("paragraph", [words("a")], { dir })], { dir })], {
          dir,
        }),
      ]),
    );
  const found = foreignContent(chosen("rtl").getXmlFragment(FRAGMENT), documentSchema());
  expect(found).toEqual([]);
  const bob = person(2, chosen("sideways"));
  expect(bob.editor.view.dom.innerHTML).not.toContain("sideways");
  bob.editor.destroy();
});
