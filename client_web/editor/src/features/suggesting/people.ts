/** Names and colours of the people who suggest: as this page has met them, or as the server says. */

import { t } from "../../i18n/t";
import { PERSON_COLORS } from "../../ui/color";

/** What people are called who are here, or were. */
const here = new Map<string, string>();
/** The colours of these people. */
const colors = new Map<string, string>();
/** What they were called when they wrote a comment. */
const signed = new Map<string, string>();
/** What the server says of people whom this page has not met. */
const toldNames = new Map<string, string>();
const toldColors = new Map<string, string>();
let version = 0;

export function learnPerson(user: string, name: string, color: string): void {
  learn(here, user, name);
  learn(colors, user, color);
}

/** Learns the name under which somebody has written; a name that is seen counts more. */
export function learnSignature(user: string, name: string): void {
  learn(signed, user, name);
}

/** Learns what the server says of somebody. Whoever is here, or has been, is as this page has met them. */
export function learnTold(user: string, name: string, color: string): void {
  learn(toldNames, user, name);
  if (/^#[0-9a-f]{6}$/i.test(color)) learn(toldColors, user, color);
}

/** Whether the server has to be asked who somebody is. */
export function isUnmet(user: string): boolean {
  return !colors.has(user) && !toldNames.has(user);
}

function learn(known: Map<string, string>, user: string, value: string): void {
  if (known.get(user) === value) return;
  known.set(user, value);
  version += 1;
}

/** Grows with each name and colour that is learnt. */
export function namesVersion(): number {
  return version;
}

export function nameOf(user: string): string {
  return here.get(user) ?? toldNames.get(user) ?? signed.get(user) ?? t("Somebody");
}

/** The colour of a person's caret; of somebody whom nobody knows, the same one on every page. */
export function colorOf(user: string): string {
  const known = colors.get(user) ?? toldColors.get(user);
  if (known) return known;
  let sum = 0;
  for (const letter of user) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003;
  // The last two are too light for words.
  return PERSON_COLORS[sum % (PERSON_COLORS.length - 2)] ?? "#0369a1";
}
