/** Hits of a search in the text of one block. Runs in the page for plain words, and in a worker for expressions. */

import { fold, unfolded } from "./folding";

export interface Query {
  readonly text: string;
  readonly isCaseKept: boolean;
  readonly isWord: boolean;
  readonly isExpression: boolean;
  /** Accents, ligatures and the form of quotes make no difference. */
  readonly isFolded: boolean;
}

/** Offsets in the text of a block. */
export interface Hit {
  readonly from: number;
  readonly to: number;
  /** What is put in its place; only where a template was given. */
  readonly replacement?: string;
}

export interface Matcher {
  readonly source: string;
  readonly flags: string;
  readonly isFolded: boolean;
}

/** What stands for a picture or another thing that is no text. */
export const THING = "\ufffc";

/** Throws a SyntaxError for an expression that cannot be read; null for a query without text. */
export function matcherFor(query: Query): Matcher | null {
  if (query.text === "") return null;
  const text = query.isFolded ? fold(query.text).text : query.text;
  const source = query.isExpression ? text : escaped(text);
  const edge = "[\\p{L}\\p{N}\\p{M}_]";
  const whole = query.isWord ? `(?<!${edge})(?:${source})(?!${edge})` : source;
  const flags = query.isCaseKept ? "gmu" : "gimu";
  new RegExp(query.isExpression ? source : whole, flags);
  return { source: whole, flags, isFolded: query.isFolded };
}

function escaped(text: string): string {
  // A space finds one that keeps words together as well.
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&").replace(/[ \u00a0]/g, "[ \u00a0]");
}

/** `template`: what is put in place of a hit; `$1` and `$&` in it stand for parts of the hit. */
export function hitsIn(text: string, matcher: Matcher, template?: string): readonly Hit[] {
  const { source, isFolded } = matcher;
  const expression = new RegExp(source, template === undefined ? matcher.flags : `${matcher.flags}d`);
  const folded = isFolded ? fold(text) : { text, starts: null };
  const hits: Hit[] = [];
  for (const match of folded.text.matchAll(expression)) {
    if (match[0] === "") continue;
    const from = unfolded(match.index, folded);
    const to = unfolded(match.index + match[0].length, folded);
    if (from === null || to === null || text.slice(from, to).includes(THING)) continue;
    const groups = (name: string) => groupIn(match, name, (at) => unfolded(at, folded), text);
    hits.push(template === undefined ? { from, to } : { from, to, replacement: expand(template, groups) });
  }
  return hits;
}

function groupIn(
  { indices }: RegExpMatchArray,
  name: string,
  placeOf: (at: number) => number | null,
  text: string,
): string {
  const span = /^\d+$/.test(name) ? indices?.[Number(name)] : indices?.groups?.[name];
  const [from, to] = [span && placeOf(span[0]), span && placeOf(span[1])];
  return from == null || to == null ? "" : text.slice(from, to);
}

function expand(template: string, group: (name: string) => string): string {
  return template.replace(/\$(?:(\$)|(&)|<([^>]+)>|(\d{1,2}))/g, (_all, dollar, whole, name, number) =>
    dollar ? "$" : group(whole ? "0" : (name ?? number)),
  );
}
