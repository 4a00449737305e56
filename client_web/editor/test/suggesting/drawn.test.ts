/** What is suggested for a block is seen on the block, also where the page draws the block itself. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { colorOf, learnPerson } from "../../src/features/suggesting/people";
import { type Person, person } from "../page/editors";

const PICTURE = `/api/documents/abcdefgh/attachments/${"a".repeat(64)}`;
const BLOCKS = `<p>words <span data-type="inline-math" data-latex="x"></span></p><h2>words</h2><pre><code>words</code></pre>
<blockquote><p>words</p></blockquote><ul><li><p>words</p></li></ul><ol><li><p>words</p></li></ol><hr>
<ul data-type="taskList"><li data-type="taskItem"><p>words</p></li></ul>
<table><tbody><tr><th><p>a</p></th><td><p>b</p></td></tr></tbody></table>
<img src="${PICTURE}"><div data-type="block-math" data-latex="x"></div><p>end</p>`;

let alice: Person;

beforeEach(() => {
  alice = person(1);
  alice.editor.commands.setContent(BLOCKS);
});

afterEach(() => alice.editor.destroy());

const BLOCK_KINDS = [
  ...["paragraph", "heading", "codeBlock", "blockquote", "bulletList", "orderedList", "taskList"],
  ...["horizontalRule", "table", "image", "blockMath"],
];

test.each(BLOCK_KINDS)("%s", (kind) => {
  const { view } = alice.editor;
  const found: number[] = [];
  view.state.doc.forEach((node, at) => {
    if (node.type.name === kind) found.push(at);
  });
  const at = found[0] ?? Number.NaN;
  const suggest = (suggestion: object | null) =>
    view.dispatch(view.state.tr.setNodeAttribute(at, "suggestion", suggestion));
  const shown = () => {
    const dom = view.nodeDOM(at) as HTMLElement;
    const drawn = dom.matches("[data-suggested]") ? dom : dom.querySelector<HTMLElement>("[data-suggested]");
    return drawn && [drawn.dataset.suggested, drawn.dataset.suggestion, drawn.dataset.by];
  };

  suggest({ kind: "delete", id: "s1", user: "bob", at: 1 });
  expect(shown()).toEqual(["delete", "s1", "bob"]);
  suggest(null);
  expect(shown()).toBe(null);
});

test.each([
  ["tableRow", "insert", "Suggested insertion by Bob"],
  ["tableHeader", "delete", "Suggested deletion by Bob"],
  ["tableCell", "insert", "Suggested insertion by Bob"],
])("a %s says to everybody that somebody suggests to %s it", (kind, suggested, said) => {
  learnPerson("bob", "Bob", "#c2410c");
  const { view } = alice.editor;
  let at = -1;
  view.state.doc.descendants((node, place) => {
    if (node.type.name === kind) at = place;
  });
  const suggestion = { kind: suggested, id: "s1", user: "bob", at: 1 };
  view.dispatch(view.state.tr.setNodeAttribute(at, "suggestion", suggestion));
  const drawn = view.nodeDOM(at) as HTMLElement;
  expect([drawn.dataset.suggested, drawn.dataset.by]).toEqual([suggested, "bob"]);
  expect([drawn.getAttribute("aria-description"), drawn.title]).toEqual([said, said]);
});

test("words are in the colour that their author has here, and anybody else's in one of their own", () => {
  const unmet = colorOf("cleo");
  expect(colorOf("cleo")).toBe(unmet);
  learnPerson("cleo", "Cleo", "#c2410c");
  expect(colorOf("cleo")).toBe("#c2410c");
});
