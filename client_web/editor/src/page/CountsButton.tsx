/** The length of the text, or of what is selected in it. */

import { memo } from "react";
import { Popover } from "../ui/Popover";
import { type Counts, readingMinutes, WORDS_PER_MINUTE } from "./counts";
import type { Facts } from "./useFacts";

export const CountsButton = memo(function CountsButton({
  facts: { whole, selected },
}: {
  readonly facts: Facts;
}) {
  const label = selected ? `${number(selected.words)} of ${words(whole.words)}` : words(whole.words);
  return (
    <Popover
      label="Length of the document"
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
            {selected && <th scope="col">Selection</th>}
            <th scope="col">Document</th>
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
      <p className="page-counts-note">At {WORDS_PER_MINUTE} words a minute.</p>
    </Popover>
  );
});

const ROWS: readonly { readonly name: string; readonly of: (counts: Counts) => string }[] = [
  { name: "Words", of: (counts) => number(counts.words) },
  { name: "Characters", of: (counts) => number(counts.characters) },
  { name: "Without spaces", of: (counts) => number(counts.charactersWithoutSpaces) },
  { name: "Reading time", of: (counts) => `${readingMinutes(counts)} min` },
];

function words(count: number): string {
  return count === 1 ? "1 word" : `${number(count)} words`;
}

function number(value: number): string {
  return value.toLocaleString();
}
