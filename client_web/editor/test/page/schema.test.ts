/** The page's extensions: they add nothing to what a document holds by `@manyhands/schema`, and are cheap to look at. */

import { documentSchema } from "@manyhands/schema";
import { flattenExtensions } from "@tiptap/core";
import type { MarkType, NodeType, Schema } from "@tiptap/pm/model";
import { expect, it } from "vitest";
import * as Y from "yjs";
import { content, editorExtensions } from "../../src/extensions/schema";

function told(schema: Schema): unknown {
  const about = ({ name, spec }: NodeType | MarkType) => {
    const { content, group, marks, inline, excludes, attrs } = spec as Record<string, unknown>;
    const usual = Object.entries(attrs ?? {}).map(([key, value]) => [key, value.default]);
    return { name, content, group, marks, inline, excludes, usual };
  };
  return [Object.values(schema.nodes).map(about), Object.values(schema.marks).map(about)];
}

it("the page's schema is the published one", () => {
  expect(told(documentSchema(content))).toEqual(told(documentSchema()));
});

it("an editor merges the options of each extension once, and makes no part of the kit anew", () => {
  for (const each of editorExtensions({ doc: new Y.Doc(), awareness: null })) {
    expect(each.options, each.name).toBe(each.options);
    expect(each.name).not.toBe("starterKit");
  }
});

it("no extension is there twice", () => {
  const extensions = flattenExtensions(editorExtensions({ doc: new Y.Doc(), awareness: null }));
  const names = extensions.map(({ name }) => name);
  expect(names.filter((name, at) => names.indexOf(name) < at)).toEqual([]);
});
