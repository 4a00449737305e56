/** Accepts, rejects and withdraws suggestions in an editor, each time as one step of undo. */

import { goesOn, yUndoPluginKey } from "@manyhands/binding";
import type { Suggested } from "@manyhands/schema";
import type { Editor } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import type { Transaction } from "@tiptap/pm/state";
import { suggestingKey } from "../../extensions/suggesting";
import { gapsOf } from "./aligning";
import { suggestionsIn } from "./list";
import { type Judge, settled, sourceOf } from "./settle";

/** A suggestion of which nothing is left, and how it was decided on. */
export interface Decided extends Pick<Suggested, "id" | "user"> {
  readonly verdict: "accept" | "reject";
}

const DECIDED = "decidedSuggestions";

/** The suggestions that a transaction has decided on. */
export function decidedIn(transaction: Transaction): readonly Decided[] {
  const decided: readonly Decided[] | undefined = transaction.getMeta(DECIDED);
  return decided ?? [];
}

/** Settles what `judge` says; returns whether that has changed anything. */
export function settleIn({ state, view }: Editor, judge: Judge): boolean {
  const verdicts = new Map<string, Decided>();
  const now = settled(state.doc, (suggestion) => {
    const verdict = judge(suggestion);
    const { id, user } = suggestion;
    if (verdict !== "keep")
      verdicts.set(id, { id, user, verdict: verdict === "withdraw" ? "reject" : verdict });
    return verdict;
  });
  if (now === state.doc || now.eq(state.doc)) return false;
  const { tr } = state;
  become(tr, state.doc, 0, now);
  tellSources(tr.doc, now);
  const left = new Set(suggestionsIn(tr.doc).map(({ id }) => id));
  tr.setMeta(
    DECIDED,
    [...verdicts.values()].filter(({ id }) => !left.has(id)),
  );
  const manager = yUndoPluginKey.getState(state)?.undoManager;
  manager?.stopCapturing();
  view.dispatch(tr.setMeta(suggestingKey, "settled"));
  manager?.stopCapturing();
  return true;
}

/** Makes the content of one node that of another, and changes no more than they differ in. */
function become(tr: Transaction, old: Node, at: number, now: Node): void {
  for (const { olds, news, oldAt } of gapsOf(old, at, now, 0)) {
    let [one, other, place] = [0, 0, oldAt];
    const exchange = (oneEnd: number, otherEnd: number) => {
      const end = endOf(olds.slice(one, oneEnd), place);
      if (oneEnd > one || otherEnd > other)
        tr.replaceWith(tr.mapping.map(place), tr.mapping.map(end, -1), news.slice(other, otherEnd));
      place = end;
    };
    for (const [index, node] of news.entries()) {
      const found = olds.indexOf(sourceOf(node) ?? node, one);
      const kept = olds[found];
      if (kept?.type !== node.type) continue;
      exchange(found, index);
      becomeNode(tr, kept, place, node);
      place += kept.nodeSize;
      [one, other] = [found + 1, index + 1];
    }
    exchange(olds.length, news.length);
  }
}

function endOf(nodes: readonly Node[], from: number): number {
  return nodes.reduce((end, { nodeSize }) => end + nodeSize, from);
}

/** Says of all that was settled what it was. */
function tellSources(made: Node, now: Node): void {
  const source = sourceOf(now);
  if (source !== undefined) goesOn(made, source);
  else if (made === now) return;
  for (const [index, child] of made.children.entries()) tellSources(child, now.child(index));
}

function becomeNode(tr: Transaction, old: Node, at: number, now: Node): void {
  if (!old.hasMarkup(now.type, now.attrs, now.marks)) {
    for (const [name, value] of Object.entries(now.attrs)) {
      if (JSON.stringify(old.attrs[name]) !== JSON.stringify(value)) {
        tr.setNodeAttribute(tr.mapping.map(at), name, value);
      }
    }
  }
  if (!old.inlineContent) {
    become(tr, old, at + 1, now);
    return;
  }
  const start = old.content.findDiffStart(now.content);
  if (start === null) return;
  const { a, b } = old.content.findDiffEnd(now.content) ?? { a: old.content.size, b: now.content.size };
  const more = Math.max(0, start - Math.min(a, b));
  const [from, to] = [tr.mapping.map(at + 1 + start), tr.mapping.map(at + 1 + a + more, -1)];
  tr.replaceWith(from, Math.max(from, to), now.content.cut(start, b + more));
}
