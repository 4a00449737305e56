/** Whether nodes are the same but for what is suggested for them and said about them, and in what they differ. */

import { ANNOTATIONS } from "@manyhands/binding";
import type { Fragment, Node } from "@tiptap/pm/model";

export function hasSameMarkup(one: Node | undefined, other: Node | undefined): boolean {
  return (
    one !== undefined &&
    other !== undefined &&
    one.type === other.type &&
    isSameAttributes(one.attrs, other.attrs)
  );
}

export function isSameAttributes(one: Node["attrs"], other: Node["attrs"]): boolean {
  return JSON.stringify(ownOf(one)) === JSON.stringify(ownOf(other));
}

function ownOf(attrs: Node["attrs"]): Node["attrs"] {
  return without(without(without(attrs, "suggestion"), "proposals"), ANNOTATIONS);
}

/** Whether two nodes differ in nothing but what is suggested for them. */
export function isSameBut(one: Node, other: Node | undefined): boolean {
  return hasSameMarkup(one, other) && other !== undefined && one.content.eq(other.content);
}

/** The attributes of a copy: what is said about a node, and proposed for it, stays with the node. */
export function unsaid(attrs: Node["attrs"]): Node["attrs"] {
  const said = [ANNOTATIONS, "proposals"].filter((name) => attrs[name]);
  return said.length > 0 ? { ...attrs, ...Object.fromEntries(said.map((name) => [name, null])) } : attrs;
}

export function without(attrs: Node["attrs"], name: string): Node["attrs"] {
  const { [name]: _gone, ...rest } = attrs;
  return rest;
}

/** What a node's attributes are to be, where they differ. A node of another type keeps those that both types have. */
export function changedAttributes(old: Node, now: Node): Node["attrs"] {
  return Object.fromEntries(
    Object.entries(ownOf(now.attrs)).filter(
      ([name, value]) => !(name in old.attrs) || JSON.stringify(old.attrs[name]) !== JSON.stringify(value),
    ),
  );
}

/** Whether one node may become the other by another type and other attributes. */
export function isAlike(old: Node, now: Node): boolean {
  if (old.inlineContent !== now.inlineContent || old.isLeaf || now.isLeaf) return false;
  if (old.inlineContent) return old.type.spec.marks !== "" && isSameWords(old.content, now.content);
  return (
    old.childCount === now.childCount &&
    old.children.every((child, index) => {
      const other = now.children[index] as Node;
      return child.eq(other) || isAlike(child, other);
    })
  );
}

/** Whether two lines have the same words and other nodes, whatever their formats are. */
export function isSameWords(one: Fragment, other: Fragment): boolean {
  return (
    one.size === other.size &&
    wordsOf(one) === wordsOf(other) &&
    leavesOf(one).every((leaf, index) => {
      const same = leavesOf(other)[index];
      return same !== undefined && leaf.type === same.type && isSameAttributes(leaf.attrs, same.attrs);
    })
  );
}

function wordsOf(content: Fragment): string {
  return content.textBetween(0, content.size, "", "\ufffc");
}

function leavesOf(content: Fragment): readonly Node[] {
  return content.content.filter(({ isText }) => !isText);
}
