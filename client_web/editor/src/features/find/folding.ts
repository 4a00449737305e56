/** Folded text: letters without accents and ligatures, straight quotes; and the way back to the text as it is. */

/** Letters that no decomposition of Unicode leads to. */
const FOLDED: Readonly<Record<string, string>> = {
  ß: "ss",
  ẞ: "SS",
  æ: "ae",
  Æ: "AE",
  œ: "oe",
  Œ: "OE",
  ø: "o",
  Ø: "O",
  đ: "d",
  Đ: "D",
  ł: "l",
  Ł: "L",
  ı: "i",
  þ: "th",
  Þ: "TH",
  "‘": "'",
  "’": "'",
  "‚": "'",
  "“": '"',
  "”": '"',
  "„": '"',
  "–": "-",
  "—": "-",
};

const PLAIN = /^[\x20-\x7e\n\t]*$/;

export interface Folded {
  readonly text: string;
  /** Where each unit of the folded text begins in the text as it is, and the end behind the last; null if the two are the same. */
  readonly starts: readonly number[] | null;
}

export function fold(text: string): Folded {
  if (PLAIN.test(text)) return { text, starts: null };
  let folded = "";
  const starts: number[] = [];
  let at = 0;
  for (const character of text) {
    const letters = FOLDED[character] ?? character.normalize("NFD").replace(/\p{M}+/gu, "");
    for (let unit = 0; unit < letters.length; unit += 1) starts.push(at);
    folded += letters;
    at += character.length;
  }
  starts.push(at);
  return { text: folded, starts };
}

/** What a place in folded text is in the text as it is; null within a letter that became several. */
export function unfolded(at: number, { starts }: Folded): number | null {
  if (starts === null) return at;
  const start = starts[at];
  return start === undefined || (at > 0 && starts[at - 1] === start) ? null : start;
}
