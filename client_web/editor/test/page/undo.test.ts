/** Undo and redo lead to what they change, and say what it was. */

import { placeOfStep, yUndoPluginKey } from "@manyhands/binding";
import { afterEach, describe, expect, test } from "vitest";
import { kindOfStep, STEP_KIND } from "../../src/extensions/undo_steps";
import { randomOf } from "../rescue/random";
import { type Person, person, sync, textOf } from "./editors";

const met: Person[] = [];
afterEach(() => {
  for (const { editor } of met.splice(0)) editor.destroy();
  document.body.replaceChildren();
});

function alone(html: string): Person {
  const alice = person(1);
  met.push(alice);
  alice.editor.commands.setContent(html);
  stepEnds(alice);
  return alice;
}

function stepEnds({ editor }: Person): void {
  yUndoPluginKey.getState(editor.state)?.undoManager.stopCapturing();
}

/** The text with | at the caret, or [ ] around what is selected. */
function seen({ editor }: Person): string {
  const { doc, selection } = editor.state;
  const { from, to, empty } = selection;
  const before = doc.textBetween(0, from, "/");
  const behind = doc.textBetween(to, doc.content.size, "/");
  return empty ? `${before}|${behind}` : `${before}[${doc.textBetween(from, to, "/")}]${behind}`;
}

const goTo = ({ editor }: Person, at: number, to = at) => editor.commands.setTextSelection({ from: at, to });
const type = ({ editor }: Person, words: string) => {
  const { from, to } = editor.state.selection;
  editor.view.dispatch(editor.state.tr.insertText(words, from, to));
};

describe("the caret goes to the change", () => {
  test("of typed words, and typing goes on behind them", () => {
    const alice = alone("<p>one two</p><p>far</p>");
    goTo(alice, 4);
    type(alice, " and a half");
    stepEnds(alice);
    goTo(alice, alice.editor.state.doc.content.size - 1);
    alice.editor.commands.undo();
    expect(seen(alice)).toBe("one| two/far");
    goTo(alice, 12);
    alice.editor.commands.redo();
    expect(seen(alice)).toBe("one and a half| two/far");
    type(alice, "!");
    expect(textOf(alice)).toBe("one and a half! two|far");
  });

  test("of deleted words, which are not selected: typing must not take them away again", () => {
    const alice = alone("<p>one two three</p><p>far</p>");
    goTo(alice, 5, 9);
    alice.editor.commands.deleteSelection();
    stepEnds(alice);
    goTo(alice, 12);
    alice.editor.commands.undo();
    expect(seen(alice)).toBe("one two |three/far");
    goTo(alice, 18);
    alice.editor.commands.redo();
    expect(seen(alice)).toBe("one |three/far");
  });

  test("of a paragraph that is gone, and back", () => {
    const alice = alone("<p>one</p><p>two</p><p>three</p>");
    goTo(alice, 4, 9);
    alice.editor.commands.deleteSelection();
    stepEnds(alice);
    goTo(alice, 1);
    alice.editor.commands.undo();
    expect(seen(alice)).toBe("one/two|/three");
  });

  test("of formatting, whose words stay selected", () => {
    const alice = alone("<p>one two</p><p>far</p>");
    goTo(alice, 5, 8);
    alice.editor.commands.toggleBold();
    stepEnds(alice);
    goTo(alice, 11);
    alice.editor.commands.undo();
    expect(seen(alice)).toBe("one [two]/far");
  });

  test("of a box that was ticked without the caret", () => {
    const alice = alone(
      '<p>top</p><ul data-type="taskList"><li data-type="taskItem" data-checked="false"><p>tea</p></li></ul>',
    );
    goTo(alice, 1);
    const { tr, doc } = alice.editor.state;
    let at = 0;
    doc.descendants((node, position) => {
      if (node.type.name === "taskItem") at = position;
    });
    alice.editor.view.dispatch(tr.setNodeAttribute(at, "checked", true));
    stepEnds(alice);
    alice.editor.commands.undo();
    expect(seen(alice)).toBe("top/tea|");
  });

  test("beside what somebody else writes", () => {
    const alice = alone("<p>one two</p>");
    const bob = person(2);
    met.push(bob);
    sync(alice, bob);
    goTo(alice, 4);
    type(alice, "!");
    stepEnds(alice);
    sync(alice, bob);
    goTo(bob, 1);
    type(bob, "Bob: ");
    sync(alice, bob);
    goTo(alice, alice.editor.state.doc.content.size - 1);
    alice.editor.commands.undo();
    expect(seen(alice)).toBe("Bob: one| two");
  });
});

