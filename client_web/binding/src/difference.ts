/** The difference of two texts: one piece that was taken out, and one that was put in its place. */

export interface Difference {
  readonly index: number;
  readonly removed: number;
  readonly inserted: string;
}

/**
 * Returns the smallest difference. Of several places that would do (an "l" typed into "all"), it is
 * the one where `caret`, the position behind what was typed, says.
 */
export function differenceOf(before: string, after: string, caret = after.length): Difference {
  const most = Math.min(before.length, after.length);
  // What stands behind the caret is old; what stands before the caret may be.
  let right = 0;
  const mostRight = Math.min(most, Math.max(after.length - caret, 0));
  while (right < mostRight && before.at(-1 - right) === after.at(-1 - right)) right += 1;
  let left = 0;
  while (left < most - right && before[left] === after[left]) left += 1;
  while (right < most - left && before.at(-1 - right) === after.at(-1 - right)) right += 1;
  // Both halves of a letter beyond U+FFFF go together.
  if (left > 0 && isHigh(before.charCodeAt(left - 1))) left -= 1;
  if (right > 0 && isLow(before.charCodeAt(before.length - right))) right -= 1;
  return {
    index: left,
    removed: before.length - left - right,
    inserted: after.slice(left, after.length - right),
  };
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}
