/** Content that this editor does not know, or that a merge left invalid, is never deleted from the shared document. */

import { documentSchema, FRAGMENT } from "@manyhands/schema";
import { describe, expect, test } from "vitest";
import * as Y from "yjs";
import { type Foreign, foreignContent, watchForForeign } from "../../src/extensions/foreign";
import { mirrorOf } from "../../src/extensions/mirror";
import { contentOf, element, person, sharedText, textOf, words, written } from "./editors";

const schema = documentSchema();

function found(build: (fragment: Y.XmlFragment) => void): readonly Foreign[] {
  return foreignContent(written(build).getXmlFragment(FRAGMENT), schema);
}

const paragraph = (text: string, marks = {}) => element("paragraph", [words(text, marks)]);

describe("what is foreign", () => {
  test("nothing in a document of this editor", () => {
    const { editor, doc } = person(1);
    editor.commands.setContent(
      '<h2>T</h2><p style="text-align: center">a <b>b</b> <a href="https://example.org">c</a> <mark data-color="#ff0">d</mark></p>' +
        '<ul data-type="taskList"><li data-type="taskItem" data-checked="true"><p>x</p></li></ul><pre><code>y</code></pre>' +
        "<table><tr><th><p>1</p></th></tr></table><hr><blockquote><p>q</p></blockquote><ol start=3><li><p>z</p></li></ol>",
    );
    expect(foreignContent(doc.getXmlFragment(FRAGMENT), schema)).toEqual([]);
    editor.destroy();
  });

  test.each<[string, (fragment: Y.XmlFragment) => void, Foreign]>([
    ["node", (f) => f.insert(0, [element("poll", [])]), { kind: "node", name: "poll" }],
    ["mark", (f) => f.insert(0, [paragraph("a", { remark: { id: 7 } })]), { kind: "mark", name: "remark" }],
    [
      "mark with a hash",
      (f) => f.insert(0, [paragraph("a", { "remark--A1b2C3d4": { id: 7 } })]),
      { kind: "mark", name: "remark" },
    ],
    [
      "attribute",
      (f) => f.insert(0, [element("paragraph", [words("a")], { shade: 2 })]),
      { kind: "attribute", name: "paragraph.shade" },
    ],
    ["order", (f) => f.insert(0, [element("table", [paragraph("a")])]), { kind: "structure", name: "table" }],
    ["root text", (f) => f.insert(0, [words("a")]), { kind: "structure", name: "doc" }],
  ])("a %s", (_name, build, foreign) => {
    expect(found(build)).toEqual([foreign]);
  });

  test("nothing that people propose for a block", () => {
    const proposal = { id: "s1", user: "ann", at: 1, kind: "set", type: "heading", attrs: { level: 2 } };
    const proposed = (value: unknown) => (f: Y.XmlFragment) =>
      f.insert(0, [element("paragraph", [words("a")], { "suggestion--4vgnGPYe": value })]);
    expect(found(proposed(proposal))).toEqual([]);
    const deep = { ...proposal, attrs: [[[[[[[1]]]]]]] };
    expect(found(proposed(deep))).toEqual([{ kind: "attribute", name: "paragraph.suggestion--4vgnGPYe" }]);
  });

  test("an embed in the middle of text", () => {
    const build = (fragment: Y.XmlFragment) => {
      fragment.insert(0, [paragraph("a")]);
      ((fragment.get(0) as Y.XmlElement).get(0) as Y.XmlText).insertEmbed(1, { mention: "x" });
    };
    expect(found(build)).toEqual([{ kind: "embed", name: "embed" }]);
  });
});

describe("foreign content that arrives while an editor is open", () => {
  test("lets go of the document before the content is deleted from it", () => {
    const doc = new Y.Doc();
    const seen: Foreign[] = [];
    const holder: { alice?: ReturnType<typeof person> } = {};
    watchForForeign(doc.getXmlFragment(FRAGMENT), schema, (foreign) => {
      seen.push(...foreign);
      holder.alice?.editor.destroy();
    });
    holder.alice = person(1, doc);
    holder.alice.editor.commands.insertContent("Mine.");

    Y.applyUpdate(
      doc,
      Y.encodeStateAsUpdate(written((f) => f.insert(0, [element("poll", [paragraph("Theirs.")])]))),
    );

    expect(seen).toEqual([{ kind: "node", name: "poll" }]);
    expect(sharedText(holder.alice)).toContain("<poll><paragraph>Theirs.</paragraph></poll>");
    expect(sharedText(holder.alice)).toContain("Mine.");
  });

  test("is left alone by somebody who reads a mirror, who sees the rest", () => {
    const doc = written((f) => f.insert(0, [element("poll", []), paragraph("Words")]));
    const { doc: mirrored, destroy } = mirrorOf(doc);
    const reader = person(2, mirrored);
    doc.getXmlFragment(FRAGMENT).insert(2, [paragraph("More")]);

    expect(textOf(reader)).toBe("Words|More");
    expect(doc.getXmlFragment(FRAGMENT).toString()).toContain("<poll></poll>");
    reader.editor.destroy();
    destroy();
  });
});

describe("what a merge left invalid is mended, not deleted", () => {
  test("a list item that begins with a list", () => {
    const inner = element("bulletList", [element("listItem", [paragraph("kept")])]);
    const doc = written((f) => f.insert(0, [element("bulletList", [element("listItem", [inner])])]));
    expect(foreignContent(doc.getXmlFragment(FRAGMENT), schema)).toEqual([]);

    const alice = person(1, doc);
    expect(textOf(alice)).toContain("kept");
    expect(sharedText(alice)).toContain("kept");
    alice.editor.destroy();
  });

  test("a code block with bold in it", () => {
    const alice = person(
      1,
      written((f) => f.insert(0, [element("codeBlock", [words("x = 1", { bold: {} })])])),
    );
    expect(textOf(alice)).toBe("x = 1");
    expect(sharedText(alice)).toContain("x = 1");
    alice.editor.destroy();
  });

  test("a table cell of a billion columns", () => {
    const cell = element("tableCell", [paragraph("a")], { colspan: 1e9, rowspan: -4, colwidth: "wide" });
    const alice = person(
      1,
      written((f) => f.insert(0, [element("table", [element("tableRow", [cell])])])),
    );
    const shown = contentOf(contentOf(contentOf(alice)[0])[0])[0];
    expect(shown?.attrs).toMatchObject({ colspan: 64, rowspan: 1, colwidth: null });
    alice.editor.destroy();
  });
});

test("opening a document writes nothing to it", () => {
  const doc = written((f) => f.insert(0, [element("heading", [words("Title")], { level: 1 })]));
  const before = Y.encodeStateVector(doc);
  const alice = person(1, doc);
  alice.editor.commands.selectAll();
  expect(Y.encodeStateVector(doc)).toEqual(before);
  alice.editor.destroy();
});