describe("words that undo has brought back are taken away whole, though they were cut meanwhile", () => {
  const begun = () => {
    const alice = alone("<p>one</p>");
    yUndoPluginKey.getState(alice.editor.state)?.undoManager.clear();
    goTo(alice, 4);
    type(alice, " two three");
    stepEnds(alice);
    return alice;
  };
  const written = (write: (alice: Person) => void) => {
    const alice = begun();
    write(alice);
    while (alice.editor.commands.undo());
    expect(textOf(alice)).toBe("one");
    while (alice.editor.commands.redo());
    return textOf(alice);
  };
  const deletes = (alice: Person, from = 5, to = 14) => {
    goTo(alice, from, to);
    alice.editor.commands.deleteSelection();
    stepEnds(alice);
  };

  test("by words of one's own", () => {
    const all = written((alice) => {
      deletes(alice);
      alice.editor.commands.undo();
      goTo(alice, 8);
      type(alice, " and");
    });
    expect(all).toBe("one two and three");
  });

  test("twice, and each time after they had been deleted", () => {
    const all = written((alice) => {
      for (const at of [8, 6]) {
        deletes(alice);
        alice.editor.commands.undo();
        goTo(alice, at);
        type(alice, "-");
        stepEnds(alice);
      }
    });
    expect(all).toBe("one t-wo- three");
  });

  test("by a deletion in their middle", () => {
    const all = written((alice) => {
      deletes(alice);
      alice.editor.commands.undo();
      deletes(alice, 6, 8);
    });
    expect(all).toBe("one t three");
  });

  test("by somebody else, whose words stay", () => {
    const alice = begun();
    const bob = person(2);
    met.push(bob);
    deletes(alice);
    alice.editor.commands.undo();
    sync(alice, bob);
    goTo(bob, 8);
    type(bob, " and");
    sync(alice, bob);
    alice.editor.commands.undo();
    expect(textOf(alice)).toBe("one and");
  });
});

test("words that are deleted and brought back again and again keep their order and their formats", () => {
  for (const seed of [6, 178, 243, ...Array.from({ length: 6 }, (_, index) => 100 + index)]) {
    const random = randomOf(seed);
    const alice = alone("<p>x<b>abc</b></p><p>two</p>");
    const before = alice.editor.state.doc.toString();
    const done: string[] = [];
    for (let times = 0; times < 8; times += 1) {
      const ends = [1, 2, 3, 4, 5, 7, 8, 9, 10];
      const [from = 1, to = 1] = [ends[random(9)] ?? 1, ends[random(9)] ?? 1].sort(
        (one, other) => one - other,
      );
      if (from === to) continue;
      goTo(alice, from, to);
      alice.editor.commands.deleteSelection();
      done.push(`${from} to ${to}`);
      alice.editor.commands.undo();
      expect(alice.editor.state.doc.toString(), `${seed}: ${done.join(", ")}`).toBe(before);
    }
  }
});

