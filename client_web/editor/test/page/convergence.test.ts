/** Two people edit the same list or table at once: both end with the same document, and nobody's words are lost. */

import { Plugin } from "@tiptap/pm/state";
import { afterEach, describe, expect, test } from "vitest";
import { contentOf, type Person, person, sharedText, sync, textOf, typesOf } from "./editors";

let people: Person[] = [];

function together(...ids: readonly number[]): Person[] {
  people = ids.map((id) => person(id));
  return people;
}

afterEach(() => {
  for (const { editor } of people) editor.destroy();
});

function expectSame(...[first, ...others]: readonly Person[]): void {
  for (const other of others) {
    expect(other.editor.getJSON()).toEqual(first?.editor.getJSON());
    expect(first && sharedText(first)).toBe(sharedText(other));
  }
}

describe("lists", () => {
  test("an item nested by one and typed into by the other", () => {
    const [alice, bob] = together(1, 2) as [Person, Person];
    alice.editor.commands.setContent("<ul><li><p>milk</p></li><li><p>bread</p></li></ul>");
    sync(alice, bob);

    alice.editor.chain().setTextSelection(12).sinkListItem("listItem").run();
    bob.editor.commands.insertContentAt(7, " and tea");
    sync(alice, bob);

    expectSame(alice, bob);
    expect(textOf(alice)).toContain("milk and tea");
    expect(textOf(alice)).toContain("bread");
    expect(typesOf(alice.editor.getJSON())).toContain("bulletList(listItem(paragraph(text)))");
  });

  test("a first paragraph deleted while the item got a nested list keeps the nested list", () => {
    const [alice, bob] = together(1, 2) as [Person, Person];
    alice.editor.commands.setContent("<ul><li><p>milk</p><p>bread</p></li></ul>");
    sync(alice, bob);

    alice.editor.commands.deleteRange({ from: 8, to: 15 });
    bob.editor.commands.deleteRange({ from: 2, to: 8 });
    bob.editor.commands.insertContentAt(8, "<ul><li><p>inner</p></li></ul>");
    sync(alice, bob);

    expectSame(alice, bob);
    expect(textOf(alice)).toContain("inner");
  });

  test("tasks ticked by both", () => {
    const [alice, bob] = together(1, 2) as [Person, Person];
    alice.editor.commands.setContent(
      '<ul data-type="taskList"><li data-type="taskItem"><p>a</p></li><li data-type="taskItem"><p>b</p></li></ul>',
    );
    sync(alice, bob);

    alice.editor.chain().setTextSelection(3).updateAttributes("taskItem", { checked: true }).run();
    bob.editor.chain().setTextSelection(8).updateAttributes("taskItem", { checked: true }).run();
    sync(alice, bob);

    expectSame(alice, bob);
    const items = contentOf(contentOf(alice)[0]);
    expect(items.map((item) => item.attrs?.checked)).toEqual([true, true]);
  });
});

describe("tables", () => {
  const table =
    "<table><tr><td><p>a</p></td><td><p>b</p></td></tr><tr><td><p>c</p></td><td><p>d</p></td></tr></table>";

  test("words in different cells", () => {
    const [alice, bob] = together(1, 2) as [Person, Person];
    alice.editor.commands.setContent(table);
    sync(alice, bob);

    alice.editor.commands.insertContentAt(5, "lpha");
    bob.editor.commands.insertContentAt(10, "eta");
    sync(alice, bob);

    expectSame(alice, bob);
    expect(textOf(alice)).toContain("alpha");
    expect(textOf(alice)).toContain("beta");
  });

  test("a row and a column at once settle instead of growing for ever, and can be mended", () => {
    const [alice, bob] = together(1, 2) as [Person, Person];
    alice.editor.commands.setContent(table);
    sync(alice, bob);

    alice.editor.chain().setTextSelection(5).addRowAfter().run();
    bob.editor.chain().setTextSelection(5).addColumnAfter().run();

    expect(sync(alice, bob)).toBeLessThanOrEqual(3);
    expectSame(alice, bob);

    alice.editor.chain().fixTables().run();
    sync(alice, bob);
    expectSame(alice, bob);
    const rows = contentOf(contentOf(bob)[0]);
    expect(rows.map((row) => contentOf(row).length)).toEqual([3, 3, 3]);
  });
});

test("undo takes back one's own words only", () => {
  const [alice, bob] = together(1, 2) as [Person, Person];
  alice.editor.commands.insertContent("Alice was here. ");
  sync(alice, bob);
  bob.editor.commands.insertContentAt(17, "Bob too.");
  sync(alice, bob);

  alice.editor.commands.undo();
  sync(alice, bob);

  expectSame(alice, bob);
  expect(textOf(bob)).toBe("Bob too.");
});

