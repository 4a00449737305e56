/** Days that a person may mean: “today”, a day of the week, or a date. `now` is always passed in. */
import { LOCALE } from "../../i18n/language";
import { t } from "../../i18n/t";

export interface Day {
  readonly label: string;
  /** The date in full, in the person's language. */
  readonly text: string;
}

const NEAR: readonly (readonly [string, number])[] = [
  [t("Today"), 0],
  [t("Tomorrow"), 1],
  [t("Yesterday"), -1],
];

/** Returns the days whose name begins with the query; a date is understood as well. */
export function daysFor(query: string, now: Date, locale: string): readonly Day[] {
  const wanted = query.trim().toLowerCase();
  const written = (day: Date) => dateIn(day, locale);
  const in_ = (days: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
  if (wanted === "") return NEAR.slice(0, 2).map(([label, days]) => ({ label, text: written(in_(days)) }));
  const date = dateOf(wanted, now);
  if (date) return [{ label: t("Date"), text: written(date) }];
  const weekdays = [1, 2, 3, 4, 5, 6, 7].map((days) => {
    const day = in_(days).toLocaleDateString(LOCALE, { weekday: "long" });
    return { names: [t("Next {day}", { day }), day], days };
  });
  return [...NEAR.map(([name, days]) => ({ names: [name], days })), ...weekdays]
    .filter(({ names }) => names.some((name) => name.toLowerCase().startsWith(wanted)))
    .map(({ names: [label = ""], days }) => ({ label, text: written(in_(days)) }));
}

/** Returns a date in full. */
export function dateIn(day: Date, locale: string): string {
  return day.toLocaleDateString(locale, { dateStyle: "long" });
}

/** Returns a day of this place as browsers' fields for dates have it: 2027-01-31. */
export function isoOf(day: Date): string {
  const [year, month, date] = [day.getFullYear(), day.getMonth() + 1, day.getDate()];
  return [String(year).padStart(4, "0"), ...[month, date].map((part) => String(part).padStart(2, "0"))].join(
    "-",
  );
}

/** Reads what `isoOf` writes; null for anything else. */
export function ofIso(written: string): Date | null {
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(written) ?? [];
  if (year === undefined) return null;
  const day = new Date(2000, Number(month) - 1, Number(date));
  day.setFullYear(Number(year), Number(month) - 1, Number(date)); // the constructor takes 0 to 99 for 1900 to 1999
  return day;
}

/** Reads 2027-01-31, 31.1.2027 and 31.1. as dates; other forms mean different days in different countries. */
function dateOf(written: string, now: Date): Date | null {
  const [, isoYear, isoMonth, isoDay] = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(written) ?? [];
  const [, day = isoDay, month = isoMonth, year = isoYear] =
    /^(\d{1,2})\.(\d{1,2})\.(\d{4})?$/.exec(written) ?? [];
  if (day === undefined || month === undefined) return null;
  const date = new Date(Number(year ?? now.getFullYear()), Number(month) - 1, Number(day));
  return date.getMonth() === Number(month) - 1 && date.getDate() === Number(day) ? date : null;
}
