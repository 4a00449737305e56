/** Blocks that come and go, as wholes. */

import { suggestionOf } from "@manyhands/schema";
import { Fragment, type Node } from "@tiptap/pm/model";
import type { Gap } from "./aligning";
import { unsaid } from "./comparing";
import type { Draft, Op } from "./draft";
import { bare, unmarked } from "./formats";
import { ownMarks, strike } from "./inline";
import { settledIn } from "./settle";

export function deletions(draft: Draft, { olds, oldAt }: Gap): Op[] {
  const ops: Op[] = [];
  let at = oldAt;
  for (const old of olds) {
    ops.push(...deletes(draft, old, at));
    at += old.nodeSize;
  }
  return ops;
}

export function deletes(draft: Draft, old: Node, at: number): Op[] {
  const end = at + old.nodeSize;
  if (draft.isMine(old)) {
    return [
      () => {
        draft.leave(draft.map(at), at, end);
        draft.tr.delete(draft.map(at), draft.map(end, -1));
      },
    ];
  }
  draft.isStructural = true;
  return [
    () => {
      draft.suggestDeletion(old, at);
      empties(draft, old, at);
      draft.leave(draft.map(at), at, end);
    },
  ];
}

/** Marks all that a block holds, so that what somebody adds to it meanwhile stays. */
export function empties(draft: Draft, node: Node, at: number): void {
  if (node.inlineContent) {
    strike(draft, at + 1, at + 1 + node.content.size);
    return;
  }
  let mine: number | null = null;
  // One's own neighbours go together: between two deletions the schema might ask for a block in the place of the first.
  const takeBack = (end: number) => {
    if (mine !== null) draft.tr.delete(draft.map(mine), draft.map(end, -1));
    mine = null;
  };
  node.forEach((child, offset) => {
    const inner = at + 1 + offset;
    // A row that goes keeps the cells of its columns till then.
    if (draft.isMine(child) && node.type.spec.tableRole !== "row") {
      mine ??= inner;
      return;
    }
    takeBack(inner);
    if (!child.isLeaf) empties(draft, child, inner);
    else draft.suggestDeletion(child, inner);
  });
  takeBack(at + 1 + node.content.size);
}

/** Blocks that come: they are as if all that is suggested in them were accepted. */
export function insertions(draft: Draft, { olds, news, oldAt, nowAt }: Gap, nowParent: Node): Op[] {
  const end = olds.reduce((at, { nodeSize }) => at + nodeSize, oldAt);
  const made = settledIn(nowParent, news, draft.meant);
  return inserts(draft, made, end, isSameSize(made, news) ? nowAt : -1);
}

export function inserts(draft: Draft, news: readonly Node[], at: number, nowAt: number): Op[] {
  if (news.length === 0) return [];
  return [
    () => {
      const from = draft.map(at);
      draft.id ??= draft.idBefore(from);
      draft.tr.insert(
        from,
        news.map((node) => pending(draft, node, "insert")),
      );
      draft.follow(nowAt, news, from);
    },
  ];
}

/** One's own pending blocks become what they are to be. */
export function exchangesOwn(draft: Draft, { olds, news, oldAt, nowAt }: Gap, isInner: boolean): Op[] {
  const size = olds.reduce((sum, { nodeSize }) => sum + nodeSize, 0);
  const id = suggestionOf(olds[0]?.attrs ?? {})?.id;
  return [
    () => {
      if (id) draft.id ??= id;
      const from = draft.map(oldAt);
      const made = news.map((node) => pending(draft, node, isInner ? null : "insert"));
      draft.tr.replaceWith(from, draft.map(oldAt + size, -1), made);
      draft.follow(nowAt, news, from);
    },
  ];
}

/** A block of one's own, with all that is in it. */
function pending(draft: Draft, node: Node, kind: "insert" | null): Node {
  const own = unsaid(node.attrs);
  const attrs = "suggestion" in own ? { ...own, suggestion: kind && draft.suggestion(kind) } : own;
  if (node.isText) return node.mark(ownMarks(draft, node, [], null));
  const content = Fragment.from(node.children.map((child) => pending(draft, child, null)));
  const held = node.inlineContent && node.type.spec.marks === "" ? unmarked(content) : content;
  return node.type.create(attrs, held, node.isInline ? bare(node.marks) : node.marks);
}

function isSameSize(one: readonly Node[], other: readonly Node[]): boolean {
  return one.length === other.length && one.every((node, at) => node.nodeSize === other[at]?.nodeSize);
}
