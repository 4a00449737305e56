/** Names and colours of the people who suggest, as far as this page has met them. */

import { t } from "../../i18n/t";
import { PERSON_COLORS } from "../../ui/color";

/** What people are called who are here, or were. */
const here = new Map<string, string>();
/** What they were called when they wrote a comment. */
const signed = new Map<string, string>();
let version = 0;

export function learnName(user: string, name: string): void {
  learn(here, user, name);
}

/** Learns the name under which somebody has written; a name that is seen counts more. */
export function learnSignature(user: string, name: string): void {
  learn(signed, user, name);
}

function learn(names: Map<string, string>, user: string, name: string): void {
  if (names.get(user) === name) return;
  names.set(user, name);
  version += 1;
}

/** Grows with each name that is learnt. */
export function namesVersion(): number {
  return version;
}

export function nameOf(user: string): string {
  return here.get(user) ?? signed.get(user) ?? t("Somebody");
}

/** The same colour for the same person on every page. */
export function colorOf(user: string): string {
  let sum = 0;
  for (const letter of user) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003;
  // The last two are too light for words.
  return PERSON_COLORS[sum % (PERSON_COLORS.length - 2)] ?? "#0369a1";
}
