/** Days that a person may mean: “today”, a day of the week, or a date. `now` is always passed in. */

export interface Day {
  readonly label: string;
  /** The date in full, in the person's language. */
  readonly text: string;
}

const NEAR: readonly (readonly [string, number])[] = [
  ["Today", 0],
  ["Tomorrow", 1],
  ["Yesterday", -1],
];
const WEEK = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** Returns the days whose name begins with the query; a date is understood as well. */
export function daysFor(query: string, now: Date, locale: string): readonly Day[] {
  const wanted = query.trim().toLowerCase();
  const written = (day: Date) => day.toLocaleDateString(locale, { dateStyle: "long" });
  const in_ = (days: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
  if (wanted === "") return NEAR.slice(0, 2).map(([label, days]) => ({ label, text: written(in_(days)) }));
  const date = dateOf(wanted, now);
  if (date) return [{ label: "Date", text: written(date) }];
  const weekdays = WEEK.map((label, day): readonly [string, number] => {
    const days = (day - now.getDay() + 7) % 7;
    return [`Next ${label}`, days === 0 ? 7 : days];
  });
  return [...NEAR, ...weekdays]
    .filter(([label]) =>
      [label, label.replace("Next ", "")].some((name) => name.toLowerCase().startsWith(wanted)),
    )
    .map(([label, days]) => ({ label, text: written(in_(days)) }));
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
