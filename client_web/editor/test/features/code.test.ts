/** Code: Tab within it, and its colours. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { touchedBy } from "../../src/features/code/colours";
import { stretchesOf } from "../../src/features/code/grammars";
import { LANGUAGES, languageOf } from "../../src/features/code/languages";
import { type Person, person } from "../page/editors";

let alice: Person;

beforeEach(() => {
  alice = person(1);
});

afterEach(() => alice.editor.destroy());

/** Opens a block of code and selects what stands between the two bars, or puts the cursor at the one. */
function open(code: string, who = alice): void {
  const [from, to] = [code.indexOf("|"), code.lastIndexOf("|")];
  const words = code.replaceAll("|", "");
  const content = [{ type: "codeBlock", content: [{ type: "text", text: words }] }];
  who.editor.commands.setContent({ type: "doc", content });
  who.editor.commands.setTextSelection({ from: 1 + from, to: to === from ? 1 + from : to });
}

function shown({ editor }: Person = alice): string {
  const { from, to, empty } = editor.state.selection;
  const code = editor.state.doc.textContent;
  const marked = `${code.slice(0, from - 1)}|${code.slice(from - 1, to - 1)}`;
  return empty ? marked + code.slice(to - 1) : `${marked}|${code.slice(to - 1)}`;
}

test.each([
  ["Tab", "a|b", "a  |b"],
  ["Tab", "a\n|b\nc|\nd", "a\n  |b\n  c|\nd"],
  ["Tab", "|a\n|b", "  |a\n|b"],
  ["Shift-Tab", "    a|b", "  a|b"],
  ["Shift-Tab", "\ta|", "a|"],
  ["Shift-Tab", " a|", "a|"],
  ["Shift-Tab", "a\n  |b\n    c|", "a\n|b\n  c|"],
  ["Shift-Tab", "a|b", "a|b"],
])("%s in %j gives %j", (key, before, after) => {
  open(before);
  alice.editor.commands.keyboardShortcut(key);
  expect(shown()).toBe(after);
});

test("Tab in code within a list indents the code, not the item", () => {
  alice.editor.commands.setContent("<ul><li><p>a</p></li><li><p>b</p><pre><code>c</code></pre></li></ul>");
  const at = alice.editor.state.doc.content.size - 3;
  alice.editor.commands.setTextSelection(at);
  alice.editor.commands.keyboardShortcut("Tab");
  expect(alice.editor.getHTML()).toContain("<pre><code>c  </code></pre></li></ul>");
});

test("a change touches the code that it is in, and no other", () => {
  alice.editor.commands.setContent("<pre><code>one</code></pre><p>words</p><pre><code>two</code></pre>");
  const { state } = alice.editor;
  expect(touchedBy(state.tr.insertText("x", 2)).blocks).toEqual([0]);
  expect(touchedBy(state.tr.insertText("x", 8)).blocks).toEqual([]);
  expect(touchedBy(state.tr.insertText("x", 14)).blocks).toEqual([12]);
  expect(touchedBy(state.tr.insertText("x", 8).setNodeAttribute(0, "language", "go")).blocks).toEqual([0]);
});

test.each(LANGUAGES)("%s is read, whatever stands in it", (language) => {
  const code = 'if x == "a<b>" { return 1 } // ¡ <!-- {{ \n\t# 𝄞';
  for (const { from, to } of stretchesOf(code, language)) {
    expect(from).toBeLessThan(to);
    expect(to).toBeLessThanOrEqual(code.length);
  }
});

test("scopes stand where the words are, also behind letters of two units", () => {
  const code = 's = "𝄞"; const a = 1;';
  const found = stretchesOf(code, "javascript").map(({ from, to, scope }) => [code.slice(from, to), scope]);
  expect(found).toEqual([
    ['"𝄞"', "string"],
    ["const", "keyword"],
    ["1", "number"],
  ]);
});

test.each([
  ["js", "javascript"],
  [" Py ", "python"],
  ["C++", "cpp"],
  ["elixir", "elixir"],
  [null, ""],
])("the name %s means %s", (stored, name) => {
  expect(languageOf(stored)).toBe(name);
});
