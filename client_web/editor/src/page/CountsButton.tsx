/** The length of the text, or of what is selected in it. */

import { memo } from "react";
import { LOCALE } from "../i18n/language";
import { t } from "../i18n/t";
import { Popover } from "../ui/Popover";
import { type Counts, readingMinutes, WORDS_PER_MINUTE } from "./counts";
import type { Facts } from "./useFacts";

export const CountsButton = memo(function CountsButton({
  facts: { whole, selected },
}: {
  readonly facts: Facts;
}) {
  if (whole === null) return null;
  const label = selected
    ? t("{selected, number} of {count, plural, one {# word} other {# words}}", {
        selected: selected.words,
        count: whole.words,
      })
    : t("{count, plural, one {# word} other {# words}}", { count: whole.words });
  return (
    <Popover
      label={t("Length of the document")}
      side="top"
      align="start"
      trigger={
        <button type="button" className="page-counts">
          {label}
        </button>
      }
    >
      <table className="page-counts-table">
        <thead>
          <tr>
            <td />
            {selected && <th scope="col">{t("Selection")}</th>}
            <th scope="col">{t("Document")}</th>
          </tr>
        </thead>
        <tbody>
          {ROWS.map(({ name, of }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {selected && <td>{of(selected)}</td>}
              <td>{of(whole)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="page-counts-note">{t("At {count} words a minute.", { count: WORDS_PER_MINUTE })}</p>
    </Popover>
  );
});

const ROWS: readonly { readonly name: string; readonly of: (counts: Counts) => string }[] = [
  { name: t("Words"), of: (counts) => number(counts.words) },
  { name: t("Characters"), of: (counts) => number(counts.characters) },
  { name: t("Without spaces"), of: (counts) => number(counts.charactersWithoutSpaces) },
  {
    name: t("Reading time"),
    of: (counts) => t("{minutes, number} min", { minutes: readingMinutes(counts) }),
  },
];

function number(value: number): string {
  return value.toLocaleString(LOCALE);
}
