/** Words for people, in the language of the interface. */
import { IntlMessageFormat } from "intl-messageformat";
import { createElement, Fragment, type ReactNode } from "react";
import { catalogue, LOCALE } from "./language";

type Value = string | number | Date;
type Part = ReactNode | ((inside: ReactNode[]) => ReactNode);

const formats = new Map<string, IntlMessageFormat>();

/** Returns the words for `message`, a literal in English.
 *
 * With `values`, the message is an ICU one: `t("{count, plural, one {# change} other {# changes}}", { count })`. Without, each
 * character stands for itself. What follows a "|" is not shown: it tells apart words that other languages tell apart, as in
 * `t("Star|verb")`.
 */
export function t(message: string, values?: Readonly<Record<string, Value>>): string {
  const words = wordsFor(message);
  return values ? String(formatOf(words).format(values)) : words;
}

/** Returns words with elements among them: `rich("Ask <b>{name}</b>", { name, b: (inside) => <b>{inside}</b> })`. */
export function rich(message: string, values: Readonly<Record<string, Part>>): ReactNode {
  const parts = formatOf(wordsFor(message)).format<ReactNode>(values as Record<string, ReactNode>);
  return createElement(Fragment, null, ...[parts].flat());
}

function wordsFor(message: string): string {
  return catalogue[message] ?? message.replace(/\|.*/s, "");
}

function formatOf(words: string): IntlMessageFormat {
  const known = formats.get(words);
  if (known) return known;
  const format = new IntlMessageFormat(words, LOCALE);
  formats.set(words, format);
  return format;
}
