/** The language that a document is written in, for spell-checkers and screen readers.
 *
 * Its writers choose it, and it is kept in the document itself: it travels, merges and waits offline as the words do. Without a
 * choice the page's own language holds.
 */
import { SETTINGS } from "@manyhands/schema";
import { useCallback, useSyncExternalStore } from "react";
import type * as Y from "yjs";
import { LOCALE } from "../i18n/language";

/** The entry of the settings. Its value is a language tag (BCP 47). */
const KEY = "language";

/** Returns the language tag; null without a choice, and for what is no language tag. */
export function languageOf(doc: Y.Doc): string | null {
  const tag = doc.getMap(SETTINGS).get(KEY);
  return typeof tag === "string" ? wellFormed(tag) : null;
}

export function chooseLanguageOf(doc: Y.Doc, tag: string | null): void {
  if (tag === null) doc.getMap(SETTINGS).delete(KEY);
  else doc.getMap(SETTINGS).set(KEY, tag);
}

export function useLanguageOf(doc: Y.Doc): string | null {
  const subscribe = useCallback(
    (listener: () => void) => {
      const settings = doc.getMap(SETTINGS);
      settings.observe(listener);
      return () => settings.unobserve(listener);
    },
    [doc],
  );
  return useSyncExternalStore(subscribe, () => languageOf(doc));
}

/** A language as the menu offers it, by its own name. */
export interface NamedLanguage {
  readonly tag: string;
  readonly name: string;
}

const TAGS =
  "ar bg ca cs cy da de de-AT de-CH el en-GB en-US es et eu fa fi fr ga gl he hi hr hu hy id is it ja ka ko lt lv mk ms nb nl nn pl pt-BR pt-PT ro ru sk sl sq sr sv sw ta th tr uk ur vi zh-Hans zh-Hant";

/** Returns the languages to choose from: the browser's own first, then all by name, with `chosen` among them. */
export function languagesFor(chosen: string | null): readonly NamedLanguage[] {
  const own = navigator.languages.map(wellFormed).filter((tag) => tag !== null);
  const others = [...TAGS.split(" "), ...(chosen === null ? [] : [chosen])]
    .filter((tag) => !own.includes(tag))
    .map(named)
    .sort((one, other) => one.name.localeCompare(other.name, LOCALE));
  return [...own.map(named), ...others].filter(
    ({ tag }, at, all) => all.findIndex((each) => each.tag === tag) === at,
  );
}

function named(tag: string): NamedLanguage {
  const name = new Intl.DisplayNames(tag, { type: "language" }).of(tag) ?? tag;
  const [first = "", ...rest] = name;
  return { tag, name: [first.toLocaleUpperCase(tag), ...rest].join("") };
}

function wellFormed(tag: string): string | null {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null;
  } catch {
    return null;
  }
}
