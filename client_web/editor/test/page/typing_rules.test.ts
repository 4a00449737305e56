/** What becomes of signs while somebody types, and how lines are indented. */

import { Editor } from "@tiptap/core";
import { afterEach, expect, test } from "vitest";
import * as Y from "yjs";
import { find, loadLinkify, tokenize } from "../../src/extensions/finding_addresses";
import { editorExtensions } from "../../src/extensions/schema";

let isOn = true;
let editor: Editor;

function open(html: string): Editor {
  const element = document.body.appendChild(document.createElement("div"));
  const doc = new Y.Doc();
  editor = new Editor({
    element,
    injectCSS: false,
    extensions: editorExtensions({ doc, awareness: null, isSmartTypingOn: () => isOn }),
  });
  editor.commands.setContent(html);
  return editor;
}

afterEach(() => {
  editor.destroy();
  isOn = true;
});

/** Types as the browser tells it: each letter is offered to the rules first. */
function types(letters: string): void {
  const { view } = editor;
  for (const letter of letters) {
    const { from, to } = view.state.selection;
    const isTaken = view.someProp("handleTextInput", (handle) =>
      handle(view, from, to, letter, () => view.state.tr.insertText(letter, from, to)),
    );
    if (!isTaken) view.dispatch(view.state.tr.insertText(letter, from, to));
  }
}

const html = () => editor.getHTML().replaceAll(/ (target|rel)="[^"]*"/g, "");

test("quotes, dashes and dots are set as printers do, but not in code, and not for those who do not want it", () => {
  open("<p></p>");
  types(`"it's -- well..." `);
  expect(editor.getText()).toBe("“it’s — well…” ");
  isOn = false;
  types(`"a" -- 'b'`);
  expect(editor.getText()).toBe(`“it’s — well…” "a" -- 'b'`);
  isOn = true;
  editor.destroy();
  open("<pre><code></code></pre>");
  types(`"x" -- 'y'...`);
  expect(editor.getText()).toBe(`"x" -- 'y'...`);
});

test("a link is made of Markdown's brackets, unless it may lead nowhere", () => {
  open("<p></p>");
  types("see [the map](example.org/map), [x](javascript:alert)");
  expect(html()).toBe('<p>see <a href="https://example.org/map">the map</a>, [x](javascript:alert)</p>');
});

test("a number with a bracket begins a list, and three hyphens a line", () => {
  open("<p></p>");
  types("3) tent");
  expect(html()).toBe('<ol start="3"><li><p>tent</p></li></ol>');
  editor.destroy();
  open("<p></p>");
  types("---");
  expect(html()).toContain("<hr>");
});

test("Tab and Ctrl+] indent lines and items, and Backspace takes an indent back first", () => {
  open("<p>a</p><ul><li><p>b</p></li><li><p>c</p></li></ul>");
  const press = (key: string) => editor.commands.keyboardShortcut(key);
  editor.commands.setTextSelection(1);
  press("Tab");
  press("Mod-]");
  expect(editor.getAttributes("paragraph").indent).toBe(2);
  press("Shift-Tab");
  press("Backspace");
  expect(editor.getAttributes("paragraph").indent).toBeNull();
  editor.commands.focus("end");
  press("Mod-]");
  expect(html()).toContain("<ul><li><p>b</p><ul><li><p>c</p></li></ul></li></ul>");
  press("Mod-[");
  expect(html()).toContain("<ul><li><p>b</p></li><li><p>c</p></li></ul>");
});

test("nobody is held in the text by Tab: behind Escape the browser has the key", () => {
  open("<p>a</p>");
  const press = (key: string) => {
    const event = new KeyboardEvent("keydown", { key, cancelable: true, bubbles: true });
    editor.view.dom.dispatchEvent(event);
    return event.defaultPrevented;
  };
  expect(press("Tab")).toBe(true);
  press("Escape");
  expect(press("Tab")).toBe(false);
  expect(press("Tab")).toBe(true);
  expect(editor.getAttributes("paragraph").indent).toBe(2);
});

test("blocks and list items move past the next ones, and are doubled and deleted whole", () => {
  open("<p>a</p><ul><li><p>b</p></li><li><p>c</p></li></ul><p>d</p>");
  const press = (key: string) =>
    editor.view.dom.dispatchEvent(new KeyboardEvent("keydown", { key, altKey: true, cancelable: true }));
  const at = (words: string) => {
    editor.state.doc.descendants((node, position) => {
      if (node.text === words) editor.commands.setTextSelection(position + 1);
    });
  };
  at("c");
  press("ArrowUp");
  press("ArrowUp");
  expect(html()).toBe("<p>a</p><ul><li><p>c</p></li><li><p>b</p></li></ul><p>d</p>");
  editor.commands.insertContent("!");
  at("d");
  press("ArrowUp");
  editor.commands.duplicateBlocks();
  editor.commands.insertContent("?");
  expect(html()).toBe("<p>a</p><p>d</p><p>d?</p><ul><li><p>c!</p></li><li><p>b</p></li></ul>");
  at("b");
  editor.commands.deleteBlocks();
  at("a");
  editor.commands.deleteBlocks();
  expect(html()).toBe("<p>d</p><p>d?</p><ul><li><p>c!</p></li></ul>");
});

test("an address becomes a link once the code that knows addresses has come", async () => {
  open("<p></p>");
  await loadLinkify();
  expect(find("see example.org").map(({ href }) => href)).toEqual(["http://example.org"]);
  expect(tokenize("example.org").map(({ isLink }) => isLink)).toEqual([true]);
  types("see example.org and");
  expect(html()).toBe('<p>see <a href="https://example.org">example.org</a> and</p>');
});
