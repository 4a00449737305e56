/** Accepts, rejects and withdraws suggestions in an editor, each time as one step of undo. */

import { yUndoPluginKey } from "@manyhands/binding";
import type { Suggested } from "@manyhands/schema";
import type { Editor } from "@tiptap/core";
import type { Node } from "@tiptap/pm/model";
import type { Transaction } from "@tiptap/pm/state";
import { suggestingKey } from "../../extensions/suggesting";
import { gapsOf } from "./aligning";
import { suggestionsIn } from "./list";
import { type Judge, settled } from "./settle";

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
    let place = oldAt;
    if (olds.length === news.length && olds.every((node, index) => node.type === news[index]?.type)) {
      for (const [index, node] of olds.entries()) {
        becomeNode(tr, node, place, news[index] as Node);
        place += node.nodeSize;
      }
      continue;
    }
    const size = olds.reduce((sum, { nodeSize }) => sum + nodeSize, 0);
    tr.replaceWith(tr.mapping.map(place), tr.mapping.map(place + size, -1), [...news]);
  }
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
