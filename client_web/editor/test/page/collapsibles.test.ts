/** Collapsibles: closed for who comes, opened for what lies in them, and dissolved without loss. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { reveal } from "../../src/extensions/collapsibles";
import { contentOf, type Person, person, sharedText, sync } from "./editors";

const INNER = '<details><summary>inner</summary><div data-type="detailsContent"><p>deep</p></div></details>';
const OUTER = `<details><summary>outer</summary><div data-type="detailsContent">${INNER}</div></details>`;

let alice: Person;
let bob: Person;

beforeEach(() => {
  alice = person(1);
  bob = person(2);
});

afterEach(() => {
  alice.editor.destroy();
  bob.editor.destroy();
});

const at = ({ editor }: Person, words: string) => {
  let found = -1;
  editor.state.doc.descendants((node, position) => {
    if (node.text === words) found = position;
  });
  return found;
};
const open = ({ editor }: Person) =>
  [...editor.view.dom.querySelectorAll("[aria-expanded]")].map(
    (button) => `${button.getAttribute("aria-label")}: ${button.getAttribute("aria-expanded")}`,
  );

test("what is looked for is shown, with all that is around it, and to nobody else", () => {
  alice.editor.commands.setContent(OUTER);
  sync(alice, bob);
  expect(open(bob)).toEqual(["outer: false", "inner: false"]);
  const before = sharedText(bob);
  reveal(bob.editor, at(bob, "deep"));
  expect(open(bob)).toEqual(["outer: true", "inner: true"]);
  expect(bob.editor.view.dom.querySelectorAll("[hidden]")).toHaveLength(0);
  sync(alice, bob);
  expect(open(alice)).toEqual(["outer: false", "inner: false"]);
  expect(sharedText(alice)).toBe(before);
});

test("one with two summaries, as two people at once may leave it, is dissolved into all of its lines", () => {
  alice.editor.commands.setContent(
    '<details><summary>one</summary><summary>two</summary><div data-type="detailsContent"><p>a</p></div><div data-type="detailsContent"><p>b</p></div></details>',
  );
  alice.editor.commands.setTextSelection(at(alice, "two"));
  alice.editor.commands.unsetDetails();
  const lines = contentOf(alice).map(({ type, content }) => [type, content?.[0]?.text]);
  expect(lines).toEqual(["one", "two", "a", "b"].map((words) => ["paragraph", words]));
});
