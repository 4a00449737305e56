/** Suggestions made anew: what a person has meant and the server has refused, compared with the document as the server has it.
 *
 * 1. The editor shows what was meant. Then the document becomes the server's again, and the difference between the two is suggested as if
 *    it were done now. So an edit becomes a suggestion too, of somebody who might edit when it was made.
 * 2. What cannot be suggested in its place is suggested as a copy behind it: no words are lost.
 * 3. Steps of undo are gone, as everything in the document is another object.
 */

import { ySyncPluginKey, yUndoPluginKey } from "@manyhands/binding";
import { proposalsOf, type Suggested } from "@manyhands/schema";
import type { Editor } from "@tiptap/core";
import type { Mark, Node } from "@tiptap/pm/model";
import { EditorState, Selection, TextSelection } from "@tiptap/pm/state";
import { Transform } from "@tiptap/pm/transform";
import { authorOf, type Suggester, suggestingKey } from "../../extensions/suggesting";
import { gapsOf } from "./aligning";
import { suggestionsOn } from "./present";
import { settled } from "./settle";
import { translate } from "./translate";

/** Returns false, and has done nothing, while a word is being composed. `begin` makes the document the server's. */
export function suggestAnew(editor: Editor, suggester: Suggester, begin: () => void): boolean {
  const { view } = editor;
  const binding = ySyncPluginKey.getState(view.state)?.binding;
  if (!binding || editor.isDestroyed || view.composing || binding.isHeld) return false;
  binding.flush();
  const { doc: meant, selection } = view.state;
  yUndoPluginKey.getState(view.state)?.undoManager.clear();
  begin();
  binding.flush();
  const wanted = withOwnAccepted(meant, view.state.doc, suggester.user);
  if (!suggests(editor, suggester, wanted)) {
    for (const piece of piecesOf(view.state.doc, 0, wanted, 0).reverse()) {
      const isDone = suggests(editor, suggester, withPiece(view.state.doc, piece));
      if (!isDone) suggests(editor, suggester, withPiece(view.state.doc, { ...piece, from: piece.to }));
    }
  }
  putBack(editor, meant, selection.anchor, selection.head);
  return true;
}

/** Suggests what makes the editor's document another one; returns whether that can be suggested. */
function suggests(editor: Editor, suggester: Suggester, doc: Node | null): boolean {
  const { state, view } = editor;
  if (!doc) return false;
  // What is selected has nothing to do with it.
  const before = state.apply(state.tr.setSelection(Selection.atStart(state.doc)));
  const made = translate(before, EditorState.create({ doc }), {
    ...authorOf(suggester, state),
    repeats: true,
  });
  if (typeof made === "string") return false;
  view.dispatch(made.setMeta(suggestingKey, "suggested"));
  return true;
}

/** What is to stand between two places of a document. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly news: readonly Node[];
}

/** The smallest blocks in which two documents differ. */
function piecesOf(old: Node, oldAt: number, now: Node, nowAt: number): Piece[] {
  return gapsOf(old, oldAt, now, nowAt).flatMap(({ olds, news, oldAt: from, nowAt: start }) => {
    if (olds.length !== news.length) return [{ from, to: from + sizeOf(olds), news }];
    let [at, then] = [from, start];
    return olds.flatMap((one, index) => {
      const [other, here, there] = [news[index] as Node, at, then];
      at += one.nodeSize;
      then += other.nodeSize;
      if (one.eq(other)) return [];
      const isAround = !one.inlineContent && !one.isLeaf && one.hasMarkup(other.type, other.attrs);
      return isAround ? piecesOf(one, here + 1, other, there + 1) : [{ from: here, to: at, news: [other] }];
    });
  });
}

function sizeOf(nodes: readonly Node[]): number {
  return nodes.reduce((size, { nodeSize }) => size + nodeSize, 0);
}

/** Returns null where the piece cannot stand. */
function withPiece(doc: Node, { from, to, news }: Piece): Node | null {
  const changed = new Transform(doc);
  try {
    changed.replaceWith(from, to, [...news]);
    changed.doc.check();
    return changed.doc;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** What was meant, with all of this person's suggestions accepted that the server does not have: they are made anew. */
function withOwnAccepted(meant: Node, server: Node, user: string): Node {
  const known = ownIn(server, user);
  return settled(meant, (suggestion) =>
    suggestion.user === user && !known.has(nameOf(suggestion)) ? "accept" : "keep",
  );
}

function ownIn(doc: Node, user: string): ReadonlySet<string> {
  const found = new Set<string>();
  const note = (suggestion: Suggested) => {
    if (suggestion.user === user) found.add(nameOf(suggestion));
  };
  doc.descendants((node) => {
    for (const each of proposalsOf(node.attrs)) note(each);
    // A strike or a format that is there already is not proposed again, and goes on over what is beside it.
    const marks: readonly Mark[] = suggestionsOn(node).filter(({ type }) => type.name === "insertion");
    for (const { attrs } of marks) note(attrs as Suggested);
  });
  return found;
}

function nameOf(suggestion: object): string {
  return JSON.stringify(suggestion);
}

/** The cursor goes where it was among what was meant. */
function putBack({ state, view }: Editor, meant: Node, anchor: number, head: number): void {
  const start = meant.content.findDiffStart(state.doc.content) ?? meant.content.size;
  const { a, b } = meant.content.findDiffEnd(state.doc.content) ?? { a: start, b: start };
  const { size } = state.doc.content;
  const at = (place: number) => {
    if (place <= start) return place;
    return place >= a ? place + b - a : start + Math.min(place - start, Math.max(b - start, 0));
  };
  const [from, to] = [anchor, head].map((place) => state.doc.resolve(Math.min(Math.max(at(place), 0), size)));
  if (from && to) view.dispatch(state.tr.setSelection(TextSelection.between(from, to)));
}
