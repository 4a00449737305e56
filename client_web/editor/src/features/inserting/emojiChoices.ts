/** What “:” finds: emoji by their names and by words for them. The table is loaded with the first one. */

import type { CaretMenuSource, Choice } from "../../extensions/caret_menus";
import { LANGUAGE, type Language } from "../../i18n/language";
import { t } from "../../i18n/t";

const MOST = 8;

export interface Emoji {
  readonly sign: string;
  readonly name: string;
  /** The name first; in small letters, with "_" for spaces. */
  readonly words: readonly string[];
}

/** Loads a language's table. */
export const EMOJI: Readonly<Record<Language, () => Promise<readonly Emoji[]>>> = { en: english, de: german };

let table: Promise<readonly Emoji[]> | null = null;

export const emojiSource: CaretMenuSource = {
  sign: ":",
  label: t("Emoji"),
  allowSpaces: false,
  // Behind a colon people write much else, such as “:)”.
  leastQuery: 2,
  choices: () => [],
  laterChoices: async (query) => emojiFor(query, await emoji()).map(choiceOf),
};

/** Returns the best matches: the name itself, then names that begin so, then other words. */
export function emojiFor(query: string, all: readonly Emoji[]): readonly Emoji[] {
  const wanted = query.toLowerCase().replace(/:$/, "");
  const ranked = all.flatMap((each) => {
    const rank = rankOf(each, wanted);
    return rank === null ? [] : [{ each, rank }];
  });
  return ranked
    .toSorted((one, other) => one.rank - other.rank)
    .slice(0, MOST)
    .map(({ each }) => each);
}

function rankOf({ words: [name = "", ...others] }: Emoji, wanted: string): number | null {
  if (name === wanted) return 0;
  if (others.includes(wanted)) return 1;
  if (name.startsWith(wanted)) return 2;
  if (name.split("_").some((part) => part.startsWith(wanted))) return 3;
  return others.some((word) => word.startsWith(wanted)) ? 4 : null;
}

async function emoji(): Promise<readonly Emoji[]> {
  table ??= EMOJI[LANGUAGE]();
  try {
    return await table;
  } catch {
    // The network may be back for the next one.
    table = null;
    return [];
  }
}

async function english(): Promise<readonly Emoji[]> {
  const { default: words } = await import("emojilib");
  return Object.entries(words).map(([sign, names]) => ({ sign, name: spoken(names[0] ?? ""), words: names }));
}

/** With the English words behind the German ones: many people know emoji by what other programs call them. */
async function german(): Promise<readonly Emoji[]> {
  const [{ default: all }, others] = await Promise.all([import("emojibase-data/de/compact.json"), english()]);
  const byBareSign = new Map(others.map((each) => [bare(each.sign), each.words]));
  return all
    .filter(({ tags }) => tags !== undefined) // letters of flags have none
    .map(({ unicode, label, tags = [] }) => ({
      sign: unicode,
      name: label,
      words: [...[label, ...tags].map(typed), ...(byBareSign.get(bare(unicode)) ?? [])],
    }));
}

function spoken(name: string): string {
  return name.replaceAll("_", " ");
}

function typed(words: string): string {
  return words.toLowerCase().replace(/[\s:,]+/g, "_");
}

/** A sign without the selector of its coloured form, which some tables write and others leave out. */
function bare(sign: string): string {
  return sign.replaceAll("\u{fe0f}", "");
}

function choiceOf({ sign, name }: Emoji): Choice {
  return {
    id: sign,
    label: name,
    icon: sign,
    run: (editor, range) => editor.chain().focus().insertContentAt(range, { type: "text", text: sign }).run(),
  };
}
