/** The page's extensions add nothing to the format: a document holds what `@manyhands/schema` says, and nothing else. */

import { documentSchema } from "@manyhands/schema";
import type { MarkType, NodeType, Schema } from "@tiptap/pm/model";
import { expect, it } from "vitest";
import { content } from "../../src/extensions/schema";

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
