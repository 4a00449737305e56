/** Times as people say them: relative while that helps, a date after that. `now` is always passed in. */
import type { ReactNode } from "react";
import type { DocumentEntry, Order } from "../api/api";
import { LOCALE } from "../i18n/language";
import { rich, t } from "../i18n/t";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

// To make a format takes 1 ms, and a margin shows dozens of times in a frame.
const DAY = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const DAY_OF_YEAR = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric" });
const FULL = new Intl.DateTimeFormat(LOCALE, { dateStyle: "long", timeStyle: "short" });
const RELATIVE = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });

/** Returns "just now", "5 minutes ago", "yesterday", "3 days ago" or a date; the future counts as now. */
export function relativeTime(time: Date, now: Date): string {
  const passed = now.getTime() - time.getTime();
  if (Number.isNaN(passed)) return "";
  if (passed < MINUTE_MS) return t("just now");
  if (passed < HOUR_MS) return RELATIVE.format(-Math.floor(passed / MINUTE_MS), "minute");
  const days = daysBetween(time, now);
  if (days === 0 || passed < 6 * HOUR_MS) return RELATIVE.format(-Math.floor(passed / HOUR_MS), "hour");
  if (days < 7) return RELATIVE.format(-days, "day");
  const sameYear = time.getFullYear() === now.getFullYear();
  return (sameYear ? DAY : DAY_OF_YEAR).format(time);
}

/** Returns date and time in full, for a tooltip. */
export function fullTime(time: Date): string {
  return Number.isNaN(time.getTime()) ? "" : FULL.format(time);
}

/** Returns what happened `when`; narrow pages show the time alone. */
export function timeWords(what: Order | "trashed", when: string): ReactNode {
  const values = {
    when,
    verb: (inside: ReactNode[]) => <span className="documents-row-verb">{inside}</span>,
  };
  switch (what) {
    case "edited":
    case "title":
      return rich("<verb>Edited </verb>{when}", values);
    case "opened":
      return rich("<verb>Opened </verb>{when}", values);
    case "created":
      return rich("<verb>Made </verb>{when}", values);
    case "trashed":
      return rich("<verb>Trashed </verb>{when}", values);
  }
}

export interface AgeGroup {
  readonly heading: string;
  readonly documents: readonly DocumentEntry[];
}

/** Splits a list, keeping its order, where the age of `time(document)` passes a heading's limit. */
export function groupByAge(
  documents: readonly DocumentEntry[],
  time: (document: DocumentEntry) => Date,
  now: Date,
): readonly AgeGroup[] {
  const groups: { heading: string; documents: DocumentEntry[] }[] = [];
  for (const document of documents) {
    const heading = ageHeading(daysBetween(time(document), now));
    const last = groups.at(-1);
    if (last?.heading === heading) last.documents.push(document);
    else groups.push({ heading, documents: [document] });
  }
  return groups;
}

function ageHeading(days: number): string {
  if (days <= 0) return t("Today");
  if (days === 1) return t("Yesterday");
  if (days < 7) return t("Last 7 days");
  if (days < 30) return t("Last 30 days");
  return t("Earlier");
}

/** Returns midnights passed between two times, in the person's own time zone. */
function daysBetween(time: Date, now: Date): number {
  const dayNumber = (date: Date) =>
    Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / (24 * HOUR_MS);
  return dayNumber(now) - dayNumber(time);
}
