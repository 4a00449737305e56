/** Whether anything is suggested in a document: asked after each change, and answered for what has changed alone. */

import { SUGGESTION_MARKS } from "@manyhands/schema";
import type { Mark, Node } from "@tiptap/pm/model";

const isMarkOfSuggestion = ({ type }: Mark) => SUGGESTION_MARKS.some((name) => name === type.name);

/** The marks of suggestions on a piece of text. */
export function suggestionsOn(node: Node): readonly Mark[] {
  return node.marks.filter(isMarkOfSuggestion);
}

/** Whether a mark is one person's suggestion of a kind. */
export function isSuggestionOf(mark: Mark, name: string, user: string): boolean {
  return mark.type.name === name && mark.attrs.user === user;
}

const known = new WeakMap<Node, boolean>();

/** Whether anything is suggested in a node or for it. */
export function hasSuggestions(node: Node): boolean {
  const before = known.get(node);
  if (before !== undefined) return before;
  const { suggestion = null, proposals = null } = node.attrs;
  const own = node.isText ? suggestionsOn(node).length > 0 : suggestion !== null || proposals !== null;
  const has = own || node.children.some(hasSuggestions);
  known.set(node, has);
  return has;
}
