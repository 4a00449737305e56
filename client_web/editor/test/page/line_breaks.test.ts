/** A line break at a selected object leaves the object where it is, in plain mode and in suggesting mode. */

import { NodeSelection } from "@tiptap/pm/state";
import { afterEach, expect, test } from "vitest";
import type { Suggester } from "../../src/extensions/suggesting";
import { translate } from "../../src/features/suggesting/translate";
import { PICTURE } from "../suggesting/sessions";
import { type Person, person, typesOf } from "./editors";

let alice: Person | null = null;
afterEach(() => alice?.editor.destroy());

const ANN: Suggester = { user: "ann", translate, refuse: () => undefined };

const KEYS = ["shiftKey", "ctrlKey"] as const;

/** Selects the first node of a name, and presses Enter together with a key. */
function press(
  html: string,
  name: string,
  keys: (typeof KEYS)[number],
  suggester: Suggester | null = null,
): Person {
  let who: Suggester | null = null;
  alice = person(1, undefined, () => who);
  const { editor } = alice;
  editor.commands.setContent(html);
  let at = -1;
  editor.state.doc.descendants((node, place) => {
    if (node.type.name === name && at < 0) at = place;
  });
  editor.view.dispatch(editor.state.tr.setSelection(NodeSelection.create(editor.state.doc, at)));
  who = suggester;
  const event = new KeyboardEvent("keydown", { key: "Enter", [keys]: true });
  editor.view.someProp("handleKeyDown", (handle) => handle(editor.view, event));
  return alice;
}

const OBJECTS: readonly (readonly [string, string])[] = [
  ["image", `<img src="${PICTURE}" alt="A hill">`],
  ["blockMath", '<div data-type="block-math" data-latex="a"></div>'],
  ["horizontalRule", "<hr>"],
];

test.each(OBJECTS)("below a selected %s comes a line, in which one writes", (name, html) => {
  for (const keys of KEYS) {
    for (const before of ["", "<p>one</p>"]) {
      for (const suggester of [null, ANN]) {
        const { editor } = press(`${before}${html}<p>two</p>`, name, keys, suggester);
        const first = before === "" ? "" : "paragraph(text) ";
        expect(typesOf(editor.getJSON())).toBe(`doc(${first}${name} paragraph paragraph(text))`);
        expect(editor.state.selection.$from.parent.content.size).toBe(0);
        const object = editor.state.doc.child(before === "" ? 0 : 1);
        expect(object.attrs.suggestion ?? null).toBe(null);
        editor.destroy();
      }
    }
  }
});

test("behind a selected formula among words comes a break", () => {
  const html = '<p>one<span data-type="inline-math" data-latex="a"></span>two</p>';
  for (const keys of KEYS) {
    const { editor } = press(html, "inlineMath", keys);
    expect(typesOf(editor.getJSON())).toBe("doc(paragraph(text inlineMath hardBreak text))");
    editor.destroy();
  }
});

test("a block that is selected whole keeps its words, and an item of a list stands where no line may", () => {
  const line = press("<p>one</p><p>two</p>", "paragraph", "shiftKey").editor;
  expect(line.getHTML()).toBe("<p>one</p><p></p><p>two</p>");
  line.destroy();
  const list = press("<ul><li><p>one</p></li></ul>", "listItem", "ctrlKey").editor;
  expect(list.getHTML()).toBe("<ul><li><p>one</p></li></ul>");
});

test("in a task the keys tick, also while a picture in it is selected", () => {
  const task = `<ul data-type="taskList"><li data-type="taskItem"><p>x</p><img src="${PICTURE}" alt=""></li></ul>`;
  const { editor } = press(task, "image", "ctrlKey");
  expect(editor.getHTML()).toContain('data-checked="true"');
  expect(editor.getHTML()).toContain("<img");
});
