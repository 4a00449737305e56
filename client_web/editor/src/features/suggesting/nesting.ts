/** Blocks that come into others, and leave them. */

import type { NodeSuggestion } from "@manyhands/schema";
import { Fragment, type Node } from "@tiptap/pm/model";
import type { Gap } from "./aligning";
import { isSameBut, without } from "./comparing";
import type { Draft, Op } from "./draft";
import { isList } from "./lines";
import { isItem, nestedIn } from "./settle";

/** Blocks that come into a list, a quote or a callout. */
export function wraps(draft: Draft, { olds, news, oldAt }: Gap): Op[] | null {
  const [wrapper] = news;
  if (news.length !== 1 || !wrapper || wrapper.inlineContent || wrapper.isLeaf) return null;
  const inner = isList(wrapper) ? wrapper.children.flatMap(({ children }) => children) : wrapper.children;
  if (inner.length !== olds.length || !inner.every((node, index) => isSameBut(node, olds[index])))
    return null;
  if (olds.some((node) => node.type === wrapper.type)) return null;
  const attrs = without(without(wrapper.attrs, "suggestion"), "proposals");
  // What was to become of the blocks before is not meant any more.
  for (const node of olds) if (draft.ownOn(node)?.kind === "set") draft.id ??= draft.ownOn(node)?.id ?? null;
  if (inner.some((node) => draft.ownOn(node))) return null;
  return each(draft, olds, oldAt, () => draft.suggestion("wrap", { type: wrapper.type.name, attrs }), true);
}

/** Blocks that leave what is around them. */
export function lifts(draft: Draft, { olds, news, oldAt }: Gap): Op[] | null {
  const [around] = olds;
  if (olds.length !== 1 || !around || around.isLeaf || around.inlineContent) return null;
  const levels = isList(around) ? 2 : 1;
  const ops: Op[] = [];
  let at = oldAt + 1;
  for (const child of around.children) {
    const blocks = isList(around) ? child.children : [child];
    let inner = isList(around) ? at + 1 : at;
    for (const block of blocks) {
      if (news.some((node) => node.eq(block))) {
        const lifted = each(draft, [block], inner, () => draft.suggestion("lift", { attrs: { levels } }));
        if (!lifted) return null;
        ops.push(...lifted);
      }
      inner += block.nodeSize;
    }
    at += child.nodeSize;
  }
  return ops.length > 0 ? ops : null;
}

/** Items that come into the item before them. */
export function indents(draft: Draft, { olds, news, oldAt }: Gap): Op[] | null {
  const [before, ...items] = olds;
  const list = news[0]?.lastChild;
  if (news.length !== 1 || !before || !isItem(before) || !list || !isList(list) || items.length === 0)
    return null;
  let made: Node | null = before;
  for (const item of items) made = made && nestedIn(made, list.type.create(null, item));
  if (!made || !news[0]?.eq(made) || items.some((item) => draft.isMine(item))) return null;
  const wrap = () => draft.suggestion("wrap", { type: list.type.name });
  return each(draft, items, oldAt + before.nodeSize, wrap);
}

/** Items that leave the item in whose list they are. */
export function outdents(draft: Draft, { olds, news, oldAt }: Gap): Op[] | null {
  const [around] = olds;
  const list = around?.lastChild;
  if (olds.length !== 1 || !around || !isItem(around) || !list || !isList(list)) return null;
  const ops: Op[] = [];
  let at = oldAt + around.nodeSize - list.nodeSize;
  for (const [index, item] of list.children.entries()) {
    // The items behind it come into the last one that leaves.
    const behind = list.children.slice(index + 1);
    const last = behind.length > 0 ? nestedIn(item, list.copy(Fragment.from(behind))) : null;
    if (news.some((node) => node.eq(item) || (last && node.eq(last)))) {
      const lifted = each(draft, [item], at, () => draft.suggestion("lift", { attrs: { levels: 2 } }));
      if (!lifted) return null;
      ops.push(...lifted);
    }
    at += item.nodeSize;
  }
  return ops.length > 0 ? ops : null;
}

function each(
  draft: Draft,
  nodes: readonly Node[],
  from: number,
  suggestion: () => NodeSuggestion,
  mayReplace = false,
): Op[] | null {
  if (nodes.some((node) => draft.ownOn(node)) && !mayReplace) return null;
  let at = from;
  return nodes.map((node) => {
    const here = at;
    at += node.nodeSize;
    return () => draft.suggestOn(here, suggestion());
  });
}
