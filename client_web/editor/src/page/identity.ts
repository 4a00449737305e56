/** Who this person is for the others: a name and a colour, kept in this browser, and by the server for those who have no account. */

import type { LocalUser } from "@manyhands/provider";
import { t } from "../i18n/t";
import { PERSON_COLORS } from "../ui/color";

const KEY = "manyhands:person";
const NAMED = "manyhands:named";
export const LONGEST_NAME = 80;

const GUESTS = [
  t("Badger"),
  t("Beaver"),
  t("Bittern"),
  t("Curlew"),
  t("Dipper"),
  t("Dormouse"),
  t("Falcon"),
  t("Finch"),
  t("Goshawk"),
  t("Hare"),
  t("Heron"),
  t("Ibex"),
  t("Kestrel"),
  t("Lapwing"),
  t("Lynx"),
  t("Marten"),
  t("Nuthatch"),
  t("Osprey"),
  t("Otter"),
  t("Plover"),
  t("Stoat"),
  t("Swift"),
  t("Wagtail"),
  t("Wren"),
];

/** A guest's name, in whichever language of the interface it was made. */
const GUEST = /^(Guest|Gast) /;

/** Returns the stored person, else a new guest that is stored; `random` gives numbers in [0, 1). */
export function loadPerson(storage: Storage | null, random: () => number): LocalUser {
  const stored = read(storage);
  if (stored) return stored;
  const guest = {
    name: t("Guest {animal}", { animal: pick(GUESTS, random) }),
    color: pick(PERSON_COLORS, random),
  };
  savePerson(storage, guest);
  return guest;
}

/** Whether this browser's person has said what to be called, or that any name will do. */
export function isNamed(storage: Storage | null): boolean {
  try {
    return storage === null || storage.getItem(NAMED) !== null || !GUEST.test(read(storage)?.name ?? "");
  } catch {
    return true;
  }
}

export function rememberNamed(storage: Storage | null): void {
  try {
    storage?.setItem(NAMED, "1");
  } catch {
    // Then the question comes again with the next visit.
  }
}

export function savePerson(storage: Storage | null, person: LocalUser): void {
  try {
    storage?.setItem(KEY, JSON.stringify(person));
  } catch {
    // Storage may be full or forbidden: the name then lasts as long as the page.
  }
}

/** Returns null where the browser keeps nothing for this page. */
export function browserStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

function read(storage: Storage | null): LocalUser | null {
  try {
    const stored: unknown = JSON.parse(storage?.getItem(KEY) ?? "null");
    if (typeof stored !== "object" || stored === null) return null;
    const { name, color } = stored as Partial<LocalUser>;
    const isSound = typeof name === "string" && name.trim() !== "" && /^#[0-9a-f]{6}$/i.test(color ?? "");
    return isSound && color ? { name: name.slice(0, LONGEST_NAME), color } : null;
  } catch {
    return null;
  }
}

function pick(choices: readonly string[], random: () => number): string {
  return choices[Math.floor(random() * choices.length)] ?? choices[0] ?? "";
}
