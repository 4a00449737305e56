/** Other people's carets: drawn where they are, and drawn again only when they move. */

import { Plugin } from "prosemirror-state";
import { expect, test } from "vitest";
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { absolutePositionToRelativePosition, yCursorPlugin, yCursorPluginKey } from "../src/index.js";
import { type Bound, bindingOf, book, bound, copyOf, nextFrame, textAt } from "./views.js";

const BOB = 77;

function withCarets(doc: Y.Doc) {
  const awareness = new Awareness(doc);
  let applied = 0;
  const counting = new Plugin({ state: { init: () => 0, apply: () => (applied += 1) } });
  const near = bound(doc, { plugins: [yCursorPlugin(awareness), counting] });
  return { near, awareness, applied: () => applied };
}

function put(awareness: Awareness, near: Bound, position: number): void {
  const place = absolutePositionToRelativePosition(position, near.fragment, bindingOf(near).mapping);
  const cursor = JSON.parse(JSON.stringify({ anchor: place, head: place }));
  awareness.states.set(BOB, { user: { name: "Bob", color: "#123456" }, cursor });
  awareness.emit("change", [{ added: [], updated: [BOB], removed: [] }, "test"]);
}

const drawnAt = ({ view }: Bound) =>
  yCursorPluginKey
    .getState(view.state)
    ?.find()
    .map(({ from }) => from);

test("a caret is drawn with the next frame, and moves with what is written before it", async () => {
  const far = book(3);
  const { near, awareness } = withCarets(copyOf(far));
  put(awareness, near, 5);
  await nextFrame();
  expect(drawnAt(near)).toEqual([5]);
  near.view.dispatch(near.view.state.tr.insertText("xy", 1));
  expect(drawnAt(near)).toEqual([7]);
  textAt({ doc: far }, 0).insert(0, "z");
  Y.applyUpdate(near.doc, Y.encodeStateAsUpdate(far));
  await nextFrame();
  expect(drawnAt(near)).toEqual([8]);
});

test("one's own typing and one's own caret draw nothing again", async () => {
  const { near, awareness, applied } = withCarets(book(3));
  put(awareness, near, 5);
  await nextFrame();
  const before = applied();
  near.view.dispatch(near.view.state.tr.insertText("x", 1));
  awareness.setLocalStateField("cursor", { anchor: null, head: null });
  await nextFrame();
  expect(applied() - before).toBe(1);
});

test("a caret in words that one deletes is drawn again where the words were", async () => {
  const { near, awareness } = withCarets(book(3));
  put(awareness, near, 5);
  await nextFrame();
  near.view.dispatch(near.view.state.tr.delete(3, 8));
  await nextFrame();
  expect(drawnAt(near)).toEqual([3]);
});

test("a caret that nobody can place is not drawn", async () => {
  const { near, awareness } = withCarets(book(1));
  awareness.states.set(BOB, { user: {}, cursor: { anchor: { type: { client: 9, clock: 9 } }, head: {} } });
  awareness.emit("change", [{ added: [BOB], updated: [], removed: [] }, "test"]);
  await nextFrame();
  expect(drawnAt(near)).toEqual([]);
});
