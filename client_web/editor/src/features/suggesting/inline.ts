/** Changes within a line: words that come and go, and their formats. */

import { inOrder } from "@manyhands/binding";
import { BREAK } from "@manyhands/schema";
import { Fragment, type Mark, type Node } from "@tiptap/pm/model";
import { isSameWords, unsaid } from "./comparing";
import type { Draft, Op } from "./draft";
import { bare, type Change, changeIn, formatRuns, hasFormats, isAnnotation, mergedFormats } from "./formats";
import { tokensOf } from "./lines";
import { isSuggestionOf, suggestionsOn } from "./present";

export function inlineOps(
  draft: Draft,
  old: Node,
  oldAt: number,
  now: Node,
  nowAt: number,
  isMine: boolean,
): Op[] | null {
  const change = changeIn(old.content, now.content, draft.after.selection.head - nowAt);
  if (!change) return [];
  const isFormatting = isSameWords(old.content, now.content) && !isTypedOver(draft, old.content, now.content);
  const { from, to, end } = isFormatting ? change : aroundSelection(draft, change, oldAt, old.content.size);
  if (old.type.spec.marks === "") {
    if (!isMine) return null;
    return [
      () => {
        const start = draft.map(oldAt + from);
        draft.tr.replaceWith(start, draft.map(oldAt + to, -1), now.content.cut(from, end));
        draft.caret = Math.min(start + end - from, draft.tr.doc.content.size);
      },
    ];
  }
  const [gone, come] = [old.content.cut(from, to), now.content.cut(from, end)];
  if (isFormatting) return formatOps(draft, oldAt + from, gone, come);
  return [
    () => {
      const tokens = tokensOf(come, nowAt + from).map(({ node }) => ({ node, depth: null }));
      strike(draft, oldAt + from, oldAt + to);
      if (tokens.length > 0) {
        const caret = tokens.length - Math.max(0, nowAt + end - draft.after.selection.head);
        insertTokens(draft, oldAt + to, tokens, caret >= 0 ? caret : tokens.length);
      } else draft.leave(draft.map(oldAt + from, -1), oldAt + from, oldAt + to);
    },
  ];
}

/** Whether somebody has typed struck words again over themselves. */
function isTypedOver({ before, after }: Draft, old: Fragment, now: Fragment): boolean {
  if (before.selection.empty || !after.selection.empty) return false;
  return lengthStruck(now) < lengthStruck(old);
}

function lengthStruck({ content }: Fragment): number {
  const struck = content.filter((node) => suggestionsOn(node).some(({ type }) => type.name === "deletion"));
  return struck.reduce((length, { nodeSize }) => length + nodeSize, 0);
}

/** What is typed over selected words replaces all of them, also those that it begins or ends with. */
function aroundSelection(draft: Draft, { from, to, end }: Change, lineAt: number, size: number): Change {
  const { selection } = draft.before;
  const [start, stop] = [selection.from - lineAt, selection.to - lineAt];
  if (selection.empty || start < 0 || stop > size || start > from || stop < to) return { from, to, end };
  return { from: start, to: stop, end: end + stop - to };
}

export function insertWords(draft: Draft, at: number, content: Fragment, caret: number | null): void {
  insertTokens(
    draft,
    at,
    tokensOf(content, 0).map(({ node }) => ({ node, depth: null })),
    caret,
  );
}

export function insertTokens(
  draft: Draft,
  at: number,
  tokens: readonly { readonly node: Node; readonly depth: number | null }[],
  caret: number | null,
): void {
  const from = behindDeleted(draft, draft.map(at, -1));
  const { nodeBefore: left, nodeAfter: right } = draft.tr.doc.resolve(from);
  // What is in the middle of somebody's marks has them too; else the marks would be cut in two.
  const around =
    left && right ? left.marks.filter((mark) => isAnnotation(mark) && mark.isInSet(right.marks)) : [];
  const theirs = around.filter((mark) => !isSuggestionOf(mark, "insertion", draft.author.user));
  const near = nearest(draft, left, right);
  draft.id ??= near.id ?? draft.idAround(from);
  const own = near.extended;
  const content = tokens.map(({ node, depth }) => {
    if (depth !== null) {
      return node.type.schema.text(BREAK, ownMarks(draft, null, theirs, own, depth));
    }
    if (node.isText) return node.mark(ownMarks(draft, node, theirs, own));
    const attrs = { ...unsaid(node.attrs), suggestion: draft.suggestion("insert") };
    return node.type.create(attrs, node.content, bare(node.marks));
  });
  const fragment = Fragment.fromArray(content);
  draft.tr.insert(from, fragment);
  const offset =
    caret === null ? null : content.slice(0, caret).reduce((sum, { nodeSize }) => sum + nodeSize, 0);
  if (offset !== null) draft.caret = from + Math.min(offset, fragment.size);
}

/** Words are not put into the middle of deleted ones: that would cut the deletion in two. */
function behindDeleted(draft: Draft, at: number): number {
  const { nodeBefore, nodeAfter } = draft.tr.doc.resolve(at);
  if (!nodeBefore || !nodeAfter) return at;
  const isWithin = suggestionsOn(nodeBefore).some(
    (mark) => mark.type.name === "deletion" && mark.isInSet(nodeAfter.marks),
  );
  return isWithin ? behindDeleted(draft, at + nodeAfter.nodeSize) : at;
}

