/** Markdown on the clipboard becomes what it says, where it plainly is Markdown, and where nobody asks for the text itself. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isPlainlyMarkdown } from "../../src/extensions/pasted_markdown";
import { Paster } from "./clipboard";

let alice: Paster;

beforeEach(() => {
  alice = new Paster();
});

afterEach(() => alice.editor.destroy());

test.each([
  ["a heading over words", "# Plan\n\nWe go."],
  ["items with marks", "- **milk**\n- bread\n\nand words"],
  ["three items", "1. one\n2. two\n3. three"],
  ["tasks", "- [ ] one"],
  ["a table", "| a | b |\n|---|---|\n| 1 | 2 |"],
  ["fenced code", "```python\n# a remark\nimport os\n```"],
  ["a link", "see [the map](https://example.org)"],
])("is seen in %s", (_name, text) => {
  expect(isPlainlyMarkdown(text)).toBe(true);
});

test.each([
  ["words", "Dear all,\nwe meet at * 5 o'clock *, # 7."],
  ["a program", "# Setup\nimport os\n\n# Run\nos.system('ls')"],
  ["a shell's session", "# reboot the machine\nsudo reboot --force; exit"],
  ["two thoughts with hyphens", "- yes\n- no"],
  ["a number of an issue", "#12 is done"],
  ["a name with underscores", "call __init__ and *args"],
  ["nothing", ""],
])("is not seen in %s", (_name, text) => {
  expect(isPlainlyMarkdown(text)).toBe(false);
});

const MARKDOWN =
  "# Plan\n\n1) one\n2) **two**\n\n- [x] done\n\n> said\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\nlet x;\n```\n\n<script>alert(1)</script>\n\n[x](javascript:alert)";

test("its structure is pasted, and nothing that may harm", async () => {
  await alice.pastes({ text: MARKDOWN });
  await vi.waitFor(() => expect(alice.editor.getText()).toContain("Plan"));
  const types = alice.editor.state.doc.children.map(({ type }) => type.name);
  expect(types.slice(0, 6)).toEqual([
    "heading",
    "orderedList",
    "taskList",
    "blockquote",
    "table",
    "codeBlock",
  ]);
  expect(alice.editor.getHTML()).toContain("<strong>two</strong>");
  expect(alice.editor.getHTML()).not.toMatch(/script/);
});

test("with Shift, in code, and beside HTML the text is pasted as it is", async () => {
  const { editor } = alice;
  editor.view.dom.dispatchEvent(new KeyboardEvent("keydown", { key: "V", shiftKey: true }));
  await alice.pastes({ text: "# Plan\n\nWe go." });
  expect(editor.getText({ blockSeparator: "|" })).toBe("# Plan||We go.");
  editor.view.dom.dispatchEvent(new KeyboardEvent("keydown", { key: "v" }));
  editor.commands.setContent("<pre><code></code></pre>");
  editor.commands.setTextSelection(1);
  await alice.pastes({ text: "# Plan\n\nWe go." });
  expect(editor.getText()).toBe("# Plan\n\nWe go.");
  editor.commands.setContent("<p></p>");
  await alice.pastes({ html: "<p>words</p>", text: "# Plan\n\nWe go." });
  expect(editor.getText()).toBe("words");
});

test("page breaks of word processors come in as what they are", async () => {
  const html =
    "<p>a</p><p><br clear=all style='page-break-before:always'></p><p>b</p><hr style='page-break-before:always;display:none'><p>c</p>";
  await alice.pastes({ html });
  const { doc } = alice.editor.state;
  expect(doc.children.map(({ type, textContent }) => textContent || type.name)).toEqual([
    "a",
    "pageBreak",
    "b",
    "pageBreak",
    "c",
  ]);
});
