/** What “:” finds: emoji by their names and by words for them. The table is loaded with the first one. */

import type { CaretMenuSource, Choice } from "../../extensions/caret_menus";
import { t } from "../../i18n/t";

const MOST = 8;

interface Emoji {
  readonly sign: string;
  /** The name first. */
  readonly words: readonly string[];
}

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
  table ??= load();
  try {
    return await table;
  } catch {
    // The network may be back for the next one.
    table = null;
    return [];
  }
}

async function load(): Promise<readonly Emoji[]> {
  const { default: words } = await import("emojilib");
  return Object.entries(words).map(([sign, names]) => ({ sign, words: names }));
}

function choiceOf({ sign, words: [name = ""] }: Emoji): Choice {
  return {
    id: sign,
    label: name.replaceAll("_", " "),
    icon: sign,
    run: (editor, range) => editor.chain().focus().insertContentAt(range, { type: "text", text: sign }).run(),
  };
}
