/** The language of the interface: the one chosen in the menu, else the browser's first that Manyhands speaks.
 *
 * The English words stand in the code and are the keys of every other language's catalogue. A catalogue is loaded before the
 * rest of the application runs, so that constants can hold translated words. Another choice therefore loads the page anew.
 * public/early.js names the language before the first paint, and fetches the catalogue together with the application.
 */
import { Stored } from "../api/stored";

/** Each language by its own name. A new one needs a line here, one in `CATALOGUES`, its file, emoji, and the server's own pages. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;

export type Language = keyof typeof LANGUAGES;

/** English words, with ICU arguments where they have some, and what they are in another language. */
export type Catalogue = Readonly<Record<string, string>>;

const CATALOGUES: Readonly<Partial<Record<Language, () => Promise<{ readonly default: Catalogue }>>>> = {
  de: () => import("./de.json"),
};

const stored = new Stored("manyhands:language", (text) => (text !== null && isLanguage(text) ? text : null));

/** As `navigator.languages` has them: "de-AT" asks for German. */
export function languageFor(chosen: Language | null, wanted: readonly string[]): Language {
  return chosen ?? wanted.map(languageOf).find(isLanguage) ?? "en";
}

export const LANGUAGE = languageFor(stored.read(), navigator.languages);

/** For dates and numbers: with the browser's own country, if it is one of the language. */
export const LOCALE =
  navigator.languages.find((locale) => languageOf(locale) === LANGUAGE && locale !== LANGUAGE) ??
  { en: "en-GB", de: "de-DE" }[LANGUAGE];

document.documentElement.lang = LANGUAGE;

/** Empty for English, and for a language whose file cannot be had at the moment. */
export const catalogue: Catalogue = (await CATALOGUES[LANGUAGE]?.().catch(() => null))?.default ?? {};

/** Remembers the language in this browser. The page shows it when it is loaded the next time. */
export function chooseLanguage(language: Language): void {
  stored.write(language);
}

function languageOf(locale: string): string {
  return locale.replace(/-.*/, "").toLowerCase();
}

function isLanguage(text: string): text is Language {
  return Object.hasOwn(LANGUAGES, text);
}
