/** Words of a line and their formats: where two lines differ, and which formats come and go. */

import { type FormattingAttributes, formatsIn, type Suggested } from "@manyhands/schema";
import { Fragment, type Mark, type Node } from "@tiptap/pm/model";

export function isAnnotation({ type }: Mark): boolean {
  return ["insertion", "deletion", "formatting", "comment"].includes(type.name);
}

/** Formats alone: nobody copies what is in another person's name. */
export function bare(marks: readonly Mark[]): readonly Mark[] {
  return marks.filter((mark) => !isAnnotation(mark));
}

export function unmarked(content: Fragment): Fragment {
  return Fragment.from(content.content.map((child) => child.mark([])));
}

export interface Change {
  readonly from: number;
  readonly to: number;
  readonly end: number;
}

/** Where two lines differ; where several places are as good, the one at the cursor. */
export function changeIn(old: Fragment, now: Fragment, caret: number): Change | null {
  const start = old.findDiffStart(now);
  if (start === null) return null;
  const last = old.findDiffEnd(now) ?? { a: old.size, b: now.size };
  let [from, to, end] = [start, last.a, last.b];
  const overlap = from - Math.min(to, end);
  if (overlap > 0) {
    to += overlap;
    end += overlap;
  }
  // Both halves of one character.
  const isHalf = (content: Fragment, at: number) =>
    /[\udc00-\udfff]/.test(characterAt(content, at)?.text ?? "");
  while (from > 0 && (isHalf(old, from) || isHalf(now, from))) from -= 1;
  while (to < old.size && end < now.size && (isHalf(old, to) || isHalf(now, end))) {
    to += 1;
    end += 1;
  }
  const isInsertion = from === to;
  const isDeletion = from === end;
  while ((isInsertion || isDeletion) && from > 0 && (isInsertion ? end : from) > caret) {
    const [content, behind] = isInsertion ? [now, end] : [old, to];
    const [one, other] = [characterAt(old, from - 1), characterAt(content, behind - 1)];
    if (!one || !other || !one.eq(other) || caret < 0) break;
    from -= 1;
    to -= 1;
    end -= 1;
  }
  return { from, to, end };
}

function characterAt(content: Fragment, at: number): Node | null {
  if (at < 0 || at >= content.size) return null;
  return content.cut(at, at + 1).firstChild;
}

export function formatRuns(old: Fragment, now: Fragment) {
  const cuts = new Set<number>();
  for (const content of [old, now]) content.forEach((_node, offset) => void cuts.add(offset));
  const places = [...cuts].sort((one, other) => one - other);
  return places.map((from, index) => {
    const to = places[index + 1] ?? old.size;
    const [node, wanted] = [old.cut(from, to).firstChild as Node, now.cut(from, to).firstChild as Node];
    const [before, after] = [bare(node.marks), bare(wanted.marks)];
    return {
      node,
      from,
      to,
      add: after.filter((mark) => !mark.isInSet(before)),
      remove: before.filter(({ type }) => !type.isInSet(after)),
    };
  });
}

type Formats = Omit<FormattingAttributes, keyof Suggested>;

export function hasFormats({ attrs }: Mark, add: readonly Mark[], remove: readonly Mark[]): boolean {
  const same = (mark: Mark) =>
    formatsIn(attrs).add.some(
      ({ type, attrs: given }) =>
        type === mark.type.name && JSON.stringify(given) === JSON.stringify(mark.attrs),
    );
  return add.every(same) && remove.every(({ type }) => formatsIn(attrs).remove.includes(type.name));
}

/** The formats that are proposed after all; null for none. */
export function mergedFormats(
  own: Mark | undefined,
  add: readonly Mark[],
  remove: readonly Mark[],
  isAgain: boolean,
): Formats | null {
  const names = [...add, ...remove].map(({ type }) => type.name);
  const before = formatsIn(own?.attrs ?? {});
  const kept = before.add.filter(({ type }) => !names.includes(type));
  const gone = before.remove.filter((name) => !names.includes(name));
  const merged = isAgain
    ? { add: kept, remove: gone }
    : {
        add: [...kept, ...add.map(({ type, attrs }) => ({ type: type.name, attrs }))],
        remove: [...gone, ...remove.map(({ type }) => type.name)],
      };
  return merged.add.length + merged.remove.length > 0 ? merged : null;
}
