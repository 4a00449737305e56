/** Tasks are ticked without a mouse, each by itself. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { type Person, person } from "./editors";

let alice: Person;

beforeEach(() => {
  alice = person(1);
  alice.editor.commands.setContent(
    '<ul data-type="taskList"><li data-type="taskItem"><p>outer</p><ul data-type="taskList"><li data-type="taskItem"><p>inner</p></li></ul></li></ul><p>no task</p>',
  );
});

afterEach(() => alice.editor.destroy());

/** The state of each task, in the order of the text, after Ctrl+Enter with the cursor in these words. */
function tickIn(words: string): readonly boolean[] {
  const { editor } = alice;
  editor.state.doc.descendants((node, at) => {
    if (node.text === words) editor.commands.setTextSelection(at + 1);
  });
  editor.commands.keyboardShortcut("Mod-Enter");
  const ticked: boolean[] = [];
  editor.state.doc.descendants(({ type, attrs }) => {
    if (type.name === "taskItem") ticked.push(attrs.checked);
  });
  return ticked;
}

test("the task that the cursor is in is ticked and unticked, not the one around it", () => {
  expect(tickIn("inner")).toEqual([false, true]);
  expect(tickIn("outer")).toEqual([true, true]);
  expect(tickIn("inner")).toEqual([true, false]);
});

test("elsewhere the keys break the line, as ever", () => {
  expect(tickIn("no task")).toEqual([false, false]);
  expect(alice.editor.getHTML()).toContain("<br>");
});
