/** Documents with suggestions, and what is read of them: the server reads the same (crdt/content/suggested.py). */

import { FRAGMENT } from "@manyhands/schema";
import type { JSONContent } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import { expect, it } from "vitest";
import * as Y from "yjs";
import { readDocument } from "../../src/extensions/reading";
import { type View, viewOf } from "../../src/features/suggesting/settle";
import { person, seesAll } from "../page/editors";
import { session, sessionAtATable } from "./together";

it("the server is told what a document says with and without its suggestions", async () => {
  const told = [
    ...[2, 3, 7, 11, 17].map((seed) => session(seed, 30)),
    ...[0, 6, 13, 16, 30].map(sessionAtATable),
  ];
  const documents = told.map(({ people }) => {
    const [first] = people;
    if (!first) throw new Error("Nobody is there");
    const update = Y.encodeStateAsUpdate(first.doc);
    for (const { editor } of people) editor.destroy();
    const doc = new Y.Doc();
    Y.applyUpdate(doc, update);
    const reader = person(99, doc);
    const content = (view: View) => withoutEmpty(viewOf(reader.editor.state.doc, view).toJSON());
    const told = {
      update: btoa(String.fromCharCode(...update)),
      accepted: content("accepted"),
      without: content("without"),
    };
    reader.editor.destroy();
    return told;
  });
  // Stale? Run `make describe`.
  await expect(`${JSON.stringify(documents)}\n`).toMatchFileSnapshot(
    "../../../../tests/vectors/suggested.json",
  );
});

it.each([2, 3, 7, 11, 17])(
  "a document that no editor is bound to is shown with the same suggestions: %s",
  (seed) => {
    const { people } = session(seed, 30);
    const [first] = people;
    if (!first) throw new Error("Nobody is there");
    const { schema } = first.editor;
    seesAll(first);
    const read = readDocument(first.doc.getXmlFragment(FRAGMENT), schema);
    for (const view of ["inline", "accepted", "without"] as const) {
      const content = (doc: Node) => JSON.parse(JSON.stringify(viewOf(doc, view)), withoutComments);
      expect(content(read)).toEqual(content(first.editor.state.doc));
    }
    for (const { editor } of people) editor.destroy();
  },
);

/** Leaves out what is said about pictures, which is not shown there. */
function withoutComments(name: string, value: unknown): unknown {
  return name === "annotations" ? null : value;
}

/** Leaves out that nobody suggests or says anything. */
function withoutEmpty({ attrs, content, ...node }: JSONContent): JSONContent {
  const { suggestion: _suggestion, proposals: _proposals, annotations: _annotations, ...rest } = attrs ?? {};
  const kept = Object.keys(rest).length > 0 ? { attrs: rest } : {};
  return { ...node, ...kept, ...(content ? { content: content.map(withoutEmpty) } : {}) };
}