describe("the next undo says what it takes back", () => {
  const kinds = ({ editor }: Person) => [kindOfStep(editor.state, "undo"), kindOfStep(editor.state, "redo")];

  test("nothing", () => {
    expect(kinds(met[met.push(person(1)) - 1] as Person)).toEqual([null, null]);
  });

  test.each<[string, (alice: Person) => void]>([
    ["typing", (alice) => type(alice, "!")],
    ["typing", (alice) => alice.editor.commands.splitBlock()],
    ["deletion", (alice) => alice.editor.commands.deleteRange({ from: 1, to: 4 })],
    ["deletion", (alice) => alice.editor.commands.deleteRange({ from: 2, to: 11 })],
    ["deletion", (alice) => alice.editor.chain().selectAll().deleteSelection().run()],
    ["deletion", (alice) => alice.editor.commands.clearContent()],
    ["formatting", (alice) => alice.editor.chain().selectAll().toggleBold().run()],
    ["formatting", (alice) => alice.editor.commands.setHeading({ level: 2 })],
    ["formatting", (alice) => alice.editor.commands.toggleBulletList()],
    ["formatting", (alice) => alice.editor.commands.setTextAlign("right")],
    ["pasting", (alice) => alice.editor.view.pasteText("pasted")],
    [
      "replacement",
      ({ editor }) =>
        editor.view.dispatch(editor.state.tr.insertText("x", 1, 2).setMeta(STEP_KIND, "replacement")),
    ],
  ])("%s", (kind, act) => {
    const alice = alone("<p>one two</p><p>three</p>");
    goTo(alice, 4);
    act(alice);
    expect(kinds(alice)).toEqual([kind, null]);
    alice.editor.commands.undo();
    expect(kinds(alice)[1]).toBe(kind);
    alice.editor.commands.redo();
    expect(kinds(alice)).toEqual([kind, null]);
  });

  test("typing with corrections is typing, and with a format in between a change", () => {
    const alice = alone("<p>one two</p>");
    goTo(alice, 8);
    type(alice, "abc");
    alice.editor.commands.deleteRange({ from: 9, to: 10 });
    expect(kinds(alice)[0]).toBe("typing");
    alice.editor.chain().selectAll().toggleBold().run();
    expect(kinds(alice)[0]).toBe("change");
  });

  test("of one's own only", () => {
    const [alice, bob] = [alone("<p>one two</p>"), person(2)];
    met.push(bob);
    goTo(alice, 4);
    type(alice, "!");
    sync(alice, bob);
    bob.editor.commands.deleteRange({ from: 1, to: 3 });
    sync(alice, bob);
    expect(kinds(alice)[0]).toBe("typing");
    expect(placeOfStep(alice.editor.state, "undo")).toEqual({ from: 2, to: 3 });
  });
});

describe("the place of the next undo", () => {
  const placed = ({ editor }: Person) => {
    const place = placeOfStep(editor.state, "undo");
    return place && editor.state.doc.textBetween(place.from, place.to, "/");
  };

  test("has what was typed", () => {
    const alice = alone("<p>one two</p><p>far</p>");
    goTo(alice, 4);
    type(alice, " and a half");
    expect(placed(alice)).toBe(" and a half");
    goTo(alice, 1);
    type(alice, ">> ");
    expect(placed(alice)).toBe(">> one and a half");
  });

  test("is where words were deleted", () => {
    const alice = alone("<p>one two</p>");
    alice.editor.commands.deleteRange({ from: 4, to: 8 });
    expect(placeOfStep(alice.editor.state, "undo")).toEqual({ from: 4, to: 4 });
  });

  test("has what was formatted", () => {
    const alice = alone("<p>one two three</p>");
    goTo(alice, 5, 8);
    alice.editor.commands.toggleBold();
    expect(placed(alice)).toBe("two");
  });

  test("is unknown when somebody else has deleted it", () => {
    const [alice, bob] = [alone("<p>one</p><p>two</p>"), person(2)];
    met.push(bob);
    goTo(alice, 9);
    type(alice, "!");
    sync(alice, bob);
    bob.editor.commands.deleteRange({ from: 5, to: 11 });
    sync(alice, bob);
    expect(placed(alice) ?? "").toBe("");
  });
});
