/** Copies as plain text say what the words were: list marks, ticks, cells. */

import { NodeSelection } from "@tiptap/pm/state";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Person, person } from "./editors";

let alice: Person;

beforeEach(() => {
  alice = person(1);
});

afterEach(() => alice.editor.destroy());

/** Copies from the first to the last of these words, or everything. */
function copied(html: string, first = "", last = first): string {
  const { editor } = alice;
  editor.commands.setContent(html);
  let [from, to] = [0, editor.state.doc.content.size];
  editor.state.doc.descendants((node, at) => {
    if (first && node.text?.includes(first)) from = at + node.text.indexOf(first);
    if (last && node.text?.includes(last)) to = at + node.text.indexOf(last) + last.length;
  });
  if (first) editor.commands.setTextSelection({ from, to });
  else editor.commands.selectAll();
  return editor.view.serializeForClipboard(editor.state.selection.content()).text;
}

const LISTS =
  "<ul><li><p>milk</p><ol start='7'><li><p>whole</p><p>more</p></li><li><p>skimmed</p></li><li><p>none</p></li></ol></li><li><p>bread</p></li></ul>";

test.each([
  ["lines", "<p>a</p><h2>b<br>c</h2><p></p><p>d</p>", "a\nb\nc\n\nd"],
  ["lists in lists", LISTS, "- milk\n  7. whole\n     more\n  8. skimmed\n  9. none\n- bread"],
  [
    "tasks",
    '<ul data-type="taskList"><li data-type="taskItem" data-checked="true"><p>a</p></li><li data-type="taskItem" data-checked="false"><p>b</p></li></ul>',
    "[x] a\n[ ] b",
  ],
  [
    "tables",
    "<p>x</p><table><tr><th><p>a</p></th><th><p>b</p><p>c</p></th></tr><tr><td><p>1</p></td><td><p></p></td></tr></table>",
    "x\na\tb c\n1\t",
  ],
  [
    "code and quotes",
    "<pre><code>x\n\ty</code></pre><blockquote><p>q</p></blockquote><hr><p>z</p>",
    "x\n\ty\nq\n---\nz",
  ],
  [
    "numbers in numbers",
    "<ol><li><p>a</p><ol start='27'><li><p>b</p><ol start='4'><li><p>c</p></li></ol></li></ol></li></ol>",
    "1. a\n   aa. b\n       iv. c",
  ],
  [
    "callouts, collapsibles and mentions",
    '<div data-type="callout"><p>careful, <span data-type="mention" data-id="ben" data-label="Ben"></span></p></div><details><summary>more</summary><div data-type="detailsContent"><p>inner</p></div></details>',
    "careful, @Ben\nmore\ninner",
  ],
])("of %s", (_name, html, text) => {
  expect(copied(html)).toBe(text);
});

test("of words within one item have no mark", () => {
  expect(copied(LISTS, "skim", "skimmed")).toBe("skimmed");
});

test("of some items of a list have the numbers that they have there", () => {
  expect(copied(LISTS, "skimmed", "none")).toBe("8. skimmed\n9. none");
  expect(copied(LISTS, "med", "bread")).toBe("- 8. med\n  9. none\n- bread");
});

test("of a picture are its description", () => {
  const { editor } = alice;
  const src = `/api/documents/abcdefgh/attachments/${"0a".repeat(32)}`;
  editor.commands.setContent(`<img src="${src}" alt="A flag"><p>a</p>`);
  editor.view.dispatch(editor.state.tr.setSelection(NodeSelection.create(editor.state.doc, 0)));
  expect(editor.view.serializeForClipboard(editor.state.selection.content()).text).toBe("A flag");
});