/** One's own suggestion beside a place, and the run of typing that goes on there. */
function nearest(draft: Draft, left: Node | null, right: Node | null) {
  const { user, isOpen } = draft.author;
  const beside = [left, right].flatMap((node) => (node ? suggestionsOn(node) : []));
  const insertions = beside.filter((mark) => isSuggestionOf(mark, "insertion", user));
  const extended = insertions.find(({ attrs }) => isOpen(attrs.run)) ?? null;
  const deletions = beside.filter((mark) => isSuggestionOf(mark, "deletion", user));
  const id: string | null = (extended ?? insertions[0] ?? deletions[0])?.attrs.id ?? null;
  return { id, extended };
}

/** The marks of words that are one's own: their formats, and that they are suggested. */
export function ownMarks(
  draft: Draft,
  node: Node | null,
  theirs: readonly Mark[],
  extended: Mark | null,
  depth: number | null = null,
) {
  const { schema } = draft.tr.doc.type;
  const given = extended?.attrs ?? {
    id: draft.ownId,
    user: draft.author.user,
    at: draft.author.now,
    run: draft.ownRun,
  };
  const own = schema.marks.insertion?.create({ ...given, break: depth });
  const formats = node ? bare(node.marks) : [];
  const all = [...formats, ...theirs.filter(({ type }) => type.name !== "deletion"), ...(own ? [own] : [])];
  return inOrder(all.reduce<readonly Mark[]>((set, mark) => mark.addToSet(set), []));
}

/** Words between two places go: one's own really, those of others by a mark. */
export function strike(draft: Draft, from: number, to: number): void {
  if (from >= to) return;
  const { user, now } = draft.author;
  const { doc } = draft.before;
  const type = doc.type.schema.marks.deletion;
  const pieces: { node: Node; start: number; end: number }[] = [];
  doc.nodesBetween(from, to, (node, at) => {
    if (!node.isInline) return true;
    pieces.push({ node, start: Math.max(at, from), end: Math.min(at + node.nodeSize, to) });
    return false;
  });
  draft.id ??= besideStruck(draft, from, to);
  for (const { node, start, end } of pieces) {
    const isMine = node.isText
      ? suggestionsOn(node).some((mark) => isSuggestionOf(mark, "insertion", user))
      : draft.isMine(node);
    if (isMine) draft.tr.delete(draft.map(start), draft.map(end, -1));
    else if (node.isText) {
      const isStruck = suggestionsOn(node).some((mark) => isSuggestionOf(mark, "deletion", user));
      if (!isStruck && type) {
        const near = struckBeside(draft, start, end);
        const mark = near ?? type.create({ id: draft.ownId, user, at: now });
        draft.tr.addMark(draft.map(start), draft.map(end, -1), mark);
      }
    } else draft.suggestDeletion(node, start);
  }
}

function besideStruck(draft: Draft, from: number, to: number): string | null {
  const { doc } = draft.before;
  const { nodeBefore } = doc.resolve(from);
  const { nodeAfter } = doc.resolve(to);
  const own = [nodeBefore, nodeAfter].flatMap((node) => (node ? suggestionsOn(node) : []));
  const found = own.find(({ type, attrs }) => type.name !== "formatting" && attrs.user === draft.author.user);
  return found?.attrs.id ?? null;
}

/** The deletion of one's own beside a place, which goes on. */
function struckBeside(draft: Draft, from: number, to: number): Mark | null {
  const { doc } = draft.before;
  const beside = [doc.resolve(from).nodeBefore, doc.resolve(to).nodeAfter];
  const marks = beside.flatMap((node) => (node?.isText ? suggestionsOn(node) : []));
  return marks.find((mark) => isSuggestionOf(mark, "deletion", draft.author.user)) ?? null;
}

function formatOps(draft: Draft, at: number, old: Fragment, now: Fragment): Op[] {
  const { user } = draft.author;
  const runs = formatRuns(old, now).filter(({ add, remove }) => add.length + remove.length > 0);
  const ownOn = (node: Node) => suggestionsOn(node).find((mark) => isSuggestionOf(mark, "formatting", user));
  const isMineText = (node: Node) =>
    draft.isMine(node) || suggestionsOn(node).some((mark) => isSuggestionOf(mark, "insertion", user));
  // Proposed before, and asked for again everywhere: taken back.
  const others = runs.filter(({ node }) => !isMineText(node));
  const isAgain =
    draft.author.repeats !== true &&
    others.length > 0 &&
    others.every(({ node, add, remove }) => {
      const own = ownOn(node);
      return own !== undefined && hasFormats(own, add, remove);
    });
  return runs.map(({ node, from, to, add, remove }) => () => {
    const [start, end] = [draft.map(at + from), draft.map(at + to)];
    if (isMineText(node) || !node.isText) {
      if (!node.isText) return;
      for (const mark of remove) draft.tr.removeMark(start, end, mark.type);
      for (const mark of add) draft.tr.addMark(start, end, mark);
      return;
    }
    const own = ownOn(node);
    const merged = mergedFormats(own, add, remove, isAgain);
    if (own) draft.tr.removeMark(start, end, own);
    if (own) draft.id ??= own.attrs.id;
    if (!merged) return;
    const mark = node.type.schema.marks.formatting?.create({
      id: own?.attrs.id ?? draft.ownId,
      user,
      at: own?.attrs.at ?? draft.author.now,
      ...merged,
    });
    if (mark) draft.tr.addMark(start, end, mark);
  });
}
