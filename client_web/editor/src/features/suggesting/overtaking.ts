/** What a person proposes for a block in the place of what they have proposed for it before.
 *
 * Commands see the block as it is, not as it is proposed. So a heading of another level, for which the block is a paragraph still, is meant
 * instead of the first heading. What is asked for again is taken back, as with formats. The document after comes out as it is meant:
 * such a block is what it was, with the last proposal.
 */

import { type NodeSuggestion, proposalsOf, withProposals } from "@manyhands/schema";
import { Fragment, type Node } from "@tiptap/pm/model";
import { type Gap, gapsOf } from "./aligning";
import type { Author } from "./author";
import { changedAttributes, isAlike, isSameBut } from "./comparing";
import { isList } from "./lines";
import { hasSuggestions } from "./present";

/** The document after a command, in which proposals of the author's that the command overtakes are the last ones. */
export function overtaken(before: Node, after: Node, author: Author): Node {
  if (before === after || before.inlineContent || !hasSuggestions(before)) return after;
  const made: Node[] = [];
  let [index, place] = [0, 0];
  for (const { olds, news, nowAt } of gapsOf(before, 0, after, 0)) {
    // What stands between two gaps is the same before and after.
    for (; index < after.childCount && place < nowAt; index += 1) {
      made.push(after.child(index));
      place += after.child(index).nodeSize;
    }
    made.push(...inGap(olds, news, author));
    index += news.length;
    place = news.reduce((end, { nodeSize }) => end + nodeSize, nowAt);
  }
  made.push(...after.children.slice(index));
  return after.copy(Fragment.from(made));
}

function inGap(olds: Gap["olds"], news: Gap["news"], author: Author): readonly Node[] {
  const rewrapped = otherList(olds, news, author);
  if (rewrapped) return rewrapped;
  if (olds.length !== news.length) return news;
  return news.map((now, index) => {
    const old = olds[index] as Node;
    const own = ownOn(old, author);
    const isChanged = old.type !== now.type || Object.keys(changedAttributes(old, now)).length > 0;
    if (
      isChanged &&
      own?.kind === "set" &&
      ownOn(now, author) &&
      (old.type === now.type || isAlike(old, now))
    ) {
      return old.type.create(withOwn(old, own, lastOf(own, old, now, author)), now.content, old.marks);
    }
    return old.type === now.type ? overtaken(old, now, author) : now;
  });
}

function ownOn(node: Node, { user }: Author): NodeSuggestion | null {
  return proposalsOf(node.attrs).find((each) => each.user === user) ?? null;
}

/** The attributes of a node with another proposal in the place of one's own. */
function withOwn({ attrs }: Node, own: NodeSuggestion, last: NodeSuggestion | null): Node["attrs"] {
  const theirs = proposalsOf(attrs).filter((each) => each !== own);
  return withProposals(attrs, last ? [...theirs, last] : theirs);
}

/** The type and the attributes that are proposed after all; null for none. */
function lastOf(own: NodeSuggestion, old: Node, now: Node, author: Author): NodeSuggestion | null {
  const asked = changedAttributes(old, now);
  const isTyped = old.type !== now.type;
  const type = isTyped ? now.type.name : own.type;
  const target = type === undefined ? old.type : (old.type.schema.nodes[type] ?? old.type);
  const attrs = { ...knownTo(target, own.attrs), ...asked };
  const isAgain = type === own.type && saysSame(attrs, own.attrs ?? {});
  if (!isAgain || author.repeats) return suggested(own, author, type, attrs);
  const rest = Object.entries(knownTo(isTyped ? old.type : target, own.attrs)).filter(
    ([name]) => !(name in asked),
  );
  const left = isTyped ? undefined : own.type;
  return rest.length === 0 && left === undefined
    ? null
    : suggested(own, author, left, Object.fromEntries(rest));
}

function suggested(
  own: NodeSuggestion,
  { now }: Author,
  type: string | undefined,
  attrs: Node["attrs"],
): NodeSuggestion {
  return { id: own.id, user: own.user, at: now, kind: "set", ...(type === undefined ? {} : { type }), attrs };
}

function knownTo({ spec }: Node["type"], attrs: Node["attrs"] = {}): Node["attrs"] {
  return Object.fromEntries(Object.entries(attrs).filter(([name]) => name in (spec.attrs ?? {})));
}

function saysSame(one: Node["attrs"], other: Node["attrs"]): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => JSON.stringify(one[name]) === JSON.stringify(other[name]))
  );
}

/** Lines that were proposed for a list, and come into another one, or into the same again; null for anything else. */
function otherList(olds: Gap["olds"], news: Gap["news"], author: Author): readonly Node[] | null {
  const [list] = news;
  if (news.length !== 1 || !list || !isList(list)) return null;
  const lines = list.children.flatMap(({ children }) => children);
  const isIn = (old: Node, index: number) => {
    const own = ownOn(old, author);
    const line = lines[index];
    const wanted = own?.kind === "wrap" ? old.type.schema.nodes[own.type ?? ""] : undefined;
    return wanted !== undefined && isList(wanted.create()) && line !== undefined && isSameBut(old, line);
  };
  if (lines.length !== olds.length || !olds.every(isIn)) return null;
  return olds.map((old) => {
    const own = ownOn(old, author) as NodeSuggestion;
    const isAgain = own.type === list.type.name && !author.repeats;
    const last = isAgain ? null : { ...own, at: author.now, type: list.type.name };
    return old.type.create(withOwn(old, own, last), old.content, old.marks);
  });
}
