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

/** Their own names stand here, since browsers know the names of some languages only. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["ar", "العربية"],
  ["bg", "Български"],
  ["ca", "Català"],
  ["cs", "Čeština"],
  ["cy", "Cymraeg"],
  ["da", "Dansk"],
  ["de", "Deutsch"],
  ["de-AT", "Deutsch (Österreich)"],
  ["de-CH", "Deutsch (Schweiz)"],
  ["el", "Ελληνικά"],
  ["en-GB", "English (UK)"],
  ["en-US", "English (US)"],
  ["es", "Español"],
  ["et", "Eesti"],
  ["eu", "Euskara"],
  ["fa", "فارسی"],
  ["fi", "Suomi"],
  ["fr", "Français"],
  ["ga", "Gaeilge"],
  ["gl", "Galego"],
  ["he", "עברית"],
  ["hi", "हिन्दी"],
  ["hr", "Hrvatski"],
  ["hu", "Magyar"],
  ["hy", "Հայերեն"],
  ["id", "Bahasa Indonesia"],
  ["is", "Íslenska"],
  ["it", "Italiano"],
  ["ja", "日本語"],
  ["ka", "ქართული"],
  ["ko", "한국어"],
  ["lt", "Lietuvių"],
  ["lv", "Latviešu"],
  ["mk", "Македонски"],
  ["ms", "Bahasa Melayu"],
  ["nb", "Norsk bokmål"],
  ["nl", "Nederlands"],
  ["nn", "Norsk nynorsk"],
  ["pl", "Polski"],
  ["pt-BR", "Português (Brasil)"],
  ["pt-PT", "Português (Portugal)"],
  ["ro", "Română"],
  ["ru", "Русский"],
  ["sk", "Slovenčina"],
  ["sl", "Slovenščina"],
  ["sq", "Shqip"],
  ["sr", "Српски"],
  ["sv", "Svenska"],
  ["sw", "Kiswahili"],
  ["ta", "தமிழ்"],
  ["th", "ไทย"],
  ["tr", "Türkçe"],
  ["uk", "Українська"],
  ["ur", "اردو"],
  ["vi", "Tiếng Việt"],
  ["zh-Hans", "简体中文"],
  ["zh-Hant", "繁體中文"],
]);

/** Returns the languages to choose from: the browser's own first, then all by name, with `chosen` among them. */
export function languagesFor(chosen: string | null): readonly NamedLanguage[] {
  const own = navigator.languages.map(wellFormed).filter((tag) => tag !== null);
  const others = [...NAMES.keys(), ...(chosen === null ? [] : [chosen])]
    .map(named)
    .sort((one, other) => one.name.localeCompare(other.name, LOCALE));
  const all = [...own.map(named), ...others];
  return all.filter(({ tag }, at) => all.findIndex((each) => each.tag === tag) === at);
}

function named(tag: string): NamedLanguage {
  return { tag, name: NAMES.get(tag) ?? new Intl.DisplayNames(tag, { type: "language" }).of(tag) ?? tag };
}

function wellFormed(tag: string): string | null {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null;
  } catch {
    return null;
  }
}
