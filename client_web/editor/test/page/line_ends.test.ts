/** Enter over words of several lines puts an end of a line in their place, whatever the lines are. */

import { TextSelection } from "@tiptap/pm/state";
import { afterEach, expect, test } from "vitest";
import { acceptAll, rejectAll, settled } from "../../src/features/suggesting/settle";
import { able, judged, started, suggestsAs } from "../suggesting/sessions";
import type { Person } from "./editors";

let met: Person[] = [];
afterEach(() => {
  for (const { editor } of met) editor.destroy();
  met = [];
});

const enter = ({ editor: { view } }: Person) => {
  const event = new KeyboardEvent("keydown", { key: "Enter" });
  return view.someProp("handleKeyDown", (handle) => handle(view, event)) ?? false;
};

/** A document with | at both ends of what is selected. */
function selected(html: string): Person {
  const alice = able(1);
  met.push(alice);
  const { editor } = alice;
  editor.commands.setContent(html);
  const ends: number[] = [];
  editor.state.doc.descendants((node, at) => {
    [...(node.text ?? "")].forEach((letter, index) => void (letter === "|" && ends.push(at + index)));
  });
  const [from = 0, to = 0] = ends;
  editor.view.dispatch(editor.state.tr.delete(to, to + 1).delete(from, from + 1));
  editor.commands.setTextSelection({ from, to: to - 1 });
  return alice;
}

test.each([
  ["a line with its end", "<p>|one</p><p>|two</p>", "paragraph, paragraph(/two)"],
  ["a heading with its end", "<h1>|one</h1><p>|two</p>", "paragraph, heading(/two)"],
  ["a line and a part of the next one", "<p>|one</p><p>t|wo</p>", "paragraph, paragraph(/wo)"],
  ["parts of two lines", "<p>o|ne</p><p>t|wo</p>", "paragraph(o), paragraph(/wo)"],
  ["three lines", "<p>|one</p><p>two</p><p>three|</p>", "paragraph, paragraph(/)"],
  [
    "an item with its end",
    "<ul><li>|one</li><li>|two</li></ul>",
    "bulletList(listItem(paragraph), listItem(paragraph(/two)))",
  ],
  [
    "parts of two items",
    "<ul><li>o|ne</li><li>t|wo</li></ul>",
    "bulletList(listItem(paragraph(o)), listItem(paragraph(/wo)))",
  ],
  [
    "all items",
    "<ul><li>|one</li><li>two|</li></ul><p>three</p>",
    "bulletList(listItem(paragraph(/))), paragraph(three)",
  ],
  ["a line and a list", "<p>|one</p><ul><li>two|</li></ul>", "paragraph, paragraph(/)"],
  [
    "two lines of a cell",
    "<table><tr><td><p>|one</p><p>|two</p></td></tr></table>",
    "table(tableRow(tableCell(paragraph, paragraph(/two))))",
  ],
  [
    "a quote with its end",
    "<blockquote><p>|one</p></blockquote><p>|two</p>",
    "blockquote(paragraph, paragraph(/two))",
  ],
])("%s", (_name, html, expected) => {
  const alice = selected(html);
  expect(enter(alice)).toBe(true);
  const { editor } = alice;
  editor.view.dispatch(editor.state.tr.insertText("/"));
  expect(editor.state.doc.toString().replaceAll('"', "")).toBe(`doc(${expected})`);
});

const KINDS =
  "<h1>ab</h1><p>cd</p><ul><li>ef<ul><li>gh</li></ul></li></ul><blockquote><p>ij</p></blockquote><pre><code>kl</code></pre><table><tr><td><p>mn</p><p>op</p></td></tr></table><details><summary>qr</summary><p>st</p></details><p>uv</p>";

test("words between ends of any two lines", () => {
  const alice = started(KINDS);
  met.push(alice);
  const { editor } = alice;
  const before = editor.state.doc;
  const ends: number[] = [];
  before.descendants((node, at) => {
    if (node.isTextblock) ends.push(at + 1, at + 1 + node.content.size);
  });
  for (const [index, from] of ends.entries()) {
    for (const to of ends.slice(index + 1, index + 6)) {
      const { doc } = editor.state;
      const selection = TextSelection.between(doc.resolve(from), doc.resolve(to));
      editor.view.dispatch(editor.state.tr.setSelection(selection));
      // Cells of a table are selected as wholes.
      if (!(editor.state.selection instanceof TextSelection)) continue;
      const { from: first, to: last, $from, $to } = editor.state.selection;
      if ($from.sameParent($to)) continue;
      const words = doc.textBetween(0, first) + doc.textBetween(last, doc.content.size);
      enter(alice);
      editor.state.doc.check();
      expect(editor.state.doc.textContent, `${from} to ${to}`).toBe(words);
      editor.commands.undo();
      expect(editor.state.doc.toString()).toBe(before.toString());
    }
  }
});

test("as a suggestion", () => {
  const alice = selected("<p>|one</p><p>|two</p>");
  const before = alice.editor.state.doc;
  const plain = judged(alice.doc, "ann");
  const ann = suggestsAs(alice, "ann", () => 0, { now: 1_000 });
  expect(enter(alice)).toBe(true);
  expect(ann.refused).toEqual([]);
  const { doc } = alice.editor.state;
  expect(settled(doc, rejectAll).toString()).toBe(before.toString());
  expect(settled(doc, acceptAll).toString()).toBe('doc(paragraph, paragraph("two"))');
  expect(judged(alice.doc, "ann")).toBe(plain);
});
