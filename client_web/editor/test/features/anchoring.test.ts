/** Places that follow a document: always those that a look at the whole finds, and a key reads no more than its block. */

import type { Node } from "@tiptap/pm/model";
import { EditorState } from "@tiptap/pm/state";
import { expect, test } from "vitest";
import { Anchoring, type ReadBlock } from "../../src/extensions/anchoring";
import { threadsInBlock } from "../../src/extensions/comment_marks";
import { suggestionsIn, suggestionsInBlock } from "../../src/features/suggesting/list";
import { person } from "../page/editors";

const { schema } = person(1).editor;

const thread = (id: string) => schema.mark("comment", { id });
const insertion = (id: string) => schema.mark("insertion", { id, user: "ben", at: 0, run: 1, break: null });

/** A line whose middle has marks. */
function line(...ids: readonly string[]): Node {
  const marks = ids.flatMap((id) => [thread(id), insertion(id)]);
  return schema.node("paragraph", null, [
    schema.text("Oh "),
    schema.text("brave", marks),
    schema.text(" new"),
  ]);
}

function documentOf(lines: number, each: number): EditorState {
  const blocks = Array.from({ length: lines }, (_, at) => line(...(at % each === 0 ? [`t${at}`] : [])));
  return EditorState.create({ doc: schema.node("doc", null, blocks) });
}

function counted(read: ReadBlock) {
  const blocks: Node[] = [];
  const anchoring = new Anchoring((block) => {
    blocks.push(block);
    return read(block);
  });
  return { anchoring, blocks };
}

test.each([100, 3_000])(
  "a key reads one block of %i, and the list of what stands in the document stays the same",
  (lines) => {
    const { anchoring, blocks } = counted(threadsInBlock);
    let state = documentOf(lines, 3);
    const list = anchoring.firsts(state.doc);
    expect(list).toHaveLength(Math.ceil(lines / 3));
    expect(blocks).toHaveLength(lines);
    const [first, last] = [list[0]?.at ?? 0, list.at(-1)?.at ?? 0];
    blocks.length = 0;
    // Before the marked words, in a line without any, and at the end.
    for (const at of [1, state.doc.child(0).nodeSize + 2, state.doc.content.size + 1]) {
      state = state.apply(state.tr.insertText("x", at));
      expect(anchoring.firsts(state.doc)).toBe(list);
    }
    expect(blocks).toHaveLength(3);
    expect([list[0]?.at, list.at(-1)?.at]).toEqual([first + 1, last + 2]);
  },
);

test("whatever happens to a document, the places are those that are found in the whole", () => {
  let seed = 11;
  const chance = (most: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % most;
  };
  const threads = new Anchoring(threadsInBlock);
  const suggestions = new Anchoring(suggestionsInBlock);
  let state = documentOf(12, 2);
  for (let step = 0; step < 200; step += 1) {
    const { tr, doc } = state;
    const [one, other] = [chance(doc.content.size + 1), chance(doc.content.size + 1)];
    const [from, to] = [Math.min(one, other), Math.min(Math.max(one, other), Math.min(one, other) + 30)];
    const act = chance(7);
    // Ids come again: a thread's words may stand in several blocks.
    if (act === 0)
      tr.insert(doc.resolve(from).depth > 0 ? doc.resolve(from).before(1) : from, line(`t${chance(9)}`));
    else if (act === 1) tr.delete(from, to);
    else if (act === 2) tr.insertText("new", from);
    else if (act === 3)
      tr.addMark(from, to, insertion(`t${chance(9)}`)).addMark(from, to, thread(`t${chance(9)}`));
    else if (act === 4) tr.removeMark(from, to);
    else if (act === 5) tr.replace(from, from, doc.slice(0, Math.min(60, doc.content.size)));
    else tr.delete(0, Math.min(doc.content.size, 80));
    state = state.apply(tr);
    const expected = new Map<string, number>();
    state.doc.descendants((node, at) => {
      for (const { type, attrs } of node.marks)
        if (type.name === "comment" && !expected.has(attrs.id)) expected.set(attrs.id, at);
    });
    expect(threads.firsts(state.doc), `step ${step}`).toEqual([...expected].map(([id, at]) => ({ id, at })));
    const whole = suggestionsIn(state.doc).map(({ id, from: at }) => ({ id, at }));
    expect(suggestions.firsts(state.doc), `step ${step}`).toEqual(whole);
  }
});