test("a document that is empty again by undo stays empty on every page, and redo brings back what was there", () => {
  const everybody = together(1, 2, 3);
  const [alice] = everybody as [Person];
  alice.editor.commands.insertContent("words");
  sync(...everybody);

  alice.editor.commands.undo();
  sync(...everybody);
  for (const { editor } of everybody) editor.commands.setTextSelection(1);
  expect(sync(...everybody)).toBe(1);
  expect(everybody.map(sharedText)).toEqual(["", "", ""]);

  alice.editor.commands.redo();
  sync(...everybody);
  expect(everybody.map(textOf)).toEqual(["words", "words", "words"]);
});

test.each([
  ["a heading", "<h2>Plan</h2>", 5],
  ["a list", "<ul><li><p>milk</p></li></ul>", 7],
  ["a table", "<table><tr><td><p>cell</p></td></tr></table>", 8],
])("undoing %s leaves what somebody else has written in it", (_name, html, at) => {
  const [alice, bob] = together(1, 2) as [Person, Person];
  alice.editor.commands.insertContent(html);
  sync(alice, bob);
  bob.editor.commands.insertContentAt(at, " Bob's words");
  sync(alice, bob);

  alice.editor.commands.undo();
  sync(alice, bob);

  expectSame(alice, bob);
  expect(textOf(alice)).toContain("Bob's words");
  expect(textOf(alice)).not.toMatch(/Plan|milk|cell/);
});

describe("formats that are switched on with nothing selected", () => {
  function bold(change: (alice: Person, bob: Person) => void): string {
    const [alice, bob] = together(1, 2) as [Person, Person];
    alice.editor.commands.setContent("<p>words</p><p>other</p>");
    sync(alice, bob);
    alice.editor.chain().setTextSelection(6).toggleBold().run();
    change(alice, bob);
    sync(alice, bob);
    alice.editor.view.dispatch(alice.editor.state.tr.insertText("!"));
    sync(alice, bob);
    expectSame(alice, bob);
    return alice.editor.getHTML();
  }

  test.each([
    ["below", (_alice: Person, bob: Person) => bob.editor.commands.insertContentAt(13, "x")],
    ["above", (_alice: Person, bob: Person) => bob.editor.commands.insertContentAt(0, "<p>x</p>")],
    ["in the same line", (_alice: Person, bob: Person) => bob.editor.commands.insertContentAt(1, "x")],
  ])("stay on while somebody types %s", (_where, change) => {
    expect(bold(change)).toContain("words<strong>!</strong>");
  });

  test("are off again when the cursor goes elsewhere, whoever types then", () => {
    const html = bold((alice, bob) => {
      alice.editor.commands.setTextSelection(3);
      bob.editor.commands.insertContentAt(13, "x");
    });
    expect(html).not.toContain("<strong>");
  });
});

test("a web address typed by one is linked once, and not again after it was unlinked", () => {
  const [alice, bob] = together(1, 2) as [Person, Person];
  alice.editor.commands.insertContent("https://example.org");
  sync(alice, bob);
  const before = sharedText(bob);

  bob.editor.commands.insertContentAt(1, "See ");
  sync(alice, bob);

  expect(sharedText(alice)).toBe(before.replace("https://example.org", "See https://example.org"));
});

test("undo goes on after a plugin has come later", () => {
  const [alice, bob] = together(1, 2) as [Person, Person];
  alice.editor.commands.insertContent("one");
  alice.editor.registerPlugin(new Plugin({}));
  alice.editor.commands.splitBlock();
  sync(alice, bob);
  expect(textOf(bob)).toBe("one|");
  alice.editor.commands.insertContent("two");
  alice.editor.commands.undo();
  expect(textOf(alice)).toBe("one|");
  alice.editor.commands.undo();
  sync(alice, bob);
  expect(textOf(bob)).toBe("");
});

test("undo goes back in steps, however fast one writes", () => {
  const [alice] = together(1) as [Person];
  const write = (text: string) => {
    for (const character of text) alice.editor.commands.insertContent(character);
  };
  write("This sentence is long enough to be ");
  write("cut.");
  alice.editor.commands.splitBlock();
  write("Next");

  alice.editor.commands.undo();
  expect(textOf(alice)).toBe("This sentence is long enough to be cut.|");
  alice.editor.commands.undo();
  expect(textOf(alice)).toBe("This sentence is long enough ");
  alice.editor.commands.undo();
  expect(textOf(alice)).toBe("");
  alice.editor.commands.redo();
  expect(textOf(alice)).toBe("This sentence is long enough ");
});
