/** Names and colours of the people who suggest, as far as this page has met them. */

import { t } from "../../i18n/t";
import { PERSON_COLORS } from "../../ui/color";

const names = new Map<string, string>();

export function learnName(user: string, name: string): void {
  names.set(user, name);
}

export function nameOf(user: string): string {
  return names.get(user) ?? t("Somebody");
}

/** The same colour for the same person on every page. */
export function colorOf(user: string): string {
  let sum = 0;
  for (const letter of user) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003;
  // The last two are too light for words.
  return PERSON_COLORS[sum % (PERSON_COLORS.length - 2)] ?? "#0369a1";
}
